"""Two runs of December 2012 that send a whole year's pools by the whole year's quantities.

First 100,000.00 each by revenue, orders, units and equally; that run is then reversed and its
pools are withdrawn. Then the ledger's commissions, travel and marketing; that run stays posted.
"""

from decimal import Decimal

from odoo.fields import Command

from .books import read_allocated, read_profitability
from .source import item_code
from .steps import create_account, map_account, post_entries, post_run, step

LAST_DAY = "2012-12-31"
# The pools lie in earlier months: the rules' "Include Earlier Months" has to bring them along.
POOL_DAY = "2012-06-30"
# (driver, title, column of the reference)
HUNDRED = (
    ("net_revenue", "100k by revenue", "alloc100k_revenue"),
    ("invoice_count", "100k by orders", "alloc100k_orders"),
    ("active_customers", "100k equally", "alloc100k_equal"),
    ("quantity_sold", "100k by units", "alloc100k_units"),
)
# (cost item, driver, title, column, total of SOURCE.md)
LEDGER = (
    ("sal_com", "net_revenue", "Commissions", "commissions_by_revenue", "1088268.59"),
    ("sal_trv", "invoice_count", "Travel", "travel_by_orders", "308110.68"),
    ("mkt", "active_customers", "Marketing", "marketing_equal", "85118.49"),
)


def get_yearly_driver(books, name):
    """A shipped driver, measured over the fiscal year to date."""
    code = f"{name[:8].upper()}-Y"
    driver = books.env["customer.cost.driver"].search([("code", "=", code)])
    shipped = books.env.ref(f"customer_cost.driver_{name}")
    return driver or shipped.copy({"name": f"{shipped.name}, year", "code": code, "window": "year"})


def create_rule(books, name, item, driver):
    return books.env["customer.cost.rule"].create(
        {
            "name": name,
            "company_id": books.company.id,
            "sender_item_ids": [Command.set(item.ids)],
            "carry_forward": True,
            "driver_id": get_yearly_driver(books, driver).id,
        }
    )


def allocate_100k(books, source, comparison):
    env, company = books.env, books.company
    counterpart = create_account(company, "2301", "Accrued test pools", "liability_current")
    items, lines = {}, []
    with step(env, "100,000.00 by revenue, by orders, equally and by units: run, post"):
        for number, (driver, title, column) in enumerate(HUNDRED):
            items[column] = env["customer.cost.item"].create(
                {"code": f"TEST-{number + 1}", "name": title, "company_id": company.id}
            )
            account = create_account(company, f"799{number}", title)
            map_account(company, account, items[column])
            lines.append((account, title, 100000.0))
            create_rule(books, title, items[column], driver)
        pools = post_entries(company, counterpart, [(POOL_DAY, "Test pools", lines)])
        run = post_run(company, LAST_DAY)
    for _driver, title, column in HUNDRED:
        comparison.add_customers(
            title, source.expected(column), read_allocated(books, items[column])
        )
    with step(env, "Reversing that run, withdrawing its pools"):
        run.action_reverse()
        pools.button_draft()
        pools.button_cancel()
        env["customer.cost.rule"].search([("company_id", "=", company.id)]).active = False
    left = env["customer.cost.analysis"]._read_group(
        [("company_id", "=", company.id)], [], ["amount:sum"]
    )
    comparison.add_total("Left of it after the reversal", "0", left[0][0] or 0)


def allocate_ledger(books, source, comparison):
    env = books.env
    items = {item: env.ref(f"customer_cost.item_{item}") for item, *_rest in LEDGER}
    with step(env, "The ledger's commissions, travel and marketing: run, post"):
        for item, driver, title, _column, _total in LEDGER:
            create_rule(books, title, items[item], driver)
        run = post_run(books.company, LAST_DAY)
    for item, _driver, title, column, total in LEDGER:
        got = read_allocated(books, items[item])
        comparison.add_customers(title, source.expected(column), got)
        comparison.add_total(f"{title}, total of SOURCE.md", total, sum(got.values()))
    amounts = source.ledger.amount.map(Decimal)
    december = source.ledger.date.str.startswith(LAST_DAY[:7])
    rest = amounts[december & (source.ledger.account_code.map(item_code) == "ADM")].sum()
    comparison.add_total("December's pool without a rule", rest, run.unsent_total)
    # The reference goes on to freight and rates per order and line, which are not booked here.
    expected = source.expected("y2012_full_profit") + source.expected("y2012_freight")
    comparison.add_customers(
        "Customer profit, without freight and activities",
        expected + source.expected("y2012_activity_cost"),
        read_profitability(books, ("profit",))["profit"],
    )
