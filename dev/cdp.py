"""A headless Chromium driven over DevTools: just enough to visit Odoo's pages and picture them."""

import base64
import itertools
import json
import os
import shutil
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

import websocket

FLAGS = """
    --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --hide-scrollbars
    --disable-background-networking --disable-component-update --disable-sync --disable-extensions
    --disable-dev-shm-usage --mute-audio --remote-debugging-port=0 --remote-allow-origins=*
    --force-device-scale-factor=1 --lang=en-US
""".split()
FIND = """
(selector => {
    if (!selector.startsWith("text=")) return document.querySelector(selector);
    const text = selector.slice(5);
    const kinds = "button, a, [role=tab], [role=menuitem], .dropdown-item, label, span, td";
    const all = [...document.querySelectorAll(kinds)];
    return all.find(el => el.offsetParent && el.textContent.trim() === text);
})(%s)
"""
TALLEST = """
Math.max(0, ...[...document.querySelectorAll("*")].filter(
    el => ["auto", "scroll"].includes(getComputedStyle(el).overflowY)
).map(el => el.scrollHeight - el.clientHeight), document.documentElement.scrollHeight - innerHeight)
"""
QUIET_TIME = 0.5


class PageError(Exception):
    """The page did not do what was asked."""


class Browser:
    """One tab; use as a context manager."""

    def __init__(self, size=(1440, 900), timeout=30):
        self.size, self.timeout = size, timeout
        self.problems = []
        self._numbers = itertools.count(1)
        self._pending = set()
        self._last_traffic = 0.0

    def __enter__(self):
        self._folder = tempfile.mkdtemp(prefix="browser-")
        command = [os.environ["CHROMIUM"], *FLAGS, f"--user-data-dir={self._folder}", "about:blank"]
        self._process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            self._connect()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _connect(self):
        port_file = Path(self._folder, "DevToolsActivePort")
        self._until(
            lambda: port_file.exists() and port_file.read_text().strip(), "Chromium does not start"
        )
        port = port_file.read_text().split()[0]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list", timeout=10) as answer:
            page = next(target for target in json.load(answer) if target["type"] == "page")
        self._socket = websocket.create_connection(
            page["webSocketDebuggerUrl"], timeout=self.timeout
        )
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.resize(*self.size)

    def _until(self, condition, complaint):
        end = time.monotonic() + self.timeout
        while not (value := condition()):
            if time.monotonic() > end:
                raise PageError(complaint)
            time.sleep(0.05)
        return value

    def call(self, method, **parameters):
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._socket.recv())
            if message.get("id") == number:
                if "error" in message:
                    raise PageError(f"{method}: {message['error']['message']}")
                return message["result"]
            self._note(message.get("method"), message.get("params", {}))

    def _note(self, event, data):
        """Keep count of open requests, and of what the page complains about."""
        if event == "Network.requestWillBeSent" and "/bus/" not in data["request"]["url"]:
            self._pending.add(data["requestId"])
            self._last_traffic = time.monotonic()
        elif event in ("Network.loadingFinished", "Network.loadingFailed"):
            self._pending.discard(data["requestId"])
            self._last_traffic = time.monotonic()
        elif event == "Runtime.consoleAPICalled" and data["type"] in ("error", "assert"):
            self.problems.append(
                " ".join(str(a.get("value", a.get("description", ""))) for a in data["args"])
            )
        elif event == "Runtime.exceptionThrown":
            details = data["exceptionDetails"]
            self.problems.append(details.get("exception", {}).get("description") or details["text"])
        elif event == "Log.entryAdded" and data["entry"]["level"] == "error":
            self.problems.append(f"{data['entry']['text']} {data['entry'].get('url', '')}")

    def script(self, code):
        """The value of a JavaScript expression; a promise is awaited."""
        result = self.call(
            "Runtime.evaluate", expression=code, returnByValue=True, awaitPromise=True
        )
        if "exceptionDetails" in result:
            raise PageError(
                result["exceptionDetails"].get("exception", {}).get("description", "script failed")
            )
        return result["result"].get("value")

    def resize(self, width, height):
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )

    def set_cookie(self, base, name, value):
        self.call("Network.setCookie", url=base, name=name, value=value)

    def go(self, address):
        self._pending.clear()
        self.call("Page.navigate", url=address)
        self.settle()

    def settle(self):
        """Wait until the page is complete and has asked nothing of the server for a moment."""

        def settled():
            if self.script("document.readyState") != "complete":
                return False
            return not self._pending and time.monotonic() - self._last_traffic > QUIET_TIME

        self._last_traffic = time.monotonic()
        self._until(settled, "the page does not come to rest")

    def wait(self, selector):
        def present():
            return self.script(f"!!{FIND % json.dumps(selector)}")

        address = self.script("location.href")
        self._until(present, f"nothing matches {selector!r} on {address}")

    def _with(self, selector, code):
        """The value of ``code``, a function of the element, as soon as there is one."""
        self.wait(selector)
        return self.script(f"({code})({FIND % json.dumps(selector)})")

    def click(self, selector):
        self._with(selector, "el => { el.scrollIntoView({block: 'nearest'}); el.click(); }")
        self.settle()

    def hover(self, selector):
        """Move the pointer over an element, as tooltips and charts need it."""
        middle = "r => [r.x + r.width / 2, r.y + r.height / 2]"
        x, y = self._with(selector, f"el => ({middle})(el.getBoundingClientRect())")
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
        self.settle()

    def fill(self, selector, text):
        self._with(selector, "el => { el.focus(); if (el.select) el.select(); }")
        self.call("Input.insertText", text=text)
        self.settle()

    def press(self, key):
        codes = {"Enter": 13, "Escape": 27, "Tab": 9}
        for kind in ("keyDown", "keyUp"):
            more = {"text": "\r"} if key == "Enter" and kind == "keyDown" else {}
            self.call(
                "Input.dispatchKeyEvent",
                type=kind,
                key=key,
                code=key,
                windowsVirtualKeyCode=codes.get(key, 0),
                **more,
            )
        self.settle()

    def picture(self, path, full=False):
        """Store the window, or with ``full`` everything that could be scrolled to, as PNG."""
        if full:
            extra = int(self.script(TALLEST))
            self.resize(self.size[0], min(self.size[1] + extra, 12000))
            self.settle()
        data = self.call("Page.captureScreenshot", format="png")["data"]
        if full:
            self.resize(*self.size)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(data))
