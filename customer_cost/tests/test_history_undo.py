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

    def test_undo_keeps_what_lies_after_the_start(self):
        history = self.bring_in(date_to="2025-04-30")
        history.action_undo()
        self.run_cron()
        self.assertEqual(self.ledger(), self.of_months(4))

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
