from unittest.mock import patch

from psycopg2.errors import SerializationFailure

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from .review_common import ReviewCommon

QUIET = ("odoo.addons.base.models.ir_model", "odoo.addons.base.models.ir_rule")


@tagged("post_install", "-at_install")
class TestReviewFlow(ReviewCommon):
    """Refusal, question, change while waiting, checklist, the queue and bulk approval."""

    # ------------------------------------------------------------
    # Refused, mended, resubmitted
    # ------------------------------------------------------------

    def test_refusal_at_a_later_stage_ends_the_round_and_keeps_the_history(self):
        self.set_stage(self.middle)
        self.set_stage(self.final)
        entry = self.submit()
        entry.with_user(self.reviewer).action_approve()
        entry.with_user(self.second)._refuse("No budget")
        self.assertEqual(entry.state, "refused")
        self.assertFalse(entry.cost_review_id)
        self.assertEqual(
            [decision for _name, decision, _user in self.decisions(entry)],
            ["approved", "refused", "skipped"],
        )
        entry.amount = 50.0
        entry.action_submit()
        self.assertEqual(len(self.waiting(entry)), 3)
        self.assertEqual(
            [decision for _name, decision, _user in self.decisions(entry)],
            ["superseded", "refused", "skipped", "pending", "pending", "pending"],
        )
        entry.with_user(self.reviewer).action_approve()
        self.assertEqual(entry.cost_review_stage, "Second Review")
        with self.assertRefused("cannot be deleted"):
            entry.unlink()

    def test_withdrawn_cost_supersedes_what_was_decided(self):
        self.set_stage(self.middle)
        entry = self.submit()
        entry.with_user(self.reviewer).action_approve()
        entry.action_withdraw()
        self.assertEqual(self.decisions(entry), [("Initial Review", "superseded", self.reviewer)])
        self.assertFalse(entry.cost_review_id or entry.activity_ids)

    # ------------------------------------------------------------
    # Changed while it waits
    # ------------------------------------------------------------

    def test_changed_substance_starts_the_review_again(self):
        self.set_stage(self.middle)
        entry = self.submit()
        entry.with_user(self.reviewer).action_approve()
        entry.amount = 150.0
        self.assertEqual(entry.state, "submitted")
        self.assertEqual(self.waiting(entry), ["Initial Review", "Second Review"])
        self.assertIn(("Initial Review", "superseded", self.reviewer), self.decisions(entry))
        message = entry.message_ids.filtered(lambda m: "its review starts again" in m.body)
        self.assertEqual(message.partner_ids, self.reviewer.partner_id)
        self.assertEqual(len(entry.activity_ids), 1)
        entry.with_user(self.reviewer).action_approve()
        entry.with_user(self.second).action_approve()
        self.assertEqual(entry.line_ids.mapped("amount"), [150.0])

    def test_change_settles_the_stages_anew(self):
        self.set_stage(self.final, amount_from=1000.0)
        entry = self.submit()
        self.assertEqual(self.waiting(entry), ["Initial Review"])
        entry.amount = 1000.0
        self.assertEqual(self.waiting(entry), ["Initial Review", "Final Review"])

    def test_amount_lifted_by_a_new_rate_passes_the_stage_of_its_band(self):
        self.set_stage(self.final, amount_from=1000.0)
        euro = self.setup_other_currency("EUR", rates=[("2025-03-01", 2.0)])
        lifted = self.submit(amount=200.0, currency_id=euro.id)
        same = self.submit(amount=200.0)
        self.assertEqual(self.waiting(lifted), ["Initial Review"])
        euro.rate_ids.filtered(lambda rate: str(rate.name) == "2025-03-01").rate = 0.1
        self.env.flush_all()
        (lifted | same).with_user(self.reviewer).action_approve()
        self.assertEqual((lifted.state, same.state), ("submitted", "approved"))
        self.assertEqual(lifted.amount_company, 2000.0)
        self.assertEqual(self.waiting(lifted), ["Initial Review", "Final Review"])
        told = lifted.message_ids.filtered(lambda m: "has to pass Final Review" in m.body)
        self.assertIn("2,000.00", told.body)
        lifted.with_user(self.reviewer).action_approve()
        lifted.with_user(self.second).action_approve()
        self.assertEqual(lifted.line_ids.mapped("amount"), [2000.0])

    def test_bad_change_changes_nothing(self):
        entry = self.submit()
        for vals in ({"amount": -1.0}, {"amount": 0.0}, {"customer_id": 0, "item_id": False}):
            with self.subTest(str(vals)), self.assertRefused(".*", Exception):
                with mute_logger("odoo.sql_db"), self.cr.savepoint():
                    entry.write(vals)
                    entry.flush_recordset()
        self.assertEqual(self.waiting(entry), ["Initial Review"])

    def test_other_people_do_not_change_a_submitted_cost(self):
        entry = self.submit()
        for user in (self.rep, self.users["cost_user"], self.reviewer):
            with self.assertRaises(AccessError), mute_logger(*QUIET):
                entry.with_user(user).amount = 1.0
            entry.invalidate_recordset()

    # ------------------------------------------------------------
    # Questions
    # ------------------------------------------------------------

    def open_dialog(self, action, user):
        return self.env[action["res_model"]].with_user(user).with_context(**action["context"])

    def test_question_keeps_the_stage_and_is_answered_in_place(self):
        entry = self.submit()
        action = entry.with_user(self.reviewer).action_ask()
        self.open_dialog(action, self.reviewer).create({"text": "For whom?"}).action_confirm()
        self.assertEqual(self.waiting(entry), ["Initial Review"])
        for user in (self.author, self.reviewer, self.users["auditor"]):
            self.assertRegex(
                entry.with_user(user).open_question,
                "“For whom.” asked by cost_reviewer on .*cost_accountant has to answer",
            )
        question = self.env.ref("customer_cost.mail_activity_type_question")
        asked = entry.activity_ids.filtered(lambda one: one.activity_type_id == question)
        self.assertEqual(asked.user_id, self.author)
        action = entry.with_user(self.author).action_answer()
        dialog = self.open_dialog(action, self.author).create({"text": "Mr Li"})
        self.assertEqual(dialog.asked, "For whom?")
        dialog.action_confirm()
        entry.invalidate_recordset()
        self.assertFalse(entry.open_question)
        self.assertFalse(entry.activity_ids.filtered(lambda o: o.activity_type_id == question))
        row = entry.review_ids.filtered(lambda review: review.decision == "question")
        self.assertRecordValues(
            row,
            [{"reason": "For whom?", "answer": "Mr Li", "answer_user_id": self.author.id}],
        )
        told = entry.message_ids.filtered(lambda m: "Mr Li" in m.body)
        self.assertIn(self.reviewer.partner_id, told.partner_ids)
        entry.with_user(self.reviewer).action_approve()
        self.assertEqual(entry.state, "approved")

    def test_question_lapses_with_the_decision(self):
        entry = self.submit()
        entry.with_user(self.reviewer)._ask("For whom?")
        entry.with_user(self.reviewer)._refuse("No receipt")
        question = self.env.ref("customer_cost.mail_activity_type_question")
        self.assertNotIn(question, entry.activity_ids.activity_type_id)
        entry.with_user(self.author).action_submit()
        entry.invalidate_recordset()
        self.assertFalse(entry.open_question)
        row = entry.review_ids.filtered(lambda review: review.decision == "question")
        self.assertEqual(row.answer, "Decided without an answer.")
        self.assertEqual(row.answer_user_id, self.reviewer)

    def test_question_and_answer_need_a_text_and_somebody_to_answer(self):
        entry = self.submit()
        with self.assertRefused("Write your question"):
            entry.with_user(self.reviewer)._ask(" ")
        with self.assertRefused("nothing was asked"):
            entry._answer("Yes")
        entry.with_user(self.reviewer)._ask("Why?")
        with self.assertRefused("Write your answer"):
            entry._answer("")
        with self.assertRaises(AccessError), mute_logger(*QUIET):
            entry.with_user(self.users["cost_user"])._answer("Because")

    # ------------------------------------------------------------
    # Checklist
    # ------------------------------------------------------------

    def test_checklist_has_to_be_ticked_and_is_kept(self):
        points = [Command.create({"name": "Receipt"}), Command.create({"name": "Purpose"})]
        self.initial.check_ids = points
        entry = self.submit()
        first, second = entry.cost_review_id.check_ids
        first.with_user(self.reviewer).action_tick()
        with self.assertRefused("Tick the checklist first: Purpose"):
            entry.with_user(self.reviewer).action_approve()
        (first | second).with_user(self.reviewer).action_tick()
        with self.assertRefused("Tick the checklist first: Receipt"):
            entry.with_user(self.reviewer).action_approve()
        first.with_user(self.reviewer).action_tick()
        self.initial.check_ids.unlink()
        entry.with_user(self.reviewer).action_approve()
        self.assertEqual(entry.state, "approved")
        ticked = entry.review_ids.check_ids
        self.assertEqual(ticked.mapped("name"), ["Receipt", "Purpose"])
        self.assertEqual(ticked.done_by_id, self.reviewer)
        with self.assertRefused("Only a submitted cost"):
            first.with_user(self.reviewer).action_tick()

    def test_checklist_is_ticked_by_those_who_may_decide(self):
        self.name_persons(self.initial, self.second)
        self.initial.check_ids = [Command.create({"name": "Receipt"})]
        entry = self.submit()
        for user in (self.author, self.reviewer):
            with self.assertRaises(UserError), mute_logger(*QUIET):
                entry.cost_review_id.check_ids.with_user(user).action_tick()
        self.assertFalse(entry.cost_review_id.check_ids.done_by_id)
        entry.with_user(self.second)._refuse("Refusing needs no checklist")

    # ------------------------------------------------------------
    # The queue
    # ------------------------------------------------------------

    def test_approval_goes_on_to_the_next_by_deadline(self):
        first, later = self.submit(), self.submit()
        self.initial.deadline_days = 5
        soon = self.submit()
        own = self.submit(spender_id=self.reviewer.id)
        action = first.with_user(self.reviewer).action_approve_next()
        self.assertEqual(action["res_id"], soon.id)
        action = soon.with_user(self.reviewer).action_approve_next()
        self.assertEqual(action["res_id"], later.id, "what has no deadline comes last")
        action = later.with_user(self.reviewer).action_approve_next()
        self.assertFalse(action, "what one may not decide on is passed over")
        self.assertEqual(own.state, "submitted")

    def test_counter_of_what_awaits_me(self):
        counts = self.env["customer.cost.review"].with_user(self.second)
        before = counts.get_waiting_counts()
        self.name_persons(self.initial, self.second)
        self.submit()
        self.assertEqual(counts.get_waiting_counts()["costs"], before["costs"] + 1)
        other = self.env["customer.cost.review"].with_user(self.third).get_waiting_counts()
        self.assertEqual(other["costs"], 0)
        for role in ("rep", "internal", "auditor"):
            nothing = self.rpc(self.users[role], "customer.cost.review", "get_waiting_counts")
            self.assertEqual(nothing, {"costs": 0, "bills": 0, "late": 0})

    def test_bulk_approval_says_first_what_it_skips(self):
        good = self.submit() | self.submit(amount=50.0)
        own = self.submit(spender_id=self.reviewer.id)
        closed = self.submit(date="2025-02-10")
        self.close_period("2025-02-10")
        entries = good | own | closed
        action = entries.with_user(self.reviewer).action_approve_many()
        dialog = self.env["customer.cost.approve"].with_user(self.reviewer)
        dialog = dialog.browse(action["res_id"])
        self.assertEqual(dialog.ready_ids, good)
        self.assertIn("2 of 4", dialog.summary)
        self.assertIn("150.00", dialog.summary)
        reasons = {line.entry_id: line.reason for line in dialog.skipped_ids}
        self.assertEqual(set(reasons), {own, closed})
        self.assertIn("You spent this cost yourself", reasons[own])
        self.assertIn("is closed", reasons[closed])
        self.assertEqual(set(entries.mapped("state")), {"submitted"}, "nothing is done yet")
        dialog.action_confirm()
        self.assertEqual(set(good.mapped("state")), {"approved"})
        self.assertEqual(set((own | closed).mapped("state")), {"submitted"})
        with self.assertRefused("None of these costs"):
            dialog.action_confirm()

    def open_bulk(self, entries, user=None):
        user = user or self.reviewer
        action = entries.with_user(user).action_approve_many()
        return self.env["customer.cost.approve"].with_user(user).browse(action["res_id"])

    def test_bulk_approval_leaves_out_what_has_an_open_question(self):
        asked, other = self.submit(), self.submit(amount=70.0)
        asked.with_user(self.reviewer)._ask("For whom?")
        dialog = self.open_bulk(asked | other)
        self.assertEqual(dialog.ready_ids, other)
        self.assertEqual(dialog.skipped_ids.entry_id, asked)
        self.assertIn("“For whom?” asked by cost_reviewer", dialog.skipped_ids.reason)
        dialog.action_confirm()
        self.assertEqual((asked.state, other.state), ("submitted", "approved"))
        asked.with_user(self.author)._answer("Mr Li")
        self.assertEqual(self.open_bulk(asked).ready_ids, asked)

    def test_bulk_approval_names_duplicates_and_findings_of_what_it_approves(self):
        self.env["customer.cost.policy"].create(
            {"kind": "entry_limit", "amount": 80.0, "company_id": self.company.id}
        )
        earlier = self.create_cost(amount=60.0, date="2025-02-20", post=True)
        double = self.submit(amount=60.0)
        plain = self.submit(amount=61.0)
        dear = self.submit(amount=90.0)
        far = self.submit(amount=60.0, date="2025-04-20")
        dialog = self.open_bulk(double | plain | dear | far)
        self.assertEqual(dialog.ready_ids, double | plain | dear | far)
        self.assertEqual(
            {(line.entry_id, line.level) for line in dialog.remark_ids},
            {(double, "duplicate"), (dear, "warn")},
        )
        texts = {line.entry_id: line.text for line in dialog.remark_ids}
        self.assertRegex(texts[double], rf"Like {earlier.name}: .*60\.00 of 02/20/2025")
        self.assertRegex(texts[dear], r"At most .*80\.00 per cost: this cost is .*90\.00")
        self.assertIn("Look at 2 of them first", dialog.remarks_summary)
        dialog = self.open_bulk(plain)
        self.assertFalse(dialog.remark_ids)
        self.assertFalse(dialog.remarks_summary)

    def test_bulk_approval_finds_the_same_receipt_on_another_cost(self):
        entries = self.create_cost(amount=5.0) | self.create_cost(amount=900.0, date="2024-03-01")
        self.env["ir.attachment"].create(
            [
                {"name": "a.txt", "raw": b"same", "res_model": entry._name, "res_id": entry.id}
                for entry in entries
            ]
        )
        entries.action_submit()
        dialog = self.open_bulk(entries[0])
        self.assertRegex(dialog.remark_ids.text, f"The same receipt as {entries[1].name}")

    def test_remarks_on_many_costs_take_the_queries_of_two(self):
        entries = self.create_cost()
        for _each in range(11):
            entries |= self.create_cost()
        entries.action_submit()
        counts = []
        for batch in (entries[:2], entries):
            batch.invalidate_recordset()
            before = self.env.cr.sql_log_count
            self.assertEqual(len(batch.with_user(self.reviewer)._get_remarks()), len(batch))
            counts.append(self.env.cr.sql_log_count - before)
        self.assertLessEqual(counts[1], counts[0])

    def test_a_stage_reads_in_the_language_of_the_reader_until_it_is_renamed(self):
        self.env["res.lang"]._activate_lang("zh_CN")
        self.initial.with_context(lang="zh_CN").name = "初审"
        self.reviewer.lang = "zh_CN"
        self.name_persons(self.initial, self.reviewer)
        entry = self.submit()
        self.assertEqual(entry.with_context(lang="zh_CN").cost_review_stage, "初审")
        self.assertEqual(entry.cost_review_stage, "Initial Review")
        self.assertEqual(entry.activity_ids.summary, f"审核 {entry.name}")
        self.initial.name = "Desk check"
        entry.invalidate_recordset()
        self.assertEqual(
            entry.cost_review_id.with_context(lang="en_US").stage_label, "Initial Review"
        )

    def test_only_who_may_submit_a_draft_is_offered_to(self):
        draft = self.create_cost(user=self.rep)
        colleague = self.create_user("cost_rep_2", "rep")
        for user, offered in (
            (self.rep, True),
            (self.author, True),
            (self.users["cost_user"], False),
            (self.users["auditor"], False),
        ):
            self.assertEqual(draft.with_user(user).can_edit, offered, user.name)
        self.customer_a.user_id = colleague
        self.env.invalidate_all()
        self.assertFalse(draft.with_user(colleague).can_edit)
        self.assertFalse(draft.with_user(self.rep).can_edit)
        new = (
            self.env["customer.cost.entry"]
            .with_user(self.rep)
            .new({"customer_id": self.customer_a.id})
        )
        self.assertTrue(new.can_edit)

    def test_bulk_approval_decides_on_what_the_dialog_showed_only(self):
        self.set_stage(self.middle)
        changed, moved, same = (self.submit(amount=10.0) for _each in range(3))
        entries = changed | moved | same
        action = entries.with_user(self.reviewer).action_approve_many()
        dialog = self.env["customer.cost.approve"].browse(action["res_id"])
        dialog = dialog.with_user(self.reviewer)
        changed.amount = 99999.0
        with self.assertRefused("was changed or taken back after you opened it"):
            dialog.action_confirm()
        action = entries.with_user(self.third).action_approve_many()
        dialog = self.env["customer.cost.approve"].browse(action["res_id"])
        moved.with_user(self.second).action_approve()
        with self.assertRefused("has moved on: cost_reviewer_2.* decided on stage Initial Review"):
            dialog.with_user(self.third).action_confirm()
        self.assertEqual(changed.cost_review_stage, "Initial Review")
        self.assertEqual(moved.cost_review_stage, "Second Review")
        dialog = dialog.browse(same.with_user(self.third).action_approve_many()["res_id"])
        dialog.with_user(self.third).action_confirm()
        self.assertEqual(same.cost_review_stage, "Second Review")

    def test_dialog_that_was_open_does_not_decide_on_the_next_stage(self):
        self.set_stage(self.middle)
        entry = self.submit()
        seen = entry.cost_review_id.id
        entry.with_user(self.reviewer).action_approve()
        with self.assertRefused("has moved on: cost_reviewer decided on stage Initial Review"):
            entry.with_user(self.second).with_context(cost_review_seen=seen).action_approve_next()
        self.assertEqual(entry.cost_review_stage, "Second Review")

    def test_reasons_cost_the_same_queries_for_many(self):
        entries = self.env["customer.cost.entry"].browse([self.submit().id for _count in range(12)])
        counts = []
        for batch in (entries[:1], entries[:2], entries):
            self.env.flush_all()
            self.env.invalidate_all()
            batch = batch.with_user(self.reviewer)
            before = self.cr.sql_log_count
            batch._get_cannot_approve_reasons()
            counts.append(self.cr.sql_log_count - before)
        self.assertEqual(counts[1], counts[2])

    # ------------------------------------------------------------
    # Many at once
    # ------------------------------------------------------------

    def test_many_are_submitted_in_the_background_and_bad_ones_say_why(self):
        self.patch(self.env.registry["customer.cost.entry"], "_submit_at_once", 3)
        entries = self.env["customer.cost.entry"].with_user(self.author)
        for number in range(7):
            entries |= self.create_cost(amount=10.0 + number)
        bad = entries[4]
        self.env.flush_all()
        self.cr.execute("UPDATE customer_cost_entry SET amount = 0 WHERE id = %s", [bad.id])
        self.env.invalidate_all()
        action = entries.action_submit()
        self.assertIn("7 costs are being submitted", action["params"]["message"])
        self.assertEqual(set(entries.mapped("state")), {"draft"})
        with self.enter_registry_test_mode():
            self.env.ref("customer_cost.ir_cron_submit").method_direct_trigger()
        self.env.invalidate_all()
        good = entries - bad
        self.assertEqual(set(good.mapped("state")), {"submitted"})
        self.assertEqual(good.submitter_id, self.author)
        self.assertEqual(bad.state, "draft")
        self.assertFalse(entries.submission_user_id)
        told = bad.message_ids.filtered(lambda m: "Not submitted" in m.body)
        self.assertIn("amount is zero", told.body)
        self.assertIn(self.author.partner_id, told.partner_ids)

    def test_submission_that_meets_another_transaction_is_tried_again(self):
        self.patch(self.env.registry["customer.cost.entry"], "_submit_at_once", 1)
        entries = self.env["customer.cost.entry"].with_user(self.author)
        entries |= self.create_cost(amount=10.0) | self.create_cost(amount=20.0)
        entries.action_submit()
        self.env.flush_all()
        jobs = self.env["customer.cost.entry"]
        with (
            patch.object(type(jobs), "_submit", side_effect=SerializationFailure),
            patch.object(self.env.cr, "rollback") as rollback,
            patch.object(type(self.env["ir.cron"]), "_commit_progress", return_value=60),
        ):
            jobs._cron_submit()
        rollback.assert_called_once()
        self.assertEqual(set(entries.mapped("state")), {"draft"})
        self.assertEqual(entries.submission_user_id, self.author)
        with self.enter_registry_test_mode():
            self.env.ref("customer_cost.ir_cron_submit").method_direct_trigger()
        self.env.invalidate_all()
        self.assertEqual(set(entries.mapped("state")), {"submitted"})

    # ------------------------------------------------------------
    # Beside the cost
    # ------------------------------------------------------------

    def test_reviewer_sees_figures_and_duplicates_of_what_awaits_them_only(self):
        self.create_sale(self.customer_a, quantity=10)
        self.refresh_figures()
        earlier = self.create_cost(date="2025-03-20", post=True)
        entry = self.submit()
        for one, name in ((entry, "new.pdf"), (self.create_cost(amount=7.0), "old.pdf")):
            self.env["ir.attachment"].create(
                {"name": name, "raw": b"%PDF-1", "res_model": one._name, "res_id": one.id}
            )
        shown = str(entry.with_user(self.reviewer).review_context)
        self.assertIn(earlier.name, shown)
        self.assertIn("same receipt", shown)
        self.assertIn("Direct margin", shown)
        self.assertIn("Is it complete", shown)
        entry.with_user(self.reviewer).action_approve()
        self.env.invalidate_all()
        self.assertFalse(entry.with_user(self.reviewer).review_context)
        with self.assertRaises(AccessError):
            entry.with_user(self.rep).read(["review_context"])

    def test_figures_of_the_customer_are_those_of_the_last_twelve_months(self):
        today = self.env["customer.cost.entry"].default_get(["date"])["date"]
        self.create_sale(self.customer_b, quantity=10, day=today)
        self.create_cost(customer_id=self.customer_b.id, date=today, post=True)
        entry = self.submit(customer_id=self.customer_b.id, date=today)
        figures = entry.sudo()._read_customer_figures()
        self.assertEqual(
            figures, {"net_sales": 1000.0, "direct_margin": 500.0, "cost_to_serve": 100.0}
        )
        months = entry.sudo()._get_item_months()
        self.assertEqual(len(months), 12)
        self.assertEqual(months[-1][1], 100.0)
        texts = dict(entry.sudo()._get_review_figures())
        self.assertEqual(texts["Cost against sales"], "10.0 %")
