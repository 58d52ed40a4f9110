from odoo import api, models
from odoo.tools import SQL


class CustomerCostTieOutLedger(models.AbstractModel):
    """What the tie-out reads of customers, ledger and runs."""

    _inherit = "customer.cost.tie.out"

    @api.model
    def _read_customers(self, company, first, last):
        """All customers' sums of the range, by the statements of the profitability report."""
        report = self.env["customer.cost.profitability"]
        return self._read(
            SQL(
                """SELECT sum(net_sales)::text AS amount_net_sales,
                          sum(product_cost)::text AS amount_product_cost,
                          sum(direct_cost)::text AS amount_direct,
                          sum(statistical_cost)::text AS amount_statistical,
                          sum(allocated_cost)::text AS amount_allocated,
                          sum(full_cost)::text AS amount_full,
                          sum(net_sales) FILTER (WHERE unknown_lines > 0)::text AS amount_unknown,
                          COALESCE(sum(unknown_lines), 0)::int AS unknown_count
                     FROM (%s AND %s UNION ALL %s AND %s UNION ALL %s AND %s) figures""",
                report._sql_sales(),
                self._sql_in_range(company, first, last, "m"),
                report._sql_direct(),
                self._sql_in_range(company, first, last, "l"),
                report._sql_allocated(),
                self._sql_in_range(company, first, last, "a"),
            )
        )[0]

    @api.model
    def _read_ledger(self, company, first, last):
        """Ledger lines dated in the range, or whose accounting date is, by what they are."""
        return self._read(
            SQL(
                """SELECT l.statistical, l.customer_id IS NOT NULL AS is_direct,
                          l.date BETWEEN %(first)s AND %(last)s AS is_in,
                          l.origin_date BETWEEN %(first)s AND %(last)s AS is_of,
                          date_trunc('month', l.date) <> date_trunc('month', l.service_date)
                              AS is_late,
                          CASE WHEN l.date BETWEEN %(first)s AND %(last)s
                               THEN date_trunc('month', l.date)::date END AS month,
                          count(*) AS count, sum(l.amount)::text AS amount
                     FROM customer_cost_line l
                    WHERE %(in_range)s OR %(of_range)s
                 GROUP BY 1, 2, 3, 4, 5, 6""",
                first=first,
                last=last,
                in_range=self._sql_in_range(company, first, last, "l"),
                of_range=self._sql_origin_in_range(company, first, last),
            )
        )

    @api.model
    def _read_late(self, company, first, last):
        return self._read(
            SQL(
                """SELECT count(DISTINCT l.entry_id) AS count, sum(l.amount)::text AS amount
                     FROM customer_cost_line l WHERE %s""",
                self._sql_late(company, first, last),
            )
        )[0]

    @api.model
    def _sql_late(self, company, first, last) -> SQL:
        """Ledger lines ``l`` dated in the range because their own month was closed."""
        return SQL(
            "%s AND date_trunc('month', l.date) <> date_trunc('month', l.service_date)",
            self._sql_in_range(company, first, last, "l"),
        )

    @api.model
    def _read_manual(self, company, first, last):
        """Approved costs that are not in the books, by their own date."""
        return self._read(
            SQL(
                """SELECT count(*) AS count, sum(e.amount_company)::text AS amount
                     FROM customer_cost_entry e WHERE %s""",
                self._sql_manual(company, first, last),
            )
        )[0]

    @api.model
    def _sql_manual(self, company, first, last) -> SQL:
        """Approved entries ``e`` of the range that are not in the books."""
        return SQL(
            "%s AND e.kind = 'statistical' AND e.state IN ('approved', 'reversed')",
            self._sql_in_range(company, first, last, "e"),
        )

    @api.model
    def _read_runs(self, company, first, last):
        """Posted runs of the range by step and cost item; a run without steps has one row."""
        return self._read(
            SQL(
                """WITH posted AS (
                       SELECT id, date, date_trunc('month', date)::date AS month, pool_total,
                              carried_total
                         FROM customer_cost_run
                        WHERE company_id = %(company)s AND state = 'posted'
                          AND date_trunc('month', date)::date BETWEEN %(first)s AND %(last)s),
                   step AS (
                       SELECT s.id, s.run_id FROM customer_cost_run_step s
                         JOIN posted ON posted.id = s.run_id),
                   cell AS (
                       SELECT c.step_id, COALESCE(c.charged_item_id, c.item_id) AS item_id,
                              sum(c.sent) AS sent,
                              sum(c.received) AS received, sum(c.retained) AS retained,
                              sum(c.unused) AS unused
                         FROM customer_cost_run_cell c JOIN step ON step.id = c.step_id
                     GROUP BY 1, 2),
                   charge AS (
                       SELECT a.step_id, a.item_id,
                              sum(a.amount) FILTER (WHERE a.customer_id IS NOT NULL) AS charged,
                              sum(a.amount) FILTER (WHERE a.customer_id IS NULL) AS channel
                         FROM customer_cost_allocation a JOIN step ON step.id = a.step_id
                        WHERE %(in_range)s
                     GROUP BY a.step_id, a.item_id)
                   SELECT posted.id AS run_id, posted.month, posted.pool_total::text AS amount_pool,
                          posted.carried_total::text AS amount_carried, part.step_id, part.item_id,
                          part.sent::text AS amount_sent, part.received::text AS amount_received,
                          part.retained::text AS amount_retained,
                          part.unused::text AS amount_unused,
                          part.charged::text AS amount_charged,
                          part.channel::text AS amount_channel
                     FROM posted
                LEFT JOIN (SELECT step.run_id, both_sides.*
                             FROM step
                             JOIN (SELECT * FROM cell FULL JOIN charge USING (step_id, item_id))
                                  both_sides ON both_sides.step_id = step.id) part
                       ON part.run_id = posted.id
                 ORDER BY posted.month, part.step_id, part.item_id""",
                company=company.id,
                first=first,
                last=last,
                in_range=self._sql_in_range(company, first, last, "a"),
            )
        )
