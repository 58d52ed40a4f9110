"""What happens inside Odoo: small benches, then the volume, then those that need it."""

import json
import os
import platform
import time
from datetime import datetime

from .bench_alerts import alerts
from .bench_allocation import allocation
from .bench_balance import balance
from .bench_book import book
from .bench_budget import budget
from .bench_customer_list import customer_list
from .bench_drivers import drivers
from .bench_ledger import ledger
from .bench_posting import posting
from .bench_review import review, submission
from .stage import Stage

# Small databases first: the volume is made by the first bench that asks for it. Another bench is a
# function of the stage that returns rows (see measure.py), added here.
BENCHES = (
    posting,
    review,
    submission,
    allocation,
    drivers,
    customer_list,
    balance,
    alerts,
    book,
    budget,
    ledger,
)


def main(env):
    options = json.loads(os.environ["BENCH_OPTIONS"])
    stage = Stage(env, options)
    where = describe(env, options)
    rows = []
    for function in BENCHES:
        if options["only"] and options["only"] not in function.__name__:
            continue
        title = function.__doc__.splitlines()[0].rstrip(".")
        print(f"==> {title}", flush=True)
        start = time.monotonic()
        rows += [row.as_dict() for row in function(stage)]
        print(f"    done in {time.monotonic() - start:.1f} s", flush=True)
    where.append(f"Load average afterwards {load()}")
    with open(options["results"], "w") as results:
        json.dump({"where": where, "rows": rows}, results)


def describe(env, options):
    """Machine, software, date and volume."""
    env.cr.execute("SELECT current_setting('server_version'), current_setting('shared_buffers')")
    version, buffers = env.cr.fetchone()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return [
        f"Measured {datetime.now():%Y-%m-%d %H:%M}, {processor()}, {os.cpu_count()} cores, "
        f"{memory:.0f} GB, {platform.system()}",
        f"Python {platform.python_version()}, PostgreSQL {version.split()[0]} "
        f"(shared_buffers {buffers}), {options['ledger']:,} ledger lines, invoices "
        f"{'evenly' if options['flat'] else 'by Zipf'}{', quick' if options['quick'] else ''}",
        f"Load average before {load()}",
    ]


def processor():
    if os.path.exists("/proc/cpuinfo"):
        with open("/proc/cpuinfo") as lines:
            for line in lines:
                if line.startswith("model name"):
                    return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def load():
    return " ".join(f"{value:.1f}" for value in os.getloadavg())
