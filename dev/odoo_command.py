"""`bin/odoo`: Odoo's own command with this checkout's environment around it."""

import os
from pathlib import Path

from . import postgres, python_env
from .project import DEV, ROOT, VENV_PYTHON, own_environment
from .steps import fail

PROGRAM = [str(VENV_PYTHON), "-W", "ignore::DeprecationWarning:pkg_resources", "-m", "odoo"]


def prepare():
    """Odoo, its libraries, its database server: ready; returns the environment to run with."""
    python_env.ensure()
    postgres.ensure()
    environment = own_environment()
    environment.setdefault("ODOO_RC", str(python_env.CONFIG))
    environment["HYPOTHESIS_STORAGE_DIRECTORY"] = str(DEV / "hypothesis")
    environment["CUSTOMER_COST_ODOO"] = str(ROOT / "bin/odoo")
    return environment


def prepare_for_browser():
    """As prepare(), and what Chromium writes about itself stays in the checkout."""
    return {**prepare(), "XDG_CONFIG_HOME": str(DEV / "cache/config")}


def hand_over(*arguments):
    environment = prepare()
    os.execve(PROGRAM[0], [*PROGRAM, *arguments], environment)


def run_script(*arguments):
    """Run a script with the environment's interpreter, e.g. `script benchmarks/run.py`."""
    if not arguments or not Path(arguments[0]).is_file():
        fail(
            f"there is no {arguments[0] if arguments else 'script'}: start from the top of the "
            "checkout"
        )
    environment = prepare()
    os.execve(VENV_PYTHON, [str(VENV_PYTHON), *arguments], environment)
