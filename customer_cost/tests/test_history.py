from datetime import date
from unittest.mock import patch

from odoo.tests import freeze_time, tagged

from .history_common import QUARTER, HistoryCommon


@tagged("post_install", "-at_install")
class TestHistoryStart(HistoryCommon):
    """What was posted before the start waits outside until it is brought in."""

    def test_nothing_before_the_start_is_captured(self):
        self.assertEqual(self.ledger(), self.of_months(4))
        self.sync_everything()
        self.assertEqual(self.ledger(), self.of_months(4))
        self.assertFalse(self.differences())

    def test_posting_or_editing_an_earlier_document_does_not_pull_it_in(self):
        self.bills[0].button_draft()
        self.bills[0].action_post()
        self.bills[1].invoice_line_ids[0].cost_customer_id = self.customer_b
        self.create_bill([(self.expense_account, 9.0, {})], day="2025-03-31")
        self.assertEqual(self.ledger(), self.of_months(4))

    def test_company_without_a_start_captures_everything(self):
        self.company.customer_cost_start_date = False
        self.sync_everything()
        self.assertEqual(self.ledger(), self.of_months(1, 2, 3, 4))

    def test_map_preview_names_what_lies_before_the_start(self):
        preview = self.env["customer.cost.map.preview"].create(
            {"company_id": self.company.id, **QUARTER}
        )
        self.assertEqual(
            {(line.reason, line.amount) for line in preview.line_ids},
            {
                ("Before costs were captured: bring it in under History", 306.0),
                ("Before costs were captured: bring it in under History", 150.0),
            },
        )
        self.assertEqual(preview.total, 456.0)


@tagged("post_install", "-at_install")
class TestHistory(HistoryCommon):
    def test_every_month_is_brought_in_newest_first(self):
        history = self.create_history()
        history.action_start()
        self.assertEqual(history.state, "running")
        self.assertEqual(history.progress, 0.0)
        self.assertEqual(self.states(history), [(3, "waiting"), (2, "waiting"), (1, "waiting")])
        calls = []
        sync = type(self.env["customer.cost.capture"])._sync_period

        def spy(capture, company, first, last, **options):
            calls.append(first.month)
            return sync(capture, company, first, last, **options)

        with patch.object(type(self.env["customer.cost.capture"]), "_sync_period", spy):
            self.run_cron()
        self.assertEqual(calls, [3, 2, 1])
        self.assertEqual(self.ledger(), self.of_months(1, 2, 3, 4))
        self.assertFalse(self.differences())
        self.assertRecordValues(history, [{"state": "done", "progress": 100.0, "line_count": 6}])
        self.assertRecordValues(
            history.month_ids,
            [
                {"state": "done", "line_count": 2, "amount": 153.0},
                {"state": "done", "line_count": 2, "amount": 152.0},
                {"state": "done", "line_count": 2, "amount": 151.0},
            ],
        )

    def test_any_days(self):
        self.create_bill([(self.expense_account, 9.0, {})], day="2025-02-11")
        history = self.bring_in(date_from="2025-01-15", date_to="2025-02-10")
        self.assertEqual(
            [(month.date_from, month.date_to) for month in history.month_ids],
            [
                (date(2025, 2, 1), date(2025, 2, 10)),
                (date(2025, 1, 15), date(2025, 1, 31)),
            ],
        )
        self.assertEqual(self.ledger(), self.of_months(2, 4))
        self.assertFalse(self.differences())

    def test_what_is_posted_later_in_a_month_brought_in_is_captured(self):
        self.bring_in()
        self.bills[0].button_draft()
        self.assertEqual(self.ledger(), self.of_months(2, 3, 4))
        self.bills[0].action_post()
        self.assertEqual(self.ledger(), self.of_months(1, 2, 3, 4))

    def test_days_without_any_posting_are_refused(self):
        history = self.create_history(date_from="2024-02-01", date_to="2024-03-31")
        with self.assertRefused(
            "From 02/01/2024 to 03/31/2024 nothing is posted.*"
            "first posted day is 01/10/2025, its last 04/10/2025"
        ):
            history.action_start()
        self.assertEqual((history.state, len(history.month_ids)), ("draft", 0))
        self.bills.button_draft()
        with self.assertRefused("nothing is posted.*nor on any other day"):
            history.action_start()

    def test_twice_gives_the_same_ledger(self):
        self.bring_in()
        again = self.bring_in()
        self.assertEqual(again.line_count, 0)
        self.assertEqual(self.ledger(), self.of_months(1, 2, 3, 4))

    def test_days_that_were_captured_when_posted_are_not_doubled(self):
        history = self.bring_in(date_to="2025-04-30")
        self.assertEqual(history.month_ids[0].line_count, 0)
        self.assertEqual(self.ledger(), self.of_months(1, 2, 3, 4))

    @freeze_time("2025-05-20")
    def test_default_days_begin_with_the_previous_fiscal_year(self):
        self.company.write({"fiscalyear_last_month": "3", "fiscalyear_last_day": 31})
        defaults = (
            self.env["customer.cost.history"]
            .with_company(self.company)
            .default_get(["date_from", "date_to", "company_id"])
        )
        self.assertEqual(
            (str(defaults["date_from"]), str(defaults["date_to"])), ("2024-04-01", "2025-05-20")
        )

    def test_year_of_monthly_closings_into_equity(self):
        equity = self.env["account.account"].search(
            [("account_type", "=", "equity_unaffected"), ("company_ids", "in", self.company.ids)],
            limit=1,
        )
        for month in (1, 2, 3):
            move = self.create_entry_move(
                [(self.expense_account, -(100.0 + month), {}), (equity, 100.0 + month, {})],
                day=f"2025-{month:02}-28",
            )
            self.assertFalse(self.ledger(move))
        self.bring_in()
        self.assertEqual(self.ledger(), self.of_months(1, 2, 3, 4))
