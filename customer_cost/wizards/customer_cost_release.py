from odoo import fields, models
from odoo.exceptions import UserError


class CustomerCostRelease(models.TransientModel):
    """Asks why what is open of a request is released."""

    _name = "customer.cost.release"
    _description = "Release Requests"
    _inherit = ["customer.cost.dialog"]

    entry_ids = fields.Many2many("customer.cost.entry", string="Requests", required=True)
    reason = fields.Text(required=True)

    def action_confirm(self):
        """Release the rest of the requests with the reason given.

        :raises UserError: the reason is empty, or nothing is open
        """
        self.ensure_one()
        if not self.reason.strip():
            raise UserError(self.env._("Say why the rest is released."))
        self.entry_ids._release(self.reason)
        return {"type": "ir.actions.act_window_close"}
