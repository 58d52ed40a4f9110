from decimal import Decimal

from odoo import api, models
from odoo.tools import SQL

from ..models.customer_cost_account_map import (
    ACCOUNT_TYPES,
    GOODS_ACCOUNT_TYPES,
    RESULT_ACCOUNT_TYPES,
    SALES_ACCOUNT_TYPES,
)
from .customer_cost_profitability import SALES_TYPES


class CustomerCostTieOutSource(models.AbstractModel):
    """What the tie-out reads: one statement per store, whatever the number of rows.

    Amounts come back as exact decimals, in the sign of their store: journal items in debit less
    credit, cost positive.
    """

    _inherit = "customer.cost.tie.out"

    @api.model
    def _read(self, query):
        """Rows of ``query`` as dicts; its amounts, cast to text, as decimals."""
        return [self._to_decimals(row) for row in self.env.execute_query_dict(query)]

    @api.model
    def _to_decimals(self, row):
        return {
            name: Decimal(value or 0) if name.startswith("amount") else value
            for name, value in row.items()
        }

    @api.model
    def _sql_in_range(self, company, first, last, alias) -> SQL:
        alias = SQL.identifier(alias)
        return SQL(
            "%(alias)s.company_id = %(company)s AND %(alias)s.date BETWEEN %(first)s AND %(last)s",
            alias=alias,
            company=company.id,
            first=first,
            last=last,
        )

    # ------------------------------------------------------------
    # The books
    # ------------------------------------------------------------

    @api.model
    def _sql_closing(self, company, first, last) -> SQL:
        """Entries that open the books or carry the result to equity: no part of the sales."""
        return SQL(
            """SELECT id, 'closing' AS code FROM (%s) closing
                WHERE id NOT IN (SELECT account_opening_move_id FROM res_company
                                  WHERE id = %s AND account_opening_move_id IS NOT NULL)
            UNION ALL
               SELECT account_opening_move_id, 'opening' FROM res_company
                WHERE id = %s AND account_opening_move_id IS NOT NULL""",
            # the days of the items as well: their index leads to the few on such accounts
            self.env["customer.cost.capture"]._sql_closing(
                SQL(
                    "%s AND %s",
                    self._sql_in_range(company, first, last, "m"),
                    self._sql_in_range(company, first, last, "eq"),
                )
            ),
            company.id,
            company.id,
        )

    @api.model
    def _read_balances(self, company, first, last):
        """Every profit-and-loss account with posted items, straight from the journal items.

        Those of opening and closing entries stand in rows of their own.
        """
        return self._read(
            SQL(
                """WITH closing AS MATERIALIZED (%(closing)s)
                   SELECT l.account_id, a.account_type, closing.code, count(*) AS count,
                          sum(l.balance)::text AS amount
                     FROM account_move_line l
                     JOIN account_account a ON a.id = l.account_id
                LEFT JOIN closing ON closing.id = l.move_id
                    WHERE %(in_range)s AND l.parent_state = 'posted' AND l.balance <> 0
                      AND a.account_type IN %(types)s
                 GROUP BY l.account_id, a.account_type, closing.code""",
                closing=self._sql_closing(company, first, last),
                in_range=self._sql_in_range(company, first, last, "l"),
                types=RESULT_ACCOUNT_TYPES,
            )
        )

    @api.model
    def _sql_classified(self, company, first, last, accounts) -> SQL:
        """What the capture makes of the journal items of the range.

        :param accounts: condition on the journal item ``l`` and its account ``a``
        """
        capture = self.env["customer.cost.capture"]
        return SQL(
            "WITH candidate AS MATERIALIZED (%s) %s",
            capture._sql_candidates(self._sql_in_range(company, first, last, "m"), accounts),
            capture._sql_classified(),
        )

    @api.model
    def _sql_uncaptured(self, company, first, last) -> SQL:
        """What the capture leaves out or excludes; for cost of sales, what booked it."""
        return SQL(
            """SELECT c.id, c.account_id, a.account_type, c.excluded, c.left_out_reason, c.map_id,
                      c.amount,
                      CASE WHEN c.excluded IS DISTINCT FROM 'cost_of_sales' THEN NULL
                           WHEN source.display_type = 'cogs' THEN 'invoice_entries'
                           WHEN source.move_type IN ('in_invoice', 'in_refund', 'in_receipt')
                           THEN 'purchases'
                           ELSE 'other' END AS booked_by
                 FROM (%(classified)s) c
                 JOIN account_account a ON a.id = c.account_id
            LEFT JOIN LATERAL (
                   SELECT l.display_type, m.move_type
                     FROM account_move_line l JOIN account_move m ON m.id = l.move_id
                    WHERE l.id = c.id AND c.excluded = 'cost_of_sales') source ON TRUE
                WHERE c.item_id IS NULL
                  AND (a.account_type IN %(types)s OR c.excluded IS NULL)""",
            classified=self._sql_classified(
                company,
                first,
                last,
                SQL(
                    "(a.account_type IN %s OR a.id = ANY(%s))",
                    ACCOUNT_TYPES,
                    self._find_left_out_accounts(),
                ),
            ),
            types=ACCOUNT_TYPES,
        )

    @api.model
    def _read_uncaptured(self, company, first, last):
        return self._read(
            SQL(
                """SELECT account_id, account_type, excluded, left_out_reason, booked_by,
                          min(map_id) AS map_id, count(DISTINCT id) AS count,
                          sum(amount)::text AS amount
                     FROM (%s) item
                 GROUP BY account_id, account_type, excluded, left_out_reason, booked_by""",
                self._sql_uncaptured(company, first, last),
            )
        )

    @api.model
    def _read_captured(self, company, first, last):
        """What the ledger holds of the range's journal items, by the account they lie on now."""
        return self._read(
            SQL(
                """SELECT source.account_id, sum(l.amount)::text AS amount
                     FROM customer_cost_line l
                     JOIN customer_cost_entry e ON e.id = l.entry_id
                LEFT JOIN account_move_line source ON source.id = e.source_line_id
                    WHERE %s AND NOT l.statistical
                 GROUP BY source.account_id HAVING sum(l.amount) <> 0""",
                self._sql_origin_in_range(company, first, last),
            )
        )

    @api.model
    def _sql_origin_in_range(self, company, first, last) -> SQL:
        """Ledger lines ``l`` that are of the range by their accounting date."""
        return SQL("l.company_id = %s AND l.origin_date BETWEEN %s AND %s", company.id, first, last)

    # ------------------------------------------------------------
    # Sales
    # ------------------------------------------------------------

    @api.model
    def _sql_sales_items(self, company, first, last) -> SQL:
        """Items on sales accounts, and invoice lines elsewhere, with the reason that names them.

        ``amount`` is positive for sales; an invoice line elsewhere counts as sales of its customer
        and is taken back.
        """
        by_customer = SQL(
            """m.move_type IN %s AND l.display_type = 'product'
               AND m.commercial_partner_id IS NOT NULL""",
            SALES_TYPES,
        )
        on_sales_account = SQL(
            "(a.account_type IN %s AND closing.id IS NULL AND left_out.id IS NULL)",
            SALES_ACCOUNT_TYPES,
        )
        return SQL(
            """WITH closing AS MATERIALIZED (%(closing)s),
                    left_out AS MATERIALIZED (%(left_out)s)
               SELECT l.id,
                      CASE WHEN %(on_sales_account)s THEN -l.balance ELSE l.balance END AS amount,
                      CASE WHEN NOT %(on_sales_account)s THEN 'elsewhere'
                           WHEN %(by_customer)s THEN 'invoice'
                           WHEN m.move_type IN %(types)s AND l.display_type = 'product'
                           THEN 'no_customer'
                           WHEN m.move_type IN %(types)s THEN 'invoice_other'
                           WHEN m.journal_id = co.currency_exchange_journal_id THEN 'exchange'
                           WHEN EXISTS (SELECT FROM adjusting_entries__account_move adjusting
                                         WHERE adjusting.adjusting_entry_move_id = m.id)
                           THEN 'deferral'
                           WHEN j.type IN ('bank', 'cash', 'credit') THEN 'bank'
                           WHEN m.move_type <> 'entry' THEN 'bill'
                           ELSE 'entry' END AS reason
                 FROM account_move_line l
                 JOIN account_move m ON m.id = l.move_id
                 JOIN account_account a ON a.id = l.account_id
                 JOIN account_journal j ON j.id = m.journal_id
                 JOIN res_company co ON co.id = m.company_id
            LEFT JOIN closing ON closing.id = m.id
            LEFT JOIN left_out ON left_out.id = l.id
                WHERE %(in_range)s AND l.parent_state = 'posted' AND l.balance <> 0
                  AND (%(on_sales_account)s OR %(by_customer)s)""",
            closing=self._sql_closing(company, first, last),
            left_out=self._sql_left_out(company, first, last),
            in_range=self._sql_in_range(company, first, last, "l"),
            on_sales_account=on_sales_account,
            by_customer=by_customer,
            types=SALES_TYPES,
        )

    @api.model
    def _read_sales(self, company, first, last):
        """Sales by the reason that names them."""
        return self._read(
            SQL(
                """SELECT reason, count(*) AS count, sum(amount)::text AS amount
                     FROM (%s) item GROUP BY reason""",
                self._sql_sales_items(company, first, last),
            )
        )

    @api.model
    def _sql_goods_items(self, company, first, last) -> SQL:
        """Items on cost-of-sales accounts, with what booked them."""
        return SQL(
            """WITH closing AS MATERIALIZED (%(closing)s),
                    left_out AS MATERIALIZED (%(left_out)s)
               SELECT l.id, l.balance AS amount,
                      CASE WHEN l.display_type = 'cogs' THEN 'invoice_entries'
                           WHEN m.move_type IN ('in_invoice', 'in_refund', 'in_receipt')
                           THEN 'purchases' ELSE 'other' END AS booked_by
                 FROM account_move_line l
                 JOIN account_move m ON m.id = l.move_id
                 JOIN account_account a ON a.id = l.account_id
            LEFT JOIN closing ON closing.id = m.id
                WHERE %(in_range)s AND l.parent_state = 'posted' AND l.balance <> 0
                  AND a.account_type IN %(goods_types)s AND closing.id IS NULL
                  AND l.id NOT IN (SELECT id FROM left_out)""",
            closing=self._sql_closing(company, first, last),
            left_out=self._sql_left_out(company, first, last),
            in_range=self._sql_in_range(company, first, last, "l"),
            goods_types=GOODS_ACCOUNT_TYPES,
        )

    @api.model
    def _read_goods(self, company, first, last):
        """Cost of sales on accounts of that type, by what booked it."""
        return self._read(
            SQL(
                """SELECT booked_by, count(*) AS count, sum(amount)::text AS amount
                     FROM (%s) item GROUP BY booked_by""",
                self._sql_goods_items(company, first, last),
            )
        )
