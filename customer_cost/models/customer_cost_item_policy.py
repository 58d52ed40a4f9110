from odoo import fields, models


class CustomerCostItem(models.Model):
    """The rules of a cost item, and what people have to know who record it."""

    _inherit = "customer.cost.item"

    policy_ids = fields.One2many(
        "customer.cost.policy", "item_id", string="Policies", context={"active_test": False}
    )
    policy_text = fields.Text(
        translate=True,
        help="Stands on the form where a cost of this item, or of one below it, is recorded.",
    )
