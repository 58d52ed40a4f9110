from odoo import api, models
from odoo.tools import SQL

from ..fields import Amount


class CustomerCostPeriodLate(models.Model):
    """What came late: cost of a closed month that counts in another one, beside both of them."""

    _inherit = "customer.cost.period"

    late_in = Amount(
        string="Late, From Earlier Months",
        compute="_compute_late",
        help="Cost counted in this month because the month it belongs to was closed.",
    )
    late_out = Amount(
        string="Left to Later Months",
        compute="_compute_late",
        help="Cost that belongs to this month and came after it was closed.",
    )

    @api.depends("date_from", "company_id")
    def _compute_late(self):
        self.env["customer.cost.line"].flush_model()
        rows = self.env.execute_query(
            SQL(
                """SELECT p.id, came.amount, went.amount
                     FROM (SELECT id, company_id, date_from,
                                  (date_from + interval '1 month - 1 day')::date AS date_to
                             FROM customer_cost_period WHERE id = ANY(%(ids)s)) p
               CROSS JOIN LATERAL (
                          SELECT sum(l.amount) AS amount FROM customer_cost_line l
                           WHERE l.company_id IN (%(companies)s) AND l.date <> l.service_date
                             AND l.date BETWEEN p.date_from AND p.date_to
                             AND l.service_date < p.date_from) came
               CROSS JOIN LATERAL (
                          SELECT sum(l.amount) AS amount FROM customer_cost_line l
                           WHERE l.company_id IN (%(companies)s) AND l.date <> l.service_date
                             AND l.date > p.date_to
                             AND l.service_date BETWEEN p.date_from AND p.date_to) went""",
                ids=self.ids,
                companies=SQL(
                    """SELECT c.id FROM res_company c JOIN res_company o
                           ON c.parent_path LIKE o.parent_path || '%%'
                        WHERE o.id = p.company_id"""
                ),
            )
        )
        sums = {period_id: amounts for period_id, *amounts in rows}
        for period in self:
            late_in, late_out = sums.get(period._origin.id, (0, 0))
            period.late_in = float(late_in or 0)
            period.late_out = float(late_out or 0)

    def action_open_late_in(self):
        """Open the ledger lines of earlier months that count in this one."""
        self.ensure_one()
        return self._open_ledger(
            self.env._("Late, From Earlier Months"),
            [
                ("date", ">=", self.date_from),
                ("date", "<=", self.date_to),
                ("service_date", "<", self.date_from),
            ],
        )

    def action_open_late_out(self):
        """Open the ledger lines of this month that count in a later one."""
        self.ensure_one()
        return self._open_ledger(
            self.env._("Left to Later Months"),
            [
                ("service_date", ">=", self.date_from),
                ("service_date", "<=", self.date_to),
                ("date", ">", self.date_to),
            ],
        )

    def _open_ledger(self, name, domain):
        self.check_access("read")
        return self._open_list("customer.cost.line", name, [*self._get_company_domain(), *domain])
