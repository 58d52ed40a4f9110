from odoo import fields, models
from odoo.exceptions import UserError
from odoo.fields import Command


class CustomerCostRequestPick(models.TransientModel):
    """Assigns open requests to the lines of a draft bill."""

    _name = "customer.cost.request.pick"
    _description = "Open Requests of a Bill"
    _inherit = ["customer.cost.dialog"]

    move_id = fields.Many2one("account.move", string="Bill", required=True, readonly=True)
    line_ids = fields.One2many("customer.cost.request.pick.line", "pick_id", string="Requests")

    def action_confirm(self):
        """Have the lines chosen settle the requests picked; without a line, add one.

        :raises UserError: nothing is picked, two requests share a line, or one cannot be settled
        """
        self.ensure_one()
        picked = self.line_ids.filtered("picked")
        if not picked:
            raise UserError(self.env._("Pick at least one request."))
        if len(picked.move_line_id) < len(picked.filtered("move_line_id")):
            raise UserError(
                self.env._("A bill line settles one request: split it to settle several.")
            )
        added = []
        for row in picked:
            if row.move_line_id:
                row.move_line_id.write(row._prepare_settling_vals())
            else:
                added.append(
                    Command.create(
                        row.request_id._prepare_bill_line_vals(
                            self.move_id.currency_id, self.move_id.invoice_date
                        )
                    )
                )
        if added:
            self.move_id.write({"invoice_line_ids": added})
        return {"type": "ir.actions.act_window_close"}
