from odoo import api, fields, models
from odoo.tools import SQL

from ..fields import KnownAmount
from .account_move import SALES_TYPES
from .account_move_line_product_cost import COST_READERS


class AccountMove(models.Model):
    """Costs that a customer invoice caused, beside the product cost of its lines.

    Named on the cost itself, or booked where the invoice was settled: a fee, a discount, a
    write-off, an exchange difference. What settles several invoices at once belongs to none.
    """

    _inherit = "account.move"

    customer_cost_entry_ids = fields.Many2many(
        "customer.cost.entry",
        string="Costs of This Invoice",
        compute="_compute_customer_cost_entries",
        groups=COST_READERS,
    )
    customer_cost_attributed = KnownAmount(
        string="Attributed Costs",
        compute="_compute_customer_cost_entries",
        groups=COST_READERS,
        help="Direct costs of the customer that this invoice caused, in company currency: those "
        "that name it and those booked with its payment.",
    )
    customer_cost_net_margin = KnownAmount(
        string="Margin after Costs",
        compute="_compute_customer_cost_entries",
        groups=COST_READERS,
    )

    @api.depends("move_type", "state", "customer_cost_margin")
    def _compute_customer_cost_entries(self):
        """Entries with a ledger amount and their total, two queries for all invoices."""
        sales = self.filtered(lambda move: move.state == "posted" and move.move_type in SALES_TYPES)
        found = {}
        for invoice_id, entry_id, amount in self._get_attributed_costs(sales._origin.ids):
            found.setdefault(invoice_id, {})[entry_id] = amount
        # The ids come from SQL: the rules of the reader choose among them, which look at companies.
        readable = self.env["customer.cost.entry"].search_fetch(
            [("id", "in", [entry_id for amounts in found.values() for entry_id in amounts])],
            ["company_id"],
        )
        for move in self:
            amounts = found.get(move._origin.id, {})
            entries = readable.filtered(lambda entry, amounts=amounts: entry.id in amounts)
            total = move.company_currency_id.round(sum(amounts[entry.id] for entry in entries))
            margin = move.customer_cost_margin
            move.customer_cost_entry_ids = entries
            move.customer_cost_attributed = total if move in sales else False
            move.customer_cost_net_margin = (
                False if margin is False else move.company_currency_id.round(margin - total)
            )

    @api.model
    def _get_attributed_costs(self, invoice_ids):
        """Return ``(invoice id, entry id, ledger amount)`` of the costs these invoices caused."""
        if not invoice_ids:
            return []
        self.env.flush_all()
        return self.env.execute_query(
            SQL(
                """WITH named AS (
                       SELECT l.cost_invoice_id AS invoice_id, l.id AS line_id
                         FROM account_move_line l WHERE l.cost_invoice_id = ANY(%(ids)s)),
                   direct AS MATERIALIZED (%(settling)s),
                   settling AS (
                       SELECT invoice_id, move_id FROM direct
                       UNION
                       SELECT direct.invoice_id, next.move_id
                         FROM direct CROSS JOIN LATERAL (%(next)s) next),
                   booked AS (
                       SELECT s.invoice_id, l.id AS line_id
                         FROM settling s JOIN account_move_line l ON l.move_id = s.move_id
                        WHERE l.cost_invoice_id IS NULL),
                   source AS (
                       SELECT n.invoice_id, e.id AS entry_id
                         FROM (SELECT * FROM named UNION SELECT * FROM booked) n
                         JOIN customer_cost_entry e ON e.source_line_id = n.line_id
                       UNION
                       SELECT e.invoice_id, e.id FROM customer_cost_entry e
                        WHERE e.invoice_id = ANY(%(ids)s))
                   SELECT s.invoice_id, s.entry_id, sum(c.amount)
                     FROM source s
                     JOIN account_move m ON m.id = s.invoice_id
                     JOIN res_partner p ON p.id = m.partner_id
                     JOIN customer_cost_line c ON c.entry_id = s.entry_id
                      AND c.customer_id = p.commercial_partner_id
                 GROUP BY s.invoice_id, s.entry_id HAVING sum(c.amount) <> 0
                 ORDER BY s.entry_id""",
                ids=list(invoice_ids),
                settling=self._sql_settling(list(invoice_ids)),
                next=self._sql_next_entries(SQL("direct.move_id")),
            )
        )

    @api.model
    def _sql_matched(self, move_id) -> SQL:
        """Entries that items of entry ``move_id`` are reconciled with, and their exchange entry.

        Correlated by hand: PostgreSQL would not push the condition into both halves.
        """
        return SQL(
            """SELECT c.move_id AS other_id, p.exchange_move_id
                 FROM account_move_line d
                 JOIN account_partial_reconcile p ON p.debit_move_id = d.id
                 JOIN account_move_line c ON c.id = p.credit_move_id
                WHERE d.move_id = %(move)s
            UNION ALL
               SELECT d.move_id, p.exchange_move_id
                 FROM account_move_line c
                 JOIN account_partial_reconcile p ON p.credit_move_id = c.id
                 JOIN account_move_line d ON d.id = p.debit_move_id
                WHERE c.move_id = %(move)s""",
            move=move_id,
        )

    @api.model
    def _sql_settling(self, invoice_ids) -> SQL:
        """Entries that settle one of the invoices and no other document."""
        return SQL(
            """SELECT invoice.id AS invoice_id, other.id AS move_id
                 FROM unnest(%(invoices)s::int[]) invoice(id)
           CROSS JOIN LATERAL (%(matched)s) own
                 JOIN account_move other ON other.id IN (own.other_id, own.exchange_move_id)
                      AND other.move_type = 'entry' AND other.state = 'posted'
                WHERE NOT EXISTS (
                      SELECT FROM (%(also)s) also
                        JOIN account_move document ON document.id = also.other_id
                       WHERE document.id <> invoice.id AND document.move_type <> 'entry')""",
            invoices=invoice_ids,
            matched=self._sql_matched(SQL("invoice.id")),
            also=self._sql_matched(SQL("other.id")),
        )

    @api.model
    def _sql_next_entries(self, move_id) -> SQL:
        """Entries reconciled with entry ``move_id`` and nothing else: the bank's, of a payment."""
        return SQL(
            """SELECT other.id AS move_id
                 FROM (%(matched)s) own
                 JOIN account_move other ON other.id = own.other_id
                      AND other.move_type = 'entry' AND other.state = 'posted'
                WHERE NOT EXISTS (SELECT FROM (%(also)s) also WHERE also.other_id <> %(move)s)""",
            matched=self._sql_matched(move_id),
            also=self._sql_matched(SQL("other.id")),
            move=move_id,
        )

    @api.model
    def _get_cost_invoice_problem(self, invoice, customer):
        """Return why a cost of ``customer`` cannot be one for ``invoice``, or ``False``."""
        if invoice.move_type not in SALES_TYPES:
            return self.env._(
                "%(entry)s is no customer invoice: a cost can be for an invoice, a receipt or a "
                "credit note of a customer.",
                entry=invoice.display_name,
            )
        owner = invoice.partner_id.commercial_partner_id
        if customer.commercial_partner_id != owner:
            return self.env._(
                "%(invoice)s is an invoice of %(owner)s, the cost is for %(customer)s. Choose an "
                "invoice of that customer, or leave the invoice empty.",
                invoice=invoice.display_name,
                owner=owner.display_name,
                customer=customer.display_name or self.env._("nobody"),
            )
        return False
