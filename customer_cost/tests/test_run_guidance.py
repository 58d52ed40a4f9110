from freezegun import freeze_time

from odoo.exceptions import ValidationError
from odoo.tests import Form

from .common import CustomerCostCommon


class TestRunGuidance(CustomerCostCommon):
    """A run proposes the next month, and says when it is out of date."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.driver = cls.create_driver({cls.customer_a: 1})
        cls.rule = cls.create_rule(cls.driver)
        cls.create_bill([(cls.expense_account, 100.0, {})])

    @freeze_time("2025-06-15")
    def test_first_run_proposes_last_month_and_the_next_the_month_after(self):
        runs = self.env["customer.cost.run"].with_company(self.company)
        self.assertEqual(Form(runs).date.isoformat(), "2025-05-31")
        self.create_run("2025-03-31", post=True)
        self.assertEqual(Form(runs).date.isoformat(), "2025-04-30")

    @freeze_time("2025-03-15")
    def test_month_in_the_future_is_refused(self):
        self.assertEqual(self.create_run("2025-03-31").state, "computed")
        with self.assertRaisesRegex(ValidationError, "April 2025 lies in the future"):
            self.create_run("2025-04-01")

    def test_posted_run_says_that_its_month_changed(self):
        run = self.create_run(post=True)
        self.assertFalse(run.pool_changed)
        bill = self.create_bill([(self.expense_account, 7.0, {})])
        run.invalidate_recordset(["pool_changed"])
        self.assertTrue(run.pool_changed)
        bill.button_draft()
        run.invalidate_recordset(["pool_changed"])
        self.assertFalse(run.pool_changed)

    def test_driver_of_a_rule_is_not_archived(self):
        with self.assertRaisesRegex(ValidationError, "is still used by Test rule"):
            self.driver.active = False
        self.rule.active = False
        self.driver.active = False
        self.assertFalse(self.driver.active)

    def test_ledger_line_opens_its_cost(self):
        line = self.env["customer.cost.line"].search([("item_id", "=", self.item.id)])
        action = line.action_open_entry()
        self.assertEqual(action["res_model"], "customer.cost.entry")
        self.assertEqual(action["res_id"], line.entry_id.id)

    def test_figures_are_visible_to_those_who_may_see_the_customer(self):
        for role, expected in (
            ("rep", [True, False]),
            ("cost_user", [True, True]),
            ("auditor", [True, True]),
        ):
            customers = (self.customer_a | self.customer_b).with_user(self.users[role])
            self.assertEqual(customers.mapped("customer_cost_visible"), expected, role)
