"""`make demo` and `make stop`: the demo company, in a server that outlives the command."""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

from . import apt, databases, postgres
from .odoo_command import PROGRAM, prepare
from .project import DEV, LOGS, ROOT, code_digest, our_modules
from .session import Session, SessionError
from .steps import fail, lock, run, say, step, write

RECORD = DEV / "demo.json"
LOG = LOGS / "demo.log"
MODULES = ("customer_cost",)
SUMMARY = ROOT / "dev/demo_summary.py"
NOT_IN_DATABASE = ("tests", "readme", "engine")
LANGUAGE = "zh_CN"  # beside English: what the add-on is translated into
START_LIMIT = 90
STOP_LIMIT = 15


def start():
    database = os.environ.get("DB") or "demo"
    databases.check_name(database)
    port = _asked_port()
    with lock("demo", "another `make demo` is under way in this checkout: wait for it"):
        if not set(MODULES) <= set(our_modules()):
            fail(f"this checkout holds no add-on {MODULES[0]}: nothing to show")
        environment = prepare()
        running = _running()
        if os.environ.get("PDF") and not shutil.which("wkhtmltopdf"):
            apt.install(["wkhtmltopdf"], "reports as PDF")
            stop_server()  # a server looks for it once, when it starts
            running = None
        if port and port != (running or {}).get("port") and not _is_free(port):
            fail(f"port {port} is in use: choose another with PORT=, or leave it out")
        if running and (running["database"] != database or port not in (None, running["port"])):
            stop_server()
            running = None
        changed = _bring_up_to_date(database, environment)
        if changed and running:
            stop_server()
            running = None
        record = running or _start_server(database, port, environment)
        _summary(record, environment)


def _asked_port():
    asked = os.environ.get("PORT")
    if not asked:
        return None
    if not asked.isdigit() or not 0 < int(asked) < 65536:
        fail(f"PORT={asked} is no port number: choose one from 1024 to 65535")
    return int(asked)


def _is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_host(), port))
        except PermissionError:
            fail(f"port {port} may not be used by you: choose one above 1023 with PORT=")
        except OSError:
            return False
    return True


def _host():
    return os.environ.get("HOST") or "127.0.0.1"


def _state():
    """What the demo database was made from, per add-on."""
    return {module: code_digest([module], ignored=NOT_IN_DATABASE) for module in our_modules()}


def _bring_up_to_date(database, environment):
    """Make or update the demo database; True when something was done."""
    path = DEV / "demo" / f"{database}.json"
    state = _state()
    known = json.loads(path.read_text()) if path.exists() and databases.exists(database) else None
    if known == state:
        return False
    path.unlink(missing_ok=True)
    modules = ",".join(MODULES)
    if known is None:
        stop_server()
        with step(f"Making the demo company in database {database} (a few minutes)"):
            databases.create(database)
            _odoo(environment, "-d", database, "-i", modules, "--with-demo")
            command = [*PROGRAM, "i18n", "loadlang", "-d", database, "-l", LANGUAGE]
            run(command, "loading the language", log=LOGS / "demo-language.log", env=environment)
    else:
        with step(f"Updating the add-ons in database {database}"):
            _odoo(environment, "-d", database, "-u", modules)
    write(path, json.dumps(state))
    return True


def _odoo(environment, *arguments):
    command = [*PROGRAM, *arguments, *databases.QUIET]
    run(command, "making the demo database", log=LOGS / "demo-database.log", env=environment)


def _start_server(database, port, environment):
    candidates = [port] if port else [8069, *range(8071, 8100)]
    port = next(filter(_is_free, candidates), None) or fail(
        "the ports 8069 to 8099 are all in use: choose one with PORT="
    )
    LOG.parent.mkdir(parents=True, exist_ok=True)
    LOG.unlink(missing_ok=True)
    options = [
        "-d", database, "--db-filter", f"^{re.escape(database)}$",
        "--http-interface", _host(), "--http-port", port,
        "--logfile", LOG, "--max-cron-threads", 1, "--log-handler", ":INFO",
    ]  # fmt: skip
    with step(f"Starting Odoo on port {port}"):
        process = subprocess.Popen(
            [str(part) for part in (*PROGRAM, *options)],
            env=environment, cwd=ROOT, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        address = f"http://{'localhost' if _host() in ('127.0.0.1', '0.0.0.0') else _host()}:{port}"
        record = {"pid": process.pid, "port": port, "address": address, "database": database}
        write(RECORD, json.dumps(record))
        _wait(process, record)
    return record


def _wait(process, record):
    end = time.monotonic() + START_LIMIT
    while not _is_healthy(record):
        if process.poll() is not None or time.monotonic() > end:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            RECORD.unlink(missing_ok=True)
            fail(f"the server does not come up, {LOG.relative_to(ROOT)} says why")
        time.sleep(0.2)
    with contextlib.suppress(SessionError, OSError):
        _warm(record)


def _is_healthy(record):
    try:
        with urllib.request.urlopen(
            f"http://127.0.0.1:{record['port']}/web/health", timeout=10
        ) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


def _warm(record):
    """Fetch the first page with its scripts once, so that the first visitor need not wait."""
    session = Session(f"http://127.0.0.1:{record['port']}", record["database"], "admin", "admin")
    page = session.get("/odoo").decode()
    for path in re.findall(r'(?:src|href)="(/web/assets/[^"]+)"', page):
        session.get(path)


def _running():
    """The record of the demo server, if it is alive and ours."""
    if not RECORD.exists():
        return None
    record = json.loads(RECORD.read_text())
    try:
        with open(f"/proc/{record['pid']}/cmdline", "rb") as handle:
            ours = PROGRAM[0].encode() in handle.read()
    except OSError:
        ours = False
    return record if ours else None


def _summary(record, environment):
    if SUMMARY.is_file():
        command = [*PROGRAM, "shell", "-d", record["database"], "--no-http", "--log-level=error"]
        environment = {**environment, "DEMO_ADDRESS": record["address"]}
        with open(SUMMARY) as script:
            done = subprocess.run(
                command, env=environment, stdin=script, stderr=subprocess.PIPE, text=True
            )
        if done.returncode:
            say(done.stderr.strip()[-2000:])
            fail(f"{SUMMARY.relative_to(ROOT)} failed")
    print(f"\nOdoo is at {record['address']} (stop it with `make stop`)", flush=True)


def stop_server():
    """Stop the demo server; True when one was running."""
    record = _running()
    RECORD.unlink(missing_ok=True)
    if not record:
        return False
    os.kill(record["pid"], signal.SIGTERM)
    end = time.monotonic() + STOP_LIMIT
    while os.path.exists(f"/proc/{record['pid']}"):
        if time.monotonic() > end:
            os.kill(record["pid"], signal.SIGKILL)
            break
        time.sleep(0.1)
    return True


def stop():
    stopped = [
        what
        for what, function in (
            ("the demo server", stop_server),
            ("the private PostgreSQL", postgres.stop),
        )
        if function()
    ]
    say(f"stopped {' and '.join(stopped)}" if stopped else "nothing was running")
