from odoo import fields
from odoo.tests import HttpCase, tagged

from .common import CustomerCostCommon


@tagged("post_install", "-at_install")
class TestTourAlert(CustomerCostCommon, HttpCase):
    """From the preview of a rule to the resolved alert in a browser."""

    def test_preview_switch_on_acknowledge_resolve(self):
        # the browser has its own clock: figures follow today
        today = fields.Date.today()
        self.create_sale(self.customer_a, day=today)
        self.create_cost(date=today, amount=200.0, post=True)
        rule = (
            self.env["customer.cost.alert.rule"]
            .with_user(self.users["manager"])
            .create({"name": "Tour rule", "metric": "profit", "operator": "below"})
        )
        self.start_tour(
            f"/odoo/action-customer_cost.customer_cost_alert_rule_action/{rule.id}",
            "customer_cost_alert_rule",
            login="cost_manager",
        )
        alert = self.env["customer.cost.alert"].search([("rule_id", "=", rule.id)])
        self.assertEqual((alert.customer_id, alert.owner_id), (self.customer_a, self.rep))
        self.start_tour(
            "/odoo/customer-cost-alerts", "customer_cost_alert_resolve", login="cost_rep"
        )
        self.assertEqual((alert.state, alert.note), ("resolved", "Minimum order agreed on"))
        self.assertEqual(alert.resolved_by_id, self.rep)
