from odoo import fields, models


class CustomerCostPeriodReopen(models.TransientModel):
    """Asks for the reason to reopen closed periods."""

    _name = "customer.cost.period.reopen"
    _description = "Reopen Cost Periods"
    _inherit = ["customer.cost.dialog"]

    period_ids = fields.Many2many("customer.cost.period", string="Periods", required=True)
    reason = fields.Text(required=True)

    def action_confirm(self):
        """Reopen the periods with the reason given."""
        self.ensure_one()
        self.period_ids._reopen(self.reason)
        return {"type": "ir.actions.act_window_close"}
