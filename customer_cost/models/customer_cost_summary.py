from odoo import api, fields, models
from odoo.tools import SQL, date_utils

from ..fields import Amount, KnownAmount, Many2oneUnchecked, Ratio

MEASURES = (
    "net_sales",
    "gross_margin",
    "direct_margin",
    "cost_to_serve",
    "profit",
    "full_profit",
)
# What the balance holds of them.
STORED = (
    "net_sales",
    "product_cost",
    "direct_cost",
    "allocated_cost",
    "full_cost",
    "unknown_lines",
)
SPANS = ("year", "last", "rolling")


class CustomerCostSummary(models.Model):
    """One row per company and customer: this fiscal year, the last one, the last 12 months.

    Computed from the monthly balance for the customers whose months changed, and for everybody
    once a day, since the windows move on.
    """

    _name = "customer.cost.summary"
    _description = "Customer Ranking"
    _inherit = ["customer.cost.rollup", "customer.cost.ratios"]
    _log_access = False
    _rec_name = "customer_id"
    _order = "rolling_profit desc, id"

    _rollup_key = ("company_id", "customer_id")
    _rollup_figures = (
        *(f"{span}_{measure}" for span in SPANS for measure in MEASURES),
        "rolling_profit_pct",
        "rolling_cost_to_serve_pct",
        "recent_profit",
        "previous_profit",
        "profit_change",
        "unknown_lines",
        "intercompany",
        "user_id",
        "country_id",
        "month",
        "as_of",
    )
    _ratios = {
        "rolling_profit_pct": ("rolling_profit", "rolling_net_sales"),
        "rolling_cost_to_serve_pct": ("rolling_cost_to_serve", "rolling_net_sales"),
    }

    company_id = Many2oneUnchecked("res.company", required=True, readonly=True)
    customer_id = Many2oneUnchecked("res.partner", required=True, readonly=True)
    user_id = Many2oneUnchecked("res.users", string="Salesperson", readonly=True)
    country_id = Many2oneUnchecked("res.country", string="Country", readonly=True)
    customer_active = fields.Boolean(string="Active", related="customer_id.active", readonly=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    year_net_sales = Amount(string="Net Sales, This Year", readonly=True)
    year_gross_margin = Amount(string="Gross Margin, This Year", readonly=True)
    year_direct_margin = Amount(string="Direct Margin, This Year", readonly=True)
    year_cost_to_serve = Amount(string="Cost to Serve, This Year", readonly=True)
    year_profit = Amount(string="Customer Profit, This Year", readonly=True)
    year_full_profit = Amount(string="Full-cost Profit, This Year", readonly=True)
    last_net_sales = Amount(string="Net Sales, Last Year", readonly=True)
    last_gross_margin = Amount(string="Gross Margin, Last Year", readonly=True)
    last_direct_margin = Amount(string="Direct Margin, Last Year", readonly=True)
    last_cost_to_serve = Amount(string="Cost to Serve, Last Year", readonly=True)
    last_profit = Amount(string="Customer Profit, Last Year", readonly=True)
    last_full_profit = Amount(string="Full-cost Profit, Last Year", readonly=True)
    rolling_net_sales = Amount(string="Net Sales, 12 Months", readonly=True)
    rolling_gross_margin = Amount(string="Gross Margin, 12 Months", readonly=True)
    rolling_direct_margin = Amount(string="Direct Margin, 12 Months", readonly=True)
    rolling_cost_to_serve = Amount(string="Cost to Serve, 12 Months", readonly=True)
    rolling_profit = Amount(string="Customer Profit, 12 Months", readonly=True)
    rolling_full_profit = Amount(string="Full-cost Profit, 12 Months", readonly=True)
    rolling_profit_pct = Ratio(
        string="Customer Profit %, 12 Months", digits=(16, 2), readonly=True, aggregator="avg"
    )
    rolling_cost_to_serve_pct = Ratio(
        string="Cost to Serve %, 12 Months", digits=(16, 2), readonly=True, aggregator="avg"
    )
    recent_profit = KnownAmount(
        string="Customer Profit, 12 Full Months",
        readonly=True,
        help="Until the last month that is over and, where runs are posted, allocated.",
    )
    previous_profit = KnownAmount(
        string="Customer Profit, 12 Months Before",
        readonly=True,
        help="Of the 12 months before those; empty while costs reach less far back.",
    )
    profit_change = KnownAmount(
        string="Change of Profit",
        readonly=True,
        help="Customer profit of 12 full months, until the last one that is over and allocated, "
        "less that of the 12 months before; empty while costs reach less far back.",
    )
    unknown_lines = fields.Integer(
        string="Lines with Unknown Cost",
        readonly=True,
        help="Invoice lines of the last 12 months whose product cost nobody knows.",
    )
    intercompany = fields.Boolean(
        readonly=True, help="A company of the group, as it stood when the row was computed."
    )
    month = fields.Date(
        string="Until", readonly=True, help="First day of the last of the 12 months."
    )
    as_of = fields.Datetime(readonly=True, help="When these figures were computed.")
    pending = fields.Integer(
        string="Changes Pending",
        compute="_compute_pending",
        help="Postings since then that the figures do not hold yet; they follow in minutes.",
    )

    _key_unique = models.UniqueIndex("(company_id, customer_id) INCLUDE (rolling_profit)")
    _profit_idx = models.Index("(company_id, rolling_profit DESC, id)")
    _customer_idx = models.Index("(customer_id)")

    @api.depends("company_id", "customer_id")
    def _compute_pending(self):
        """How many marks of the refresh concern the customer, one query for all rows."""
        counts = dict(
            self.env.execute_query(
                SQL(
                    """SELECT s.id, count(*)
                         FROM customer_cost_summary s
                         JOIN customer_cost_dirty d ON d.company_id = s.company_id
                              AND (d.customer_ids IS NULL OR s.customer_id = ANY(d.customer_ids))
                        WHERE s.id = ANY(%s) GROUP BY s.id""",
                    self.ids,
                )
            )
        )
        for row in self:
            row.pending = counts.get(row.id, 0)

    # ------------------------------------------------------------
    # Refresh
    # ------------------------------------------------------------

    @api.model
    def _get_windows(self, company, day):
        """First and last day of the windows that a summary of ``day`` is made of, by name.

        ``year`` and ``last`` are fiscal years of the company, ``rolling`` are the 12 months that
        end with the month of ``day``; with those of :meth:`_get_compared` where there are any.
        """
        year = company.compute_fiscalyear_dates(day)
        last = company.compute_fiscalyear_dates(date_utils.subtract(year["date_from"], days=1))
        return {
            "year": (year["date_from"], year["date_to"]),
            "last": (last["date_from"], last["date_to"]),
            "rolling": self.env["res.partner"]._get_customer_cost_rolling(day),
            **self._get_compared(company, day),
        }

    @api.model
    def _get_compared(self, company, day):
        """First and last day of the windows whose profits can be compared, by name.

        ``recent`` are the 12 months that end with the last month before ``day`` which, once runs
        are posted, has one; ``previous`` are the 12 months before them.

        :return: empty where there are no sales and costs, costs are not captured or, once runs
            are posted, not allocated since ``previous`` began: any change would be of the books
        """
        get_months = self.env["res.partner"]._get_customer_cost_rolling
        last = date_utils.subtract(date_utils.start_of(day, "month"), days=1)
        [[first_run, last_run]] = self.env.execute_query(
            SQL(
                """SELECT min(date), max(date) FROM customer_cost_run
                    WHERE company_id = %s AND state = 'posted' AND date <= %s""",
                company.id,
                last,
            )
        )
        recent = get_months(last_run or last)
        previous = get_months(date_utils.subtract(recent[0], days=1))
        [[is_covered]] = self.env.execute_query(
            SQL(
                """SELECT EXISTS (SELECT FROM customer_cost_balance
                                   WHERE company_id = co.id AND month <= %(first)s)
                      AND NOT EXISTS (
                          SELECT FROM generate_series(
                                     %(first)s::date, co.customer_cost_start_date - 1,
                                     interval '1 month') month
                           WHERE month <= %(last)s AND NOT EXISTS (
                                 SELECT FROM customer_cost_history_month h
                                  WHERE h.company_id = co.id AND h.state IN ('done', 'undoing')
                                    AND h.date_from <= month
                                    AND h.date_to + 1 >= month + interval '1 month'))
                     FROM res_company co WHERE co.id = %(company)s""",
                company=company.id,
                first=previous[0],
                last=recent[1],
            )
        )
        if not is_covered or (first_run and first_run > date_utils.end_of(previous[0], "month")):
            return {}
        return {"recent": recent, "previous": previous}

    @api.model
    def _mark_turned(self):
        """Have the summaries of companies refreshed whose windows have moved on since."""
        month = date_utils.start_of(fields.Date.context_today(self), "month")
        rows = self.env.execute_query(
            SQL("SELECT DISTINCT company_id FROM customer_cost_summary WHERE month <> %s", month)
        )
        for (company_id,) in rows:
            self.env["customer.cost.dirty"]._mark(company_id, [None])

    @api.model
    def _mark_customers(self, customer_ids):
        """Have the rows of these customers computed anew, in all companies; nothing is locked."""
        self.env.cr.execute(
            SQL(
                """INSERT INTO customer_cost_dirty (company_id, customer_ids)
                   SELECT company_id, array_agg(customer_id) FROM customer_cost_summary
                    WHERE customer_id = ANY(%s) GROUP BY company_id""",
                list(customer_ids),
            )
        )

    @api.model
    def _refresh(self, company, customer_ids=None):
        """Compute the rows of these customers of a company, or of all, from the balance.

        :param customer_ids: ids of the customers, ``None`` for all of the company
        """
        covered = SQL("t.company_id = %s", company.id)
        if customer_ids is not None:
            covered = SQL("%s AND t.customer_id = ANY(%s)", covered, customer_ids)
        self._bring_up_to_date(self._get_target(company, covered), covered, "customer_id")

    @api.model
    def _follow(self, old_ids, new_id):
        """Compute the row of a customer anew who others became, and delete theirs."""
        rows = self.env.execute_query(
            SQL(
                """DELETE FROM customer_cost_summary WHERE customer_id = ANY(%s)
                RETURNING company_id""",
                [*old_ids, new_id],
            )
        )
        self.invalidate_model(flush=False)
        for company_id in {company_id for (company_id,) in rows}:
            self._refresh(self.env["res.company"].browse(company_id), [new_id])

    @api.model
    def _get_target(self, company, covered) -> SQL:
        windows = self._get_windows(company, fields.Date.context_today(self))
        # Months that lie in the same windows are summed once, exactly, whatever their number.
        place = SQL(
            "concat(%s)",
            SQL(", ").join(
                SQL("(month BETWEEN %s AND %s)::int", *window) for window in windows.values()
            ),
        )
        sums = [
            SQL(
                "COALESCE(sum(%s) FILTER (WHERE substr(place, %s, 1) = '1'), 0) AS %s",
                SQL.identifier(measure),
                1 + list(windows).index(span),
                SQL.identifier(f"{span}_{measure}"),
            )
            if span in windows
            else SQL("NULL::numeric AS %s", SQL.identifier(f"{span}_{measure}"))
            for span, measure in (
                *((span, measure) for span in SPANS for measure in MEASURES),
                ("recent", "profit"),
                ("previous", "profit"),
                ("rolling", "unknown_lines"),
            )
        ]
        return SQL(
            """SELECT company_id, customer_id, %(figures)s,
                      CASE WHEN rolling_net_sales > 0
                           THEN 100 * rolling_profit / rolling_net_sales END AS rolling_profit_pct,
                      CASE WHEN rolling_net_sales > 0
                           THEN 100 * rolling_cost_to_serve / rolling_net_sales END
                          AS rolling_cost_to_serve_pct,
                      recent_profit, previous_profit,
                      recent_profit - previous_profit AS profit_change,
                      rolling_unknown_lines::int AS unknown_lines,
                      EXISTS (SELECT FROM res_company c JOIN res_partner o ON o.id = c.partner_id
                               WHERE o.commercial_partner_id = customer_id) AS intercompany,
                      user_id, country_id, %(month)s::date AS month, %(now)s::timestamp AS as_of
                 FROM (SELECT company_id, customer_id, %(sums)s
                         FROM (SELECT company_id, customer_id, place, net_sales,
                                      net_sales - product_cost AS gross_margin,
                                      net_sales - product_cost - direct_cost AS direct_margin,
                                      direct_cost + allocated_cost AS cost_to_serve,
                                      net_sales - product_cost - direct_cost - allocated_cost
                                          AS profit,
                                      net_sales - product_cost - direct_cost - allocated_cost
                                          - full_cost AS full_profit,
                                      unknown_lines
                                 FROM (SELECT company_id, customer_id, %(place)s AS place,
                                              %(stored)s
                                         FROM customer_cost_balance t
                                        WHERE %(covered)s AND month BETWEEN %(first)s AND %(last)s
                                     GROUP BY company_id, customer_id, place) months) laddered
                     GROUP BY company_id, customer_id) summed
            LEFT JOIN (SELECT id, user_id, country_id FROM res_partner) p ON p.id = customer_id""",
            figures=self._rollup_columns(
                f"{span}_{measure}" for span in SPANS for measure in MEASURES
            ),
            place=place,
            stored=SQL(", ").join(
                SQL("sum(%s) AS %s", SQL.identifier(name), SQL.identifier(name)) for name in STORED
            ),
            sums=SQL(", ").join(sums),
            covered=covered,
            first=min(first for first, _last in windows.values()),
            last=max(last for _first, last in windows.values()),
            month=date_utils.start_of(windows["rolling"][1], "month"),
            now=fields.Datetime.now(),
        )

    def action_rebuild(self):
        """Have every stored figure computed anew; see the balance."""
        return self.env["customer.cost.balance"].action_rebuild()

    def action_check(self):
        """Compare the stored figures with ledger and invoices; see the balance."""
        return self.env["customer.cost.balance"].action_check()

    def action_open_customer(self):
        """Open the customer of this row."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "res.partner",
            "res_id": self.customer_id.id,
            "view_mode": "form",
        }
