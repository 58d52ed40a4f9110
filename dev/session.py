"""A user's session on a running Odoo: log in, call methods, change the language for a while."""

import contextlib
import http.cookiejar
import json
import urllib.error
import urllib.request


class SessionError(Exception):
    """The server said no, in one line."""


class Session:
    def __init__(self, base, database, login, password):
        self.base = base.rstrip("/")
        self._cookies = http.cookiejar.CookieJar()
        self._opener = urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(self._cookies)
        )
        values = {"db": database, "login": login, "password": password}
        self.info = self._post("/web/session/authenticate", values)
        if not self.info.get("uid"):
            raise SessionError(f"{login} cannot log in to {database}")

    @property
    def cookie(self):
        return next(cookie.value for cookie in self._cookies if cookie.name == "session_id")

    def _post(self, path, values):
        body = json.dumps({"jsonrpc": "2.0", "method": "call", "params": values}).encode()
        request = urllib.request.Request(
            self.base + path, body, {"Content-Type": "application/json"}
        )
        try:
            with self._opener.open(request, timeout=120) as answer:
                result = json.load(answer)
        except (urllib.error.URLError, ValueError) as error:
            raise SessionError(f"{self.base} does not answer as Odoo does ({error})") from error
        if "error" in result:
            raise SessionError(result["error"]["data"]["message"])
        return result["result"]

    def get(self, path):
        with self._opener.open(self.base + path, timeout=300) as answer:
            return answer.read()

    def call(self, model, method, *arguments, **keywords):
        values = {"model": model, "method": method, "args": arguments, "kwargs": keywords}
        return self._post(f"/web/dataset/call_kw/{model}/{method}", values)

    @contextlib.contextmanager
    def language(self, code):
        """The user's language is ``code`` inside the block; it must be active in the database."""
        if not code:
            yield
            return
        uid = self.info["uid"]
        before = self.call("res.users", "read", [uid], ["lang"])[0]["lang"]
        if code not in dict(self.call("res.lang", "get_installed")):
            raise SessionError(
                f"the language {code} is not active: bin/odoo i18n loadlang -d DB -l {code}"
            )
        self.call("res.users", "write", [uid], {"lang": code})
        try:
            yield
        finally:
            self.call("res.users", "write", [uid], {"lang": before})
