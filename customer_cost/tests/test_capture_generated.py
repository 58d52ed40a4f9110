from odoo.fields import Command

from .generated_common import DAY, GeneratedCommon


class TestCaptureGeneratedLines(GeneratedCommon):
    """Non-deductible parts, discounts and rounding follow the lines they come from."""

    def test_private_part_follows_its_lines(self):
        tax = self.create_tax(self.company_data["default_account_tax_purchase"])
        journal = self.company_data["default_journal_purchase"]
        journal.non_deductible_account_id = self.private_account
        lines = self.taxed(tax, self.customer_a, self.customer_b, deductible_amount=60.0)
        bill = self.create_bill(lines)
        kinds = set(bill.line_ids.mapped("display_type"))
        self.assertLessEqual(
            {"non_deductible_product", "non_deductible_product_total", "non_deductible_tax"}, kinds
        )
        # The private part moves to an account that is an expense as well, its tax comes on top.
        self.assertEqual(
            self.by_customer(bill),
            {(self.customer_a, self.item): 104.0, (self.customer_b, self.other_item): 312.0},
        )
        self.assertSynced(bill)

    def test_private_part_on_the_balance_sheet_is_no_cost(self):
        journal = self.company_data["default_journal_purchase"]
        journal.non_deductible_account_id = self.company_data["default_account_assets"]
        bill = self.create_bill(
            [
                (
                    self.expense_account,
                    100.0,
                    self.for_customer(self.customer_a, deductible_amount=75),
                ),
                (
                    self.expense_account,
                    100.0,
                    self.for_customer(self.customer_b, deductible_amount=50),
                ),
                (self.expense_account, 100.0, self.for_customer(self.customer_c)),
            ]
        )
        self.assertEqual(
            self.by_customer(bill),
            {
                (self.customer_a, self.item): 75.0,
                (self.customer_b, self.item): 50.0,
                (self.customer_c, self.item): 100.0,
            },
        )
        self.assertSynced(bill)

    def test_discount_on_its_own_account_lowers_the_cost_it_was_given_on(self):
        self.company.account_discount_income_allocation_id = self.private_account
        bill = self.create_bill(
            [
                (self.expense_account, 100.0, self.for_customer(self.customer_a, discount=10)),
                (self.expense_account, 100.0, self.for_customer(self.customer_b, discount=50)),
                (self.other_account, 80.0, self.for_customer(self.customer_c)),
            ]
        )
        discounts = bill.line_ids.filtered(lambda line: line.display_type == "discount")
        self.assertEqual(sorted(discounts.mapped("balance")), [-60.0, 60.0])
        self.assertEqual(
            self.by_customer(bill),
            {
                (self.customer_a, self.item): 90.0,
                (self.customer_b, self.item): 50.0,
                (self.customer_c, self.other_item): 80.0,
            },
        )
        self.assertEqual(
            self.outcomes(bill),
            {
                (self.expense_account, self.item): 200.0,
                (self.other_account, self.other_item): 80.0,
                (self.private_account, self.item): -60.0,
            },
        )
        self.assertSynced(bill)

    def test_line_given_away_by_its_discount(self):
        self.company.account_discount_income_allocation_id = self.private_account
        bill = self.create_bill(
            [
                (self.expense_account, 100.0, self.for_customer(self.customer_a, discount=100)),
                (self.expense_account, 100.0, self.for_customer(self.customer_b)),
            ]
        )
        self.assertEqual(self.by_customer(bill), {(self.customer_b, self.item): 100.0})
        self.assertSynced(bill)

    def test_discount_on_a_sale_is_in_the_net_sales(self):
        self.map_account(self.private_account, self.item)
        self.company.account_discount_expense_allocation_id = self.private_account
        invoice = self.create_sale(self.customer_a, post=False)
        invoice.invoice_line_ids.discount = 20
        invoice.action_post()
        discount = invoice.line_ids.filtered(lambda line: line.account_id == self.private_account)
        self.assertEqual(discount.balance, 20.0)
        self.assertEqual(self.ledger(invoice), {})
        self.assertEqual(self.outcomes(invoice)[self.private_account, "sale_discount"], 20.0)

    def test_cash_rounding_follows_the_lines(self):
        rounding = self.env["account.cash.rounding"].create(
            {
                "name": "Whole",
                "rounding": 1.0,
                "strategy": "add_invoice_line",
                "rounding_method": "UP",
                "profit_account_id": self.private_account.id,
                "loss_account_id": self.private_account.id,
            }
        )
        bill = self.create_bill(
            [
                (self.expense_account, 100.0, self.for_customer(self.customer_a)),
                (self.other_account, 299.6, self.for_customer(self.customer_b)),
            ],
            invoice_cash_rounding_id=rounding.id,
        )
        self.assertEqual(
            bill.line_ids.filtered(lambda line: line.display_type == "rounding").balance, 0.4
        )
        self.assertEqual(
            self.by_customer(bill),
            {(self.customer_a, self.item): 100.1, (self.customer_b, self.other_item): 299.9},
        )
        self.assertSynced(bill)

    def test_a_line_that_nothing_stands_behind_is_what_its_account_says(self):
        bill = self.create_bill([(self.expense_account, 100.0, {})], post=False)
        bill.action_post()
        self.env.cr.execute(
            "UPDATE account_move_line SET display_type = 'tax' WHERE id = %s",
            bill.invoice_line_ids.ids,
        )
        self.env.invalidate_all()
        self.assertSynced(bill)
        self.assertEqual(self.by_customer(bill), {(self.pool, self.item): 100.0})


class TestCaptureEarlyPayment(GeneratedCommon):
    """An early payment discount follows the bill it was taken on."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.terms = cls.env["account.payment.term"].create(
            {
                "name": "10 % within ten days",
                "early_discount": True,
                "discount_percentage": 10,
                "discount_days": 10,
                "early_pay_discount_computation": "excluded",
            }
        )
        cls.company.account_journal_early_pay_discount_gain_account_id = cls.private_account
        cls.company.account_journal_early_pay_discount_loss_account_id = cls.private_account

    def lines(self, **vals):
        return [
            (self.expense_account, 100.0, self.for_customer(self.customer_a, **vals)),
            (self.other_account, 300.0, self.for_customer(self.customer_b, **vals)),
        ]

    def pay(self, document):
        wizard = (
            self.env["account.payment.register"]
            .with_context(active_model="account.move", active_ids=document.ids)
            .create({"payment_date": DAY})
        )
        payment = wizard._create_payments()
        self.assertEqual(document.amount_residual, 0.0)
        self.assertIn(self.private_account, payment.move_id.line_ids.account_id)
        return payment.move_id

    def test_discount_taken_on_a_bill_lowers_its_costs(self):
        bill = self.create_bill(self.lines(), invoice_payment_term_id=self.terms.id)
        payment = self.pay(bill)
        self.assertEqual(
            self.by_customer(payment),
            {(self.customer_a, self.item): -10.0, (self.customer_b, self.other_item): -30.0},
        )
        bill.invoice_line_ids[0].cost_customer_id = self.customer_c
        self.assertEqual(
            self.by_customer(payment),
            {(self.customer_c, self.item): -10.0, (self.customer_b, self.other_item): -30.0},
        )
        self.assertSynced(bill | payment)

    def test_payment_taken_back(self):
        bill = self.create_bill(self.lines(), invoice_payment_term_id=self.terms.id)
        payment = self.pay(bill)
        payment.origin_payment_id.action_draft()
        self.assertEqual(self.ledger(payment), {})

    def test_discount_a_customer_takes_is_direct(self):
        self.map_account(self.private_account, self.item)
        invoice = self.create_sale(
            self.customer_a, invoice_payment_term_id=self.terms.id, post=False
        )
        invoice.action_post()
        self.customer_a.customer_rank = 1
        payment = self.pay(invoice)
        self.assertEqual(self.by_customer(payment), {(self.customer_a, self.item): 10.0})

    def test_lines_of_a_mixed_discount_on_the_bill_cancel_out(self):
        self.terms.early_pay_discount_computation = "mixed"
        tax = self.create_tax(self.tax_account)
        bill = self.create_bill(
            self.lines(tax_ids=[Command.set(tax.ids)]), invoice_payment_term_id=self.terms.id
        )
        epd = bill.line_ids.filtered(lambda line: line.display_type == "epd")
        self.assertTrue(epd)
        self.assertEqual(sum(epd.mapped("balance")), 0.0)
        self.assertEqual(
            self.by_customer(bill),
            {(self.customer_a, self.item): 109.0, (self.customer_b, self.other_item): 327.0},
        )
        self.assertSynced(bill)
