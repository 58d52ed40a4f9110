from odoo import fields, models

from ..fields import Amount

KINDS = [
    ("direct", "Direct cost"),
    ("indirect", "Indirect cost"),
    ("captured", "Captured already"),
    ("closed", "Period closed"),
    ("left_out", "Left out"),
    ("excluded", "No cost to serve"),
]


class CustomerCostHistoryLine(models.Model):
    """One row of a history's preview: an account and what becomes of its journal items."""

    _name = "customer.cost.history.line"
    _description = "History Preview Line"
    _inherit = ["customer.cost.account.mixin"]
    _order = "id"

    history_id = fields.Many2one(
        "customer.cost.history", required=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="history_id.company_id", store=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    kind = fields.Selection(KINDS, required=True, readonly=True)
    reason = fields.Char(readonly=True)
    account_id = fields.Many2one(
        "account.account", required=True, readonly=True, ondelete="cascade"
    )
    item_id = fields.Many2one(
        "customer.cost.item", string="Cost Item", readonly=True, ondelete="cascade"
    )
    line_count = fields.Integer(string="Journal Items", readonly=True)
    amount = Amount(readonly=True)
