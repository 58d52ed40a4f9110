from odoo import api, fields, models
from odoo.exceptions import UserError

from .customer_cost_reviewed import REVIEW_FIELDS
from .review_appointments import CUSTOMER_BILL_TYPES


class AccountMove(models.Model):
    """Vendor bills that name a customer pass the stages that are flagged for bills.

    What was approved is remembered as a fingerprint of the lines: a bill changed by whatever door
    has to be submitted again.
    """

    _name = "account.move"
    _inherit = ["account.move", "customer.cost.reviewed"]
    _guarded_fields = frozenset({"cost_review_state", "cost_review_fingerprint", *REVIEW_FIELDS})
    _review_link = "move_id"
    _review_activity = "customer_cost.mail_activity_type_review_bill"

    cost_review_ids = fields.One2many(
        "customer.cost.review",
        "move_id",
        string="Review Decisions",
        readonly=True,
        groups="base.group_user",
    )
    cost_review_state = fields.Selection(
        [("submitted", "Under review"), ("approved", "Approved"), ("refused", "Refused")],
        string="Review of Customer Cost",
        readonly=True,
        copy=False,
        groups="base.group_user",
    )
    cost_review_fingerprint = fields.Char(
        string="Lines as Submitted for Review",
        readonly=True,
        copy=False,
        groups="base.group_user",
    )
    cost_review_check_ids = fields.One2many(
        related="cost_review_id.check_ids",
        string="Checklist of the Stage",
        groups="customer_cost.group_customer_cost_reviewer",
    )
    cost_review_needed = fields.Char(
        compute="_compute_cost_review_needed",
        help="Why the bill cannot be posted before its review.",
        groups="base.group_user",
    )
    cost_cannot_approve_reason = fields.Char(
        compute="_compute_cost_cannot_approve_reason", groups="base.group_user"
    )
    cost_open_question = fields.Char(
        compute="_compute_cost_open_question", groups="base.group_user"
    )

    @api.depends("state", "cost_review_state", "invoice_line_ids", "cost_review_id")
    def _compute_cost_review_needed(self):
        reasons = self._origin._get_unreviewed_reasons()
        for move in self:
            move.cost_review_needed = reasons.get(move._origin, False)

    @api.depends("cost_review_id", "cost_review_state")
    @api.depends_context("uid")
    def _compute_cost_cannot_approve_reason(self):
        waiting = self.filtered(lambda move: move.cost_review_state == "submitted")
        reasons = waiting._get_cannot_approve_reasons()
        for move in self:
            move.cost_cannot_approve_reason = reasons.get(move, False)

    @api.depends("cost_review_ids.answer", "cost_review_ids.decision")
    @api.depends_context("lang", "tz")
    def _compute_cost_open_question(self):
        questions = self._origin._get_open_question_texts()
        for move in self:
            move.cost_open_question = questions.get(move._origin, False)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_decided(self):
        # sudo: a decision keeps the bill, whoever may read it
        decided = self.env["customer.cost.review"].sudo()
        decided = decided.search(
            [
                ("move_id", "in", self.ids),
                ("decision", "in", ("approved", "refused", "superseded")),
            ],
            order="id desc",
            limit=1,
        )
        for row in decided:
            raise UserError(
                self.env._(
                    "%(bill)s cannot be deleted: %(user)s decided on it at stage %(stage)s. "
                    "Cancel it instead.",
                    bill=row.move_id.display_name,
                    user=row.user_id.name,
                    stage=row.stage_label,
                )
            )

    def write(self, vals):
        if vals.get("state") == "posted":
            self._check_cost_review_passed()
        return super().write(vals)

    # ------------------------------------------------------------
    # What the review looks at
    # ------------------------------------------------------------

    def _is_under_review(self):
        return self.cost_review_state == "submitted"

    def _get_asked_stages(self):
        """Stages that the limits of customer budgets ask for."""
        companies = self.env["customer.cost.budget.band"]._get_companies("review")
        stages = self.env["customer.cost.review.stage"]
        bills = self.filtered(lambda move: move.company_id.id in companies)
        asked = {}
        for move, findings in bills._get_budget_findings().items():
            for finding in findings:
                if finding.level == "review":
                    asked[move] = asked.get(move, stages) | finding.stage
        return asked

    def _get_state_reasons(self):
        waiting = self.filtered(lambda move: move._is_under_review())
        changed = waiting._get_changed_since_review()
        reasons = dict.fromkeys(
            self - waiting, self.env._("Only a submitted bill can be approved or refused.")
        )
        for move in waiting:
            reasons[move] = move in changed and self.env._(
                "It was changed after it had been submitted: it has to be submitted again."
            )
        return reasons

    # ------------------------------------------------------------
    # Posting
    # ------------------------------------------------------------

    def _get_unreviewed_reasons(self, state="draft"):
        """Why bills cannot be posted, or stay so, before their review; without stages no query.

        A batch costs the queries of one bill.

        :param state: ``draft`` or ``posted``, the bills that are looked at
        """
        stages = self.env["customer.cost.review.stage"]
        companies = stages._get_bill_companies()
        bills = self.filtered(
            lambda move: (
                move.company_id.id in companies
                and move.move_type in CUSTOMER_BILL_TYPES
                and move.state == state
                and (move._get_cost_lines() or move._get_analytic_lines())
            )
        )
        if not bills:
            return {}
        known = bills.sudo()  # sudo: whoever posts learns which stages wait, as _get_review_facts
        facts, asked = known._get_review_facts(), known._get_asked_stages()
        changed = known._get_changed_since_review()
        of_company = {company: stages._get_of_company(company) for company in known.company_id}
        reasons = {}
        for move, own in zip(bills, known, strict=True):
            if not facts[own].customers:
                continue
            applying = of_company[own.company_id].filtered(
                lambda stage, one=facts[own]: stage._applies(one)
            )
            applying = (applying | asked.get(own, stages)).sorted()
            if reason := own._get_unreviewed_reason(applying, own in changed):
                reasons[move] = reason
        return reasons

    def _get_unreviewed_reason(self, stages, changed):
        if self.cost_review_state == "approved" and not changed or not stages:
            return False
        if not self.cost_review_state:
            return self.env._(
                "It names a customer and has to pass %(stages)s: submit it for review.",
                stages=", ".join(stages.mapped("name")),
            )
        if changed:
            return self.env._(
                "It was changed after it had been submitted for review: submit it again."
            )
        if self.cost_review_state == "refused":
            return self.env._("Its review was refused: mend it and submit it again.")
        return self.env._("It waits for stage %(stage)s.", stage=self.cost_review_id.stage_label)

    def _check_cost_review_passed(self, state="draft"):
        """Raise unless bills that name a customer have passed the stages flagged for bills.

        :raises UserError: naming the bill and what it waits for
        """
        for move, reason in self._get_unreviewed_reasons(state).items():
            if state == "posted":
                reason = self.env._("%(reason)s Reset it to draft first.", reason=reason)
            raise UserError(
                self.env._("%(bill)s: %(reason)s", bill=move.display_name, reason=reason)
            )

    # ------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------

    def action_submit_cost_review(self):
        """Hand draft bills that name a customer to the reviewers; what was decided is history.

        :raises UserError: no stage applies, or nothing changed since the review
        """
        self.check_access("write")
        reasons = self._get_unreviewed_reasons()
        waiting = self.filtered(lambda move: move.cost_review_state == "submitted")
        waiting -= waiting._get_changed_since_review()
        for move in self:
            if move not in reasons or move in waiting:
                raise UserError(
                    self.env._("%(bill)s needs no submission now.", bill=move.display_name)
                )
        for move, fingerprint in self._get_cost_fingerprints().items():
            move._set_cost_review(
                cost_review_state="submitted", cost_review_fingerprint=fingerprint
            )
        moves = self.sudo()._unguarded()  # sudo: the rows of the review have no other writer
        moves._close_review_activities()
        moves._end_round("skipped")
        moves._start_review()

    def _set_cost_review(self, **vals):
        """Write fields of the review alone: the lines keep who wrote them last."""
        self._unguarded().with_context(skip_invoice_sync=True).write(vals)

    def action_approve_cost_review(self):
        """Approve bills at their present stage; after the last one they can be posted.

        :raises UserError: the user may not decide
        """
        for move in self:
            move._check_undecided(self.env.context.get("cost_review_seen"))
        self._check_may_decide()
        # sudo: a reviewer need not have the right to write bills; the check above is theirs
        passed = self.sudo()._unguarded()._decide("approved")
        passed._set_cost_review(cost_review_state="approved")

    def _refuse(self, reason):
        """Refuse bills with ``reason``; they stay drafts.

        :raises UserError: the user may not decide, or the reason is empty
        """
        self._check_may_decide(ticked=False)
        if not (reason or "").strip():
            raise UserError(self.env._("Say why the bill is refused."))
        moves = self.sudo()._unguarded()  # sudo: as above
        authors = {move: move.cost_review_id.author_id for move in moves}
        moves._decide("refused", reason)
        moves._set_cost_review(cost_review_state="refused")
        for move, author in authors.items():
            move._tell(author | move.create_uid, self.env._("Refused: %(reason)s", reason=reason))

    def action_refuse_cost_review(self):
        """Open the dialog that asks for the reason of a refusal."""
        self._check_may_decide(ticked=False)
        return self._open_reason_dialog("customer.cost.refuse", self.env._("Refuse"))

    def action_ask_cost_review(self):
        """Open the dialog that asks the author a question; the bill goes on waiting."""
        self._check_may_decide(ticked=False)
        return self._open_reason_dialog(
            "customer.cost.question", self.env._("Ask the Author"), default_act="ask"
        )

    def action_answer_cost_review(self):
        """Open the dialog that answers what a reviewer asked."""
        self.check_access("write")
        return self._open_reason_dialog(
            "customer.cost.question", self.env._("Answer"), default_act="answer"
        )
