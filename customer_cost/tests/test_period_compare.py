from datetime import date, datetime
from unittest.mock import patch

from psycopg2.errors import SerializationFailure

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .test_capture_period import CapturePeriodCommon


@tagged("post_install", "-at_install")
class TestPeriodCompare(CapturePeriodCommon):
    """Every night open months follow the books, closed ones are named, and the chatter tells."""

    def setUp(self):
        super().setUp()
        self.march = self.env["customer.cost.period"]._get(self.company, date(2025, 3, 1))

    def run_cron(self):
        with self.enter_registry_test_mode():
            self.env.ref("customer_cost.ir_cron_compare").method_direct_trigger()
        self.env.invalidate_all()

    def change(self, line, amount):
        self.execute(
            "UPDATE account_move_line SET balance = %s, debit = %s, amount_currency = %s "
            "WHERE id = %s",
            amount,
            amount,
            amount,
            line.id,
        )

    def messages(self, period=None):
        """Texts that the nights left on the period, oldest first."""
        period = period or self.march
        bodies = period.message_ids.sorted("id").mapped("body")
        return [body for body in bodies if "behind the capture" in body or "failed" in body]

    def close(self, period):
        period.sudo()._unguarded().state = "closed"
        self.env.flush_all()

    def test_nothing_changed_nothing_said(self):
        before = self.ledger()
        self.run_cron()
        self.assertEqual(self.ledger(), before)
        self.assertFalse(self.messages())
        self.assertTrue(self.march.compared_at)

    def test_open_month_follows_and_says_what(self):
        self.change(self.travel, 70.0)
        self.run_cron()
        self.assertEqual(self.ledger(), {**self.right, self.day(self.travel, self.customer_a): 70})
        (message,) = self.messages()
        for part in (self.bill.name, "Test travel", "Cost Customer A", "-\ufeff30.00"):
            self.assertIn(part, message)
        self.assertNotIn("Test advertising", message)
        self.run_cron()
        self.assertEqual(len(self.messages()), 1)

    def test_one_message_a_night_whatever_the_documents(self):
        april = self.create_bill([(self.expense_account, 7.0, {})], day="2025-04-01")
        second = self.create_bill([(self.expense_account, 9.0, {})])
        self.change(self.travel, 70.0)
        self.change(second.invoice_line_ids, 8.0)
        self.change(april.invoice_line_ids, 6.0)
        self.run_cron()
        (message,) = self.messages()
        self.assertIn(self.bill.name, message)
        self.assertIn(second.name, message)
        self.assertNotIn(april.name, message)
        april_period = self.env["customer.cost.period"]._get(self.company, date(2025, 4, 1))
        self.assertEqual(len(self.messages(april_period)), 1)

    def test_deleted_document_is_named_by_its_number(self):
        self.execute("DELETE FROM account_move WHERE id = %s", self.bill.id)
        self.run_cron()
        self.assertFalse(self.ledger())
        self.assertIn(f"Deleted entry (id {self.bill.id})", self.messages()[0])

    def test_many_documents_are_cut_short(self):
        for amount in (1.0, 2.0, 3.0):
            self.create_bill([(self.expense_account, amount, {})])
        self.execute("DELETE FROM customer_cost_line WHERE company_id = %s", self.company.id)
        path = "odoo.addons.customer_cost.models.customer_cost_period_compare.ROWS_PER_MESSAGE"
        with patch(path, 3):
            self.run_cron()
        (message,) = self.messages()
        self.assertEqual(message.count("<li>"), 3)
        self.assertIn("and more", message)

    def test_closed_month_is_named_once_and_stays(self):
        self.close(self.march)
        self.change(self.travel, 70.0)
        with self.assertNothingChanged():
            self.run_cron()
        (message,) = self.messages()
        self.assertIn("The period is closed", message)
        self.assertIn("-\ufeff30.00", message)
        self.run_cron()
        self.assertEqual(len(self.messages()), 1)
        self.change(self.travel, 60.0)
        self.run_cron()
        self.assertEqual(len(self.messages()), 2)
        self.change(self.travel, 100.0)
        self.run_cron()
        self.assertEqual(len(self.messages()), 2)

    def test_closed_month_follows_when_it_is_reopened(self):
        self.close(self.march)
        self.change(self.travel, 70.0)
        self.run_cron()
        self.march.sudo()._unguarded().state = "open"
        self.run_cron()
        self.assertEqual(self.ledger(), {**self.right, self.day(self.travel, self.customer_a): 70})
        self.assertFalse(self.march.named_differences)

    def test_months_before_the_start_are_not_looked_at(self):
        self.company.customer_cost_start_date = "2025-03-01"
        old = self.create_bill([(self.expense_account, 7.0, {})], day="2025-02-01")
        self.run_cron()
        self.assertFalse(self.ledger(old))
        compared = self.env["customer.cost.period"].search(
            [("company_id", "=", self.company.id), ("compared_at", "!=", False)]
        )
        self.assertEqual(compared, self.march)

    def test_interrupted_night_goes_on_where_it_was(self):
        self.create_bill([(self.expense_account, 7.0, {})], day="2025-04-01")
        periods = self.env["customer.cost.period"]
        queued = periods.sudo()._queue_months()
        done = queued.filtered(
            lambda period: period.company_id == self.company and period.date_from.month == 4
        )
        done_at = fields.Datetime.now()
        done._unguarded().write({"to_compare": False, "compared_at": done_at})
        self.change(self.travel, 70.0)
        self.run_cron()
        self.assertEqual(done.compared_at, done_at)
        self.assertEqual(len(self.messages()), 1)
        self.assertFalse(periods.search_count([("to_compare", "=", True)]))

    def test_month_that_met_another_transaction_waits(self):
        self.create_bill([(self.expense_account, 7.0, {})], day="2025-02-01")
        self.change(self.travel, 70.0)
        capture = type(self.env["customer.cost.capture"])
        sync = capture._sync_period_unlocked
        met = []

        def broken(self, company, first, last):
            if first == date(2025, 3, 1) and not met:
                met.append(first)
                raise SerializationFailure
            return sync(self, company, first, last)

        cron = self.env.ref("customer_cost.ir_cron_compare")
        with patch.object(capture, "_sync_period_unlocked", broken):
            self.run_cron()
        self.assertTrue(met)
        self.assertTrue(self.env["ir.cron.trigger"].search_count([("cron_id", "=", cron.id)]))
        self.run_cron()
        self.assertFalse(self.messages(), "its turn comes later")
        self.march.sudo()._unguarded().retry_at = fields.Datetime.now()
        self.run_cron()
        self.assertEqual(len(self.messages()), 1)
        self.assertFalse(self.march.to_compare or self.march.retry_at)

    def test_month_that_waits_keeps_no_other_back(self):
        self.create_bill([(self.expense_account, 7.0, {})], day="2025-02-01")
        february = self.env["customer.cost.period"]._get(self.company, date(2025, 2, 1))
        capture = type(self.env["customer.cost.capture"])
        sync = capture._sync_period_unlocked

        def busy(self, company, first, last):
            return (0, False) if first == date(2025, 3, 1) else sync(self, company, first, last)

        with patch.object(capture, "_sync_period_unlocked", busy):
            self.run_cron()
            self.assertTrue(february.compared_at)
            self.assertFalse(self.march.to_compare)
            retry_at = self.march.retry_at
            self.assertGreater(retry_at, fields.Datetime.now())
            self.run_cron()
            self.assertEqual(self.march.retry_at, retry_at)
            # the next night goes over every month, whoever still waits
            compared = self.env["customer.cost.period"].search([("compared_at", "!=", False)])
            compared.sudo()._unguarded().compared_at = "2025-01-01 00:00:00"
            self.run_cron()
        self.assertGreater(february.compared_at, datetime(2025, 1, 1))

    def test_month_with_a_document_left_out_is_taken_up_again(self):
        """What was free follows and is told; the rest follows with the next call, and so is it."""
        other = self.create_bill([(self.expense_account, 9.0, {})])
        self.change(self.travel, 70.0)
        self.change(other.invoice_line_ids, 8.0)
        capture = type(self.env["customer.cost.capture"])
        lock, held = capture._lock_moves, []

        def lock_but_one(self, move_ids, skip_locked=False):
            found = lock(self, move_ids, skip_locked)
            if other.id in found and not held:
                held.append(other.id)
                found.remove(other.id)
            return found

        with patch.object(capture, "_lock_moves", lock_but_one):
            self.env["customer.cost.period"].sudo()._queue_months()
            self.assertFalse(self.march.sudo()._compare())
            self.assertTrue(self.march.to_compare)
            self.assertEqual(sum(self.ledger(other).values()), 9.0)
            self.assertEqual(self.ledger(self.bill)[self.day(self.travel, self.customer_a)], 70.0)
            self.run_cron()
        self.assertEqual(sum(self.ledger(other).values()), 8.0)
        self.assertFalse(self.march.to_compare)
        first, second = self.messages()
        self.assertNotIn(other.name, first)
        self.assertIn(other.name, second)

    def test_language_of_the_company(self):
        self.env["res.lang"]._activate_lang("zh_CN")
        self.company.partner_id.lang = "zh_CN"
        self.change(self.travel, 70.0)
        self.run_cron()
        self.assertFalse(self.messages())
        self.assertIn("采集之后账簿或科目映射发生了变化", self.march.message_ids[0].body)

    @mute_logger("odoo.addons.customer_cost.models.customer_cost_period_compare")
    def test_failure_is_told_and_the_other_months_go_on(self):
        self.change(self.travel, 70.0)
        self.create_bill([(self.expense_account, 7.0, {})], day="2025-02-01")
        capture = type(self.env["customer.cost.capture"])
        sync = capture._sync_period_unlocked

        def broken(self, company, first, last):
            sync(self, company, first, last)
            if first == date(2025, 3, 1):
                raise ValueError("Not now")

        before = self.ledger()
        with patch.object(capture, "_sync_period_unlocked", broken):
            self.run_cron()
        self.assertEqual(self.ledger(), before)
        self.assertIn("failed: Not now. Nothing was changed", self.messages()[0])
        february = self.env["customer.cost.period"]._get(self.company, date(2025, 2, 1))
        self.assertTrue(february.compared_at)

    def test_branches_have_months_of_their_own(self):
        branch = self.env["res.company"].create({"name": "Branch", "parent_id": self.company.id})
        self.env.cr.precommit.run()  # load the chart
        bill = self.create_bill([(self.expense_account, 7.0, {})], company_id=branch.id)
        self.change(bill.invoice_line_ids, 5.0)
        self.run_cron()
        period = self.env["customer.cost.period"]._get(branch, date(2025, 3, 1))
        self.assertEqual(len(self.messages(period)), 1)
        self.assertFalse(self.messages())

    def test_marks_cannot_be_forged(self):
        for name, value in (
            ("to_compare", True),
            ("retry_at", "2025-01-01 00:00:00"),
            ("compared_at", "2025-01-01 00:00:00"),
            ("named_differences", "x"),
        ):
            with self.subTest(name), self.assertRaises(AccessError):
                self.rpc(
                    self.users["manager"],
                    "customer.cost.period",
                    "write",
                    self.march.ids,
                    {name: value},
                )
