"""`make replica`: the report routes of the demo, answered by a streaming replica.

Copies the private PostgreSQL to .dev/replica, which then follows it by streaming replication, and
serves the demo database from both. Every report route is asked as a cost manager, once with the
replica and once without: each has to come from the replica, with the same answer. What was there
before is not changed; the replica is deleted at the end. The exit code is 1 where a route fails.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import psycopg2

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from dev import databases, postgres  # noqa: E402
from dev.odoo_command import PROGRAM, prepare  # noqa: E402
from dev.project import DEV, LOGS  # noqa: E402
from dev.session import Session, SessionError  # noqa: E402
from dev.steps import Failure, fail, run, step  # noqa: E402

DATABASE = os.environ.get("DB", "demo")
PORT = int(os.environ.get("PORT", 8169))
LOGIN = "manager"
FOLDER = DEV / "replica"
LOG = LOGS / "replica.log"
SERVED = re.compile(r'"\w+ (/[^\s#]+)\S* HTTP/1.1" 200 .* (ro->rw|ro|rw)\s*$')
MODELS = {
    "customer.cost.analysis": "amount",
    "customer.cost.profitability": "profit",
    "customer.cost.goods": "difference",
    "customer.cost.pool": "waiting",
    "customer.cost.budget.report": "planned",
    "customer.cost.commitment": "amount",
    "customer.cost.item.month": "amount",
    "customer.cost.balance": "net_sales",
    "customer.cost.summary": "rolling_profit",
    "customer.cost.line": "amount",
    "customer.cost.allocation": "amount",
    "account.invoice.report": "price_subtotal",
}
FIGURES = ("name", "customer_cost_net_sales", "customer_cost_profit", "customer_cost_figures")
RANKED = {"order": "customer_cost_profit desc", "limit": 80}


def main():
    try:
        environment = prepare()
        if postgres.is_external():
            fail("the replica follows the private PostgreSQL: unset the PG* variables")
        if not databases.exists(DATABASE):
            fail(f"there is no database {DATABASE}: `make demo` first")
        record = {**postgres._record(), "folder": str(FOLDER)}
        try:
            follow(record)
            lag = measure_lag()
            got = ask({**environment, "PGHOST_REPLICA": str(FOLDER)}, "with the replica")
            modes = read_modes()
            transactions = count_transactions()
        finally:
            remove(record)
        expected = ask(environment, "without it")
    except (Failure, SessionError) as failure:
        print(f"replica: {failure}", file=sys.stderr)
        return 1
    return report(got, expected, modes, transactions, lag)


def follow(record):
    """Copy the cluster and let the copy follow it."""
    remove(record)
    FOLDER.mkdir(mode=0o700)
    if record["owner"]:
        shutil.chown(FOLDER, record["owner"])
    with step("Copying the database cluster"):
        command = [
            f"{record['programs']}/pg_basebackup", "-D", f"{FOLDER}/data", "-R", "-X", "stream",
            "-c", "fast", "-h", os.environ["PGHOST"], "-p", str(record["port"]),
            "-U", postgres.ROLE,
        ]  # fmt: skip
        run(postgres._as(record["owner"], command), "copying the cluster", cwd="/")
    with step("Starting the replica"):
        postgres._start(record)


def remove(record):
    if not FOLDER.exists():
        return
    if postgres._answers(record):
        command = postgres._control(record, "-m", "immediate", "stop")
        run(command, "stopping the replica", cwd="/")
    shutil.rmtree(FOLDER)


def connect(host, database=DATABASE):
    connection = psycopg2.connect(host=str(host), dbname=database)
    connection.autocommit = True
    return connection


def fetch(connection, statement, *parameters):
    with connection.cursor() as cr:
        cr.execute(statement, parameters)
        return cr.fetchone()[0]


def measure_lag():
    """Seconds until a commit on the primary is seen on the replica; it has to be one."""
    primary, replica = connect(os.environ["PGHOST"]), connect(FOLDER)
    assert fetch(replica, "SELECT pg_is_in_recovery()")
    assert not fetch(primary, "SELECT pg_is_in_recovery()")
    start = time.monotonic()
    primary.cursor().execute("CREATE TABLE replica_probe ()")
    try:
        while not fetch(replica, "SELECT to_regclass('replica_probe') IS NOT NULL"):
            time.sleep(0.001)
        return time.monotonic() - start
    finally:
        primary.cursor().execute("DROP TABLE replica_probe")
        primary.close()
        replica.close()


def count_transactions():
    """Transactions of the database that the replica has served."""
    replica = connect(FOLDER, "postgres")
    time.sleep(1.5)  # the statistics of a session come a second late
    try:
        return fetch(
            replica,
            "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = %s",
            DATABASE,
        )
    finally:
        replica.close()


def ask(environment, how):
    """Serve the database, ask every route and return the answers by route."""
    command = [*PROGRAM, "-d", DATABASE, "--http-port", str(PORT), "--http-interface", "127.0.0.1",
               "--max-cron-threads", "0"]  # fmt: skip
    with step(f"Asking every report route {how}"), open(LOG, "w") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            base = f"http://127.0.0.1:{PORT}"
            wait_for(base, server)
            return dict(ask_routes(Session(base, DATABASE, LOGIN, LOGIN)))
        finally:
            server.terminate()
            server.wait()


def wait_for(base, server):
    for _turn in range(240):
        try:
            urllib.request.urlopen(f"{base}/web/health", timeout=5).close()
            return
        except OSError:
            time.sleep(0.5)
        if server.poll() is not None:
            break
    fail(f"Odoo does not start, {LOG.relative_to(ROOT)} says why")


def ask_routes(session):
    """Yield every report route with its answer; of the workbook, whether it has content."""

    def call(model, method, *arguments, **keywords):
        return (
            f"/web/dataset/call_kw/{model}/{method}",
            session.call(model, method, *arguments, **keywords),
        )

    company = session.info["user_companies"]["current_company"]
    for model, figure in MODELS.items():
        yield call(model, "web_search_read", [], {"display_name": {}, figure: {}}, limit=80)
        yield call(model, "formatted_read_group", [], ["company_id"], [f"{figure}:sum", "__count"])
        yield call(model, "web_read_group", [], ["company_id"], aggregates=[f"{figure}:sum"])
    yield call("res.partner", "web_search_read", [], {name: {} for name in FIGURES}, **RANKED)
    yield call("customer.cost.overview", "get_overview", "year")
    yield call("customer.cost.tie.out", "get_tie_out", company, "year", False)
    tie_out = dict([call("customer.cost.tie.out", "get_tie_out", company, "year", False)])
    [found] = (answer["figures"] for answer in tie_out.values())
    first, last = found["from"], found["to"]
    path = f"/customer_cost/tie_out/{company}/{first}/{last}/xlsx"
    yield path, len(session.get(path)) > 1000


def read_modes():
    """How Odoo says it served each route: ``ro`` by the replica alone."""
    modes = {}
    for line in LOG.read_text().splitlines():
        found = SERVED.search(line)
        if found:
            modes.setdefault(found[1], set()).add(found[2])
    return modes


def report(got, expected, modes, transactions, lag):
    failed = 0
    for route, answer in got.items():
        served = "/".join(sorted(modes.get(route, {"not seen"})))
        same = json.dumps(answer, sort_keys=True) == json.dumps(expected[route], sort_keys=True)
        failed += not (same and served == "ro")
        print(f"{served:8} {'same answer ' if same else 'OTHER ANSWER'} {route}")
    print(f"\nreplica: {len(got)} routes, {failed} not served by the replica alone or otherwise")
    print(f"The replica served {transactions:,} transactions; a commit is seen after "
          f"{1000 * lag:.0f} ms.")  # fmt: skip
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
