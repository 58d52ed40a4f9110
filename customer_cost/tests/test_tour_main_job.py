from odoo import fields
from odoo.tests import HttpCase, tagged
from odoo.tools import date_utils

from .common import CustomerCostCommon


@tagged("post_install", "-at_install")
class TestTourMainJob(CustomerCostCommon, HttpCase):
    """The main job in a browser, each step by the person whose job it is."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.customer_cost_max_days_back = 36500
        for user in cls.users.values():
            user.password = user.login
        cls.env["res.partner"].create({"name": "Tour Travel Agency", "is_company": True})
        cls.customer = cls.env["res.partner"].create(
            {"name": "Tour Customer", "is_company": True, "customer_rank": 1}
        )
        cls.gifts = cls.create_item("TOUR-GFT", "Tour gifts")
        cls.company_data["default_journal_purchase"].default_account_id = cls.expense_account
        # the browser has its own clock: figures and the month proposed follow today
        last_month = date_utils.subtract(fields.Date.today(), months=1).replace(day=10)
        cls.create_sale(cls.customer, quantity=10, day=last_month)
        cls.create_sale(cls.customer_b, quantity=5, day=last_month)
        cls.create_bill([(cls.other_account, 100.01, {})], day=last_month)
        cls.create_rule(
            cls.env.ref("customer_cost.driver_net_revenue"), cls.other_item, name="Tour rule"
        )

    def action_url(self, xmlid, record="new"):
        return f"/odoo/action-customer_cost.{xmlid}/{record}"

    def test_bill_review_run_and_explanation(self):
        self.start_tour(
            "/odoo/action-account.action_move_in_invoice_type/new",
            "customer_cost_post_bill",
            login="cost_accountant",
        )
        lines = self.env["customer.cost.line"].search([("customer_id", "=", self.customer.id)])
        self.assertEqual(lines.mapped("amount"), [250.0])

        self.start_tour(
            self.action_url("customer_cost_entry_action"),
            "customer_cost_record",
            login="cost_accountant",
        )
        entry = self.env["customer.cost.entry"].search([("item_id", "=", self.gifts.id)])
        self.assertEqual(entry.state, "submitted")
        self.assertFalse(entry.line_ids)

        self.start_tour(
            "/odoo/action-customer_cost.customer_cost_entry_review_action",
            "customer_cost_approve",
            login="cost_reviewer",
        )
        self.assertEqual(entry.state, "approved")
        self.assertEqual(entry.line_ids.mapped("amount"), [80.5])

        self.start_tour(
            self.action_url("customer_cost_run_action"), "customer_cost_run", login="cost_manager"
        )
        run = self.env["customer.cost.run"].search([("company_id", "=", self.company.id)])
        self.assertEqual(run.state, "posted")
        self.assertEqual(self.received(run), {self.customer: 66.67, self.customer_b: 33.34})

        self.start_tour(
            f"/odoo/res.partner/{self.customer.id}", "customer_cost_explain", login="cost_manager"
        )
