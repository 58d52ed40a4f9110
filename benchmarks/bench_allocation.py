"""G1, G2, G4, G13, G14, G16: pools to 1,000, 10,000 and 100,000 customers by their revenue."""

import statistics
import subprocess
from datetime import date
from decimal import Decimal

from odoo.fields import Command
from odoo.tools import SQL

from .measure import Row, pairs, stopwatch
from .stage import POOL

POOLS = 20
PEAK = """
import resource
env = env(user=env.ref("base.user_admin"), context={"allowed_company_ids": [%(company)s]})
run = env["customer.cost.run"].browse(%(run)s)
run.action_compute()
env.flush_all()
rows = env["customer.cost.allocation"].search_count([("step_id", "in", run.step_ids.ids)])
print("PEAK", rows, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
env.cr.rollback()
"""
TABLE = "customer_cost_allocation"


def allocation(stage):
    """Allocating one pool to customers, and twenty, on invoices of 24 months."""
    rows, medians = [], {}
    for size in stage.sizes:
        books = stage.get_volumes()[size]
        run = create_run(stage, books)
        rows += measure(stage, run, size)
        add_pools(books)
        found = measure(stage, run, size, POOLS)
        medians[size] = statistics.median(found[0].got)
        rows += found
    for smaller, larger in zip(stage.sizes, stage.sizes[1:], strict=False):
        rows.append(
            Row("G4", "Ten times the customers, 20 pools", larger, [medians[larger]],
                [medians[smaller]], f"allocating to {smaller:,}", 12)
        )  # fmt: skip
    rows.append(measure_memory(stage, run))
    rows += measure_posting(stage, run, medians[size])
    return sorted(rows, key=lambda row: int(row.goal[1:]))


def add_pools(books):
    """More cost items for the same rule: reading the driver counts once for all of them."""
    env = books.env
    parent = books.item.parent_id
    items = env["customer.cost.item"].create(
        [
            {
                "name": f"Bench pool {number}",
                "code": f"BENCH-{books.company.id}-{number}",
                "parent_id": parent.id,
                "level": "customer",
                "company_id": books.company.id,
            }
            for number in range(1, POOLS)
        ]
    )
    bill = books.create_bills(1, POOL, date.today(), POOLS - 1)
    for line, item in zip(bill.invoice_line_ids, items, strict=True):
        line.cost_item_id = item
    bill.action_post()
    rule = env["customer.cost.rule"].search([("company_id", "=", books.company.id)])
    rule.sender_item_ids |= items
    env.cr.commit()


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
    of = f"{pools} pool{'s' * (pools > 1)}"
    return [
        Row("G1", f"Allocate {of}, end to end", size, got, floor,
            "INSERT ... SELECT of the finished rows into the same table", 1.5),
        Row("G2", f"Insert into the table itself, {of}", size, keyed, bare,
            "the same into a copy of the table without foreign keys", 2.5),
        Row("G13", f"Lines + retained - pool, {of}", size, [float(difference)], [0.0],
            "0.00", 0, "difference", "money"),
    ]  # fmt: skip


def conserve(run, pools):
    """What lines and retained cost leave of the pool, exactly; zero in every run."""
    run.env.cr.execute("SELECT COALESCE(sum(amount), 0)::text FROM bench_finished")
    lines = Decimal(run.env.cr.fetchone()[0])
    retained = sum(Decimal(f"{step.retained:.3f}") for step in run.step_ids)
    return abs(lines + retained - pools * Decimal(str(POOL)))


def measure_memory(stage, run):
    """The peak of a process of its own that computes and writes the run of all pools."""
    script = PEAK % {"company": run.company_id.id, "run": run.id}
    done = subprocess.run(
        stage.options["shell"], input=script, capture_output=True, text=True, check=True
    )
    [line] = [line for line in done.stdout.splitlines() if "PEAK" in line]
    written, peak = line.split("PEAK")[1].split()
    return Row("G14", "Peak memory of writing 20 pools, MB", int(written), [float(peak)], [1024.0],
               "1,024 MB", 1, "ratio", "MB")  # fmt: skip


def measure_posting(stage, run, computing):
    """Posting, superseding and reversing a run of all pools against computing it."""
    env, cr = run.env, run.env.cr
    rule = env["customer.cost.rule"].search([("company_id", "=", run.company_id.id)])
    other = run.copy()
    rows = []

    def compute(run):
        run.action_compute()
        env.flush_all()
        cr.commit()
        stage.vacuum(TABLE)

    def change(name, action):
        with stopwatch() as seconds:
            action()
            env.flush_all()
        written = count_written(cr)
        cr.commit()
        rows.append(
            Row("G16", f"{name} a run of 20 pools", size, seconds, [computing], "computing it", 0.1)
        )
        return written

    compute(run)
    size = env[TABLE.replace("_", ".")].search_count([("step_id", "in", run.step_ids.ids)])
    rewritten = change("Posting", run.action_post)
    rule.driver_id.window = "year"  # a run with the result of the posted one is refused
    compute(other)
    rewritten += change("Superseding and posting", other.action_post)
    rewritten += change("Reversing", other.action_reverse)
    assert (run.state, other.state) == ("superseded", "reversed")
    rows.append(
        Row("G16", "Rows written by the three", size, [rewritten], [0], "none", 0, "difference",
            "rows")
    )  # fmt: skip
    (run | other)._delete_steps()
    rule.driver_id.window = "rolling"
    rule.sender_item_ids = rule.sender_item_ids.filtered(lambda item: not item.company_id)
    cr.commit()
    stage.vacuum(TABLE)
    return rows


def count_written(cr):
    """Allocation rows that this transaction inserted, updated or deleted."""
    cr.execute(
        "SELECT n_tup_ins + n_tup_upd + n_tup_del FROM pg_stat_xact_user_tables WHERE relname = %s",
        [TABLE],
    )
    return cr.fetchone()[0]
