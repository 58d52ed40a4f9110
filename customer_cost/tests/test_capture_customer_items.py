from .generated_common import DAY, GeneratedCommon


class TestCaptureCustomerItems(GeneratedCommon):
    """Bank, cash, sale and miscellaneous items of a customer are direct."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.customer_a.customer_rank = 1

    def test_write_off_of_a_payment(self):
        invoice = self.create_sale(self.customer_a)
        wizard = (
            self.env["account.payment.register"]
            .with_context(active_model="account.move", active_ids=invoice.ids)
            .create(
                {
                    "payment_date": DAY,
                    "amount": 97.5,
                    "payment_difference_handling": "reconcile",
                    "writeoff_account_id": self.expense_account.id,
                    "writeoff_label": "Bank charges",
                }
            )
        )
        payment = wizard._create_payments().move_id
        self.assertEqual(self.ledger(payment), {(self.customer_a, self.item, DAY): 2.5})

    def test_write_off_of_a_vendor_payment_is_indirect(self):
        bill = self.create_bill([(self.unmapped_account, 100.0, {})])
        wizard = (
            self.env["account.payment.register"]
            .with_context(active_model="account.move", active_ids=bill.ids)
            .create(
                {
                    "payment_date": DAY,
                    "amount": 97.5,
                    "payment_difference_handling": "reconcile",
                    "writeoff_account_id": self.expense_account.id,
                }
            )
        )
        payment = wizard._create_payments().move_id
        self.assertEqual(self.ledger(payment), {(self.pool, self.item, DAY): -2.5})

    def statement_line(self, journal, partner):
        line = self.env["account.bank.statement.line"].create(
            {
                "journal_id": journal.id,
                "date": DAY,
                "payment_ref": "Fee",
                "amount": -12.0,
                "partner_id": partner.id,
            }
        )
        suspense = line.move_id.line_ids.filtered(
            lambda item: item.account_id == journal.suspense_account_id
        )
        suspense.account_id = self.expense_account
        return line.move_id

    def test_fee_on_a_bank_and_on_a_cash_statement(self):
        for name in ("default_journal_bank", "default_journal_cash"):
            move = self.statement_line(self.company_data[name], self.customer_a)
            self.assertEqual(move.state, "posted")
            self.assertEqual(self.ledger(move), {(self.customer_a, self.item, DAY): 12.0}, name)

    def test_fee_without_customer_is_indirect(self):
        move = self.statement_line(self.company_data["default_journal_bank"], self.vendor)
        self.assertEqual(self.ledger(move), {(self.pool, self.item, DAY): 12.0})

    def test_miscellaneous_entry(self):
        move = self.create_entry_move(
            [(self.expense_account, 30.0, {"partner_id": self.customer_a.id})]
        )
        self.assertEqual(self.ledger(move), {(self.customer_a, self.item, DAY): 30.0})

    def test_cost_on_a_customer_invoice(self):
        invoice = self.create_sale(self.customer_a, post=False)
        invoice.invoice_line_ids.account_id = self.expense_account
        invoice.action_post()
        self.assertEqual(self.ledger(invoice), {(self.customer_a, self.item, DAY): -100.0})

    def test_exchange_difference_of_a_customer(self):
        foreign = self.setup_other_currency("CHF", rates=[("2025-01-01", 2.0), ("2025-03-20", 2.5)])
        self.company.expense_currency_exchange_account_id = self.expense_account
        invoice = self.create_sale(self.customer_a, price=1000.0, currency_id=foreign.id)
        payment = (
            self.env["account.payment.register"]
            .with_context(active_model="account.move", active_ids=invoice.ids)
            .create({"payment_date": "2025-03-20", "currency_id": foreign.id})
            ._create_payments()
        )
        self.assertTrue(payment)
        exchange = invoice.line_ids.matched_credit_ids.exchange_move_id
        self.assertEqual(exchange.state, "posted")
        # 500.00 invoiced, 400.00 received.
        [(key, amount)] = self.by_customer(exchange).items()
        self.assertEqual((key, amount), ((self.customer_a, self.item), 100.0))
