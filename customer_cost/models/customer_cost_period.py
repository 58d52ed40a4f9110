from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import SQL, date_utils


class CustomerCostPeriod(models.Model):
    """One calendar month of one company; a closed one takes no more cost."""

    _name = "customer.cost.period"
    _description = "Cost Period"
    _inherit = ["mail.thread", "customer.cost.guarded"]
    _order = "date_from desc, company_id"
    _guarded_fields = frozenset({"state", "company_id", "date_from", "touched"})

    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    date_from = fields.Date(string="First Day", required=True, readonly=True)
    date_to = fields.Date(string="Last Day", compute="_compute_date_to")
    state = fields.Selection(
        [("open", "Open"), ("closed", "Closed")],
        required=True,
        default="open",
        readonly=True,
        copy=False,
        tracking=True,
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
    def _compute_date_to(self):
        for period in self:
            period.date_to = period.date_from and date_utils.end_of(period.date_from, "month")

    @api.depends("date_from", "company_id")
    def _compute_display_name(self):
        for period in self:
            month = period.date_from.strftime("%Y-%m") if period.date_from else ""
            period.display_name = f"{month} · {period.company_id.name}"

    @api.model
    def _get(self, company, date):
        """Return the period of ``company`` that holds ``date``, made if there is none."""
        first = date_utils.start_of(fields.Date.to_date(date), "month")
        # sudo: a period is made by whoever first needs it and holds nothing but the month
        periods = self.sudo()
        domain = [("company_id", "=", company.id), ("date_from", "=", first)]
        found = periods.search(domain)
        if not found:
            # of two transactions that need the month first, the second is retried and finds it
            self.env.cr.execute(
                SQL(
                    """INSERT INTO customer_cost_period (company_id, date_from, state, touched,
                              create_uid, create_date, write_uid, write_date)
                       VALUES (%(company)s, %(first)s, 'open', 0,
                               %(uid)s, %(now)s, %(uid)s, %(now)s)
                       ON CONFLICT (company_id, date_from) DO NOTHING""",
                    company=company.id,
                    first=first,
                    uid=self.env.uid,
                    now=self.env.cr.now(),
                )
            )
            found = periods.search(domain)
        return self.browse(found.id)

    @api.model
    def _is_closed(self, company, date):
        """Whether ``date`` lies in a closed period of ``company`` or of a company above it."""
        first = date_utils.start_of(fields.Date.to_date(date), "month")
        # sudo: everybody who records a cost is told that the month is closed
        return bool(
            self.sudo().search_count(
                [
                    ("company_id", "in", company.parent_ids.ids),
                    ("date_from", "=", first),
                    ("state", "=", "closed"),
                ],
                limit=1,
            )
        )

    @api.model
    def _sql_first_open_day(self, company_id, date) -> SQL:
        """SQL for ``date`` itself when its period is open, else the first day that is open."""
        closed = SQL(
            """SELECT p.date_from FROM customer_cost_period p
                 JOIN res_company o ON o.id = %s
                WHERE p.state = 'closed' AND p.company_id = ANY(
                      string_to_array(trim(trailing '/' from o.parent_path), '/')::int[])""",
            company_id,
        )
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
            closed=closed,
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

    def action_close(self):
        """Close the period: later cost takes the first open day and keeps its own date."""
        self._check_cost_manager(self.env._("Only a cost manager closes or reopens a period."))
        self.check_access("read")
        self._touch()
        for period in self:
            if period.state != "open":
                raise UserError(
                    self.env._("Period %(period)s is closed already.", period=period.display_name)
                )
            if period.date_to >= fields.Date.context_today(self):
                raise UserError(
                    self.env._(
                        "Period %(period)s is not over yet: it can be closed from %(date)s.",
                        period=period.display_name,
                        date=period.date_to + relativedelta(days=1),
                    )
                )
        # sudo: the guarded state belongs to this method, which checked the role
        self.sudo()._unguarded().write({"state": "closed"})

    def action_reopen(self):
        """Open a closed period again; the chatter keeps who did it."""
        self._check_cost_manager(self.env._("Only a cost manager closes or reopens a period."))
        self.check_access("read")
        self._touch()
        if any(period.state != "closed" for period in self):
            raise UserError(self.env._("Only a closed period can be reopened."))
        # sudo: the guarded state belongs to this method, which checked the role
        self.sudo()._unguarded().write({"state": "open"})

    @api.ondelete(at_uninstall=False)
    def _unlink_except_used(self):
        if any(period.state == "closed" or period.run_ids for period in self):
            raise ValidationError(
                self.env._("A closed period, or one with runs, cannot be deleted.")
            )
