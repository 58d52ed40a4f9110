import logging

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.fields import Domain
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import SQL, date_utils, format_date

from ..fields import Amount, Many2oneUnchecked

_logger = logging.getLogger(__name__)

FIGURES = (
    "gross_sales",
    "net_sales",
    "product_cost",
    "activity_cost",
    "sustaining_cost",
    "direct_cost",
    "statistical_cost",
    "allocated_cost",
    "full_cost",
    "unknown_lines",
)
NAMED_DIFFERENCES = 10


class CustomerCostBalance(models.Model):
    """The sums of the profitability report per company, customer and month, stored.

    Whatever changes a figure leaves a mark (``customer.cost.dirty``); the refresh works off the
    marks, one company and month at a time, and locks nothing that posting or selling needs: the
    customer's key is not checked by the database, and marks are only taken, never waited for.
    """

    _name = "customer.cost.balance"
    _description = "Customer Balance"
    _inherit = ["customer.cost.rollup"]
    _log_access = False
    _rec_name = "customer_id"
    _order = "month desc, customer_id"

    _rollup_key = ("company_id", "customer_id", "month")
    _rollup_figures = FIGURES

    company_id = Many2oneUnchecked("res.company", required=True, readonly=True)
    customer_id = Many2oneUnchecked("res.partner", required=True, readonly=True)
    month = fields.Date(required=True, readonly=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    gross_sales = Amount(required=True, readonly=True)
    net_sales = Amount(required=True, readonly=True)
    product_cost = Amount(required=True, readonly=True)
    activity_cost = Amount(string="Unit and Batch Cost", required=True, readonly=True)
    sustaining_cost = Amount(string="Customer-sustaining Cost", required=True, readonly=True)
    direct_cost = Amount(required=True, readonly=True)
    statistical_cost = Amount(string="Of Which Not in the Books", required=True, readonly=True)
    allocated_cost = Amount(required=True, readonly=True)
    full_cost = Amount(string="Channel and Administration Cost", required=True, readonly=True)
    unknown_lines = fields.Integer(string="Lines with Unknown Cost", required=True, readonly=True)

    _key_unique = models.UniqueIndex("(company_id, month, customer_id)")
    _customer_idx = models.Index("(customer_id, month)")

    # ------------------------------------------------------------
    # Refresh
    # ------------------------------------------------------------

    @api.model
    def _refresh(self):
        """Work off all marks now, in this transaction.

        :return: whether it was done; ``False`` when another transaction is at it
        """
        if not self._lock_refresh():
            return False
        dirty = self.env["customer.cost.dirty"]
        self.env.flush_all()
        for company_id, month in dirty._get_periods():
            self._refresh_period(company_id, month)
        for company_id in dirty._get_companies():
            self._refresh_summary(company_id)
        return True

    @api.model
    def _cron_refresh(self):
        """Work off the marks, each company and month in a transaction of its own."""
        dirty = self.env["customer.cost.dirty"]
        self.env["customer.cost.summary"]._mark_turned()
        periods = dirty._get_periods()
        commit = self.env["ir.cron"]._commit_progress
        commit(remaining=len(periods) + 1)
        for company_id, month in periods:
            if not self._lock_refresh():
                return
            self._refresh_period(company_id, month)
            if not commit(1):
                return
        for company_id in dirty._get_companies():
            if not self._lock_refresh():
                return
            self._refresh_summary(company_id)
            commit()
        commit(1)

    @api.model
    def _start(self):
        """Have everything computed that was there before the balance was, at install or update."""
        if not self.search_count([], limit=1):
            self.env["customer.cost.dirty"]._mark_everything(
                self.env["res.company"].with_context(active_test=False).search(Domain.TRUE).ids
            )

    @api.model
    def _trigger_refresh(self):
        """Have the scheduled refresh start at once: not for postings, which it would cost."""
        # sudo: anybody whose action changes a whole month may wake the scheduler
        self.env.ref("customer_cost.ir_cron_refresh").sudo()._trigger()

    @api.model
    def _lock_refresh(self):
        """Hold the refresh until the transaction ends, unless another one does."""
        [[locked]] = self.env.execute_query(
            SQL("SELECT pg_try_advisory_xact_lock(hashtext('customer_cost_balance'))")
        )
        return locked

    @api.model
    def _refresh_period(self, company_id, month):
        marks = self.env["customer.cost.dirty"]._drain(company_id, month)
        if marks is None:
            return
        customer_ids, everybody = marks
        changed = self._bring_up_to_date(
            *self._get_target(company_id, month, None if everybody else customer_ids),
            "customer_id",
        )
        self.env["customer.cost.item.month"]._refresh_period(company_id, month)
        if changed:
            self.env["customer.cost.dirty"]._mark(company_id, [None], changed)

    @api.model
    def _refresh_summary(self, company_id):
        marks = self.env["customer.cost.dirty"]._drain(company_id, None)
        if marks is not None:
            customer_ids, everybody = marks
            company = self.env["res.company"].browse(company_id)
            self.env["customer.cost.summary"]._refresh(company, None if everybody else customer_ids)

    @api.model
    def _follow(self, old_ids, new_id):
        """Give what customers earned and cost to the one they became, in all companies."""
        figures = SQL(", ").join(
            SQL("sum(%s)", SQL.identifier(name)) for name in self._rollup_figures
        )
        self.env.cr.execute(
            SQL(
                """WITH gone AS (
                       DELETE FROM customer_cost_balance WHERE customer_id = ANY(%s) RETURNING *)
                   INSERT INTO customer_cost_balance (company_id, customer_id, month, %s)
                   SELECT company_id, %s, month, %s FROM gone GROUP BY company_id, month""",
                [*old_ids, new_id],
                self._rollup_columns(self._rollup_figures),
                new_id,
                figures,
            )
        )
        self.invalidate_model(flush=False)
        self.env["customer.cost.dirty"]._follow(old_ids, new_id)
        self.env["customer.cost.summary"]._follow(old_ids, new_id)

    @api.model
    def _get_target(self, company_id, month, customer_ids=None):
        target = SQL(
            "SELECT %s FROM (%s) sums",
            self._rollup_columns((*self._rollup_key, *self._rollup_figures)),
            self.env["customer.cost.profitability"]._sql_sums(
                company_id, month, date_utils.end_of(month, "month"), customer_ids
            ),
        )
        covered = SQL("t.company_id = %s AND t.month = %s", company_id, month)
        if customer_ids is not None:
            covered = SQL("%s AND t.customer_id = ANY(%s)", covered, customer_ids)
        return target, covered

    # ------------------------------------------------------------
    # Rebuild and check
    # ------------------------------------------------------------

    @api.model
    def action_rebuild(self):
        """Have every stored figure of the user's companies computed anew, in the background.

        :return: a notification
        :raises AccessError: the user is no cost manager
        """
        self._check_manager()
        dirty = self.env["customer.cost.dirty"]
        dirty._mark_everything(self.env.companies.ids)
        for company in self.env.companies:
            dirty._mark(company.id, [None])
        self._trigger_refresh()
        return self._notify(
            self.env._("All customer figures are computed anew in the background."), "success"
        )

    @api.model
    def action_check(self):
        """Compare the stored figures of the user's companies with ledger and invoices, now.

        :return: a notification that names what differs; that is refreshed then
        :raises AccessError: the user is no cost manager
        """
        self._check_manager()
        found = []
        # sudo: the role was checked; the notes of what was found go where managers read
        balance = self.sudo()
        for company_id, month in balance._get_checked_periods(self.env.companies.ids):
            found += balance._check_period(company_id, month)
        if not found:
            return self._notify(
                self.env._("The stored figures are those of ledger and invoices."), "success"
            )
        self._trigger_refresh()
        lines = found[:NAMED_DIFFERENCES]
        if len(found) > len(lines):
            lines.append(self.env._("and %(count)s more", count=len(found) - len(lines)))
        return self._notify("\n".join(lines), "warning", sticky=True)

    @api.model
    def _cron_check(self):
        """Recompute the summaries for today, then compare every month with its sources.

        Each month in a transaction of its own; an interrupted night goes on where it was.
        """
        cron = self.env["ir.cron"]
        spans = self.env["customer.cost.span"]
        queue = spans._get_queue()
        if not queue:
            companies = self.env["res.company"].search(Domain.TRUE)
            for company in companies:
                self.env["customer.cost.dirty"]._mark(company.id, [None])
            self._trigger_refresh()
            queue = spans._queue(companies)
        cron._commit_progress(remaining=len(queue))
        for span in queue:
            if not cron._commit_progress(int(self._check_in_turn(span))):
                return

    @api.model
    def _check_in_turn(self, span):
        """Check a month, or months, of the queue.

        :return: whether it is done; one that another transaction works on stays in the queue
        """
        try:
            with self.env.cr.savepoint():
                for line in span._check():
                    _logger.info("stored figures differ and are refreshed: %s", line)
                span.to_check = False
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            self.env.cr.rollback()
            return False
        except Exception:
            _logger.exception("%s could not be checked", span)
            span.to_check = False
        return True

    @api.model
    def _get_checked_periods(self, company_ids):
        self.env.flush_all()
        return self.env.execute_query(
            SQL("%s ORDER BY 2 DESC, 1", self.env["customer.cost.dirty"]._sql_months(company_ids))
        )

    @api.model
    def _check_period(self, company_id, month):
        """Compare one month with its sources, mark it where they differ and say so on the period.

        What is marked already is not compared: it is known to be old.

        :return: list of texts, one per figure that differs
        """
        self.env.flush_all()
        waiting = self.env.execute_query(
            SQL(
                """SELECT customer_ids FROM customer_cost_dirty
                    WHERE company_id = %s AND month = %s""",
                company_id,
                month,
            )
        )
        if any(customer_ids is None for (customer_ids,) in waiting):
            return []
        skipped = set().union(*(customer_ids for (customer_ids,) in waiting))
        differences = [
            row
            for row in self._compare(*self._get_target(company_id, month))
            if row["customer_id"] not in skipped
        ]
        items = []
        if not waiting:
            items = self.env["customer.cost.item.month"]._find_differences(company_id, month)
        if not (differences or items):
            return []
        self.env["customer.cost.dirty"]._mark(
            company_id, [month], {row["customer_id"] for row in differences}
        )
        company = self.env["res.company"].browse(company_id)
        # a note is read by others than who caused it: it is in the language of the company
        noted = self.with_context(lang=company.partner_id.lang)
        texts = noted._get_difference_texts(differences[:NAMED_DIFFERENCES] + items, company, month)
        noted.env["customer.cost.period"]._get(company, month).message_post(
            body=noted.env._(
                "Stored figures differed from ledger and invoices and are refreshed: %(what)s",
                what="; ".join(texts[:NAMED_DIFFERENCES]),
            )
        )
        return self._get_difference_texts(differences + items, company, month)

    def _get_difference_texts(self, rows, company, month):
        return [self._get_difference_text(row, company, month) for row in rows]

    def _get_difference_text(self, row, company, month):
        if "customer_id" in row:
            model, record = self, self.env["res.partner"].browse(row["customer_id"])
        else:
            model = self.env["customer.cost.item.month"]
            record = self.env["customer.cost.item"].browse(row["item_id"])
        return self.env._(
            "%(company)s, %(month)s, %(record)s: %(figure)s is %(expected)s, stored was %(stored)s",
            company=company.name,
            month=format_date(self.env, month, date_format="LLLL y"),
            record=record.display_name if record.exists() else f"#{record.id}",
            figure=model._fields[row["figure"]]._description_string(self.env),
            expected=f"{row['expected']:,.2f}",
            stored=f"{row['stored']:,.2f}",
        )

    @api.model
    def _check_manager(self):
        if not self.env.user.has_group("customer_cost.group_customer_cost_manager"):
            raise AccessError(
                self.env._("Only a cost manager rebuilds or checks the stored figures.")
            )

    @api.model
    def _notify(self, message, kind, sticky=False):
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "message": message,
                "type": kind,
                "sticky": sticky,
                "next": {"type": "ir.actions.act_window_close"},
            },
        }
