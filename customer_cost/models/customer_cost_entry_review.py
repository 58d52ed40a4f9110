from odoo import fields, models
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tools import SQL, date_utils

from ..engine import from_minor, spread, to_minor

DECIDED_STATES = ("approved", "refused", "reversed")


class CustomerCostEntryReview(models.Model):
    """From draft to the ledger: submission, decision, reversal."""

    _inherit = "customer.cost.entry"

    def action_submit(self):
        """Hand a draft or refused cost to the reviewers.

        :raises UserError: the cost is not a draft, or bad input, named
        """
        self.check_access("write")
        for entry in self:
            if entry.kind == "captured" or entry.state not in ("draft", "refused"):
                raise UserError(self.env._("%(cost)s is not a draft.", cost=entry.display_name))
            for problem in entry._get_problems():
                raise UserError(problem)
        self._refresh_amount_company()
        self._check_findings()
        self._unguarded().write({"state": "submitted", "submitter_id": self.env.uid})
        self._schedule_review()

    def action_withdraw(self):
        """Take a submitted cost back to draft, as long as nobody decided on it."""
        self.check_access("write")
        for entry in self:
            if entry.state != "submitted":
                raise UserError(self.env._("%(cost)s is not submitted.", cost=entry.display_name))
        self._unguarded().write({"state": "draft"})
        self.activity_unlink(["customer_cost.mail_activity_type_review"])

    def action_approve(self):
        """Approve submitted costs, which is final.

        A cost that is not in the books becomes a ledger line per service month, a request becomes
        a commitment.

        :raises UserError: the user may not decide, or the entry no longer passes its checks
        """
        self._check_may_decide()
        self._hold_periods()
        for entry in self:
            for problem in entry._get_problems():
                raise UserError(problem)
        self._check_reversed_once()
        self._refresh_amount_company()
        # sudo: a reviewer decides on costs whose other fields they may not write; the check above
        # is the right to do so
        entries = self.sudo()._unguarded()
        entries.write({"state": "approved"})
        entries._log_decision("approved", False)
        entries._append_to_ledger()
        originals = entries.reversal_of_id
        originals.write({"state": "reversed"})
        entries._close_review_activity(self.env._("Approved"))

    def _refuse(self, reason):
        """Return submitted costs to their authors with ``reason``.

        :raises UserError: the user may not decide, or the reason is empty
        """
        self._check_may_decide()
        if not (reason or "").strip():
            raise UserError(self.env._("Say why the cost is refused."))
        # sudo: as in action_approve
        entries = self.sudo()._unguarded()
        entries.write({"state": "refused"})
        entries._log_decision("refused", reason)
        entries._close_review_activity(self.env._("Refused: %(reason)s", reason=reason))
        for entry in entries:
            entry.message_post(
                body=self.env._("Refused: %(reason)s", reason=reason),
                partner_ids=(entry.submitter_id | entry.create_uid).partner_id.ids,
                subtype_xmlid="mail.mt_comment",
            )

    def action_refuse(self):
        """Open the dialog that asks for the reason of a refusal."""
        self._check_may_decide()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Refuse"),
            "res_model": "customer.cost.refuse",
            "view_mode": "form",
            "target": "new",
            "context": {"default_entry_ids": [Command.set(self.ids)]},
        }

    def action_reverse(self):
        """Prepare the reversal of an approved cost: the same cost, negative, to be submitted.

        :return: action that opens the reversal
        :raises UserError: the cost is not approved or is being reversed already
        """
        self.ensure_one()
        self.check_access("read")
        if self.kind != "statistical" or self.state != "approved" or self.reversal_of_id:
            raise UserError(
                self.env._("Only an approved cost that reverses none itself can be reversed.")
            )
        # sudo: a reversal that another person prepared counts as well
        if self.sudo().reversal_ids.filtered(lambda entry: entry.state != "refused"):
            raise UserError(self.env._("%(cost)s has a reversal already.", cost=self.display_name))
        reversal = self._unguarded().create([self._prepare_reversal_vals()])
        return {
            "type": "ir.actions.act_window",
            "res_model": self._name,
            "res_id": reversal.id,
            "view_mode": "form",
        }

    def _prepare_reversal_vals(self):
        company = self.company_id
        closed = self.env["customer.cost.period"]._is_closed(company, self.date)
        locked = company._get_lock_date_violations(self.date, sale=False, purchase=False)
        today = fields.Date.context_today(self)
        return {
            "reversal_of_id": self.id,
            "company_id": company.id,
            "date": today if closed or locked else self.date,
            "service_from": self.service_from,
            "service_to": self.service_to,
            "item_id": self.item_id.id,
            "customer_id": self.customer_id.id,
            "contact_id": self.contact_id.id,
            "cost_centre_id": self.cost_centre_id.id,
            "vendor_id": self.vendor_id.id,
            "currency_id": self.currency_id.id,
            "amount": -self.amount,
            "description": self.env._("Reversal of %(cost)s", cost=self.display_name),
            "payment_method": self.payment_method,
        }

    def _refresh_amount_company(self):
        """A rate may have been entered since the cost was recorded."""
        self.env.add_to_compute(self._fields["amount_company"], self)

    def _check_may_decide(self):
        self._check_undecided()
        self.check_access("read")
        for entry in self:
            reason = entry._get_cannot_approve_reason()
            if reason:
                raise UserError(
                    self.env._("%(cost)s: %(reason)s", cost=entry.display_name, reason=reason)
                )

    def _check_undecided(self):
        """Say who was quicker: what is decided is no longer read by every reviewer."""
        if not self.env.user.has_group("customer_cost.group_customer_cost_reviewer"):
            return
        # sudo: the number of a cost of the reviewer's companies and who decided it, no more
        for entry in (self - self._filtered_access("read")).sudo():
            if entry.company_id in self.env.companies and entry.state in DECIDED_STATES:
                raise UserError(
                    self.env._(
                        "%(cost)s does not await review any more: %(user)s has decided it.",
                        cost=entry.display_name,
                        user=entry.review_ids.sorted("id")[-1:].user_id.name,
                    )
                )

    def _check_reversed_once(self):
        """Two reversals of one cost may await review, when one was refused before."""
        reversals = self.filtered("reversal_of_id")
        if len(reversals.reversal_of_id) < len(reversals):
            raise UserError(self.env._("The same cost would be reversed more than once."))

    def _hold_periods(self):
        """Keep the periods of these costs from being closed until the transaction ends."""
        for entry in self:
            self.env.cr.execute(
                SQL(
                    """SELECT id FROM customer_cost_period
                        WHERE company_id = ANY(%s)
                          AND (date_from = %s OR date_from BETWEEN %s AND %s)
                     ORDER BY id FOR SHARE""",
                    entry.company_id.sudo().parent_ids.ids,  # sudo: of companies above this one
                    date_utils.start_of(entry.date, "month"),
                    date_utils.start_of(entry.service_from or entry.date, "month"),
                    entry.service_to or entry.date,
                )
            )

    def _log_decision(self, decision, reason):
        self.env["customer.cost.review"].sudo().create(  # sudo: nobody else writes decisions
            [
                {
                    "entry_id": entry.id,
                    "decision": decision,
                    "user_id": self.env.uid,
                    "date": fields.Datetime.now(),
                    "reason": reason,
                }
                for entry in self
            ]
        )

    def _append_to_ledger(self):
        """Write the ledger lines of approved costs that have no journal item, company currency."""
        statistical = self.filtered(lambda entry: entry.kind == "statistical")
        self.env["customer.cost.line"].sudo().create(  # sudo: the ledger has no other writer
            [vals for entry in statistical for vals in entry._prepare_lines_vals()]
        )

    def _prepare_lines_vals(self):
        """Values of one ledger line per service month; a closed month takes the first open day."""
        shared = {
            "company_id": self.company_id.id,
            "origin_date": self.date,
            "item_id": self.item_id.id,
            "customer_id": self.customer_id.id,
            "cost_centre_id": self.cost_centre_id.id,
            "entry_id": self.id,
            "statistical": True,
        }
        if not self.service_from:
            return [
                {
                    **shared,
                    "date": self.date,
                    "service_date": self.date,
                    "amount": self.amount_company,
                }
            ]
        digits = self.company_currency_id.decimal_places
        months = spread(to_minor(self.amount_company, digits), self.service_from, self.service_to)
        open_days = self._get_first_open_days([day for day, _minor in months])
        return [
            {
                **shared,
                "date": open_days[day],
                "service_date": day,
                "amount": float(from_minor(minor, digits)),
            }
            for day, minor in months
            if minor
        ]

    def _get_first_open_days(self, days):
        """Days of the company by day: itself where its period is open, else the next open one."""
        return dict(
            self.env.execute_query(
                SQL(
                    "SELECT day, %s FROM unnest(%s::date[]) AS service(day)",
                    self.env["customer.cost.period"]._sql_first_open_day(
                        SQL("%s", self.company_id.id), SQL("day")
                    ),
                    days,
                )
            )
        )

    # ------------------------------------------------------------
    # Activities
    # ------------------------------------------------------------

    def _get_reviewers(self):
        """Users who may decide on this entry, without those who had a hand in it."""
        self.ensure_one()
        group = self.env.ref("customer_cost.group_customer_cost_reviewer")
        # sudo: who reviews is no secret, the group's members are
        users = group.sudo().all_user_ids.filtered(
            lambda user: user.active and not user.share and self.company_id in user.company_ids
        )
        return users - (self.create_uid | self.submitter_id | self.spender_id | self.last_editor_id)

    def _get_next_reviewer(self):
        """The reviewer with the fewest costs to decide on; of equals the one appointed last."""
        reviewers = self._get_reviewers()
        # sudo: how much waits for a colleague, not what
        counts = dict(
            self.env["mail.activity"]
            .sudo()
            ._read_group(
                [
                    ("user_id", "in", reviewers.ids),
                    (
                        "activity_type_id",
                        "=",
                        self.env.ref("customer_cost.mail_activity_type_review").id,
                    ),
                ],
                ["user_id"],
                ["__count"],
            )
        )
        return reviewers.sorted(lambda user: (counts.get(user, 0), -user.id))[:1]

    def _schedule_review(self):
        for entry in self:
            reviewer = entry._get_next_reviewer()
            if reviewer:
                entry.sudo().activity_schedule(  # sudo: the author may not assign activities
                    "customer_cost.mail_activity_type_review",
                    user_id=reviewer.id,
                    summary=self.env._("Review %(cost)s", cost=entry.display_name),
                )

    def _close_review_activity(self, feedback):
        self.activity_feedback(["customer_cost.mail_activity_type_review"], feedback=feedback)

    def action_open_source(self):
        """Open the journal entry behind a captured cost, as far as the reader's rights go."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "account.move",
            "res_id": self.source_move_id,
            "view_mode": "form",
        }
