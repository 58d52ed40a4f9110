"""A company with 100,000 customers and two years of books installs the add-on."""

import subprocess
from datetime import date

from odoo import SUPERUSER_ID, api
from odoo.fields import Command
from odoo.modules.registry import Registry
from odoo.tools import date_utils

from . import generate
from .measure import Row, pairs, read_installation, stopwatch
from .stage import EXPENSE_CODE, POOL, Books

NAME = "Bench book"

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
    with Registry.new(stage.options["without"]).cursor() as cr:
        env = api.Environment(cr, SUPERUSER_ID, {})
        company = env["res.company"].search([("name", "=", NAME)])
        env = env(user=env.ref("base.user_admin"), context={"allowed_company_ids": company.ids})
        return rows + _bring_in(company.with_env(env), size) + _tie_out(company.with_env(env), size)


def _bring_in(company, size):
    """Map the expense account, bring two years in, allocate last month by net sales."""
    env = company.env
    account = env["account.account"].search([("code", "=", EXPENSE_CODE)])
    item = env.ref("customer_cost.item_sal_trv")
    env["customer.cost.account.map"].create(
        {"company_id": company.id, "account_id": account.id, "item_id": item.id}
    )
    last = date_utils.subtract(date_utils.start_of(date.today(), "month"), days=1)
    first = date_utils.start_of(date_utils.subtract(last, months=generate.MONTHS), "month")
    history = env["customer.cost.history"].create(
        {
            "company_id": company.id,
            "date_from": first,
            "date_to": date_utils.end_of(date.today(), "month"),
        }
    )
    history.action_start()
    with stopwatch() as seconds:
        env["customer.cost.history"].sudo()._cron_process()  # sudo: as the scheduled action
    assert history.state == "done", history.month_ids.mapped("message")
    captured = env["customer.cost.line"].search_count([("company_id", "=", company.id)])
    assert captured >= BILLS_PER_MONTH * generate.MONTHS, captured
    env.cr.commit()
    floor = _rewrite(env)
    run = _allocate(company, item, last)
    return [
        Row("book", "Bring two years in", captured, seconds, [floor],
            "copying the ledger lines and updating the invoice lines", 4),
        Row("G13", "Lines + retained - pool", size,
            [round(run.received_total + run.retained_total - run.pool_total, 2)], [0],
            "0.00", 0, "difference", "currency"),
    ]  # fmt: skip


def _rewrite(env):
    """Seconds of writing alone: the ledger lines, and the invoice lines once more."""
    with stopwatch() as seconds:
        env.cr.execute(
            "CREATE TEMPORARY TABLE book_ledger ON COMMIT DROP AS SELECT * FROM customer_cost_line"
        )
        env.cr.execute(
            "UPDATE account_move_line SET customer_cost_amount = customer_cost_amount "
            "WHERE customer_cost_source IS NOT NULL"
        )
    env.cr.rollback()
    return seconds[0]


def _allocate(company, item, day):
    env = company.env
    env["customer.cost.rule"].create(
        {
            "name": "All by net sales",
            "company_id": company.id,
            "driver_id": env.ref("customer_cost.driver_net_revenue").id,
            "method": "driver",
            "sender_item_ids": [Command.set(item.ids)],
        }
    )
    run = env["customer.cost.run"].create({"company_id": company.id, "date": day})
    run.action_compute()
    run.action_post()
    env.cr.commit()
    return run


def _tie_out(company, size):
    """The tie-out of a year, beside one pass over its journal items."""
    env = company.env
    tie_out = env["customer.cost.tie.out"]
    last = date_utils.end_of(date.today(), "month")
    first = date_utils.start_of(date_utils.subtract(last, months=11), "month")
    figures = tie_out._get_figures(company, first, last)

    def measured():
        with stopwatch() as seconds:
            tie_out._get_figures(company, first, last)
        return seconds[0]

    def scan():
        with stopwatch() as seconds:
            env.cr.execute(
                "SELECT account_id, count(*), sum(balance) FROM account_move_line "
                "WHERE company_id = %s AND date BETWEEN %s AND %s AND parent_state = 'posted' "
                "GROUP BY account_id",
                [company.id, first, last],
            )
        return seconds[0]

    got, floor = pairs(measured, scan, 3)
    return [
        Row("book", "Tie-out of a year, difference", size, [figures["difference"]], [0],
            "0.00", 0, "difference", "currency"),
        Row("book", "Tie-out of a year", size, got, floor,
            "one pass over the year's journal items", 20),
    ]  # fmt: skip


def _create_book(env, size, stage):
    books = Books(env, NAME)
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
