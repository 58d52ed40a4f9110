"""`make lint`: every formatter and linter; FIX=1 lets them correct what they can."""

import os
import shutil
import subprocess

from . import apt, python_env
from .project import DEV, REQUIREMENTS, ROOT, digest, our_modules
from .steps import fail, run, say, step, write

FOLDER = DEV / "lint"
PYTHON_FOLDERS = ("dev", "acceptance", "benchmarks")
NODE_AT_LEAST = (18, 18)


def main():
    fix = bool(os.environ.get("FIX"))
    modules = our_modules()
    programs = _python_tools()
    node = _node_tools()
    folders = [name for name in (*modules, *PYTHON_FOLDERS) if (ROOT / name).is_dir()]
    formatted, scripts = (
        _files(modules, (".xml", ".js", ".mjs", ".css", ".scss")),
        _files(modules, (".js", ".mjs")),
    )
    checks = [
        ("ruff: rules", [programs / "ruff", "check", *(["--fix"] if fix else []), *folders]),
        ("ruff: format", [programs / "ruff", "format", *([] if fix else ["--check"]), *folders]),
        ("prettier: XML, JavaScript and styles", [
            "node", node / "prettier/bin/prettier.cjs", "--log-level=warn",
            "--cache", "--cache-location", FOLDER / "prettier.json",
            "--write" if fix else "--check",
            "--plugin", node / "@prettier/plugin-xml/src/plugin.js", *formatted,
        ]),
        ("eslint: JavaScript", [
            "node", node / "eslint/bin/eslint.js", *(["--fix"] if fix else []), *scripts,
        ]),
        ("pylint-odoo", [programs / "pylint", "--rcfile", ROOT / ".pylintrc", *modules]),
    ]  # fmt: skip
    environment = {**os.environ, "LINT_MODULES": str(node), "RUFF_CACHE_DIR": str(FOLDER / "ruff")}
    wrong = []
    for title, command in checks:
        with step(title):
            done = subprocess.run(
                [str(part) for part in command], cwd=ROOT, env=environment, stdin=subprocess.DEVNULL
            )
        if done.returncode:
            wrong.append(title)
    if wrong:
        fail(f"lint: {'; '.join(wrong)} (FIX=1 corrects what can be corrected)")
    say("lint: clean")


def _python_tools():
    FOLDER.mkdir(parents=True, exist_ok=True)
    python_env.make(
        FOLDER / "venv", REQUIREMENTS / "lint.txt", "Installing ruff and pylint-odoo into .dev/lint"
    )
    return FOLDER / "venv/bin"


def _files(modules, suffixes):
    """Files of these kinds: the add-ons', libraries of others left out, and our own."""
    found = [
        path.relative_to(ROOT)
        for module in modules
        for path in sorted((ROOT / module).rglob("*"))
        if path.suffix in suffixes and "lib" not in path.relative_to(ROOT).parts
    ]
    return [*found, "eslint.config.mjs"]


def _node_version():
    if not shutil.which("node"):
        return None
    text = (
        subprocess.run(["node", "--version"], capture_output=True, text=True)
        .stdout.strip()
        .lstrip("v")
    )
    return tuple(int(part) for part in text.split(".")[:2])


def _node_tools():
    """Install the packages of package-lock.json below .dev; returns their folder."""
    missing = [
        name for name, program in (("nodejs", "node"), ("npm", "npm")) if not shutil.which(program)
    ]
    if missing:
        apt.install(missing, "the JavaScript and XML linters")
    version = _node_version()
    if version < NODE_AT_LEAST:
        fail(f"Node.js {'.'.join(map(str, version))} is too old for eslint: install 18.18 or newer")
    stamp, folder = FOLDER / "node.stamp", FOLDER / "node"
    key = digest(ROOT / "package.json", ROOT / "package-lock.json", str(version))
    if not (stamp.exists() and stamp.read_text() == key):
        with step("Installing prettier and eslint into .dev/lint"):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            for name in ("package.json", "package-lock.json"):
                shutil.copy(ROOT / name, folder)
            run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], "npm ci", cwd=folder)
            write(stamp, key)
    return folder / "node_modules"
