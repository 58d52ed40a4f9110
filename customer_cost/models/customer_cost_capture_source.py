from odoo import api, models
from odoo.tools import SQL

# Journals in which the partner of a journal item is the customer it concerns.
CUSTOMER_JOURNAL_TYPES = ("bank", "cash", "credit", "sale", "general")


class CustomerCostCapture(models.AbstractModel):
    """What posted journal items should have contributed: item, customer, cost centre, amount."""

    _inherit = "customer.cost.capture"

    # ------------------------------------------------------------
    # Which journal items, which item
    # ------------------------------------------------------------

    @api.model
    def _sql_may_be_mapped(self) -> SQL:
        return SQL(
            """(l.cost_item_id IS NOT NULL OR l.account_id IN (
                   SELECT account_id FROM customer_cost_account_map
                    WHERE active OR effective_to IS NOT NULL))"""
        )

    @api.model
    def _sql_candidates(self, moves, lines, since_start=True) -> SQL:
        """Posted journal items with what the map looks at.

        ``excluded`` says why an item is never a customer cost, or is NULL.

        :param moves: condition on the journal entry ``m``
        :param lines: condition on the journal item ``l`` and its account ``a``
        :param since_start: exclude what was posted before the start and not brought in since
        """
        return SQL(
            """WITH closing AS MATERIALIZED (%(closing)s),
                    stock_closing AS MATERIALIZED (%(stock_closing)s)
               SELECT l.id, l.move_id, m.company_id, m.date, m.journal_id, j.type AS journal_type,
                      l.account_id, l.partner_id, partner.commercial_partner_id, l.balance,
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
            LEFT JOIN closing ON closing.id = m.id
            LEFT JOIN stock_closing ON stock_closing.id = m.id
           CROSS JOIN LATERAL (
                   SELECT CASE WHEN jsonb_typeof(l.analytic_distribution) = 'object'
                               THEN l.analytic_distribution END AS distribution) analytic
                WHERE %(moves)s AND %(lines)s AND m.state = 'posted' AND l.balance <> 0""",
            moves=moves,
            lines=lines,
            closing=self._sql_closing(moves),
            stock_closing=self._sql_stock_closing(moves),
            excluded=self._sql_excluded(since_start),
            service=self._sql_service(),
        )

    @api.model
    def _sql_classified(self, applied=None) -> SQL:
        """Candidates with what becomes of them: the cost item named on them, else the map's.

        ``amount`` is the part of the balance that the row stands for. ``item_id`` is empty where
        the item is left out, by ``left_out_reason`` of the map row or because no row matches.

        :param applied: map rows and month, as in their ``_sql_in_effect``
        """
        return SQL(
            """SELECT DISTINCT ON (c.id) c.*, c.balance AS amount,
                      CASE WHEN c.cost_item_id IS NULL THEN r.id END AS map_id,
                      CASE WHEN c.excluded IS NULL THEN COALESCE(c.cost_item_id, r.item_id) END
                          AS item_id,
                      CASE WHEN c.cost_item_id IS NULL THEN r.left_out_reason END
                          AS left_out_reason
                 FROM candidate c
            LEFT JOIN customer_cost_account_map r ON c.excluded IS NULL AND %s
             ORDER BY c.id, r.sequence, COALESCE(r.origin_id, r.id)""",
            self.env["customer.cost.account.map"]._sql_match(applied),
        )

    @api.model
    def _sql_mapped(self) -> SQL:
        """Candidates that are a customer cost."""
        return SQL(
            "SELECT * FROM (%s) classified WHERE item_id IS NOT NULL", self._sql_classified()
        )

    # ------------------------------------------------------------
    # Whose cost it is
    # ------------------------------------------------------------

    @api.model
    def _sql_portions(self) -> SQL:
        """Customers and cost centres of each mapped item with exact weights.

        The item's own customer comes first, then the customers of the analytic accounts on the
        chosen plan in proportion, then its partner when it is a customer in a bank, sale or
        miscellaneous journal. What names no customer is indirect, by cost centre. Shares of the
        chosen plan above 100 % or below zero make the whole item indirect.
        """
        return SQL(
            """WITH share AS (
                   SELECT c.id, round(min(part.value::numeric), 6) AS pct,
                          min(p.commercial_partner_id)
                              FILTER (WHERE aa.root_plan_id = c.customer_plan_id) AS customer_id,
                          min(aa.id) FILTER (WHERE aa.root_plan_id = c.centre_plan_id
                              AND (c.centre_plan_id IS DISTINCT FROM c.customer_plan_id
                                   OR aa.partner_id IS NULL)) AS centre_id,
                          bool_or(aa.root_plan_id = c.customer_plan_id) AS on_plan
                     FROM mapped c
               CROSS JOIN LATERAL jsonb_each_text(c.distribution) part
               CROSS JOIN LATERAL unnest(string_to_array(part.key, ',')) account
                     JOIN account_analytic_account aa ON aa.id = CASE
                          WHEN account ~ '^[0-9]{1,9}$' THEN account::int END
                      AND aa.root_plan_id IN (c.customer_plan_id, c.centre_plan_id)
                LEFT JOIN res_partner p ON p.id = aa.partner_id AND %(p_in_company)s
                    WHERE c.cost_customer_id IS NULL
                 GROUP BY c.id, part.key),
               summed AS (
                   SELECT id, count(customer_id) AS named, min(pct) >= 0 AS positive,
                          COALESCE(sum(pct) FILTER (WHERE on_plan), 0) <= 100 AS within_plan,
                          COALESCE(sum(pct) FILTER (WHERE customer_id IS NOT NULL), 0) AS pct,
                          COALESCE(sum(pct) FILTER (WHERE customer_id IS NULL
                              AND centre_id IS NOT NULL), 0) AS centre_pct
                     FROM share GROUP BY id),
               whole AS (
                   SELECT c.id, COALESCE(s.positive, FALSE) AS positive,
                          COALESCE(s.positive AND s.within_plan, FALSE) AS by_customer,
                          COALESCE(s.centre_pct, 0) AS centre_pct,
                          CASE WHEN s.positive AND s.within_plan THEN 100 - s.pct ELSE 100 END
                              AS rest,
                          CASE WHEN own.id IS NOT NULL THEN own.commercial_partner_id
                               WHEN COALESCE(s.named, 0) = 0 AND partner.customer_rank > 0
                                    AND c.journal_type = ANY(%(journal_types)s)
                               THEN partner.id END AS customer_id
                     FROM mapped c
                LEFT JOIN summed s ON s.id = c.id
                LEFT JOIN res_partner own ON own.id = c.cost_customer_id AND %(own_in_company)s
                LEFT JOIN res_partner partner ON partner.id = c.commercial_partner_id
                      AND %(partner_in_company)s),
               scaled AS (
                   SELECT *, CASE WHEN rest = 0 THEN 1 ELSE GREATEST(rest, centre_pct) END AS scale
                     FROM whole WHERE customer_id IS NULL)
               SELECT id, customer_id, NULL::int AS centre_id, 1::numeric AS weight
                 FROM whole WHERE customer_id IS NOT NULL
            UNION ALL
               SELECT s.id, s.customer_id, NULL, sum(s.pct) * min(w.scale)
                 FROM share s JOIN scaled w ON w.id = s.id
                WHERE w.by_customer AND s.customer_id IS NOT NULL
             GROUP BY s.id, s.customer_id
            UNION ALL
               SELECT s.id, NULL, s.centre_id, sum(s.pct) * min(w.rest)
                 FROM share s JOIN scaled w ON w.id = s.id
                WHERE w.positive AND s.customer_id IS NULL AND s.centre_id IS NOT NULL
             GROUP BY s.id, s.centre_id
            UNION ALL
               SELECT id, NULL, NULL,
                      rest * scale - CASE WHEN positive THEN rest * centre_pct ELSE 0 END
                 FROM scaled""",
            journal_types=list(CUSTOMER_JOURNAL_TYPES),
            **{
                f"{alias}_in_company": self._sql_in_company(SQL.identifier(alias))
                for alias in ("p", "own", "partner")
            },
        )

    @api.model
    def _sql_in_company(self, partner) -> SQL:
        """A customer of another company is nobody's here: the cost is indirect."""
        return SQL(
            "(%(partner)s.company_id IS NULL OR %(partner)s.company_id = ANY(c.company_path))",
            partner=partner,
        )

    @api.model
    def _sql_target(self) -> SQL:
        """What each portion is worth by month.

        Split by the largest remainder, ties to the lowest id, then over the service months.
        """
        return self._sql_spread(
            SQL(
                """WITH quotient AS (
                       SELECT c.*, p.customer_id, p.centre_id, p.weight,
                              sum(p.weight) OVER item AS total,
                              round(abs(c.amount) * 10::numeric ^ c.digits) AS minor,
                              round(abs(c.amount_currency) * 10::numeric ^ c.currency_digits)
                                  AS currency_minor
                         FROM mapped c JOIN portion p ON p.id = c.id AND p.weight > 0
                       WINDOW item AS (PARTITION BY c.id)),
                   ranked AS (
                       SELECT *, div(minor * weight, total) AS units,
                              div(currency_minor * weight, total) AS currency_units,
                              row_number() OVER (PARTITION BY id ORDER BY mod(minor * weight, total)
                                  DESC, customer_id NULLS LAST, centre_id NULLS LAST) AS place,
                              row_number() OVER (PARTITION BY id ORDER BY
                                  mod(currency_minor * weight, total) DESC,
                                  customer_id NULLS LAST, centre_id NULLS LAST) AS currency_place
                         FROM quotient)
                   SELECT id, move_id, company_id, currency_id, date, service_from, service_to,
                          name, partner_id, map_id, item_id, customer_id, centre_id, digits,
                          currency_digits,
                          sign(balance) * (units + (place <= minor - sum(units) OVER item)::int)
                              / 10::numeric ^ digits AS amount,
                          sign(amount_currency) * (currency_units + (currency_place
                              <= currency_minor - sum(currency_units) OVER item)::int)
                              / 10::numeric ^ currency_digits AS currency_amount
                     FROM ranked WINDOW item AS (PARTITION BY id)"""
            )
        )
