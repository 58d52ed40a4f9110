from odoo import fields, models


class CustomerCostReviewStageCheck(models.Model):
    """A point of the standard that a stage reviews by."""

    _name = "customer.cost.review.stage.check"
    _description = "Point of a Review Stage"
    _order = "sequence, id"

    stage_id = fields.Many2one(
        "customer.cost.review.stage", required=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="stage_id.company_id", store=True, index=True)
    name = fields.Char(string="Point", required=True, translate=True)
    sequence = fields.Integer(default=10)
