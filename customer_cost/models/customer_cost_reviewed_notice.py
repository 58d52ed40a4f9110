from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools import format_datetime

from .review_appointments import Appointments


class CustomerCostReviewedNotice(models.AbstractModel):
    """Questions to the author and answers, and who is told that something waits."""

    _inherit = "customer.cost.reviewed"

    # ------------------------------------------------------------
    # Questions
    # ------------------------------------------------------------

    def _ask(self, question):
        """Ask the author; the stage stays as it is.

        :raises UserError: the user may not decide, or the question is empty
        """
        self._check_may_decide(ticked=False)
        if not (question or "").strip():
            raise UserError(self.env._("Write your question."))
        for document in self.sudo():  # sudo: as in _decide
            review = document.cost_review_id
            review.create(
                {
                    document._review_link: document.id,
                    "company_id": review.company_id.id,
                    "stage_id": review.stage_id.id,
                    "sequence": review.sequence,
                    "name": review.name,
                    "author_id": review.author_id.id,
                    "customer_id": review.customer_id.id,
                    "decision": "question",
                    "user_id": self.env.uid,
                    "date": fields.Datetime.now(),
                    "reason": question,
                }
            )
            document._tell(review.author_id, self.env._("Question: %(text)s", text=question))
            document.with_context(mail_activity_quick_update=True).activity_schedule(
                "customer_cost.mail_activity_type_question",
                user_id=review.author_id.id,
                summary=question,
            )

    def _get_open_questions(self):
        # sudo: of documents that the user may read or has to answer for
        return (
            self.env["customer.cost.review"]
            .sudo()
            .search(
                [
                    (self._review_link, "in", self.ids),
                    ("decision", "=", "question"),
                    ("answer", "=", False),
                ]
            )
        )

    def _get_open_question_texts(self):
        """What was asked on each document: by whom, when, and who has to answer.

        :return: dict of document to text, documents without open question left out
        """
        return {
            document: " ".join(
                self.env._(
                    "“%(question)s” asked by %(reviewer)s on %(date)s. %(author)s has to answer.",
                    question=row.reason,
                    reviewer=row.user_id.name,
                    date=format_datetime(self.env, row.date, dt_format="short"),
                    author=row.author_id.name,
                )
                for row in rows
            )
            for document, rows in self._get_open_questions().grouped(self._review_link).items()
        }

    def _answer(self, text):
        """Answer the open questions on this document.

        :raises UserError: nothing was asked, or the answer is empty
        """
        self.check_access("write")
        if not (text or "").strip():
            raise UserError(self.env._("Write your answer."))
        for document in self:
            questions = document._get_open_questions()
            if not questions:
                raise UserError(
                    self.env._("%(cost)s: nothing was asked.", cost=document.display_name)
                )
            questions.write({"answer": text, "answer_user_id": self.env.uid})
            document.sudo()._tell(  # sudo: as in _ask
                questions.user_id, self.env._("Answer: %(text)s", text=text)
            )
        self.sudo().activity_unlink(["customer_cost.mail_activity_type_question"])

    def _close_questions(self):
        """Who decides needs no answer any more; a later review does not ask again."""
        questions = self._get_open_questions()
        if questions:
            questions.write(
                {
                    "answer": self.env._("Decided without an answer."),
                    "answer_user_id": self.env.uid,
                }
            )
            # sudo: the activity is the author's
            self.sudo().activity_unlink(["customer_cost.mail_activity_type_question"])

    def _tell(self, users, text):
        """One internal note, which reaches each of the users once and no vendor of a bill."""
        self.ensure_one()
        self.message_post(body=text, partner_ids=users.partner_id.ids, subtype_xmlid="mail.mt_note")

    # ------------------------------------------------------------
    # Activities
    # ------------------------------------------------------------

    def _notify_reviewers(self):
        """One activity per document and reviewer; of a group, for the one with the fewest.

        Nothing is mailed: the daily digest is the one mail.
        """
        appointments = Appointments(self.env)
        activities = self.env["mail.activity"].sudo()  # sudo: the author may not assign them
        activity_type = self.env.ref(self._review_activity)
        counts = dict(
            activities._read_group(
                [("activity_type_id", "=", activity_type.id)], ["user_id"], ["__count"]
            )
        )
        model_id = self.env["ir.model"]._get_id(self._name)
        rows = []
        for document in self.sudo():
            users = document._get_reviewers(appointments)
            if document.cost_review_id.stage_id.reviewer_kind not in ("users",):
                users = users.sorted(lambda user: (counts.get(user, 0), -user.id))[:1]
            for user in users:
                counts[user] = counts.get(user, 0) + 1
                rows.append(
                    {
                        "activity_type_id": activity_type.id,
                        "automated": True,
                        "date_deadline": document.cost_review_due
                        or fields.Date.add(fields.Date.context_today(self), days=2),
                        "res_id": document.id,
                        "res_model_id": model_id,
                        "summary": document._get_review_summary(user.lang),
                        "user_id": user.id,
                    }
                )
        activities.with_context(mail_activity_quick_update=True).create(rows)

    def _get_review_summary(self, lang):
        document = self.with_context(lang=lang)
        return document.env._("Review %(cost)s", cost=document.display_name)

    def _get_reviewers(self, appointments=None):
        """Users who may decide on this document now and are not absent, four eyes kept."""
        self.ensure_one()
        appointments = appointments or Appointments(self.env)
        document = self.sudo()  # sudo: who reviews is no secret
        appointed = appointments.get_appointed(document.cost_review_id)
        hands = [users for users, _act in document._get_review_hands()]
        users = appointed - self.env["res.users"].union(*hands)
        users -= document._get_deciders()[document]
        return users & appointments.represent(users) or users

    def _close_review_activities(self):
        self.env["mail.activity"].sudo().search(  # sudo: of every reviewer
            [
                ("res_model", "=", self._name),
                ("res_id", "in", self.ids),
                ("activity_type_id", "=", self.env.ref(self._review_activity).id),
            ]
        ).unlink()
