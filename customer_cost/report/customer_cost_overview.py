from odoo import api, fields, models
from odoo.tools import date_utils

from .customer_cost_tie_out import ROLES as TIE_OUT_ROLES

# The periods to choose from, with the name that the summary gives them.
PERIODS = {"rolling": "rolling", "year": "year", "last_year": "last"}
# Figures of the balance that the ladder is made of.
SOURCES = (
    "gross_sales",
    "net_sales",
    "product_cost",
    "activity_cost",
    "sustaining_cost",
    "direct_cost",
    "allocated_cost",
    "full_cost",
    "unknown_lines",
)
# (key, how the row is shown)
LADDER = (
    ("gross_sales", "detail"),
    ("discount", "detail"),
    ("net_sales", "subtotal"),
    ("product_cost", "cost"),
    ("gross_margin", "subtotal"),
    ("activity_cost", "cost"),
    ("contribution", "subtotal"),
    ("sustaining_cost", "cost"),
    ("profit", "subtotal"),
    ("full_cost", "cost"),
    ("full_profit", "subtotal"),
)
RANKED = 10


class CustomerCostOverview(models.AbstractModel):
    """The home screen: the company's ladder, its trend, best and worst customers, and trust.

    Read as the user from balance and summary, whose rules decide, with a number of queries that
    does not depend on the number of customers.
    """

    _name = "customer.cost.overview"
    _description = "Overview"

    @api.model
    @api.readonly
    def get_overview(self, period="rolling"):
        """Return the figures of the current company for a period.

        :param period: ``rolling`` (last 12 months), ``year`` or ``last_year``, fiscal years
        :return: JSON-serialisable dict; amounts are in the currency of the current company,
            percentages of net sales are ``None`` where those are not positive
        :raises AccessError: the user may not read the customers' figures
        """
        ranges = self._get_ranges()
        chosen = next((found for found in ranges if found["key"] == period), ranges[0])
        months = self._read_months(chosen)
        sums = {name: sum(row[name] for row in months.values()) for name in SOURCES}
        figures = self._get_steps(sums)
        best, worst = self._get_ranking(chosen)
        company = self.env.company
        return {
            "company": company.name,
            "currency_id": company.currency_id.id,
            "as_of": fields.Date.to_string(fields.Date.context_today(self)),
            "allocated_until": self.env["customer.cost.figures"]._get_allocated_until(),
            "ranges": ranges,
            "period": chosen,
            "is_empty": not months,
            "pending": self._count_pending(),
            "alerts": self.env["customer.cost.alert"]._count_open(company),
            "rows": self._get_ladder(figures),
            "cost_to_serve_pct": self._get_percent(
                figures["direct_cost"] + figures["allocated_cost"], figures["net_sales"]
            ),
            "trend": self._get_trend(months, chosen),
            "best": best,
            "worst": worst,
            "unknown_lines": figures["unknown_lines"],
            "direct_pct": self._get_percent(
                figures["direct_cost"],
                figures["direct_cost"] + figures["allocated_cost"] + figures["full_cost"],
            ),
            "has_tie_out": self.env.user.has_groups(TIE_OUT_ROLES),
            "setup": self.env["customer.cost.setup"]._get_status(company),
        }

    @api.model
    def get_trust(self, period="rolling", anew=False):
        """Return whether the months of a period tie out, and the way from customers to the result.

        :param period: as for :meth:`get_overview`
        :param anew: tie out every month again, not only those that changed since they were
        :return: JSON-serialisable dict: ``left``, how many parts of the period the next call has
            to tie out, if any, and nothing else then; ``is_tied``, ``difference``, ``tied_at``
            (since when what is shown holds, in UTC), ``from`` and ``to``, ``rows`` from full-cost
            profit to the result of the books (income positive), ``waiting`` (cost in the pools),
            ``sales`` (sales without customer or invoice), ``gap`` (cost of sales booked less
            frozen) and ``unmapped`` (number of accounts in no row of the map)
        :raises AccessError: the user may not see the tie-out
        """
        company = self.env.company
        tie_out = self.env["customer.cost.tie.out"]
        tie_out._check_company(company)
        ranges = self._get_ranges()
        chosen = next((found for found in ranges if found["key"] == period), ranges[0])
        first, last = tie_out._parse_range(chosen["from"], chosen["to"])
        spans, left = self.env["customer.cost.span"]._get_tie_outs(company, first, last, anew)
        if left:
            return {"left": left}
        found = spans.mapped("tie_out")
        labels = tie_out._get_result_labels()
        rounding = company.currency_id.round
        amounts = {key: rounding(sum(span["rows"][key] for span in found)) for key in labels}
        # between the parts of the period it cancels out
        amounts["in"], amounts["out"] = rounding(amounts["in"] + amounts["out"]), 0.0
        labels["in"] = self.env._("Costs of other periods")
        return {
            "left": 0,
            "is_tied": all(span["is_tied"] for span in found),
            "difference": rounding(sum(span["difference"] for span in found)),
            "tied_at": fields.Datetime.to_string(min(spans.mapped("tied_at"), default=False)),
            "from": fields.Date.to_string(first),
            "to": fields.Date.to_string(last),
            "rows": [
                {"key": key, "label": label, "value": amounts[key]}
                for key, label in labels.items()
                if key != "profit" and (amounts[key] or key == "books")
            ],
            "waiting": -amounts["waiting"],
            "sales": amounts["sales"],
            "gap": -amounts["gap"],
            "unmapped": len(set().union(*(span["unmapped"] for span in found))),
        }

    # ------------------------------------------------------------
    # Reading
    # ------------------------------------------------------------

    @api.model
    def _get_ranges(self):
        """The periods to choose from, the last 12 months first."""
        ranges = {
            key: {
                "key": key,
                "label": label,
                "from": fields.Date.to_string(first),
                "to": fields.Date.to_string(last),
            }
            for key, label, first, last in self.env["customer.cost.figures"]._get_ranges()
        }
        return [ranges[key] for key in PERIODS]

    def _get_domain(self, chosen):
        return [
            ("company_id", "=", self.env.company.id),
            ("month", ">=", chosen["from"]),
            ("month", "<=", chosen["to"]),
        ]

    def _read_months(self, chosen):
        rows = self.env["customer.cost.balance"]._read_group(
            self._get_domain(chosen), ["month:month"], [f"{name}:sum" for name in SOURCES]
        )
        return {
            month: {name: value or 0 for name, value in zip(SOURCES, values, strict=True)}
            for month, *values in rows
        }

    def _count_pending(self):
        """Changes of sales or cost that the stored figures do not hold yet."""
        # sudo: how much is to be refreshed tells nothing of what
        marks = self.env["customer.cost.dirty"].sudo()
        return marks.search_count(
            [("company_id", "=", self.env.company.id), ("month", "!=", False)]
        )

    def _get_ranking(self, chosen):
        """Customers by profit: those that earn most, and those that earn least or cost money."""
        span = PERIODS[chosen["key"]]
        best = self._read_ranking(span, [(f"{span}_profit", ">", 0)], "desc")
        worst = self._read_ranking(
            span,
            [
                ("id", "not in", [row.id for row in best]),
                "|",
                (f"{span}_profit", "!=", 0),
                (f"{span}_net_sales", "!=", 0),
            ],
            "asc",
        )
        return [
            # sudo: names of customers whose figures the reader sees
            [
                {
                    "id": row.customer_id.id,
                    "name": row.customer_id.sudo().display_name,
                    "net_sales": row[f"{span}_net_sales"],
                    "profit": row[f"{span}_profit"],
                    "percent": self._get_percent(row[f"{span}_profit"], row[f"{span}_net_sales"]),
                }
                for row in rows
            ]
            for rows in (best, worst)
        ]

    def _read_ranking(self, span, domain, direction):
        return self.env["customer.cost.summary"].search_fetch(
            [
                ("company_id", "=", self.env.company.id),
                ("intercompany", "=", False),
                *domain,
            ],
            ["customer_id", f"{span}_net_sales", f"{span}_profit"],
            order=f"{span}_profit {direction}, id",
            limit=RANKED,
        )

    # ------------------------------------------------------------
    # Shaping
    # ------------------------------------------------------------

    @staticmethod
    def _get_percent(amount, base):
        return round(100 * amount / base, 2) if base > 0 else None

    def _get_steps(self, sums):
        """The sums with the margins between them, rounded to the currency."""
        steps = dict(sums)
        steps["discount"] = steps["gross_sales"] - steps["net_sales"]
        steps["gross_margin"] = steps["net_sales"] - steps["product_cost"]
        steps["contribution"] = steps["gross_margin"] - steps["activity_cost"]
        steps["profit"] = steps["contribution"] - steps["sustaining_cost"]
        steps["full_profit"] = steps["profit"] - steps["full_cost"]
        rounding = self.env.company.currency_id.round
        return {
            name: value if name == "unknown_lines" else rounding(value)
            for name, value in steps.items()
        }

    def _get_ladder(self, figures):
        report = self.env["customer.cost.profitability"]
        return [
            {
                "key": key,
                "label": report._fields[key]._description_string(self.env),
                "style": style,
                "value": figures[key],
                "percent": self._get_percent(figures[key], figures["net_sales"]),
            }
            for key, style in LADDER
            if style != "detail" or figures["discount"]
        ]

    def _get_trend(self, months, chosen):
        first = date_utils.start_of(fields.Date.to_date(chosen["from"]), "month")
        last = min(fields.Date.to_date(chosen["to"]), fields.Date.context_today(self))
        trend = []
        while first <= last:
            figures = self._get_steps(months.get(first) or dict.fromkeys(SOURCES, 0))
            trend.append(
                {
                    "month": first.strftime("%Y-%m"),
                    "net_sales": figures["net_sales"],
                    "cost": figures["direct_cost"] + figures["allocated_cost"],
                    "profit": figures["profit"],
                }
            )
            first = date_utils.add(first, months=1)
        return trend
