from collections import defaultdict

from odoo import api, fields, models
from odoo.tools import SQL, date_utils

LAST_ROWS = 5
# (key, how the row is shown)
LADDER = (
    ("net_sales", "subtotal"),
    ("product_cost", "cost"),
    ("gross_margin", "subtotal"),
    ("direct_cost", "cost"),
    ("statistical_cost", "detail"),
    ("direct_margin", "subtotal"),
    ("allocated_cost", "cost"),
    ("profit", "subtotal"),
    ("full_cost", "cost"),
    ("full_profit", "subtotal"),
)


class CustomerCostFigures(models.AbstractModel):
    """The figures of the customer form: ladder, composition, trend and last costs.

    Everything is read as the user from the report models, whose access rules decide, with a
    number of queries that does not depend on the number of customers.
    """

    _name = "customer.cost.figures"
    _description = "Customer Figures"

    @api.model
    def _get_figures(self, partners):
        """Return the figures of every partner of ``partners`` that is a customer of its own.

        :return: dict of partner id to a JSON-serialisable dict; amounts are in the currency of
            the current company, percentages of net sales are ``None`` where those are not positive
        """
        customers = partners.filtered(lambda partner: partner == partner.commercial_partner_id)
        ranges = self._get_ranges()
        months = self._read_months(customers, ranges)
        items = self._read_items(customers, ranges)
        last_rows = self._read_last_rows(customers)
        allocated_until = self._get_allocated_until()
        return {
            customer.id: {
                "currency_id": self.env.company.currency_id.id,
                "as_of": fields.Date.to_string(fields.Date.context_today(self)),
                "allocated_until": allocated_until,
                "ranges": [
                    {
                        "key": key,
                        "label": label,
                        "from": fields.Date.to_string(first),
                        "to": fields.Date.to_string(last),
                    }
                    for key, label, first, last in ranges
                ],
                "rows": self._get_ladder(months[customer.id], ranges),
                "unknown_lines": [
                    self._sum(months[customer.id], "unknown_lines", first, last)
                    for _key, _label, first, last in ranges
                ],
                "composition": self._get_composition(
                    months[customer.id], items[customer.id], ranges
                ),
                "trend": self._get_trend(months[customer.id], ranges),
                "last_costs": last_rows[customer.id],
            }
            for customer in customers
        }

    @api.model
    def _get_allocated_until(self):
        """A day of the last month whose indirect cost reached customers, or ``False``."""
        # sudo: when the last run was posted is no secret, what it holds is
        run = self.env["customer.cost.run"].sudo()
        domain = [("company_id", "=", self.env.company.id), ("state", "=", "posted")]
        last = run.search(domain, order="date desc", limit=1)
        return fields.Date.to_string(last.date)

    @api.model
    def _get_ranges(self):
        """``(key, label, first day, last day)`` of this and last fiscal year and 12 months."""
        windows = self.env["customer.cost.summary"]._get_windows(
            self.env.company, fields.Date.context_today(self)
        )
        return (
            ("year", self._get_year_label(*windows["year"]), *windows["year"]),
            ("last_year", self._get_year_label(*windows["last"]), *windows["last"]),
            ("rolling", self.env._("Last 12 months"), *windows["rolling"]),
        )

    @api.model
    def _get_year_label(self, first, last):
        return str(last.year) if first.year == last.year else f"{first.year}/{last.year % 100:02d}"

    # ------------------------------------------------------------
    # Reading, one query each
    # ------------------------------------------------------------

    def _read_months(self, customers, ranges):
        measures = [key for key, _style in LADDER] + ["cost_to_serve", "unknown_lines"]
        first, last = min(r[2] for r in ranges), max(r[3] for r in ranges)
        rows = self.env["customer.cost.profitability"]._read_group(
            customers._get_customer_cost_domain(first, last),
            ["customer_id", "month:month"],
            [f"{name}:sum" for name in measures],
        )
        result = defaultdict(dict)
        for customer, month, *values in rows:
            result[customer.id][month] = dict(zip(measures, values, strict=True))
        return result

    def _read_items(self, customers, ranges):
        first, last = min(r[2] for r in ranges), max(r[3] for r in ranges)
        rows = self.env["customer.cost.analysis"]._read_group(
            [
                ("customer_id", "in", customers.ids),
                ("company_id", "=", self.env.company.id),
                ("date", ">=", first),
                ("date", "<=", last),
            ],
            ["customer_id", "item_id", "date:month"],
            ["amount:sum"],
        )
        result = defaultdict(lambda: defaultdict(dict))
        for customer, item, month, amount in rows:
            result[customer.id][item][month] = amount
        return result

    def _read_last_rows(self, customers):
        analysis = self.env["customer.cost.analysis"]
        query = analysis._search(
            [
                ("customer_id", "in", customers.ids),
                ("company_id", "=", self.env.company.id),
            ]
        )
        names = ("id", "customer_id", "date", "item_id", "layer", "entry_id", "amount")
        ranked = query.select(
            *(
                SQL(
                    "%s AS %s",
                    analysis._field_to_sql(analysis._table, name, query),
                    SQL.identifier(name),
                )
                for name in names
            ),
            SQL(
                "row_number() OVER (PARTITION BY %s ORDER BY %s DESC, %s DESC) AS place",
                analysis._field_to_sql(analysis._table, "customer_id", query),
                analysis._field_to_sql(analysis._table, "date", query),
                analysis._field_to_sql(analysis._table, "id", query),
            ),
        )
        rows = self.env.execute_query_dict(
            SQL("SELECT * FROM (%s) ranked WHERE place <= %s ORDER BY place", ranked, LAST_ROWS)
        )
        items = self.env["customer.cost.item"].browse({row["item_id"] for row in rows})
        # sudo: the description of a cost that the reader sees
        entries = (
            self.env["customer.cost.entry"]
            .sudo()
            .browse({row["entry_id"] for row in rows if row["entry_id"]})
        )
        item_names = {item.id: item.name for item in items}
        descriptions = {entry.id: entry.description for entry in entries}
        layers = dict(analysis._fields["layer"]._description_selection(self.env))
        result = defaultdict(list)
        for row in rows:
            result[row["customer_id"]].append(
                {
                    "id": row["id"],
                    "date": fields.Date.to_string(row["date"]),
                    "item": item_names[row["item_id"]],
                    "layer": layers[row["layer"]],
                    "description": descriptions.get(row["entry_id"]) or "",
                    "amount": row["amount"],
                }
            )
        return result

    # ------------------------------------------------------------
    # Shaping
    # ------------------------------------------------------------

    @staticmethod
    def _sum(months, name, first, last):
        return sum(values[name] or 0 for month, values in months.items() if first <= month <= last)

    def _get_ladder(self, months, ranges):
        report = self.env["customer.cost.profitability"]
        sums = {
            name: [self._sum(months, name, first, last) for _key, _label, first, last in ranges]
            for name in [key for key, _style in LADDER] + ["cost_to_serve"]
        }
        rows = []
        for key, style in LADDER:
            rows.append(
                {
                    "key": key,
                    "label": report._fields[key]._description_string(self.env),
                    "style": style,
                    "values": sums[key],
                    "percent": self._get_percent(sums[key], sums["net_sales"]),
                }
            )
        rows.append(
            {
                "key": "cost_to_serve_pct",
                "label": report._fields["cost_to_serve_pct"]._description_string(self.env),
                "style": "ratio",
                "values": self._get_percent(sums["cost_to_serve"], sums["net_sales"]),
                "percent": None,
            }
        )
        return rows

    @staticmethod
    def _get_percent(amounts, sales):
        return [
            round(100 * amount / base, 2) if base > 0 else None
            for amount, base in zip(amounts, sales, strict=True)
        ]

    def _get_composition(self, months, items, ranges):
        """Cost by item, largest first; what the reader may not see by item is staff cost."""
        costs = [
            self._sum(months, "cost_to_serve", first, last)
            + self._sum(months, "full_cost", first, last)
            for _key, _label, first, last in ranges
        ]
        rows = []
        for item, amounts in items.items():
            values = [
                sum(amount for month, amount in amounts.items() if first <= month <= last)
                for _key, _label, first, last in ranges
            ]
            rows.append({"item_id": item.id, "label": item.name, "values": values})
        rounding = self.env.company.currency_id
        hidden = [
            rounding.round(cost - sum(row["values"][place] for row in rows))
            for place, cost in enumerate(costs)
        ]
        if any(not rounding.is_zero(amount) for amount in hidden):
            rows.append({"item_id": False, "label": self.env._("Staff cost"), "values": hidden})
        for row in rows:
            row["percent"] = self._get_percent(row["values"], costs)
        return sorted(
            (row for row in rows if any(row["values"])), key=lambda row: -row["values"][-1]
        )

    def _get_trend(self, months, ranges):
        _key, _label, first, _last = ranges[-1]
        trend = []
        for offset in range(12):
            month = date_utils.add(first, months=offset)
            values = months.get(month, {})
            trend.append(
                {
                    "month": month.strftime("%Y-%m"),
                    "net_sales": values.get("net_sales") or 0.0,
                    "cost": values.get("cost_to_serve") or 0.0,
                    "profit": values.get("profit") or 0.0,
                }
            )
        return trend
