"""pytest as Odoo's own runner would choose: a test without the tag `standard` runs only when it
is asked for.
"""

import os


def pytest_collection_modifyitems(config, items):
    if os.environ.get("CUSTOMER_COST_SELECTED"):
        return
    chosen, left = [], []
    for item in items:
        tags = getattr(item.cls, "test_tags", {"standard"})
        (chosen if "standard" in tags else left).append(item)
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = chosen
