from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from .review_appointments import Appointments

DECISIONS = [
    ("pending", "Waits"),
    ("approved", "Approved"),
    ("refused", "Refused"),
    ("question", "Question"),
    ("skipped", "Not needed any more"),
    ("superseded", "Superseded"),
]


class CustomerCostReview(models.Model):
    """A stage that a cost or a bill passes, and what was decided: by whom, when and why.

    Written by the methods of the document alone.
    """

    _name = "customer.cost.review"
    _description = "Review Decision"
    _order = "id"

    entry_id = fields.Many2one(
        "customer.cost.entry", string="Cost", readonly=True, index=True, ondelete="cascade"
    )
    move_id = fields.Many2one(
        "account.move",
        string="Bill",
        readonly=True,
        index="btree_not_null",
        ondelete="cascade",
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    stage_id = fields.Many2one(
        "customer.cost.review.stage",
        readonly=True,
        index="btree_not_null",
        ondelete="restrict",
        help="Empty: no stage applied, any reviewer decides.",
    )
    sequence = fields.Integer(readonly=True)
    name = fields.Char(string="Stage Name", readonly=True, help="As it was at submission.")
    stage_label = fields.Char(string="Stage as Named", compute="_compute_stage_label")
    decision = fields.Selection(DECISIONS, required=True, readonly=True, default="pending")
    user_id = fields.Many2one("res.users", string="Reviewer", readonly=True)
    date = fields.Datetime(string="Decided On", readonly=True)
    reason = fields.Char(readonly=True)
    answer = fields.Char(readonly=True)
    answer_user_id = fields.Many2one("res.users", string="Answered By", readonly=True)
    author_id = fields.Many2one("res.users", readonly=True, index=True)
    customer_id = fields.Many2one(
        "res.partner", readonly=True, index="btree_not_null", ondelete="set null"
    )
    check_ids = fields.One2many("customer.cost.review.check", "review_id", string="Checklist")
    since = fields.Datetime(string="Waits Since", readonly=True)
    date_deadline = fields.Date(string="Due", readonly=True)
    reminder_days = fields.Integer(readonly=True)
    deadline_days = fields.Integer(readonly=True)
    reminded_on = fields.Date(readonly=True)
    escalated = fields.Boolean(readonly=True, help="Its deadline passed, and somebody was told.")
    mailed_user_ids = fields.Many2many(
        "res.users", "customer_cost_review_mailed_rel", string="Mailed To", readonly=True
    )

    _one_document = models.Constraint(
        "CHECK((entry_id IS NULL) <> (move_id IS NULL))", "A decision is on one document."
    )
    _pending_idx = models.Index("(stage_id, author_id) WHERE decision = 'pending'")

    @api.depends("name", "stage_id.name")
    @api.depends_context("lang")
    def _compute_stage_label(self):
        """The name at submission, in the reader's language while the stage is still called so."""
        names = {}
        for stage in self.sudo().stage_id:  # sudo: the names of stages that documents pass
            translations = stage._fields["name"]._get_stored_translations(stage) or {}
            names[stage] = set(translations.values())
        for row in self.sudo():  # sudo: as above
            renamed = row.name not in names.get(row.stage_id, ())
            row.stage_label = row.name if renamed else row.stage_id.name

    @api.model
    def _prepare_rows(self, document, stages, facts):
        """Values of the rows that ``document`` waits for: one per stage, or one without stage."""
        shared = {
            document._review_link: document.id,
            "company_id": facts.company.id,
            "author_id": facts.author.id,
            "customer_id": facts.customers[:1].id,
        }
        if not stages:
            return [{**shared, "name": self.env._("Any reviewer")}]
        return [
            {
                **shared,
                "stage_id": stage.id,
                "sequence": place,
                "name": stage.name,
                "reminder_days": stage.reminder_days,
                "deadline_days": stage.deadline_days,
                "check_ids": [
                    fields.Command.create({"name": check.name}) for check in stage.check_ids
                ],
            }
            for place, stage in enumerate(stages)
        ]

    def _get_document(self):
        """The cost or the bill, as the user."""
        self.ensure_one()
        return self.entry_id or self.move_id

    @api.model
    def _get_mine_domain(self, is_bill):
        """Domain of the pending rows of costs, or of bills, that the user is appointed to."""
        appointments = Appointments(self.env)
        user = self.env.user.sudo()
        waiting = self._get_kind_domain(is_bill) & Domain("decision", "=", "pending")
        mine = Domain.FALSE
        # sudo: whom stages name; the rows found are those that await the user
        groups = self.sudo()._read_group(
            waiting, ["company_id", "stage_id", "author_id", "customer_id.user_id", "escalated"], []
        )
        by_stage = {}
        for company, stage, author, salesperson, escalated in groups:
            found = appointments.get_appointed_to(
                stage, company, author, salesperson, is_bill, escalated
            )
            by_stage.setdefault((company, stage), []).append(
                (author, salesperson, escalated, user in found)
            )
        for (company, stage), keys in by_stage.items():
            rows = Domain("company_id", "=", company.id) & Domain("stage_id", "=", stage.id)
            if not all(found for *_key, found in keys):
                rows &= Domain.OR(
                    Domain("author_id", "=", author.id)
                    & Domain("customer_id.user_id", "=", salesperson.id)
                    & Domain("escalated", "=", escalated)
                    for author, salesperson, escalated, found in keys
                    if found
                )
            mine |= rows
        return waiting & mine

    @api.model
    def _get_kind_domain(self, is_bill):
        return Domain("move_id" if is_bill else "entry_id", "!=", False)

    @api.model
    def get_waiting_counts(self):
        """How much awaits the user, in the companies chosen.

        :return: dict ``{"costs": int, "bills": int, "late": int}``; zeros for who is no reviewer
        """
        counts = {"costs": 0, "bills": 0, "late": 0}
        if not self.env.user.has_group("customer_cost.group_customer_cost_reviewer"):
            return counts
        today = fields.Date.context_today(self)
        for key, model in (("costs", "customer.cost.entry"), ("bills", "account.move")):
            documents = self.env[model]
            if not documents.has_access("read"):
                continue
            domain = Domain("cost_awaits_me", "=", True)
            counts[key] = documents.search_count(domain)
            counts["late"] += documents.search_count(domain & Domain("cost_review_due", "<", today))
        return counts

    @api.model
    def _make_current(self, link, ids):
        """Point the documents at their first pending row, or at none; its deadline starts now."""
        table = {"entry_id": "customer_cost_entry", "move_id": "account_move"}[link]
        model = {"entry_id": "customer.cost.entry", "move_id": "account.move"}[link]
        self.flush_model()
        self.env[model].flush_model(["cost_review_id", "cost_review_due"])
        names = {
            "review": SQL.identifier("customer_cost_review"),
            "link": SQL.identifier(link),
            "table": SQL.identifier(table),
            "ids": list(ids),
            "today": fields.Date.context_today(self),
            "now": fields.Datetime.now(),
        }
        # Ids of documents that the caller has checked; no row of another one is touched.
        self.env.cr.execute(
            SQL(
                """WITH first AS (
                       SELECT DISTINCT ON (%(link)s) %(link)s AS document_id, id, since,
                              date_deadline, deadline_days
                         FROM %(review)s
                        WHERE %(link)s = ANY(%(ids)s::int[]) AND decision = 'pending'
                     ORDER BY %(link)s, sequence, id),
                   begun AS (
                       UPDATE %(review)s r
                          SET since = %(now)s,
                              date_deadline = CASE WHEN f.deadline_days > 0
                                                   THEN %(today)s::date + f.deadline_days END
                         FROM first f WHERE r.id = f.id AND f.since IS NULL
                    RETURNING r.id, r.date_deadline)
                   UPDATE %(table)s d
                      SET cost_review_id = f.id,
                          cost_review_due = COALESCE(b.date_deadline, f.date_deadline)
                     FROM unnest(%(ids)s::int[]) AS wanted(id)
                LEFT JOIN first f ON f.document_id = wanted.id
                LEFT JOIN begun b ON b.id = f.id
                    WHERE d.id = wanted.id""",
                **names,
            )
        )
        self.invalidate_model(["since", "date_deadline"], flush=False)
        documents = self.env[model].browse(ids)
        documents.invalidate_recordset(["cost_review_id", "cost_review_due"], flush=False)
