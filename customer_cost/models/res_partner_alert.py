from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from .res_partner import FIGURE_GROUPS


class ResPartner(models.Model):
    """The alerts of a customer, as far as the user may see them."""

    _inherit = "res.partner"

    customer_cost_alert_count = fields.Integer(
        string="Open Cost Alerts",
        compute="_compute_customer_cost_alert_count",
        groups=FIGURE_GROUPS,
    )

    @api.depends_context("company", "uid")
    def _compute_customer_cost_alert_count(self):
        counts = dict(
            self.env["customer.cost.alert"]._read_group(
                [
                    ("customer_id", "in", self._origin.ids),
                    ("company_id", "=", self.env.company.id),
                    ("state", "!=", "resolved"),
                ],
                ["customer_id"],
                ["__count"],
            )
        )
        for partner in self:
            partner.customer_cost_alert_count = counts.get(partner._origin, 0)

    def action_open_customer_cost_alerts(self):
        """Open the alerts of this customer, the open ones first."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "customer_cost.customer_cost_alert_action"
        )
        action["domain"] = [("customer_id", "=", self.commercial_partner_id.id)]
        action["context"] = {"search_default_open": 1}
        return action

    def action_check_customer_cost_alerts(self):
        """Evaluate the company's alert rules for this customer now.

        :return: the customer's alerts
        :raises AccessError: the user may not see the customer's figures
        :raises UserError: no rule is switched on, or another evaluation is at work
        """
        self.ensure_one()
        self.check_access("read")
        if not self.customer_cost_visible:
            raise AccessError(self.env._("You may not see the figures of this customer."))
        # sudo: rules are the accountants'; whether one is broken the customer's reader may know
        rules = self.env["customer.cost.alert.rule"].sudo()
        rules = rules.search(
            [
                ("company_id", "=", self.env.company.id),
                ("state", "!=", "preview"),
                ("metric", "!=", "pool"),
            ]
        )
        if not rules:
            raise UserError(
                self.env._("No alert rule of %(company)s is on.", company=self.env.company.name)
            )
        rules._check_rules(self.ids)
        return self.action_open_customer_cost_alerts()
