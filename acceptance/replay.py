"""What happens inside Odoo: load, allocate, compare; called by run.py through `bin/odoo shell`."""

import os
from pathlib import Path

from . import adventureworks, worked_examples
from .comparison import Comparison


def main(env):
    """Replay everything and return the exit code."""
    comparison = Comparison()
    adventureworks.replay(env, Path(os.environ["ACCEPTANCE_DATA"]), comparison)
    worked_examples.replay(env, comparison)
    comparison.print_figures()
    comparison.print_customers()
    comparison.print_examples()
    comparison.print_tie_out()
    print(f"acceptance: {comparison.compared} figures compared, {comparison.differing} differ")
    return 1 if comparison.differing or not comparison.compared else 0
