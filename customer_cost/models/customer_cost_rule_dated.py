from datetime import date

from odoo import fields, models


class CustomerCostRuleDated(models.AbstractModel):
    """A figure of a rule that holds for some days: it decides months that end on one of them."""

    _name = "customer.cost.rule.dated"
    _description = "Dated Figure of a Rule"
    _order = "rule_id, date_from, id"
    _check_company_auto = True

    rule_id = fields.Many2one("customer.cost.rule", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="rule_id.company_id", store=True, index=True)
    date_from = fields.Date(string="Valid From")
    date_to = fields.Date(string="Valid Until")

    _dates_in_order = models.Constraint(
        "CHECK(date_from IS NULL OR date_to IS NULL OR date_from <= date_to)",
        "It cannot end before it begins.",
    )

    def _get_start(self):
        return self.date_from or date.min

    def _get_end(self):
        return self.date_to or date.max

    def _is_valid(self, day):
        """Whether the figure holds on ``day``."""
        self.ensure_one()
        return self._get_start() <= day <= self._get_end()

    def _overlaps(self, other):
        """Whether both hold on the same day."""
        return max(self._get_start(), other._get_start()) <= min(self._get_end(), other._get_end())
