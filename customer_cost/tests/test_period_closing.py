from freezegun import freeze_time

from odoo.exceptions import UserError, ValidationError
from odoo.tests import tagged

from .period_common import PeriodCommon


@tagged("post_install", "-at_install")
@freeze_time("2025-06-15")
class TestPeriodClosing(PeriodCommon):
    """What closing stores, what reopening keeps, and what a closed month leaves to later ones."""

    # ------------------------------------------------------------
    # As it stood
    # ------------------------------------------------------------

    def test_tie_out_is_stored_as_it_stood(self):
        self.create_direct_bill()
        self.create_sale(self.customer_a)
        period = self.period()
        self.close(period)
        closing = period.closing_id
        figures = closing.tie_out[str(self.company.id)]
        self.assertTrue(figures["is_tied"])
        self.assertEqual(figures["totals"]["captured"], -100.0)
        self.assertEqual(
            (closing.closed_by_id, str(closing.closed_at)),
            (self.users["manager"], "2025-06-15 00:00:00"),
        )
        self.assertEqual((closing.line_count, closing.line_amount), (1, 100.0))
        self.assertEqual(len(closing.fingerprint), 64)
        self.assertEqual(closing.check_ids, period.check_ids)
        self.create_direct_bill(30.0)
        self.assertEqual(closing.tie_out[str(self.company.id)]["totals"]["captured"], -100.0)

    def test_stored_tie_out_is_readable(self):
        self.create_direct_bill(1234.5)
        period = self.period()
        self.close(period)
        auditor = period.with_user(self.users["auditor"])
        action = auditor.action_open_closing()
        closing = self.env[action["res_model"]].with_user(self.users["auditor"])
        content = closing.browse(action["res_id"]).content
        self.assertIn("T60001", content)
        self.assertIn("-1,234.50", content)
        self.assertNotIn("The books since", content)
        self.create_direct_bill(30.0)
        self.env.invalidate_all()
        content = closing.browse(action["res_id"]).content
        self.assertIn("The books since", content)
        self.assertIn("-1,264.50", content)

    def test_equal_months_have_equal_fingerprints(self):
        self.create_direct_bill()
        period = self.period()
        self.close(period)
        first = period.closing_id
        period._reopen("Look again")
        self.close(period)
        self.assertEqual(period.closing_id.fingerprint, first.fingerprint)
        period._reopen("Another bill")
        self.create_direct_bill(1.0)
        self.close(period)
        self.assertNotEqual(period.closing_id.fingerprint, first.fingerprint)

    # ------------------------------------------------------------
    # Reopening
    # ------------------------------------------------------------

    def test_reopening_needs_a_reason(self):
        period = self.period(user=self.users["manager"])
        period.action_close()
        wizard = self.env["customer.cost.period.reopen"].with_user(self.users["manager"])
        wizard = wizard.with_context(**period.action_reopen()["context"])
        with self.assertRaisesRegex(UserError, "Say why the period is reopened"):
            wizard.create({"reason": "  "}).action_confirm()
        self.assertEqual(period.state, "closed")
        wizard.create({"reason": " A bill was missing "}).action_confirm()
        self.assertEqual(period.state, "open")

    def test_reason_who_and_when_are_kept(self):
        period = self.period(user=self.users["manager"])
        period.action_close()
        closing, checks = period.closing_id, period.check_ids
        period._reopen("A bill was missing")
        self.assertEqual(
            (closing.reopen_reason, closing.reopened_by_id, str(closing.reopened_at)),
            ("A bill was missing", self.users["manager"], "2025-06-15 00:00:00"),
        )
        messages = period.sudo().message_ids
        self.assertIn("Reopened: A bill was missing", " ".join(messages.mapped("body")))
        self.assertFalse(period.closing_id)
        self.assertFalse(period.check_ids, "the next closing has a checklist of its own")
        self.assertEqual(
            closing.with_context(active_test=False).check_ids, checks, "signatures are kept"
        )
        self.assertTrue(closing.tie_out)
        period.action_close()
        self.assertEqual(period.closing_ids, closing | period.closing_id)
        self.assertFalse(period.check_ids & checks)

    def test_posted_run_stays_when_reopened(self):
        self.create_pool_rule()
        self.create_pool_bill()
        run = self.create_run(post=True)
        period = self.period(user=self.users["manager"])
        period.action_close()
        with self.assertRefused("is closed"):
            run.action_reverse()
        period._reopen("Look again")
        self.assertEqual(run.state, "posted")
        run.action_reverse()
        self.assertEqual(run.state, "reversed")

    def test_reopening_an_earlier_month_while_a_later_one_is_closed(self):
        (self.period() | self.period("2025-04-01")).action_close()
        late = self.create_direct_bill(40.0)
        line = self.env["customer.cost.line"].search([("entry_id.source_move_id", "=", late.id)])
        self.assertEqual(str(line.date), "2025-05-01")
        self.period()._reopen("Another one comes")
        self.assertEqual(str(line.date), "2025-05-01", "what is late already stays")
        bill = self.create_direct_bill(50.0)
        line = self.env["customer.cost.line"].search([("entry_id.source_move_id", "=", bill.id)])
        self.assertEqual(str(line.date), "2025-03-10")
        self.close(self.period())
        self.assertEqual(self.period().late_out, 40.0)

    def test_closed_or_reopened_period_is_not_deleted(self):
        period = self.period()
        period.action_close()
        period._reopen("Look again")
        with self.assertRaisesRegex(ValidationError, "cannot be deleted"):
            period.sudo().unlink()

    # ------------------------------------------------------------
    # Late
    # ------------------------------------------------------------

    def test_late_cost_stands_in_both_months(self):
        march, april = self.period(), self.period("2025-04-10")
        in_time = self.create_direct_bill(10.0)
        march.action_close()
        late = self.create_direct_bill(40.0) | self.create_pool_bill(2.5)
        self.create_direct_bill(7.0, day="2025-04-20")
        self.assertEqual((march.late_in, march.late_out), (0.0, 42.5))
        self.assertEqual((april.late_in, april.late_out), (42.5, 0.0))
        lines = self.env["customer.cost.line"]
        for action in (march.action_open_late_out(), april.action_open_late_in()):
            found = lines.search(action["domain"])
            self.assertEqual(sorted(found.entry_id.mapped("source_move_id")), sorted(late.ids))
        self.assertFalse(lines.search(march.action_open_late_in()["domain"]))
        self.assertNotIn(in_time, late)

    def test_part_of_a_service_period_that_is_late(self):
        """January is late, March is in time, and April is not late because it lies ahead."""
        january, march = self.period("2025-01-10"), self.period()
        january.action_close()
        service = {"cost_service_from": "2025-01-01", "cost_service_to": "2025-04-30"}
        self.create_bill([(self.expense_account, 400.0, service)])
        self.assertEqual((january.late_in, january.late_out), (0.0, 100.0))
        self.assertEqual(
            (self.period("2025-02-10").late_in, self.period("2025-02-10").late_out), (100.0, 0.0)
        )
        self.assertEqual((march.late_in, march.late_out), (0.0, 0.0))
        april = self.period("2025-04-10")
        self.assertEqual((april.late_in, april.late_out), (0.0, 0.0))

    def test_late_reversal_takes_the_late_amount_back(self):
        bill = self.create_direct_bill(10.0)
        march, april = self.period(), self.period("2025-04-10")
        march.action_close()
        bill.button_draft()
        self.assertEqual((march.late_out, april.late_in), (-10.0, -10.0))
        bill.action_post()
        self.env.invalidate_all()
        self.assertEqual((march.late_out, april.late_in), (0.0, 0.0))

    # ------------------------------------------------------------
    # Late, and changed after its own month was reopened
    # ------------------------------------------------------------

    def close_and_reopen(self, *later, amount=40.0):
        """A bill of March that counts in the month after ``later``; March is open again."""
        months = self.period()
        for day in later:
            months |= self.period(day)
        months.action_close()
        bill = self.create_direct_bill(amount)
        self.period()._reopen("Something is missing")
        return bill

    def counted(self, bill):
        """Months in which a bill counts, of each customer: (customer, month) to amount."""
        sums = {}
        for (customer, _item, day), amount in self.ledger(bill).items():
            key = (customer, str(day)[:7])
            sums[key] = round(sums.get(key, 0) + amount, 2)
        return {key: amount for key, amount in sums.items() if amount}

    def test_withdrawn_late_cost_is_taken_back_where_it_counts(self):
        bill = self.close_and_reopen()
        self.assertEqual(self.counted(bill), {(self.customer_a, "2025-04"): 40.0})
        bill.button_draft()
        self.assertEqual(self.counted(bill), {})
        bill.action_post()
        self.assertEqual(self.counted(bill), {(self.customer_a, "2025-03"): 40.0})

    def test_withdrawn_late_cost_of_a_closed_month_is_taken_back_after_it(self):
        bill = self.close_and_reopen()
        self.period("2025-04-10").action_close()
        bill.button_draft()
        self.assertEqual(
            self.counted(bill),
            {(self.customer_a, "2025-04"): 40.0, (self.customer_a, "2025-05"): -40.0},
        )
        bill.action_post()
        self.assertEqual(self.counted(bill), {(self.customer_a, "2025-04"): 40.0})

    def test_late_withdrawal_is_taken_back_where_it_counts(self):
        bill = self.create_direct_bill(40.0)
        self.period().action_close()
        bill.button_draft()
        self.assertEqual(
            self.counted(bill),
            {(self.customer_a, "2025-03"): 40.0, (self.customer_a, "2025-04"): -40.0},
        )
        self.period()._reopen("Look again")
        bill.action_post()
        self.assertEqual(self.counted(bill), {(self.customer_a, "2025-03"): 40.0})

    def test_late_cost_of_a_closed_month_that_grows_or_shrinks(self):
        """What is more counts in its own month, what is less is taken back after the closed one."""
        bill = self.close_and_reopen()
        self.period("2025-04-10").action_close()
        line = bill.invoice_line_ids
        a = self.customer_a
        for amount, expected in (
            (70.0, {(a, "2025-03"): 30.0, (a, "2025-04"): 40.0}),
            (25.0, {(a, "2025-04"): 40.0, (a, "2025-05"): -15.0}),
        ):
            bill.button_draft()
            line.price_unit = amount
            bill.action_post()
            self.assertEqual(self.counted(bill), expected)

    def test_late_cost_given_to_another_customer(self):
        bill = self.close_and_reopen()
        bill.invoice_line_ids.cost_customer_id = self.customer_b
        self.assertEqual(self.counted(bill), {(self.customer_b, "2025-03"): 40.0})

    def test_late_month_of_a_service_period_that_is_withdrawn(self):
        (self.period() | self.period("2025-04-10")).action_close()
        bill = self.create_direct_bill(post=False)
        bill.invoice_line_ids.write(
            {
                "price_unit": 122.0,
                "cost_service_from": "2025-03-01",
                "cost_service_to": "2025-05-31",
            }
        )
        bill.action_post()
        self.assertEqual(self.counted(bill), {(self.customer_a, "2025-05"): 122.0})
        self.period()._reopen("Something is missing")
        bill.invoice_line_ids.write({"cost_service_from": False, "cost_service_to": False})
        self.assertEqual(self.counted(bill), {(self.customer_a, "2025-03"): 122.0})

    def test_late_cost_of_another_company_is_not_ours(self):
        other = self.setup_other_company()["company"]
        self.period().action_close()
        self.create_direct_bill(40.0)
        elsewhere = self.period(company=other)
        self.assertEqual((elsewhere.late_in, elsewhere.late_out), (0.0, 0.0))
