"""Where things are in this checkout, and which add-ons it holds."""

import ast
import hashlib
import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DEV = ROOT / ".dev"
VENV = DEV / "venv"
VENV_PYTHON = VENV / "bin" / "python"
DATA = DEV / "data"
LOGS = DEV / "logs"
REQUIREMENTS = ROOT / "requirements"
ODOO_SERIES = (19, 0)

# What the template database holds: the add-ons ours extend, and those that only the tests exercise,
# a Chinese and a European chart of accounts among them.
TEMPLATE_MODULES = ("account", "hr_expense", "l10n_cn", "l10n_de", "stock_account", "web_tour")


def our_modules():
    """Names of the installable add-ons at the top of the checkout."""
    names = []
    for manifest in sorted(ROOT.glob("*/__manifest__.py")):
        if ast.literal_eval(manifest.read_text()).get("installable", True):
            names.append(manifest.parent.name)
    return names


def digest(*parts):
    """A short stable name for the given texts, bytes or paths of files."""
    total = hashlib.sha256()
    for part in parts:
        if isinstance(part, Path):
            part = part.read_bytes()
        elif isinstance(part, str):
            part = part.encode()
        total.update(len(part).to_bytes(8, "big") + part)
    return total.hexdigest()[:12]


def code_digest(modules, ignored=()):
    """Changes when a file of these add-ons does, folders with an ``ignored`` name left out."""
    total = hashlib.sha256()
    for module in modules:
        for path in sorted((ROOT / module).rglob("*")):
            if (
                path.is_file()
                and path.suffix != ".pyc"
                and not set(path.relative_to(ROOT).parts[:-1]) & set(ignored)
            ):
                stat = path.stat()
                total.update(
                    f"{path.relative_to(ROOT)} {stat.st_size} {stat.st_mtime_ns}\n".encode()
                )
    return total.hexdigest()[:12]


def own_environment():
    """The process environment with the tools of this checkout first on PATH."""
    return {**os.environ, "PATH": f"{VENV / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}
