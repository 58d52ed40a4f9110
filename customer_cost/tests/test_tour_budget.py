from odoo import fields
from odoo.tests import HttpCase, tagged
from odoo.tools import date_utils

from .test_budget import BudgetCommon


@tagged("post_install", "-at_install")
class TestTourBudget(BudgetCommon, HttpCase):
    """A budget breach in a browser: the rep reduces a cost, the manager allows another."""

    def test_breach_reduced_by_the_rep_and_allowed_by_the_manager(self):
        # the browser has its own clock
        today = fields.Date.today()
        self.create_budget(
            lines=[(None, today.month, 1200.0)],
            date_from=date_utils.start_of(today, "year"),
            date_to=date_utils.end_of(today, "year"),
            year=today.year,
        )
        url = "/odoo/action-customer_cost.customer_cost_entry_action"
        self.start_tour(f"{url}/new", "customer_cost_budget_reduce", login="cost_rep")
        entry = self.env["customer.cost.entry"].search([("description", "=", "Trade fair")])
        self.assertEqual((entry.state, entry.amount), ("submitted", 1200.0))

        other = self.create_cost(user=self.rep, amount=80.0, date=today)
        self.start_tour(f"{url}/{other.id}", "customer_cost_budget_override", login="cost_manager")
        self.assertEqual(other.state, "submitted")
        self.assertEqual(other.override_ids.user_id, self.users["manager"])
