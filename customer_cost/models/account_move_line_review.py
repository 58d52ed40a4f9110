from odoo import models

from ..fields import Many2oneUnchecked

# What a person types on a bill line and a reviewer decides on.
SUBSTANCE_FIELDS = frozenset(
    {
        "account_id",
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


class AccountMoveLine(models.Model):
    """Who last changed the substance of a bill line: Odoo itself writes lines for many reasons."""

    _inherit = "account.move.line"

    cost_review_editor_id = Many2oneUnchecked(
        "res.users", string="Last Changed By", readonly=True, copy=False
    )

    def write(self, vals):
        if EDITOR in vals:
            vals = {name: value for name, value in vals.items() if name != EDITOR}
        if SUBSTANCE_FIELDS.intersection(vals) and not self.env.su:
            companies = self.env["customer.cost.review.stage"]._get_bill_companies()
            if companies.intersection(self.company_id.ids):
                vals = {**vals, EDITOR: self.env.uid}
        return super().write(vals)
