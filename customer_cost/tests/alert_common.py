from odoo.tests import freeze_time

from .common import CustomerCostCommon

TODAY = "2025-06-15"


class AlertCommon(CustomerCostCommon):
    """Customer A, the rep's, loses 140.00 of 100.00 sales; B earns 590.00 of 1,000.00."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        clock = freeze_time(TODAY)
        clock.start()
        cls.addClassCleanup(clock.stop)
        cls.manager, cls.accountant = cls.users["manager"], cls.users["accountant"]
        cls.create_sale(cls.customer_a, day="2025-06-02")
        cls.create_sale(cls.customer_b, quantity=10, day="2025-06-02")
        cls.cost_a = cls.create_cost(date="2025-06-03", amount=200.0, post=True)
        cls.create_cost(date="2025-06-03", amount=10.0, customer_id=cls.customer_b.id, post=True)

    @classmethod
    def create_alert_rule(cls, on=True, user=None, **vals):
        """Rule of the manager: who loses money over 12 months."""
        rule = (
            cls.env["customer.cost.alert.rule"]
            .with_user(user or cls.users["manager"])
            .create(
                {
                    "name": "Loses money",
                    "company_id": cls.company.id,
                    "metric": "profit",
                    "operator": "below",
                    "threshold": 0.0,
                    **vals,
                }
            )
        )
        if on:
            rule.action_switch_on()
        return rule

    def alerts(self, rule):
        self.env.flush_all()
        self.env.invalidate_all()
        return self.env["customer.cost.alert"].sudo().search([("rule_id", "=", rule.id)])

    def evaluate(self, day=None):
        """What the scheduled action does, in this transaction."""
        rules = self.env["customer.cost.alert.rule"].sudo()
        rules = rules.search([("state", "!=", "preview"), ("company_id", "=", self.company.id)])
        with freeze_time(day or TODAY):
            rules._check_rules()

    def end_breach(self, day="2025-06-16"):
        """Customer A earns enough from ``day`` on."""
        with freeze_time(day):
            self.create_sale(self.customer_a, quantity=10, day=day)
            self.evaluate(day)

    def figures(self, rule):
        return {
            alert.customer_id or alert.item_id: round(alert.figure, 3)
            for alert in self.alerts(rule).filtered("lasting")
        }
