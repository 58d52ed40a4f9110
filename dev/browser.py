"""Debian's Chromium: installed when missing, and handed to the scripts that take pictures."""

import os
import shutil
import subprocess

from . import apt
from .odoo_command import prepare_for_browser
from .project import ROOT, VENV_PYTHON
from .steps import fail

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find_chromium(why):
    """Path of the browser, without which Odoo skips its browser tests silently."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if not found:
        apt.install(["chromium"], why)
        found = shutil.which("chromium") or fail(
            "chromium is installed but not on PATH: add /usr/bin to PATH"
        )
    return found


def ensure_chinese_font():
    """Pictures of Chinese texts need glyphs for them."""
    if shutil.which("fc-list"):
        done = subprocess.run(["fc-list", ":lang=zh-cn"], capture_output=True, text=True)
        if done.stdout.strip():
            return
    apt.install(["fontconfig", "fonts-noto-cjk"], "pictures with Chinese texts")


def main(*arguments):
    """`shot`: one picture of the running demo; see `shot --help`."""
    return start("dev.shot", arguments)


def screenshots(*arguments):
    """`screenshots [NAME ...]`: the documentation's pictures."""
    return start("dev.screenshots", arguments)


def start(module, arguments):
    environment = prepare_for_browser()
    environment |= {"PYTHONPATH": str(ROOT), "CHROMIUM": find_chromium("pictures of the browser")}
    if any("zh" in argument for argument in arguments) or module != "dev.shot":
        ensure_chinese_font()
    os.execve(VENV_PYTHON, [str(VENV_PYTHON), "-m", module, *arguments], environment)
