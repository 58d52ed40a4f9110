from freezegun import freeze_time

from odoo.exceptions import AccessError
from odoo.tests import tagged

from .common import CustomerCostCommon

REVIEW = "customer_cost.mail_activity_type_review"


@tagged("post_install", "-at_install")
class TestEntryWorkflow(CustomerCostCommon):
    """A manual cost goes from draft over review to the ledger, and back by its reversal."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.author = cls.users["accountant"]
        cls.reviewer = cls.users["reviewer"]
        cls.both = cls.create_user("cost_author_and_reviewer", "accountant", "reviewer")
        cls.second_reviewer = cls.create_user("cost_second_reviewer", "reviewer")

    def lines(self, *entries):
        ids = [entry.id for entry in entries]
        return self.env["customer.cost.line"].search([("entry_id", "in", ids)])

    def assertCannotDecide(self, entry, user, message):
        with self.assertRefused(message):
            entry.with_user(user).action_approve()
        with self.assertRefused(message):
            entry.with_user(user)._refuse("No receipt")

    # ------------------------------------------------------------
    # Draft, submitted, approved
    # ------------------------------------------------------------

    def test_draft_is_numbered_and_in_no_ledger(self):
        entry = self.create_cost()
        self.assertEqual(entry.state, "draft")
        self.assertEqual(entry.kind, "statistical")
        self.assertTrue(entry.name)
        self.assertEqual(entry.last_editor_id, self.author)
        self.assertFalse(self.lines(entry))

    def test_submitted_cost_waits_outside_the_ledger(self):
        entry = self.create_cost()
        entry.action_submit()
        self.assertEqual(entry.state, "submitted")
        self.assertEqual(entry.submitter_id, self.author)
        self.assertFalse(self.lines(entry))

    def test_approval_writes_one_ledger_line_and_one_decision(self):
        entry = self.create_cost(post=True, cost_centre_id=False)
        self.assertEqual(entry.state, "approved")
        self.assertRecordValues(
            self.lines(entry),
            [
                {
                    "amount": 100.0,
                    "customer_id": self.customer_a.id,
                    "item_id": self.item.id,
                    "company_id": self.company.id,
                    "statistical": True,
                }
            ],
        )
        self.assertRecordValues(
            entry.review_ids, [{"decision": "approved", "user_id": self.reviewer.id}]
        )

    def test_approval_twice_is_refused(self):
        entry = self.create_cost(post=True)
        self.assertCannotDecide(entry, self.reviewer, "Only a submitted cost can be approved")

    def test_draft_cannot_be_approved(self):
        entry = self.create_cost()
        with self.assertNothingChanged(), self.assertRaises(AccessError):
            entry.with_user(self.reviewer).action_approve()
        self.assertCannotDecide(entry, self.both, "Only a submitted cost can be approved")

    def test_submitting_twice_is_refused(self):
        entry = self.create_cost()
        entry.action_submit()
        with self.assertRefused("is not a draft"):
            entry.action_submit()

    # ------------------------------------------------------------
    # Four eyes
    # ------------------------------------------------------------

    def test_author_cannot_decide(self):
        entry = self.create_cost(user=self.both, spender_id=False)
        entry.with_user(self.author).description = "Edited by another person"
        entry.with_user(self.author).action_submit()
        self.assertCannotDecide(entry, self.both, "You recorded this cost yourself")

    def test_submitter_cannot_decide(self):
        entry = self.create_cost()
        entry.with_user(self.both).action_submit()
        self.assertCannotDecide(entry, self.both, "You submitted this cost yourself")

    def test_spender_cannot_decide(self):
        entry = self.create_cost(spender_id=self.reviewer.id)
        entry.action_submit()
        self.assertCannotDecide(entry, self.reviewer, "You spent this cost yourself")

    def test_last_editor_cannot_decide(self):
        entry = self.create_cost()
        entry.with_user(self.both).amount = 120.0
        entry.with_user(self.author).action_submit()
        self.assertCannotDecide(entry, self.both, "You last changed this cost yourself")

    def test_without_the_role_nobody_decides(self):
        entry = self.create_cost()
        entry.action_submit()
        for role in ("accountant", "manager", "cost_user", "rep", "auditor"):
            with self.subTest(role):
                self.assertCannotDecide(entry, self.users[role], "(Only a reviewer|yourself)")
        with self.assertRaises(AccessError):
            entry.with_user(self.users["internal"]).action_approve()

    def test_one_own_cost_stops_the_whole_batch(self):
        entries = self.create_cost() | self.create_cost(spender_id=self.reviewer.id)
        entries.action_submit()
        self.assertCannotDecide(entries, self.reviewer, "You spent this cost yourself")

    # ------------------------------------------------------------
    # Refuse, mend, withdraw
    # ------------------------------------------------------------

    def test_refusal_tells_the_author_why(self):
        entry = self.create_cost()
        entry.action_submit()
        wizard = (
            self.env["customer.cost.refuse"]
            .with_user(self.reviewer)
            .with_context(**entry.with_user(self.reviewer).action_refuse()["context"])
            .create({"reason": "The receipt is missing"})
        )
        wizard.action_confirm()
        self.assertEqual(entry.state, "refused")
        self.assertRecordValues(
            entry.review_ids,
            [
                {
                    "decision": "refused",
                    "user_id": self.reviewer.id,
                    "reason": "The receipt is missing",
                }
            ],
        )
        message = entry.message_ids.filtered(lambda m: "The receipt is missing" in m.body)[:1]
        self.assertIn(self.author.partner_id, message.notified_partner_ids)
        self.assertEqual(message.author_id, self.reviewer.partner_id)
        self.assertFalse(self.lines(entry))

    def test_refusal_needs_a_reason(self):
        entry = self.create_cost()
        entry.action_submit()
        for reason in (False, "", "   "):
            with self.assertRefused("Say why"):
                entry.with_user(self.reviewer)._refuse(reason)

    def test_refused_cost_is_mended_and_approved(self):
        entry = self.create_cost()
        entry.action_submit()
        entry.with_user(self.reviewer)._refuse("Wrong amount")
        entry.amount = 90.0
        entry.action_submit()
        entry.with_user(self.reviewer).action_approve()
        self.assertEqual(entry.state, "approved")
        self.assertEqual(self.lines(entry).mapped("amount"), [90.0])
        self.assertEqual(sorted(entry.review_ids.mapped("decision")), ["approved", "refused"])

    def test_reviewer_is_told_who_was_quicker(self):
        for decision in ("action_approve", "action_refuse"):
            entry = self.create_cost()
            entry.action_submit()
            entry.with_user(self.second_reviewer).action_approve()
            with (
                self.subTest(decision),
                self.assertRefused(
                    f"{entry.name} does not await review any more: cost_second_reviewer"
                ),
            ):
                getattr(entry.with_user(self.reviewer), decision)()
            self.assertEqual(len(entry.review_ids), 1)

    def test_withdrawn_cost_is_a_draft_again(self):
        entry = self.create_cost()
        entry.action_submit()
        entry.action_withdraw()
        self.assertEqual(entry.state, "draft")
        self.assertFalse(entry.activity_ids)
        entry.amount = 80.0
        self.assertEqual(entry.amount, 80.0)

    def test_only_a_submitted_cost_is_withdrawn(self):
        draft, approved = self.create_cost(), self.create_cost(post=True)
        for entry in (draft, approved):
            with self.assertRefused("is not submitted"):
                entry.action_withdraw()

    def test_rep_records_submits_and_withdraws(self):
        entry = self.create_cost(user=self.rep)
        entry.action_submit()
        self.assertEqual(entry.state, "submitted")
        entry.action_withdraw()
        entry.action_submit()
        entry.with_user(self.reviewer).action_approve()
        self.assertEqual(entry.state, "approved")

    def test_submitted_cost_is_not_deleted(self):
        entry = self.create_cost()
        entry.action_submit()
        with self.assertRefused("cannot be deleted"):
            entry.unlink()

    # ------------------------------------------------------------
    # Reviewers are told
    # ------------------------------------------------------------

    def test_review_is_scheduled_for_somebody_who_may_decide(self):
        entry = self.create_cost(user=self.both, spender_id=self.reviewer.id)
        entry.action_submit()
        activity = entry.activity_ids
        self.assertEqual(activity.activity_type_id, self.env.ref(REVIEW))
        self.assertTrue(activity.user_id.has_group("customer_cost.group_customer_cost_reviewer"))
        self.assertNotIn(activity.user_id, self.both | self.reviewer)
        self.assertIn(self.company, activity.user_id.company_ids)

    def test_decision_closes_the_activity(self):
        for decide in ("approve", "refuse"):
            with self.subTest(decide):
                entry = self.create_cost()
                entry.action_submit()
                self.assertEqual(len(entry.activity_ids), 1)
                if decide == "approve":
                    entry.with_user(self.reviewer).action_approve()
                else:
                    entry.with_user(self.reviewer)._refuse("No")
                self.assertFalse(entry.activity_ids)

    # ------------------------------------------------------------
    # Receipts
    # ------------------------------------------------------------

    def test_author_attaches_a_receipt(self):
        entry = self.create_cost(user=self.rep)
        receipt = (
            self.env["ir.attachment"]
            .with_user(self.rep)
            .create(
                {
                    "name": "receipt.pdf",
                    "raw": b"%PDF-1.4",
                    "res_model": entry._name,
                    "res_id": entry.id,
                }
            )
        )
        entry.message_post(body="Receipt", attachment_ids=receipt.ids)
        entry.action_submit()
        self.assertEqual(entry.message_attachment_count, 1)
        self.assertEqual(receipt.with_user(self.reviewer).raw, b"%PDF-1.4")

    def test_receipt_is_hidden_from_those_who_may_not_read_the_cost(self):
        entry = self.create_cost()
        receipt = self.env["ir.attachment"].create(
            {"name": "r.pdf", "raw": b"%PDF", "res_model": entry._name, "res_id": entry.id}
        )
        with self.assertRaises(AccessError):
            receipt.with_user(self.users["internal"]).read(["raw"])

    # ------------------------------------------------------------
    # Approved is final
    # ------------------------------------------------------------

    def test_approved_cost_cannot_be_written(self):
        entry = self.create_cost(post=True)
        substance = {
            "amount": 1.0,
            "company_id": self.company.id,
            "contact_id": False,
            "cost_centre_id": False,
            "currency_id": self.company.currency_id.id,
            "customer_id": self.customer_b.id,
            "date": "2025-03-11",
            "description": "Other",
            "item_id": self.other_item.id,
            "payment_method": "own",
            "spender_id": self.reviewer.id,
            "vendor_id": self.vendor.id,
        }
        for user in (self.author, self.users["manager"]):
            for name, value in substance.items():
                with self.subTest(name), self.assertRefused("corrected by its reversal"):
                    entry.with_user(user).write({name: value})

    def test_approved_cost_cannot_be_deleted(self):
        entry = self.create_cost(post=True)
        for user in (self.author, self.users["manager"]):
            with self.assertRefused("cannot be deleted"):
                entry.with_user(user).unlink()

    def test_copy_of_an_approved_cost_is_a_new_draft(self):
        entry = self.create_cost(post=True)
        with freeze_time("2025-06-02"):
            duplicate = entry.copy()
        self.assertEqual(duplicate.state, "draft")
        self.assertEqual(str(duplicate.date), "2025-06-02")
        self.assertNotEqual(duplicate.name, entry.name)
        self.assertEqual(duplicate.last_editor_id, self.author)
        self.assertFalse(duplicate.submitter_id or duplicate.review_ids or duplicate.line_ids)

    # ------------------------------------------------------------
    # Reversal
    # ------------------------------------------------------------

    def reverse(self, entry, user=None):
        action = entry.with_user(user or self.author).action_reverse()
        return self.env["customer.cost.entry"].with_user(self.author).browse(action["res_id"])

    def test_reversal_brings_the_ledger_to_zero(self):
        entry = self.create_cost(post=True)
        reversal = self.reverse(entry)
        self.assertRecordValues(
            reversal,
            [
                {
                    "amount": -100.0,
                    "amount_company": -100.0,
                    "state": "draft",
                    "reversal_of_id": entry.id,
                    "customer_id": self.customer_a.id,
                    "item_id": self.item.id,
                    "date": entry.date,
                }
            ],
        )
        self.assertEqual(entry.state, "approved", "a reversal in draft changes nothing")
        reversal.action_submit()
        reversal.with_user(self.second_reviewer).action_approve()
        self.assertEqual(entry.state, "reversed")
        self.assertEqual(reversal.state, "approved")
        self.assertEqual(sum(self.lines(entry, reversal).mapped("amount")), 0.0)
        self.assertEqual(len(self.lines(entry, reversal)), 2)

    def test_author_of_a_reversal_cannot_approve_it(self):
        entry = self.create_cost(post=True)
        reversal = self.reverse(entry, self.both)
        reversal.action_submit()
        self.assertCannotDecide(reversal, self.both, "You recorded this cost yourself")

    def test_no_second_reversal(self):
        entry = self.create_cost(post=True)
        reversal = self.reverse(entry)
        with self.assertRefused("a reversal already"):
            self.reverse(entry)
        reversal.action_submit()
        reversal.with_user(self.reviewer).action_approve()
        for done in (entry, reversal):
            with self.assertRefused("Only an approved cost that reverses none"):
                self.reverse(done)

    def test_refused_reversal_cannot_follow_another_one(self):
        entry = self.create_cost(post=True)
        refused = self.reverse(entry)
        refused.action_submit()
        refused.with_user(self.reviewer)._refuse("Not yet")
        other = self.reverse(entry)
        other.action_submit()
        refused.action_submit()
        other.with_user(self.reviewer).action_approve()
        with self.assertRefused("is reversed already"):
            refused.with_user(self.reviewer).action_approve()
        self.assertEqual(sum(self.lines(entry, refused, other).mapped("amount")), 0.0)

    def test_reversals_of_one_batch_do_not_reverse_twice(self):
        entry = self.create_cost(post=True)
        refused = self.reverse(entry)
        refused.action_submit()
        refused.with_user(self.reviewer)._refuse("Not yet")
        both = refused | self.reverse(entry)
        both.action_submit()
        with self.assertRefused("more than once"):
            both.with_user(self.reviewer).action_approve()

    def test_reversal_keeps_what_it_reverses(self):
        reversal = self.reverse(self.create_cost(post=True))
        for vals in (
            {"amount": -1.0},
            {"item_id": self.other_item.id},
            {"customer_id": self.customer_b.id},
            {"currency_id": self.env.ref("base.EUR").id},
        ):
            with self.subTest(str(vals)), self.assertRefused("is a reversal"):
                reversal.write(vals)
        reversal.write({"date": "2025-04-01", "description": "Booked twice"})
        self.assertEqual(reversal.description, "Booked twice")

    def test_reversal_takes_the_rate_of_what_it_reverses(self):
        foreign = self.setup_other_currency("EUR", rates=[("2025-03-01", 2.0), ("2025-04-01", 4.0)])
        entry = self.create_cost(post=True, currency_id=foreign.id)
        self.assertEqual(entry.amount_company, 50.0)
        reversal = self.reverse(entry)
        reversal.date = "2025-04-02"
        self.assertEqual(reversal.amount_company, -50.0)
        reversal.action_submit()
        reversal.with_user(self.reviewer).action_approve()
        self.assertEqual(sum(self.lines(entry, reversal).mapped("amount")), 0.0)

    def test_cost_of_an_archived_item_can_be_reversed(self):
        entry = self.create_cost(post=True)
        self.item.active = False
        reversal = self.reverse(entry)
        reversal.action_submit()
        reversal.with_user(self.reviewer).action_approve()
        self.assertEqual(entry.state, "reversed")

    @freeze_time("2025-06-02")
    def test_reversal_of_a_closed_month_takes_today(self):
        entry = self.create_cost(post=True)
        self.close_period(entry.date)
        self.assertEqual(str(self.reverse(entry).date), "2025-06-02")

    @freeze_time("2025-06-02")
    def test_reversal_of_a_locked_month_takes_today(self):
        entry = self.create_cost(post=True)
        self.company.sudo().fiscalyear_lock_date = "2025-03-31"
        self.assertEqual(str(self.reverse(entry).date), "2025-06-02")

    def test_reversal_needs_the_right_to_record(self):
        entry = self.create_cost(post=True)
        for role in ("reviewer", "auditor", "internal"):
            with self.subTest(role), self.assertNothingChanged():
                with self.assertRaises(AccessError):
                    entry.with_user(self.users[role]).action_reverse()
