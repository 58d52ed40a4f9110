from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date

# A change of one of these on a posted item may change what it contributes to the ledger.
CAPTURE_FIELDS = frozenset(
    {
        "account_id",
        "amount_currency",
        "analytic_distribution",
        "balance",
        "cost_customer_id",
        "cost_item_id",
        "cost_service_from",
        "cost_service_to",
        "credit",
        "currency_id",
        "deductible_amount",
        "debit",
        "discount",
        "display_type",
        "move_id",
        "name",
        "partner_id",
        "price_unit",
        "product_id",
        "quantity",
        "tax_ids",
    }
)
LINK_FIELDS = frozenset(
    {"cost_customer_id", "cost_item_id", "cost_service_from", "cost_service_to"}
)


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    cost_customer_id = fields.Many2one(
        "res.partner",
        string="Cost For Customer",
        index="btree_not_null",
        copy=True,
        check_company=True,
        tracking=True,
        help="The customer this cost serves. It is counted as a direct cost of that customer.",
    )
    cost_item_id = fields.Many2one(
        "customer.cost.item",
        index="btree_not_null",
        copy=True,
        check_company=True,
        tracking=True,
        help="Overrides the cost item that the account map finds.",
    )

    # ------------------------------------------------------------
    # Capture follows every change of a posted item
    # ------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        lines.filtered(lambda line: line.parent_state == "posted").move_id._sync_customer_cost()
        return lines

    def write(self, vals):
        if not CAPTURE_FIELDS.intersection(vals):
            return super().write(vals)
        if LINK_FIELDS.intersection(vals):
            self._check_cost_period_open()
        moves = self.move_id
        res = super().write(vals)
        (moves | self.move_id).filtered(lambda move: move.state == "posted")._sync_customer_cost()
        return res

    def _check_cost_period_open(self):
        """The links of a posted item stay once its cost period is closed."""
        period = self.env["customer.cost.period"]
        for move in self.move_id.filtered(lambda move: move.state == "posted"):
            if period._is_closed(move.company_id, move.date):
                raise UserError(
                    self.env._(
                        "%(entry)s: the cost period of %(date)s is closed. Its customer, cost "
                        "item and service period can no longer be changed.",
                        entry=move.display_name,
                        date=format_date(self.env, move.date),
                    )
                )

    def unlink(self):
        moves = self.move_id.filtered(lambda move: move.state == "posted")
        res = super().unlink()
        moves._sync_customer_cost()
        return res
