from odoo import api, fields, models


class CustomerCostRuleFixed(models.Model):
    """One receiver's fixed percentage of what a rule sends."""

    _name = "customer.cost.rule.fixed"
    _description = "Fixed Percentage"
    _order = "rule_id, customer_id, id"
    _check_company_auto = True

    rule_id = fields.Many2one("customer.cost.rule", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="rule_id.company_id", store=True, index=True)
    customer_id = fields.Many2one(
        "res.partner",
        required=True,
        index=True,
        ondelete="restrict",
        check_company=True,
    )
    percentage = fields.Float(string="%", digits=(9, 6), min_display_digits=2, required=True)

    _percentage_range = models.Constraint(
        "CHECK(percentage > 0 AND percentage <= 100)",
        "A fixed percentage lies above 0 and not above 100 %.",
    )

    @api.constrains("rule_id", "percentage")
    def _check_rule_total(self):
        # A percentage changed on its own has to fit as well as one changed through its rule.
        self.rule_id._check_method()
