"""G15: what a driver counts over a year of invoice lines, steep and flat books."""

from datetime import date

from odoo.fields import Command
from odoo.tools import SQL

from . import generate
from .measure import Row, pairs, stopwatch
from .stage import Books

TIME_LINES = (
    {"name": "Every invoice", "kind": "base", "minutes": 8},
    {"name": "Each line", "kind": "quantity", "minutes": 2, "field_name": "invoice_line_ids"},
    {
        "name": "Large invoices",
        "kind": "condition",
        "minutes": 20,
        "domain": "[('amount_untaxed', '>', 2000)]",
    },
)


def drivers(stage):
    """Reading drivers over a year of invoices of 100,000 customers, steep and flat."""
    size = max(stage.sizes)
    steep = stage.get_volumes()[size]
    rows = _measure(stage, steep, "by Zipf" if not stage.options["flat"] else "evenly")
    if not stage.options["flat"]:
        rows += _measure(stage, _create_flat(stage, size), "evenly")
    return rows


def _create_flat(stage, size):
    """A company of its own whose customers all buy alike."""
    books = Books(stage.env, "Bench flat")
    invoice = books.create_invoice(books.vendor, date.today())
    with generate.bare(stage.env, ("account_move", "account_move_line")):
        generate.create_invoices(invoice, stage.customers[:size], flat=True)
    stage.env.cr.commit()
    stage.vacuum("account_move", "account_move_line")
    return books


def _create_drivers(env, book):
    revenue = env.ref("customer_cost.driver_net_revenue")
    count = env.ref("customer_cost.driver_invoice_count")
    values = {"window": "rolling"}
    return (
        ("Net revenue", revenue.copy({**values, "name": f"Revenue {book}", "code": f"R-{book}"})),
        (
            "Number of invoices",
            count.copy({**values, "name": f"Count {book}", "code": f"C-{book}"}),
        ),
        (
            "Time equation of three parts",
            count.copy(
                {
                    **values,
                    "kind": "time",
                    "name": f"Time {book}",
                    "code": f"T-{book}",
                    "time_ids": [Command.create(line) for line in TIME_LINES],
                }
            ),
        ),
    )


def _measure(stage, books, book):
    env, day = books.env, date.today()
    company, rows = books.company, []
    for name, driver in _create_drivers(env, book):
        days = driver._get_window_dates(company, day)

        def read(driver=driver):
            env.invalidate_all()
            with stopwatch() as seconds:
                driver._get_basis(company, day)
            return seconds[0]

        def scan(days=days):
            with stopwatch() as seconds:
                _scan(env, company, days)
            return seconds[0]

        got, floor = pairs(read, scan, stage.repeats)
        rows.append(
            Row("G15", f"{name} of a year, invoices {book}", _scan(env, company, days), got, floor,
                "one aggregate scan of the year's invoice lines", 3)
        )  # fmt: skip
    env.cr.commit()
    return rows


def _scan(env, company, days):
    """Read and add up the invoice lines of ``days``; return how many there are."""
    rows = env.execute_query(
        SQL(
            """SELECT count(*), sum(balance) FROM account_move_line
                WHERE company_id = %s AND date BETWEEN %s AND %s
                  AND display_type = 'product' AND parent_state = 'posted'""",
            company.id,
            *days,
        )
    )
    return rows[0][0]
