from odoo import fields, models

from ..models.review_appointments import BOOK_GROUPS


class CustomerCostRefuse(models.TransientModel):
    """Asks for the reason of a refusal."""

    _name = "customer.cost.refuse"
    _description = "Refuse Costs"
    _inherit = ["customer.cost.dialog"]

    entry_ids = fields.Many2many("customer.cost.entry", string="Costs")
    move_ids = fields.Many2many("account.move", string="Bills", groups=BOOK_GROUPS)
    reason = fields.Text(required=True)

    def action_confirm(self):
        """Refuse the costs or bills with the reason given."""
        self.ensure_one()
        # sudo: which bills the dialog names; the rights on them are the user's again
        documents = self.entry_ids or self.sudo().move_ids.sudo(False)
        documents._refuse(self.reason)
        return {"type": "ir.actions.act_window_close"}
