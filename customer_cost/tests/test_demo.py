from odoo import fields
from odoo.tests import TransactionCase, tagged
from odoo.tools import date_utils

from odoo.addons.customer_cost.demo.customer_cost_demo import MONTHS, CustomerCostDemo


@tagged("post_install", "-at_install")
class TestDemo(TransactionCase):
    """The demo company loads through the product's own doors and tells its story."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.classPatch(CustomerCostDemo, "_get_months", lambda self: 4)
        cls.env["customer.cost.demo"]._load()
        cls.company = cls.env["res.company"].search([("name", "=", "Lakeside Coffee Supply")])

    def test_some_customers_earn_and_some_lose(self):
        rows = self.env["customer.cost.profitability"]._read_group(
            [("company_id", "=", self.company.id)], ["customer_id"], ["profit:sum"]
        )
        profits = {customer.name: profit for customer, profit in rows}
        self.assertEqual(len(profits), 12)
        self.assertGreater(profits["Harbor Bakeries"], 0)
        self.assertLess(profits["Metro Hotels Group"], 0)

    def test_every_finished_month_has_a_posted_run_that_accounts_for_its_pool(self):
        runs = self.env["customer.cost.run"].search([("company_id", "=", self.company.id)])
        self.assertEqual(set(runs.mapped("state")), {"posted"})
        self.assertEqual(len(runs), 3)
        for run in runs:
            self.assertTrue(run.pool_total)
            self.assertAlmostEqual(run.pool_total, run.received_total + run.retained_total, 2)
            self.assertAlmostEqual(run.unsent_total, 0.0, 2)

    def test_demo_covers_fifteen_months_up_to_today(self):
        self.assertEqual(MONTHS, 15)
        today = fields.Date.today()
        last = self.env["account.move"].search(
            [("company_id", "=", self.company.id), ("move_type", "=", "out_invoice")],
            order="date desc",
            limit=1,
        )
        self.assertGreaterEqual(last.date, date_utils.subtract(today, months=1))
        self.assertLessEqual(last.date, today)

    def test_ranking_is_filled_at_once(self):
        rows = self.env["customer.cost.summary"].search([("company_id", "=", self.company.id)])
        self.assertEqual(len(rows), 12)

    def test_costs_wait_for_the_reviewer(self):
        entries = self.env["customer.cost.entry"].search(
            [("company_id", "=", self.company.id), ("kind", "=", "statistical")]
        )
        self.assertEqual(set(entries.mapped("state")), {"draft", "submitted", "approved"})

    def test_requests_policies_and_the_calendar_have_something_to_show(self):
        requests = self.env["customer.cost.entry"].search(
            [("company_id", "=", self.company.id), ("kind", "=", "request")]
        )
        self.assertEqual(
            set(requests.mapped("settlement_state")), {"none", "open", "partly", "settled"}
        )
        for model in ("customer.cost.policy.breach", "customer.cost.recording.period"):
            rows = self.env[model].search([("company_id", "=", self.company.id)])
            self.assertTrue(rows, model)
