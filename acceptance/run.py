"""`make acceptance`: real data through the product's own doors, every figure compared.

    make acceptance
    make acceptance ARGS="--data /path/to/adventureworks_b2b"

The data is read where it is: in ``../shared/data/adventureworks_b2b`` beside this checkout, or
where ``ACCEPTANCE_DATA`` or ``--data`` says. The database ``acceptance`` is made anew each time and
kept for looking at (`bin/odoo -d acceptance`). The exit code is 0 only when no figure differs.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from dev import databases  # noqa: E402
from dev.odoo_command import PROGRAM, prepare  # noqa: E402
from dev.project import LOGS  # noqa: E402
from dev.steps import Failure, run, step  # noqa: E402

DATA = ROOT.parent / "shared" / "data" / "adventureworks_b2b"
NEEDED = (
    "customers.csv",
    "products.csv",
    "sales_lines.csv",
    "gl_lines.csv",
    "gl_accounts.csv",
    "reference/customers.csv",
)
REPLAY = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from acceptance.replay import main
sys.exit(main(env))
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--data",
        type=Path,
        default=os.environ.get("ACCEPTANCE_DATA") or DATA,
        help="folder of the AdventureWorks data (default: %(default)s)",
    )
    parser.add_argument(
        "--database", default="acceptance", help="made anew each time (default: %(default)s)"
    )
    options = parser.parse_args()
    missing = [name for name in NEEDED if not (options.data / name).is_file()]
    if missing:
        print(
            f"acceptance: {options.data} does not hold {', '.join(missing)}: say where the data is "
            "with ACCEPTANCE_DATA=FOLDER, or ARGS='--data FOLDER'",
            file=sys.stderr,
        )
        return 2
    try:
        databases.check_name(options.database)
        environment = prepare()
        make_database(options.database, environment)
    except Failure as failure:
        print(f"acceptance: {failure}", file=sys.stderr)
        return 1
    command = [*PROGRAM, "shell", "-d", options.database, "--no-http", "--log-level=warn"]
    environment["ACCEPTANCE_DATA"] = str(options.data.resolve())
    return subprocess.run(command, input=REPLAY, text=True, env=environment).returncode


def make_database(name, environment):
    with step(f"Making database {name} with the add-on"):
        databases.clone(name)
        run(
            [*PROGRAM, "-d", name, "-i", "customer_cost", *databases.QUIET],
            "installing the add-on",
            log=LOGS / "acceptance.log",
            env=environment,
        )


if __name__ == "__main__":
    sys.exit(main())
