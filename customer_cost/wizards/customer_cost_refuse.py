from odoo import fields, models


class CustomerCostRefuse(models.TransientModel):
    """Asks for the reason of a refusal."""

    _name = "customer.cost.refuse"
    _description = "Refuse Costs"

    entry_ids = fields.Many2many("customer.cost.entry", string="Costs")
    move_ids = fields.Many2many("account.move", string="Bills")
    reason = fields.Text(required=True)

    def action_confirm(self):
        """Refuse the costs or bills with the reason given."""
        self.ensure_one()
        self.entry_ids._refuse(self.reason)
        self.move_ids._refuse(self.reason)
        return {"type": "ir.actions.act_window_close"}
