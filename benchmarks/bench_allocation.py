"""G1, G2, G4, G13: pools to 1,000, 10,000 and 100,000 customers by their revenue of a year."""

import statistics
from datetime import date
from decimal import Decimal

from odoo.fields import Command
from odoo.tools import SQL

from .measure import Row, pairs, stopwatch
from .stage import POOL

POOLS = 5
TABLE = "customer_cost_allocation"


def allocation(stage):
    """Allocating one pool to customers, and several, on invoices of 24 months."""
    rows, medians = [], {}
    for size in stage.sizes:
        run = create_run(stage, stage.get_volumes()[size])
        found = measure(stage, run, size)
        medians[size] = statistics.median(found[0].got)
        rows += found
    for smaller, larger in zip(stage.sizes, stage.sizes[1:], strict=False):
        rows.append(
            Row("G4", "Ten times the customers", larger, [medians[larger]], [medians[smaller]],
                f"allocating to {smaller:,}", 12)
        )  # fmt: skip
    add_pools(stage.get_volumes()[size], run)
    rows += measure(stage, run, size, POOLS)[:1]
    return sorted(rows, key=lambda row: row.goal)


def add_pools(books, run):
    """More cost items for the same rule: reading the driver counts once for all of them."""
    items = books.env["customer.cost.item"].search(
        [("id", "!=", books.item.id), ("level", "=", "customer"), ("parent_id", "!=", False)],
        limit=POOLS - 1,
    )
    bill = books.create_bills(1, POOL, date.today(), POOLS - 1)
    for line, item in zip(bill.invoice_line_ids, items, strict=True):
        line.cost_item_id = item
    bill.action_post()
    rule = books.env["customer.cost.rule"].search([("company_id", "=", books.company.id)])
    rule.sender_item_ids |= items
    books.env.cr.commit()


def create_run(stage, books):
    """A rule by the revenue of 12 months, and a draft run of this month."""
    shipped = books.env.ref("customer_cost.driver_net_revenue")
    code = f"BENCH-{books.company.id}"
    driver = shipped.copy({"name": code, "code": code, "window": "rolling"})
    books.env["customer.cost.rule"].create(
        {
            "name": "Bench travel by revenue",
            "company_id": books.company.id,
            "sender_item_ids": [Command.set(books.item.ids)],
            "driver_id": driver.id,
        }
    )
    run = books.env["customer.cost.run"].create(
        {"company_id": books.company.id, "date": date.today()}
    )
    stage.env.cr.commit()
    return run


def measure(stage, run, size, pools=1):
    """Rows for the whole computation, for the insert alone, and for what must be conserved."""
    cr = run.env.cr
    columns = SQL(", ").join(
        map(SQL.identifier, run.env[TABLE.replace("_", ".")]._get_copy_columns())
    )
    run.action_compute()
    run.env.flush_all()
    cr.execute("DROP TABLE IF EXISTS bench_finished, bench_bare")
    cr.execute(
        SQL(
            "CREATE TABLE bench_finished AS SELECT %s FROM customer_cost_allocation "
            "WHERE step_id = ANY(%s) ORDER BY id",
            columns,
            run.step_ids.ids,
        )
    )
    # LIKE copies indexes and defaults, and no foreign key
    cr.execute("CREATE TABLE bench_bare (LIKE customer_cost_allocation INCLUDING ALL)")
    difference = conserve(run, pools)
    cr.execute("SELECT count(*) FROM bench_finished")
    assert cr.fetchone()[0] > 0.9 * size * pools
    run._clear_results()
    run._unguarded().write({"state": "draft"})
    cr.commit()

    def compute():
        prepare(TABLE)
        with stopwatch() as seconds:
            run.action_compute()
            run.env.flush_all()
        return take_back(seconds)

    def insert(table):
        prepare(table)
        with stopwatch() as seconds:
            cr.execute(
                SQL("INSERT INTO %s (%s) SELECT %s FROM bench_finished",
                    SQL.identifier(table), columns, columns)
            )  # fmt: skip
        return take_back(seconds)

    def prepare(table):
        stage.vacuum(table)
        run.env.invalidate_all()

    def take_back(seconds):
        cr.rollback()
        run.env.invalidate_all(flush=False)
        return seconds[0]

    got, floor = pairs(compute, lambda: insert(TABLE), stage.repeats)
    keyed, bare = pairs(lambda: insert(TABLE), lambda: insert("bench_bare"), stage.repeats)
    return [
        Row("G1", f"Allocate {pools} pool{'s' * (pools > 1)}, end to end", size, got, floor,
            "INSERT ... SELECT of the finished rows into the same table", 1.5),
        Row("G2", "Insert into the table itself", size, keyed, bare,
            "the same into a copy of the table without foreign keys", 2.5),
        Row("G13", "Lines + retained - pool", size, [float(difference)], [0.0],
            "0.00", 0, "difference", "money"),
    ]  # fmt: skip


def conserve(run, pools):
    """What lines and retained cost leave of the pool, exactly; zero in every run."""
    run.env.cr.execute("SELECT COALESCE(sum(amount), 0)::text FROM bench_finished")
    lines = Decimal(run.env.cr.fetchone()[0])
    retained = sum(Decimal(f"{step.retained:.3f}") for step in run.step_ids)
    return abs(lines + retained - pools * Decimal(str(POOL)))
