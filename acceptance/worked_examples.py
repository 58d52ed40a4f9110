"""Published allocations (WE-03, 05, 06, 07, 08) through drivers, rules and posted runs.

Every example has a month, a cost item, an account and a rule of its own in one company; its pool is
a journal entry, its quantities are entered driver values.
"""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tools import date_utils

from .comparison import exact
from .steps import (
    create_account,
    create_company,
    map_account,
    post_entries,
    post_run,
    step,
)

FIRST_DAY = date(2020, 1, 15)


@dataclass(frozen=True)
class Example:
    """A pool, how it is shared out, and what everybody receives."""

    name: str
    title: str
    pool: str
    expected: dict
    quantities: dict = field(default_factory=dict)
    percentages: dict = field(default_factory=dict)
    policy: str = "refuse"
    refused: tuple = ()


SCALING = {"R1": 100, "R2": -90}
EXAMPLES = (
    Example(
        "WE-03",
        "insurance by salaries",
        "1000.00",
        {"R1": "200.00", "R2": "500.00", "R3": "300.00"},
        {"R1": 2000, "R2": 5000, "R3": 3000},
    ),
    Example(
        "WE-05",
        "145.65 by 50 / 50 %",
        "145.65",
        {"R1": "72.83", "R2": "72.82"},
        percentages={"R1": 50, "R2": 50},
    ),
    Example(
        "WE-05",
        "100.00 over three",
        "100.00",
        {"R1": "33.34", "R2": "33.33", "R3": "33.33"},
        {"R1": 1, "R2": 1, "R3": 1},
    ),
    Example(
        "WE-05",
        "1.00 over three",
        "1.00",
        {"R1": "0.34", "R2": "0.33", "R3": "0.33"},
        {"R1": 1, "R2": 1, "R3": 1},
    ),
    Example(
        "WE-06",
        "(a) variable portions by cost",
        "100.00",
        {"R1": "40.00", "R2": "20.00", "R3": "40.00"},
        {"R1": 2000, "R2": 1000, "R3": 2000},
    ),
    Example(
        "WE-06",
        "(b) tracing 200/200/300 x 20/30/50 %",
        "5000.00",
        {"R1": "800.00", "R2": "1200.00", "R3": "3000.00"},
        {"R1": 200 * 0.2, "R2": 200 * 0.3, "R3": 300 * 0.5},
    ),
    Example("WE-07", "mixed signs, default", "1000.00", {}, SCALING, refused=("R2",)),
    Example(
        "WE-07",
        "mixed signs, raised until none is negative",
        "1000.00",
        {"R1": "1000.00", "R2": "0.00"},
        SCALING,
        policy="shift",
    ),
    Example(
        "WE-07",
        "mixed signs, without sign",
        "1000.00",
        {"R1": "526.32", "R2": "473.68"},
        SCALING,
        policy="absolute",
    ),
    Example(
        "WE-07",
        "mixed signs, negative as zero",
        "1000.00",
        {"R1": "1000.00", "R2": "0.00"},
        SCALING,
        policy="zero",
    ),
    Example(
        "WE-08",
        "10 / 20 / 30 / 40 %",
        "100000.00",
        {"R1": "10000.00", "R2": "20000.00", "R3": "30000.00", "R4": "40000.00"},
        percentages={"R1": 10, "R2": 20, "R3": 30, "R4": 40},
    ),
)


class Stage:
    """The company in which the examples are run, one month after the other."""

    def __init__(self, env):
        self.company = create_company(env, "Worked examples")
        self.env = self.company.env
        self.receivers = {
            partner.name: partner
            for partner in self.env["res.partner"].create(
                [{"name": f"R{number}", "is_company": True} for number in range(1, 5)]
            )
        }
        self.counterpart = create_account(
            self.company, "2300", "Accrued expenses", "liability_current"
        )

    def run(self, number, example):
        """Run one example and return what it came to, by receiver, or who was refused."""
        day = date_utils.add(FIRST_DAY, months=number)
        item = self.env["customer.cost.item"].create(
            {"code": f"WE-{number}", "name": example.title, "company_id": self.company.id}
        )
        account = create_account(self.company, f"60{number:02}", example.title)
        map_account(self.company, account, item)
        pool = [(account, example.title, float(example.pool))]
        post_entries(self.company, self.counterpart, [(day, example.name, pool)])
        self.create_rule(number, example, item, day)
        try:
            with self.env.cr.savepoint():
                run = post_run(self.company, day)
        except UserError as error:
            return {name: "refused" for name in self.receivers if f"{name} (" in str(error)}
        rows = self.env["customer.cost.allocation"].search([("step_id", "in", run.step_ids.ids)])
        return {row.customer_id.name: exact(row.amount) for row in rows}

    def create_rule(self, number, example, item, day):
        values = {
            "name": f"{example.name} {example.title}",
            "company_id": self.company.id,
            "sender_item_ids": [Command.set(item.ids)],
            "date_from": date_utils.start_of(day, "month"),
            "date_to": date_utils.end_of(day, "month"),
        }
        if example.percentages:
            values["method"] = "fixed"
            values["fixed_ids"] = [
                Command.create({"customer_id": self.receivers[name].id, "percentage": percentage})
                for name, percentage in example.percentages.items()
            ]
        else:
            values["driver_id"] = self.create_driver(number, example, day).id
        self.env["customer.cost.rule"].create(values)

    def create_driver(self, number, example, day):
        driver = self.env["customer.cost.driver"].create(
            {
                "name": example.title,
                "code": f"WE-{number}",
                "kind": "value",
                "policy": example.policy,
                "company_id": self.company.id,
            }
        )
        self.env["customer.cost.driver.value"].create(
            [
                {
                    "driver_id": driver.id,
                    "company_id": self.company.id,
                    "date": day,
                    "customer_id": self.receivers[name].id,
                    "quantity": quantity,
                }
                for name, quantity in example.quantities.items()
            ]
        )
        return driver


def replay(env, comparison):
    """Run the examples and hand every result to ``comparison``."""
    with step(env, f"{len(EXAMPLES)} worked examples, a run each"):
        stage = Stage(env)
        for number, example in enumerate(EXAMPLES):
            got = stage.run(number, example)
            expected = {name: Decimal(text) for name, text in example.expected.items()}
            expected.update(dict.fromkeys(example.refused, "refused"))
            for name in sorted(expected.keys() | got.keys()):
                comparison.add_example(
                    example.name,
                    f"{example.title}: {name}",
                    expected.get(name, Decimal(0)),
                    got.get(name, Decimal(0)),
                )
