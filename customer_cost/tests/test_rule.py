from odoo.exceptions import AccessError, ValidationError
from odoo.fields import Command
from odoo.tools import mute_logger

from .common import CustomerCostCommon


class TestRule(CustomerCostCommon):
    """Who sends what to whom: what a rule accepts, and what a run makes of it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.driver = cls.create_driver(
            {cls.customer_a: 1, cls.customer_b: 1, cls.customer_c: 2}, code="T-RULE"
        )

    def fixed(self, *pairs):
        return [
            Command.create({"customer_id": customer.id, "percentage": percentage})
            for customer, percentage in pairs
        ]

    def pool(self, amount, account=None, day="2025-03-10", **extra):
        return self.create_entry_move([(account or self.expense_account, amount, extra)], day)

    # ------------------------------------------------------------
    # What is refused
    # ------------------------------------------------------------

    def test_rule_without_an_item_is_refused(self):
        with self.assertRaisesText(ValidationError, "Rule Test rule sends no cost item"):
            self.create_rule(self.driver, sender_item_ids=False)
        rule = self.create_rule(self.driver)
        with self.assertRaisesText(ValidationError, "Rule Test rule sends no cost item"):
            rule.sender_item_ids = False
        self.assertEqual(rule.sender_item_ids, self.item)

    def test_rule_without_a_driver_is_refused(self):
        with self.assertRaisesText(ValidationError, "Rule Test rule needs a driver"):
            self.create_rule(method="driver")

    def test_fixed_percentages_stay_within_100(self):
        with self.assertRaisesText(ValidationError, r"add up to 100\.5 %"):
            self.create_rule(fixed_ids=self.fixed((self.customer_a, 60), (self.customer_b, 40.5)))
        with self.assertRaisesText(ValidationError, "add up to 0 %"):
            self.create_rule()
        rule = self.create_rule(fixed_ids=self.fixed((self.customer_a, 60)))
        self.assertEqual(rule.fixed_ids.percentage, 60)

    def test_fixed_percentage_changed_on_its_own_stays_within_100(self):
        rule = self.create_rule(fixed_ids=self.fixed((self.customer_a, 60), (self.customer_b, 40)))
        line = rule.fixed_ids[0]
        with self.assertRaisesText(ValidationError, "add up to 101 %"):
            line.with_user(self.users["accountant"]).percentage = 61
        self.assertEqual(line.percentage, 60)
        with self.assertRaisesText(ValidationError, "add up to 101 %"):
            rule.fixed_ids.create(
                {"rule_id": rule.id, "customer_id": self.customer_c.id, "percentage": 1}
            )

    @mute_logger("odoo.sql_db")
    def test_percentages_outside_their_range_are_refused(self):
        for share in ("0", "-1", "100.01"):
            with self.subTest(share=share):
                result = self.env["customer.cost.rule"].load(
                    ["name", "method", "driver_id/.id", "sender_item_ids/.id", "share_pct"],
                    [["Loaded", "By a driver", str(self.driver.id), str(self.item.id), share]],
                )
                self.assertFalse(result["ids"])
                self.assertIn("above 0 and not above 100", result["messages"][0]["message"])
        self.assertFalse(self.env["customer.cost.rule"].search([("name", "=", "Loaded")]))

    @mute_logger("odoo.sql_db")
    def test_end_before_the_beginning_is_refused(self):
        result = self.env["customer.cost.rule"].load(
            ["name", "method", "driver_id/.id", "sender_item_ids/.id", "date_from", "date_to"],
            [
                [
                    "Loaded",
                    "By a driver",
                    str(self.driver.id),
                    str(self.item.id),
                    "2025-03-02",
                    "2025-03-01",
                ]
            ],
        )
        self.assertFalse(result["ids"])
        self.assertIn("cannot end before it begins", result["messages"][0]["message"])

    def test_corporate_item_needs_a_full_cost_rule(self):
        with self.assertRaisesText(ValidationError, "is Corporate cost.*by a rule marked Full"):
            self.create_rule(self.driver, self.admin_item)
        rule = self.create_rule(self.driver, self.admin_item, full_cost=True)
        with self.assertRaisesText(ValidationError, "is Corporate cost"):
            rule.full_cost = False
        self.assertTrue(rule.full_cost)

    def test_channel_item_needs_a_full_cost_rule(self):
        channel = self.create_item("T-CHN", "Test channel", level="channel")
        with self.assertRaisesText(ValidationError, "is Channel cost"):
            self.create_rule(self.driver, self.item | channel)

    def test_corporate_sub_item_needs_a_full_cost_rule(self):
        self.admin_item.parent_id = self.item
        with self.assertRaisesText(ValidationError, "Test administration is Corporate cost"):
            self.create_rule(self.driver)

    def test_item_that_became_corporate_is_refused_by_the_run(self):
        self.create_rule(self.driver)
        self.pool(100)
        self.item.level = "corporate"
        run = self.create_run(compute=False)
        with self.assertRaisesText(ValidationError, "Test travel is Corporate cost"):
            run.action_compute()
        self.assertEqual(run.state, "draft")
        self.assertFalse(run.step_ids)

    def test_wrong_receivers_are_refused(self):
        for domain, message in (
            ("[('nothing', '=', 1)]", "receivers: .*res.partner has no field nothing"),
            ("[('name', '=', ", "Rule Test rule, receivers: "),
            ("uid", "Rule Test rule, receivers: "),
            ("[('name', 'resembles', 'x')]", "Rule Test rule, receivers: "),
            ("[('user_ids.login', '=', 'admin')]", "receivers: .*res.users cannot be used"),
            (
                "[('user_id', 'any', [('login', '=', 'x')])]",
                "receivers: .*res.users cannot be used",
            ),
        ):
            with self.subTest(domain=domain), self.assertRaisesText(ValidationError, message):
                self.create_rule(self.driver, receiver_domain=domain)
        self.assertFalse(self.env["customer.cost.rule"].search([("name", "=", "Test rule")]))

    def test_only_cost_accountants_keep_rules(self):
        rule = self.create_rule(self.driver)
        for role in ("rep", "cost_user", "reviewer", "internal"):
            with self.subTest(role=role), self.assertRaises(AccessError):
                rule.with_user(self.users[role]).share_pct = 50
        with self.assertRaises(AccessError):
            rule.with_user(self.users["auditor"]).share_pct = 50
        self.assertEqual(rule.with_user(self.users["auditor"]).share_pct, 100)
        rule.with_user(self.users["accountant"]).share_pct = 50
        self.assertEqual(rule.share_pct, 50)

    # ------------------------------------------------------------
    # Who receives
    # ------------------------------------------------------------

    def test_receivers_are_those_of_the_domain(self):
        self.create_rule(self.driver, receiver_domain=str([("id", "!=", self.customer_b.id)]))
        self.pool(90)
        run = self.create_run()
        self.assertEqual(self.received(run), {self.customer_a: 30, self.customer_c: 60})

    def test_receivers_by_salesperson_and_country(self):
        self.customer_c.country_id = self.env.ref("base.be")
        self.pool(90)
        rule = self.create_rule(
            self.driver,
            receiver_domain=f"['|', ('user_id', '=', {self.rep.id}), "
            "('country_id.code', '=', 'BE')]",
        )
        self.assertEqual(
            self.received(self.create_run()), {self.customer_a: 30, self.customer_c: 60}
        )
        rule.receiver_domain = "[('country_id', 'any', [('code', '=', 'BE')])]"
        self.assertEqual(self.received(self.create_run()), {self.customer_c: 90})

    def test_archived_customer_still_receives(self):
        self.create_rule(self.driver, receiver_domain="[('is_company', '=', True)]")
        self.pool(40)
        self.customer_c.active = False
        self.assertEqual(
            self.received(self.create_run()),
            {self.customer_a: 10, self.customer_b: 10, self.customer_c: 20},
        )

    def test_companies_of_the_group_are_left_out(self):
        other = self.env["res.company"].create({"name": "Sister"})
        driver = self.create_driver(
            {self.customer_a: 1, other.partner_id: 5, self.company.partner_id: 5}
        )
        self.create_rule(driver)
        self.pool(40)
        run = self.create_run()
        self.assertEqual(self.received(run), {self.customer_a: 40})
        self.assertEqual(run.step_ids.driver_total, 1)

    def test_nobody_receives_when_no_customer_fits(self):
        self.create_rule(self.driver, receiver_domain="[('name', '=', 'Nobody at all')]")
        self.pool(40)
        run = self.create_run()
        self.assertEqual(self.received(run), {})
        self.assertEqual(run.step_ids.retained, 40)
        self.assertIn("the pool keeps its cost", run.step_ids.message)

    def test_fixed_percentages_of_contacts_count_for_their_company(self):
        ann, bob = self.env["res.partner"].create(
            [{"name": name, "parent_id": self.customer_a.id} for name in ("Ann", "Bob")]
        )
        self.create_rule(fixed_ids=self.fixed((bob, 20), (self.customer_b, 50), (ann, 30)))
        self.pool(200)
        run = self.create_run()
        self.assertEqual(self.received(run), {self.customer_a: 100, self.customer_b: 100})
        self.assertEqual(run.customer_count, 2)

    # ------------------------------------------------------------
    # What is sent
    # ------------------------------------------------------------

    def test_sub_items_are_sent_with_their_parent(self):
        self.other_item.parent_id = self.item
        self.create_rule(self.driver)
        self.pool(40)
        self.pool(8, self.other_account)
        run = self.create_run()
        self.assertEqual(
            {cell.item_id: cell.sent for cell in run.step_ids.cell_ids},
            {self.item: 40, self.other_item: 8},
        )
        self.assertEqual(
            self.received(run),
            {self.customer_a: 12, self.customer_b: 12, self.customer_c: 24},
        )

    def test_other_items_and_direct_cost_are_not_sent(self):
        self.create_rule(self.driver)
        self.pool(8, self.other_account)
        self.pool(40, cost_customer_id=self.customer_b.id)
        run = self.create_run()
        self.assertEqual(run.sent_total, 0)
        self.assertEqual(run.unsent_total, 8)
        self.assertFalse(self.received(run))

    def test_cost_centres_narrow_the_pool(self):
        plan = self.company.customer_cost_plan_id
        east, west = self.env["account.analytic.account"].create(
            [{"name": name, "plan_id": plan.id, "company_id": False} for name in ("E", "W")]
        )
        self.pool(40, analytic_distribution={east.id: 100})
        self.pool(24, analytic_distribution={west.id: 50, east.id: 50})
        self.pool(100)
        self.create_rule(self.driver, sender_centre_ids=[Command.set(east.ids)])
        run = self.create_run()
        self.assertEqual(run.sent_total, 52)
        self.assertEqual(run.unsent_total, 112)
        self.assertEqual(self.received(run)[self.customer_c], 26)
        step = run.step_ids
        action = step.cell_ids.with_user(self.users["accountant"]).action_open_pool()
        lines = self.env["customer.cost.line"].search(action["domain"])
        self.assertEqual(sum(lines.mapped("amount")), 52)

    def test_rule_holds_in_its_months_only(self):
        self.pool(40, day="2025-02-10")
        self.pool(40, day="2025-03-10")
        self.pool(40, day="2025-04-10")
        rule = self.create_rule(self.driver, date_from="2025-03-31", date_to="2025-03-31")
        for day, steps in (("2025-02-28", 0), ("2025-03-01", 1), ("2025-04-01", 0)):
            with self.subTest(day=day):
                self.assertEqual(len(self.create_run(day).step_ids), steps)
        rule.date_to = False
        self.assertEqual(len(self.create_run("2025-04-30").step_ids), 1)
        rule.active = False
        self.assertEqual(len(self.create_run("2025-04-30").step_ids), 0)

    def test_rules_of_the_root_company_hold_for_its_branch(self):
        branch = self.env["res.company"].create({"name": "Branch", "parent_id": self.company.id})
        self.env.user.company_ids |= branch
        self.create_rule(self.driver)
        self.driver.value_ids.create(
            {
                "driver_id": self.driver.id,
                "customer_id": self.customer_b.id,
                "quantity": 1,
                "date": "2025-03-31",
                "company_id": branch.id,
            }
        )
        self.pool(40)
        branch.customer_cost_max_days_back = 36500
        entry = (
            self.env["customer.cost.entry"]
            .with_company(branch)
            .create(
                {
                    "company_id": branch.id,
                    "date": "2025-03-10",
                    "item_id": self.item.id,
                    "amount": 7,
                    "currency_id": branch.currency_id.id,
                    "description": "Pool",
                }
            )
        )
        entry.action_submit()
        reviewer = self.users["reviewer"]
        reviewer.company_ids |= branch
        entry.with_user(reviewer).with_company(branch).action_approve()
        run = self.env["customer.cost.run"].create({"company_id": branch.id, "date": "2025-03-31"})
        run.action_compute()
        self.assertEqual(run.step_ids.name, "Test rule")
        self.assertEqual(self.received(run), {self.customer_b: 7})
        self.assertEqual(self.create_run().sent_total, 40)

    def test_rules_of_another_company_do_not_hold(self):
        other = self.env["res.company"].create({"name": "Other company"})
        self.env["customer.cost.rule"].create(
            {
                "name": "Not ours",
                "company_id": other.id,
                "sender_item_ids": [Command.set(self.item.ids)],
                "driver_id": self.driver.id,
            }
        )
        self.pool(40)
        self.assertFalse(self.create_run().step_ids)
