"""pytest chooses as Odoo's runner does: tests without the tag `standard` only when asked for."""

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
