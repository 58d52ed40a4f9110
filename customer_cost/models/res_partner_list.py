from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL, date_utils

from ..fields import Amount, KnownAmount, Ratio
from .res_partner import FIGURE_GROUPS

# Field of the partner: column of the summary, and name in the profitability report.
COLUMNS = {
    "customer_cost_net_sales": ("rolling_net_sales", "net_sales"),
    "customer_cost_gross_margin": ("rolling_gross_margin", "gross_margin"),
    "customer_cost_direct_margin": ("rolling_direct_margin", "direct_margin"),
    "customer_cost_profit": ("rolling_profit", "profit"),
    "customer_cost_profit_pct": ("rolling_profit_pct", "profit_pct"),
    "customer_cost_to_serve_pct": ("rolling_cost_to_serve_pct", "cost_to_serve_pct"),
}
# Compared with `is`: no client can put this object in a context.
RANKED = object()
RANKED_ROWS = 1000
CHANGE = "customer_cost_profit_change"
SUMMARY_COLUMNS = {name: columns[0] for name, columns in COLUMNS.items()} | {
    CHANGE: "profit_change"
}
RATIOS = {
    "customer_cost_profit_pct": "rolling_profit",
    "customer_cost_to_serve_pct": "rolling_cost_to_serve",
}
# Empty, not zero, where there is nothing to divide by or to compare with.
KNOWN = frozenset({*RATIOS, CHANGE})
COMPARISONS = {
    "<": lambda figure, value: figure < value,
    "<=": lambda figure, value: figure <= value,
    ">": lambda figure, value: figure > value,
    ">=": lambda figure, value: figure >= value,
}


class ResPartner(models.Model):
    """Figures of the customer list: read, searched and sorted as the user, from the summary.

    Nothing is stored on the partner. What a customer's figures still wait for is worked out live,
    so that the list is exact; search, order and group sums take the summary as it stands.
    """

    _inherit = "res.partner"

    customer_cost_net_sales = Amount(
        string="Net Sales, 12 Months",
        compute="_compute_customer_cost_summary",
        search="_search_customer_cost_net_sales",
        groups=FIGURE_GROUPS,
    )
    customer_cost_gross_margin = Amount(
        string="Gross Margin, 12 Months",
        compute="_compute_customer_cost_summary",
        search="_search_customer_cost_gross_margin",
        groups=FIGURE_GROUPS,
    )
    customer_cost_direct_margin = Amount(
        string="Direct Margin, 12 Months",
        compute="_compute_customer_cost_summary",
        search="_search_customer_cost_direct_margin",
        groups=FIGURE_GROUPS,
    )
    customer_cost_profit = Amount(
        string="Customer Profit, 12 Months",
        compute="_compute_customer_cost_summary",
        search="_search_customer_cost_profit",
        groups=FIGURE_GROUPS,
        help="Net sales less product cost, direct cost and allocated cost of the last 12 months.",
    )
    customer_cost_profit_pct = Ratio(
        string="Customer Profit %, 12 Months",
        digits=(16, 2),
        compute="_compute_customer_cost_summary",
        search="_search_customer_cost_profit_pct",
        groups=FIGURE_GROUPS,
        aggregator="avg",
        help="Customer profit as a share of net sales, last 12 months.",
    )
    customer_cost_to_serve_pct = Ratio(
        string="Cost to Serve %, 12 Months",
        digits=(16, 2),
        compute="_compute_customer_cost_summary",
        search="_search_customer_cost_to_serve_pct",
        groups=FIGURE_GROUPS,
        aggregator="avg",
        help="Direct and allocated cost as a share of net sales, last 12 months.",
    )
    customer_cost_profit_change = KnownAmount(
        string="Change of Profit",
        compute="_compute_customer_cost_profit_change",
        search="_search_customer_cost_profit_change",
        groups=FIGURE_GROUPS,
        help="Customer profit of 12 full months, until the last one that is over and allocated, "
        "less that of the 12 months before; empty while costs reach less far back.",
    )

    # ------------------------------------------------------------
    # Reading
    # ------------------------------------------------------------

    @api.depends_context("company", "uid")
    def _compute_customer_cost_summary(self):
        """Last 12 months: one query for all partners, one more for those with changes pending."""
        window = self._get_customer_cost_rolling()
        stored, pending = self._read_customer_cost_summary([window])
        live = self._read_customer_cost_live(pending, window)
        nothing = [False if name in RATIOS else 0.0 for name in COLUMNS]
        rows = [
            (live if partner_id in pending else stored).get(partner_id, nothing)
            for partner_id in (partner._origin.id for partner in self)
        ]
        for place, name in enumerate(COLUMNS):
            field = self._fields[name]
            values = [field.convert_to_cache(row[place], self, validate=False) for row in rows]
            field._insert_cache(self, values)

    @api.depends_context("company", "uid")
    def _compute_customer_cost_profit_change(self):
        """As the other figures; those with changes pending are compared live, if at all."""
        window = self._get_customer_cost_rolling()
        compared = self.env["customer.cost.summary"]._get_compared(
            self.env.company, fields.Date.context_today(self)
        )
        before = compared["previous"] if compared else window
        stored, pending = self._read_customer_cost_summary([before, window])
        place = list(COLUMNS).index("customer_cost_profit")
        live = [self._read_customer_cost_live(pending, span) for span in compared.values()]
        for partner in self:
            partner_id = partner._origin.id
            if partner_id in pending and compared:
                now, then = (
                    found[partner_id][place] if partner_id in found else 0.0 for found in live
                )
                partner[CHANGE] = now - then
            elif partner_id in pending or partner_id not in stored:
                partner[CHANGE] = False
            else:
                partner[CHANGE] = stored[partner_id][-1]

    def _read_customer_cost_summary(self, windows):
        """Figures of the summary that the user may see, and whose are not up to date.

        :param windows: first and last day of what the reader needs, the last 12 months at the end
        :return: dict of partner id to the values of ``SUMMARY_COLUMNS``, set of partner ids
        """
        if not self._origin.ids:
            return {}, set()
        month = date_utils.start_of(windows[-1][1], "month")
        rows = self.env.execute_query(
            SQL(
                """WITH mark AS (
                       SELECT customer_ids FROM customer_cost_dirty
                        WHERE company_id = %(company)s
                          AND (month IS NULL OR month BETWEEN %(first)s AND %(last)s)
                          AND (customer_ids IS NULL OR customer_ids && %(ids)s))
                   SELECT p.id, s.month, s.month <> %(month)s OR EXISTS (
                              SELECT FROM mark
                               WHERE customer_ids IS NULL OR p.id = ANY(customer_ids)),
                          %(columns)s
                     FROM unnest(%(ids)s) p(id) LEFT JOIN %(summary)s s ON s.customer_id = p.id""",
                company=self.env.company.id,
                first=windows[0][0],
                last=windows[-1][1],
                ids=self._origin.ids,
                month=month,
                columns=SQL(", ").join(
                    SQL.identifier("s", column) for column in SUMMARY_COLUMNS.values()
                ),
                summary=self._get_customer_cost_summary(
                    "month", *SUMMARY_COLUMNS.values(), ids=self._origin.ids
                ),
            )
        )
        pending = {partner_id for partner_id, _month, old, *_values in rows if old}
        stored = {
            partner_id: [
                (False if name in KNOWN else 0.0) if value is None else float(value)
                for name, value in zip(SUMMARY_COLUMNS, values, strict=True)
            ]
            for partner_id, found, _old, *values in rows
            if found
        }
        return stored, pending

    def _read_customer_cost_live(self, partner_ids, window):
        """Figures of these partners from invoices and ledger, in the order of ``COLUMNS``."""
        if not partner_ids:
            return {}
        rows = self.env["customer.cost.profitability"]._read_group(
            self.browse(sorted(partner_ids))._get_customer_cost_domain(*window),
            ["customer_id"],
            [f"{name}:sum" for _column, name in COLUMNS.values()],
        )
        return {customer.id: values for customer, *values in rows}

    @api.model
    def _get_customer_cost_summary(self, *columns, ids=None) -> SQL:
        """Subquery of the summary rows of the current company, as far as the user may see them."""
        summary = self.env["customer.cost.summary"]
        domain = Domain("company_id", "=", self.env.company.id)
        if ids is not None:
            domain &= Domain("customer_id", "in", ids)
        query = summary._search(domain)
        return query.subselect(
            *(
                summary._field_to_sql(summary._table, name, query)
                for name in ("customer_id", *columns)
            )
        )

    # ------------------------------------------------------------
    # The first pages by profit
    # ------------------------------------------------------------

    @api.model
    def search_fetch(self, domain, field_names=None, offset=0, limit=None, order=None):
        """Sorted by profit, take the first pages from the summary's index.

        Customers without figures come last: as long as those with figures fill the page, the
        others need not be joined, which would sort all customers.
        """
        first = (order or "").partition(",")[0].partition(" ")[0]
        if first == "customer_cost_profit" and limit and (offset or 0) + limit <= RANKED_ROWS:
            ranked = super(ResPartner, self.with_context(customer_cost_ranked=RANKED)).search_fetch(
                domain, field_names, offset=offset, limit=limit, order=order
            )
            if len(ranked) == limit:
                return self.browse(ranked.ids)
        return super().search_fetch(domain, field_names, offset=offset, limit=limit, order=order)

    def _is_customer_cost_ranked(self):
        return self.env.context.get("customer_cost_ranked") is RANKED

    # ------------------------------------------------------------
    # Search, order, group sums
    # ------------------------------------------------------------

    @api.model
    def _search_customer_cost_net_sales(self, operator, value):
        return self._search_customer_cost("customer_cost_net_sales", operator, value)

    @api.model
    def _search_customer_cost_gross_margin(self, operator, value):
        return self._search_customer_cost("customer_cost_gross_margin", operator, value)

    @api.model
    def _search_customer_cost_direct_margin(self, operator, value):
        return self._search_customer_cost("customer_cost_direct_margin", operator, value)

    @api.model
    def _search_customer_cost_profit(self, operator, value):
        return self._search_customer_cost("customer_cost_profit", operator, value)

    @api.model
    def _search_customer_cost_profit_pct(self, operator, value):
        return self._search_customer_cost("customer_cost_profit_pct", operator, value)

    @api.model
    def _search_customer_cost_to_serve_pct(self, operator, value):
        return self._search_customer_cost("customer_cost_to_serve_pct", operator, value)

    @api.model
    def _search_customer_cost_profit_change(self, operator, value):
        return self._search_customer_cost(CHANGE, operator, value)

    @api.model
    def _search_customer_cost(self, name, operator, value):
        """Partners whose figure compares; without a row it is zero, or empty if it can be.

        The rights to the field are checked here: the framework does not for computed fields, and
        a figure could be found by bisection.
        """
        self._check_field_access(self._fields[name], "read")
        if operator == "in":
            # zero is a percentage like any other, and not the empty one
            matches = any(number is False if name in KNOWN else not number for number in value)
        elif operator in COMPARISONS:
            matches = name not in KNOWN and COMPARISONS[operator](0.0, value)
        else:
            return NotImplemented
        summary = self.env["customer.cost.summary"]
        rows = Domain(SUMMARY_COLUMNS[name], operator, value)
        if matches:
            rows = ~rows
        query = summary._search(rows & Domain("company_id", "=", self.env.company.id))
        customers = query.subselect(SQL.identifier(summary._table, "customer_id"))
        sql_operator = SQL("NOT IN" if matches else "IN")
        return Domain.custom(
            to_sql=lambda model, alias, query: SQL(
                "%s %s %s", SQL.identifier(alias, "id"), sql_operator, customers
            )
        )

    def _field_to_sql(self, alias, field_expr, query=None):
        """The figures of the list, by a join with the summary as far as the user may see it."""
        if field_expr not in SUMMARY_COLUMNS or query is None:
            return super()._field_to_sql(alias, field_expr, query)
        self._check_field_access(self._fields[field_expr], "read")
        joined = self._join_customer_cost_summary(alias, query)
        return SQL.identifier(joined, SUMMARY_COLUMNS[field_expr])

    @api.model
    def _join_customer_cost_summary(self, alias, query):
        joined = query.make_alias(alias, "customer_cost_summary")
        if joined not in query._joins:
            query.add_join(
                "JOIN" if self._is_customer_cost_ranked() else "LEFT JOIN",
                joined,
                self._get_customer_cost_summary("rolling_cost_to_serve", *SUMMARY_COLUMNS.values()),
                SQL(
                    "%s = %s",
                    SQL.identifier(joined, "customer_id"),
                    SQL.identifier(alias, "id"),
                ),
            )
        return joined

    def _order_field_to_sql(self, alias, field_name, direction, nulls, query):
        """Customers without figures come last, in either direction."""
        ranked = field_name == "customer_cost_profit" and self._is_customer_cost_ranked()
        if field_name in SUMMARY_COLUMNS and not nulls.code and not ranked:
            nulls = SQL("NULLS LAST")
        return super()._order_field_to_sql(alias, field_name, direction, nulls, query)

    @api.model
    def _read_group_select(self, aggregate_spec, query):
        """Ratios of a group are sum over sum, empty where net sales are zero or less."""
        name, _separator, _function = aggregate_spec.partition(":")
        if name not in RATIOS:
            return super()._read_group_select(aggregate_spec, query)
        self._check_field_access(self._fields[name], "read")
        joined = self._join_customer_cost_summary(self._table, query)
        return SQL(
            "CASE WHEN SUM(%(sales)s) > 0 THEN 100 * SUM(%(amount)s) / SUM(%(sales)s) END",
            sales=SQL.identifier(joined, "rolling_net_sales"),
            amount=SQL.identifier(joined, RATIOS[name]),
        )
