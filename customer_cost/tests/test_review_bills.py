from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from .review_common import ReviewCommon

QUIET = ("odoo.addons.base.models.ir_model", "odoo.addons.base.models.ir_rule")


@tagged("post_install", "-at_install")
class TestReviewBills(ReviewCommon):
    """Vendor bills that name a customer pass the stages for bills before they are posted."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.billing = cls.create_user("cost_biller", "accountant")
        books = cls.env.ref("account.group_account_readonly")
        (cls.reviewer | cls.second).group_ids |= books
        cls.initial.on_bills = True

    def bill(self, amount=100.0, customer=True, **vals):
        customer_id = self.customer_a.id if customer else False
        bill = self.create_bill(
            [(self.expense_account, amount, {"cost_customer_id": customer_id})], post=False, **vals
        )
        return bill

    def submitted(self, **vals):
        bill = self.bill(**vals)
        bill.with_user(self.billing).action_submit_cost_review()
        return bill

    def test_bill_is_posted_once_its_review_is_passed(self):
        self.set_stage(self.middle, on_bills=True)
        bill = self.bill()
        self.assertIn("Initial Review, Second Review", bill.cost_review_needed)
        with self.assertRefused("names a customer and has to pass Initial Review"):
            bill.action_post()
        bill.with_user(self.billing).action_submit_cost_review()
        self.assertEqual(
            bill.activity_ids.user_id & (self.reviewer | self.second), bill.activity_ids.user_id
        )
        with self.assertRefused("It waits for stage Initial Review"):
            bill.action_post()
        bill.with_user(self.reviewer).action_approve_cost_review()
        with self.assertRefused("It waits for stage Second Review"):
            bill.action_post()
        with self.assertRefused("You decided on an earlier stage"):
            bill.with_user(self.reviewer).action_approve_cost_review()
        bill.with_user(self.second).action_approve_cost_review()
        self.assertRecordValues(bill, [{"cost_review_state": "approved", "cost_review_id": False}])
        bill.with_user(self.billing).action_post()
        self.assertEqual(bill.state, "posted")
        self.assertFalse(bill.activity_ids)

    def test_direct_state_write_is_refused_as_well(self):
        bill = self.bill()
        with self.assertRefused("has to pass Initial Review"):
            self.rpc(self.billing, "account.move", "write", bill.ids, {"state": "posted"})
        self.assertEqual(bill.state, "draft")

    def test_bill_without_customer_or_stage_is_posted_at_once(self):
        self.bill(customer=False).action_post()
        self.initial.on_bills = False
        bill = self.bill()
        self.assertFalse(bill.cost_review_needed)
        bill.action_post()
        with self.assertRefused("needs no submission now"):
            bill.with_user(self.billing).action_submit_cost_review()

    def test_amount_band_and_items_look_at_the_lines_that_name_a_customer(self):
        self.initial.write({"amount_from": 50.0, "item_ids": [Command.set(self.other_item.ids)]})
        lines = [
            (self.other_account, 49.0, {"cost_customer_id": self.customer_a.id}),
            (self.other_account, 500.0, {}),
        ]
        self.create_bill(lines)
        self.bill().action_post()
        bill = self.create_bill(
            [(self.other_account, 50.0, {"cost_customer_id": self.customer_a.id})], post=False
        )
        with self.assertRefused("has to pass Initial Review"):
            bill.action_post()

    def test_bill_in_another_currency_is_compared_at_its_company_amount(self):
        euro = self.setup_other_currency("EUR", rates=[("2025-03-01", 2.0)])
        self.initial.amount_from = 60.0
        self.bill(amount=119.0, currency_id=euro.id).action_post()
        self.assertTrue(self.bill(amount=120.0, currency_id=euro.id).cost_review_needed)

    def test_changed_bill_has_to_be_submitted_again(self):
        for approved in (False, True):
            bill = self.submitted()
            if approved:
                bill.with_user(self.reviewer).action_approve_cost_review()
            bill.invoice_line_ids.price_unit = 130.0
            with self.subTest(approved=approved):
                with self.assertRefused("submit it again"):
                    bill.action_post()
                if not approved:
                    with self.assertRefused("has to be submitted again"):
                        bill.with_user(self.reviewer).action_approve_cost_review()
                bill.with_user(self.billing).action_submit_cost_review()
                self.assertEqual(self.waiting(bill), ["Initial Review"])
                bill.with_user(self.second).action_approve_cost_review()
                bill.action_post()
                self.assertEqual(bill.state, "posted")

    def test_four_eyes_on_bills(self):
        both = self.create_user("cost_bill_both", "accountant", "reviewer")
        bill = self.bill()
        bill.with_user(both).action_submit_cost_review()
        with self.assertRefused("You submitted this bill yourself"):
            bill.with_user(both).action_approve_cost_review()
        other = self.bill()
        line = other.invoice_line_ids
        self.rpc(both, "account.move.line", "write", line.ids, {"price_unit": 140.0})
        self.env(user=both).flush_all()
        self.env.invalidate_all()
        other.with_user(self.billing).action_submit_cost_review()
        with self.assertRefused("You wrote its lines yourself"):
            other.with_user(both).action_approve_cost_review()

    def test_reviewers_of_bills_may_read_the_books(self):
        bill = self.submitted()
        with self.assertRaises(AccessError), mute_logger("odoo.addons.base.models.ir_model"):
            bill.with_user(self.third).action_approve_cost_review()
        counts = self.env["customer.cost.review"]
        self.assertEqual(counts.with_user(self.second).get_waiting_counts()["bills"], 1)
        self.assertEqual(counts.with_user(self.third).get_waiting_counts()["bills"], 0)
        queue = self.env["account.move"].with_user(self.second)
        self.assertEqual(queue.search([("cost_awaits_me", "=", True)]), bill)

    def test_refused_bill_stays_a_draft_and_says_why(self):
        bill = self.submitted()
        action = bill.with_user(self.reviewer).action_refuse_cost_review()
        dialog = self.env["customer.cost.refuse"].with_user(self.reviewer)
        dialog.with_context(**action["context"]).create({"reason": "Wrong vendor"}).action_confirm()
        self.assertEqual((bill.state, bill.cost_review_state), ("draft", "refused"))
        with self.assertRefused("review was refused"):
            bill.action_post()
        told = bill.message_ids.filtered(lambda m: "Wrong vendor" in m.body)
        self.assertIn(self.billing.partner_id, told.partner_ids)
        bill.with_user(self.billing).action_submit_cost_review()
        bill.with_user(self.reviewer).action_approve_cost_review()
        bill.action_post()

    def test_question_on_a_bill(self):
        bill = self.submitted()
        action = bill.with_user(self.reviewer).action_ask_cost_review()
        dialog = self.env["customer.cost.question"].with_user(self.reviewer)
        dialog.with_context(**action["context"]).create({"text": "Why?"}).action_confirm()
        self.assertIn("“Why?” asked by", bill.with_user(self.billing).cost_open_question)
        bill.with_user(self.billing)._answer("Fair")
        bill.invalidate_recordset()
        self.assertFalse(bill.cost_open_question)

    def test_vendor_in_the_portal_reads_nothing_of_the_review(self):
        portal = self.env["res.users"].create(
            {
                "name": "Vendor",
                "login": "cost_portal_vendor",
                "partner_id": self.vendor.id,
                "group_ids": [Command.set(self.env.ref("base.group_portal").ids)],
            }
        )
        bill = self.submitted()
        bill.message_subscribe(self.vendor.ids)
        bill.with_user(self.reviewer)._ask("Is the price right?")
        bill.with_user(self.billing)._answer("Fair")
        bill.with_user(self.reviewer)._refuse("Too dear")
        bill.with_user(self.billing).action_submit_cost_review()
        bill.with_user(self.reviewer)._ask("Still as dear?")
        bill.with_user(self.reviewer).action_approve_cost_review()
        bill.action_post()
        self.env.flush_all()
        self.assertTrue(bill.with_user(portal).has_access("read"))
        texts = " ".join(
            self.env["mail.message"]
            .with_user(portal)
            .search([("model", "=", "account.move"), ("res_id", "=", bill.id)])
            .mapped("body")
        )
        for secret in ("Is the price right?", "Fair", "Too dear", "Still as dear?"):
            self.assertNotIn(secret, texts)
        moves = self.env["account.move"]
        names = [name for name in moves._fields if name.startswith("cost_")]
        self.assertLessEqual(
            {"cost_open_question", "cost_review_state", "cost_review_due"}, set(names)
        )
        for name in names:
            with self.subTest(name), self.assertRaises(AccessError), mute_logger(*QUIET):
                self.rpc(portal, "account.move", "read", bill.ids, [name])

    def test_rate_changed_after_approval_needs_another_review(self):
        euro = self.setup_other_currency("EUR", rates=[("2025-03-01", 0.5)])
        bill = self.submitted(currency_id=euro.id)
        bill.with_user(self.reviewer).action_approve_cost_review()
        self.assertEqual(bill.invoice_line_ids.balance, 200.0)
        bill.invoice_currency_rate = 0.01
        self.assertEqual(bill.invoice_line_ids.balance, 10000.0)
        with self.assertRefused("submit it again"):
            bill.action_post()
        self.assertEqual(bill.state, "draft")

    def test_customer_named_after_posting_is_checked_as_at_posting(self):
        bill = self.bill(customer=False)
        bill.action_post()
        line = bill.invoice_line_ids
        with (
            self.assertRefused("has to pass Initial Review.*Reset it to draft first"),
            self.cr.savepoint(),
        ):
            self.rpc(
                self.billing,
                "account.move.line",
                "write",
                line.ids,
                {"cost_customer_id": self.customer_a.id},
            )
        self.assertFalse(line.cost_customer_id)
        reviewed = self.submitted()
        reviewed.with_user(self.reviewer).action_approve_cost_review()
        reviewed.action_post()
        line = reviewed.invoice_line_ids
        line.cost_customer_id = self.customer_a
        clerk = self.create_user("cost_clerk", "internal")
        clerk.group_ids |= self.env.ref("account.group_account_invoice")
        for vals in (
            {"cost_customer_id": self.customer_b.id},
            {"cost_item_id": self.other_item.id},
            {"account_id": self.other_account.id},
        ):
            with self.assertRefused("Only a cost accountant changes"), self.cr.savepoint():
                self.rpc(clerk, "account.move.line", "write", line.ids, vals)
        self.initial.item_ids = self.other_item
        plain = self.bill(customer=False)
        plain.action_post()
        plain.invoice_line_ids.cost_customer_id = self.customer_a
        with self.assertRefused("has to pass Initial Review"), self.cr.savepoint():
            plain.invoice_line_ids.cost_item_id = self.other_item
        other = self.create_bill([(self.other_account, 10.0, {})])
        with self.assertRefused("has to pass Initial Review"), self.cr.savepoint():
            other.invoice_line_ids.cost_customer_id = self.customer_a

    def test_bill_with_decisions_is_not_deleted(self):
        bill = self.submitted()
        bill.with_user(self.reviewer)._refuse("Wrong vendor")
        with self.assertRefused("cost_reviewer.* decided on it at stage Initial Review. Cancel"):
            bill.unlink()
        bill.button_cancel()
        self.assertEqual(bill.state, "cancel")
        self.submitted(ref="undecided").unlink()

    def test_many_bills_cost_the_queries_of_one(self):
        bills = self.env["account.move"].browse(
            [self.bill(ref=f"many {number}").id for number in range(10)]
        )
        bills[0]._get_unreviewed_reasons()
        for batch in (bills[:1], bills):
            self.env.flush_all()
            self.env.invalidate_all()
            with self.subTest(len(batch)), self.assertQueryCount(12):
                self.assertEqual(len(batch._get_unreviewed_reasons()), len(batch))

    def test_checklist_of_a_bill_is_on_its_form(self):
        self.initial.check_ids = [Command.create({"name": "Contract"})]
        bill = self.submitted()
        own = bill.with_user(self.reviewer)
        arch = own.get_view(view_type="form")["arch"]
        self.assertIn("cost_review_check_ids", arch)
        with self.assertRefused("Tick the checklist first: Contract"):
            own.action_approve_cost_review()
        [check] = self.rpc(
            self.reviewer,
            "account.move",
            "web_read",
            bill.ids,
            {"cost_review_check_ids": {"fields": {"name": {}, "done_by_id": {}}}},
        )[0]["cost_review_check_ids"]
        self.assertEqual((check["name"], check["done_by_id"]), ("Contract", False))
        own.cost_review_check_ids.action_tick()
        own.action_approve_cost_review()
        self.assertEqual(bill.cost_review_state, "approved")

    def test_review_of_a_bill_cannot_be_forged(self):
        bill = self.submitted()
        review = bill.cost_review_id
        forged = {"customer_cost_guard": True}
        attacks = [
            ("write", [bill.ids, {"cost_review_state": "approved"}]),
            ("write", [bill.ids, {"cost_review_id": False}]),
            ("write", [bill.ids, {"cost_review_due": "2020-01-01"}]),
            ("write", [bill.ids, {"cost_review_fingerprint": "x"}]),
            ("write", [bill.ids, {"cost_review_ids": [(1, review.id, {"decision": "approved"})]}]),
            ("write", [bill.ids, {"cost_review_ids": [(2, review.id)]}]),
            ("web_save", [bill.ids, {"cost_review_state": "approved"}, {"state": {}}]),
            ("create", [{"move_type": "in_invoice", "cost_review_state": "approved"}]),
        ]
        for user in (self.billing, self.users["manager"], self.reviewer):
            for method, args in attacks:
                with self.subTest(f"{user.login} {method} {args}"):
                    with (
                        self.assertRaises(AccessError),
                        mute_logger(
                            "odoo.addons.base.models.ir_model", "odoo.addons.base.models.ir_rule"
                        ),
                    ):
                        self.rpc(user, "account.move", method, *args, context=forged)
        with self.assertRaises(AccessError):
            self.rpc(
                self.billing,
                "account.move",
                "create",
                {"move_type": "in_invoice"},
                context={**forged, "default_cost_review_state": "approved"},
            )
        copy = bill.copy()
        self.assertFalse(copy.cost_review_state or copy.cost_review_id)
        self.assertEqual(self.waiting(bill), ["Initial Review"])

    def test_posting_asks_nothing_while_no_stage_is_for_bills(self):
        self.initial.on_bills = False
        bill = self.bill()
        self.env["customer.cost.review.stage"]._get_bill_companies()
        before = self.cr.sql_log_count
        bill._check_cost_review_passed()
        self.assertEqual(self.cr.sql_log_count, before)
