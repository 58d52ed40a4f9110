"""`make test`: the suite in Odoo's runner and beside it under pytest; with T= pytest alone."""

import json
import os
import re
import socket
import subprocess
import xml.etree.ElementTree as ElementTree
from concurrent.futures import ThreadPoolExecutor

from . import browser, databases, python_env, server_log, uninstall
from .odoo_command import PROGRAM, prepare_for_browser
from .project import DEV, LOGS, ROOT, VENV_PYTHON, code_digest, our_modules
from .steps import Failure, fail, lock, say, step, write

# Folders whose files a database does not hold: no update needed when they change.
NOT_IN_DATABASE = ("tests", "readme", "demo", "engine")


class Count:
    """What passed and what failed, of tests and of everything else that must not happen."""

    def __init__(self):
        self.passed = self.failed = 0

    def add(self, passed, failed):
        self.passed += passed
        self.failed += failed

    def complain(self, heading, lines):
        """Each line is a failure of its own."""
        for line in lines:
            say(f"    {heading}: {line}")
        self.failed += len(lines)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def main():
    """Run, and let the last line say how many passed and failed, whatever happened before."""
    count = Count()
    try:
        _run_all(count)
    except Failure as failure:
        say(f"error: {failure}")
        count.failed += 1
    result = f"{count.passed} passed, {count.failed} failed"
    write(DEV / "last-result", result + "\n")
    print(result, flush=True)
    return 1 if count.failed or not count.passed else 0


def _run_all(count):
    selection = os.environ.get("T", "").split()
    database = os.environ.get("TESTDB") or "test"
    databases.check_name(database)
    modules = our_modules()
    if not modules:
        fail("this checkout holds no add-on (no */__manifest__.py): nothing to test")
    arguments = [argument for item in selection for argument in pytest_selection(item, modules)]
    busy = f"tests already run on database {database} here: wait, or take another with TESTDB="
    with lock(f"test-{database}", busy):
        environment = prepare_for_browser()
        browser.find_chromium("the browser tests")
        if selection:
            bring_up_to_date(database, modules, environment, count)
            run_pytest(database, modules, arguments, environment, count)
        else:
            run_both(database, modules, environment, count)
            found = uninstall.check(f"{database}_uninstall", modules, environment)
            count.add(not found, 0)
            count.complain("after the uninstall", found)


def run_both(database, modules, environment, count):
    """Odoo's runner and pytest side by side, each in a database of its own."""
    databases.template()
    other = f"{database}_pytest"
    with ThreadPoolExecutor(1) as pool:
        gate = pool.submit(run_odoo, database, modules, environment, count)
        databases.drop(other)
        bring_up_to_date(other, modules, environment, count)
        run_pytest(other, modules, [], environment, count)
        gate.result()
    write(_record(database), json.dumps(_state(modules)))


def pytest_selection(item, modules):
    """What T= means to pytest: a file, test_x[.py][::Class::test], Class[.test], or a test."""
    path, _, inner = item.partition("::")
    if (ROOT / path).exists():
        return [item]
    stem = path.removesuffix(".py")
    files = [found for module in modules for found in (ROOT / module).glob(f"tests/**/{stem}.py")]
    if files:
        return [
            f"{found.relative_to(ROOT)}::{inner}" if inner else str(found.relative_to(ROOT))
            for found in files
        ]
    if inner or path.endswith(".py"):
        fail(
            f"no test file {path} in {', '.join(modules)}: give its name, its path, or "
            "Class.test_name"
        )
    names = item.split(".")
    tests = "".join(
        found.read_text() for module in modules for found in (ROOT / module).glob("tests/**/*.py")
    )
    for name in names:
        if not re.search(rf"^ *(?:class|def) \w*{re.escape(name)}", tests, re.M):
            fail(f"no test is named {name}: give a file, a class, Class.test_name or a test")
    return ["-k", " and ".join(names), *_test_folders(modules)]


def _test_folders(modules):
    return [f"{module}/tests" for module in modules if (ROOT / module / "tests").is_dir()]


def _record(database):
    return DEV / "tested" / f"{database}.json"


def _state(modules):
    return {module: code_digest([module], ignored=NOT_IN_DATABASE) for module in modules}


def bring_up_to_date(database, modules, environment, count):
    """Install or update our add-ons in the kept database, as far as their code changed."""
    record = _record(database)
    if not databases.exists(database):
        record.unlink(missing_ok=True)
        databases.clone(database)
    known = json.loads(record.read_text()) if record.exists() else {}
    state = _state(modules)
    if known == state:
        return
    update = [module for module in modules if module in known and known[module] != state[module]]
    missing = [module for module in modules if module not in known]
    options = [
        *(["-u", ",".join(update)] if update else []),
        *(["-i", ",".join(missing)] if missing else []),
    ]
    log = LOGS / f"update-{database}.log"
    with step(f"Bringing {', '.join([*update, *missing])} up to date in database {database}"):
        code = _odoo(
            log, ["-d", database, *options, "--no-http", "--max-cron-threads=0"], environment
        )
    found = server_log.records(log)
    count.complain(
        "unexpected in the log",
        [f"{line.level} {line.logger}: {line.text}" for line in server_log.unexpected(found)],
    )
    if code:
        record.unlink(missing_ok=True)
        fail(f"the add-ons do not load, see above or {log.relative_to(ROOT)}")
    write(record, json.dumps(state))


def _odoo(log, arguments, environment):
    """Run Odoo with its log in a file; what it prints beside the log is added to the file."""
    log.parent.mkdir(parents=True, exist_ok=True)
    command = [*PROGRAM, *arguments, "--stop-after-init", "--screenshots", DEV / "screenshots"]
    with open(log, "w") as handle:
        done = subprocess.run(
            [str(part) for part in command],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=handle,
            stderr=handle,
        )
    return done.returncode


def run_odoo(database, modules, environment, count):
    """The gate: a fresh database, our add-ons installed, their standard tests run by Odoo."""
    log = LOGS / f"{database}-odoo.log"
    with step(
        f"Odoo's own runner: installing {', '.join(modules)} into a fresh database and testing it"
    ):
        _record(database).unlink(missing_ok=True)
        databases.clone(database)
        tags = ",".join(f"/{module}" for module in modules)
        options = [
            "-d",
            database,
            "-i",
            ",".join(modules),
            "--test-tags",
            tags,
            "--max-cron-threads=0",
        ]
        code = _odoo(log, [*options, "--http-port", free_port()], environment)
    found = server_log.records(log)
    run, failed = server_log.totals(found)
    skipped = server_log.skips(found, modules)
    for text in server_log.failures(found):
        say(text)
    count.add(max(run - failed - len(skipped), 0), failed)
    say(f"    {run} tests, {failed} failed, {len(skipped)} skipped, log: {log.relative_to(ROOT)}")
    count.complain("skipped test", skipped)
    count.complain(
        "unexpected in the log",
        [f"{r.level} {r.logger}: {r.text}" for r in server_log.unexpected(found)],
    )
    if not run:
        count.complain(
            "no test ran", [f"exit code {code}, see {log.relative_to(ROOT)}", *_tail(log, found)]
        )
    elif code and not count.failed:
        count.complain("Odoo failed", [f"exit code {code}, see {log.relative_to(ROOT)}"])


def _tail(log, found):
    return [] if found else [log.read_text(errors="replace")[-500:]]


def run_pytest(database, modules, selection, environment, count):
    """The same tests under pytest-odoo, with COVERAGE=1 also what they cover."""
    log, report = LOGS / f"{database}-pytest.log", LOGS / f"{database}-pytest.xml"
    for path in (log, report):
        path.unlink(missing_ok=True)
    log.parent.mkdir(parents=True, exist_ok=True)
    extra = (f"logfile={log}", "max-cron-threads=0", f"http-port={free_port()}")
    options = [
        f"--odoo-config={python_env.CONFIG}",
        f"--odoo-database={database}",
        "--odoo-http",
        "--odoo-log-level=warn",
        *(f"--odoo-extra={option}" for option in extra),
        f"--junitxml={report}",
        "-p", "dev.pytest_plugin",
    ]  # fmt: skip
    environment = {**environment, "PYTHONPATH": str(ROOT)}
    coverage = os.environ.get("COVERAGE")
    if selection:
        environment["CUSTOMER_COST_SELECTED"] = "1"
    if coverage:
        options += [f"--cov={ROOT / module}" for module in modules]
        options += [
            "--cov-branch",
            f"--cov-config={ROOT / 'pyproject.toml'}",
            "--cov-report=term:skip-covered",
        ]
        environment["COVERAGE_FILE"] = str(DEV / f"coverage-{database}")
    command = [str(VENV_PYTHON), "-m", "pytest", *options, *(selection or _test_folders(modules))]
    with step(f"pytest on database {database}" + (", with coverage" if coverage else "")):
        code = subprocess.run(
            command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL
        ).returncode
    _add_pytest(report, code, count)
    found = server_log.records(log) if log.exists() else []
    count.complain(
        "unexpected in the log",
        [f"{r.level} {r.logger}: {r.text}" for r in server_log.unexpected(found)],
    )


def _add_pytest(report, code, count):
    if not report.exists():
        count.complain("pytest failed", [f"exit code {code}"])
        return
    suite = ElementTree.parse(report).getroot().find("testsuite")
    tests, failed, errors, skipped = (
        int(suite.get(name)) for name in ("tests", "failures", "errors", "skipped")
    )
    count.add(tests - failed - errors - skipped, failed + errors)
    names = [
        f"{case.get('classname')}.{case.get('name')}"
        for case in suite.iter("testcase")
        if case.find("skipped") is not None
    ]
    count.complain("skipped test", names)
    if not tests:
        count.complain("no test ran", [f"pytest's exit code is {code}"])
    elif code and not failed + errors + skipped:
        count.complain("pytest failed", [f"exit code {code}"])
