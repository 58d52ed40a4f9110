from odoo.exceptions import UserError
from odoo.tests import tagged

from .history_common import HistoryCommon


@tagged("post_install", "-at_install")
class TestHistoryUndo(HistoryCommon):
    """What a history brought in goes out again, and stays out."""

    def test_undo_returns_to_nothing(self):
        history = self.bring_in()
        lines = self.env["customer.cost.line"].search([("company_id", "=", self.company.id)])
        history.action_undo()
        self.assertEqual(history.state, "undoing")
        self.run_cron()
        self.assertEqual(history.state, "undone")
        self.assertEqual(self.ledger(), self.of_months(4))
        self.assertEqual(lines.exists(), lines, "the ledger is append-only")
        entries = self.env["customer.cost.entry"].search(
            [("source_move_id", "in", self.bills[:3].ids)]
        )
        self.assertEqual(set(entries.mapped("state")), {"withdrawn"})

    def test_what_was_undone_is_not_pulled_in_again(self):
        history = self.bring_in()
        history.action_undo()
        self.run_cron()
        self.assertFalse(self.differences())
        self.sync_everything()
        self.bills[0].invoice_line_ids[0].cost_customer_id = self.customer_b
        self.run_cron()
        self.assertEqual(self.ledger(), self.of_months(4))

    def test_posted_runs_of_the_months_are_reversed_by_a_manager_alone(self):
        history = self.bring_in()
        self.create_rule(self.create_driver({self.customer_a: 1}, day="2025-02-28"))
        run, kept = self.create_run("2025-02-28", post=True), self.create_run("2025-04-30")
        kept.action_post()
        accountant = self.users["accountant"]
        with self.assertRefused("Posted runs allocate the costs of these months: .*2025"):
            history.with_user(accountant).action_undo()
        self.assertEqual(run.state, "posted")
        history.with_user(self.users["manager"]).action_undo()
        self.assertEqual((run.state, kept.state), ("reversed", "posted"))

    def test_runs_of_a_month_that_another_history_holds_stay(self):
        self.bring_in(date_from="2025-02-01")
        second = self.bring_in()
        self.create_rule(self.create_driver({self.customer_a: 1}, day="2025-02-28"))
        run = self.create_run("2025-02-28", post=True)
        second.action_undo()
        self.assertEqual(run.state, "posted")

    def test_undone_and_brought_in_again(self):
        history = self.bring_in()
        history.action_undo()
        self.run_cron()
        self.bring_in()
        self.assertEqual(self.ledger(), self.of_months(1, 2, 3, 4))
        self.assertFalse(self.differences())

    def test_what_another_history_brought_in_stays(self):
        first = self.bring_in(date_from="2025-03-01")
        second = self.bring_in()
        second.action_undo()
        self.run_cron()
        self.assertEqual(self.ledger(), self.of_months(3, 4))
        first.action_undo()
        self.run_cron()
        self.assertEqual(self.ledger(), self.of_months(4))

    def test_undo_keeps_and_names_what_lies_after_the_start(self):
        history = self.bring_in(date_to="2025-04-30")
        self.assertEqual(str(history.kept_from), "2025-04-01")
        kept = history.month_ids[0]
        self.assertEqual(kept.remark, "Captured with or without a history: cannot be undone")
        self.assertFalse(any(history.month_ids[1:].mapped("remark")))
        answer = history.action_undo()
        self.assertRegex(answer["params"]["message"], r"04/01/2025 to 04/30/2025 stays as it is")
        self.run_cron()
        self.assertEqual(
            self.states(history), [(4, "done"), (3, "undone"), (2, "undone"), (1, "undone")]
        )
        # what is captured anyway does not keep the history done
        self.assertEqual(history.state, "undone")
        self.assertEqual(self.ledger(), self.of_months(4))
        history.unlink()
        self.assertEqual(self.ledger(), self.of_months(4))

    def test_undo_of_what_is_captured_anyway_is_refused(self):
        history = self.bring_in(date_from="2025-04-01", date_to="2025-04-30")
        with self.assertRefused("nothing in that could be undone. 04/01/2025 to 04/30/2025 stays"):
            history.action_undo()
        self.assertEqual((history.state, history.month_ids.state), ("done", "done"))

    def test_undo_in_a_company_that_captures_everything_is_refused(self):
        history = self.bring_in()
        self.company.customer_cost_start_date = False
        with self.assertRefused("could be undone. 01/01/2025 to 03/31/2025 stays as it is"):
            history.action_undo()

    def test_undo_of_the_days_before_a_start_within_the_month(self):
        self.company.customer_cost_start_date = "2025-03-20"
        self.create_bill([(self.expense_account, 9.0, {})], day="2025-03-25")
        before = self.ledger()
        history = self.bring_in()
        self.assertEqual(
            [str(month.date_to) for month in history.month_ids[:2]], ["2025-03-31", "2025-03-19"]
        )
        history.action_undo()
        self.run_cron()
        self.assertEqual(
            [month.state for month in history.month_ids], ["done", "undone", "undone", "undone"]
        )
        self.assertEqual(self.ledger(), before)

    def test_undo_while_a_period_is_closed_is_refused(self):
        history = self.bring_in()
        self.close("2025-02-01")
        with self.assertRefused("These cost periods are closed: 2025-02. Reopen them"):
            history.action_undo()
        self.assertEqual(history.state, "done")

    def test_period_closed_before_its_month_was_undone(self):
        history = self.bring_in()
        history.action_undo()
        self.close("2025-02-01")
        self.run_cron()
        self.assertEqual(self.states(history), [(3, "undone"), (2, "done"), (1, "undone")])
        self.assertIn("These cost periods are closed: 2025-02", history.month_ids[1].message)
        self.assertEqual(self.ledger(), self.of_months(2, 4))

    def test_failed_undo_says_why_and_can_be_repeated(self):
        history = self.bring_in()
        history.action_undo()
        with self.interrupt(2, UserError("Not now")):
            self.run_cron()
        self.assertEqual(self.states(history), [(3, "undone"), (2, "done"), (1, "undone")])
        self.assertEqual((history.state, history.month_ids[1].message), ("done", "Not now"))
        self.assertEqual(self.ledger(), self.of_months(2, 4))
        history.action_undo()
        self.run_cron()
        self.assertEqual(history.state, "undone")
        self.assertEqual(self.ledger(), self.of_months(4))
