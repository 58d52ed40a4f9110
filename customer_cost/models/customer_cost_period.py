from babel.dates import format_skeleton

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import SQL, babel_locale_parse, date_utils
from odoo.tools.misc import get_lang


class ClosedMonths(dict):
    """Months looked at already, for a batch whose periods are held; no client can send one."""


class CustomerCostPeriod(models.Model):
    """One calendar month of one company; a closed one takes no more cost."""

    _name = "customer.cost.period"
    _description = "Cost Period"
    _inherit = ["mail.thread", "customer.cost.guarded"]
    _order = "date_from desc, company_id"
    _guarded_fields = frozenset(
        {
            "state",
            "company_id",
            "date_from",
            "fiscal_year",
            "touched",
            "run_ids",
            "closing_id",
            "closing_ids",
        }
    )

    name = fields.Char(string="Month", compute="_compute_name")
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    date_from = fields.Date(string="First Day", required=True, readonly=True)
    date_to = fields.Date(string="Last Day", compute="_compute_date_to")
    fiscal_year = fields.Char(
        compute="_compute_fiscal_year",
        store=True,
        help="The company's fiscal year that holds the month, by the calendar years it touches.",
    )
    state = fields.Selection(
        [("open", "Open"), ("closing", "Closing"), ("closed", "Closed")],
        required=True,
        default="open",
        readonly=True,
        copy=False,
        tracking=True,
        help="While a month is being closed it takes cost like an open one. A closed one takes "
        "none: later cost counts in the first open month and keeps its own date.",
    )
    touched = fields.Integer(
        readonly=True,
        copy=False,
        default=0,
        help="Counts postings, reversals and closings: two at once cannot both succeed.",
    )
    run_ids = fields.One2many("customer.cost.run", "period_id", string="Runs")

    _company_month_unique = models.UniqueIndex(
        "(company_id, date_from)", "This company already has this period."
    )

    @api.depends("date_from")
    @api.depends_context("lang")
    def _compute_name(self):
        for period in self:
            period.name = period.date_from and self._format_month(period.date_from)

    @api.depends("date_from")
    def _compute_date_to(self):
        for period in self:
            period.date_to = period.date_from and date_utils.end_of(period.date_from, "month")

    @api.depends("date_from", "company_id.fiscalyear_last_day", "company_id.fiscalyear_last_month")
    def _compute_fiscal_year(self):
        figures = self.env["customer.cost.figures"]
        for period in self:
            year = period.company_id.compute_fiscalyear_dates(period.date_from)
            period.fiscal_year = figures._get_year_label(year["date_from"], year["date_to"])

    @api.depends("date_from", "company_id")
    @api.depends_context("lang")
    def _compute_display_name(self):
        for period in self:
            period.display_name = f"{period.name or ''} · {period.company_id.name}"

    @api.model
    def _format_month(self, date):
        """Return a month as the reader writes it: March 2026, 2026年3月."""
        locale = babel_locale_parse(get_lang(self.env).code)
        return format_skeleton("yMMMM", date, locale=locale)

    @api.model
    def _format_months(self, months):
        """Return months, in order, as the reader writes them: runs of them as from – to."""
        runs = []
        for month in map(fields.Date.to_date, months):
            if runs and date_utils.add(runs[-1][1], months=1) == month:
                runs[-1][1] = month
            else:
                runs.append([month, month])
        return ", ".join(" – ".join(map(self._format_month, dict.fromkeys(ends))) for ends in runs)

    def _in_readers_language(self, reader=None):
        """The period in the language that scheduled actions write to it in.

        That of the company, whoever the action runs as; else that of ``reader``.
        """
        self.ensure_one()
        lang = self.company_id.partner_id.lang or (reader or self.env.user).lang
        return self.with_context(lang=lang)

    # ------------------------------------------------------------
    # Which periods there are
    # ------------------------------------------------------------

    @api.model
    def _get(self, company, date):
        """Return the period of ``company`` that holds ``date``, made if there is none."""
        first = date_utils.start_of(fields.Date.to_date(date), "month")
        # sudo: a period is made by whoever first needs it and holds nothing but the month
        periods = self.sudo()
        domain = [("company_id", "=", company.id), ("date_from", "=", first)]
        found = periods.search(domain) or periods._make(company, first, first)
        return self.browse(found.id)

    @api.model
    def _make(self, company, first, last):
        """Make the periods of the months from ``first`` to ``last`` that are missing.

        :return: the periods of these months
        """
        # of two transactions that need a month first, the second is retried and finds it
        self.env.cr.execute(
            SQL(
                """INSERT INTO customer_cost_period (company_id, date_from, state, touched,
                          create_uid, create_date, write_uid, write_date)
                   SELECT %(company)s, month::date, 'open', 0,
                          %(uid)s, %(now)s, %(uid)s, %(now)s
                     FROM generate_series(%(first)s::date, %(last)s::date, interval '1 month') month
                   ON CONFLICT (company_id, date_from) DO NOTHING""",
                company=company.id,
                first=date_utils.start_of(first, "month"),
                last=last,
                uid=self.env.uid,
                now=self.env.cr.now(),
            )
        )
        # sudo: as in _get
        periods = self.sudo().search(
            [
                ("company_id", "=", company.id),
                ("date_from", ">=", date_utils.start_of(first, "month")),
                ("date_from", "<=", last),
            ]
        )
        new = periods.filtered(lambda period: not period.fiscal_year)
        self.env.add_to_compute(self._fields["fiscal_year"], new)
        return periods

    @api.model
    def _make_missing(self, companies):
        """Make every month from a company's first cost or customer invoice up to this month."""
        today = fields.Date.context_today(self)
        self._flush_beginnings()
        rows = self.env.execute_query(self._sql_beginnings(companies))
        for company_id, first in rows:
            if first and first <= today:
                self._make(self.env["res.company"].browse(company_id), first, today)

    @api.model
    def action_open_periods(self):
        """Open the list of periods; months of the user's companies that are missing are made.

        :return: action
        """
        self.check_access("read")
        self._make_missing(self.env.companies)
        return self.env["ir.actions.act_window"]._for_xml_id(
            "customer_cost.customer_cost_period_action"
        )

    @api.model
    def _flush_beginnings(self):
        self.env["customer.cost.line"].flush_model(["company_id", "date"])
        self.env["account.move"].flush_model(["company_id", "date", "move_type", "state"])
        self.env["res.company"].flush_model(["customer_cost_start_date"])

    @api.model
    def _sql_beginnings(self, companies) -> SQL:
        """Each company with the day of its first cost or customer invoice.

        Invoices from before its costs are captured do not count.
        """
        return SQL(
            """SELECT c.id, LEAST(
                      (SELECT min(date) FROM customer_cost_line WHERE company_id = c.id),
                      (SELECT min(date) FROM account_move
                        WHERE company_id = c.id AND state = 'posted'
                          AND date >= COALESCE(c.customer_cost_start_date, date)
                          AND move_type IN ('out_invoice', 'out_refund', 'out_receipt')))
                 FROM res_company c WHERE c.id = ANY(%s)""",
            companies.ids,
        )

    # ------------------------------------------------------------
    # The cost lock
    # ------------------------------------------------------------

    @api.model
    def _is_closed(self, company, date):
        """Whether ``date`` lies in a closed period of ``company`` or of a company above it."""
        first = date_utils.start_of(fields.Date.to_date(date), "month")
        known = self.env.context.get("customer_cost_closed_months")
        known = known if isinstance(known, ClosedMonths) else ClosedMonths()
        if (company.id, first) not in known:
            # sudo: everybody who records a cost is told that the month is closed
            known[company.id, first] = bool(
                self.sudo().search_count(
                    [
                        ("company_id", "in", company.sudo().parent_ids.ids),
                        ("date_from", "=", first),
                        ("state", "=", "closed"),
                    ],
                    limit=1,
                )
            )
        return known[company.id, first]

    @api.model
    def _sql_closed(self, company_id) -> SQL:
        """First days of the months closed for a company, by itself or from above."""
        return SQL(
            """SELECT p.date_from FROM customer_cost_period p
                 JOIN res_company o ON o.id = %s
                WHERE p.state = 'closed' AND p.company_id = ANY(
                      string_to_array(trim(trailing '/' from o.parent_path), '/')::int[])""",
            company_id,
        )

    @api.model
    def _sql_first_open_day(self, company_id, date) -> SQL:
        """SQL for ``date`` itself when its period is open, else the first day that is open."""
        return SQL(
            """CASE WHEN NOT EXISTS (SELECT FROM (%(closed)s) q
                         WHERE q.date_from = date_trunc('month', %(date)s)::date)
                    THEN %(date)s
                    ELSE (SELECT min(month)::date FROM generate_series(
                              date_trunc('month', %(date)s),
                              (SELECT max(q.date_from) + interval '1 month' FROM (%(closed)s) q),
                              interval '1 month') month
                          WHERE NOT EXISTS (SELECT FROM (%(closed)s) q
                              WHERE q.date_from = month::date)) END""",
            closed=self._sql_closed(company_id),
            date=date,
        )

    def _touch(self):
        """Lock and change the period rows: of two transactions that do, one is retried."""
        self.env.cr.execute(
            SQL(
                "SELECT id FROM customer_cost_period WHERE id = ANY(%s) ORDER BY id FOR UPDATE",
                self.ids,
            )
        )
        for period in self:
            # sudo: a lock, taken by methods that checked the right to what they do
            period.sudo()._unguarded().touched += 1
        self.sudo().flush_recordset(["touched"])

    @api.ondelete(at_uninstall=False)
    def _unlink_except_used(self):
        # sudo: a closing is kept whoever may read it
        if any(
            period.state != "open" or period.run_ids or period.sudo().closing_ids for period in self
        ):
            raise ValidationError(
                self.env._("A period that was closed, or one with runs, cannot be deleted.")
            )
