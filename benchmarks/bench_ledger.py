"""G5, G8 once more with five times the ledger: 10,000,000 lines by default."""

import time

from . import generate
from .bench_balance import costs
from .bench_customer_list import read_lists

TIMES = 5
TABLES = ("customer_cost_entry", "customer_cost_line")


def ledger(stage):
    """The customer list and the cost tables on a ledger five times as long."""
    books = stage.get_volumes()[max(stage.sizes)]
    stage.get_fresh_figures()
    count = TIMES * stage.options["ledger"]
    lengthen(stage, books, count - stage.options["ledger"])
    partners = books.env["res.partner"]
    return [*read_lists(stage, partners, f", {count:,} lines"), *costs(books.env, stage, count)]


def lengthen(stage, books, count):
    """Copy ``count`` more lines into the ledger and bring the stored figures up to date."""
    start = time.monotonic()
    env = books.env
    line = env["customer.cost.line"].search(
        [("company_id", "=", books.company.id)], order="id desc", limit=1
    )
    with generate.bare(env, TABLES):
        generate.create_ledger(line, stage.customers, count)
    env.cr.commit()
    stage.vacuum(*TABLES)
    env["customer.cost.dirty"]._mark_everything(books.company.ids)
    env["customer.cost.balance"]._refresh()
    env.cr.commit()
    stage.vacuum("customer_cost_balance", "customer_cost_summary", "customer_cost_dirty")
    print(f"    the longer ledger took {time.monotonic() - start:.1f} s", flush=True)
