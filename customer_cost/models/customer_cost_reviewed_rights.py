from odoo import models
from odoo.exceptions import UserError
from odoo.fields import Domain

from .review_appointments import OWN_APPROVAL, REVIEWERS, Appointments


class CustomerCostReviewedRights(models.AbstractModel):
    """Who may decide on a document, and why not."""

    _inherit = "customer.cost.reviewed"

    def _get_cannot_approve_reason(self):
        """Return why the current user may not approve or refuse this document, or ``False``."""
        self.ensure_one()
        return self._get_cannot_approve_reasons()[self]

    def _get_cannot_approve_reasons(self):
        """Why the current user may not decide on each document: dict of it to text or ``False``.

        The same for the button, the list, the bulk dialog and the decision itself; a batch costs
        the queries of one document.
        """
        user, appointments = self.env.user, Appointments(self.env)
        # sudo: what earlier stages said and who had a hand in it, of documents the user decides on
        documents = self.sudo()
        states = documents._get_state_reasons()
        if not user.has_group(REVIEWERS):
            role = self.env._("Only a reviewer approves or refuses a cost.")
            return {document: states[document] or role for document in self}
        deciders = documents._get_deciders()
        may_own = user.has_group(OWN_APPROVAL)
        reasons = {}
        for document, own in zip(self, documents, strict=True):
            reason = states[own]
            review = own.cost_review_id
            appointed = appointments.get_appointed(review)
            if not reason and user in deciders[own]:
                reason = self.env._(
                    "You decided on an earlier stage: another reviewer has to decide."
                )
            if not reason and not may_own:
                reason = own._get_hand_reason(appointed - deciders[own])
            if not reason and user not in appointed:
                reason = own._get_appointed_reason(appointed)
            reasons[document] = reason
        return reasons

    def _get_state_reasons(self):
        """Why nobody may decide on each document now: dict of it to text or ``False``."""
        reason = self.env._("Only a submitted cost can be approved or refused.")
        return {document: not document._is_under_review() and reason for document in self}

    def _get_hand_reason(self, others):
        """Four eyes; says so when nobody else of ``others`` could decide."""
        hands = self._get_review_hands()
        acts = [act for users, act in hands if self.env.user in users]
        if not acts:
            return False
        others -= self.env["res.users"].union(*(users for users, _act in hands))
        if others:
            return self.env._("%(act)s: another reviewer has to decide.", act=acts[0])
        return self.env._(
            "%(act)s: another reviewer has to decide, but nobody else can. Give somebody the role "
            "of a reviewer, or have a cost manager allow you to approve your own costs in the "
            "settings.",
            act=acts[0],
        )

    def _get_appointed_reason(self, appointed):
        stage = self.cost_review_id.stage_label
        if appointed:
            return self.env._(
                "Stage %(stage)s is decided by %(names)s.",
                stage=stage,
                names=", ".join(appointed.mapped("name")[:5]),
            )
        return self.env._(
            "Nobody can decide at stage %(stage)s: a cost manager has to appoint a reviewer there.",
            stage=stage,
        )

    def _get_deciders(self):
        """Who approved earlier stages of the present round: dict of document to users."""
        reviews = self.env["customer.cost.review"].search_fetch(
            [(self._review_link, "in", self.ids), ("decision", "=", "approved")],
            ["user_id", self._review_link],
        )
        found = dict.fromkeys(self, self.env["res.users"])
        documents = {document._origin: document for document in self}
        for review in reviews:
            found[documents[review[self._review_link]]] |= review.user_id
        return found

    def _check_may_decide(self, ticked=True):
        """Raise why the user may not decide on one of the documents.

        :param ticked: whether the checklist of the stage has to be ticked
        :raises UserError: naming the document and the reason
        """
        self._check_undecided()
        self.check_access("read")
        reasons = self._get_cannot_approve_reasons()
        if ticked:
            reasons = {**reasons, **self._get_checklist_reasons(reasons)}
        for document, reason in reasons.items():
            if reason:
                raise UserError(
                    self.env._("%(cost)s: %(reason)s", cost=document.display_name, reason=reason)
                )

    def _get_checklist_reasons(self, reasons):
        """Reason of each document that ``reasons`` lets pass while a point is not ticked."""
        found = {}
        # sudo: the checklist of the stage that awaits the user
        for document in self.sudo():
            left = document.cost_review_id.check_ids.filtered(lambda check: not check.done_by_id)
            if left and not reasons.get(document):
                found[document.with_env(self.env)] = self.env._(
                    "Tick the checklist first: %(points)s", points=", ".join(left.mapped("name"))
                )
        return found

    def _check_undecided(self, seen=None):
        """Say who was quicker: what is decided is no longer read by every reviewer.

        :param seen: id of the row that the client showed; whoever decides on that stage does not
            decide on the next
        :raises UserError: naming who decided
        """
        if not self.env.user.has_group(REVIEWERS):
            return
        unreadable = self - self._filtered_access("read")
        # sudo: the number of a document of the reviewer's companies and who decided it, no more
        for document in self.sudo():
            moved_on = seen and document.cost_review_id.id != seen
            if not (moved_on or document in unreadable.sudo()):
                continue
            last = document._get_last_decision(seen if moved_on else None)
            if moved_on and not last:
                raise UserError(
                    self.env._(
                        "%(cost)s was changed or taken back after you opened it: look at it again.",
                        cost=document.display_name,
                    )
                )
            if last and document.company_id in self.env.companies:
                raise UserError(
                    self.env._(
                        "%(cost)s does not await review any more: %(user)s has decided it.",
                        cost=document.display_name,
                        user=last.user_id.name,
                    )
                    if not document.cost_review_id
                    else self.env._(
                        "%(cost)s has moved on: %(user)s decided on stage %(stage)s meanwhile.",
                        cost=document.display_name,
                        user=last.user_id.name,
                        stage=last.stage_label,
                    )
                )

    def _get_last_decision(self, review_id=None):
        domain = Domain(self._review_link, "=", self.id) & Domain("user_id", "!=", False)
        if review_id:
            domain &= Domain("id", "=", review_id)
        domain &= Domain("decision", "in", ("approved", "refused"))
        return self.env["customer.cost.review"].search(domain, order="date desc, id desc", limit=1)
