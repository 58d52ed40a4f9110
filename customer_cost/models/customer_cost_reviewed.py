from odoo import api, fields, models
from odoo.fields import Command, Domain

from .review_appointments import OWN_APPROVAL, REVIEWERS, Appointments

# How far the queue is looked through for a document that the user may decide on.
NEXT_LIMIT = 200
REVIEW_FIELDS = frozenset({"cost_review_id", "cost_review_due"})


class CustomerCostReviewed(models.AbstractModel):
    """A document that passes the stages of a review, one after the other.

    The document says which row of its review it waits for (``cost_review_id``). A decision marks
    that row and moves on to the next one: both are updates of the document, so of two people who
    decide at once one is told.
    """

    _name = "customer.cost.reviewed"
    _description = "Reviewed Document"
    _inherit = ["customer.cost.guarded"]

    # The field of the review rows that names the document.
    _review_link = None
    _review_activity = None

    cost_review_id = fields.Many2one(
        "customer.cost.review",
        string="Waits For",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="set null",
        groups="base.group_user",
    )
    cost_review_due = fields.Date(string="Due", readonly=True, copy=False, groups="base.group_user")
    cost_review_stage = fields.Char(
        string="Review Stage", related="cost_review_id.stage_label", groups="base.group_user"
    )
    cost_review_author_id = fields.Many2one(
        "res.users",
        string="Submitted for Review By",
        related="cost_review_id.author_id",
        groups="base.group_user",
    )
    cost_review_age = fields.Integer(
        string="Days Waiting",
        compute="_compute_cost_review_age",
        help="At the present stage.",
        groups="base.group_user",
    )
    cost_awaits_me = fields.Boolean(
        string="Awaits My Decision",
        compute="_compute_cost_awaits_me",
        search="_search_cost_awaits_me",
        groups="base.group_user",
    )

    # ------------------------------------------------------------
    # Computes
    # ------------------------------------------------------------

    @api.depends("cost_review_id.since")
    def _compute_cost_review_age(self):
        today = fields.Date.context_today(self)
        for document in self:
            # sudo: since when the document waits, of one that the user may read
            since = document.sudo().cost_review_id.since
            document.cost_review_age = since and (today - since.date()).days

    @api.depends("cost_review_id")
    @api.depends_context("uid")
    def _compute_cost_awaits_me(self):
        appointments = Appointments(self.env)
        for document in self:
            review = document.sudo().cost_review_id  # sudo: only whether it awaits the user
            document.cost_awaits_me = bool(review) and (
                self.env.user in appointments.get_appointed(review)
            )

    @api.model
    def _search_cost_awaits_me(self, operator, value):
        if operator != "in" or set(value) != {True}:
            return NotImplemented
        if not self.env.user.has_group(REVIEWERS):
            return Domain.FALSE
        reviews = self.env["customer.cost.review"]
        domain = reviews._get_mine_domain(self._review_link == "move_id")
        # sudo: access to the rows follows from access to the documents found here
        return Domain("cost_review_id", "in", reviews.sudo()._search(domain))

    # ------------------------------------------------------------
    # What a kind of document says of itself
    # ------------------------------------------------------------

    def _get_review_facts(self):
        """What decides the stages of each document.

        :return: dict of document to :class:`~.customer_cost_review_stage.ReviewFacts`
        """
        raise NotImplementedError

    def _get_review_hands(self):
        """Who had a hand in this document: list of ``(users, what they did)``."""
        raise NotImplementedError

    def _is_under_review(self):
        raise NotImplementedError

    def _get_asked_stages(self):
        """Stages that are asked for beside those that apply: dict of document to stages."""
        return {}

    # ------------------------------------------------------------
    # From stage to stage
    # ------------------------------------------------------------

    def _start_review(self):
        """Freeze the stages that these documents pass, and wait for the first."""
        if not self:
            return
        stages, facts = self.env["customer.cost.review.stage"], self._get_review_facts()
        asked = self._get_asked_stages()
        reviews = self.env["customer.cost.review"].sudo()  # sudo: nobody else writes decisions
        of_company = {
            company: stages._get_of_company(company)
            for company in {one.company for one in facts.values()}
        }
        rows = []
        for document in self:
            one = facts[document]
            applying = of_company[one.company].filtered(lambda stage, one=one: stage._applies(one))
            applying = (applying | asked.get(document, stages)).sorted()
            rows += reviews._prepare_rows(document, applying, one)
        reviews.create(rows)
        reviews._make_current(self._review_link, self.ids)
        self._notify_reviewers()

    def _end_round(self, left):
        """Nothing of the present round counts any more; what waits becomes ``left``."""
        # sudo: as in _start_review
        reviews = self.env["customer.cost.review"].sudo()
        rows = reviews.search(
            [
                (self._review_link, "in", self.ids),
                ("decision", "in", ("pending", "approved")),
            ]
        )
        waiting = rows.filtered(lambda row: row.decision == "pending")
        (rows - waiting).decision = "superseded"
        if left:
            waiting.decision = left
        else:
            waiting.unlink()
        reviews._make_current(self._review_link, self.ids)

    def _decide(self, decision, reason=False):
        """Mark the rows that these documents wait for, and move on.

        :return: the documents that have passed their last stage, or are refused
        """
        # sudo: as in _start_review; the caller has checked that the user may decide
        documents = self.sudo()
        reviews = documents.cost_review_id
        self._log_own_decision()
        reviews.write(
            {
                "decision": decision,
                "user_id": self.env.uid,
                "date": fields.Datetime.now(),
                "reason": reason,
            }
        )
        if decision == "refused":
            rest = reviews.search(
                [(self._review_link, "in", self.ids), ("decision", "=", "pending")]
            )
            rest.decision = "skipped"
        if decision == "approved":
            documents._message_log_batch(
                {
                    document.id: self.env._(
                        "Approved at stage %(stage)s", stage=document.cost_review_id.stage_label
                    )
                    for document in documents
                }
            )
        reviews._make_current(self._review_link, self.ids)
        passed = documents.filtered(lambda document: not document.cost_review_id)
        documents._close_questions()
        documents._close_review_activities()
        (documents - passed)._notify_reviewers()
        return passed

    def _get_last_stage(self):
        """The documents whose present stage is their last."""
        waiting = dict(
            self.env["customer.cost.review"]
            .sudo()  # sudo: how many stages are left of documents the user decides on
            ._read_group(
                [(self._review_link, "in", self.ids), ("decision", "=", "pending")],
                [self._review_link],
                ["__count"],
            )
        )
        return self.filtered(lambda document: waiting.get(document.sudo()._origin, 0) == 1)

    def _log_own_decision(self):
        """The right to approve what one has recorded leaves a trace where it was used."""
        if not self.env.user.has_group(OWN_APPROVAL):
            return
        for document in self.sudo():
            acts = [act for users, act in document._get_review_hands() if self.env.user in users]
            if acts:
                document.message_post(
                    body=self.env._(
                        "%(act)s. %(user)s decided by the right to approve own costs.",
                        act=acts[0],
                        user=self.env.user.name,
                    )
                )

    # ------------------------------------------------------------
    # The queue
    # ------------------------------------------------------------

    def _get_next_action(self):
        """Open the next document that awaits the user, by deadline; stay where nothing does."""
        following = self.search(
            [("cost_awaits_me", "=", True), ("id", "not in", self.ids)],
            order="cost_review_due, id",
            limit=NEXT_LIMIT,
        )
        mine = following._get_cannot_approve_reasons() if following else {}
        for document, reason in mine.items():
            if not reason:
                return {
                    "type": "ir.actions.act_window",
                    "res_model": self._name,
                    "res_id": document.id,
                    "views": [(False, "form")],
                }
        return False

    def _open_reason_dialog(self, model, name, **context):
        link = "entry_ids" if self._review_link == "entry_id" else "move_ids"
        return {
            "type": "ir.actions.act_window",
            "name": name,
            "res_model": model,
            "view_mode": "form",
            "target": "new",
            "context": {f"default_{link}": [Command.set(self.ids)], **context},
        }
