from odoo import api, models
from odoo.tools import SQL

# Journals in which the partner of a journal item is the customer it concerns.
CUSTOMER_JOURNAL_TYPES = ("bank", "cash", "credit", "sale", "general")


class CustomerCostCapture(models.AbstractModel):
    """Whose cost it is: customer, cost centre and month of each mapped journal item."""

    _inherit = "customer.cost.capture"

    @api.model
    def _sql_portions(self) -> SQL:
        """Customers and cost centres of each mapped item, by service period, with their weights.

        Weights are shares of the whole journal item. The source's own customer comes first, then
        the customers of the analytic accounts on the chosen plan in proportion, then its partner
        when it is a customer in a bank, sale or miscellaneous journal. What names no customer is
        indirect, by cost centre. Shares of the chosen plan above 100 % or below zero make the
        whole source indirect.
        """
        return SQL(
            """WITH owned AS (
                   SELECT c.id, c.item_id, s.*
                     FROM mapped c
               CROSS JOIN LATERAL unnest(c.source_ids, c.source_customer_ids, c.source_shares,
                          c.source_froms, c.source_tos)
                          AS s(source_id, cost_customer_id, share, service_from, service_to)),
               source AS MATERIALIZED (
                   SELECT row_number() OVER () AS id, s.*, j.type AS journal_type,
                          partner.commercial_partner_id,
                          co.customer_cost_plan_id AS customer_plan_id,
                          COALESCE(co.customer_cost_centre_plan_id, co.customer_cost_plan_id)
                              AS centre_plan_id,
                          string_to_array(trim(trailing '/' from co.parent_path), '/')::int[]
                              AS company_path,
                          CASE WHEN jsonb_typeof(l.analytic_distribution) = 'object'
                               THEN l.analytic_distribution END AS distribution
                     FROM (SELECT DISTINCT source_id, cost_customer_id FROM owned) s
                     JOIN account_move_line l ON l.id = s.source_id
                     JOIN account_move m ON m.id = l.move_id
                     JOIN account_journal j ON j.id = m.journal_id
                     JOIN res_company co ON co.id = m.company_id
                LEFT JOIN res_partner partner ON partner.id = l.partner_id),
               share AS (
                   SELECT c.id, round(min(part.value::numeric), 6) AS pct,
                          min(p.commercial_partner_id)
                              FILTER (WHERE aa.root_plan_id = c.customer_plan_id) AS customer_id,
                          min(aa.id) FILTER (WHERE aa.root_plan_id = c.centre_plan_id
                              AND (c.centre_plan_id IS DISTINCT FROM c.customer_plan_id
                                   OR aa.partner_id IS NULL)) AS centre_id,
                          bool_or(aa.root_plan_id = c.customer_plan_id) AS on_plan
                     FROM source c
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
                     FROM source c
                LEFT JOIN summed s ON s.id = c.id
                LEFT JOIN res_partner own ON own.id = c.cost_customer_id AND %(own_in_company)s
                LEFT JOIN res_partner partner ON partner.id = c.commercial_partner_id
                      AND %(partner_in_company)s),
               scaled AS (
                   SELECT *, CASE WHEN rest = 0 THEN 1 ELSE GREATEST(rest, centre_pct) END AS scale
                     FROM whole WHERE customer_id IS NULL),
               weighed AS (
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
                 FROM scaled)
               SELECT o.id, o.item_id, o.service_from, o.service_to, w.customer_id, w.centre_id,
                      sum(o.share * w.weight / w.total) AS weight
                 FROM owned o
                 JOIN source s ON s.source_id = o.source_id
                  AND s.cost_customer_id IS NOT DISTINCT FROM o.cost_customer_id
                 JOIN (SELECT id, customer_id, centre_id,
                              weight * 1.000000000000000000000000000000 AS weight,
                              sum(weight) OVER (PARTITION BY id) AS total
                         FROM weighed WHERE weight > 0) w ON w.id = s.id
             GROUP BY o.id, o.item_id, o.service_from, o.service_to, w.customer_id,
                      w.centre_id""",
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
                """WITH quota AS (
                       SELECT c.id, c.move_id, c.company_id, c.currency_id, c.date, c.name,
                              c.partner_id, c.map_id, c.item_id, c.digits, c.currency_digits,
                              c.balance, c.amount, c.amount_currency, c.currency_part,
                              p.customer_id, p.centre_id, p.service_from, p.service_to,
                              round(abs(c.balance) * 10::numeric ^ c.digits * p.weight, 9) AS quota,
                              round(abs(c.amount_currency) * 10::numeric ^ c.currency_digits
                                  * p.weight, 9) AS currency_quota
                         FROM mapped c JOIN portion p ON p.id = c.id AND p.item_id = c.item_id),
                   ranked AS (
                       SELECT *, row_number() OVER (PARTITION BY id, item_id
                                  ORDER BY quota - floor(quota) DESC, customer_id NULLS LAST,
                                  centre_id NULLS LAST, service_from, service_to) AS place,
                              row_number() OVER (PARTITION BY id, item_id
                                  ORDER BY currency_quota - floor(currency_quota) DESC,
                                  customer_id NULLS LAST, centre_id NULLS LAST, service_from,
                                  service_to) AS currency_place
                         FROM quota)
                   SELECT id, move_id, company_id, currency_id, date, service_from, service_to,
                          name, partner_id, map_id, item_id, customer_id, centre_id, digits,
                          currency_digits,
                          sign(balance) * (floor(quota) + (place
                              <= sign(balance) * amount * 10::numeric ^ digits
                              - sum(floor(quota)) OVER item)::int) / 10::numeric ^ digits AS amount,
                          sign(amount_currency) * (floor(currency_quota) + (currency_place
                              <= sign(amount_currency) * currency_part
                              * 10::numeric ^ currency_digits
                              - sum(floor(currency_quota)) OVER item)::int)
                              / 10::numeric ^ currency_digits AS currency_amount
                     FROM ranked WINDOW item AS (PARTITION BY id, item_id)"""
            )
        )
