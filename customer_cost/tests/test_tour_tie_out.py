from odoo import fields
from odoo.tests import HttpCase, tagged
from odoo.tools import date_utils

from .common import CustomerCostCommon


@tagged("post_install", "-at_install")
class TestTourTieOut(CustomerCostCommon, HttpCase):
    """The tie-out in a browser: to last month, into a figure, and back."""

    def test_tie_out(self):
        # the browser has its own clock
        last_month = date_utils.subtract(fields.Date.today(), months=1).replace(day=10)
        self.create_sale(self.customer_a, quantity=10, day=last_month)
        self.create_bill([(self.other_account, 100.01, {})], day=last_month)
        self.start_tour(
            "/odoo/customer-cost-tie-out", "customer_cost_tie_out", login="cost_accountant"
        )
