from odoo import Command
from odoo.exceptions import ValidationError

from ..report.customer_cost_tie_out_records import WINDOW
from .tie_out_common import TieOutCommon


class TestRuleMethods(TieOutCommon):
    """Every method of a rule, from the form to what customers and the tie-out show."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.channel_item = cls.create_item("T-CHN", "Test channel", level="channel")
        cls.activity = cls.create_item("T-ACT", "Test activity")

    def pool(self, amount, day="2025-03-10", account=None):
        return self.create_entry_move([(account or self.expense_account, amount, {})], day)

    def driver(self, *quantities, **vals):
        customers = (self.customer_a, self.customer_b, self.customer_c)
        return self.create_driver(dict(zip(customers, quantities, strict=False)), **vals)

    def amounts(self, run, place=None):
        steps = run.step_ids if place is None else run.step_ids[place]
        groups = self.env["customer.cost.allocation"]._read_group(
            [("step_id", "in", steps.ids)], ["customer_id"], ["amount:sum"]
        )
        received = {customer: round(amount, 3) for customer, amount in groups}
        return [
            received.get(customer, 0)
            for customer in (self.customer_a, self.customer_b, self.customer_c)
        ]

    def measured_rule(self, driver, **vals):
        return self.create_rule(
            driver,
            **{
                "method": "rate",
                "capacity_ids": [Command.create({"capacity": 1000})],
                "standard_quantity": 8,
                **vals,
            },
        )

    def analysis(self, measure, **conditions):
        self.env.invalidate_all()
        domain = [("company_id", "=", self.company.id), ("customer_id", "!=", False)]
        domain += [(name, "=", value) for name, value in conditions.items()]
        ((total,),) = self.env["customer.cost.analysis"]._read_group(domain, [], [f"{measure}:sum"])
        return round(total or 0, 3)

    # ------------------------------------------------------------
    # What is sent
    # ------------------------------------------------------------

    def test_amount_a_month_goes_first_and_later_rules_divide_the_rest(self):
        self.create_rule(self.driver(1), name="Retainer", send_kind="amount", send_amount=300)
        self.create_rule(self.driver(0, 1, 1), name="Rest")
        self.pool(1000)
        run = self.create_run(post=True)
        self.assertEqual(self.amounts(run), [300, 350, 350])
        self.assertEqual(run.unsent_total, 0)
        self.assertIn("Sends $\xa0300.00 of [T-TRV] Test travel", run.step_ids[0].rule_text)
        self.assertTied(self.tie_out())

    def test_amount_beyond_the_pool_says_what_is_missing(self):
        self.create_rule(self.driver(1), send_kind="amount", send_amount=300)
        self.pool(120)
        run = self.create_run()
        self.assertEqual(self.amounts(run), [120, 0, 0])
        self.assertEqual(
            run.step_ids.message, "The pools held $\xa0180.00 less than the rule sends."
        )

    def test_fixed_and_variable_cost_apart(self):
        self.item.write({"behaviour": "mixed", "fixed_amount": 200, "fixed_pct": 25})
        self.create_rule(self.driver(1, 3), name="Fixed", behaviour="fixed")
        self.create_rule(self.driver(1, 1), name="Variable", behaviour="variable")
        self.pool(1000)
        run = self.create_run(post=True)
        self.assertEqual(self.amounts(run, 0), [100, 300, 0])
        self.assertEqual(self.amounts(run, 1), [300, 300, 0])
        self.assertEqual(run.step_ids.cell_ids.mapped("fixed_amount"), [400, 0])
        rows = self.env["customer.cost.allocation"].search([("step_id", "in", run.step_ids.ids)])
        self.assertEqual(sum(rows.mapped("fixed_amount")), 400)
        self.assertEqual(self.analysis("fixed_amount"), 400)
        self.assertEqual(self.analysis("amount"), 1000)

    def test_direct_cost_is_fixed_as_its_item_says(self):
        self.item.write({"behaviour": "mixed", "fixed_pct": 25})
        self.create_bill([(self.expense_account, 80.0, {"cost_customer_id": self.customer_a.id})])
        self.assertEqual(self.analysis("fixed_amount", layer="direct"), 20)
        self.item.behaviour = "fixed"
        self.assertEqual(self.analysis("fixed_amount", layer="direct"), 80)
        self.item.behaviour = "variable"
        self.assertEqual(self.analysis("fixed_amount", layer="direct"), 0)

    # ------------------------------------------------------------
    # To whom
    # ------------------------------------------------------------

    def test_percentages_explain_themselves_as_parts_of_a_hundred(self):
        self.create_rule(
            fixed_ids=[Command.create({"customer_id": self.customer_a.id, "percentage": 25})]
        )
        self.pool(200)
        rows = self.env["customer.cost.allocation"]
        row = rows.search([("step_id", "in", self.create_run().step_ids.ids)])
        self.assertEqual(
            (row.pool_amount, row.quantity, row.driver_total, row.share_pct, row.amount),
            (200, 25, 100, 25, 50),
        )

    def test_equally_among_those_who_fit(self):
        contact = self.env["res.partner"].create(
            {"name": "Contact of A", "parent_id": self.customer_a.id, "ref": "EQUAL"}
        )
        (self.customer_a | self.customer_b | self.customer_c).ref = "EQUAL"
        self.create_rule(method="equal", receiver_domain=[("ref", "=", "EQUAL")])
        self.pool(100)
        run = self.create_run(post=True)
        self.assertEqual(self.amounts(run), [33.34, 33.33, 33.33])
        self.assertEqual((run.step_ids.driver_name, run.step_ids.driver_total), ("Equally", 3))
        self.assertNotIn(contact, self.received(run))
        self.assertTied(self.tie_out())

    def test_charged_as_another_item(self):
        self.create_rule(self.driver(1, 1), self.item | self.other_item,
                         charge_item_id=self.activity.id)  # fmt: skip
        self.pool(100)
        self.pool(50, account=self.other_account)
        run = self.create_run(post=True)
        rows = self.env["customer.cost.allocation"].search([("step_id", "in", run.step_ids.ids)])
        self.assertEqual((rows.item_id, rows.mapped("amount")), (self.activity, [75, 75]))
        self.assertEqual(run.step_ids.cell_ids.item_id, self.item | self.other_item)
        self.assertEqual((rows[0].pool_amount, rows[0].share_pct), (150, 50))
        domain = rows[0].action_open_pool_lines()["domain"]
        lines = self.env["customer.cost.line"].search(domain)
        self.assertEqual(sum(lines.mapped("amount")), 150)
        figures = self.tie_out()
        self.assertTied(figures)
        self.assertEqual(self.section(figures, "pools")["allocated"], 150)
        self.refresh_figures()
        self.assertStoredIsLive()

    # ------------------------------------------------------------
    # Rates
    # ------------------------------------------------------------

    def test_unused_capacity_has_a_line_of_its_own(self):
        self.measured_rule(self.driver(50, 25))
        self.pool(1000)
        run = self.create_run(post=True)
        step = run.step_ids
        self.assertEqual(self.amounts(run), [400, 200, 0])
        self.assertEqual((run.unused_total, step.unused, step.cell_ids.unused), (400, 400, 400))
        self.assertEqual(
            (step.rate, step.capacity, step.used_quantity, step.unused_quantity),
            (8, 1000, 600, 400),
        )
        self.assertEqual(self.analysis("amount", layer="measured"), 600)
        row = self.env["customer.cost.allocation"].search(
            [("step_id", "=", step.id), ("customer_id", "=", self.customer_a.id)]
        )
        self.assertEqual(
            (row.layer, row.quantity, row.rate, row.capacity), ("measured", 50, 8, 1000)
        )
        figures = self.tie_out()
        self.assertTied(figures)
        pools = self.section(figures, "pools")
        self.assertEqual((pools["allocated"], pools["unused"]), (600, 400))
        window = {WINDOW: [self.company.id, "2025-03-01", "2025-03-31"]}
        (pool,) = (
            self.env["customer.cost.pool"].with_context(**window).search([("item_id", "!=", False)])
        )
        self.assertEqual((pool.sent, pool.unused, pool.waiting), (1000, 400, 0))
        self.refresh_figures()
        self.assertStoredIsLive()

    def test_above_the_capacity_unused_is_negative(self):
        self.measured_rule(self.driver(150))
        self.pool(1000)
        run = self.create_run(post=True)
        self.assertEqual((self.amounts(run)[0], run.unused_total), (1200, -200))
        self.assertTied(self.tie_out())

    def test_unused_capacity_is_not_carried_into_the_next_month(self):
        rule = self.measured_rule(self.driver(50))
        self.pool(1000)
        self.create_run(post=True)
        rule.active = False
        self.create_rule(self.driver(1, day="2025-04-30"), name="Later", carry_forward=True)
        self.pool(10, "2025-04-10")
        april = self.create_run("2025-04-30")
        self.assertEqual((april.carried_total, april.sent_total), (0, 10))

    def test_capacity_of_the_month_counts(self):
        rule = self.measured_rule(
            self.driver(50),
            capacity_ids=[
                Command.create({"capacity": 1000, "date_to": "2025-03-15"}),
                Command.create({"capacity": 500, "date_from": "2025-03-16"}),
            ],
        )
        self.pool(1000)
        self.assertEqual(self.create_run().step_ids.capacity, 500)
        rule.capacity_ids[1].date_to = "2025-03-30"
        message = "has no practical capacity for March 2025. Add one"
        run = self.create_run(compute=False)
        with self.assertNothingChanged(), self.assertRefused(message):
            run.action_compute()

    def test_unused_capacity_can_be_charged_as_well(self):
        self.measured_rule(self.driver(50, 25), rest="charge")
        self.pool(1000)
        run = self.create_run()
        self.assertEqual(self.amounts(run), [666.67, 333.33, 0])
        self.assertEqual((run.unused_total, run.step_ids.unused_quantity), (0, 400))

    def test_fixed_rate_shows_what_it_does_not_cover(self):
        self.create_rule(self.driver(5, 3), method="predetermined", unit_rate=10)
        self.pool(100)
        run = self.create_run(post=True)
        step = run.step_ids
        self.assertEqual((self.amounts(run), step.retained), ([50, 30, 0], 20))
        self.assertEqual((step.rate, step.actual_rate, step.rate_variance), (10, 12.5, 2.5))
        self.assertTied(self.tie_out())

    def test_changed_capacity_or_rate_asks_to_compute_again(self):
        rule = self.measured_rule(self.driver(50))
        self.pool(1000)
        run = self.create_run()
        rule.capacity_ids.capacity = 900
        with self.assertRefused("Costs or rules changed since run"):
            run.action_post()
        run.action_compute()
        rule.standard_quantity = 9
        with self.assertRefused("Costs or rules changed since run"):
            run.action_post()
        run.action_compute()
        self.item.behaviour = "fixed"
        with self.assertRefused("Costs or rules changed since run"):
            run.action_post()

    def test_customer_service_by_time(self):
        # WE-20
        customers = self.customer_a, self.customer_b, self.customer_c
        for number, (count, minutes, rest) in enumerate(
            ((49_000, 8, "onward"), (1400, 44, "onward"), (2500, 50, "keep"))
        ):
            self.measured_rule(
                self.create_driver({customers[number]: count}),
                name=f"Activity {number}",
                standard_quantity=minutes,
                capacity_ids=[Command.create({"capacity": 700_000})],
                rest=rest,
            )
        self.pool(560_000)
        run = self.create_run(post=True)
        self.assertEqual(self.amounts(run), [313_600, 49_280, 100_000])
        self.assertEqual(run.step_ids.mapped("rate"), [6.4, 35.2, 40])
        self.assertEqual((run.received_total, run.unused_total), (462_880, 97_120))
        self.assertTied(self.tie_out())

    def test_activity_rates_of_two_customers(self):
        # WE-34
        used = ((25, 4), (950_000, 300_000), (14, 0), (104, 12), (104, 12))
        for quantities, rate in zip(used, (250, 0.07, 2000, 15, 11), strict=True):
            self.create_rule(
                self.driver(*quantities), name=f"At {rate}", method="predetermined",
                unit_rate=rate, rest="onward",
            )  # fmt: skip
        self.pool(200_000)
        run = self.create_run(post=True)
        self.assertEqual(self.amounts(run), [103_454, 22_312, 0])
        profits = [
            sales - goods - cost
            for (sales, goods), cost in zip(
                ((594_000, 300_000), (571_000, 298_000)), self.amounts(run), strict=False
            )
        ]
        self.assertEqual(profits, [190_546, 250_688])

    # ------------------------------------------------------------
    # Drivers that only the run knows
    # ------------------------------------------------------------

    def test_cost_so_far_counts_what_earlier_rules_charged(self):
        self.create_bill([(self.expense_account, 50.0, {"cost_customer_id": self.customer_c.id})])
        self.create_rule(self.driver(3, 1), name="First")
        by_cost = self.env["customer.cost.driver"].create(
            {"name": "Cost", "code": "T-COST", "kind": "cost"}
        )
        self.create_rule(by_cost, self.other_item, name="By cost so far")
        self.pool(100)
        self.pool(30, account=self.other_account)
        run = self.create_run(post=True)
        self.assertEqual(self.amounts(run, 0), [75, 25, 0])
        self.assertEqual(self.amounts(run, 1), [15, 5, 10])
        self.assertEqual(run.step_ids[1].driver_total, 150)
        self.assertTied(self.tie_out())

    def test_a_blend_names_the_part_without_a_quantity(self):
        parts = self.driver(1, 1), self.driver(name="Nothing", day="2025-01-31")
        blend = self.env["customer.cost.driver"].create(
            {
                "name": "Blend",
                "code": "T-BLEND",
                "kind": "composite",
                "component_ids": [
                    Command.create({"component_id": part.id, "weight": 50}) for part in parts
                ],
            }
        )
        self.create_rule(blend)
        self.pool(100)
        run = self.create_run()
        self.assertEqual(self.amounts(run), [50, 50, 0])
        self.assertIn("left out, the others count for it: Nothing", run.step_ids.message)
        parts[0].value_ids[0].quantity = -1
        with self.assertRefused("driver Test driver is negative for Cost Customer A"):
            run.action_compute()

    # ------------------------------------------------------------
    # Refused when saved
    # ------------------------------------------------------------

    def test_what_a_method_lacks_is_named_when_the_rule_is_saved(self):
        driver = self.driver(1)
        measured = {"method": "rate", "capacity_ids": [Command.create({"capacity": 1})]}
        fixed_rate = {"method": "predetermined", "unit_rate": 1}
        for vals, message in (
            ({"method": "rate"}, "Rule Test rule needs a practical capacity"),
            ({"method": "predetermined"}, "the rate per unit lies above 0"),
            ({**fixed_rate, "rest": "charge"}, "what a fixed rate leaves stays or goes on"),
            ({**measured, "driver_id": False}, "needs a driver"),
            ({**measured, "standard_quantity": 0}, "lies above 0"),
            ({**measured, "carry_forward": True}, "what earlier months left can be sent only"),
            (
                {**measured, "send_kind": "amount", "send_amount": 5},
                "it sends a share of the pool, not a fixed amount",
            ),
            ({"send_kind": "amount"}, "the amount a month lies above 0"),
            ({"behaviour": "fixed", "carry_forward": True}, "what earlier months left"),
            ({"method": "equal"}, "say among which customers"),
            ({"charge_item_id": self.channel_item.id}, "only by a rule marked Full Cost"),
            (
                {
                    "method": "rate",
                    "capacity_ids": [
                        Command.create({"capacity": 1}),
                        Command.create({"capacity": 2, "date_from": "2025-03-01"}),
                    ],
                },
                "the practical capacity is given twice for the days from 03/01/2025",
            ),
        ):
            with self.subTest(message), self.assertRefused(message, Exception):
                self.create_rule(driver, **vals)
                self.env.flush_all()
        self.assertFalse(self.env["customer.cost.rule"].search([("name", "=", "Test rule")]))

    def test_a_driver_of_a_rate_is_not_archived(self):
        driver = self.driver(1)
        rule = self.measured_rule(driver)
        with self.assertRaisesRegex(ValidationError, "still used by Test rule"):
            driver.active = False
        rule.write({"method": "equal", "receiver_domain": [("ref", "=", "X")]})
        driver.active = False
