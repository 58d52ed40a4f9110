from odoo import fields, models


class CustomerCostReviewStage(models.Model):
    """A step of the review: initial, second, final."""

    _name = "customer.cost.review.stage"
    _description = "Review Stage"
    _inherit = ["mail.thread"]
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True, tracking=True)
    sequence = fields.Integer(default=10)
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company, index=True
    )
    active = fields.Boolean(default=True, tracking=True)
