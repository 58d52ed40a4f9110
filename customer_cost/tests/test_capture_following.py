from datetime import date
from unittest.mock import patch

from .generated_common import DAY, GeneratedCommon


class TestCaptureFollowingMoves(GeneratedCommon):
    """Moves made from others follow them: reversals, cut-offs, cash basis entries."""

    def test_reversal_without_customer_follows_its_origin(self):
        move = self.create_entry_move([(self.expense_account, 100.0, {})])
        reversal = move._reverse_moves([{"date": "2025-04-01"}], cancel=True)
        self.assertEqual(self.by_customer(reversal), {(self.pool, self.item): -100.0})
        line = move.line_ids.filtered(lambda line: line.account_id == self.expense_account)
        line.write({"cost_customer_id": self.customer_a.id, "cost_item_id": self.other_item.id})
        self.assertEqual(self.by_customer(reversal), {(self.customer_a, self.other_item): -100.0})
        self.assertEqual(self.by_customer(move | reversal), {})
        self.assertSynced(move | reversal)

    def test_reversal_of_a_reversal(self):
        move = self.create_entry_move([(self.expense_account, 100.0, {})])
        reversal = move._reverse_moves([{"date": "2025-04-01"}], cancel=True)
        again = reversal._reverse_moves([{"date": "2025-05-01"}], cancel=True)
        line = move.line_ids.filtered(lambda line: line.account_id == self.expense_account)
        line.cost_customer_id = self.customer_a
        self.assertEqual(
            self.ledger(move | reversal | again),
            {
                (self.customer_a, self.item, DAY): 100.0,
                (self.customer_a, self.item, date(2025, 4, 1)): -100.0,
                (self.customer_a, self.item, date(2025, 5, 1)): 100.0,
            },
        )

    def test_customer_of_the_reversal_itself_comes_first(self):
        move = self.create_entry_move(
            [(self.expense_account, 100.0, self.for_customer(self.customer_a))]
        )
        reversal = move._reverse_moves([{"date": "2025-04-01"}], cancel=True)
        line = reversal.line_ids.filtered(lambda line: line.account_id == self.expense_account)
        line.cost_customer_id = self.customer_b
        self.assertEqual(self.by_customer(reversal), {(self.customer_b, self.item): -100.0})

    def test_origin_back_in_draft_and_posted_again(self):
        move = self.create_entry_move([(self.expense_account, 100.0, {})])
        reversal = move._reverse_moves([{"date": "2025-04-01"}])
        reversal.action_post()
        line = move.line_ids.filtered(lambda line: line.account_id == self.expense_account)
        line.cost_customer_id = self.customer_a
        move.button_draft()
        self.assertEqual(self.by_customer(reversal), {(self.pool, self.item): -100.0})
        self.assertSynced(move | reversal)
        move.action_post()
        self.assertEqual(self.by_customer(reversal), {(self.customer_a, self.item): -100.0})

    def test_origin_deleted(self):
        move = self.create_entry_move([(self.expense_account, 100.0, {})])
        reversal = move._reverse_moves([{"date": "2025-04-01"}])
        reversal.action_post()
        line = move.line_ids.filtered(lambda line: line.account_id == self.expense_account)
        line.cost_customer_id = self.customer_a
        capture = type(self.env["customer.cost.capture"])
        with patch.object(
            capture, "_lock_moves", autospec=True, side_effect=capture._lock_moves
        ) as lock:
            move.with_context(force_delete=True).unlink()
        self.assertIn(reversal.ids, [call.args[1] for call in lock.call_args_list])
        self.assertEqual(self.by_customer(reversal), {(self.pool, self.item): -100.0})
        self.assertSynced(reversal)

    def cut_off(self, lines, percentage=100):
        accrual = self.company_data["default_account_assets"]
        wizard = (
            self.env["account.automatic.entry.wizard"]
            .with_context(active_model="account.move.line", active_ids=lines.ids)
            .create(
                {
                    "action": "change_period",
                    "date": "2025-04-30",
                    "percentage": percentage,
                    "journal_id": self.company_data["default_journal_misc"].id,
                    "expense_accrual_account": accrual.id,
                    "revenue_accrual_account": accrual.id,
                }
            )
        )
        return self.env["account.move"].browse(wizard.do_action()["domain"][0][2])

    def test_cut_off_follows_the_bill(self):
        bill = self.create_bill(
            [
                (self.expense_account, 100.0, self.for_customer(self.customer_a)),
                (self.expense_account, 60.0, self.for_customer(self.customer_b)),
            ]
        )
        made = self.cut_off(bill.invoice_line_ids[:1], 50)
        self.assertEqual(len(made), 2)
        self.assertFalse(made.line_ids.cost_customer_id)
        self.assertEqual(self.by_customer(made), {})
        made = self.cut_off(bill.invoice_line_ids[:1])
        self.assertEqual(
            self.ledger(made),
            {
                (self.customer_a, self.item, date(2025, 3, 31)): -100.0,
                (self.customer_a, self.item, date(2025, 4, 30)): 100.0,
            },
        )
        bill.invoice_line_ids[0].write(
            {"cost_customer_id": self.customer_c.id, "cost_item_id": self.other_item.id}
        )
        self.assertEqual(
            self.ledger(made),
            {
                (self.customer_c, self.other_item, date(2025, 3, 31)): -100.0,
                (self.customer_c, self.other_item, date(2025, 4, 30)): 100.0,
            },
        )
        self.assertSynced(bill | made)

    def test_cut_off_does_not_spread_the_service_period_again(self):
        bill = self.create_bill(
            [
                (
                    self.expense_account,
                    120.0,
                    {"cost_service_from": "2025-01-01", "cost_service_to": "2025-12-31"},
                )
            ]
        )
        made = self.cut_off(bill.invoice_line_ids)
        self.assertEqual(
            self.ledger(made),
            {
                (self.pool, self.item, date(2025, 3, 31)): -120.0,
                (self.pool, self.item, date(2025, 4, 30)): 120.0,
            },
        )

    def test_cash_basis_tax_follows_the_bill_when_it_is_paid(self):
        transition = self.company_data["default_account_tax_purchase"].copy()
        transition.reconcile = True
        self.company.tax_exigibility = True
        tax = self.create_tax(
            self.tax_account,
            tax_exigibility="on_payment",
            cash_basis_transition_account_id=transition.id,
        )
        bill = self.create_bill(self.taxed(tax, self.customer_a, self.customer_b))
        expected = {(self.customer_a, self.item): 100.0, (self.customer_b, self.other_item): 300.0}
        self.assertEqual(self.by_customer(bill), expected)
        self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=bill.ids
        ).create({"payment_date": "2025-04-15"})._create_payments()
        cash_basis = bill.tax_cash_basis_created_move_ids
        self.assertEqual(cash_basis.state, "posted")
        taken = {(self.customer_a, self.item): 10.0, (self.customer_b, self.other_item): 30.0}
        self.assertEqual(self.by_customer(cash_basis), taken)
        bill.line_ids.remove_move_reconcile()
        moves = self.env["account.move"].search(
            [
                "|",
                ("tax_cash_basis_origin_move_id", "=", bill.id),
                ("reversed_entry_id", "in", cash_basis.ids),
            ]
        )
        self.assertGreater(len(moves), 1)
        self.assertEqual(self.by_customer(moves), {})
        self.assertSynced(moves | bill)
