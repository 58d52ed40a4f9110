from odoo import api, models
from odoo.tools import SQL


class CustomerCostCapture(models.AbstractModel):
    """Which posted journal items are a customer cost, and which item."""

    _inherit = "customer.cost.capture"

    # ------------------------------------------------------------
    # Which journal items, which item
    # ------------------------------------------------------------

    @api.model
    def _sql_may_be_mapped(self, follow=True) -> SQL:
        """Condition on item ``l`` of move ``m``: whether it can be a customer cost at all.

        :param follow: also by following others
        """
        return SQL(
            """(l.cost_item_id IS NOT NULL OR l.account_id IN (
                   SELECT account_id FROM customer_cost_account_map
                    WHERE active OR effective_to IS NOT NULL)
                OR %s)""",
            self._sql_may_follow() if follow else SQL("FALSE"),
        )

    @api.model
    def _sql_candidates(self, moves, lines, since_start=True, posted=True) -> SQL:
        """Posted journal items with what the map looks at.

        ``excluded`` says why an item is never a customer cost, or is NULL.

        :param moves: condition on the journal entry ``m``
        :param lines: condition on the journal item ``l`` and its account ``a``
        :param since_start: exclude what was posted before the start and not brought in since
        :param posted: posted items with an amount only, not whatever others may follow
        """
        return SQL(
            """WITH closing AS MATERIALIZED (%(closing)s),
                    stock_closing AS MATERIALIZED (%(stock_closing)s)
               SELECT l.id, l.move_id, m.company_id, m.date, m.journal_id, j.type AS journal_type,
                      l.account_id, a.account_type, l.display_type, l.partner_id,
                      partner.commercial_partner_id, l.balance,
                      l.currency_id, l.amount_currency, COALESCE(l.name, '') AS name,
                      l.cost_customer_id, l.cost_item_id, analytic.distribution,
                      ARRAY(SELECT unnest(string_to_array(key, ','))
                              FROM jsonb_object_keys(analytic.distribution) key) AS analytic_ids,
                      string_to_array(trim(trailing '/' from co.parent_path), '/')::int[]
                          AS company_path,
                      string_to_array(trim(trailing '/' from categ.parent_path), '/')::int[]
                          AS categ_path,
                      company_currency.decimal_places AS digits,
                      line_currency.decimal_places AS currency_digits,
                      co.customer_cost_plan_id AS customer_plan_id,
                      COALESCE(co.customer_cost_centre_plan_id, co.customer_cost_plan_id)
                          AS centre_plan_id,
                      %(service)s, %(excluded)s AS excluded
                 FROM account_move m
                 JOIN account_move_line l ON l.move_id = m.id
                 JOIN account_account a ON a.id = l.account_id
                 JOIN account_journal j ON j.id = m.journal_id
                 JOIN res_company co ON co.id = m.company_id
                 JOIN res_currency company_currency ON company_currency.id = co.currency_id
                 JOIN res_currency line_currency ON line_currency.id = l.currency_id
            LEFT JOIN res_partner partner ON partner.id = l.partner_id
            LEFT JOIN product_product pp ON pp.id = l.product_id
            LEFT JOIN product_template pt ON pt.id = pp.product_tmpl_id
            LEFT JOIN product_category categ ON categ.id = pt.categ_id
           CROSS JOIN LATERAL (
                   SELECT CASE WHEN jsonb_typeof(l.analytic_distribution) = 'object'
                               THEN l.analytic_distribution END AS distribution) analytic
                WHERE %(moves)s AND %(lines)s AND %(posted)s""",
            posted=SQL("m.state = 'posted' AND l.balance <> 0" if posted else "TRUE"),
            moves=moves,
            lines=lines,
            closing=self._sql_closing(moves),
            stock_closing=self._sql_stock_closing(moves),
            excluded=self._sql_excluded(since_start),
            service=self._sql_service(),
        )

    @api.model
    def _sql_classified(self, applied=None, follow=True) -> SQL:
        """Candidates with what becomes of them: the cost item named on them, else the map's.

        A row of the map can leave items of sales or cost of sales out, and nothing else; these
        follow nobody. ``amount`` is the part of the balance that a row stands for,
        ``currency_part`` that of the document's amount. ``item_id`` is empty where the item is
        left out, by ``left_out_reason`` of the map row or because no row matches. An item that
        follows others has a row for each cost item, and each reason, of theirs.

        :param applied: map rows and month, as in their ``_sql_in_effect``
        :param follow: whether a candidate may follow others
        """
        match = self.env["customer.cost.account.map"]._sql_match(applied)
        if not follow:
            return SQL(
                """SELECT DISTINCT ON (c.id) c.*, c.balance AS amount,
                          c.amount_currency AS currency_part,
                          CASE WHEN c.cost_item_id IS NULL THEN r.id END AS map_id,
                          CASE WHEN c.excluded IS NULL THEN COALESCE(c.cost_item_id, r.item_id)
                          END AS item_id,
                          CASE WHEN c.cost_item_id IS NULL THEN r.left_out_reason END
                              AS left_out_reason,
                          ARRAY[c.id] AS source_ids,
                          ARRAY[c.cost_customer_id] AS source_customer_ids,
                          ARRAY[1::numeric] AS source_shares,
                          ARRAY[c.service_from] AS source_froms, ARRAY[c.service_to] AS source_tos
                     FROM candidate c
                LEFT JOIN customer_cost_account_map r ON c.excluded IS NULL AND %s
                 ORDER BY c.id, r.sequence, COALESCE(r.origin_id, r.id)""",
                match,
            )
        return SQL(
            """SELECT * FROM (
               WITH RECURSIVE %(lineage)s,
                    base AS MATERIALIZED (%(base)s),
                    source AS (SELECT * FROM candidate
                         UNION ALL SELECT * FROM base
                                    WHERE id NOT IN (SELECT id FROM candidate)),
                    matched AS MATERIALIZED (
                   SELECT DISTINCT ON (c.id) c.id, c.account_type,
                          CASE WHEN r.id IS NULL THEN c.excluded END AS excluded,
                          c.excluded IS NOT NULL AS is_settled, r.id AS map_id, r.item_id,
                          r.left_out_reason
                     FROM source c
                LEFT JOIN customer_cost_account_map r
                       ON (c.excluded IS NULL OR c.excluded = 'account' AND r.item_id IS NULL)
                      AND %(match)s
                 ORDER BY c.id, r.sequence, COALESCE(r.origin_id, r.id)),
                    outcome AS (%(outcome)s),
                    gathered AS (
                   SELECT id, excluded, item_id, left_out_reason, min(map_id) AS map_id,
                          sum(share) AS share, array_agg(source_id) AS source_ids,
                          array_agg(cost_customer_id) AS source_customer_ids,
                          array_agg(share) AS source_shares,
                          array_agg(service_from) AS source_froms,
                          array_agg(service_to) AS source_tos
                     FROM outcome GROUP BY id, excluded, item_id, left_out_reason)
               SELECT c.id, c.move_id, c.company_id, c.date, c.journal_id, c.account_id,
                      c.partner_id, c.balance, c.currency_id, c.amount_currency, c.name, c.digits,
                      c.currency_digits, c.company_path, d.excluded, d.map_id, d.item_id,
                      d.left_out_reason, d.source_ids, d.source_customer_ids, d.source_shares,
                      d.source_froms, d.source_tos, %(amount)s AS amount,
                      %(currency_part)s AS currency_part
                 FROM candidate c JOIN gathered d ON d.id = c.id
               WINDOW item AS (PARTITION BY c.id)) classified""",
            lineage=self._sql_lineage(),
            base=self._sql_candidates(
                SQL("m.id = ANY(ARRAY(SELECT origin_id FROM hop))"),
                SQL("l.id IN (SELECT source_id FROM leaf WHERE source_id <> id)"),
                since_start=False,
                posted=False,
            ),
            match=match,
            outcome=self._sql_outcome(),
            amount=self._sql_part(SQL("c.balance"), SQL("c.digits")),
            currency_part=self._sql_part(SQL("c.amount_currency"), SQL("c.currency_digits")),
        )

    @api.model
    def _sql_outcome(self) -> SQL:
        """What becomes of each leaf: its own item, else what became of its source.

        Tax on goods is cost of sales as the goods are, and what was made from an excluded entry
        is excluded. A discount on a sale is in the net sales. Where the source lies on the balance
        sheet, or is no row of the map's business, the account of the item itself decides.
        """
        return SQL(
            """SELECT f.id, f.source_id, f.share, f.cost_customer_id, f.service_from,
                      f.service_to, said.*
                 FROM leaf f
                 JOIN candidate c ON c.id = f.id
                 JOIN matched own ON own.id = f.id
                 JOIN matched s ON s.id = f.source_id
           CROSS JOIN LATERAL (
                   SELECT CASE WHEN s.excluded = 'account' AND s.account_type = 'income'
                                    AND c.display_type IN ('discount', 'epd') THEN 'sale_discount'
                               WHEN s.excluded = 'account'
                                    AND s.account_type = 'expense_direct_cost'
                               THEN 'cost_of_sales'
                               WHEN s.excluded IN ('closing', 'cost_of_sales', 'journal', 'opening')
                               THEN s.excluded END AS excluded) followed
           CROSS JOIN LATERAL (
                   SELECT own.excluded, NULL::int AS item_id, own.map_id, own.left_out_reason
                    WHERE own.is_settled
                UNION ALL
                   SELECT NULL, f.cost_item_id, NULL, NULL
                    WHERE NOT own.is_settled AND f.cost_item_id IS NOT NULL
                UNION ALL
                   SELECT followed.excluded, NULL, NULL, NULL
                    WHERE NOT own.is_settled AND f.cost_item_id IS NULL
                      AND followed.excluded IS NOT NULL
                UNION ALL
                   SELECT NULL, found.item_id, found.map_id, found.left_out_reason
                     FROM (SELECT CASE WHEN s.map_id IS NULL THEN own.item_id ELSE s.item_id END,
                                  COALESCE(s.map_id, own.map_id),
                                  CASE WHEN s.map_id IS NULL THEN own.left_out_reason
                                       ELSE s.left_out_reason END
                          ) found(item_id, map_id, left_out_reason)
                    WHERE NOT own.is_settled AND f.cost_item_id IS NULL
                      AND followed.excluded IS NULL) said"""
        )

    @api.model
    def _sql_part(self, amount, digits) -> SQL:
        """Split of ``amount`` over the rows of an item by largest remainder, ties to the lowest."""
        quota = SQL("round(abs(%s) * 10::numeric ^ %s * d.share, 9)", amount, digits)
        return SQL(
            """sign(%(amount)s) * (floor(%(quota)s)
                   + (row_number() OVER (PARTITION BY c.id ORDER BY mod(%(quota)s, 1) DESC,
                          d.item_id NULLS LAST, d.excluded NULLS LAST, d.left_out_reason)
                      <= round(abs(%(amount)s) * 10::numeric ^ %(digits)s)
                         - sum(floor(%(quota)s)) OVER item)::int) / 10::numeric ^ %(digits)s""",
            amount=amount,
            digits=digits,
            quota=quota,
        )

    @api.model
    def _sql_mapped(self, follow=True) -> SQL:
        """Candidates that are a customer cost."""
        return SQL(
            "SELECT * FROM (%s) classified WHERE item_id IS NOT NULL",
            self._sql_classified(follow=follow),
        )
