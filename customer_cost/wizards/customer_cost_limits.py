from odoo import api, fields, models

from ..models.res_partner_limits import LIMIT_FIELDS


class CustomerCostLimits(models.TransientModel):
    """Sets a customer's own limits: keeping them takes no right to edit contacts."""

    _name = "customer.cost.limits"
    _description = "Limits of a Customer"

    partner_id = fields.Many2one("res.partner", string="Customer", required=True, readonly=True)
    currency_id = fields.Many2one("res.currency", default=lambda self: self.env.company.currency_id)
    customer_cost_limit_month = fields.Monetary(
        string="Monthly Limit",
        compute="_compute_limits",
        store=True,
        readonly=False,
        help="Direct and committed cost of a calendar month. 0: no limit.",
    )
    customer_cost_limit_year = fields.Monetary(
        string="Yearly Limit",
        compute="_compute_limits",
        store=True,
        readonly=False,
        help="Direct and committed cost of a fiscal year. 0: no limit.",
    )
    customer_cost_limit_to_serve_pct = fields.Float(
        string="Cost to Serve Limit",
        digits=(9, 2),
        compute="_compute_limits",
        store=True,
        readonly=False,
        help="Percent of net sales, of the last 12 months. 0: no limit.",
    )
    customer_cost_limit_margin_pct = fields.Float(
        string="Minimum Margin",
        digits=(9, 2),
        compute="_compute_limits",
        store=True,
        readonly=False,
        help="Customer profit in percent of net sales, of the last 12 months. 0: no limit.",
    )

    @api.depends("partner_id")
    def _compute_limits(self):
        for dialog in self:
            for name in LIMIT_FIELDS:
                dialog[name] = dialog.partner_id[name]

    def action_save(self):
        """Store the limits on the customer, for the current company.

        :raises AccessError: the user is no cost accountant, or may not read the customer
        :raises ValidationError: a limit is no number from 0
        """
        self.ensure_one()
        partner = self.partner_id
        partner._check_may_limit()
        partner.check_access("read")
        # sudo: the role was checked, and only the limits are written
        partner.sudo().write({name: self[name] for name in LIMIT_FIELDS})
        return {"type": "ir.actions.act_window_close"}
