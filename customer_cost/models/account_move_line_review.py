from odoo import api, models

from ..fields import Many2oneUnchecked
from .review_appointments import CUSTOMER_BILL_TYPES

# What a person types on a bill line and a reviewer decides on.
SUBSTANCE_FIELDS = frozenset(
    {
        "account_id",
        "analytic_distribution",
        "cost_customer_id",
        "cost_item_id",
        "cost_request_id",
        "discount",
        "price_unit",
        "product_id",
        "quantity",
    }
)
EDITOR = "cost_review_editor_id"
# What can still be changed on a posted bill and decides for which customer it counts, and as what.
POSTED_FIELDS = frozenset(
    {
        "account_id",
        "analytic_distribution",
        "cost_customer_id",
        "cost_item_id",
        "cost_request_id",
    }
)


class AccountMoveLine(models.Model):
    """Who last changed the substance of a bill line: Odoo itself writes lines for many reasons."""

    _inherit = "account.move.line"

    cost_review_editor_id = Many2oneUnchecked(
        "res.users", string="Last Changed By", readonly=True, copy=False
    )

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        added = lines.filtered(
            lambda line: line.cost_customer_id or line.cost_request_id or line.analytic_distribution
        )
        added._get_posted_bills()._check_named_after_posting()
        return lines

    def write(self, vals):
        if EDITOR in vals:
            vals = {name: value for name, value in vals.items() if name != EDITOR}
        if SUBSTANCE_FIELDS.intersection(vals) and not self.env.su:
            companies = self.env["customer.cost.review.stage"]._get_bill_companies()
            if companies.intersection(self.company_id.ids):
                vals = {**vals, EDITOR: self.env.uid}
        bills = self._get_posted_bills() if POSTED_FIELDS.intersection(vals) else None
        if not bills:
            return super().write(vals)
        before = bills._get_posted_costs()
        res = super().write(vals)
        bills._check_changed_after_posting(before)
        return res

    def _get_posted_bills(self):
        posted = self.filtered(lambda line: line.parent_state == "posted")
        return posted.move_id.filtered(lambda move: move.move_type in CUSTOMER_BILL_TYPES)
