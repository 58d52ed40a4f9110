from collections import defaultdict

from odoo import api, models
from odoo.tools import SQL, format_date, formatLang, groupby

from ..engine import from_minor, to_minor
from ..findings import EACH_ALONE, Finding


class CustomerCostEntry(models.Model):
    """A cost that takes its customer past the customer's own limit is warned of."""

    _inherit = "customer.cost.entry"

    def _get_findings(self):
        found = super()._get_findings()
        apart = self.env.context.get("customer_cost_findings") is EACH_ALONE
        asks = self._get_budget_asks()
        customers = self.env["res.partner"].browse({ask.customer_id for ask in asks})
        limits = {}
        for company in self.env["res.company"].browse({ask.company_id for ask in asks}):
            for customer_id, own in customers._get_customer_cost_limits(company, customers).items():
                limits[company.id, customer_id] = own
        asks = [ask for ask in asks if (ask.company_id, ask.customer_id) in limits]
        if not asks:
            return found
        used = self._read_cost_of_customers(asks)
        # sudo: names of customers of costs that the user records
        by_id = {customer.id: customer for customer in customers.sudo()}
        for entry, group in groupby(asks, lambda ask: ask.key):
            ask = group[0]
            # sudo: fiscal year and currency of a company whose cost the user records
            company = self.env["res.company"].sudo().browse(ask.company_id)
            digits = company.currency_id.decimal_places
            asked = defaultdict(int)
            for part in group:
                asked[part.date.replace(day=1)] += to_minor(part.amount, digits)
            months = used[ask.company_id, ask.customer_id]
            own = limits[ask.company_id, ask.customer_id]
            for name in ("customer_cost_limit_month", "customer_cost_limit_year"):
                limit = to_minor(own.get(name, 0.0), digits)
                for first, last in self._get_limit_windows(name, company, asked) if limit else ():
                    amount = sum(minor for month, minor in asked.items() if first <= month <= last)
                    after = sum(minor for month, minor in months.items() if first <= month <= last)
                    after += 0 if ask.counted else amount
                    if amount > 0 and after > limit:
                        found.setdefault(entry, []).append(
                            self._prepare_limit_finding(
                                by_id[ask.customer_id],
                                company.currency_id,
                                name,
                                after,
                                limit,
                                first,
                            )
                        )
                        break
            if not (apart or ask.counted):
                for month, minor in asked.items():
                    months[month] += minor
        return found

    @api.model
    def _get_limit_windows(self, name, company, months):
        """First and last day of the months, or of the fiscal years, that a cost serves."""
        if name == "customer_cost_limit_month":
            return [(month, month) for month in sorted(months)]
        years = [company.compute_fiscalyear_dates(month) for month in sorted(months)]
        return list(dict.fromkeys((year["date_from"], year["date_to"]) for year in years))

    def _read_cost_of_customers(self, asks):
        """Direct and committed cost of the customers asked about, by month, in minor units.

        :return: dict of ``(company id, customer id)`` to dict of month to amount
        """
        self.env["customer.cost.budget.report"]._flush_sources()
        used = defaultdict(lambda: defaultdict(int))
        # sudo: currencies of companies whose cost the user records
        companies = self.env["res.company"].sudo().browse({ask.company_id for ask in asks})
        digits = {company.id: company.currency_id.decimal_places for company in companies}
        customer_ids = list({ask.customer_id for ask in asks})
        # Whoever asks: the limit holds for all cost of the customer, and the message is shown to
        # who records cost for it.
        for company_id, customer_id, month, amount in self.env.execute_query(
            SQL(
                """SELECT company_id, customer_id, date_trunc('month', date)::date, sum(amount)
                     FROM (SELECT company_id, customer_id, date, amount FROM customer_cost_line
                       UNION ALL
                           SELECT company_id, customer_id, date, amount FROM (%(committed)s) c) cost
                    WHERE customer_id = ANY(%(customers)s) AND company_id = ANY(%(companies)s)
                      AND date >= %(first)s AND date <= %(last)s
                 GROUP BY 1, 2, 3""",
                committed=self.env["customer.cost.commitment"]._sql_of_customers(
                    companies.ids, customer_ids
                ),
                customers=customer_ids,
                companies=companies.ids,
                first=min(
                    company.compute_fiscalyear_dates(min(ask.date for ask in asks))["date_from"]
                    for company in companies
                ),
                last=max(
                    company.compute_fiscalyear_dates(max(ask.date for ask in asks))["date_to"]
                    for company in companies
                ),
            )
        ):
            used[company_id, customer_id][month] += to_minor(amount, digits[company_id])
        return used

    def _prepare_limit_finding(self, customer, currency, name, after, limit, month):
        def money(minor):
            value = float(from_minor(minor, currency.decimal_places))
            return formatLang(self.env, value, currency_obj=currency)

        figures = {"customer": customer.display_name, "cost": money(after), "limit": money(limit)}
        message = (
            self.env._(
                "With this cost, %(customer)s costs %(cost)s in %(month)s. Its own limit is "
                "%(limit)s.",
                month=format_date(self.env, month, date_format="MMMM y"),
                **figures,
            )
            if name == "customer_cost_limit_month"
            else self.env._(
                "With this cost, %(customer)s costs %(cost)s in the year. Its own limit is "
                "%(limit)s.",
                **figures,
            )
        )
        return Finding("warn", message, customer)
