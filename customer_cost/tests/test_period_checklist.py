from freezegun import freeze_time

from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from .period_common import PeriodCommon


@tagged("post_install", "-at_install")
@freeze_time("2025-06-15")
class TestPeriodChecklist(PeriodCommon):
    """What the checklist of a month finds, who signs it, and what keeps it from being closed."""

    def test_starting_makes_the_checks_in_order(self):
        period = self.start()
        self.assertEqual(period.state, "closing")
        self.assertEqual(
            period.check_ids.mapped("code"),
            ["earlier_closed", "captured", "reviewed", "unknown_cost", "run_posted", "tied_out"],
        )
        self.assertEqual(
            self.verdicts(period),
            {
                "earlier_closed": ("none", 0.0),
                "captured": ("passed", 0.0),
                "reviewed": ("passed", 0.0),
                "unknown_cost": ("none", 0.0),
                "run_posted": ("none", 0.0),
                "tied_out": ("passed", 0.0),
            },
        )
        self.assertFalse(period.check_ids.signed_by_id)
        self.assertEqual(period.check_progress, "3 / 6")

    def test_start_of_a_month_that_is_not_over(self):
        with self.assertRaisesRegex(UserError, "June 2025 .* is not over yet: .* 07/01/2025"):
            self.start("2025-06-01")
        self.assertEqual(self.period("2025-06-01").state, "open")

    def test_started_twice(self):
        period = self.start()
        with self.assertRaisesRegex(UserError, "March 2025 .* is being closed already"):
            period.action_start_closing()
        self.assertEqual(len(period.check_ids), 6)

    def test_back_to_open_removes_the_checklist(self):
        period = self.start()
        period.action_sign_passed()
        period.action_cancel_closing()
        self.assertEqual((period.state, period.check_ids.ids), ("open", []))
        for method in ("action_cancel_closing", "action_check", "action_sign_passed"):
            with self.assertRaisesRegex(UserError, "March 2025 .* is not being closed"):
                getattr(period, method)()
        period.action_start_closing()
        self.assertFalse(period.check_ids.signed_by_id)

    # ------------------------------------------------------------
    # Earlier months closed
    # ------------------------------------------------------------

    def test_earlier_months_that_are_open_are_named(self):
        """Those with no period of their own yet, and those with nothing in them, as well."""
        self.create_direct_bill(day="2025-01-10")
        self.close_period("2025-02-10")
        self.close_period("2025-06-01")
        period = self.start("2025-05-10")
        check = self.check(period, "earlier_closed")
        self.assertEqual((check.verdict, check.figure), ("failed", 3.0))
        self.assertEqual(check.finding, "Not closed: January 2025, March 2025 – April 2025.")
        self.assertCloseRefused(
            period,
            r"May 2025 .*, Earlier months closed: Not closed: January 2025, March 2025 – April "
            r"2025\. Close them first, or sign this line",
        )
        action = check.with_user(self.users["auditor"]).action_open_records()
        found = self.env["customer.cost.period"].search(action["domain"])
        self.assertEqual(
            found.sorted("date_from").mapped("name"), ["January 2025", "March 2025", "April 2025"]
        )
        check.action_sign()
        self.close(period)
        self.close_period("2025-01-10")
        self.assertEqual(
            check.finding, "Not closed: January 2025, March 2025 – April 2025.", "as it was signed"
        )

    def test_other_earlier_months_after_the_look(self):
        self.create_direct_bill(day="2025-01-10")
        february = self.close_period("2025-02-10")
        period = self.start()
        check = self.check(period, "earlier_closed")
        check.action_sign()
        period.action_check()
        self.assertTrue(check.signed_by_id, "the same months were looked at")
        self.close_period("2025-01-10")
        february.sudo()._unguarded().state = "open"
        self.assertCloseRefused(period, "Not closed: February 2025")
        period.action_check()
        self.assertFalse(check.signed_by_id)
        self.close_period("2025-02-10")
        period.action_check()
        self.assertEqual((check.verdict, check.figure), ("passed", 0.0))
        self.close(period)

    def test_months_closed_together_are_closed_in_order(self):
        self.create_direct_bill(day="2025-01-10")
        periods = self.period("2025-03-01") | self.period("2025-01-01") | self.period("2025-02-01")
        periods.with_user(self.users["manager"]).action_close()
        self.assertEqual(set(periods.mapped("state")), {"closed"})
        self.assertEqual(
            [self.check(p, "earlier_closed").verdict for p in periods.sorted("date_from")],
            ["none", "passed", "passed"],
        )

    def test_months_from_before_costs_are_captured_need_no_closing(self):
        self.company.customer_cost_start_date = "2025-03-01"
        self.create_direct_bill(day="2025-01-10")
        self.create_sale(self.customer_a, day="2025-01-10")
        check = self.check(self.start(), "earlier_closed")
        self.assertEqual((check.verdict, check.figure), ("none", 0.0))

    # ------------------------------------------------------------
    # Captured
    # ------------------------------------------------------------

    def test_journal_item_missing_in_the_ledger(self):
        bill = self.create_direct_bill()
        self.run_sql(
            """DELETE FROM customer_cost_line WHERE entry_id IN (
                   SELECT id FROM customer_cost_entry WHERE source_move_id = %s)""",
            bill.id,
        )
        period = self.start()
        check = self.check(period, "captured")
        self.assertEqual((check.verdict, check.figure), ("failed", 1.0))
        self.assertEqual(
            self.env["account.move.line"].search(check.action_open_records()["domain"]),
            bill.invoice_line_ids,
        )
        message = "March 2025 .*, Captured: .* from the ledger: 1. Use Capture Now"
        self.assertCloseRefused(period, message)
        with self.assertRefused(message):
            check.action_sign()
        check.action_capture()
        self.assertEqual((check.verdict, check.figure), ("passed", 0.0))
        self.assertEqual(sum(self.ledger(bill).values()), 100.0)
        self.close(period)

    def test_capture_now_belongs_to_a_closing(self):
        period = self.start()
        check = self.check(period, "captured")
        self.close(period)
        with self.assertRaisesRegex(UserError, "is not being closed"):
            check.action_capture()

    # ------------------------------------------------------------
    # Reviewed
    # ------------------------------------------------------------

    def test_costs_that_wait(self):
        draft = self.create_cost()
        submitted = self.create_cost(date="2025-03-31")
        submitted.action_submit()
        self.create_cost(date="2025-04-01")
        period = self.start()
        check = self.check(period, "reviewed")
        self.assertEqual((check.verdict, check.figure), ("failed", 2.0))
        self.assertEqual(
            self.env["customer.cost.entry"].search(check.action_open_records()["domain"]),
            draft | submitted,
        )
        message = r"March 2025 .*, Reviewed: .*: 2\. Have them approved or refused"
        self.assertCloseRefused(period, message)
        check.note = "Never mind"
        with self.assertRefused(message):
            check.with_user(self.users["manager"]).action_sign()
        draft.unlink()
        submitted.with_user(self.users["reviewer"])._refuse("Not ours")
        self.close(period)

    def test_cost_enters_a_month_that_is_being_closed(self):
        period = self.start()
        self.create_direct_bill()
        self.create_cost(post=True)
        self.assertEqual(period.state, "closing")
        lines = self.env["customer.cost.line"].search([("company_id", "=", self.company.id)])
        self.assertEqual(lines.mapped("date"), [period.date_from.replace(day=10)] * 2)

    # ------------------------------------------------------------
    # Unknown cost
    # ------------------------------------------------------------

    def create_unknown_cost(self):
        product = self.env["product.product"].create(
            {"name": "No cost", "standard_price": 0.0, "taxes_id": False}
        )
        return self.create_sale(self.customer_a, product=product)

    def test_unknown_cost_needs_a_look(self):
        invoice = self.create_unknown_cost()
        self.assertEqual(invoice.invoice_line_ids.customer_cost_source, "unknown")
        period = self.start()
        check = self.check(period, "unknown_cost")
        self.assertEqual((check.verdict, check.figure), ("failed", 1.0))
        self.assertEqual(
            self.env["account.move.line"].search(check.action_open_records()["domain"]),
            invoice.invoice_line_ids,
        )
        self.assertCloseRefused(period, "Unknown cost: .*: 1. Look at them and sign")
        period.action_sign_passed()
        self.assertFalse(check.signed_by_id, "a look is not taken for granted")
        check.action_sign()
        self.assertEqual((check.signed_by_id, check.signed_figure), (self.users["accountant"], 1.0))
        self.close(period)
        self.assertEqual(check.signed_by_id, self.users["accountant"])

    def test_more_unknown_cost_after_the_look(self):
        self.create_unknown_cost()
        period = self.start()
        check = self.check(period, "unknown_cost")
        check.action_sign()
        period.action_check()
        self.assertTrue(check.signed_by_id, "the same figure was looked at")
        self.create_unknown_cost()
        self.assertCloseRefused(period, "Unknown cost: .*: 2. Look at them")
        period.action_check()
        self.assertFalse(check.signed_by_id)
        self.assertIn(
            "The signature of cost_accountant", " ".join(period.sudo().message_ids.mapped("body"))
        )

    # ------------------------------------------------------------
    # Run posted
    # ------------------------------------------------------------

    def test_indirect_cost_without_a_posted_run(self):
        self.create_pool_rule()
        self.create_pool_bill()
        period = self.start()
        check = self.check(period, "run_posted")
        self.assertEqual((check.verdict, check.figure), ("failed", 60.0))
        self.assertCloseRefused(period, r"Run posted: Indirect cost of \$.60.00 is in no")
        run = self.create_run()
        self.assertCloseRefused(period, "Run posted")
        run.action_post()
        period.action_check()
        self.assertEqual((check.verdict, check.figure), ("passed", 0.0))
        self.assertEqual(
            self.env["customer.cost.run"].search(check.action_open_records()["domain"]), run
        )
        self.close(period)

    def test_pool_that_changed_after_the_run(self):
        self.create_pool_rule()
        self.create_pool_bill()
        self.create_run(post=True)
        period = self.start()
        check = self.check(period, "run_posted")
        check.action_sign()
        self.create_pool_bill(15.0)
        period.action_check()
        self.assertEqual((check.verdict, check.figure), ("failed", 15.0))
        self.assertFalse(check.signed_by_id)
        self.assertCloseRefused(period, r"Run posted: Indirect cost of \$.15.00")

    def test_pool_that_stays_with_a_reason(self):
        self.create_pool_bill()
        period = self.start()
        check = self.check(period, "run_posted")
        manager = check.with_user(self.users["manager"])
        with self.assertRefused("note why its cost stays in the pool"):
            manager.action_sign()
        check.note = "Before the first rule"
        with self.assertRefused("Only a cost manager signs Run posted", AccessError):
            check.action_sign()
        manager.action_sign()
        self.close(period)
        self.assertEqual(
            (check.verdict, check.signed_by_id, check.note),
            ("failed", self.users["manager"], "Before the first rule"),
        )

    def test_pool_that_adds_up_to_nothing_is_allocated_all_the_same(self):
        self.create_pool_bill(60.0)
        self.create_entry_move([(self.expense_account, -60.0, {})])
        period = self.start()
        self.assertEqual(self.check(period, "run_posted").verdict, "failed")

    # ------------------------------------------------------------
    # Tied out
    # ------------------------------------------------------------

    def test_tie_out_that_differs(self):
        self.create_pool_rule()
        self.create_pool_bill()
        run = self.create_run(post=True)
        self.run_sql(
            """UPDATE customer_cost_allocation SET amount = amount + 1
                WHERE step_id = %s AND customer_id = %s""",
            run.step_ids.id,
            self.customer_a.id,
        )
        period = self.start()
        check = self.check(period, "tied_out")
        self.assertEqual(check.verdict, "failed")
        self.assertGreaterEqual(check.figure, 1.0)
        self.assertEqual(period.tie_out_state, "open")
        self.assertCloseRefused(period, r"Tied out: The tie-out differs by \$.[1-9]")
        action = check.action_open_records()
        self.assertEqual(action, period.action_open_tie_out())
        shown = self.env["customer.cost.tie.out"].get_tie_out(**action["params"])
        self.assertEqual(shown["figures"]["difference"], check.figure)
        check.note = "I know"
        with self.assertRefused("Tied out: The tie-out differs"):
            check.with_user(self.users["manager"]).action_sign()

    # ------------------------------------------------------------
    # Signing
    # ------------------------------------------------------------

    def test_who_signed_what_and_when(self):
        period = self.start()
        captured, reviewed = self.check(period, "captured"), self.check(period, "reviewed")
        captured.action_sign()
        reviewed.with_user(self.users["manager"]).action_sign()
        with self.assertRaisesRegex(UserError, "Captured is signed already, by cost_accountant"):
            captured.with_user(self.users["manager"]).action_sign()
        self.assertEqual(period.check_progress, "5 / 6")
        self.close(period)
        self.assertEqual(captured.signed_by_id, self.users["accountant"])
        self.assertEqual(reviewed.signed_by_id, self.users["manager"])
        self.assertEqual(
            self.check(period, "tied_out").signed_by_id,
            self.users["manager"],
            "who closes signs what passed and nobody signed",
        )
        self.assertFalse(self.check(period, "run_posted").signed_by_id, "nothing to sign")
        self.assertEqual(str(captured.signed_at), "2025-06-15 00:00:00")
        self.assertEqual(period.check_progress, "6 / 6")

    def test_note_stays_as_it_was_signed(self):
        period = self.start()
        with Form(period) as form, form.check_ids.edit(1) as line:
            line.note = "Looked through"
        check = self.check(period, "captured")
        self.assertEqual(check.note, "Looked through")
        check.action_sign()
        with self.assertRaisesRegex(UserError, "Captured: the note stays as it was signed"):
            check.note = "Something else"
        other = self.check(period, "reviewed")
        self.close(period)
        with self.assertRaisesRegex(UserError, "Reviewed: the note stays as it was signed"):
            other.note = "Something else"

    def test_closing_from_the_list_starts_and_signs_at_once(self):
        periods = self.period() | self.period("2025-04-01")
        periods.with_user(self.users["manager"]).action_close()
        self.assertEqual(periods.mapped("state"), ["closed", "closed"])
        signed = periods.check_ids.filtered(lambda check: check.verdict == "passed")
        self.assertEqual(signed.signed_by_id, self.users["manager"])
        self.assertEqual(len(signed), 6)
