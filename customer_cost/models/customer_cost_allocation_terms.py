from odoo import api, fields, models

from .customer_cost_allocation import DETAIL_GROUPS


class CustomerCostAllocationTerms(models.Model):
    """An allocated amount names the contract terms of its customer."""

    _inherit = "customer.cost.allocation"

    term_text = fields.Char(
        string="Contract Terms",
        compute="_compute_term_text",
        help="What the customer agreed on, as it was when the run was computed.",
    )
    has_terms = fields.Boolean(compute="_compute_has_terms", groups=DETAIL_GROUPS)

    @api.depends("step_id", "customer_id", "item_id")
    @api.depends_context("lang", "uid")
    def _compute_term_text(self):
        # With a percentage and its own amount a rep would know the pool.
        with_pool = self.env.user.has_groups(DETAIL_GROUPS)
        for row in self:
            # sudo: what its customer agreed on is part of an amount that the reader may see
            row.term_text = row.step_id.sudo()._describe_terms(
                row.customer_id,
                row.item_id.sudo(),  # sudo: as above
                with_pool,
            )

    @api.depends("step_id")
    def _compute_has_terms(self):
        for row in self:
            # sudo: the field carries the groups that may see a step
            row.has_terms = bool(row.step_id.sudo().terms)
