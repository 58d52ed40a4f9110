"""The check of costs against budgets and customers' limits, on the largest volume."""

from datetime import date

from odoo.fields import Command

from .measure import Row, pairs, queries, stopwatch

BUDGETS = 200
BATCH = 1_000


def budget(stage):
    """What budgets say of one cost and of 1,000, against adding up the ledger they look at."""
    size = max(stage.sizes)
    books = stage.get_volumes()[size]
    env = books.env
    create_budgets(books, stage.customers[:BUDGETS])
    entries = env["customer.cost.entry"].create(
        [
            {
                "company_id": books.company.id,
                "currency_id": books.company.currency_id.id,
                "date": date.today(),
                "item_id": books.item.id,
                "customer_id": stage.customers[number % BUDGETS],
                "amount": 10.0,
            }
            for number in range(BATCH)
        ]
    )
    env.cr.commit()
    stage.vacuum("customer_cost_entry", "customer_cost_budget", "customer_cost_budget_line")

    def check(records):
        env.invalidate_all()
        records.mapped("amount_company")
        with stopwatch() as seconds:
            records._get_findings()
        return seconds[0]

    def read(records):
        """The floor: the ledger of the same customers and year, added up by customer and month."""
        first = date.today().replace(month=1, day=1)
        with stopwatch() as seconds:
            env["customer.cost.line"]._read_group(
                [
                    ("customer_id", "in", records.customer_id.ids),
                    ("company_id", "=", books.company.id),
                    ("date", ">=", first),
                ],
                ["customer_id", "item_id", "date:month"],
                ["amount:sum"],
            )
        return seconds[0]

    check(entries)  # warm
    rows = []
    for count, limit in ((1, 20), (BATCH, 50)):
        records = entries[:count]
        got, floor = pairs(lambda r=records: check(r), lambda r=records: read(r), stage.repeats)
        rows.append(
            Row("C1", "Budget check of costs", count, got, floor,
                "adding up the ledger of their customers", limit)
        )  # fmt: skip
    one, many = (count_queries(env, entries[:count]) for count in (1, BATCH))
    rows.append(
        Row("C2", "Queries of the budget check", BATCH, [many], [one], "the same for one cost", 0,
            "difference", "queries")
    )  # fmt: skip
    return rows


def create_budgets(books, customers):
    """A confirmed budget of this year with a block per customer."""
    today = date.today()
    budgets = books.env["customer.cost.budget"].create(
        [
            {
                "customer_id": customer,
                "company_id": books.company.id,
                "date_from": today.replace(month=1, day=1),
                "date_to": today.replace(month=12, day=31),
                "line_ids": [
                    Command.create({"month": today.replace(month=month, day=1), "planned": 1e9})
                    for month in range(1, 13)
                ],
                "band_ids": [Command.create({"percentage": 100.0, "action": "block"})],
            }
            for customer in customers
        ]
    )
    budgets.action_confirm()


def count_queries(env, records):
    env.invalidate_all()
    records.mapped("amount_company")
    with queries(env.cr) as number:
        records._get_findings()
    return number[0]
