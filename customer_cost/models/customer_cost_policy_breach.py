from odoo import fields, models

from ..fields import Amount
from .customer_cost_policy import POLICY_KINDS, POLICY_LEVELS


class CustomerCostPolicyBreach(models.Model):
    """A policy that a submitted cost did not keep; written by the cost's own methods alone."""

    _name = "customer.cost.policy.breach"
    _description = "Policy Breach"
    _order = "date desc, id desc"
    _rec_name = "policy_id"

    entry_id = fields.Many2one(
        "customer.cost.entry",
        string="Cost",
        required=True,
        readonly=True,
        index=True,
        ondelete="cascade",
    )
    policy_id = fields.Many2one(
        "customer.cost.policy", required=True, readonly=True, index=True, ondelete="restrict"
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    kind = fields.Selection(POLICY_KINDS, string="Rule", required=True, readonly=True)
    level = fields.Selection(POLICY_LEVELS, required=True, readonly=True)
    figure = Amount(
        aggregator=None,
        readonly=True,
        help="What the cost came to: company currency, or days for a late cost.",
    )
    limit = Amount(
        aggregator=None, readonly=True, help="What the policy allowed, as the figure counts."
    )
    message = fields.Char(readonly=True)
    date = fields.Date(string="Submitted On", required=True, readonly=True)
    user_id = fields.Many2one("res.users", string="Submitted By", required=True, readonly=True)
    customer_id = fields.Many2one("res.partner", readonly=True, index="btree_not_null")
    item_id = fields.Many2one(
        "customer.cost.item", string="Cost Item", required=True, readonly=True
    )
