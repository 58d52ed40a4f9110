from collections import defaultdict

from odoo import api, fields, models
from odoo.tools import formatLang

from .review_appointments import Appointments


class CustomerCostReviewNotice(models.Model):
    """Who is reminded, when a stage escalates, and the one mail a day."""

    _inherit = "customer.cost.review"

    @api.model
    def _cron_notify(self):
        """Hand on what waits for somebody absent, remind, escalate, then mail the digests."""
        commit = self.env["ir.cron"]._commit_progress
        current = self._get_current()
        digests = current._get_digests()
        commit(remaining=len(digests) + 1)
        current._hand_on()
        current._remind()
        current._escalate()
        commit(1)
        for user, rows in self._get_current()._get_digests().items():
            rows._mail_digest(user)
            if not commit(1):
                return

    @api.model
    def _get_current(self):
        """The rows that documents wait for."""
        entries = self.env["customer.cost.entry"].search([("cost_review_id", "!=", False)])
        moves = self.env["account.move"].search([("cost_review_id", "!=", False)])
        return entries.cost_review_id | moves.cost_review_id

    def _hand_on(self):
        """Where nobody who was told can decide any more, somebody else is told."""
        appointments = Appointments(self.env)
        for documents in self._get_documents():
            activities = self.env["mail.activity"].search(
                [
                    ("res_model", "=", documents._name),
                    ("res_id", "in", documents.ids),
                    ("activity_type_id", "=", self.env.ref(documents._review_activity).id),
                ]
            )
            told = defaultdict(self.env["res.users"].browse)
            for activity in activities:
                told[activity.res_id] |= activity.user_id
            stuck = documents.filtered(
                lambda document, told=told: (
                    not (told[document.id] & document._get_reviewers(appointments))
                )
            )
            stuck._close_review_activities()
            stuck._notify_reviewers()

    def _get_documents(self):
        return [documents for documents in (self.entry_id, self.move_id) if documents]

    def _remind(self):
        """Rows whose reminder is due are in today's digest again, and their activity is due."""
        today = fields.Date.context_today(self)
        due = self.filtered(
            lambda row: (
                row.reminder_days
                and not row.reminded_on
                and row.since
                and (today - row.since.date()).days >= row.reminder_days
            )
        )
        due.write({"reminded_on": today, "mailed_user_ids": [fields.Command.clear()]})
        for documents in due._get_documents():
            self.env["mail.activity"].search(
                [
                    ("res_model", "=", documents._name),
                    ("res_id", "in", documents.ids),
                    ("activity_type_id", "=", self.env.ref(documents._review_activity).id),
                    ("date_deadline", ">", today),
                ]
            ).date_deadline = today

    def _escalate(self):
        """Once the deadline has passed, the person of the escalation is told and may decide."""
        appointments = Appointments(self.env)
        today = fields.Date.context_today(self)
        late = self.filtered(
            lambda row: (
                row.date_deadline
                and row.date_deadline < today
                and not row.escalated
                and row.stage_id.escalation_user_id.active
            )
        )
        late.escalated = True
        for row in late:
            document = row._get_document()
            for user in row._get_told(row.stage_id.escalation_user_id, appointments):
                own = row.with_context(lang=user.lang)
                document.with_context(mail_activity_quick_update=True).activity_schedule(
                    document._review_activity,
                    date_deadline=today,
                    user_id=user.id,
                    summary=own.env._(
                        "Overdue at stage %(stage)s: %(cost)s",
                        stage=own.stage_label,
                        cost=own._get_document().display_name,
                    ),
                )

    def _get_told(self, users, appointments):
        """These users, each absent one replaced, as far as they review documents of this kind.

        A substitute is chosen freely: one without the role learns nothing of the document.
        """
        self.ensure_one()
        eligible = appointments.get_eligible(self.company_id, bool(self.move_id))
        return appointments.represent(users) & eligible

    # ------------------------------------------------------------
    # Digest
    # ------------------------------------------------------------

    def _get_digests(self):
        """Rows to be mailed by reviewer: those not mailed to them yet, if none was sent today."""
        appointments = Appointments(self.env)
        today = fields.Date.context_today(self)
        digests = {}
        for row in self:
            users = row._get_told(appointments.get_appointed(row), appointments)
            for user in users - row.mailed_user_ids:
                if user.customer_cost_digest_on != today and user.email:
                    digests[user] = digests.get(user, self.browse()) | row
        return digests

    def _mail_digest(self, user):
        """One mail with what is new for ``user`` and what they are reminded of."""
        today = fields.Date.context_today(self)
        own = self.with_context(lang=user.lang, tz=user.tz)
        rows = own.sorted(lambda row: (not row.date_deadline, row.date_deadline or today, row.id))
        body = self.env["ir.qweb"]._render(
            "customer_cost.review_digest",
            {
                "user": user,
                "rows": [row._prepare_digest_row() for row in rows],
                "url": f"{user.get_base_url()}/odoo/action-"
                "customer_cost.customer_cost_entry_review_action",
            },
            lang=user.lang,
        )
        self.env["mail.mail"].create(
            {
                "subject": own.env._("%(count)s costs await your review", count=len(self)),
                "body_html": body,
                "email_to": user.email_formatted,
                "auto_delete": True,
            }
        )
        self.write({"mailed_user_ids": [fields.Command.link(user.id)]})
        user.customer_cost_digest_on = today

    def _prepare_digest_row(self):
        document = self._get_document()
        amount = abs(document._get_review_facts()[document].amount)
        return {
            "name": document.display_name,
            "stage": self.stage_label,
            "customer": self.customer_id.display_name or "",
            "amount": formatLang(self.env, amount, currency_obj=self.company_id.currency_id),
            "author": self.author_id.name,
            "due": self.date_deadline,
            "reminder": bool(self.reminded_on),
        }
