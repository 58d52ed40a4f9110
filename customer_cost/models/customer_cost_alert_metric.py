from typing import NamedTuple

from odoo import api, models
from odoo.tools import SQL, LazyTranslate, date_utils

_lt = LazyTranslate(__name__)
METRICS = {
    "direct": _lt("Direct cost"),
    "cost": _lt("Cost to serve"),
    "growth": _lt("Growth of cost to serve %"),
    "to_serve": _lt("Cost to serve %"),
    "margin": _lt("Gross margin"),
    "margin_pct": _lt("Gross margin %"),
    "profit": _lt("Customer profit"),
    "profit_pct": _lt("Customer profit %"),
    "no_sales": _lt("Cost without sales"),
    "overdue": _lt("Overdue receivable"),
    "contact": _lt("Days since last contact"),
    "late": _lt("Costs recorded late"),
    "receipt": _lt("Costs without receipt"),
    "requests": _lt("Unsettled requests"),
    "pool": _lt("Unallocated pool"),
    "budget": _lt("Budget use %"),
    "budget_end": _lt("Budget ends in (days)"),
}


class Metric(NamedTuple):
    """How a metric is measured: unit of its figure, which query has it, what it depends on."""

    unit: str
    source: str
    has_window: bool = True
    has_days: bool = False
    has_classes: bool = False
    """Whether it is measured of the budgets of customer classes too."""


DEFINITIONS = {
    "direct": Metric("amount", "balance"),
    "cost": Metric("amount", "balance"),
    "growth": Metric("percent", "balance"),
    "to_serve": Metric("percent", "balance"),
    "margin": Metric("amount", "balance"),
    "margin_pct": Metric("percent", "balance"),
    "profit": Metric("amount", "balance"),
    "profit_pct": Metric("percent", "balance"),
    "no_sales": Metric("amount", "balance"),
    "overdue": Metric("amount", "overdue", has_window=False, has_days=True),
    "contact": Metric("days", "contact", has_window=False),
    "late": Metric("count", "late", has_days=True),
    "receipt": Metric("count", "receipt"),
    "requests": Metric("amount", "requests", has_window=False, has_days=True),
    "pool": Metric("amount", "pool"),
    "budget": Metric("percent", "budget", has_classes=True),
    "budget_end": Metric("days", "budget_end", has_window=False, has_classes=True),
}
# Metrics of the balance that can be compared with the customer's own past.
RELATIVE = (
    "direct",
    "cost",
    "to_serve",
    "margin",
    "margin_pct",
    "profit",
    "profit_pct",
    "no_sales",
)
AMOUNTS = {
    "sales": SQL("net_sales"),
    "margin": SQL("net_sales - product_cost"),
    "direct": SQL("direct_cost"),
    "cost": SQL("direct_cost + allocated_cost"),
}
# What a metric of the balance is made of.
SUMMED = {
    "direct": ("direct",),
    "cost": ("cost",),
    "growth": ("cost",),
    "to_serve": ("cost", "sales"),
    "margin": ("margin",),
    "margin_pct": ("margin", "sales"),
    "profit": ("cost", "margin"),
    "profit_pct": ("cost", "margin", "sales"),
    "no_sales": ("cost", "sales"),
}
# Messages of people: written in the chatter, or received and sent by mail.
CONTACT_TYPES = ("comment", "email", "email_outgoing")


class CustomerCostAlertMetric(models.AbstractModel):
    """The queries behind alert rules: one per metric and window, for all customers at once.

    Each yields ``customer_id``, ``item_id`` and ``figure``, those of budgets ``budget_id`` as well
    where the budget is one of a class, which has no customer; that of the balance yields its sums
    in every window that is asked for, so that all its metrics share one pass. They run as
    superuser: company and scope are written out, whom the result is shown to is decided by the
    alert's rules.
    """

    _name = "customer.cost.alert.metric"
    _description = "Alert Metrics"

    @api.model
    def _get_metrics(self):
        """Metrics on offer, for the selection of the rule."""
        return [(metric, self.env._(label)) for metric, label in METRICS.items()]

    # ------------------------------------------------------------
    # Windows
    # ------------------------------------------------------------

    @api.model
    def _get_window(self, company, window, day):
        """First and last day of a window as it stands on ``day``."""
        if window == "last_month":
            day = date_utils.subtract(date_utils.start_of(day, "month"), days=1)
        if window in ("month", "last_month", "quarter"):
            unit = window.removeprefix("last_")
            return date_utils.start_of(day, unit), date_utils.end_of(day, unit)
        if window == "year":
            year = company.compute_fiscalyear_dates(day)
            return year["date_from"], year["date_to"]
        return self.env["res.partner"]._get_customer_cost_rolling(day)

    @api.model
    def _get_windows(self, company, window, day):
        """The window itself, the one before it, and the 12 months that its average is taken of.

        :return: dict of ``now``, ``previous`` and ``average`` to first and last day
        """
        first, last = self._get_window(company, window, day)
        before = date_utils.subtract(first, days=1)
        kind = "month" if window == "last_month" else window
        return {
            "now": (first, last),
            "previous": self._get_window(company, kind, before),
            "average": self.env["res.partner"]._get_customer_cost_rolling(before),
        }

    # ------------------------------------------------------------
    # The balance: one pass for all its metrics and windows
    # ------------------------------------------------------------

    @api.model
    def _sql_balance(self, company, columns, customer_ids=None) -> SQL:
        """Sums of every customer over the windows that are asked for, in one pass of the balance.

        :param columns: dict of windows, ``(first, last)`` day, to names of what is summed; window
            ``i`` has the columns ``sales_i``, ``margin_i``, ``direct_i`` and ``cost_i`` as far as
            they are asked for, and bit ``i`` of ``places`` where it holds any figure
        """
        windows = list(columns)
        first, last = min(first for first, _last in windows), max(last for _first, last in windows)
        months = list(date_utils.date_range(date_utils.start_of(first, "month"), last))
        places = [
            sum(1 << bit for bit, (start, end) in enumerate(windows) if start <= month <= end)
            for month in months
        ]
        sums = [
            SQL(
                "COALESCE(sum(%s) FILTER (WHERE place & %s <> 0), 0) AS %s",
                AMOUNTS[name],
                1 << bit,
                SQL.identifier(f"{name}_{bit}"),
            )
            for bit, names in enumerate(columns.values())
            for name in sorted(names)
        ]
        return SQL(
            """SELECT customer_id, bit_or(place) AS places, %(sums)s
                 FROM customer_cost_balance
                 JOIN unnest(%(months)s::date[], %(places)s::int[])
                      covered (month, place) USING (month)
                WHERE company_id = %(company)s AND month BETWEEN %(first)s AND %(last)s
                  AND %(customers)s
             GROUP BY customer_id""",
            sums=SQL(", ").join(sums),
            months=months,
            places=places,
            company=company.id,
            first=first,
            last=last,
            customers=self._sql_customers(SQL("customer_id"), customer_ids),
        )

    @api.model
    def _sql_customers(self, column, customer_ids) -> SQL:
        if customer_ids is None:
            return SQL("TRUE")
        return SQL("%s = ANY(%s)", column, list(customer_ids))

    @api.model
    def _sql_balance_figure(self, metric, position, previous=None) -> SQL:
        """Figure of a metric in window ``position`` of the pass; NULL where it has none.

        It reads the columns that :data:`SUMMED` names.
        """
        sales, margin, direct, cost = (
            SQL.identifier(f"{name}_{position}") for name in ("sales", "margin", "direct", "cost")
        )
        share = "100 * %s / NULLIF(GREATEST(%s, 0), 0)"
        if metric == "growth":
            before = SQL.identifier(f"cost_{previous}")
            return SQL(share, SQL("(%s - %s)", cost, before), before)
        return {
            "direct": direct,
            "cost": cost,
            "margin": margin,
            "profit": SQL("(%s - %s)", margin, cost),
            "profit_pct": SQL(share, SQL("(%s - %s)", margin, cost), sales),
            "to_serve": SQL(share, cost, sales),
            "margin_pct": SQL(share, margin, sales),
            "no_sales": SQL("CASE WHEN %s > 0 THEN 0 ELSE %s END", sales, cost),
        }[metric]

    # ------------------------------------------------------------
    # The others
    # ------------------------------------------------------------

    @api.model
    def _sql_overdue(self, company, window, today, days) -> SQL:
        """Receivables due more than ``days`` days ago, less what was paid or credited by then."""
        return SQL(
            """SELECT p.commercial_partner_id AS customer_id, NULL::int AS item_id,
                      sum(l.amount_residual) AS figure
                 FROM account_move_line l
                 JOIN account_account a ON a.id = l.account_id
                      AND a.account_type = 'asset_receivable'
                 JOIN res_partner p ON p.id = l.partner_id
                WHERE l.company_id = %s AND l.parent_state = 'posted' AND NOT l.reconciled
                  AND COALESCE(l.date_maturity, l.date) < %s
             GROUP BY 1""",
            company.id,
            date_utils.subtract(today, days=days),
        )

    @api.model
    def _sql_contact(self, company, window, today, days) -> SQL:
        """Days since somebody wrote to or about a customer with figures, or did an activity."""
        return SQL(
            """SELECT c.id AS customer_id, NULL::int AS item_id,
                      %s - COALESCE(max(m.date), c.create_date)::date AS figure
                 FROM customer_cost_summary s
                 JOIN res_partner c ON c.id = s.customer_id
                 JOIN res_partner p ON p.commercial_partner_id = c.id
            LEFT JOIN mail_message m ON m.model = 'res.partner' AND m.res_id = p.id
                      AND (m.message_type IN %s OR m.subtype_id = %s)
                WHERE s.company_id = %s
             GROUP BY c.id""",
            today,
            CONTACT_TYPES,
            self.env["ir.model.data"]._xmlid_to_res_id("mail.mt_activities"),
            company.id,
        )

    @api.model
    def _sql_entries(self, company, window, condition) -> SQL:
        return SQL(
            """SELECT e.customer_id, NULL::int AS item_id, count(*) AS figure
                 FROM customer_cost_entry e
                WHERE e.company_id = %s AND e.date BETWEEN %s AND %s AND e.kind <> 'captured'
                  AND e.state IN ('submitted', 'approved') AND e.reversal_of_id IS NULL AND %s
             GROUP BY 1""",
            company.id,
            *window,
            condition,
        )

    @api.model
    def _sql_late(self, company, window, today, days) -> SQL:
        """Costs of the window that were recorded more than ``days`` days after their date."""
        return self._sql_entries(company, window, SQL("e.create_date::date - e.date > %s", days))

    @api.model
    def _sql_receipt(self, company, window, today, days) -> SQL:
        """Costs of the window that have nothing attached."""
        return self._sql_entries(
            company,
            window,
            SQL(
                """NOT EXISTS (SELECT FROM ir_attachment
                                WHERE res_model = 'customer.cost.entry' AND res_id = e.id)"""
            ),
        )

    @api.model
    def _sql_requests(self, company, window, today, days) -> SQL:
        """What is open of requests that were approved more than ``days`` days ago."""
        return SQL(
            """SELECT c.customer_id, NULL::int AS item_id, sum(c.amount) AS figure
                 FROM (%s) c
                 JOIN customer_cost_entry e ON e.id = c.entry_id AND e.state = 'approved'
                WHERE c.company_id = %s AND c.kind = 'request'
                  AND COALESCE(e.approved_on, e.date) < %s
             GROUP BY 1""",
            self.env["customer.cost.commitment"]._table_query,
            company.id,
            date_utils.subtract(today, days=days),
        )

    @api.model
    def _sql_pool(self, company, window, today, days) -> SQL:
        """Indirect cost of the window, per cost item, that no posted run has sent on."""
        return SQL(
            """SELECT NULL::int AS customer_id, item_id, sum(amount) AS figure
                 FROM (SELECT item_id, amount FROM customer_cost_line
                        WHERE company_id = %(company)s AND customer_id IS NULL
                          AND date BETWEEN %(first)s AND %(last)s
                    UNION ALL
                       SELECT c.item_id, -c.sent
                         FROM customer_cost_run r
                         JOIN customer_cost_run_step s ON s.run_id = r.id
                         JOIN customer_cost_run_cell c ON c.step_id = s.id
                        WHERE r.company_id = %(company)s AND r.state = 'posted'
                          AND r.date BETWEEN %(first)s AND %(last)s
                    UNION ALL
                       SELECT moved.item_id, moved.amount
                         FROM customer_cost_run r
                         JOIN customer_cost_run_transfer t
                              ON t.run_id = r.id AND t.from_item_id <> t.to_item_id
                   CROSS JOIN LATERAL (
                              VALUES (t.from_item_id, -t.amount), (t.to_item_id, t.amount)
                              ) moved (item_id, amount)
                        WHERE r.company_id = %(company)s AND r.state = 'posted'
                          AND r.date BETWEEN %(first)s AND %(last)s) part
             GROUP BY item_id""",
            company=company.id,
            first=window[0],
            last=window[1],
        )

    @api.model
    def _sql_budget(self, company, window, today, days) -> SQL:
        """Actual and committed cost of the window's months in percent of what was planned.

        Of several budgets of a customer the one that is used most; each budget of a class.
        """
        return SQL(
            """SELECT customer_id, NULL::int AS item_id,
                      CASE WHEN customer_id IS NULL THEN budget_id END AS budget_id,
                      max(used) AS figure
                 FROM (SELECT budget_id, customer_id, 100 * sum(actual + committed)
                              / NULLIF(GREATEST(sum(planned), 0), 0) AS used
                         FROM (%s) b
                        WHERE company_id = %s AND state = 'confirmed' AND month BETWEEN %s AND %s
                     GROUP BY budget_id, customer_id) budget
             GROUP BY 1, 3""",
            self.env["customer.cost.budget.report"]._table_query,
            company.id,
            *window,
        )

    @api.model
    def _sql_budget_end(self, company, window, today, days) -> SQL:
        """Days until the first confirmed budget of a customer ends that has money left.

        Of a class, each of its budgets.
        """
        return SQL(
            """SELECT b.customer_id, NULL::int AS item_id,
                      CASE WHEN b.customer_id IS NULL THEN b.id END AS budget_id,
                      min(b.date_to) - %s AS figure
                 FROM customer_cost_budget b
                 JOIN (SELECT budget_id FROM (%s) usage
                     GROUP BY 1 HAVING sum(available) > 0) spare ON spare.budget_id = b.id
                WHERE b.company_id = %s AND b.state = 'confirmed' AND b.date_to >= %s
             GROUP BY 1, 3""",
            today,
            self.env["customer.cost.budget.report"]._table_query,
            company.id,
            today,
        )
