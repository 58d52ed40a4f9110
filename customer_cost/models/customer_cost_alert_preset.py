from odoo import api, models
from odoo.fields import Domain

# The rules that every company starts with; the other presets fill in a rule of their metric.
SHIPPED = ("profit", "to_serve", "overdue")


class CustomerCostAlertRule(models.Model):
    """Rules by figures most companies look at first: three ship, in preview only."""

    _name = "customer.cost.alert.rule"
    _inherit = ["customer.cost.alert.rule", "customer.cost.shipped"]

    @api.model
    def _create_presets(self, companies=None):
        """Give companies without any rule those to start with.

        :param companies: companies to look at, all of them by default
        """
        if companies is None:
            companies = self.env["res.company"].search(Domain.TRUE)
        administrator = self.env.ref("base.user_admin", raise_if_not_found=False)
        responsible = administrator or self.env.user
        taken = self.with_context(active_test=False).search(Domain.TRUE).company_id
        rules = self.with_context(lang="en_US", tracking_disable=True, mail_create_nosubscribe=True)
        presets = rules._get_presets()
        rules.create(
            [
                {**presets[metric], "company_id": company.id, "user_id": responsible.id}
                for company in companies - taken
                for metric in SHIPPED
            ]
        )._translate_shipped()

    @api.model
    def _get_presets(self):
        """Values of the presets by metric, in the language of the environment."""
        presets = [
            {
                "name": self.env._("Customers that lose money"),
                "metric": "profit",
                "window": "rolling",
                "operator": "below",
                "threshold": 0.0,
            },
            {
                "name": self.env._("Cost to serve above 30 % of sales"),
                "metric": "to_serve",
                "window": "rolling",
                "operator": "above",
                "threshold": 30.0,
            },
            {
                "name": self.env._("Receivables overdue for more than 60 days"),
                "metric": "overdue",
                "days": 60,
                "operator": "above",
                "threshold": 0.0,
            },
            {
                "name": self.env._("No contact for 90 days"),
                "metric": "contact",
                "operator": "above",
                "threshold": 90.0,
                "severity": "info",
            },
            {
                "name": self.env._("Budgets that end within 30 days with money left"),
                "metric": "budget_end",
                "operator": "below",
                "threshold": 30.0,
                "severity": "info",
            },
        ]
        return {preset["metric"]: preset for preset in presets}

    @api.onchange("metric")
    def _onchange_metric(self):
        """A new rule starts from the preset of its metric; a name that was typed stays."""
        presets = self._get_presets()
        preset = presets.get(self.metric)
        if self._origin or not preset:
            return
        names = {other["name"] for other in presets.values()}
        for name, value in preset.items():
            if name != "name" or not self.name or self.name in names:
                self[name] = value

    @api.model
    def _get_shipped_texts(self):
        return [preset["name"] for preset in self._get_presets().values()]

    def _get_shipped_fields(self):
        return [(self, "name")]
