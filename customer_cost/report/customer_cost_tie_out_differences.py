from decimal import Decimal

from odoo import api, fields, models
from odoo.tools import SQL

MAX_ITEMS = 100


class CustomerCostTieOutDifferences(models.AbstractModel):
    """Where the ledger is not what books and approved costs make of it."""

    _inherit = "customer.cost.tie.out"

    @api.model
    def _read_differences(self, company, first, last):
        """Where the ledger is not what the capture makes of the books.

        Within one journal item what is missing for one customer, cost item or month and present
        for another is one gap.

        :return: dict of ``accounts``: dict of account id (``None``: the journal items are gone)
            to ``amount_gap`` and ``amount_net``, what the ledger lacks; ``pools``: dict of month
            to what its pool lacks; ``items``: the first rows of ``_find_differences``
        """
        [found] = self.env.execute_query_dict(
            SQL(
                """WITH difference AS MATERIALIZED (%s),
                        item AS (
                   SELECT account_id, sum(expected - present) AS net,
                          GREATEST(sum(expected - present) FILTER (WHERE expected > present),
                                   sum(present - expected) FILTER (WHERE expected < present))
                              AS gap
                     FROM difference GROUP BY line_id, account_id)
                   SELECT (SELECT jsonb_agg(account) FROM (
                              SELECT account_id, sum(gap)::text AS amount_gap,
                                     sum(net)::text AS amount_net
                                FROM item GROUP BY account_id) account) AS accounts,
                          (SELECT jsonb_object_agg(month, amount) FROM (
                              SELECT date_trunc('month', service_date)::date AS month,
                                     sum(expected - present)::text AS amount
                                FROM difference WHERE customer_id IS NULL
                            GROUP BY 1) pool) AS pools,
                          (SELECT jsonb_agg(first) FROM (
                              SELECT line_id, move_id, account_id, item_id, customer_id, date,
                                     expected::text AS amount_expected,
                                     present::text AS amount_present
                                FROM difference
                            ORDER BY date, move_id, line_id, item_id, customer_id, centre_id,
                                     service_date
                               LIMIT %s) first) AS items""",
                self.env["customer.cost.capture"]._sql_differences(company, first, last),
                MAX_ITEMS,
            )
        )
        accounts, items = (
            [self._to_decimals(row) for row in found[name] or []] for name in ("accounts", "items")
        )
        return {
            "accounts": {row["account_id"]: row for row in accounts},
            "pools": {
                fields.Date.to_date(month): Decimal(amount)
                for month, amount in (found["pools"] or {}).items()
            },
            "items": items,
        }

    @api.model
    def _read_manual_differences(self, company, first, last):
        """Approved costs that are not in the books and whose ledger lines hold something else."""
        return self._read(
            SQL(
                """SELECT entry_id, date_trunc('month', min(date))::date AS month,
                          bool_and(customer_id IS NULL) AS is_pool,
                          sum(expected)::text AS amount_expected,
                          sum(present)::text AS amount_present
                     FROM (SELECT e.id AS entry_id, e.date, e.customer_id,
                                  e.amount_company AS expected, 0 AS present
                             FROM customer_cost_entry e WHERE %s
                        UNION ALL
                           SELECT l.entry_id, l.origin_date, l.customer_id, 0, l.amount
                             FROM customer_cost_line l WHERE %s AND l.statistical) both_sides
                 GROUP BY entry_id HAVING sum(expected) <> sum(present)
                 ORDER BY month, entry_id""",
                self._sql_manual(company, first, last),
                self._sql_origin_in_range(company, first, last),
            )
        )
