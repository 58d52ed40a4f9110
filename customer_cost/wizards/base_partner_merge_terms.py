from odoo import api, models


class BasePartnerMergeAutomaticWizard(models.TransientModel):
    """Contract terms of customers that become one."""

    _inherit = "base.partner.merge.automatic.wizard"

    @api.model
    def _update_foreign_keys(self, src_partners, dst_partner):
        self.env["customer.cost.term"]._check_terms_apart(src_partners | dst_partner)
        return super()._update_foreign_keys(src_partners, dst_partner)
