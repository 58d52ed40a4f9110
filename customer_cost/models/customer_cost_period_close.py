from dateutil.relativedelta import relativedelta

from odoo import Command, api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import format_date

from .customer_cost_period_check import CHECKS


class CustomerCostPeriodClose(models.Model):
    """From open over the checklist to closed, and back with a reason.

    While a month is being closed cost still enters it: from accounting, which nothing may hold
    up, and by hand, because deciding on what waits is part of the checklist. What the checklist
    found is looked up again at closing, which fails where a check fails.

    Closing a company's month closes it for its branches: the checklist covers them.
    """

    _inherit = "customer.cost.period"

    check_ids = fields.One2many("customer.cost.period.check", "period_id", string="Checklist")
    check_progress = fields.Char(
        string="Checklist Progress", compute="_compute_check_progress", help="Signed of all."
    )
    closing_id = fields.Many2one(
        "customer.cost.period.closing", string="As Closed", readonly=True, copy=False
    )
    closing_ids = fields.One2many("customer.cost.period.closing", "period_id", string="Closings")
    tie_out_state = fields.Selection(
        [("tied", "Tied out"), ("open", "Differs")],
        string="Tie-out",
        compute="_compute_tie_out_state",
        help="As the checklist found it last.",
    )
    closed_above_id = fields.Many2one(
        "res.company",
        string="Closed With",
        compute="_compute_closed_above_id",
        help="The company above this one whose closed month closes this one.",
    )
    lock_info = fields.Char(string="Odoo's Lock Date", compute="_compute_lock_info")

    @api.depends("check_ids.signed_by_id", "check_ids.verdict")
    def _compute_check_progress(self):
        for period in self:
            checks = period.check_ids
            settled = checks.filtered(lambda check: check.signed_by_id or check.verdict == "none")
            period.check_progress = f"{len(settled)} / {len(checks)}" if checks else False

    @api.depends("check_ids.code", "check_ids.verdict")
    def _compute_tie_out_state(self):
        for period in self:
            verdict = period.check_ids.filtered(lambda check: check.code == "tied_out").verdict
            period.tie_out_state = verdict and ("tied" if verdict == "passed" else "open")

    @api.depends("company_id", "date_from", "state")
    def _compute_closed_above_id(self):
        # sudo: whoever reads a period is told why it takes no cost
        above = self.sudo().search(
            [
                ("company_id", "parent_of", self.company_id.ids),
                ("date_from", "in", self.mapped("date_from")),
                ("state", "=", "closed"),
            ]
        )
        closed = {(period.company_id, period.date_from): period.company_id for period in above}
        for period in self:
            ancestors = period.company_id.sudo().parent_ids - period.company_id
            found = [
                closed[company, period.date_from]
                for company in ancestors
                if (company, period.date_from) in closed
            ]
            period.closed_above_id = found[0].id if found else False

    @api.depends("company_id", "date_from")
    @api.depends_context("lang")
    def _compute_lock_info(self):
        for period in self:
            # sudo: the lock dates of companies above this one hold here as well
            company = period.company_id.sudo().with_context(ignore_exceptions=True)
            lock = max(company.user_fiscalyear_lock_date, company.user_hard_lock_date)
            if period.date_to <= lock:
                period.lock_info = self.env._(
                    "Covers the month: the books are locked up to %(date)s.",
                    date=format_date(self.env, lock),
                )
            else:
                period.lock_info = self.env._(
                    "Does not cover the month: cost still posted into it after closing counts in "
                    "the first open month, sales and their product cost count in this one. Lock "
                    "the books up to its end to keep them out."
                )

    # ------------------------------------------------------------
    # Open to closing and back
    # ------------------------------------------------------------

    def _check_accountant(self):
        accountant = "customer_cost.group_customer_cost_accountant"
        if not (self.env.su or self.env.user.has_group(accountant)):
            raise AccessError(
                self.env._("Only a cost accountant or a cost manager works on a checklist.")
            )
        self.check_access("read")

    def _check_over(self):
        """Raise unless the months are over and not closed, by themselves or from above.

        :raises UserError: naming the period, and from when on it can be closed
        """
        for period in self:
            if period.state == "closed":
                raise UserError(
                    self.env._("Period %(period)s is closed already.", period=period.display_name)
                )
            if period.closed_above_id:
                raise UserError(
                    self.env._(
                        "Period %(period)s is closed already, with %(company)s.",
                        period=period.display_name,
                        company=period.closed_above_id.name,
                    )
                )
            if period.date_to >= fields.Date.context_today(self):
                raise UserError(
                    self.env._(
                        "Period %(period)s is not over yet: it can be closed from %(date)s.",
                        period=period.display_name,
                        date=format_date(self.env, period.date_to + relativedelta(days=1)),
                    )
                )

    def action_start_closing(self):
        """Begin to close open periods: make their checklist and fill it in.

        :raises UserError: a period is not open or its month is not over
        """
        self._check_accountant()
        self._check_over()
        for period in self:
            if period.state != "open":
                raise UserError(
                    self.env._(
                        "Period %(period)s is being closed already.", period=period.display_name
                    )
                )
        self._start_closing()

    def _start_closing(self):
        # sudo: the checklist and the state have no other writer; callers checked the role
        self.sudo()._unguarded().write(
            {
                "state": "closing",
                "check_ids": [
                    Command.create({"code": code, "sequence": sequence})
                    for sequence, code in enumerate(CHECKS, start=1)
                ],
            }
        )
        self.sudo().check_ids._refresh()

    def action_cancel_closing(self):
        """Take periods that are being closed back to open; their checklists go.

        :raises UserError: a period is not being closed
        """
        self._check_accountant()
        self._check_closing()
        # sudo: as in _start_closing
        periods = self.sudo()._unguarded()
        periods.check_ids.unlink()
        periods.write({"state": "open"})

    def _check_closing(self):
        for period in self:
            if period.state != "closing":
                raise UserError(
                    self.env._("Period %(period)s is not being closed.", period=period.display_name)
                )

    def action_check(self):
        """Look up again what the checklists say.

        :raises UserError: a period is not being closed
        """
        self._check_accountant()
        self._check_closing()
        self.sudo().check_ids._refresh()  # sudo: figures have no other writer

    def action_sign_passed(self):
        """Sign every line of the checklists that passes and nobody signed yet.

        :raises UserError: a period is not being closed
        """
        self._check_accountant()
        self._check_closing()
        checks = self.sudo().check_ids  # sudo: signatures have no other writer
        checks._refresh()
        checks._filter_passed()._sign()

    # ------------------------------------------------------------
    # Closing to closed and back
    # ------------------------------------------------------------

    def action_close(self):
        """Close periods: later cost takes the first open day and keeps its own date.

        What passes and nobody signed is signed by who closes. The tie-out is stored as it is now.

        :raises AccessError: the user is no cost manager
        :raises UserError: a month is not over, or a check fails: its name, figure and remedy
        """
        self._check_cost_manager(self.env._("Only a cost manager closes or reopens a period."))
        self.check_access("read")
        self._touch()
        self._check_over()
        self.filtered(lambda period: period.state == "open")._start_closing()
        # each month finds those before it closed
        for period in self.sorted("date_from"):
            # sudo: signatures, what closing stores and the state have no other writer
            period = period.sudo()._unguarded()
            checks = period.check_ids
            checks._refresh()
            checks._check_settled()
            checks._filter_passed()._sign()
            closing = self.env["customer.cost.period.closing"].sudo()._store(period)
            checks.write({"closing_id": closing.id})
            period.write({"state": "closed", "closing_id": closing.id})

    def action_reopen(self):
        """Ask for the reason to reopen closed periods.

        :return: action that opens the dialog
        """
        self._check_cost_manager(self.env._("Only a cost manager closes or reopens a period."))
        self.check_access("read")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Reopen"),
            "res_model": "customer.cost.period.reopen",
            "view_mode": "form",
            "target": "new",
            "context": {"default_period_ids": [Command.set(self.ids)]},
        }

    def _reopen(self, reason):
        """Open closed periods again; reason, who and when stay on the closing and in the chatter.

        What came late to other months in the meantime stays there unless it changes; posted runs
        stay as well.

        :raises UserError: no reason, or a period is not closed
        """
        self._check_cost_manager(self.env._("Only a cost manager closes or reopens a period."))
        self.check_access("read")
        if not (reason or "").strip():
            raise UserError(self.env._("Say why the period is reopened."))
        self._touch()
        for period in self:
            if period.state != "closed":
                raise UserError(
                    self.env._(
                        "Only a closed period can be reopened, and %(period)s is not.",
                        period=period.display_name,
                    )
                )
        # sudo: the guarded fields belong to this method, which checked the role
        periods = self.sudo()._unguarded()
        periods.closing_id.write(
            {
                "reopened_by_id": self.env.uid,
                "reopened_at": fields.Datetime.now(),
                "reopen_reason": reason.strip(),
            }
        )
        periods.check_ids.write({"active": False})
        periods.write({"state": "open", "closing_id": False})
        for period in periods:
            period.message_post(
                body=self.env._("Reopened: %(reason)s", reason=reason.strip()),
                author_id=self.env.user.partner_id.id,
            )

    def action_open_closing(self):
        """Open the tie-out and the ledger as the period was closed on them."""
        self.ensure_one()
        self.check_access("read")
        return self.closing_id.action_open_tie_out()
