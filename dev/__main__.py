"""`dev TARGET ...`: one entry for the Makefile, `bin/odoo` and people."""

import importlib
import os
import sys

from .project import DEV
from .steps import Failure, say

# target: (module, function); what follows the target is passed on
TARGETS = {
    "odoo": ("odoo_command", "hand_over"),
    "clone": ("databases", "clone_command"),
    "drop": ("databases", "drop_command"),
    "template": ("databases", "template_command"),
    "demo": ("demo", "start"),
    "stop": ("demo", "stop"),
    "test": ("run_tests", "main"),
    "lint": ("lint", "main"),
    "i18n": ("i18n", "main"),
    "shot": ("browser", "main"),
    "screenshots": ("browser", "screenshots"),
    "script": ("odoo_command", "run_script"),
    "clean": ("clean", "main"),
}


def main():
    target, arguments = (sys.argv[1] if len(sys.argv) > 1 else ""), sys.argv[2:]
    if target not in TARGETS:
        sys.exit(f"usage: dev {{{','.join(TARGETS)}}} ...")
    module, function = TARGETS[target]
    os.umask(0o022)
    # What pip, uv, npm and the browser keep for the next time belongs to the checkout as well.
    os.environ.setdefault("XDG_CACHE_HOME", str(DEV / "cache"))
    os.environ.setdefault("npm_config_cache", str(DEV / "cache/npm"))
    try:
        code = getattr(importlib.import_module(f"dev.{module}"), function)(*arguments)
    except Failure as failure:
        say(f"error: {failure}")
        code = 1
    except PermissionError as error:
        say(
            f"error: no permission for {error.filename}: run as the user who made .dev, or give "
            "yourself the right"
        )
        code = 1
    except OSError as error:
        say(f"error: {error}")
        code = 1
    except KeyboardInterrupt:
        code = 130
    sys.exit(code or 0)


if __name__ == "__main__":
    main()
