from odoo import models

SALES_TYPES = ("out_invoice", "out_refund", "out_receipt")
# A change of one of these moves a posted sale to another customer or month.
SALES_KEYS = frozenset({"company_id", "date", "invoice_date", "partner_id"})
# A change of one of these on a posted entry may change what its items contribute.
CAPTURE_FIELDS = frozenset(
    {
        "adjusting_entry_origin_move_ids",
        "company_id",
        "currency_id",
        "date",
        "invoice_currency_rate",
        "invoice_date",
        "journal_id",
        "matched_payment_ids",
        "partner_id",
        "reversed_entry_id",
        "state",
    }
)


class AccountMove(models.Model):
    _inherit = "account.move"

    _customer_cost_sales_idx = models.Index(
        "(partner_id, date) WHERE state = 'posted' "
        "AND move_type IN ('out_invoice', 'out_refund', 'out_receipt')"
    )
    _customer_cost_draft_bills_idx = models.Index(
        "(company_id) WHERE state = 'draft' "
        "AND move_type IN ('in_invoice', 'in_refund', 'in_receipt')"
    )

    def write(self, vals):
        if not CAPTURE_FIELDS.intersection(vals):
            return super().write(vals)
        posted_before = self.filtered(lambda move: move.state == "posted")
        if posted_before and SALES_KEYS.intersection(vals):
            self.env["customer.cost.dirty"]._mark_moves(posted_before.ids)
        res = super().write(vals)
        posted = self.filtered(lambda move: move.state == "posted")
        concerned = posted_before | posted
        if concerned:
            self.env["customer.cost.capture"]._sync(concerned.ids)
        (posted - posted_before)._freeze_customer_cost()
        (posted_before - posted)._clear_customer_cost()
        return res

    def unlink(self):
        capture = self.env["customer.cost.capture"]
        move_ids = self.filtered(lambda move: move.state == "posted").ids
        if move_ids:
            self.env["customer.cost.dirty"]._mark_moves(move_ids)
            # Once the move is gone nothing names those that were made from it.
            move_ids += capture._lock_moves(capture._find_followers(move_ids))
        res = super().unlink()
        capture._sync(move_ids)
        return res

    def _sync_customer_cost(self):
        """Compare the ledger with these entries, whose items were changed."""
        if self:
            capture = self.env["customer.cost.capture"]
            capture._lock_moves(self.ids)
            capture._sync(self.ids)

    def _freeze_customer_cost(self):
        sales = self.filtered(lambda move: move.is_sale_document(include_receipts=True))
        if sales:
            self.env["account.move.line"]._freeze_product_cost(sales.ids)

    def _clear_customer_cost(self):
        sales = self.filtered(lambda move: move.is_sale_document(include_receipts=True))
        if sales:
            self.env["account.move.line"]._clear_product_cost(sales.ids)
