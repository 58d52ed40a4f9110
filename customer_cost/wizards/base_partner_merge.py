from odoo import api, models
from odoo.tools import SQL


class BasePartnerMergeAutomaticWizard(models.TransientModel):
    _inherit = "base.partner.merge.automatic.wizard"

    @api.model
    def _update_foreign_keys(self, src_partners, dst_partner):
        self._fold_captured_costs(src_partners | dst_partner)
        customer = dst_partner.commercial_partner_id
        left = (src_partners - src_partners.commercial_partner_id).commercial_partner_id
        self.env["customer.cost.alert"]._follow(src_partners.ids, dst_partner.id)
        res = super()._update_foreign_keys(src_partners, dst_partner)
        self.env["customer.cost.balance"]._follow(src_partners.ids, dst_partner.id)
        self.env["customer.cost.succession"]._record(src_partners.ids, dst_partner)
        # What named a contact of another customer names one of this customer now.
        for other in left - customer - src_partners:
            dst_partner._take_customer_costs(other.id, customer.id, dst_partner.ids)
        if dst_partner != customer:
            dst_partner._give_customer_costs(dst_partner.id, customer.id)
        return res

    @api.model
    def _fold_captured_costs(self, partners):
        """Make one captured cost of those that only the merged customers tell apart.

        A journal item has one cost per customer and cost item: without this, a bill shared by
        two customers would keep them from being merged.
        """
        self.env["customer.cost.entry"].flush_model()
        self.env["customer.cost.line"].flush_model()
        folded = self.env.execute_query(
            SQL(
                """SELECT min(id), array_agg(id), sum(amount), sum(amount_company),
                          min(state) FROM customer_cost_entry
                    WHERE source_line_id IS NOT NULL AND customer_id = ANY(%s)
                 GROUP BY source_line_id, item_id HAVING count(*) > 1""",
                partners.ids,
            )
        )
        for kept, entries, amount, amount_company, state in folded:
            self.env.cr.execute(
                SQL(
                    "UPDATE customer_cost_line SET entry_id = %s WHERE entry_id = ANY(%s)",
                    kept,
                    entries,
                )
            )
            self.env.cr.execute(
                SQL(
                    """UPDATE customer_cost_entry
                          SET amount = %s, amount_company = %s, state = %s WHERE id = %s""",
                    amount,
                    amount_company,
                    state,
                    kept,
                )
            )
            self.env.cr.execute(
                SQL(
                    "DELETE FROM customer_cost_entry WHERE id = ANY(%s) AND id <> %s",
                    entries,
                    kept,
                )
            )
