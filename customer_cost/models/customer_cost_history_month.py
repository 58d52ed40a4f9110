import logging

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import SQL, format_date

from ..fields import Amount

_logger = logging.getLogger(__name__)

MONTH_STATES = [
    ("waiting", "Waiting"),
    ("done", "Brought in"),
    ("failed", "Failed"),
    ("closed", "Period closed"),
    ("undoing", "Being undone"),
    ("undone", "Undone"),
]


class CustomerCostHistoryMonth(models.Model):
    """One month of a history: a batch of its own, done or not.

    The row also says that its days are captured though they lie before the company's start.
    """

    _name = "customer.cost.history.month"
    _description = "History Month"
    _order = "date_from desc, id"

    history_id = fields.Many2one(
        "customer.cost.history", required=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="history_id.company_id", store=True, index=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    date_from = fields.Date(string="From", required=True, readonly=True)
    date_to = fields.Date(string="To", required=True, readonly=True)
    state = fields.Selection(MONTH_STATES, required=True, default="waiting", readonly=True)
    line_count = fields.Integer(string="Ledger Lines", readonly=True)
    amount = Amount(readonly=True, help="What the month's ledger lines add up to.")
    estimated_count = fields.Integer(
        string="Estimated Lines",
        readonly=True,
        help="Invoice lines whose product cost was filled in.",
    )
    message = fields.Char(readonly=True)
    is_kept = fields.Boolean(
        compute="_compute_is_kept",
        help="Captured with or without a history.",
    )
    remark = fields.Char(compute="_compute_remark")

    @api.depends("date_from", "company_id.customer_cost_start_date")
    def _compute_is_kept(self):
        for month in self:
            start = month.company_id.customer_cost_start_date
            month.is_kept = not start or month.date_from >= start

    @api.depends("message", "is_kept")
    def _compute_remark(self):
        kept = self.env._("Captured with or without a history: cannot be undone")
        for month in self:
            month.remark = month.message or (kept if month.is_kept else False)

    def _filter_undoable(self):
        """Months that are captured because a history brought them in."""
        return self.filtered(lambda month: month.state == "done" and not month.is_kept)

    def _filter_unsettled(self):
        """Months that are still to be brought in, or tried again."""
        return self.filtered(lambda month: month.state in ("waiting", "failed", "closed"))

    def _process(self):
        """Bring the month in, or take it back; what goes wrong stands on the row.

        :return: whether the month is settled; ``False`` when somebody else was working on the
            same documents and it has to be tried again
        """
        self.ensure_one()
        try:
            with self.env.cr.savepoint():
                self._take_back() if self.state == "undoing" else self._bring_in()
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            # another transaction changed the same rows: this one sees their old state for good
            self.env.cr.rollback()
            _logger.info("History month %s is tried again", self.id)
            return False
        except Exception as error:
            _logger.info(
                "History month %s failed", self.id, exc_info=not isinstance(error, UserError)
            )
            self._fail(error)
        return True

    def _bring_in(self):
        if self.env["customer.cost.period"]._is_closed(self.company_id, self.date_from):
            self.write(
                {
                    "state": "closed",
                    "message": self.env._(
                        "The cost period of %(month)s is closed. Reopen it and try again.",
                        month=format_date(self.env, self.date_from, date_format="yyyy-MM"),
                    ),
                }
            )
            return
        self.write({"state": "done", "message": False})
        self._compare()
        self._note_estimates(
            self.env["account.move.line"]._estimate_product_cost(
                self.company_id, self.date_from, self.date_to
            )
        )

    def _take_back(self):
        self.history_id._check_open(self)
        self.write({"state": "undone", "message": False})
        self._compare()
        clear = self.env["account.move.line"]._clear_estimated_product_cost
        for first, last in self._get_released_days():
            self._note_estimates(-clear(self.company_id, first, last))

    def _note_estimates(self, count):
        """Add to the invoice lines filled in, and have the month's margins refreshed."""
        if count:
            self.estimated_count += count
            self.env["customer.cost.dirty"]._mark(self.company_id.id, [self.date_from])

    def _get_released_days(self):
        """Stretches of the month that are captured no longer, as (first, last) days."""
        return self.env.execute_query(
            SQL(
                """SELECT min(date), max(date)
                     FROM (SELECT m.date,
                                  m.date - row_number() OVER (ORDER BY m.date)::int AS stretch
                             FROM (SELECT %(company)s AS company_id, day::date AS date
                                     FROM generate_series(%(first)s::date, %(last)s::date,
                                          interval '1 day') day) m
                             JOIN res_company co ON co.id = m.company_id
                            WHERE %(before_start)s) released
                 GROUP BY stretch ORDER BY 1""",
                company=self.company_id.id,
                first=self.date_from,
                last=self.date_to,
                before_start=self.env["customer.cost.capture"]._sql_before_start(),
            )
        )

    def _compare(self):
        """Bring the ledger to what holds with the month's new state."""
        company = self.company_id
        count = self.env["customer.cost.capture"]._sync_period(
            company, self.date_from, self.date_to
        )
        ((amount,),) = self.env.execute_query(
            SQL(
                """SELECT COALESCE(sum(l.amount), 0)
                     FROM customer_cost_line l JOIN customer_cost_entry e ON e.id = l.entry_id
                    WHERE %s""",
                self.env["customer.cost.capture"]._sql_held_of_days(
                    company, self.date_from, self.date_to
                ),
            )
        )
        self.write({"line_count": count, "amount": amount})

    def _fail(self, error):
        text = str(error) if isinstance(error, UserError) else f"{type(error).__name__}: {error}"
        self.write({"state": "done" if self.state == "undoing" else "failed", "message": text})
