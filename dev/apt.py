"""Debian packages: installed by name when missing, or only downloaded from another suite."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from .steps import Failure, fail, run, say, step

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
# Taken away from createcluster.conf again by the trap: a package brings the programs, not a running
# system cluster.
INSTALL_SERVER = """
conf=/etc/postgresql-common/createcluster.conf
apt-get install -y --no-install-recommends postgresql-common || exit 1
cp -p "$conf" "$conf.kept" && trap 'mv -f "$conf.kept" "$conf"' EXIT
echo "create_main_cluster = false" >> "$conf"
apt-get install -y --no-install-recommends "$@"
"""


def release():
    """(ID, VERSION_ID) of the operating system."""
    fields = {}
    if os.path.exists("/etc/os-release"):
        for line in Path("/etc/os-release").read_text().splitlines():
            key, _, value = line.partition("=")
            fields[key] = value.strip('"')
    return fields.get("ID", "unknown"), fields.get("VERSION_ID", "")


def is_bookworm():
    return release() == ("debian", "12")


def _as_root():
    if os.geteuid() == 0:
        return ["env"]
    return ["sudo", "-n"] if shutil.which("sudo") else None


def install(packages, why, script=None):
    """Install packages by name; without the right to do so, say which ones are wanted."""
    names = " ".join(packages)
    advice = f"missing for {why}: run `apt-get install {names}` as root, then start again"
    prefix = _as_root()
    if not shutil.which("apt-get"):
        fail(
            f"{why} needs the programs of Debian's packages {names}: install them by your "
            "system's means"
        )
    if prefix is None or subprocess.run([*prefix, "true"], stderr=subprocess.DEVNULL).returncode:
        fail(advice)
    environment = ["env", "DEBIAN_FRONTEND=noninteractive"]
    with step(f"Installing Debian packages for {why}: {names}"):
        try:
            run([*prefix, "apt-get", "-o", "Acquire::Languages=none", "update"], "apt-get update")
        except Failure as error:
            say(f"    {error}; going on with the package lists at hand")
        command = ["apt-get", "install", "-y", "--no-install-recommends", *packages]
        if script:
            command = ["sh", "-c", script, "sh", *packages]
        run([*prefix, *environment, *command], f"installing {names}")


def mirror():
    """(address, keyring) of the Debian mirror this machine takes its own packages from."""
    folder = Path("/etc/apt")
    files = [folder / "sources.list", *sorted((folder / "sources.list.d").glob("*"))]
    for path in files:
        if not path.is_file():
            continue
        text = path.read_text(errors="replace")
        for address, suites, keyring in _sources(path.suffix, text):
            if "bookworm" in suites:
                return address, keyring or KEYRING
    fail(
        "no Debian 12 (bookworm) mirror in /etc/apt/sources.list*: add one, or set ODOO_HOME to "
        "an Odoo 19 checkout"
    )


def _sources(suffix, text):
    """Yield (address, suites, keyring) of one file of sources in either of apt's formats."""
    if suffix == ".sources":
        for stanza in re.split(r"\n\s*\n", text):
            fields = dict(re.findall(r"^([\w-]+):[ \t]*(.+)$", stanza, re.M))
            if "deb" in fields.get("Types", "").split() and fields.get("Enabled", "yes") != "no":
                keyring = fields.get("Signed-By", "").strip()
                for address in fields.get("URIs", "").split():
                    yield (
                        address,
                        fields.get("Suites", "").split(),
                        keyring if keyring.startswith("/") else None,
                    )
        return
    for options, address, suite in re.findall(
        r"^deb\s+(?:\[(.*?)\]\s+)?(\S+)\s+(\S+)\s", text, re.M
    ):
        keyring = re.search(r"signed-by=(/\S+)", options)
        yield address, [suite], keyring and keyring[1]


class Suite:
    """Another suite of this machine's mirror, with lists and cache of its own."""

    def __init__(self, name, folder):
        address, keyring = mirror()
        self.name, self.folder = name, folder / name
        for part in ("lists/partial", "cache/archives/partial", "files"):
            (self.folder / part).mkdir(parents=True, exist_ok=True)
        sources = self.folder / "sources.list"
        sources.write_text(f"deb [signed-by={keyring}] {address} {name} main\n")
        self.options = [
            f"Dir::Etc::SourceList={sources}",
            "Dir::Etc::SourceParts=/dev/null",
            f"Dir::State::Lists={self.folder / 'lists'}",
            f"Dir::Cache={self.folder / 'cache'}",
            "Acquire::Languages=none",
            "Acquire::Check-Valid-Until=false",
            *(["APT::Sandbox::User=root"] if os.geteuid() == 0 else []),
        ]

    def _apt(self, *arguments):
        options = [part for option in self.options for part in ("-o", option)]
        run(
            ["apt-get", *options, *arguments],
            f"apt-get {arguments[0]} from {self.name}",
            cwd=self.folder / "files",
        )

    def download(self, packages):
        """Return {package: path of its .deb file}."""
        self._apt("update")
        self._apt("download", *packages)
        return {path.name.split("_")[0]: path for path in (self.folder / "files").glob("*.deb")}
