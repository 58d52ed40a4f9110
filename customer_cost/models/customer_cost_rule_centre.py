from odoo import api, fields, models

from ..fields import Quantity


class CustomerCostRuleCentre(models.Model):
    """What a receiving cost centre counts in a rule: kWh, heads, per cent."""

    _name = "customer.cost.rule.centre"
    _description = "Receiving Cost Centre"
    _inherit = ["customer.cost.rule.dated"]

    centre_id = fields.Many2one(
        "account.analytic.account",
        string="Cost Centre",
        required=True,
        index=True,
        ondelete="restrict",
        check_company=True,
    )
    weight = Quantity(
        required=True, help="Its part of what is sent, in any unit: kWh, heads, per cent."
    )

    _weight_not_negative = models.Constraint(
        "CHECK(weight >= 0)", "What a cost centre counts cannot be negative."
    )

    @api.constrains("rule_id", "centre_id", "date_from", "date_to")
    def _check_rule_centres(self):
        # A line changed on its own has to fit as well as one changed through its rule.
        self.rule_id._check_centres()
        for rule in self.rule_id:
            for centre, lines in rule.centre_ids.grouped("centre_id").items():
                rule._check_lines_apart(lines, centre.display_name)
