from odoo import api, fields, models
from odoo.exceptions import AccessError


class ProductCategory(models.Model):
    _inherit = "product.category"

    customer_cost_source = fields.Selection(
        [
            ("product", "Product cost"),
            ("hours", "Hours: the cost is measured from time spent"),
            ("none", "No product cost"),
        ],
        string="Cost of Sales",
        tracking=True,
        groups="customer_cost.group_customer_cost_user,customer_cost.group_customer_cost_auditor",
        help="Where the product cost of a customer invoice line comes from. Left empty, the parent "
        "category decides; without one it is the product's cost. With hours, or without product "
        "cost, a line costs nothing itself and does not count as unknown.",
    )

    @api.model_create_multi
    def create(self, vals_list):
        if any(vals.get("customer_cost_source") for vals in vals_list) or self.env.context.get(
            "default_customer_cost_source"
        ):
            self._check_cost_accountant()
        return super().create(vals_list)

    def write(self, vals):
        if "customer_cost_source" in vals:
            self._check_cost_accountant()
        return super().write(vals)

    @api.model
    def _check_cost_accountant(self):
        accountant = "customer_cost.group_customer_cost_accountant"
        if not (self.env.su or self.env.user.has_group(accountant)):
            raise AccessError(
                self.env._(
                    "Only a cost accountant decides where the cost of a product category comes "
                    "from."
                )
            )
