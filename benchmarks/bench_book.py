"""A company with 100,000 customers and two years of books installs the add-on."""

import subprocess
from datetime import date

from . import generate
from .measure import Row, read_installation
from .stage import POOL, Books

TABLES = ("res_partner", "account_move", "account_move_line")
BILLS_PER_MONTH = 500


def book(stage):
    """Installing on a book of 100,000 customers, bringing its history in, tying it out."""
    size = max(stage.sizes)
    other = stage.open_without()
    try:
        _create_book(other, size, stage)
    finally:
        other.cr.close()
    stage.vacuum(*TABLES, database=stage.options["without"])
    seconds, statements = _install(stage.options["install"], stage.options["without"])
    floor_seconds, floor_statements = stage.options["empty_install"]
    rows = [
        Row("book", "Install", size, [seconds], [floor_seconds],
            "installing in an empty database", 5),
        Row("book", "Install, queries", size, [statements], [floor_statements],
            "installing in an empty database", 100, "difference", "queries"),
    ]  # fmt: skip
    return rows


def _create_book(env, size, stage):
    books = Books(env, "Bench book")
    invoice = books.create_invoice(books.vendor, date.today())
    bill = books.create_bills(1, POOL, date.today())
    bill.action_post()
    with generate.bare(env, TABLES):
        customers = generate.create_customers(env, size)
        generate.create_invoices(invoice, customers, stage.options["flat"])
        generate.create_bills(bill, BILLS_PER_MONTH)
    env.cr.commit()


def _install(command, database):
    """Seconds and statements of the add-on's installation, as Odoo logs them."""
    done = subprocess.run([*command, "-d", database], capture_output=True, text=True, check=True)
    return read_installation(done.stdout + done.stderr)
