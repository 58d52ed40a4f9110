from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import date_utils, format_date

UNITS = {"month": 1, "quarter": 3, "year": 12}


class CustomerCostTieOutScreen(models.AbstractModel):
    """What the screen asks for: figures with the periods and companies to choose from."""

    _inherit = "customer.cost.tie.out"

    @api.model
    @api.readonly
    def get_tie_out(self, company_id=False, unit="year", day=False):
        """Figures of one period for the screen.

        :param company_id: one of the chosen companies; the current one if left out
        :param unit: ``month``, or ``quarter`` or ``year`` of the company's fiscal year
        :param day: any day of the period; today if left out
        :return: ``figures`` as :meth:`_get_figures`, ``companies`` as ``[id, name]``, ``unit``,
            ``day``, ``label`` of the period, ``previous`` and ``next``: a day of those periods
        :raises AccessError: the role is missing, or the company is not one of the chosen ones
        :raises UserError: the period is unknown
        """
        company = self.env["res.company"].browse(company_id or self.env.company.id)
        self._check_company(company)
        day = self._parse_day(day) if day else fields.Date.context_today(self)
        first, last = self._get_unit_range(company, unit, day)
        return {
            "figures": self._get_figures(company, first, last),
            "companies": [[found.id, found.name] for found in self.env.companies],
            "unit": unit,
            "day": fields.Date.to_string(day),
            "label": self._get_range_label(first, last),
            "previous": fields.Date.to_string(date_utils.subtract(first, days=1)),
            "next": fields.Date.to_string(date_utils.add(last, days=1)),
        }

    @api.model
    def _get_unit_range(self, company, unit, day):
        """Whole months of ``unit`` that hold ``day``; quarters count from the fiscal year."""
        if unit not in UNITS:
            raise UserError(
                self.env._("Choose a month, a quarter or a year instead of %(unit)s.", unit=unit)
            )
        if unit == "month":
            return self._get_range(day, day)
        year = company.compute_fiscalyear_dates(day)
        first, last = self._get_range(year["date_from"], year["date_to"])
        if unit == "year":
            return first, last
        while date_utils.add(first, months=UNITS[unit]) <= day:
            first = date_utils.add(first, months=UNITS[unit])
        return first, min(last, date_utils.subtract(date_utils.add(first, months=3), days=1))

    @api.model
    def _get_range_label(self, first, last):
        """The range in the reader's language: a month, a calendar year, or its two months."""
        if date_utils.end_of(first, "month") == last:
            return format_date(self.env, first, date_format="LLLL y")
        if date_utils.end_of(first, "year") == last and first == date_utils.start_of(last, "year"):
            return str(first.year)
        return " – ".join(format_date(self.env, day, date_format="LLL y") for day in (first, last))
