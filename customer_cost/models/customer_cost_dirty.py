from odoo import api, fields, models
from odoo.tools import SQL, date_utils

from ..fields import IntegerArray, Many2oneUnchecked
from .account_move import SALES_TYPES


class CustomerCostDirty(models.Model):
    """What the stored figures have to be refreshed for: one row per call that changed something.

    Rows are only inserted, with no unique key, so that two postings never wait for each other;
    the refresh deletes what it has done.
    """

    _name = "customer.cost.dirty"
    _description = "Figures to Refresh"
    _log_access = False

    company_id = Many2oneUnchecked("res.company", required=True, readonly=True)
    month = fields.Date(
        readonly=True, help="First day. Empty: the months are right, the summary is not."
    )
    customer_ids = IntegerArray(
        readonly=True, help="Empty: every customer. No element: none, cost items alone."
    )

    @api.model
    def _mark(self, company_id, months, customer_ids=None):
        """Have the figures of these months refreshed.

        :param company_id: id of the company
        :param months: any day of each month; ``None`` in it stands for the summary alone
        :param customer_ids: ids of the customers concerned, ``None`` for all of them
        """
        months = {month and date_utils.start_of(month, "month") for month in months}
        if not months:
            return
        self.env.cr.execute(
            SQL(
                """INSERT INTO customer_cost_dirty (company_id, month, customer_ids)
                   SELECT %s, unnest(%s::date[]), %s::int[]""",
                company_id,
                list(months),
                None if customer_ids is None else list(customer_ids),
            )
        )

    @api.model
    def _mark_moves(self, move_ids):
        """Have the figures refreshed that the sales among these entries stand in, as they are."""
        if not move_ids:
            return
        self.env["account.move"].flush_model(["company_id", "date", "move_type", "partner_id"])
        self.env["res.partner"].flush_model(["commercial_partner_id"])
        self.env.cr.execute(
            SQL(
                """INSERT INTO customer_cost_dirty (company_id, month, customer_ids)
                   SELECT m.company_id, date_trunc('month', m.date)::date,
                          array_agg(DISTINCT p.commercial_partner_id)
                     FROM account_move m JOIN res_partner p ON p.id = m.partner_id
                    WHERE m.id = ANY(%s) AND m.move_type IN %s
                 GROUP BY 1, 2""",
                list(move_ids),
                SALES_TYPES,
            )
        )

    @api.model
    def _mark_customers(self, customer_ids):
        """Have all months refreshed in which these customers have a figure, stored or not."""
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                """INSERT INTO customer_cost_dirty (company_id, month, customer_ids)
                   SELECT DISTINCT company_id, date_trunc('month', date)::date, %(ids)s
                     FROM (SELECT company_id, month AS date FROM customer_cost_balance
                            WHERE customer_id = ANY(%(ids)s)
                     UNION SELECT company_id, date FROM customer_cost_line
                            WHERE customer_id = ANY(%(ids)s)
                     UNION SELECT company_id, date FROM customer_cost_allocation
                            WHERE customer_id = ANY(%(ids)s)
                     UNION SELECT m.company_id, m.date
                             FROM res_partner p JOIN account_move m ON m.partner_id = p.id
                            WHERE p.commercial_partner_id = ANY(%(ids)s) AND m.state = 'posted'
                              AND m.move_type IN %(types)s) found""",
                ids=list(customer_ids),
                types=SALES_TYPES,
            )
        )

    @api.model
    def _follow(self, old_ids, new_id):
        """What waits for customers that became another one waits for that one."""
        self.env.cr.execute(
            SQL(
                """INSERT INTO customer_cost_dirty (company_id, month, customer_ids)
                   SELECT DISTINCT company_id, month, ARRAY[%s] FROM customer_cost_dirty
                    WHERE customer_ids && %s""",
                new_id,
                list(old_ids),
            )
        )

    @api.model
    def _mark_everything(self, company_ids):
        """Have every month refreshed that holds a figure of these companies, stored or not."""
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                "INSERT INTO customer_cost_dirty (company_id, month) %s",
                self._sql_months(company_ids),
            )
        )

    @api.model
    def _sql_months(self, company_ids) -> SQL:
        """Company and month of everything that holds a figure, stored or not."""
        return SQL(
            """SELECT DISTINCT company_id, date_trunc('month', date)::date AS month
                 FROM (SELECT company_id, month AS date FROM customer_cost_balance
                 UNION SELECT company_id, month FROM customer_cost_item_month
                 UNION SELECT company_id, date FROM customer_cost_line
                 UNION SELECT s.company_id, r.date FROM customer_cost_run r
                         JOIN customer_cost_run_step s ON s.run_id = r.id
                 UNION SELECT company_id, date FROM account_move
                        WHERE state = 'posted' AND move_type IN %s) found
                WHERE company_id = ANY(%s)""",
            SALES_TYPES,
            list(company_ids),
        )

    @api.model
    def _mark_items(self, item_ids):
        """Have the months refreshed in which these cost items reached customers."""
        self.env.cr.execute(
            SQL(
                """INSERT INTO customer_cost_dirty (company_id, month)
                   SELECT DISTINCT company_id, month FROM customer_cost_item_month
                    WHERE item_id = ANY(%s)""",
                list(item_ids),
            )
        )

    # ------------------------------------------------------------
    # Draining
    # ------------------------------------------------------------

    @api.model
    def _get_periods(self):
        """``(company id, month)`` of what waits, newest month first."""
        return self.env.execute_query(
            SQL(
                """SELECT company_id, month FROM customer_cost_dirty WHERE month IS NOT NULL
                 GROUP BY 1, 2 ORDER BY 2 DESC, 1"""
            )
        )

    @api.model
    def _get_companies(self):
        """Ids of the companies whose summary waits."""
        rows = self.env.execute_query(
            SQL(
                """SELECT DISTINCT company_id FROM customer_cost_dirty
                    WHERE month IS NULL ORDER BY 1"""
            )
        )
        return [company_id for (company_id,) in rows]

    @api.model
    def _drain(self, company_id, month):
        """Take the marks of a month, or with ``None`` those of the summary alone.

        Marks that another transaction is taking are left to it, later ones are not seen yet.

        :return: ``None`` when there is nothing to do, else ``(customer ids, everybody)``
        """
        rows = self.env.execute_query(
            SQL(
                """DELETE FROM customer_cost_dirty WHERE id IN (
                          SELECT id FROM customer_cost_dirty
                           WHERE company_id = %s AND month IS NOT DISTINCT FROM %s
                             FOR UPDATE SKIP LOCKED)
                RETURNING customer_ids""",
                company_id,
                month,
            )
        )
        if not rows:
            return None
        everybody = any(customer_ids is None for (customer_ids,) in rows)
        return sorted(set().union(*(ids or () for (ids,) in rows))), everybody
