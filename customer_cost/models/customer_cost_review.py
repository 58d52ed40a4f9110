from odoo import fields, models


class CustomerCostReview(models.Model):
    """What was decided on a cost, by whom, when and why; written by the entry's methods alone."""

    _name = "customer.cost.review"
    _description = "Review Decision"
    _order = "date desc, id desc"

    entry_id = fields.Many2one(
        "customer.cost.entry",
        string="Cost",
        required=True,
        readonly=True,
        index=True,
        ondelete="cascade",
    )
    company_id = fields.Many2one(related="entry_id.company_id", store=True, index=True)
    decision = fields.Selection(
        [("approved", "Approved"), ("refused", "Refused")], required=True, readonly=True
    )
    user_id = fields.Many2one("res.users", string="Reviewer", required=True, readonly=True)
    date = fields.Datetime(required=True, readonly=True)
    reason = fields.Char(readonly=True)
