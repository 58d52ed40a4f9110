from datetime import date

from odoo.tests import tagged

from .capture_oracle import CaptureOracle


@tagged("post_install", "-at_install")
class TestCaptureHealing(CaptureOracle):
    """What no hook sees is healed by the next comparison; what is posted may still change."""

    def test_accounts_merged_in_sql_are_healed(self):
        bill = self.create_bill([(self.unmapped_account, 100.0, {})])
        self.assertFalse(self.ledger(bill))
        self.env["account.merge.wizard"]._action_merge(self.expense_account | self.unmapped_account)
        self.assertEqual(self.env["customer.cost.capture"]._sync(bill.ids), 1)
        self.assertLedgerIsTarget(bill, "merged")
        self.assertEqual(
            self.ledger(bill), {(self.env["res.partner"], self.item, date(2025, 3, 10)): 100.0}
        )

    def test_a_line_deleted_in_sql_is_healed(self):
        move = self.create_entry_move(
            [(self.expense_account, 100.0, {}), (self.other_account, 50.0, {})]
        )
        self.env.cr.execute(
            "DELETE FROM account_move_line WHERE id = %s", (self.cost_lines(move)[0].id,)
        )
        self.env.invalidate_all()
        self.env["customer.cost.capture"]._sync(move.ids)
        self.assertLedgerIsTarget(move, "deleted")

    def test_a_line_moved_to_another_document_is_counted_once(self):
        source = self.create_entry_move(
            [(self.expense_account, 100.0, {}), (self.other_account, 50.0, {})]
        )
        target = self.create_entry_move([(self.expense_account, 7.0, {})], day="2025-05-01")
        self.env.cr.execute(
            "UPDATE account_move_line SET move_id = %s WHERE id = %s",
            (target.id, self.cost_lines(source)[0].id),
        )
        self.env.invalidate_all()
        for move in (target, source, target):
            self.env["customer.cost.capture"]._sync(move.ids)
        self.assertLedgerIsTarget(source | target, "moved")

    def test_a_customer_that_moves_below_a_parent_is_healed(self):
        bill = self.create_bill(
            [(self.expense_account, 100.0, {"cost_customer_id": self.customer_b.id})]
        )
        self.customer_b.write({"is_company": False, "parent_id": self.customer_c.id})
        self.env["customer.cost.capture"]._sync(bill.ids)
        self.assertLedgerIsTarget(bill, "parent")
        self.assertEqual(
            self.ledger(bill), {(self.customer_c, self.item, date(2025, 3, 10)): 100.0}
        )

    def test_date_of_a_posted_document_changed(self):
        move = self.create_entry_move([(self.expense_account, 100.0, {})], day="2025-03-10")
        move.with_context(skip_readonly_check=True).date = "2025-03-20"
        self.assertLedgerIsTarget(move, "date")
        bill = self.create_bill([(self.expense_account, 100.0, {})], day="2025-03-10")
        bill.with_context(skip_readonly_check=True).invoice_date = "2025-03-21"
        self.assertEqual(bill.date, date(2025, 3, 31))
        self.assertLedgerIsTarget(bill, "invoice date")

    def test_a_line_added_to_a_posted_document(self):
        move = self.create_entry_move([(self.expense_account, 100.0, {})])
        move.with_context(skip_readonly_check=True).line_ids = [
            (0, 0, {"account_id": self.other_account.id, "balance": 30.0}),
            (0, 0, {"account_id": self.expense_account.id, "balance": -30.0}),
        ]
        self.assertLedgerIsTarget(move, "added")

    def test_a_line_deleted_from_a_posted_document(self):
        move = self.create_entry_move(
            [(self.expense_account, 100.0, {}), (self.other_account, 50.0, {})]
        )
        line = self.cost_lines(move).filtered(lambda line: line.balance == 50.0)
        counterpart = move.line_ids - self.cost_lines(move)
        move.with_context(force_delete=True, skip_readonly_check=True).line_ids = [
            (2, line.id, 0),
            (1, counterpart.id, {"balance": -100.0}),
        ]
        self.assertLedgerIsTarget(move, "deleted")
