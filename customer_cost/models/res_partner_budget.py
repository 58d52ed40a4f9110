from odoo import api, fields, models

from .res_partner import FIGURE_GROUPS


class ResPartner(models.Model):
    """What of the customer's own budgets of this year is used, committed and left."""

    _inherit = "res.partner"

    customer_cost_budget = fields.Json(
        string="Budgets This Year", compute="_compute_customer_cost_budget", groups=FIGURE_GROUPS
    )

    @api.depends_context("company", "uid", "lang")
    def _compute_customer_cost_budget(self):
        """Confirmed budgets in force today, as the user: only those they may read."""
        today = fields.Date.context_today(self)
        budgets = self.env["customer.cost.budget"].search(
            [
                ("customer_id", "in", self._origin.ids),
                ("company_id", "=", self.env.company.id),
                ("state", "=", "confirmed"),
                ("date_from", "<=", today),
                ("date_to", ">=", today),
            ]
        )
        usage = self.env["customer.cost.budget.report"]._read_usage(budgets) if budgets else {}
        for partner in self:
            partner.customer_cost_budget = [
                budget._get_bar(usage[budget.id])
                for budget in budgets
                if budget.customer_id == partner._origin
            ]

    def action_new_customer_cost_budget(self):
        """Open a new budget of this customer for the current fiscal year."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("New Budget"),
            "res_model": "customer.cost.budget",
            "view_mode": "form",
            "context": {"default_customer_id": self.commercial_partner_id.id},
        }
