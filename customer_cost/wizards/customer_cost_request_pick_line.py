from odoo import fields, models


class CustomerCostRequestPickLine(models.TransientModel):
    """One open request that fits a draft bill."""

    _name = "customer.cost.request.pick.line"
    _description = "Open Request of a Bill"
    _inherit = ["customer.cost.dialog"]
    _order = "id"

    pick_id = fields.Many2one("customer.cost.request.pick", required=True, ondelete="cascade")
    move_id = fields.Many2one(related="pick_id.move_id", related_sudo=False)
    picked = fields.Boolean()
    request_id = fields.Many2one("customer.cost.entry", required=True, readonly=True)
    date = fields.Date(related="request_id.date", related_sudo=False, string="Expected On")
    customer_id = fields.Many2one(related="request_id.customer_id", related_sudo=False)
    item_id = fields.Many2one(related="request_id.item_id", related_sudo=False)
    description = fields.Char(
        related="request_id.description", related_sudo=False, string="Purpose"
    )
    company_currency_id = fields.Many2one(
        related="request_id.company_currency_id", related_sudo=False
    )
    open_amount = fields.Monetary(
        related="request_id.open_amount",
        related_sudo=False,
        currency_field="company_currency_id",
    )
    move_line_id = fields.Many2one(
        "account.move.line",
        string="Bill Line",
        domain="[('move_id', '=', move_id), ('display_type', '=', 'product')]",
        help="Left empty, the bill gets a line of its own for the request.",
    )

    def _prepare_settling_vals(self):
        request = self.request_id
        vals = {
            "cost_request_id": request.id,
            "cost_customer_id": request.customer_id.id,
        }
        return (
            vals if self.move_line_id.cost_item_id else {**vals, "cost_item_id": request.item_id.id}
        )
