from odoo import api, models

from ..fields import Quantity


class CustomerCostRuleCapacity(models.Model):
    """What can be done in a month with what the pool pays for."""

    _name = "customer.cost.rule.capacity"
    _description = "Practical Capacity"
    _inherit = ["customer.cost.rule.dated"]

    capacity = Quantity(
        string="Capacity a Month",
        required=True,
        help="Practical capacity of one month, in the unit of the standard, e.g. minutes.",
    )

    _capacity_positive = models.Constraint(
        "CHECK(capacity > 0)", "A practical capacity lies above 0."
    )

    @api.constrains("rule_id", "date_from", "date_to")
    def _check_rule_capacity(self):
        for rule in self.rule_id:
            rule._check_lines_apart(rule.capacity_ids, self.env._("the practical capacity"))
