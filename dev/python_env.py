"""The virtual environments: Odoo with the test tools, and the linters apart from them."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from . import odoo_source
from .project import DATA, DEV, REQUIREMENTS, ROOT, VENV, VENV_PYTHON, digest
from .steps import lock, run, say, step, write

CONFIG = DEV / "odoo.conf"
STAMP = DEV / "environment"
INTERPRETER = DEV / "python"


def _key():
    """Everything the environment is made from; equal to the stamp when there is nothing to do."""
    own = str(VENV / "bin")
    path = os.pathsep.join(
        part for part in os.environ.get("PATH", "").split(os.pathsep) if part != own
    )
    installed = shutil.which("odoo", path=path)
    if installed and ROOT in Path(installed).resolve().parents:
        installed = None
    files = [REQUIREMENTS / name for name in ("debian.json", "test.txt", "uv.txt")]
    return digest(
        str(ROOT),
        os.environ.get("ODOO_HOME", ""),
        os.environ.get("ODOO_DEB", ""),
        installed or "",
        *files,
        *sorted((ROOT / "dev").glob("odoo_source.py")),
        Path(__file__),
    )


def ensure():
    """Make Odoo and its Python libraries ready; nothing is done when they are."""
    if STAMP.exists() and STAMP.read_text() == _key() and VENV_PYTHON.exists():
        return
    with lock("environment"):
        if STAMP.exists() and STAMP.read_text() == _key() and VENV_PYTHON.exists():
            return
        STAMP.unlink(missing_ok=True)
        key = _key()
        source = odoo_source.ensure()
        make(
            VENV, REQUIREMENTS / "test.txt", "Installing the pinned Python libraries into .dev/venv"
        )
        _link(source)
        write(INTERPRETER, sys.executable)
        write(STAMP, key)


def make(folder, requirements, title):
    """A virtual environment with what ``requirements`` pins; changed pins change it in place."""
    stamp = folder / "requirements.stamp"
    interpreter = digest(sys.executable, sys.version, str(folder))
    key = f"{interpreter} {digest(requirements)}"
    known = stamp.read_text() if stamp.exists() else ""
    if known == key:
        return
    with step(title):
        if not known.startswith(interpreter):
            shutil.rmtree(folder, ignore_errors=True)
            run([sys.executable, "-m", "venv", folder], "making a virtual environment")
        python = folder / "bin/python"
        quiet = ["--quiet", "--disable-pip-version-check"]
        if not _with_uv(python, quiet, requirements):
            command = [python, "-m", "pip", "install", *quiet, "-r", requirements]
            run(command, "installing the Python libraries")
        write(stamp, key)


def _with_uv(python, quiet, requirements):
    """Install with uv, several times faster; it may not reach what pip's own configuration does."""
    install = [python, "-m", "pip", "install", *quiet, "-r", REQUIREMENTS / "uv.txt"]
    if subprocess.run(install, capture_output=True).returncode:
        return False
    environment = {"UV_NATIVE_TLS": "1", "UV_SYSTEM_CERTS": "1", **os.environ}
    for variable, setting in (("UV_DEFAULT_INDEX", "index-url"), ("SSL_CERT_FILE", "cert")):
        value = _pip_setting(python, setting)
        if value:
            environment.setdefault(variable, value)
    command = [
        python,
        "-m",
        "uv",
        "pip",
        "install",
        "--quiet",
        "--python",
        python,
        "-r",
        requirements,
    ]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        say("    uv could not install them, pip does it now")
    return not done.returncode


def _pip_setting(python, name):
    value = os.environ.get(f"PIP_{name.upper().replace('-', '_')}")
    if value:
        return value
    done = subprocess.run(
        [python, "-m", "pip", "config", "get", f"global.{name}"], capture_output=True, text=True
    )
    return "" if done.returncode else done.stdout.strip()


def _link(source):
    """Put Odoo on the Python path of the environment, and the add-ons on Odoo's."""
    for folder in (VENV / "lib").glob("python3.*/site-packages"):
        (folder / "odoo_source.pth").write_text(f"{source.home}\n")
    addons = ",".join(str(path) for path in (*source.addons, ROOT))
    DATA.mkdir(parents=True, exist_ok=True)
    write(
        CONFIG,
        f"""[options]
addons_path = {addons}
data_dir = {DATA}
http_interface = 127.0.0.1
screenshots = {DEV / "screenshots"}
""",
    )
