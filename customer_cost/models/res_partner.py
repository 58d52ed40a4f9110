from odoo import api, fields, models
from odoo.tools import date_utils

FIGURE_GROUPS = "customer_cost.group_customer_cost_rep,customer_cost.group_customer_cost_auditor"


class ResPartner(models.Model):
    """What a customer earns and costs; computed as the user, nothing stored on the partner."""

    _inherit = "res.partner"

    customer_cost_currency_id = fields.Many2one(
        "res.currency",
        string="Cost Currency",
        compute="_compute_customer_cost_currency_id",
        groups=FIGURE_GROUPS,
    )
    customer_cost_visible = fields.Boolean(
        string="Cost Figures Are Mine to See",
        compute="_compute_customer_cost_visible",
        groups=FIGURE_GROUPS,
    )
    customer_cost_figures = fields.Json(
        string="Profitability",
        compute="_compute_customer_cost_figures",
        groups=FIGURE_GROUPS,
    )

    @api.depends_context("company")
    def _compute_customer_cost_currency_id(self):
        self.customer_cost_currency_id = self.env.company.currency_id

    @api.depends("user_id", "parent_id")
    @api.depends_context("uid")
    def _compute_customer_cost_visible(self):
        """Customers of their own for sales reps, all for the other roles."""
        sees_all = self.env.user.has_groups(
            "customer_cost.group_customer_cost_user,customer_cost.group_customer_cost_auditor"
        )
        for partner in self:
            own = partner == partner.commercial_partner_id and bool(partner._origin)
            partner.customer_cost_visible = own and (sees_all or partner.user_id == self.env.user)

    @api.depends_context("company", "uid", "lang")
    def _compute_customer_cost_figures(self):
        figures = self.env["customer.cost.figures"]._get_figures(self._origin)
        for partner in self:
            partner.customer_cost_figures = figures.get(partner._origin.id, False)

    @api.model
    def _get_customer_cost_rolling(self, date=None):
        """First and last day of the 12 months that end with the month of ``date``, or today's."""
        last = date_utils.end_of(date or fields.Date.context_today(self), "month")
        return date_utils.start_of(date_utils.subtract(last, months=11), "month"), last

    def _get_customer_cost_domain(self, first, last):
        return [
            ("customer_id", "in", self._origin.ids),
            ("company_id", "=", self.env.company.id),
            ("month", ">=", first),
            ("month", "<=", last),
        ]

    def action_open_customer_cost(self):
        """Open the profitability report of this customer."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "customer_cost.customer_cost_profitability_action"
        )
        action["domain"] = [("customer_id", "=", self.commercial_partner_id.id)]
        action["context"] = {"search_default_group_month": 1}
        return action

    def action_new_customer_cost(self):
        """Record a cost of this customer that is not in the books."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("New Cost"),
            "res_model": "customer.cost.entry",
            "view_mode": "form",
            "context": {"default_customer_id": self.commercial_partner_id.id},
        }
