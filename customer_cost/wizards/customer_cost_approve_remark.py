from odoo import fields, models


class CustomerCostApproveRemark(models.TransientModel):
    """What the reviewer should know of a cost before a bulk approval passes it."""

    _name = "customer.cost.approve.remark"
    _description = "Remark on a Cost of a Bulk Approval"
    _order = "id"

    wizard_id = fields.Many2one("customer.cost.approve", required=True, ondelete="cascade")
    entry_id = fields.Many2one("customer.cost.entry", string="Cost", required=True)
    customer_id = fields.Many2one(related="entry_id.customer_id", related_sudo=False)
    company_currency_id = fields.Many2one(
        related="entry_id.company_currency_id", related_sudo=False
    )
    amount_company = fields.Monetary(
        related="entry_id.amount_company",
        string="Amount",
        currency_field="company_currency_id",
        related_sudo=False,
    )
    level = fields.Selection(
        [
            ("duplicate", "Duplicate?"),
            ("block", "Blocks"),
            ("review", "One more stage"),
            ("warn", "Warning"),
        ],
        string="Kind",
        required=True,
    )
    text = fields.Text(string="Remark", required=True)
