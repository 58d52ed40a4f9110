from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import date_utils, format_date

STATES = [
    ("draft", "New"),
    ("running", "Running"),
    ("stopped", "Stopped"),
    ("done", "Done"),
    ("undoing", "Being undone"),
    ("undone", "Undone"),
]
RANGE_FIELDS = frozenset({"company_id", "date_from", "date_to"})
SETTLED_STATES = ("done", "failed", "closed", "undone")


class CustomerCostHistory(models.Model):
    """Brings in what was posted before costs were captured, month by month in the background.

    Capture begins with the month of the install (``res.company.customer_cost_start_date``): what
    is dated before it is not captured, whoever posts or changes it, and the nightly comparison
    does not pull it in. Every month that a history brought in is captured from then on like any
    other; taking it back makes its items wait outside again. Each month is one transaction, and
    capture compares with the ledger before it writes: interrupted, restarted or run twice, the
    ledger is the same. Closed periods are neither brought in nor taken back.
    """

    _name = "customer.cost.history"
    _description = "Cost History"
    _inherit = ["customer.cost.guarded"]
    _order = "id desc"
    _guarded_fields = frozenset(
        {"state", "month_ids", "line_ids", "previewed_at", "item_count", "estimate_count"}
    )

    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company, index=True
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    start_date = fields.Date(related="company_id.customer_cost_start_date")
    date_from = fields.Date(
        string="From", required=True, default=lambda self: self._default_date_from()
    )
    date_to = fields.Date(
        string="To", required=True, default=lambda self: fields.Date.context_today(self)
    )
    state = fields.Selection(STATES, required=True, default="draft", readonly=True, copy=False)
    month_ids = fields.One2many("customer.cost.history.month", "history_id", readonly=True)
    progress = fields.Float(compute="_compute_progress", help="Share of the months settled.")
    line_count = fields.Integer(string="Ledger Lines", compute="_compute_progress")
    trouble_count = fields.Integer(compute="_compute_progress")
    undoable_count = fields.Integer(compute="_compute_progress")
    kept_from = fields.Date(
        compute="_compute_kept_from",
        help="From this day of the range on, costs are captured with or without a history.",
    )

    _dates_in_order = models.Constraint(
        "CHECK(date_from <= date_to)", "A history cannot end before it begins."
    )

    @api.model
    def _default_date_from(self):
        company = self.env.company
        this_year, _end = date_utils.get_fiscal_year(
            fields.Date.context_today(self),
            day=company.fiscalyear_last_day,
            month=int(company.fiscalyear_last_month),
        )
        return date_utils.subtract(this_year, years=1)

    @api.depends("date_from", "date_to", "company_id")
    def _compute_display_name(self):
        for history in self:
            days = (history.date_from, history.date_to)
            history.display_name = " – ".join(format_date(self.env, day) for day in days if day)

    @api.depends(
        "month_ids.state", "month_ids.line_count", "month_ids.message", "month_ids.is_kept", "state"
    )
    def _compute_progress(self):
        for history in self:
            months = history.month_ids
            settled = months.filtered(lambda month: month.state in SETTLED_STATES)
            if history.state == "undoing":
                settled = settled.filtered(lambda month: month.state != "undoing")
            history.progress = 100.0 * len(settled) / len(months) if months else 0.0
            history.line_count = sum(months.mapped("line_count"))
            history.undoable_count = len(months._filter_undoable())
            history.trouble_count = len(months.filtered("message"))

    @api.depends("date_from", "date_to", "start_date")
    def _compute_kept_from(self):
        for history in self:
            first = max(filter(None, (history.start_date, history.date_from)), default=False)
            history.kept_from = first if first and first <= history.date_to else False

    def write(self, vals):
        if self._guard_is_open() or not RANGE_FIELDS.intersection(vals):
            return super().write(vals)
        self._check_draft(self.env._("Its days can no longer be changed: make a new one."))
        res = super().write(vals)
        self.check_access("write")
        self._clear_preview()
        return res

    def _check_draft(self, consequence):
        for history in self:
            if history.state != "draft":
                raise UserError(
                    self.env._(
                        "History %(history)s has been started. %(consequence)s",
                        history=history.display_name,
                        consequence=consequence,
                    )
                )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_brought_in(self):
        for history in self:
            is_at_work = history.state in ("running", "undoing")
            if is_at_work or history.month_ids._filter_undoable():
                raise UserError(
                    self.env._(
                        "History %(history)s holds the months it brought in. Undo it first.",
                        history=history.display_name,
                    )
                )

    # ------------------------------------------------------------
    # Buttons
    # ------------------------------------------------------------

    def action_start(self):
        """Bring the months in, newest first, in the background; also after a stop or a failure.

        :raises UserError: it is running, nothing is posted in its days, or nothing is left to do
        """
        self.check_access("write")
        for history in self:
            if history.state == "draft":
                history._check_posted()
                history._create_months()
            months = history.month_ids._filter_unsettled()
            if history.state not in ("draft", "stopped", "done") or not months:
                raise UserError(
                    self.env._(
                        "History %(history)s has nothing left to bring in.",
                        history=history.display_name,
                    )
                )
            # sudo: months are written by their history alone
            months.sudo().write({"state": "waiting", "message": False})
            history._unguarded().state = "running"
        self._trigger_cron()

    def action_stop(self):
        """Stop after the month in hand; what was brought in stays.

        :raises UserError: it is not running
        """
        self.check_access("write")
        for history in self:
            if history.state != "running":
                raise UserError(
                    self.env._("History %(history)s is not running.", history=history.display_name)
                )
            history._unguarded().state = "stopped"

    def action_undo(self):
        """Take back what was brought in, in the background, while its periods are open.

        Ledger lines are taken back by lines of the opposite amount. What another history brought
        in as well stays, and so do the months from the start of the capture on: they are
        captured with or without a history. Posted runs of the months are reversed, since the pools
        they allocated are taken back.

        :return: action that names what stays, ``None`` when all of it is taken back
        :raises UserError: nothing was brought in that can be undone, a period is closed, or a run
            is posted and the user may not reverse it
        """
        self.check_access("write")
        for history in self:
            months = history.month_ids._filter_undoable()
            if history.state not in ("done", "stopped") or not months:
                raise UserError(
                    self.env._(
                        "History %(history)s has brought nothing in that could be undone. %(kept)s",
                        history=history.display_name,
                        kept=history._get_kept_text(),
                    ).strip()
                )
            history._check_open(months)
            history._reverse_runs(months)
            # sudo: months are written by their history alone
            months.sudo().write({"state": "undoing", "message": False})
            history._unguarded().state = "undoing"
        self._trigger_cron()
        kept = " ".join(history._get_kept_text() for history in self if history.kept_from)
        if not kept:
            return None
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "warning",
                "sticky": True,
                "message": kept,
                "next": {"type": "ir.actions.act_window_close"},
            },
        }

    def _reverse_runs(self, months):
        """Reverse the posted runs of months that no other history holds, the last one first."""
        self.ensure_one()
        held = self.env["customer.cost.history.month"].search(
            [
                ("company_id", "=", self.company_id.id),
                ("history_id", "!=", self.id),
                ("state", "=", "done"),
            ]
        )
        released = months.filtered(
            lambda month: (
                not held.filtered(
                    lambda other: (
                        other.date_from <= month.date_from and other.date_to >= month.date_to
                    )
                )
            )
        )
        runs = self.env["customer.cost.run"].search(
            [
                ("company_id", "=", self.company_id.id),
                ("state", "=", "posted"),
                ("date", "in", [date_utils.end_of(month.date_from, "month") for month in released]),
            ],
            order="date desc",
        )
        if not runs:
            return
        runs._check_cost_manager(
            self.env._(
                "Posted runs allocate the costs of these months: %(runs)s. Ask a cost manager to "
                "undo the history, which reverses them.",
                runs=", ".join(runs.mapped("display_name")),
            )
        )
        for run in runs:
            run.action_reverse()

    def _get_kept_text(self):
        """What of the range an undo leaves as it is, or an empty text."""
        self.ensure_one()
        if not self.kept_from:
            return ""
        return self.env._(
            "%(first)s to %(last)s stays as it is: these days are captured with or without a "
            "history.",
            first=format_date(self.env, self.kept_from),
            last=format_date(self.env, self.date_to),
        )

    def _check_posted(self):
        """There has to be something to bring in.

        :raises UserError: naming the days and those that something is posted on
        """
        if self._has_postings():
            return
        first, last = self._read_posted_days()
        days = {
            "first": format_date(self.env, self.date_from),
            "last": format_date(self.env, self.date_to),
            "company": self.company_id.name,
        }
        if not first:
            raise UserError(
                self.env._(
                    "From %(first)s to %(last)s nothing is posted on a profit-and-loss account of "
                    "%(company)s, nor on any other day.",
                    **days,
                )
            )
        raise UserError(
            self.env._(
                "From %(first)s to %(last)s nothing is posted on a profit-and-loss account of "
                "%(company)s. Its first posted day is %(first_posted)s, its last %(last_posted)s: "
                "choose days between them.",
                first_posted=format_date(self.env, first),
                last_posted=format_date(self.env, last),
                **days,
            )
        )

    def _leave_off(self):
        """End a stopped history with what it brought in; remove one that brought nothing in."""
        self.ensure_one()
        done = self.month_ids.filtered(lambda month: month.state == "done")
        if not done:
            self.unlink()
            return
        # sudo: months are written by their history alone
        (self.month_ids - done).sudo().unlink()
        self._unguarded().write(
            {
                "state": "done",
                "date_from": min(done.mapped("date_from")),
                "date_to": max(done.mapped("date_to")),
            }
        )

    def _check_open(self, months):
        is_closed = self.env["customer.cost.period"]._is_closed
        closed = months.filtered(lambda month: is_closed(month.company_id, month.date_from))
        if closed:
            raise UserError(
                self.env._(
                    "These cost periods are closed: %(months)s. Reopen them to undo the history.",
                    months=", ".join(
                        format_date(self.env, month.date_from, date_format="yyyy-MM")
                        for month in closed.sorted("date_from")
                    ),
                )
            )

    def _create_months(self):
        self.ensure_one()
        vals_list = []
        first = self.date_from
        while first <= self.date_to:
            last = min(date_utils.end_of(first, "month"), self.date_to)
            if self.start_date and first < self.start_date <= last:
                # what is captured anyway is a row of its own
                last = date_utils.subtract(self.start_date, days=1)
            vals_list.append({"history_id": self.id, "date_from": first, "date_to": last})
            first = date_utils.add(last, days=1)
        # sudo: months are written by their history alone
        self.env["customer.cost.history.month"].sudo().create(vals_list[::-1])

    # ------------------------------------------------------------
    # Background
    # ------------------------------------------------------------

    @api.model
    def _trigger_cron(self):
        # sudo: whoever may start a history may wake its scheduled action
        self.env.ref("customer_cost.ir_cron_history").sudo()._trigger()

    @api.model
    def _cron_process(self):
        """Work off the months in hand, newest first, each in a transaction of its own."""
        cron = self.env["ir.cron"]
        months = self._find_months_in_hand()
        cron._commit_progress(remaining=len(months))
        for month in months:
            # stopped, or taken by another worker, since the list was made
            if month & self._find_months_in_hand() and month.try_lock_for_update():
                history = month.history_id
                month = month.with_context(lang=history.create_uid.lang)
                if not month._process():
                    self._trigger_cron()
                    return
                history._settle()
            if not cron._commit_progress(1):
                return

    @api.model
    def _find_months_in_hand(self):
        return self.env["customer.cost.history.month"].search(
            [
                "|",
                "&",
                ("history_id.state", "=", "running"),
                ("state", "=", "waiting"),
                "&",
                ("history_id.state", "=", "undoing"),
                ("state", "=", "undoing"),
            ],
            order="history_id, date_from desc",
        )

    def _settle(self):
        """Note that nothing is left to do, once it is so."""
        self.ensure_one()
        states = set(self.month_ids.mapped("state"))
        if self.state == "running" and "waiting" not in states:
            self._unguarded().state = "done"
        elif self.state == "undoing" and "undoing" not in states:
            # what is captured anyway stays done, and is no reason to call the history so
            self._unguarded().state = "done" if self.month_ids._filter_undoable() else "undone"
