from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import formatLang

from ..findings import LEVELS
from .customer_cost_period import ClosedMonths
from .customer_cost_review_stage import ReviewFacts


class CustomerCostEntryReview(models.Model):
    """From draft to the decision: submission, the stages of the review, approval, refusal."""

    _inherit = "customer.cost.entry"

    # More at once are submitted in the background.
    _submit_at_once = 500

    submission_user_id = fields.Many2one(
        "res.users",
        string="Being Submitted By",
        readonly=True,
        copy=False,
        index="btree_not_null",
        help="Waits to be submitted in the background.",
    )
    open_question = fields.Char(
        compute="_compute_open_question", help="What a reviewer asked and nobody answered yet."
    )
    finding_mark = fields.Selection(
        [("block", "Blocks"), ("review", "One more stage"), ("warn", "Warning")],
        compute="_compute_finding_mark",
        help="The strictest thing that policies, budgets and limits say of the cost.",
    )

    @api.depends("findings")
    def _compute_finding_mark(self):
        for entry in self:
            levels = {finding["level"] for finding in entry.findings or ()}
            entry.finding_mark = max(levels, key=LEVELS.index, default=False)

    @api.depends("review_ids.answer", "review_ids.decision")
    @api.depends_context("lang", "tz")
    def _compute_open_question(self):
        questions = self._origin._get_open_question_texts()
        for entry in self:
            entry.open_question = questions.get(entry._origin, False)

    # ------------------------------------------------------------
    # What the review looks at
    # ------------------------------------------------------------

    def _is_under_review(self):
        return self.state == "submitted"

    def _get_review_facts(self):
        # sudo: a stage may look at tags and items that the author does not see
        return {
            entry: ReviewFacts(
                company=entry.company_id,
                amount=entry.amount_company,
                items=entry.item_id,
                customers=entry.customer_id,
                author=entry.create_uid,
            )
            for entry in self.sudo()
        }

    def _get_review_hands(self):
        return [
            (self.create_uid, self.env._("You recorded this cost yourself")),
            (self.submitter_id, self.env._("You submitted this cost yourself")),
            (self.last_editor_id, self.env._("You last changed this cost yourself")),
            (self.spender_id, self.env._("You spent this cost yourself")),
        ]

    def _get_asked_stages(self):
        """Stages that findings ask for."""
        stages = self.env["customer.cost.review.stage"].sudo()  # sudo: as in _get_of_company
        asked = {}
        for entry, findings in self._get_findings().items():
            for finding in findings:
                if finding.level != "review":
                    continue
                known = asked.setdefault(entry.sudo(), stages)
                asked[entry.sudo()] = known | finding.stage
        return asked

    # ------------------------------------------------------------
    # Submission
    # ------------------------------------------------------------

    def action_submit(self):
        """Hand draft or refused costs to the reviewers.

        Many at once are checked here and submitted in the background.

        :raises UserError: a cost is not a draft, or bad input, named
        """
        self.check_access("write")
        self._check_submittable()
        if len(self) > self._submit_at_once:
            return self._queue_submission()
        self._submit()

    def _check_submittable(self):
        for entry in self:
            if entry.kind == "captured" or entry.state not in ("draft", "refused"):
                raise UserError(self.env._("%(cost)s is not a draft.", cost=entry.display_name))

    def _check_no_problems(self):
        for entry in self._with_known_months():
            for problem in entry._get_problems():
                raise UserError(problem)

    def _with_known_months(self):
        """The same costs; whether a month is closed is asked once for all of them."""
        return self.with_context(customer_cost_closed_months=ClosedMonths())

    def _submit(self):
        self._check_no_problems()
        self._refresh_amount_company()
        self._check_findings()
        self._unguarded().write(
            {"state": "submitted", "submitter_id": self.env.uid, "submission_user_id": False}
        )
        # sudo: a round that was refused or taken back is history that nobody else writes
        self.sudo()._unguarded()._end_round("skipped")
        self.sudo()._unguarded()._start_review()

    def _queue_submission(self):
        self._unguarded().write({"submission_user_id": self.env.uid})
        self.env.ref("customer_cost.ir_cron_submit").sudo()._trigger()  # sudo: wakes our own job
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "info",
                "message": self.env._(
                    "%(count)s costs are being submitted in the background. What cannot be "
                    "submitted stays a draft and says why in its messages.",
                    count=len(self),
                ),
                "next": {"type": "ir.actions.act_window_close"},
            },
        }

    @api.model
    def _cron_submit(self):
        """Submit what waits for it, as the user who asked, a batch per transaction."""
        commit = self.env["ir.cron"]._commit_progress
        waiting = [("submission_user_id", "!=", False)]
        commit(remaining=self.search_count(waiting))
        while batch := self.search(
            waiting, order="submission_user_id, id", limit=self._submit_at_once
        ):
            user = batch[0].submission_user_id
            mine = batch.filtered(lambda entry, user=user: entry.submission_user_id == user)
            try:
                mine.with_user(user).with_context(lang=user.lang)._submit_queued()
            except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
                # Another transaction works on the same costs: the job comes back to what is left.
                self.env.cr.rollback()
                return
            if not commit(len(mine)):
                return

    def _submit_queued(self):
        """Submit all, or else one by one: what cannot be submitted stays a draft and says why."""
        ready = self.filtered(lambda entry: entry.state in ("draft", "refused"))
        (self - ready).sudo()._unguarded().submission_user_id = False  # sudo: as below
        try:
            with self.env.cr.savepoint():
                ready.check_access("write")
                ready._submit()
            return
        except UserError:
            ready.invalidate_recordset()
        for entry in ready:
            try:
                with self.env.cr.savepoint():
                    entry.check_access("write")
                    entry._submit()
            except UserError as error:
                entry.invalidate_recordset()
                # sudo: the user may have lost the cost meanwhile
                stuck = entry.sudo()._unguarded()
                stuck.submission_user_id = False
                stuck.message_post(
                    body=self.env._("Not submitted: %(problem)s", problem=str(error)),
                    partner_ids=self.env.user.partner_id.ids,
                )

    def action_withdraw(self):
        """Take submitted costs back to draft; approvals of earlier stages are superseded."""
        self.check_access("write")
        for entry in self:
            if entry.state != "submitted":
                raise UserError(self.env._("%(cost)s is not submitted.", cost=entry.display_name))
        self._unguarded().write({"state": "draft"})
        entries = self.sudo()._unguarded()  # sudo: the rows of the review have no other writer
        entries._end_round(left=False)
        entries._close_review_activities()

    def _restart_review(self, text=None):
        """The substance of submitted costs has changed: what was decided does not hold.

        :param text: what the earlier reviewers are told, if not that the user changed the cost
        """
        self._refresh_amount_company()
        self._check_findings()
        entries = self.sudo()._unguarded()  # sudo: as in action_withdraw
        told = {}
        for entry in entries:
            deciders = entry._get_deciders()[entry]
            told[entry] = deciders - self.env.user
        entries._close_review_activities()
        entries._end_round(left=False)
        entries._start_review()
        for entry, deciders in told.items():
            entry._tell(
                deciders,
                text
                or self.env._(
                    "%(user)s changed the cost while it waited: its review starts again.",
                    user=self.env.user.name,
                ),
            )

    # ------------------------------------------------------------
    # Decision
    # ------------------------------------------------------------

    def action_approve(self):
        """Approve submitted costs at their present stage; after the last one that is final.

        A cost that is not in the books becomes a ledger line per service month, a request becomes
        a commitment.

        :raises UserError: the user may not decide, or the entry no longer passes its checks
        """
        self._check_may_decide()
        last = self._get_last_stage()
        last._hold_periods()
        last._check_no_problems()
        last._check_reversed_once()
        lifted = last._restart_lifted()
        (last - lifted)._check_findings()
        # sudo: a reviewer decides on costs whose other fields they may not write; the check above
        # is the right to do so
        passed = (self - lifted).sudo()._unguarded()._decide("approved")
        # What was decided is logged in one go; a message per change would be most of the work.
        passed.with_context(mail_notrack=True).write({"state": "approved"})
        passed._append_to_ledger()
        passed.reversal_of_id.write({"state": "reversed"})

    def _restart_lifted(self):
        """Refresh the company amounts; what comes into the band of another stage begins again.

        :return: the costs that are not to be approved now
        """
        before = {entry: entry.amount_company for entry in self}
        self._refresh_amount_company()
        changed = self.filtered(
            lambda entry: entry.company_currency_id.compare_amounts(
                entry.amount_company, before[entry]
            )
        )
        lifted = self.browse()
        for entry, missing in changed._get_missing_stages(before).items():
            text = self.env._(
                "The rate was changed: %(cost)s amounts to %(amount)s now and has to pass "
                "%(stages)s. Its review starts again.",
                cost=entry.display_name,
                amount=formatLang(
                    self.env, entry.amount_company, currency_obj=entry.company_currency_id
                ),
                stages=", ".join(missing.mapped("name")),
            )
            entry._restart_review(text)
            self.env.user._bus_send("simple_notification", {"type": "warning", "message": text})
            lifted |= entry
        return lifted

    def _get_missing_stages(self, before):
        """Stages that the amounts ask for by now and the present rounds do not have.

        :param before: dict of cost to the company amount that its stages were chosen by
        :return: dict of cost to stages, costs without any left out
        """
        if not self:
            return {}
        stages, facts = self.env["customer.cost.review.stage"], self._get_review_facts()
        of_company = {company: stages._get_of_company(company) for company in self.company_id}
        # sudo: which stages the round has, of costs the user decides on
        rows = self.env["customer.cost.review"].sudo()
        rows = rows.search(
            [("entry_id", "in", self.ids), ("decision", "in", ("pending", "approved"))]
        ).grouped("entry_id")
        found = {}
        for entry in self:
            one = facts[entry]
            earlier = one._replace(amount=before[entry])
            missing = of_company[entry.company_id].filtered(
                lambda stage, one=one, earlier=earlier: (
                    stage._applies(one) and not stage._applies(earlier)
                )
            )
            if missing := missing - rows[entry].stage_id:
                found[entry] = missing
        return found

    def action_approve_next(self):
        """Approve this cost and open the next one that awaits the user, if any.

        :return: action, or ``False``
        :raises UserError: as :meth:`action_approve`
        """
        self.ensure_one()
        self._check_undecided(self.env.context.get("cost_review_seen"))
        self.action_approve()
        return self._get_next_action()

    def action_approve_many(self):
        """Open the dialog that says what of these costs will be approved and what will not."""
        self.check_access("read")
        dialog = self.env["customer.cost.approve"].create({"entry_ids": [Command.set(self.ids)]})
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Approve"),
            "res_model": dialog._name,
            "res_id": dialog.id,
            "view_mode": "form",
            "target": "new",
        }

    def _get_bulk_reasons(self):
        """Why a bulk approval leaves out each cost: dict of cost to text or ``False``."""
        reasons = self._get_cannot_approve_reasons()
        reasons = {**reasons, **self._get_checklist_reasons(reasons)}
        for entry, question in self._get_open_question_texts().items():
            reasons[entry] = reasons[entry] or question
        last = self._get_last_stage().filtered(lambda entry: not reasons[entry])
        blocks = last._get_blocks()
        for entry in last._with_known_months():
            reasons[entry] = next(iter([*entry._get_problems(), *blocks.get(entry, [])]), False)
        return reasons

    def _refuse(self, reason):
        """Return submitted costs to their authors with ``reason``.

        :raises UserError: the user may not decide, or the reason is empty
        """
        self._check_may_decide(ticked=False)
        if not (reason or "").strip():
            raise UserError(self.env._("Say why the cost is refused."))
        # sudo: as in action_approve
        entries = self.sudo()._unguarded()
        entries._decide("refused", reason)
        entries.write({"state": "refused"})
        for entry in entries:
            entry._tell(
                entry.submitter_id | entry.create_uid,
                self.env._("Refused: %(reason)s", reason=reason),
            )

    def action_refuse(self):
        """Open the dialog that asks for the reason of a refusal."""
        self._check_may_decide(ticked=False)
        return self._open_reason_dialog("customer.cost.refuse", self.env._("Refuse"))

    def action_ask(self):
        """Open the dialog that asks the author a question; the cost goes on waiting."""
        self._check_may_decide(ticked=False)
        return self._open_reason_dialog(
            "customer.cost.question", self.env._("Ask the Author"), default_act="ask"
        )

    def action_answer(self):
        """Open the dialog that answers what a reviewer asked."""
        self.check_access("write")
        return self._open_reason_dialog(
            "customer.cost.question", self.env._("Answer"), default_act="answer"
        )

    def _refresh_amount_company(self):
        """A rate may have been entered since the cost was recorded."""
        self.env.add_to_compute(self._fields["amount_company"], self)
