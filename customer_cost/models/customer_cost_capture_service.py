from dateutil.relativedelta import relativedelta

from odoo import api, models
from odoo.tools import SQL, format_date

from ..engine import FULL_MONTH, months_between

MAX_SERVICE_MONTHS = 120


class CustomerCostCapture(models.AbstractModel):
    """In which months a cost counts: those of its service period, to the cent."""

    _inherit = "customer.cost.capture"

    @api.model
    def _get_service_problem(self, first, last, day):
        """Return what is wrong with a service period, translated, or ``False``.

        :param day: the day of the cost, which the period has to lie near
        """
        if not (first or last):
            return False
        if not (first and last):
            return self.env._("A service period needs its first and its last day.")
        if first > last:
            return self.env._(
                "The service period ends on %(last)s, before it begins on %(first)s.",
                first=format_date(self.env, first),
                last=format_date(self.env, last),
            )
        months = months_between(first, last)
        if months > MAX_SERVICE_MONTHS:
            return self.env._(
                "The service period covers %(months)s months. The most is %(most)s; check the "
                "years.",
                months=months,
                most=MAX_SERVICE_MONTHS,
            )
        near = relativedelta(months=MAX_SERVICE_MONTHS)
        if day and not (day - near <= first and last <= day + near):
            return self.env._(
                "The service period %(first)s – %(last)s lies more than %(most)s months away from "
                "%(day)s, the day of the cost; check the years.",
                first=format_date(self.env, first),
                last=format_date(self.env, last),
                most=MAX_SERVICE_MONTHS,
                day=format_date(self.env, day),
            )
        return False

    @api.model
    def _has_deferral(self):
        """Whether journal items may have deferral entries, which spread the cost themselves."""
        return "deferred_start_date" in self.env["account.move.line"]._fields

    @api.model
    def _sql_service(self) -> SQL:
        """Service period of journal item ``l``, empty where deferral entries spread it."""
        deferred = SQL("l.deferred_start_date IS NOT NULL" if self._has_deferral() else "FALSE")
        return SQL(
            """CASE WHEN NOT (%(deferred)s) THEN l.cost_service_from END AS service_from,
                      CASE WHEN NOT (%(deferred)s) THEN l.cost_service_to END AS service_to""",
            deferred=deferred,
        )

    @api.model
    def _sql_spread(self, worth) -> SQL:
        """Rows of ``worth`` by month, each with its ``service_date``.

        A row without service period keeps its accounting date. With one, each month weighs the
        share of its days that is covered, its date is the first of them, and cents are rounded
        cumulatively: the months add up to the amount and mirror the sign.
        """
        return SQL(
            """SELECT * FROM (
                   SELECT w.id, w.move_id, w.company_id, w.currency_id, w.date, m.service_date,
                          w.name, w.partner_id, w.map_id, w.item_id, w.customer_id, w.centre_id,
                          %(amount)s AS amount, %(currency_amount)s AS currency_amount
                     FROM (%(worth)s) w
               CROSS JOIN LATERAL (%(months)s) m) spread
                WHERE amount <> 0 OR currency_amount <> 0""",
            worth=worth,
            months=self._sql_service_months(SQL("w")),
            amount=self._sql_month_amount(SQL("w.amount"), SQL("w.digits")),
            currency_amount=self._sql_month_amount(
                SQL("w.currency_amount"), SQL("w.currency_digits")
            ),
        )

    @api.model
    def _sql_service_months(self, row) -> SQL:
        """Months of the service period of ``row``, or its date where it has none.

        Rows of ``service_date``, the ``place`` among them and the weights that
        :meth:`_sql_month_amount` reads.

        :param row: alias with ``date``, ``service_from`` and ``service_to``
        """
        return SQL(
            """SELECT day AS service_date, row_number() OVER (ORDER BY day) AS place,
                      sum(weight) OVER (ORDER BY day) AS upto, weight,
                      sum(weight) OVER () AS total
                 FROM (SELECT %(row)s.date AS day, 1::numeric AS weight
                        WHERE %(row)s.service_from IS NULL
                    UNION ALL
                       SELECT covered.first, (covered.last - covered.first + 1) * %(full)s
                              / extract(day FROM next_month - interval '1 day')
                         FROM generate_series(
                              date_trunc('month', %(row)s.service_from::timestamp),
                              %(row)s.service_to, interval '1 month') month
                   CROSS JOIN LATERAL (SELECT month + interval '1 month') n(next_month)
                   CROSS JOIN LATERAL (
                              SELECT GREATEST(month::date, %(row)s.service_from),
                                     LEAST(next_month::date - 1, %(row)s.service_to)
                              ) covered(first, last)) day""",
            row=row,
            full=FULL_MONTH,
        )

    @api.model
    def _sql_month_amount(self, amount, digits) -> SQL:
        minor = SQL("round(abs(%s) * 10::numeric ^ %s)", amount, digits)

        def units(weight):
            return SQL("div(2 * %s * %s + total, 2 * total)", minor, weight)

        return SQL(
            "sign(%s) * (%s - %s) / 10::numeric ^ %s",
            amount,
            units(SQL("upto")),
            units(SQL("(upto - weight)")),
            digits,
        )
