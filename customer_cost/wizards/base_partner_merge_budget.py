from odoo import api, models
from odoo.exceptions import UserError


class BasePartnerMergeAutomaticWizard(models.TransientModel):
    """Budgets and classes of customers that become one."""

    _inherit = "base.partner.merge.automatic.wizard"

    @api.model
    def _update_foreign_keys(self, src_partners, dst_partner):
        self._check_budgets_apart(src_partners | dst_partner)
        # From now on rows of one partner speak for the tags of all of them.
        self.env["customer.cost.class.member"]._keep_always(src_partners | dst_partner)
        return super()._update_foreign_keys(src_partners, dst_partner)

    @api.model
    def _check_budgets_apart(self, partners):
        """Two budgets in force would each count the cost that was planned for in both.

        :raises UserError: naming two confirmed budgets of different customers and the same months
        """
        # sudo: whoever merges customers need not know their budgets; only the names are shown
        budgets = (
            self.env["customer.cost.budget"]
            .sudo()
            .search([("customer_id", "in", partners.ids), ("state", "=", "confirmed")])
        )
        for budget in budgets:
            for other in budgets:
                if (
                    other.id > budget.id
                    and other.company_id == budget.company_id
                    and other.customer_id != budget.customer_id
                    and other.date_from <= budget.date_to
                    and budget.date_from <= other.date_to
                ):
                    raise UserError(
                        self.env._(
                            "The budgets %(budget)s and %(other)s cover the same months. Close "
                            "one of them, or revise the other to hold both plans, before the "
                            "customers become one.",
                            budget=budget.display_name,
                            other=other.display_name,
                        )
                    )
