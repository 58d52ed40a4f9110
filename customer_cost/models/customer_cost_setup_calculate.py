import logging
import time

from psycopg2 import OperationalError

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import config, date_utils

from .customer_cost_item import FULL_COST_LEVELS

_logger = logging.getLogger(__name__)

# How long the button itself works before the scheduled action takes over.
BUTTON_SECONDS = 5
# A running calculation that nobody worked on for so long is waiting for a scheduler that is off.
STALLED_SECONDS = 90


class CustomerCostSetupCalculate(models.Model):
    """The calculation: history, rules, then a posted run of every month, one step at a time.

    Every step is a transaction of its own and leaves its state on its row: whatever interrupts
    the work, the next call goes on where it stopped.
    """

    _inherit = "customer.cost.setup"

    is_running = fields.Boolean(readonly=True)
    requester_id = fields.Many2one("res.users", readonly=True)
    requester_lang = fields.Char(readonly=True)
    progress_at = fields.Datetime(readonly=True)
    history_id = fields.Many2one("customer.cost.history", readonly=True, ondelete="set null")
    message = fields.Char(readonly=True)
    progress = fields.Integer(compute="_compute_progress", help="Percent of the steps done.")
    waiting_count = fields.Integer(compute="_compute_progress")
    failed_count = fields.Integer(string="Months Failed", compute="_compute_progress")
    is_stalled = fields.Boolean(compute="_compute_is_stalled")
    item_count = fields.Integer(related="history_id.item_count")
    preview_line_ids = fields.One2many(related="history_id.line_ids")
    direct_total = fields.Float(related="history_id.direct_total")
    indirect_total = fields.Float(related="history_id.indirect_total")
    captured_total = fields.Float(related="history_id.captured_total")
    closed_total = fields.Float(related="history_id.closed_total")
    preview_left_out_total = fields.Float(
        string="Items Left Out", related="history_id.left_out_total"
    )
    preview_excluded_total = fields.Float(related="history_id.excluded_total")
    estimate_count = fields.Integer(related="history_id.estimate_count")
    history_month_ids = fields.One2many(related="history_id.month_ids")

    @api.depends("history_id.month_ids.state", "month_ids.state")
    def _compute_progress(self):
        for setup in self:
            captured = setup.history_id.month_ids
            waiting = captured.filtered(lambda month: month.state == "waiting")
            months = setup.month_ids.filtered(lambda month: month.state == "waiting")
            total = len(captured) + len(setup.month_ids)
            setup.waiting_count = len(waiting) + len(months)
            setup.progress = 100 * (total - setup.waiting_count) // total if total else 0
            setup.failed_count = len(
                setup.month_ids.filtered(lambda month: month.state == "failed")
            ) + len(captured.filtered(lambda month: month.state == "failed"))

    @api.depends("is_running", "progress_at")
    def _compute_is_stalled(self):
        now = fields.Datetime.now()
        for setup in self:
            idle = (now - setup.progress_at).total_seconds() if setup.progress_at else 0
            setup.is_stalled = setup.is_running and (
                idle > STALLED_SECONDS or not config["max_cron_threads"]
            )

    # ------------------------------------------------------------
    # Buttons
    # ------------------------------------------------------------

    def action_calculate(self):
        """Bring in the history, make the rules and post a run of every month that is over.

        What is small is done at once, the rest in the background. Months with a posted run, or of
        a closed period, stay as they are; months that failed before are tried again.
        """
        self._check_may_set_up()
        self._check_not_running()
        self._make_rules()
        if not self._is_history_of_months():
            self._preview_months()
        history = self.history_id
        is_startable = history.state != "running" and (
            history._has_postings()
            if history.state == "draft"
            else history.month_ids._filter_unsettled()
        )
        if is_startable:
            history.action_start()
        # sudo: the queue belongs to this method, which checked the role
        setup = self.sudo()._unguarded()
        setup.month_ids.unlink()
        setup.write(
            {
                "is_running": True,
                "requester_id": self.env.uid,
                "requester_lang": self.env.lang,
                "progress_at": fields.Datetime.now(),
                "message": False,
                "month_ids": [
                    fields.Command.create({"date": month}) for month in self._get_past_months()
                ],
            }
        )
        self._work_on(BUTTON_SECONDS)

    def action_continue(self):
        """Go on with a calculation that waits, for a few seconds; the open page calls it again."""
        self._check_may_set_up()
        if self.is_running:
            self._work_on(BUTTON_SECONDS)

    def action_stop(self):
        """Stop after the step in hand; what is done stays, Calculate goes on with the rest."""
        self._check_may_set_up()
        # sudo: the queue belongs to this method, which checked the role
        self.sudo()._unguarded().is_running = False
        if self.history_id.state == "running":
            self.history_id.action_stop()

    # ------------------------------------------------------------
    # Months
    # ------------------------------------------------------------

    def _get_history_range(self):
        return date_utils.start_of(self.date_from, "month"), self.date_to

    def _is_history_of_months(self):
        """Whether the history is of the months chosen and holds, or may go on to hold, them."""
        history = self.history_id
        return (
            history.state in ("draft", "running", "stopped", "done")
            and "undone" not in history.month_ids.mapped("state")
            and (history.date_from, history.date_to) == self._get_history_range()
        )

    def _preview_months(self):
        """Show what the months would bring in.

        A history of these months is kept, and goes on where it was stopped; one that was stopped
        on the way through other months ends with what it brought in.
        """
        history = self.history_id
        if not self._is_history_of_months():
            first, last = self._get_history_range()
            vals = {"date_from": first, "date_to": last}
            if history.state == "draft":
                history.write(vals)
            else:
                stopped = history.filtered(lambda one: one.state == "stopped")
                history = history.create({**vals, "company_id": self.company_id.id})
                # sudo: the link belongs to the methods of the set-up, which checked the role
                self.sudo()._unguarded().history_id = history
                if stopped:
                    stopped._leave_off()
        history._make_preview()

    # ------------------------------------------------------------
    # Rules
    # ------------------------------------------------------------

    def _make_rules(self):
        """Make the two rules, once; what a person changed, archived or deleted stays so.

        Items that another rule of the company sends already are left to it.
        """
        if self.rules_made:
            return
        driver = self.env.ref("customer_cost.driver_net_revenue_rolling", raise_if_not_found=False)
        if not driver:
            raise UserError(
                self.env._(
                    "The driver of net revenue over 12 months was deleted. Update the add-on to "
                    "have it back, or make a rule of your own under Allocation, Rules."
                )
            )
        vals = {
            "company_id": self.company_id.id,
            "driver_id": driver.id,
            "method": "driver",
        }
        served, full = self._get_senders()
        rules = self.env["customer.cost.rule"]
        rule = full_cost_rule = rules
        if served:
            rule = rules.create(
                {
                    **vals,
                    "name": self.env._("All indirect cost by net sales"),
                    "sequence": 10,
                    "sender_item_ids": [fields.Command.set(served.ids)],
                    "note": self.env._(
                        "A first view: by net sales of the last 12 months. Replace it item by item "
                        "by what really causes the cost."
                    ),
                }
            )
        if full:
            full_cost_rule = rules.create(
                {
                    **vals,
                    "name": self.env._("Administration by net sales, as full cost"),
                    "sequence": 20,
                    "full_cost": True,
                    "sender_item_ids": [fields.Command.set(full.ids)],
                    "note": self.env._(
                        "Stands in a line of its own below customer profit and never changes it."
                    ),
                }
            )
        # sudo: the links belong to this method, whose caller checked the role
        self.sudo()._unguarded().write(
            {
                "rules_made": True,
                "rule_id": rule.id,
                "full_cost_rule_id": full_cost_rule.id,
            }
        )

    def _get_senders(self):
        """Topmost items whose whole branch no rule sends yet: for customers, for full cost."""
        items = self.env["customer.cost.item"]
        items = items.search(items._get_available_domain(self.company_id), order="complete_code")
        rules = self.env["customer.cost.rule"].search(
            [("company_id", "parent_of", self.company_id.id)]
        )
        sent = items.browse()
        for rule in rules:
            sent |= rule._get_sent_items(self.company_id)
        chosen = {False: items.browse(), True: items.browse()}
        covered = items.browse()
        for item in items:
            branch = items.filtered(
                lambda one, item=item: one.parent_path.startswith(item.parent_path)
            )
            levels = {one.level in FULL_COST_LEVELS for one in branch}
            if item not in covered and len(levels) == 1 and not branch & sent:
                chosen[levels.pop()] |= item
                covered |= branch
        return chosen[False], chosen[True]

    # ------------------------------------------------------------
    # Queue
    # ------------------------------------------------------------

    def _work_on(self, seconds):
        """Work for so long, then hand over to the scheduled action."""
        end = time.monotonic() + seconds
        while self._take_step():
            if time.monotonic() >= end:
                self._trigger_cron()
                return

    @api.model
    def _trigger_cron(self):
        # sudo: who may start the calculation may wake its scheduled action
        self.env.ref("customer_cost.ir_cron_setup").sudo()._trigger()

    @api.model
    def _cron_calculate(self):
        """Go on with every running calculation, as the person who started it."""
        commit = self.env["ir.cron"]._commit_progress
        for setup in self.search([("is_running", "=", True)]):
            setup = setup._as_requester()
            if not setup._is_requester_entitled():
                continue
            commit(remaining=setup.waiting_count + 1)
            try:
                while setup._take_step():
                    if not commit(1):
                        return
            except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
                # somebody changed the same documents: the step is taken again
                self.env.cr.rollback()
                self._trigger_cron()
                return
            commit(1)

    def _as_requester(self):
        return (
            self.with_user(self.requester_id)
            .with_company(self.company_id)
            .with_context(
                lang=self.requester_lang,
                tz=self.requester_id.tz,
                allowed_company_ids=self.company_id.ids,
            )
        )

    def _is_requester_entitled(self):
        """Whether the person who started still may; if not, the calculation stops and says so."""
        user = self.requester_id
        if (
            user.active
            and user.has_group("customer_cost.group_customer_cost_manager")
            and self.sudo().company_id in user.company_ids
        ):
            return True
        # sudo: the queue belongs to the set-up; its requester may not write it any more
        self.sudo()._unguarded().write(
            {
                "is_running": False,
                "message": self.env._(
                    "%(user)s, who started the calculation, is no cost manager of the company any "
                    "more. Start it again.",
                    user=user.name,
                ),
            }
        )
        return False

    def _take_step(self):
        """Do the next step of the queue.

        :return: whether there may be another one
        """
        self.ensure_one()
        self.invalidate_recordset()
        if not self.is_running or not self.try_lock_for_update(allow_referencing=True):
            return False
        captured = self.history_id.month_ids.filtered(lambda month: month.state == "waiting")
        waiting = self.month_ids.filtered(lambda month: month.state == "waiting")
        if captured and self.history_id.state == "running":
            # sudo: months of a history are written by the methods of their model alone
            month = captured.sudo().sorted("date_from", reverse=True).try_lock_for_update(limit=1)
            if not month:
                self._trigger_cron()
                return False
            self._try(month._bring_in, month._fail)
            self.history_id._settle()
        elif waiting:
            month = waiting[0]
            self._try(month._calculate, month._fail)
        elif not self._refresh_figures():
            self._finish()
            return False
        # sudo: the queue belongs to the set-up, whose button checked the role
        self.sudo()._unguarded().progress_at = fields.Datetime.now()
        return True

    def _try(self, step, fail):
        """Do one step; what goes wrong is undone and stands on its row."""
        try:
            with self.env.cr.savepoint():
                step()
        except OperationalError:
            # another transaction was faster: this one is tried again as a whole
            raise
        except Exception as error:
            if not isinstance(error, UserError):
                _logger.exception("A step of the customer cost set-up failed")
            fail(error)

    def _refresh_figures(self):
        """Bring the stored figures of one changed month, then the ranking, to the new ledger.

        :return: whether something was refreshed; not so while another transaction is at it
        """
        balance = self.env["customer.cost.balance"]
        dirty = self.env["customer.cost.dirty"]
        self.env.flush_all()
        months = [month for company, month in dirty._get_periods() if company == self.company_id.id]
        if months and balance._lock_refresh():
            balance._refresh_period(self.company_id.id, months[0])
            return True
        if self.company_id.id in dirty._get_companies() and balance._lock_refresh():
            balance._refresh_summary(self.company_id.id)
            return True
        return False

    def _finish(self):
        # sudo: the queue belongs to the set-up, whose button checked the role
        setup = self.sudo()._unguarded()
        setup.is_running = False
        if not self.failed_count:
            setup.step = "done"
