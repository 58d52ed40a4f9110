from odoo import fields, models


class CustomerCostApproveSkipped(models.TransientModel):
    """A cost that a bulk approval leaves out, and why."""

    _name = "customer.cost.approve.skipped"
    _description = "Cost Left Out of a Bulk Approval"

    wizard_id = fields.Many2one("customer.cost.approve", required=True, ondelete="cascade")
    entry_id = fields.Many2one("customer.cost.entry", string="Cost", required=True)
    reason = fields.Text(required=True)
