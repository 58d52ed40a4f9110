from odoo import api, models
from odoo.tools import SQL, split_every

from .account_move import SALES_TYPES
from .account_move_line_product_cost import FROZEN_FIELDS

# Moves whose lines one statement of the history fills.
ESTIMATE_BATCH = 5000
FROZEN_COLUMNS = sorted({*FROZEN_FIELDS, "customer_cost_unit"})
READ_COLUMNS = {
    "account.account": ["account_type"],
    "account.move": ["company_id", "date", "move_type", "reversed_entry_id", "state"],
    "account.move.line": [
        "account_id",
        "balance",
        "customer_cost_allowance",
        "customer_cost_origin_line",
        "display_type",
        "move_id",
        "product_id",
        "product_uom_id",
        "quantity",
        *FROZEN_COLUMNS,
    ],
    "product.category": ["customer_cost_source", "parent_path"],
    "product.product": ["product_tmpl_id", "standard_price"],
    "product.template": ["categ_id", "uom_id"],
}
# Columns of add-ons that may not be installed, and what stands for them then.
OPTIONAL_COLUMNS = {"cogs_origin_id": "NULL::int", "is_downpayment": "FALSE"}


class AccountMoveLine(models.Model):
    """Product cost is frozen when the invoice is posted, by one statement for all its lines."""

    _inherit = "account.move.line"

    @api.model
    def _freeze_product_cost(self, move_ids):
        """Store unit cost, cost and source on the product lines of posted customer invoices.

        Unit cost is in company currency per unit of the line; the amount carries the invoice's
        sign, rounded to the company currency. A line whose cost nobody knows keeps it empty.
        """
        self._store_product_cost(
            move_ids, valued=self.env["account.move"].browse(move_ids)._get_valued_unit_costs()
        )

    @api.model
    def _estimate_product_cost(self, company, first, last):
        """Fill the product cost of lines posted in the window whose cost nobody froze.

        Lines with a frozen or typed cost and months with a closed cost period stay as they are;
        so does a line whose cost nobody knows today either. What is filled is marked estimated.

        :param company: ``res.company`` whose invoices are filled
        :param first: first accounting date
        :param last: last accounting date
        :return: number of lines filled
        """
        moves = self._get_open_sales(
            company,
            first,
            last,
            SQL("COALESCE(l.customer_cost_source, 'unknown') = 'unknown'"),
        )
        filled = 0
        # A credit note takes the cost of the line it reverses: invoices are filled first.
        for is_refund in (False, True):
            chosen = [move_id for move_id, refund in moves if refund == is_refund]
            for batch in split_every(ESTIMATE_BATCH, chosen):
                filled += self._store_product_cost(batch, estimated=True)
                self.env["customer.cost.dirty"]._mark_moves(batch)
        return filled

    @api.model
    def _clear_estimated_product_cost(self, company, first, last):
        """Take back what ``_estimate_product_cost`` filled in the window.

        Months with a closed cost period keep it.

        :return: number of lines emptied
        """
        moves = self._get_open_sales(company, first, last, SQL("l.customer_cost_estimated"))
        move_ids = [move_id for move_id, _refund in moves]
        self.env["customer.cost.dirty"]._mark_moves(move_ids)
        return self._empty_product_cost(move_ids, SQL("customer_cost_estimated"))

    @api.model
    def _clear_product_cost(self, move_ids):
        """Empty the frozen cost of moves that are no longer posted; what was typed stays."""
        self._empty_product_cost(move_ids, SQL("customer_cost_source IS NOT NULL"))

    # ------------------------------------------------------------
    # Statements
    # ------------------------------------------------------------

    @api.model
    def _flush_cost_sources(self):
        for model, names in READ_COLUMNS.items():
            self.env[model].flush_model(names)
        self.flush_model([name for name in OPTIONAL_COLUMNS if name in self._fields])

    @api.model
    def _invalidate_product_cost(self, line_ids):
        if line_ids:
            lines = self.browse(line_ids)
            lines.invalidate_recordset(
                [
                    *FROZEN_COLUMNS,
                    "customer_cost_margin",
                    "customer_cost_margin_pct",
                    "customer_cost_typed",
                ],
                flush=False,
            )
            self.env["account.move"]._invalidate_customer_cost()

    @api.model
    def _get_open_sales(self, company, first, last, condition):
        """Posted customer invoices with a line that meets ``condition``, outside closed months.

        :return: list of ``(move id, is a credit note)``
        """
        self._flush_cost_sources()
        self.env["customer.cost.period"].flush_model()
        open_day = self.env["customer.cost.period"]._sql_first_open_day(
            SQL("m.company_id"), SQL("m.date")
        )
        return self.env.execute_query(
            SQL(
                """SELECT m.id, m.move_type = 'out_refund'
                     FROM account_move m
                    WHERE m.company_id = %(company)s AND m.state = 'posted'
                      AND m.date BETWEEN %(first)s AND %(last)s AND m.move_type IN %(types)s
                      AND EXISTS (SELECT FROM account_move_line l
                           WHERE l.move_id = m.id AND l.display_type = 'product'
                             AND %(condition)s)
                      AND %(open_day)s = m.date
                 ORDER BY m.id""",
                company=company.id,
                first=first,
                last=last,
                types=SALES_TYPES,
                condition=condition,
                open_day=open_day,
            )
        )

    @api.model
    def _store_product_cost(self, move_ids, valued=None, estimated=False):
        """Store what the product lines of these moves cost.

        :param valued: dict of line id to the unit cost that stock valuation found, per unit of
            the product
        :param estimated: fill only lines whose cost is unknown so far, and mark them
        :return: number of lines that changed
        """
        self._flush_cost_sources()
        valued = valued or {}
        if estimated:
            wanted = SQL(
                """COALESCE(own.customer_cost_source, 'unknown') = 'unknown'
                   AND found.source <> 'unknown'"""
            )
        else:
            wanted = SQL(
                """(l.customer_cost_unit, l.customer_cost_amount, l.customer_cost_source,
                    l.customer_cost_estimated)
                   IS DISTINCT FROM (found.unit, found.amount, found.source, NULL)"""
            )
        rows = self.env.execute_query(
            SQL(
                """UPDATE account_move_line l
                      SET customer_cost_unit = found.unit,
                          customer_cost_amount = found.amount,
                          customer_cost_source = found.source,
                          customer_cost_estimated = %(estimated)s
                     FROM (SELECT id, company_id, reversed_entry_id,
                                  move_type = 'out_refund' AS is_refund,
                                  CASE move_type WHEN 'out_refund' THEN -1 ELSE 1 END AS sign
                             FROM account_move
                            WHERE id = ANY(%(move_ids)s) AND state = 'posted'
                              AND move_type IN %(types)s) m
                     JOIN account_move_line own ON own.move_id = m.id
                          AND own.display_type = 'product'
               CROSS JOIN LATERAL (%(cost)s) found
                    WHERE l.id = own.id AND %(wanted)s
                RETURNING l.id""",
                estimated=True if estimated else None,
                move_ids=list(move_ids),
                types=SALES_TYPES,
                cost=self._sql_product_cost(valued),
                wanted=wanted,
            )
        )
        self._invalidate_product_cost([row[0] for row in rows])
        return len(rows)

    @api.model
    def _empty_product_cost(self, move_ids, condition):
        """Empty the cost of the lines of these moves that meet ``condition``, typed ones kept."""
        self.flush_model(["move_id", *FROZEN_COLUMNS])
        rows = self.env.execute_query(
            SQL(
                """UPDATE account_move_line
                      SET customer_cost_unit = CASE customer_cost_source
                              WHEN 'manual' THEN customer_cost_unit END,
                          customer_cost_amount = NULL, customer_cost_estimated = NULL,
                          customer_cost_source = CASE customer_cost_source
                              WHEN 'manual' THEN 'manual' END
                    WHERE move_id = ANY(%s) AND %s
                RETURNING id""",
                list(move_ids),
                condition,
            )
        )
        self._invalidate_product_cost([row[0] for row in rows])
        return len(rows)

    @api.model
    def _sql_product_cost(self, valued) -> SQL:
        """Unit cost, amount and source of line ``own`` of move ``m``; the first source wins.

        A credit note mirrors the line it reverses: with what the books say now where they said it
        then, else with the frozen cost, so that price, policy and category may change in between.
        The return that completes a line takes what is left of its cost, so that no cent remains.
        """
        return SQL(
            """SELECT choice.source, value.unit,
                      CASE WHEN choice.source = 'cogs' THEN booked.amount
                           WHEN choice.source = 'reversed'
                                AND returned.quantity + own.quantity = reversed.quantity
                                AND own.product_uom_id IS NOT DISTINCT FROM reversed.product_uom_id
                           THEN -reversed.customer_cost_amount - returned.amount
                           ELSE round(m.sign * own.quantity * value.unit, currency.decimal_places)
                      END AS amount
                 FROM res_company co
                 JOIN res_currency currency ON currency.id = co.currency_id
            LEFT JOIN product_product pp ON pp.id = own.product_id
            LEFT JOIN product_template pt ON pt.id = pp.product_tmpl_id
            LEFT JOIN product_category categ ON categ.id = pt.categ_id
            LEFT JOIN account_move_line reversed ON reversed.id = own.customer_cost_origin_line
                      AND m.is_refund AND reversed.move_id = m.reversed_entry_id
                      AND reversed.product_id IS NOT DISTINCT FROM own.product_id
                      AND reversed.customer_cost_unit IS NOT NULL
            LEFT JOIN LATERAL (%(returned)s) returned ON reversed.id IS NOT NULL
            LEFT JOIN uom_uom uom ON uom.id = own.product_uom_id
            LEFT JOIN uom_uom product_uom ON product_uom.id = pt.uom_id
            LEFT JOIN uom_uom reversed_uom ON reversed_uom.id = reversed.product_uom_id
            LEFT JOIN unnest(%(valued_ids)s::int[], %(valued_units)s::numeric[])
                      AS valuation(line_id, unit) ON valuation.line_id = own.id
            LEFT JOIN LATERAL (
                   SELECT c.customer_cost_source AS source FROM product_category c
                    WHERE c.id = ANY(string_to_array(
                              trim(trailing '/' from categ.parent_path), '/')::int[])
                      AND c.customer_cost_source IS NOT NULL
                 ORDER BY length(c.parent_path) DESC LIMIT 1) category ON TRUE
            LEFT JOIN LATERAL (
                   SELECT COALESCE(linked.amount, alike.amount) AS amount,
                          linked.amount IS NOT NULL AS is_linked
                     FROM (%(linked)s) linked CROSS JOIN (%(alike)s) alike) booked ON TRUE
            LEFT JOIN LATERAL (
                   SELECT NULLIF(COALESCE(
                       NULLIF((pp.standard_price ->> co.id::text)::numeric, 0),
                       (pp.standard_price ->> split_part(co.parent_path, '/', 1))::numeric), 0)
                       AS cost) price ON TRUE
           CROSS JOIN LATERAL (
                   SELECT CASE
                       WHEN own.customer_cost_source = 'manual' THEN 'manual'
                       WHEN m.is_refund AND own.customer_cost_allowance THEN 'allowance'
                       WHEN %(is_downpayment)s THEN 'downpayment'
                       WHEN reversed.customer_cost_source = 'cogs' AND booked.is_linked THEN 'cogs'
                       WHEN reversed.id IS NOT NULL THEN 'reversed'
                       WHEN category.source IN ('hours', 'none') THEN category.source
                       WHEN booked.amount IS NOT NULL THEN 'cogs'
                       WHEN valuation.unit IS NOT NULL THEN 'valuation'
                       WHEN price.cost IS NOT NULL THEN 'product'
                       ELSE 'unknown' END AS source) choice
           CROSS JOIN LATERAL (
                   SELECT CASE
                       WHEN choice.source IN ('allowance', 'downpayment', 'hours', 'none') THEN 0
                       WHEN choice.source = 'manual' THEN COALESCE(own.customer_cost_unit, 0)
                       WHEN choice.source = 'reversed'
                       THEN reversed.customer_cost_unit
                            * COALESCE(uom.factor / reversed_uom.factor, 1)
                       WHEN choice.source = 'cogs'
                       THEN m.sign * booked.amount / NULLIF(own.quantity, 0)
                       WHEN choice.source = 'valuation'
                       THEN valuation.unit * COALESCE(uom.factor / product_uom.factor, 1)
                       WHEN choice.source = 'product'
                       THEN price.cost * COALESCE(uom.factor / product_uom.factor, 1)
                       END AS unit) value
                WHERE co.id = m.company_id""",
            valued_ids=list(valued),
            valued_units=list(valued.values()),
            returned=self._sql_returned(),
            linked=self._sql_linked_cost_items(),
            alike=self._sql_alike_cost_items(),
            is_downpayment=self._sql_optional("own", "is_downpayment"),
        )

    @api.model
    def _sql_optional(self, alias, name) -> SQL:
        if name in self._fields:
            return SQL("%s.%s", SQL.identifier(alias), SQL.identifier(name))
        return SQL(OPTIONAL_COLUMNS[name])

    @api.model
    def _sql_returned(self) -> SQL:
        """What other posted credit notes returned of line ``reversed`` already."""
        return SQL(
            """SELECT COALESCE(sum(r.quantity), 0) AS quantity,
                      COALESCE(sum(r.customer_cost_amount), 0) AS amount
                 FROM account_move n
                 JOIN account_move_line r ON r.move_id = n.id
                      AND r.customer_cost_origin_line = reversed.id
                      AND r.customer_cost_source = 'reversed'
                      AND r.product_uom_id IS NOT DISTINCT FROM reversed.product_uom_id
                WHERE n.reversed_entry_id = m.reversed_entry_id AND n.state = 'posted'
                  AND n.id <> m.id"""
        )

    @api.model
    def _sql_linked_cost_items(self) -> SQL:
        """What the cost-of-sales items that name line ``own`` charge to profit and loss."""
        return SQL(
            """SELECT NULLIF(sum(c.balance), 0) AS amount
                 FROM account_move_line c JOIN account_account a ON a.id = c.account_id
                WHERE %s = own.id AND c.move_id = m.id AND c.display_type = 'cogs'
                  AND (a.account_type LIKE 'expense%%' OR a.account_type LIKE 'income%%')""",
            self._sql_optional("c", "cogs_origin_id"),
        )

    @api.model
    def _sql_alike_cost_items(self) -> SQL:
        """The line's part of cost-of-sales items that name no line, by product and unit.

        Lines alike share them by quantity, to the cent.
        """
        return SQL(
            """SELECT round(items.balance * lines.upto / lines.whole, currency.decimal_places)
                      - round(items.balance * (lines.upto - own.quantity) / lines.whole,
                              currency.decimal_places) AS amount
                 FROM (SELECT NULLIF(sum(c.balance), 0) AS balance
                         FROM account_move_line c JOIN account_account a ON a.id = c.account_id
                        WHERE c.move_id = m.id AND c.display_type = 'cogs' AND %s IS NULL
                          AND c.product_id = own.product_id
                          AND c.product_uom_id IS NOT DISTINCT FROM own.product_uom_id
                          AND (a.account_type LIKE 'expense%%' OR a.account_type LIKE 'income%%')
                      ) items
           CROSS JOIN (SELECT NULLIF(sum(p.quantity), 0) AS whole,
                              sum(p.quantity) FILTER (WHERE p.id <= own.id) AS upto
                         FROM account_move_line p
                        WHERE p.move_id = m.id AND p.display_type = 'product'
                          AND p.product_id = own.product_id
                          AND p.product_uom_id IS NOT DISTINCT FROM own.product_uom_id) lines""",
            self._sql_optional("c", "cogs_origin_id"),
        )

    def _copy_data_extend_business_fields(self, values):
        res = super()._copy_data_extend_business_fields(values)
        values["customer_cost_origin_line"] = self.id
        return res
