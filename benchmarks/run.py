"""`make bench`: the measurements of this folder, each as a ratio to a floor of the same run.

    make bench
    make bench ARGS="--quick"               smaller volume, fewer repeats: to see that it works
    make bench ARGS="--only posting"        benches whose name contains the word
    make bench ARGS="--ledger 10000000"     more ledger lines (default 2,000,000)
    make bench ARGS="--flat"                all customers buy alike instead of a Zipf distribution

The databases ``bench`` and ``bench_without`` are made anew each time. The table goes to the screen
and, after a whole run, to docs/benchmarks.md. The exit code is 0 whatever the verdicts are: a
shared machine must not break a build. Method and goals: medians of alternating pairs, the goal is
a limit on their ratio; absolute times are context only.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks import report  # noqa: E402
from benchmarks.measure import read_installation  # noqa: E402
from dev import databases  # noqa: E402
from dev.odoo_command import PROGRAM, prepare  # noqa: E402
from dev.project import LOGS  # noqa: E402
from dev.steps import Failure, run, say, step  # noqa: E402

PAGE = ROOT / "docs" / "benchmarks.md"
WITH, WITHOUT = "bench", "bench_without"
QUIET = ("--no-http", "--log-level=warn")
INSTALL = (*PROGRAM, "-i", "customer_cost", *databases.QUIET)
INSIDE = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from benchmarks.inside import main
main(env)
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of everything")
    parser.add_argument("--only", default="", help="benches whose name contains this word")
    parser.add_argument("--ledger", type=int, help="ledger lines (default 2,000,000)")
    parser.add_argument("--flat", action="store_true", help="no Zipf distribution of the invoices")
    parser.add_argument("--prefix", default="", help="put before the names of the databases")
    options = parser.parse_args()
    names = {"with": options.prefix + WITH, "without": options.prefix + WITHOUT}
    try:
        environment = prepare()
        make_database(names["without"])
        make_database(names["with"])
        installation = install(names["with"], environment)
    except Failure as failure:
        print(f"bench: {failure}", file=sys.stderr)
        return 1
    with tempfile.NamedTemporaryFile("r", suffix=".json") as results:
        environment["BENCH_OPTIONS"] = json.dumps(
            {
                **vars(options),
                "ledger": options.ledger or (200_000 if options.quick else 2_000_000),
                "without": names["without"],
                "install": [str(part) for part in INSTALL],
                "shell": [str(part) for part in (*PROGRAM, "shell", "-d", names["with"], *QUIET)],
                "empty_install": read_installation(installation),
                "results": results.name,
            }
        )
        command = [*PROGRAM, "shell", "-d", names["with"], *QUIET]
        done = subprocess.run(command, input=INSIDE, text=True, env=environment)
        if done.returncode:
            return done.returncode
        text = report.table(json.load(results))
    print(text)
    if not (options.quick or options.only):
        PAGE.parent.mkdir(exist_ok=True)
        PAGE.write_text(report.page(text))
        say(f"written to {PAGE.relative_to(ROOT)}")
    return 0


def make_database(name):
    databases.check_name(name)
    with step(f"Making database {name}"):
        databases.clone(name)


def install(name, environment):
    """Install the add-on and return the log."""
    with step(f"Installing the add-on in database {name}"):
        return run(
            [*INSTALL, "-d", name],
            "installing the add-on",
            log=LOGS / "bench.log",
            env=environment,
        )


if __name__ == "__main__":
    sys.exit(main())
