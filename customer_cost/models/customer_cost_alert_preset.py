from odoo import api, models
from odoo.fields import Domain


class CustomerCostAlertRule(models.Model):
    """The rules that every company starts with, in preview only."""

    _inherit = "customer.cost.alert.rule"

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
        self.with_context(tracking_disable=True, mail_create_nosubscribe=True).create(
            [
                {**vals, "company_id": company.id, "user_id": responsible.id}
                for company in companies - taken
                for vals in self.with_context(
                    lang=company.partner_id.lang or self.env.lang
                )._get_presets()
            ]
        )

    @api.model
    def _get_presets(self):
        """Values of the rules, by figures most companies look at first."""
        return [
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
