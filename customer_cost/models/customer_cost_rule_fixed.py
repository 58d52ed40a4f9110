from odoo import fields, models


class CustomerCostRuleFixed(models.Model):
    """One receiver's fixed percentage of what a rule sends."""

    _name = "customer.cost.rule.fixed"
    _description = "Fixed Percentage"
    _order = "rule_id, customer_id, id"

    rule_id = fields.Many2one(
        "customer.cost.rule", required=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="rule_id.company_id", store=True, index=True)
    customer_id = fields.Many2one(
        "res.partner", string="Customer", required=True, index=True, ondelete="restrict"
    )
    percentage = fields.Float(string="%", digits=(9, 6), required=True)

    _percentage_range = models.Constraint(
        "CHECK(percentage > 0 AND percentage <= 100)",
        "A fixed percentage lies above 0 and not above 100 %.",
    )
