from odoo import fields, models

from ..fields import Amount, Many2oneUnchecked


class CustomerCostRunComparisonLine(models.Model):
    """What one customer carries of one cost item in two runs, and what the difference is due to."""

    _name = "customer.cost.run.comparison.line"
    _description = "Run Comparison by Customer and Cost Item"
    _log_access = False
    _order = "id"

    comparison_id = fields.Many2one(
        "customer.cost.run.comparison",
        required=True,
        readonly=True,
        index=True,
        ondelete="cascade",
    )
    company_id = Many2oneUnchecked("res.company", required=True, readonly=True)
    customer_id = fields.Many2one("res.partner", readonly=True, index=True, ondelete="cascade")
    item_id = Many2oneUnchecked(
        "customer.cost.item", string="Cost Item", required=True, readonly=True
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    before = Amount(readonly=True)
    after = Amount(readonly=True)
    difference = Amount(readonly=True)
    cost_change = Amount(string="Cost", readonly=True, help="Because other costs are in the pools.")
    driver_change = Amount(
        string="Drivers", readonly=True, help="Because the drivers have other quantities."
    )
    rule_change = Amount(
        string="Rules", readonly=True, help="Because other rules or terms share the cost out."
    )
