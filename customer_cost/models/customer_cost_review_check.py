from odoo import fields, models


class CustomerCostReviewCheck(models.Model):
    """A point of a stage's checklist as it was at submission, and who ticked it."""

    _name = "customer.cost.review.check"
    _description = "Point of a Review"
    _order = "id"

    review_id = fields.Many2one(
        "customer.cost.review", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="review_id.company_id", store=True, index=True)
    name = fields.Char(string="Point", required=True, readonly=True)
    done_by_id = fields.Many2one("res.users", string="Ticked By", readonly=True)
    done_on = fields.Datetime(string="Ticked On", readonly=True)

    def action_tick(self):
        """Tick these points of the stages that await the user, or take the ticks back.

        :raises UserError: the user may not decide at the stage
        """
        self.check_access("read")
        for check in self:
            document = check.review_id._get_document()
            document._check_may_decide(ticked=False)
            if document.cost_review_id == check.review_id:
                done = not check.done_by_id
                # sudo: the check above is the right to tick
                check.sudo().write(
                    {
                        "done_by_id": done and self.env.uid,
                        "done_on": done and fields.Datetime.now(),
                    }
                )
