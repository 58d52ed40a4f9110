from odoo import fields, models

from .customer_cost_allocation import DETAIL_GROUPS


class ResPartner(models.Model):
    """Contract terms of a customer follow it."""

    _inherit = "res.partner"

    customer_cost_term_ids = fields.One2many(
        "customer.cost.term", "customer_id", string="Contract Terms", groups=DETAIL_GROUPS
    )

    def _give_customer_costs(self, old, new):
        self.env["customer.cost.term"]._check_terms_apart(self.browse([old, new]))
        return super()._give_customer_costs(old, new)

    def action_new_customer_cost_term(self):
        """Open a new contract term of this customer."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("New Contract Term"),
            "res_model": "customer.cost.term",
            "view_mode": "form",
            "context": {"default_customer_id": self.commercial_partner_id.id},
        }
