from odoo import api, models
from odoo.tools import SQL

from ..models.customer_cost_account_map import INVOICE_ACCOUNT_TYPES


class CustomerCostTieOutLeftOut(models.AbstractModel):
    """What rows of the map leave out of sales and cost of sales."""

    _inherit = "customer.cost.tie.out"

    @api.model
    def _find_left_out_accounts(self):
        """Accounts of sales and cost of sales that rows of the map leave out, or items of them."""
        rows = self.env.execute_query(
            SQL(
                """SELECT DISTINCT a.id
                     FROM customer_cost_account_map r JOIN account_account a ON a.id = r.account_id
                    WHERE a.account_type IN %s AND (r.active OR r.effective_to IS NOT NULL)""",
                INVOICE_ACCOUNT_TYPES,
            )
        )
        return [account for (account,) in rows]

    @api.model
    def _sql_left_out(self, company, first, last, account_id=None) -> SQL:
        """Ids of the items of sales and cost of sales, or of one of their accounts, that a row of
        the map leaves out.
        """
        accounts = self._find_left_out_accounts()
        if account_id:
            accounts = [account for account in accounts if account == account_id]
        if not accounts:
            return SQL("SELECT NULL::int AS id WHERE FALSE")
        return SQL(
            "SELECT id FROM (%s) item WHERE excluded IS NULL",
            self._sql_classified(company, first, last, SQL("a.id = ANY(%s)", accounts)),
        )

    @api.model
    def _get_kept_domain(self, window, account_id=None):
        """Items, or items of an account, that no row leaves out of sales or cost of sales."""
        _model, left_out = self._find_ids(self._sql_left_out(*window, account_id))
        return ~left_out
