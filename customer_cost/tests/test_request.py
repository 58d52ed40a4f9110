from freezegun import freeze_time

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import Form
from odoo.tools import mute_logger

from .common import CustomerCostCommon

ENTRY = "customer.cost.entry"


class TestRequest(CustomerCostCommon):
    """A request is approved money, until bills and journal items that name it settle it."""

    budget = None

    def request(self, post=True, **vals):
        return self.create_cost(
            **{
                "kind": "request",
                "amount": 500.0,
                "vendor_id": self.vendor.id,
                "post": post,
                **vals,
            }
        )

    def settle(self, request, amount, **vals):
        extra = {"cost_request_id": request.id}
        return self.create_bill([(self.expense_account, amount, extra)], **vals)

    def committed(self):
        self.env.flush_all()
        rows = self.env["customer.cost.commitment"]._read_group(
            [("company_id", "=", self.company.id)], [], ["amount:sum"]
        )
        return round(rows[0][0], 2)

    def spent(self):
        self.env.flush_all()
        return round(sum(self.ledger().values()), 2)

    def create_budget(self, planned):
        """Confirmed budget of customer A for March."""
        budget = self.env["customer.cost.budget"].create(
            {
                "name": "March",
                "company_id": self.company.id,
                "customer_id": self.customer_a.id,
                "date_from": "2025-03-01",
                "date_to": "2025-03-31",
                "line_ids": [Command.create({"month": "2025-03-01", "planned": planned})],
            }
        )
        budget.action_confirm()
        return budget

    def assertChain(self, request, **expected):
        """What request, commitments, budget and ledger hold, each amount once."""
        request.invalidate_recordset()
        found = {
            "committed": self.committed(),
            "spent": self.spent(),
            "drafted": request.drafted_amount,
            "settled": request.settled_amount,
            "open": request.open_amount,
            "state": request.settlement_state,
        }
        self.assertEqual(found, expected)
        if self.budget:
            [row] = self.env["customer.cost.budget.report"]._read_group(
                [("budget_id", "=", self.budget.id)],
                [],
                ["planned:sum", "actual:sum", "committed:sum", "available:sum"],
            )
            spent, committed = expected["spent"], expected["committed"]
            self.assertEqual(row, (1000.0, spent, committed, 1000.0 - spent - committed))
        in_state = self.env[ENTRY].search([("settlement_state", "=", expected["state"])])
        self.assertIn(request, in_state)
        others = self.env[ENTRY].search([("settlement_state", "!=", expected["state"])])
        self.assertNotIn(request, others)

    # ------------------------------------------------------------
    # The chain
    # ------------------------------------------------------------

    def test_chain_from_request_to_credit_note_counts_once(self):
        self.budget = self.create_budget(1000.0)
        request = self.request(post=False).with_user(self.env.user)
        self.assertChain(
            request, committed=0.0, spent=0.0, drafted=0.0, settled=0.0, open=0.0, state="none"
        )
        request.with_user(self.users["accountant"]).action_submit()
        self.assertChain(
            request, committed=500.0, spent=0.0, drafted=0.0, settled=0.0, open=0.0, state="none"
        )
        request.with_user(self.users["reviewer"]).action_approve()
        self.assertChain(
            request, committed=500.0, spent=0.0, drafted=0.0, settled=0.0, open=500.0, state="open"
        )
        action = request.with_user(self.users["accountant"]).action_create_bill()
        bill = self.env["account.move"].browse(action["res_id"])
        self.assertChain(
            request,
            committed=500.0,
            spent=0.0,
            drafted=500.0,
            settled=0.0,
            open=500.0,
            state="open",
        )
        bill.invoice_line_ids.price_unit = 300.0
        bill.invoice_date = "2025-03-12"
        bill.with_user(self.users["accountant"]).action_post()
        self.assertChain(
            request,
            committed=200.0,
            spent=300.0,
            drafted=0.0,
            settled=300.0,
            open=200.0,
            state="partly",
        )
        self.settle(request, 100.0, move_type="in_refund")
        self.assertChain(
            request,
            committed=300.0,
            spent=200.0,
            drafted=0.0,
            settled=200.0,
            open=300.0,
            state="partly",
        )
        self.settle(request, 300.0)
        self.assertChain(
            request,
            committed=0.0,
            spent=500.0,
            drafted=0.0,
            settled=500.0,
            open=0.0,
            state="settled",
        )

    def test_an_approved_request_is_neither_changed_nor_reversed(self):
        request = self.request()
        with self.assertRefused("Release what is open of it"):
            request.amount = 5.0
        with self.assertRefused("no cost of its own: release what is open"):
            request.action_reverse()

    @freeze_time("2025-03-20")
    def test_a_request_lies_no_further_ahead_than_a_cost_may_lie_back(self):
        self.company.customer_cost_max_days_back = 30
        self.request(post=False, date="2025-04-19")
        with self.assertRefused("04/20/2025 is more than 30 days ahead", ValidationError):
            self.request(post=False, date="2025-04-20")

    def test_the_bill_of_a_request_has_all_that_the_request_says(self):
        request = self.request()
        bill = self.env["account.move"].browse(
            request.with_user(self.users["accountant"]).action_create_bill()["res_id"]
        )
        self.assertRecordValues(
            bill, [{"partner_id": self.vendor.id, "state": "draft", "move_type": "in_invoice"}]
        )
        self.assertRecordValues(
            bill.invoice_line_ids,
            [
                {
                    "name": "Manual cost",
                    "price_unit": 500.0,
                    "account_id": self.expense_account.id,
                    "cost_customer_id": self.customer_a.id,
                    "cost_item_id": self.item.id,
                    "cost_request_id": request.id,
                }
            ],
        )
        with self.assertRefused("draft documents already ask for .*500.00"):
            request.with_user(self.users["accountant"]).action_create_bill()
        bill.invoice_line_ids.price_unit = 120.0
        second = request.with_user(self.users["accountant"]).action_create_bill()["res_id"]
        self.assertEqual(self.env["account.move"].browse(second).invoice_line_ids.price_unit, 380.0)

    def test_a_request_in_another_currency_is_settled_at_company_amounts(self):
        currency = self.setup_other_currency(
            "EUR", rates=[("2025-01-01", 0.5), ("2025-04-01", 0.4)]
        )
        request = self.request(currency_id=currency.id, amount=100.0)
        self.assertEqual(request.open_amount, 200.0)
        action = request.with_user(self.users["accountant"]).action_create_bill()
        bill = self.env["account.move"].browse(action["res_id"])
        self.assertRecordValues(bill, [{"currency_id": currency.id, "amount_untaxed": 100.0}])
        bill.invoice_date = "2025-03-10"
        bill.invoice_line_ids.price_unit = 40.0
        bill.action_post()
        self.assertChain(
            request,
            committed=120.0,
            spent=80.0,
            drafted=0.0,
            settled=80.0,
            open=120.0,
            state="partly",
        )
        rest = self.env["account.move"].browse(
            request.with_user(self.users["accountant"]).action_create_bill()["res_id"]
        )
        self.assertEqual(rest.invoice_line_ids.price_unit, 60.0)
        # the rate of April makes 150.00 of 60.00, which are the 60.00 of the request all the same
        rest.invoice_date = "2025-04-10"
        rest.action_post()
        self.assertChain(
            request,
            committed=0.0,
            spent=230.0,
            drafted=0.0,
            settled=200.0,
            open=0.0,
            state="settled",
        )
        self.assertFalse(rest.cost_request_warning)

    def test_a_foreign_request_billed_at_another_rate_is_settled_to_the_cent(self):
        currency = self.setup_other_currency(
            "EUR", rates=[("2025-01-01", 0.3), ("2025-04-01", 0.45)]
        )
        request = self.request(currency_id=currency.id, amount=100.0)
        self.assertEqual(request.open_amount, 333.33)
        for part in (33.33, 33.33):
            self.settle(request, part, day="2025-04-10", currency_id=currency.id)
        self.assertEqual((request.settled_amount, request.settlement_state), (222.2, "partly"))
        bill = self.settle(request, 33.35, day="2025-04-10", currency_id=currency.id, post=False)
        self.assertRegex(bill.cost_request_warning, r"0\.03 above the request")
        bill.invoice_line_ids.price_unit = 33.34
        self.assertFalse(bill.cost_request_warning)
        bill.action_post()
        self.assertEqual((request.settled_amount, request.settlement_state), (333.33, "settled"))
        self.assertEqual(self.committed(), 0.0)
        in_state = self.env[ENTRY].search([("settlement_state", "=", "settled")])
        self.assertIn(request, in_state)

    def test_one_request_on_two_lines_and_two_requests_on_one_bill(self):
        first, second = self.request(), self.request(amount=80.0)
        self.create_bill(
            [
                (self.expense_account, 100.0, {"cost_request_id": first.id}),
                (self.expense_account, 150.0, {"cost_request_id": first.id}),
                (self.expense_account, 80.0, {"cost_request_id": second.id}),
            ]
        )
        self.assertEqual((first.settled_amount, first.settlement_state), (250.0, "partly"))
        self.assertEqual((second.settled_amount, second.settlement_state), (80.0, "settled"))
        self.assertEqual((self.committed(), self.spent()), (250.0, 330.0))

    def test_a_cancelled_or_deleted_bill_opens_its_request_again(self):
        request = self.request()
        bill = self.settle(request, 500.0)
        self.assertEqual(request.settlement_state, "settled")
        bill.button_draft()
        self.assertChain(
            request,
            committed=500.0,
            spent=0.0,
            drafted=500.0,
            settled=0.0,
            open=500.0,
            state="open",
        )
        bill.button_cancel()
        self.assertChain(
            request, committed=500.0, spent=0.0, drafted=0.0, settled=0.0, open=500.0, state="open"
        )
        draft = self.settle(request, 200.0, post=False)
        self.assertEqual(request.drafted_amount, 200.0)
        draft.unlink()
        self.assertChain(
            request, committed=500.0, spent=0.0, drafted=0.0, settled=0.0, open=500.0, state="open"
        )

    def test_a_posted_line_moves_from_one_request_to_another(self):
        first, second = self.request(), self.request(amount=400.0)
        bill = self.settle(first, 300.0)
        bill.invoice_line_ids.with_user(self.users["accountant"]).cost_request_id = second
        self.assertEqual((first.open_amount, second.open_amount), (500.0, 100.0))
        self.assertEqual((self.committed(), self.spent()), (600.0, 300.0))

    def test_reversals_and_credit_notes_carry_the_request_and_copies_do_not(self):
        request = self.request()
        bill = self.settle(request, 500.0)
        self.assertFalse(bill.copy().invoice_line_ids.cost_request_id)
        wizard = self.env["account.move.reversal"].create(
            {"move_ids": [Command.set(bill.ids)], "journal_id": bill.journal_id.id}
        )
        credit = self.env["account.move"].browse(wizard.refund_moves()["res_id"])
        self.assertEqual(credit.invoice_line_ids.cost_request_id, request)
        credit.action_post()
        self.assertEqual((request.settled_amount, request.settlement_state), (0.0, "open"))

    def test_a_journal_item_settles_as_a_bill_line_does(self):
        request = self.request()
        move = self.create_entry_move(
            [(self.expense_account, 200.0, {"cost_request_id": request.id})]
        )
        line = move.line_ids.filtered("cost_request_id")
        self.assertEqual((line.cost_customer_id, line.cost_item_id), (self.customer_a, self.item))
        self.assertEqual((request.open_amount, self.spent()), (300.0, 200.0))
        move._reverse_moves(cancel=True)
        self.assertEqual((request.open_amount, self.spent()), (500.0, 0.0))

    # ------------------------------------------------------------
    # What settles a request
    # ------------------------------------------------------------

    def test_choosing_a_request_fills_the_line_and_keeps_what_is_typed(self):
        request = self.request()
        bill = Form(
            self.env["account.move"]
            .with_user(self.users["accountant"])
            .with_context(default_move_type="in_invoice")
        )
        bill.partner_id = self.vendor
        bill.invoice_date = "2025-03-10"
        with bill.invoice_line_ids.new() as line:
            line.cost_request_id = request
            self.assertEqual(line.name, "Manual cost")
            self.assertEqual(line.price_unit, 500.0)
        with bill.invoice_line_ids.new() as line:
            line.name = "Typed"
            line.price_unit = 20.0
            line.cost_request_id = request
        bill.save()
        self.assertRecordValues(
            bill.record.invoice_line_ids.sorted("price_unit"),
            [
                {"name": "Typed", "price_unit": 20.0, "cost_customer_id": self.customer_a.id},
                {
                    "name": "Manual cost",
                    "price_unit": 500.0,
                    "cost_customer_id": self.customer_a.id,
                },
            ],
        )
        self.assertEqual(bill.record.invoice_line_ids.cost_item_id, self.item)

    def test_requests_that_cannot_be_settled_are_refused_with_the_reason(self):
        draft = self.request(post=False)
        released = self.request()
        released._release("Not needed")
        settled = self.request(amount=70.0)
        self.settle(settled, 70.0)
        for request, message in (
            (draft, "is not approved"),
            (released, "was released on"),
            (settled, r"settled in full: .*70.00 of .*70.00"),
            (self.create_cost(post=True), "is no request"),
        ):
            with self.subTest(message), self.assertRefused(message):
                self.settle(request, 10.0, post=False)

    def test_a_request_of_another_customer_is_refused(self):
        request = self.request()
        line = {"cost_request_id": request.id, "cost_customer_id": self.customer_b.id}
        message = "is for Cost Customer A, the item for Cost Customer B"
        with self.assertRefused(message, ValidationError):
            self.create_bill([(self.expense_account, 10.0, line)], post=False)
        bill = self.settle(request, 10.0, post=False)
        with self.assertRefused(message, ValidationError):
            bill.invoice_line_ids.cost_customer_id = self.customer_b
        other = self.create_bill(
            [(self.expense_account, 10.0, {"cost_customer_id": self.customer_b.id})], post=False
        )
        with self.assertRefused(message, ValidationError):
            other.invoice_line_ids.cost_request_id = request

    def test_a_request_of_another_company_is_refused(self):
        other = self.setup_other_company(name="Other Request Company")["company"]
        other.customer_cost_max_days_back = 36500
        entry = self.env[ENTRY].with_company(other)
        request = entry.create(
            {
                "kind": "request",
                "company_id": other.id,
                "currency_id": other.currency_id.id,
                "item_id": self.item.id,
                "customer_id": self.customer_a.id,
                "amount": 10.0,
                "date": "2025-03-10",
            }
        )
        request._unguarded().write({"state": "approved"})
        with self.assertRefused("(?i)compan"):
            self.settle(request, 10.0, post=False)

    def test_more_than_approved_is_allowed_said_and_counted(self):
        request = self.request()
        first = self.settle(request, 400.0, post=False)
        second = self.settle(request, 300.0, post=False)
        message = r"approved .*500.00, posted .*0.00, in draft documents .*700.00\. .*200.00 above"
        for bill in (first, second):
            self.assertRegex(bill.with_user(self.users["accountant"]).cost_request_warning, message)
        first.action_post()
        second.invalidate_recordset()
        self.assertRegex(second.cost_request_warning, r"posted .*400.00, in draft .*300.00")
        second.action_post()
        self.assertChain(
            request,
            committed=0.0,
            spent=700.0,
            drafted=0.0,
            settled=700.0,
            open=0.0,
            state="settled",
        )
        self.assertIn("200.00 above the request", request.message_ids[0].body)

    def test_requests_are_held_in_one_order(self):
        requests = self.request() | self.request()
        self.env.flush_all()
        with self.assertQueriesContain(["ORDER BY id FOR UPDATE"]):
            requests[::-1]._hold()

    def test_posting_holds_the_requests_it_settles(self):
        request = self.request()
        bill = self.settle(request, 400.0, post=False)
        held = []
        self.patch(type(self.env[ENTRY]), "_hold", lambda entries: held.append(entries.ids))
        self.create_bill([(self.expense_account, 10.0, {})])
        self.assertEqual(held, [])
        bill.action_post()
        self.assertEqual(held, [request.ids])

    def test_an_archived_item_does_not_stop_the_settlement(self):
        request = self.request()
        self.item.active = False
        action = request.with_user(self.users["accountant"]).action_create_bill()
        bill = self.env["account.move"].browse(action["res_id"])
        bill.invoice_date = "2025-03-10"
        bill.action_post()
        self.assertEqual(request.settlement_state, "settled")

    # ------------------------------------------------------------
    # Proposals
    # ------------------------------------------------------------

    def test_open_requests_of_customer_item_and_vendor_are_proposed(self):
        fits = self.request()
        anonymous = self.request(vendor_id=False)
        self.request(customer_id=self.customer_b.id)
        self.request(item_id=self.other_item.id)
        self.request(vendor_id=self.customer_c.id)
        self.settle(self.request(), 500.0)
        self.request()._release("Not needed")
        line = {"cost_customer_id": self.customer_a.id, "cost_item_id": self.item.id}
        bill = self.create_bill([(self.expense_account, 480.0, line)], post=False)
        bill = bill.with_user(self.users["accountant"])
        self.assertEqual(bill.cost_request_proposal_count, 2)
        pick = self.env["customer.cost.request.pick"].browse(
            bill.action_pick_cost_requests()["res_id"]
        )
        self.assertEqual(pick.line_ids.request_id, fits | anonymous)
        row = pick.line_ids.filtered(lambda row: row.request_id == fits)
        self.assertEqual(row.move_line_id, bill.invoice_line_ids)
        row.picked = True
        pick.with_user(self.users["accountant"]).action_confirm()
        self.assertEqual(bill.invoice_line_ids.cost_request_id, fits)
        self.assertEqual(bill.cost_request_proposal_count, 0)

    def test_a_request_picked_without_a_line_gets_one(self):
        request = self.request(amount=90.0)
        bill = self.create_bill([(self.other_account, 10.0, {})], post=False)
        bill = bill.with_user(self.users["accountant"])
        self.assertEqual(bill.cost_request_proposal_count, 1)
        pick = self.env["customer.cost.request.pick"].browse(
            bill.action_pick_cost_requests()["res_id"]
        )
        pick = pick.with_user(self.users["accountant"])
        with self.assertRefused("Pick at least one"):
            pick.action_confirm()
        pick.line_ids.write({"picked": True, "move_line_id": False})
        pick.action_confirm()
        self.assertEqual(bill.amount_untaxed, 100.0)
        self.assertEqual(request.drafted_amount, 90.0)

    def test_a_line_settles_one_request_and_a_picked_one_comes_in_the_currency_of_the_bill(self):
        currency = self.setup_other_currency("EUR", rates=[("2025-01-01", 0.5)])
        here, abroad = self.request(), self.request(currency_id=currency.id, amount=30.0)
        bill = self.create_bill([(self.expense_account, 500.0, {})], post=False)
        bill = bill.with_user(self.users["accountant"])
        pick = self.env["customer.cost.request.pick"].browse(
            bill.action_pick_cost_requests()["res_id"]
        )
        pick = pick.with_user(self.users["accountant"])
        pick.line_ids.write({"picked": True, "move_line_id": bill.invoice_line_ids.id})
        with self.assertRefused("settles one request: split it"):
            pick.action_confirm()
        pick.line_ids.filtered(lambda row: row.request_id == abroad).move_line_id = False
        pick.action_confirm()
        self.assertEqual(
            {line.cost_request_id: line.price_unit for line in bill.invoice_line_ids},
            {here: 500.0, abroad: 60.0},
        )

    def test_a_posted_bill_is_offered_no_requests(self):
        self.request()
        bill = self.create_bill([(self.expense_account, 10.0, {})])
        self.assertEqual(bill.cost_request_proposal_count, 0)
        with self.assertRefused("No open request fits"):
            self.settle(self.request(), 500.0, post=False).action_pick_cost_requests()

    def test_proposals_among_a_thousand_requests_cost_a_constant_number_of_queries(self):
        requests = self.env[ENTRY].create(
            [
                {
                    "kind": "request",
                    "company_id": self.company.id,
                    "currency_id": self.company.currency_id.id,
                    "item_id": self.item.id,
                    "customer_id": self.customer_a.id,
                    "vendor_id": self.vendor.id,
                    "amount": 10.0 + number,
                    "date": "2025-03-10",
                }
                for number in range(1000)
            ]
        )
        requests._unguarded().write({"state": "approved"})
        bill = self.create_bill([(self.expense_account, 10.0, {})], post=False)
        self.env.flush_all()
        bill.invoice_line_ids.mapped("cost_request_id")
        bill = bill.with_user(self.users["accountant"])
        bill.mapped("cost_request_proposal_count")  # rights and rules are cached from here on
        bill.invalidate_recordset(["cost_request_proposal_count"])
        with self.assertQueryCount(4):
            self.assertEqual(bill.cost_request_proposal_count, 1000)
        requests.invalidate_recordset()
        requests[:1].mapped("settlement_state")
        requests.invalidate_recordset()
        with self.assertQueryCount(6):
            self.assertEqual(set(requests.mapped("settlement_state")), {"open"})

    # ------------------------------------------------------------
    # Release and reminder
    # ------------------------------------------------------------

    def test_the_rest_is_released_with_a_reason_and_a_date(self):
        request = self.request()
        self.settle(request, 100.0)
        author = request.with_user(self.users["accountant"])
        action = author.action_ask_release()
        wizard = self.env[action["res_model"]].with_user(self.users["accountant"])
        wizard = wizard.with_context(**action["context"]).create({"reason": "  "})
        with self.assertRefused("Say why"):
            wizard.action_confirm()
        wizard.reason = "The fair was cancelled"
        with freeze_time("2025-06-15"):
            wizard.action_confirm()
        self.assertRecordValues(
            request,
            [
                {
                    "settlement_state": "released",
                    "open_amount": 0.0,
                    "settled_amount": 100.0,
                    "release_reason": "The fair was cancelled",
                }
            ],
        )
        self.assertEqual(str(request.released_on), "2025-06-15")
        self.assertEqual(self.committed(), 0.0)
        with self.assertRefused("nothing is open"):
            author.action_ask_release()

    def test_the_author_is_reminded_once_per_interval_until_the_request_is_settled(self):
        with freeze_time("2025-03-10"):
            request = self.request()
            young = self.request()
        young._unguarded().write({"approved_on": "2025-04-05"})
        self.company.customer_cost_request_reminder_days = 30
        entries = self.env[ENTRY]

        def remind(day):
            with freeze_time(day), self.enter_registry_test_mode():
                self.env.ref("customer_cost.ir_cron_request_reminder").method_direct_trigger()
            request.invalidate_recordset()
            return request.activity_ids.filtered(
                lambda activity: (
                    activity.activity_type_id
                    == self.env.ref("customer_cost.mail_activity_type_request")
                )
            )

        self.assertFalse(remind("2025-04-08"))
        first = remind("2025-04-09")
        self.assertEqual(first.user_id, self.users["accountant"])
        self.assertRegex(first.summary, "500.00 open for 30 days")
        self.assertFalse(young.activity_ids)
        self.assertEqual(remind("2025-04-10"), first)
        first.action_done()
        self.assertFalse(remind("2025-05-08"))
        second = remind("2025-05-09")
        self.assertTrue(second)
        self.settle(request, 500.0)
        self.assertFalse(second.exists())
        self.assertEqual(
            entries.search([("open_days", ">", 30), ("id", "in", (request | young).ids)]), young
        )

    def test_a_reminder_closes_when_a_bill_was_cancelled_and_the_rest_released(self):
        with freeze_time("2025-03-10"):
            request = self.request()
        with freeze_time("2025-06-15"):
            self.env[ENTRY]._search_to_remind()._remind()
        self.assertTrue(request.activity_ids)
        request.with_user(self.users["accountant"])._release("Not needed")
        self.assertFalse(request.activity_ids)

    # ------------------------------------------------------------
    # Who sees and does what
    # ------------------------------------------------------------

    def test_the_customer_form_asks_for_that_customer(self):
        contact = self.env["res.partner"].create({"name": "Buyer", "parent_id": self.customer_a.id})
        action = contact.with_user(self.rep).action_new_cost_request()
        entry = self.env[ENTRY].with_user(self.rep).with_context(**action["context"])
        form = Form(entry, view="customer_cost.customer_cost_request_view_form")
        form.item_id = self.item
        form.amount = 20.0
        form.date = "2025-03-10"
        with self.assertRaisesRegex(AssertionError, "description is a required field"):
            form.save()
        form.description = "Samples for the fair"
        request = form.save()
        self.assertRecordValues(
            request, [{"kind": "request", "customer_id": self.customer_a.id, "state": "draft"}]
        )

    def test_a_rep_sees_amounts_and_no_documents(self):
        request = self.request()
        bill = self.settle(request, 200.0)
        own = request.with_user(self.rep)
        self.assertEqual((own.settled_amount, own.open_amount), (200.0, 300.0))
        self.assertEqual(own.settlement_state, "partly")
        with self.assertRaises(AccessError), mute_logger("odoo.orm.models"):
            self.rpc(self.rep, ENTRY, "read", request.ids, ["settlement_line_ids"])
        with self.assertRaises(AccessError), mute_logger("odoo.addons.base.models.ir_model"):
            bill.with_user(self.rep).read(["name"])
        read = self.rpc(self.users["auditor"], ENTRY, "read", request.ids, ["settlement_line_ids"])
        self.assertEqual(read[0]["settlement_line_ids"], bill.invoice_line_ids.ids)

    def test_who_may_not_read_a_request_cannot_settle_it_and_carries_it_along(self):
        billing = self.create_user("request_billing", "internal")
        billing.group_ids = self.env.ref("account.group_account_invoice")
        request = self.request()
        bill = self.create_bill([(self.expense_account, 10.0, {})], post=False)
        with self.assertRefused("You may not settle this request"):
            bill.invoice_line_ids.with_user(billing).cost_request_id = request.id
        bill = self.settle(request, 100.0)
        bill.with_user(billing)._reverse_moves([{"invoice_date": "2025-03-10"}], cancel=True)
        self.assertEqual(request.settled_amount, 0.0)

    def test_naming_a_request_teaches_nothing_of_it(self):
        billing = self.create_user("request_billing", "internal")
        billing.group_ids = self.env.ref("account.group_account_invoice")
        request = self.request()
        bill = self.create_bill([(self.expense_account, 10.0, {})], post=False)
        other = {"cost_request_id": request.id, "cost_customer_id": self.customer_b.id}
        line = {"name": "Cost", "account_id": self.expense_account.id, "price_unit": 5.0}
        new = {"invoice_line_ids": [Command.create({**line, **other})]}
        hidden = {"invoice_line_ids": [Command.create({**line, "cost_customer_id": False})]}
        for model, ids, vals, context in (
            ("account.move.line", bill.invoice_line_ids.ids, other, {}),
            ("account.move", bill.ids, new, {}),
            ("account.move", bill.ids, hidden, {"default_cost_request_id": request.id}),
        ):
            with self.assertRaises(UserError) as refused:
                self.rpc(billing, model, "write", ids, vals, context=context)
                self.env.flush_all()
            self.assertIn("You may not settle this request", str(refused.exception))
            self.env.invalidate_all()

    def test_creating_the_bill_needs_the_right_to_make_bills(self):
        request = self.request()
        for role in ("rep", "cost_user", "auditor"):
            with self.subTest(role), mute_logger("odoo.addons.base.models.ir_model"):
                with self.assertRefused(".", AccessError):
                    self.rpc(self.users[role], ENTRY, "action_create_bill", request.ids)

    def test_releasing_is_for_the_author_and_the_accountant(self):
        request = self.request()
        quiet = ("odoo.addons.base.models.ir_model", "odoo.addons.base.models.ir_rule")
        for role in ("rep", "cost_user", "reviewer", "auditor", "internal"):
            with self.subTest(role), mute_logger(*quiet):
                with self.assertRefused(".", AccessError):
                    self.rpc(self.users[role], ENTRY, "action_ask_release", request.ids)
                with self.assertRefused(".", AccessError):
                    request.with_user(self.users[role])._release("Not needed")
        self.assertFalse(request.released_on)

    def test_settlement_cannot_be_forged(self):
        request = self.request()
        bill = self.settle(request, 10.0)
        forgeries = {
            "released_on": "2025-03-10",
            "release_reason": "Forged",
            "approved_on": "2025-01-01",
            "submitted_on": "2025-01-01",
            "reminded_on": "2030-01-01",
        }
        new = {
            "item_id": self.item.id,
            "customer_id": self.customer_a.id,
            "amount": 1.0,
            "date": "2025-03-10",
        }
        message = "cannot be set directly"
        for role in ("rep", "cost_user", "accountant", "manager"):
            for name, value in forgeries.items():
                calls = [
                    ("create", ({**new, name: value},), {}),
                    ("create", (new,), {"context": {f"default_{name}": value}}),
                    ("web_save", ([], {**new, name: value}, {}), {}),
                ]
                if role in ("accountant", "manager"):
                    calls.append(("write", (request.ids, {name: value}), {}))
                    calls.append(("copy", (request.ids, {name: value}), {}))
                for method, args, kwargs in calls:
                    with self.subTest(f"{role} {method} {name}"):
                        with self.assertRefused(message, AccessError):
                            self.rpc(self.users[role], ENTRY, method, *args, **kwargs)
            for name in ("settled_amount", "open_amount", "settlement_state"):
                self.rpc(self.users["manager"], ENTRY, "write", request.ids, {name: False})
        request.invalidate_recordset()
        self.assertEqual((request.settled_amount, request.settlement_state), (10.0, "partly"))
        with self.assertRaises(UserError), mute_logger("odoo.sql_db"):
            bill.invoice_line_ids.cost_request_id.with_user(self.users["manager"]).unlink()
