"""One picture of a page of a running Odoo, as a given user sees it.

--wait, --click, --hover, --fill, --press, --js and --sleep happen in the order given.
A selector is CSS, or text=Exact Label.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

from .cdp import Browser, PageError
from .project import DEV
from .session import Session, SessionError

LOADED = ".o_action_manager > *, .o_home_menu, main, #wrapwrap"

ACTIONS = {
    "wait": "CSS", "click": "CSS", "hover": "CSS", "fill": "CSS=TEXT",
    "press": "KEY", "js": "CODE", "sleep": "SECONDS",
}  # fmt: skip


class Ordered(argparse.Action):
    def __call__(self, parser, namespace, values, option_string=None):
        namespace.actions.append((self.dest, values))


def parse(arguments):
    parser = argparse.ArgumentParser(prog="python3 -m dev shot", description=__doc__)
    parser.set_defaults(actions=[])
    parser.add_argument("--login", default="admin", help="without a login page: --login ''")
    parser.add_argument("--password", help="default: the login")
    parser.add_argument("--url", default="/odoo")
    parser.add_argument("--out", type=Path, help="PNG file to write")
    parser.add_argument("--base", help="address of the server; default: the running demo")
    parser.add_argument("--db", default=os.environ.get("DB", "demo"))
    parser.add_argument("--lang", help="language of the user for this picture, e.g. zh_CN")
    parser.add_argument("--size", default="1440x900", help="window, default 1440x900")
    parser.add_argument("--full", action="store_true", help="everything that could be scrolled to")
    parser.add_argument("--text", metavar="CSS", help="print the text of this element")
    for name, metavar in ACTIONS.items():
        parser.add_argument(f"--{name}", metavar=metavar, action=Ordered)
    return parser.parse_args(arguments)


def demo_record():
    record = DEV / "demo.json"
    if not record.exists():
        raise SessionError("no demo is running: `make demo`, or give --base")
    return json.loads(record.read_text())


def perform(browser, action, value):
    if action == "fill":
        selector, _, text = value.rpartition("=")
        browser.fill(selector, text)
    elif action == "sleep":
        time.sleep(float(value))
    elif action == "js":
        result = browser.script(value)
        browser.settle()
        if result is not None:
            print(json.dumps(result, ensure_ascii=False))
    else:
        getattr(browser, action)(value)


def visit(browser, session, base, url, actions, out=None, full=False):
    """Open a page as the session's user, do what is asked, and store the picture."""
    if session:
        browser.set_cookie(base, "session_id", session.cookie)
    browser.go(base.rstrip("/") + url)
    browser.wait(LOADED)
    browser.settle()
    if (
        "/discuss" in browser.script("location.pathname")
        and "/discuss" not in url
        and url != "/odoo"
    ):
        raise PageError(f"{url} leads to the start page: there is no such page for this user")
    try:
        for action, value in actions:
            perform(browser, action, value)
    finally:
        if out:
            browser.picture(out, full)


def main(arguments=None):
    options = parse(arguments)
    size = tuple(int(part) for part in options.size.split("x"))
    problems = []
    try:
        base = options.base or demo_record()["address"]
        session = options.login and Session(
            base, options.db, options.login, options.password or options.login
        )
        with Browser(size) as browser:
            problems = browser.problems
            if session:
                with session.language(options.lang):
                    visit(
                        browser,
                        session,
                        base,
                        options.url,
                        options.actions,
                        options.out,
                        options.full,
                    )
            else:
                visit(browser, None, base, options.url, options.actions, options.out, options.full)
            if options.text:
                print(
                    browser.script(
                        f"document.querySelector({json.dumps(options.text)})?.innerText ?? ''"
                    )
                )
    except (PageError, SessionError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    finally:
        for problem in problems:
            print(f"browser: {problem}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
