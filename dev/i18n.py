"""`make i18n`: export the texts of our add-ons and bring their translations in line with them."""

import os
import subprocess

from . import databases
from .odoo_command import PROGRAM, prepare
from .project import LOGS, ROOT, VENV_PYTHON, our_modules
from .steps import fail, run, step

DATABASE = "i18n"


def main():
    """CHECK=1 fails when a text is not translated."""
    modules = our_modules()
    if not modules:
        fail("this checkout holds no add-on (no */__manifest__.py): nothing to translate")
    environment = {**prepare(), "PYTHONPATH": str(ROOT)}
    databases.template()
    with step(f"Installing {', '.join(modules)} into database {DATABASE}"):
        databases.clone(DATABASE)
        command = [*PROGRAM, "-d", DATABASE, "-i", ",".join(modules), *databases.QUIET]
        run(command, "installing the add-ons", log=LOGS / "i18n.log", env=environment)
    with step("Exporting their texts"):
        for module in modules:
            (ROOT / module / "i18n").mkdir(exist_ok=True)
            command = [*PROGRAM, "i18n", "export", "-d", DATABASE, module]
            command += ["-o", LOGS / f"{module}.pot"]
            run(command, f"exporting the texts of {module}", env=environment)
    databases.drop(DATABASE)
    check = ["--check"] if os.environ.get("CHECK") else []
    return subprocess.run(
        [VENV_PYTHON, "-m", "dev.translations", *check, *modules], env=environment, cwd=ROOT
    ).returncode
