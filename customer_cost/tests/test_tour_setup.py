from unittest.mock import patch

from dateutil.relativedelta import relativedelta

from odoo import fields
from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from ..models import customer_cost_setup_calculate
from .common import CustomerCostCommon

MONTHS = 24


@tagged("post_install", "-at_install")
class TestTourSetup(CustomerCostCommon, HttpCase):
    """The first result in five clicks, on two years of documents made by Odoo's demo data."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for user in cls.users.values():
            user.password = user.login
        cls.env["customer.cost.account.map"].search([]).unlink()
        cls.env["account.move"].search([("company_id", "=", cls.company.id)]).unlink()
        # the browser has its own clock: the months follow today
        cls.post_demo_documents()

    @classmethod
    def post_demo_documents(cls):
        """Odoo's demo documents of the company, and the same for every month before."""
        cls.env["account.chart.template"]._install_demo(cls.company)
        documents = cls.env["account.move"].search(
            [
                ("company_id", "=", cls.company.id),
                ("state", "=", "posted"),
                ("move_type", "!=", "entry"),
            ]
        )
        copies = []
        for offset in range(1, MONTHS + 1):
            for document in documents:
                day = document.date - relativedelta(months=offset)
                copies += document.copy_data(
                    {
                        "date": day,
                        "invoice_date": day,
                        "invoice_date_due": day,
                        "ref": f"{document.name} - {offset}",
                    }
                )
        cls.analyze()
        moves = cls.env["account.move"].create(copies)
        cls.analyze()
        moves.action_post()

    @classmethod
    def analyze(cls):
        """Core's statements on payments take minutes where the planner knows nothing of the rows.

        Nobody but this transaction has seen them yet: they are never analyzed in the background.
        """
        cls.env.flush_all()
        cls.env.cr.execute(
            "ANALYZE account_move, account_move_line, account_partial_reconcile, account_payment"
        )

    def test_five_clicks(self):
        # no scheduled action runs here: what the click does not get done, the open page does
        with patch.object(customer_cost_setup_calculate, "BUTTON_SECONDS", 1):
            self.start_tour(
                "/odoo/customer-cost",
                "customer_cost_five_clicks",
                login="cost_manager",
                timeout=400,
            )
        self.env.invalidate_all()
        setup = self.env["customer.cost.setup"].search([("company_id", "=", self.company.id)])
        self.assertEqual((setup.step, setup.failed_count, setup.difference), ("done", 0, 0.0))
        overview = self.env["customer.cost.overview"].with_user(self.users["manager"])
        shown = {row["key"]: row["value"] for row in overview.get_overview()["rows"]}
        first, last = self.env["res.partner"]._get_customer_cost_rolling()
        [sums] = self.env["customer.cost.profitability"].formatted_read_group(
            [
                ("company_id", "=", self.company.id),
                ("month", ">=", first),
                ("month", "<=", last),
            ],
            [],
            ["net_sales:sum", "profit:sum", "full_profit:sum"],
        )
        self.assertGreater(shown["net_sales"], 0)
        for name in ("net_sales", "profit", "full_profit"):
            self.assertAlmostEqual(shown[name], sums[f"{name}:sum"], 2)
        trust = overview.get_trust()
        self.assertEqual((trust["is_tied"], trust["difference"]), (True, 0.0))
        posted = setup.month_ids.filtered(lambda month: month.state == "done")
        self.assertGreaterEqual(len(posted), 12)
        self.assertFalse(
            setup.month_ids.filtered(lambda month: month.date >= fields.Date.today().replace(day=1))
        )

    def test_empty_lists_lead_to_the_set_up(self):
        url = "/odoo/action-customer_cost.customer_cost_rule_action"
        self.start_tour(url, "customer_cost_empty_list", login="cost_manager")
        with mute_logger("odoo.http"):
            self.start_tour(url, "customer_cost_empty_list_others", login="cost_accountant")
