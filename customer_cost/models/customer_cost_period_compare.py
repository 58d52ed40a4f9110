import hashlib
import json
import logging
from datetime import timedelta

from markupsafe import Markup

from odoo import api, fields, models
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import SQL, format_date, groupby

from .customer_cost_period import CustomerCostPeriod as Period

_logger = logging.getLogger(__name__)

ROWS_PER_MESSAGE = 50
LATER = timedelta(minutes=15)
NIGHT = timedelta(hours=20)


class CustomerCostPeriod(models.Model):
    """Every night the ledger is compared with the books, month by month.

    Imports, other add-ons and statements in the database change journal items behind the back of
    the capture. In open months, closing ones included, the ledger follows and the chatter says
    what it followed, document by document. Closed months stay as they are: what differs there is
    named, once, and follows when the month is reopened. Months before a company's start that no
    history brought in are not looked at.
    """

    _inherit = "customer.cost.period"
    _guarded_fields = Period._guarded_fields | {
        "to_compare",
        "retry_at",
        "compared_at",
        "named_differences",
    }

    to_compare = fields.Boolean(readonly=True, copy=False)
    retry_at = fields.Datetime(readonly=True, copy=False)
    compared_at = fields.Datetime(string="Compared With the Books", readonly=True, copy=False)
    named_differences = fields.Char(readonly=True, copy=False)

    @api.model
    def _cron_compare(self):
        """Compare every month, each in a transaction of its own; an interrupted night goes on.

        A month in which somebody was working lets the others go first and is taken up again a
        little later, whether the night is over or not.
        """
        cron = self.env["ir.cron"]
        later = fields.Datetime.now() + LATER
        periods = self._find_months_to_compare()
        cron._commit_progress(remaining=len(periods))
        is_awaited = False
        for period in periods:
            if not period._in_readers_language()._compare():
                period._unguarded().write({"to_compare": False, "retry_at": later})
                if not is_awaited:
                    self.env.ref("customer_cost.ir_cron_compare")._trigger(later)
                    is_awaited = True
            if not cron._commit_progress(1):
                return

    @api.model
    def _find_months_to_compare(self):
        """What is left of the night and what is to be tried again; a new night when it is time."""
        now = fields.Datetime.now()
        periods = self.search(["|", ("to_compare", "=", True), ("retry_at", "<=", now)])
        is_busy = periods or self.search_count([("retry_at", ">", now)], limit=1)
        if is_busy and self.search_count([("compared_at", ">", now - NIGHT)], limit=1):
            return periods
        return periods | self._queue_months()

    @api.model
    def _queue_months(self):
        """Mark, and make, the periods of every captured month with something in it."""
        self.env["customer.cost.capture"]._flush_sources()
        rows = self.env.execute_query(
            SQL(
                """SELECT co.id, month::date
                     FROM res_company co
               CROSS JOIN LATERAL (
                          SELECT min(first) AS first, max(last) AS last
                            FROM (SELECT min(date) AS first, max(date) AS last FROM account_move
                                   WHERE company_id = co.id AND state = 'posted'
                               UNION ALL
                                  SELECT min(origin_date), max(origin_date) FROM customer_cost_line
                                   WHERE company_id = co.id) both_sides) days
               CROSS JOIN generate_series(date_trunc('month', days.first), days.last,
                          interval '1 month') month
                    WHERE co.active AND (
                          EXISTS (SELECT FROM customer_cost_line l
                                   WHERE l.company_id = co.id AND l.origin_date >= month
                                     AND l.origin_date < month + interval '1 month')
                       OR EXISTS (SELECT FROM account_move m
                                   WHERE m.company_id = co.id AND m.state = 'posted'
                                     AND m.date >= month AND m.date < month + interval '1 month'
                                     AND %s IS NOT TRUE))
                 ORDER BY co.id, month DESC""",
                self.env["customer.cost.capture"]._sql_before_start(),
            )
        )
        periods = self.browse()
        for company_id, month in rows:
            periods |= self._get(self.env["res.company"].browse(company_id), month)
        periods._unguarded().write({"to_compare": True})
        return periods

    def _compare(self):
        """Heal the month, or name what differs when it is closed.

        :return: whether it is done; ``False`` when another transaction was in the way and the
            next call has to take it up again
        """
        self.ensure_one()
        done = True
        try:
            with self.env.cr.savepoint():
                if self._is_closed(self.company_id, self.date_from):
                    self._name_differences()
                else:
                    done = self._heal()
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            self.env.cr.rollback()
            return False
        except Exception as error:
            _logger.exception("Period %s could not be compared with the books", self.id)
            self._post_rows(
                self.env._(
                    "The nightly comparison failed: %(error)s. Nothing was changed.", error=error
                ),
                [],
            )
        if done:
            self._unguarded().write(
                {"to_compare": False, "retry_at": False, "compared_at": fields.Datetime.now()}
            )
        return done

    def _heal(self):
        """Bring the ledger to the books of an open month.

        :return: whether no document was left out because somebody was working on it
        """
        ((last_id,),) = self.env.execute_query(
            SQL("SELECT COALESCE(max(id), 0) FROM customer_cost_line")
        )
        appended, complete = self.env["customer.cost.capture"]._sync_period_unlocked(
            self.company_id, self.date_from, self.date_to
        )
        if self.named_differences:
            self._unguarded().named_differences = False
        if not appended:
            return complete
        rows = self.env.execute_query_dict(
            SQL(
                """SELECT e.source_move_id AS move_id, l.origin_date AS date, l.item_id,
                          l.customer_id, sum(l.amount) AS change
                     FROM customer_cost_line l JOIN customer_cost_entry e ON e.id = l.entry_id
                    WHERE l.id > %s AND l.company_id = %s
                 GROUP BY e.source_move_id, l.origin_date, l.item_id, l.customer_id
                 ORDER BY l.origin_date, e.source_move_id, l.item_id, l.customer_id""",
                last_id,
                self.company_id.id,
            )
        )
        self._post_rows(
            self.env._(
                "The books or the account map changed behind the capture. The ledger follows:"
            ),
            rows,
        )
        return complete

    def _name_differences(self):
        found = self.env["customer.cost.capture"]._find_differences(
            self.company_id, self.date_from, self.date_to, limit=ROWS_PER_MESSAGE + 1
        )
        rows = [{**row, "change": row["expected"] - row["present"]} for row in found]
        mark = bool(rows) and hashlib.sha256(json.dumps(rows, default=str).encode()).hexdigest()
        if mark == (self.named_differences or False):
            return
        self._unguarded().named_differences = mark
        if rows:
            self._post_rows(
                self.env._(
                    "The books changed behind the capture. The period is closed, so the ledger "
                    "stays as it is; reopened, it would follow:"
                ),
                rows,
            )

    def _post_rows(self, text, rows):
        """Post ``text`` and one bullet per document with its ledger changes."""
        shown = rows[:ROWS_PER_MESSAGE]
        moves = self.env["account.move"].browse({row["move_id"] for row in shown}).exists()
        names = {move.id: move._get_html_link() for move in moves}
        items = self.env["customer.cost.item"].browse({row["item_id"] for row in shown})
        customers = self.env["res.partner"].browse({row["customer_id"] or 0 for row in shown})
        labels = {None: self.env._("indirect"), **{p.id: p.display_name for p in customers if p.id}}
        item_names = {item.id: item.display_name for item in items}
        bullets = []
        for (move_id, day), changes in groupby(shown, lambda row: (row["move_id"], row["date"])):
            figures = "; ".join(
                f"{item_names[row['item_id']]}, {labels[row['customer_id']]}: "
                f"{self.company_id.currency_id.format(row['change'])}"
                for row in changes
            )
            name = names.get(move_id) or self.env._("Deleted entry (id %(id)s)", id=move_id)
            bullets.append(
                Markup("<li>%s, %s: %s</li>") % (name, format_date(self.env, day), figures)
            )
        if len(rows) > len(shown):
            bullets.append(Markup("<li>%s</li>") % self.env._("and more"))
        body = Markup("<p>%s</p>") % text
        if bullets:
            body += Markup("<ul>%s</ul>") % Markup("").join(bullets)
        self.message_post(body=body)
