from odoo import api, models
from odoo.exceptions import UserError


class AccountAnalyticAccount(models.Model):
    _inherit = "account.analytic.account"

    @api.ondelete(at_uninstall=False)
    def _unlink_except_cost_centre(self):
        # sudo: a use the user may not see protects the account as well; the ledger has no key to it
        used = (
            self.env["customer.cost.line"]
            .sudo()
            .search([("cost_centre_id", "in", self.ids)], limit=1)
        )
        if used:
            raise UserError(
                self.env._(
                    "%(account)s is the cost centre of costs in the ledger. Archive it instead.",
                    account=used.cost_centre_id.display_name,
                )
            )
