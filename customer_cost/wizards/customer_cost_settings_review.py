from odoo import api, fields, models
from odoo.fields import Command

from ..models.review_appointments import OWN_APPROVAL, Appointments


class CustomerCostSettingsReview(models.TransientModel):
    """Where one person alone may decide, they can be allowed to approve their own costs."""

    _inherit = "customer.cost.settings"

    sole_reviewer_id = fields.Many2one(
        "res.users", string="Only Reviewer", compute="_compute_sole_reviewer_id"
    )
    own_approval = fields.Boolean(
        string="May Approve Own Costs",
        default=lambda self: bool(self._get_sole_reviewer() & self._get_own_approvers()),
        help="The only reviewer of the company may then decide on what they recorded themselves. "
        "Each use is logged on the cost.",
    )

    @api.depends("company_id")
    def _compute_sole_reviewer_id(self):
        for settings in self:
            settings.sole_reviewer_id = settings._get_sole_reviewer()

    def _get_sole_reviewer(self):
        """The only reviewer of the company, or nobody."""
        company = self.company_id or self.env.company
        reviewers = Appointments(self.env).get_eligible(company, is_bill=False)
        return reviewers if len(reviewers) == 1 else reviewers.browse()

    def _get_own_approvers(self):
        return Appointments(self.env).get_members(OWN_APPROVAL)

    def action_save(self):
        """Store the settings, and the right to approve own costs of the only reviewer.

        :raises AccessError: as without it
        """
        action = super().action_save()
        sole = self._get_sole_reviewer()
        if sole and self.own_approval != bool(sole & self._get_own_approvers()):
            change = Command.link if self.own_approval else Command.unlink
            # sudo: the role was checked above; this one right of the only reviewer
            self.env.ref(OWN_APPROVAL).sudo().user_ids = [change(sole.id)]
        return action
