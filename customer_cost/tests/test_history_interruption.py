from contextlib import suppress
from unittest.mock import patch

from psycopg2.errors import SerializationFailure

from odoo.exceptions import UserError
from odoo.tests import tagged

from .history_common import HistoryCommon


@tagged("post_install", "-at_install")
class TestHistoryInterruption(HistoryCommon):
    """Killed, failed, stopped or closed: continued, the ledger is the same."""

    def test_killed_in_the_middle_and_continued(self):
        history = self.create_history()
        history.action_start()
        # assertRaises would undo what was committed before the interruption
        with self.interrupt(2, KeyboardInterrupt()), suppress(KeyboardInterrupt):
            with self.enter_registry_test_mode(), self.env.registry.cursor() as cr:
                self.env(cr=cr, su=True)["customer.cost.history"]._cron_process()
        self.env.invalidate_all()
        self.assertEqual(self.states(history), [(3, "done"), (2, "waiting"), (1, "waiting")])
        self.assertEqual(self.ledger(), self.of_months(3, 4))
        self.run_cron()
        self.assertEqual(history.state, "done")
        self.assertEqual(self.ledger(), self.of_months(1, 2, 3, 4))

    def test_failed_month_says_why_and_the_others_go_on(self):
        history = self.create_history()
        history.action_start()
        with self.interrupt(2, UserError("The account of it is broken")):
            self.run_cron()
        self.assertEqual(self.states(history), [(3, "done"), (2, "failed"), (1, "done")])
        self.assertEqual(history.month_ids[1].message, "The account of it is broken")
        self.assertRecordValues(history, [{"state": "done", "trouble_count": 1}])
        self.assertEqual(self.ledger(), self.of_months(1, 3, 4))
        history.action_start()
        self.run_cron()
        self.assertEqual(self.ledger(), self.of_months(1, 2, 3, 4))
        self.assertRecordValues(history, [{"state": "done", "trouble_count": 0}])

    def test_month_that_met_another_transaction_is_tried_again(self):
        history = self.create_history()
        history.action_start()
        with (
            self.interrupt(2, SerializationFailure()),
            patch.object(type(history), "_trigger_cron") as trigger,
        ):
            self.run_cron()
        self.assertTrue(trigger.called)
        self.assertEqual(self.states(history), [(3, "done"), (2, "waiting"), (1, "waiting")])
        self.assertEqual(self.ledger(), self.of_months(3, 4))
        self.run_cron()
        self.assertEqual(self.ledger(), self.of_months(1, 2, 3, 4))

    def test_stopped_after_the_month_in_hand_and_continued(self):
        history = self.create_history()
        history.action_start()
        process = type(history.month_ids)._process

        def stop_then(month):
            done = process(month)
            month.history_id.action_stop()
            return done

        with patch.object(type(history.month_ids), "_process", stop_then):
            self.run_cron()
        self.assertEqual(history.state, "stopped")
        self.assertEqual(self.states(history), [(3, "done"), (2, "waiting"), (1, "waiting")])
        self.run_cron()
        self.assertEqual(self.ledger(), self.of_months(3, 4))
        history.action_start()
        self.run_cron()
        self.assertEqual(self.ledger(), self.of_months(1, 2, 3, 4))

    def test_closed_period_is_not_brought_in_until_it_is_reopened(self):
        period = self.close("2025-02-01")
        history = self.bring_in()
        self.assertEqual(self.states(history), [(3, "done"), (2, "closed"), (1, "done")])
        self.assertIn("2025-02 is closed. Reopen it", history.month_ids[1].message)
        self.assertEqual(self.ledger(), self.of_months(1, 3, 4))
        self.assertFalse(self.differences())
        period.sudo()._unguarded().state = "open"
        history.action_start()
        self.run_cron()
        self.assertEqual(self.ledger(), self.of_months(1, 2, 3, 4))
