from datetime import date

from odoo.fields import Command

from .common import CustomerCostCommon

DAY = date(2025, 3, 10)


class GeneratedCommon(CustomerCostCommon):
    """Bills for two customers and two cost items, with what Odoo adds to them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.pool = cls.env["res.partner"]
        cls.private_account, cls.tax_account = cls.env["account.account"].create(
            [
                {
                    "name": name,
                    "code": code,
                    "account_type": "expense",
                    "company_ids": [Command.set(cls.company.ids)],
                }
                for name, code in (("Private", "T60011"), ("Tax not recovered", "T60012"))
            ]
        )

    @classmethod
    def create_tax(cls, account=None, amount=10.0, **vals):
        """Purchase tax that is a cost: on ``account``, or else on the account of its base."""
        repartition = [
            Command.clear(),
            Command.create({"repartition_type": "base"}),
            Command.create(
                {"repartition_type": "tax", "account_id": account.id if account else False}
            ),
        ]
        return cls.env["account.tax"].create(
            {
                "name": f"Not recoverable {amount} {cls.env['account.tax'].search_count([])}",
                "amount": amount,
                "type_tax_use": "purchase",
                "company_id": cls.company.id,
                "invoice_repartition_line_ids": repartition,
                "refund_repartition_line_ids": repartition,
                **vals,
            }
        )

    def for_customer(self, customer, **vals):
        return {"cost_customer_id": customer.id, **vals}

    def taxed(self, tax, *customers, **vals):
        return [
            (
                account,
                amount,
                {"cost_customer_id": customer.id, "tax_ids": [Command.set(tax.ids)], **vals},
            )
            for (account, amount), customer in zip(
                ((self.expense_account, 100.0), (self.other_account, 300.0)), customers, strict=True
            )
        ]

    def by_customer(self, moves):
        """Ledger as (customer, item) to amount, whatever the month."""
        sums = {}
        for (customer, item, _day), amount in self.ledger(moves).items():
            sums[customer, item] = round(sums.get((customer, item), 0) + amount, 3)
        return {key: amount for key, amount in sums.items() if amount}

    def assertSynced(self, moves):
        """Another comparison adds nothing, and every amount is the journal item's."""
        self.assertEqual(self.env["customer.cost.capture"]._sync(moves.ids), 0)
        for entry in self.env["customer.cost.entry"].search([("source_move_id", "in", moves.ids)]):
            self.assertEqual(
                round(sum(entry.line_ids.mapped("amount")), 3), round(entry.amount_company, 3)
            )
        captured = self.env["customer.cost.entry"]._read_group(
            [("source_move_id", "in", moves.ids), ("state", "=", "captured")],
            ["source_line_id"],
            ["amount_company:sum"],
        )
        for line_id, amount in captured:
            line = self.env["account.move.line"].browse(line_id)
            self.assertEqual(round(amount, 3), line.balance, line.name)


class TestCaptureTax(GeneratedCommon):
    """Tax that cannot be recovered costs whom its base lines cost."""

    def test_tax_on_its_own_account_follows_its_base_lines(self):
        tax = self.create_tax(self.tax_account)
        bill = self.create_bill(self.taxed(tax, self.customer_a, self.customer_b))
        tax_lines = bill.line_ids.filtered("tax_line_id")
        self.assertEqual((len(tax_lines), tax_lines.balance), (1, 40.0))
        self.assertFalse(tax_lines.cost_customer_id)
        self.assertEqual(
            self.ledger(bill),
            {
                (self.customer_a, self.item, DAY): 110.0,
                (self.customer_b, self.other_item, DAY): 330.0,
            },
        )
        self.assertSynced(bill)
        self.assertEqual(
            self.outcomes(bill),
            {
                (self.expense_account, self.item): 100.0,
                (self.other_account, self.other_item): 300.0,
                (self.tax_account, self.item): 10.0,
                (self.tax_account, self.other_item): 30.0,
            },
        )

    def test_a_mapped_tax_account_does_not_take_the_tax_from_its_base(self):
        self.map_account(self.tax_account, self.admin_item)
        tax = self.create_tax(self.tax_account)
        bill = self.create_bill(self.taxed(tax, self.customer_a, self.customer_b))
        self.assertEqual(
            self.by_customer(bill),
            {(self.customer_a, self.item): 110.0, (self.customer_b, self.other_item): 330.0},
        )

    def test_tax_on_the_account_of_its_base(self):
        tax = self.create_tax()
        bill = self.create_bill(self.taxed(tax, self.customer_a, self.customer_b))
        self.assertEqual(len(bill.line_ids.filtered("tax_line_id")), 2)
        self.assertEqual(
            self.by_customer(bill),
            {(self.customer_a, self.item): 110.0, (self.customer_b, self.other_item): 330.0},
        )

    def test_cents_of_the_tax_add_up(self):
        tax = self.create_tax(self.tax_account)
        lines = [
            (
                self.expense_account,
                0.37,
                {"cost_customer_id": customer.id, "tax_ids": [Command.set(tax.ids)]},
            )
            for customer in (self.customer_a, self.customer_b, self.customer_c)
        ]
        bill = self.create_bill(lines)
        self.assertEqual(bill.line_ids.filtered("tax_line_id").balance, 0.11)
        self.assertEqual(
            self.by_customer(bill),
            {
                (self.customer_a, self.item): 0.41,
                (self.customer_b, self.item): 0.41,
                (self.customer_c, self.item): 0.40,
            },
        )
        self.assertSynced(bill)

    def test_tax_of_a_distribution_follows_its_customers(self):
        plan = self.env["account.analytic.plan"].create({"name": "Customers"})
        self.company.customer_cost_plan_id = plan
        accounts = self.env["account.analytic.account"].create(
            [
                {"name": "Account", "plan_id": plan.id, "partner_id": partner.id}
                for partner in (self.customer_a, self.customer_b)
            ]
        )
        tax = self.create_tax(self.tax_account)
        vals = {
            "tax_ids": [Command.set(tax.ids)],
            "analytic_distribution": {str(accounts[0].id): 25, str(accounts[1].id): 50},
        }
        bill = self.create_bill([(self.expense_account, 100.0, vals)])
        bill.invoice_line_ids.analytic_distribution = {str(accounts[1].id): 50}
        self.assertEqual(
            self.by_customer(bill),
            {(self.customer_b, self.item): 55.0, (self.pool, self.item): 55.0},
        )
        self.assertSynced(bill)

    def test_own_fields_of_a_tax_line_come_first(self):
        tax = self.create_tax(self.tax_account)
        bill = self.create_bill(self.taxed(tax, self.customer_a, self.customer_b))
        tax_line = bill.line_ids.filtered("tax_line_id")
        tax_line.cost_customer_id = self.customer_c
        self.assertEqual(
            self.by_customer(bill),
            {
                (self.customer_a, self.item): 100.0,
                (self.customer_b, self.other_item): 300.0,
                (self.customer_c, self.item): 10.0,
                (self.customer_c, self.other_item): 30.0,
            },
        )
        tax_line.write({"cost_customer_id": False, "cost_item_id": self.admin_item.id})
        self.assertEqual(
            self.by_customer(bill),
            {
                (self.customer_a, self.item): 100.0,
                (self.customer_b, self.other_item): 300.0,
                (self.customer_a, self.admin_item): 10.0,
                (self.customer_b, self.admin_item): 30.0,
            },
        )

    def test_tax_on_goods_is_cost_of_sales(self):
        goods = self.env["product.product"].create({"name": "Goods", "type": "consu"})
        if "is_storable" in goods:
            goods.is_storable = True
        tax = self.create_tax(self.tax_account)
        self.map_account(self.tax_account, self.item)
        (first, second) = self.taxed(tax, self.customer_a, self.customer_b)
        second[2]["product_id"] = goods.id
        bill = self.create_bill([first, second])
        self.assertEqual(self.by_customer(bill), {(self.customer_a, self.item): 110.0})
        self.assertEqual(self.outcomes(bill)[self.tax_account, "cost_of_sales"], 30.0)

    def test_tax_on_an_asset_is_what_its_account_says(self):
        tax = self.create_tax(self.tax_account)
        (first, second) = self.taxed(tax, self.customer_a, self.customer_b)
        asset = self.company_data["default_account_assets"]
        bill = self.create_bill([first, (asset, *second[1:])])
        self.assertEqual(self.by_customer(bill), {(self.customer_a, self.item): 110.0})
        self.map_account(self.tax_account, self.admin_item)
        self.env["customer.cost.capture"]._sync(bill.ids)
        self.assertEqual(
            self.by_customer(bill),
            {(self.customer_a, self.item): 110.0, (self.customer_b, self.admin_item): 30.0},
        )

    def test_tax_of_a_line_left_out_is_left_out(self):
        tax = self.create_tax(self.tax_account)
        self.map_account(self.unmapped_account, left_out_reason="Private")
        (first, second) = self.taxed(tax, self.customer_a, self.customer_b)
        bill = self.create_bill([first, (self.unmapped_account, *second[1:])])
        self.assertEqual(self.by_customer(bill), {(self.customer_a, self.item): 110.0})
        self.assertEqual(self.outcomes(bill)[self.tax_account, "Private"], 30.0)

    def test_recoverable_tax_is_no_cost(self):
        tax = self.create_tax(self.company_data["default_account_tax_purchase"])
        bill = self.create_bill(self.taxed(tax, self.customer_a, self.customer_b))
        self.assertEqual(
            self.by_customer(bill),
            {(self.customer_a, self.item): 100.0, (self.customer_b, self.other_item): 300.0},
        )

    def test_taxes_of_a_group(self):
        children = self.create_tax(self.tax_account, 4.0) | self.create_tax(self.tax_account, 6.0)
        group = self.env["account.tax"].create(
            {
                "name": "Group",
                "amount_type": "group",
                "type_tax_use": "purchase",
                "children_tax_ids": [Command.set(children.ids)],
            }
        )
        bill = self.create_bill(self.taxed(group, self.customer_a, self.customer_b))
        self.assertEqual(len(bill.line_ids.filtered("tax_line_id")), 2)
        self.assertEqual(
            self.by_customer(bill),
            {(self.customer_a, self.item): 110.0, (self.customer_b, self.other_item): 330.0},
        )

    def test_tax_follows_a_change_on_the_posted_bill(self):
        tax = self.create_tax(self.tax_account)
        bill = self.create_bill(self.taxed(tax, self.customer_a, self.customer_b))
        bill.invoice_line_ids[1].cost_customer_id = self.customer_a
        bill.invoice_line_ids[0].cost_item_id = self.other_item
        self.assertEqual(self.by_customer(bill), {(self.customer_a, self.other_item): 440.0})
        self.assertSynced(bill)

    def test_service_period_of_the_base_is_that_of_the_tax(self):
        tax = self.create_tax(self.tax_account)
        bill = self.create_bill(
            self.taxed(
                tax,
                self.customer_a,
                self.customer_b,
                cost_service_from="2025-01-01",
                cost_service_to="2025-02-28",
            )
        )
        self.assertEqual(
            self.ledger(bill),
            {
                (customer, item, date(2025, month, 1)): amount
                for customer, item, amount in (
                    (self.customer_a, self.item, 55.0),
                    (self.customer_b, self.other_item, 165.0),
                )
                for month in (1, 2)
            },
        )
        self.assertSynced(bill)

    def test_credit_note_mirrors_the_bill(self):
        tax = self.create_tax(self.tax_account)
        bill = self.create_bill(self.taxed(tax, self.customer_a, self.customer_b))
        refund = bill._reverse_moves([{"invoice_date": DAY, "date": DAY}])
        refund.action_post()
        self.assertEqual(
            self.by_customer(refund),
            {(self.customer_a, self.item): -110.0, (self.customer_b, self.other_item): -330.0},
        )
        self.assertEqual(self.ledger(bill | refund), {})

    def test_every_currency_precision(self):
        for code, digits in (("JPY", 0), ("KWD", 3)):
            foreign = (
                self.env["res.currency"]
                .with_context(active_test=False)
                .search([("name", "=", code)])
            )
            foreign.write({"active": True, "rounding": 10**-digits})
            self.env["res.currency.rate"].create(
                {"currency_id": foreign.id, "name": "2025-01-01", "rate": 7.0}
            )
            tax = self.create_tax(self.tax_account)
            bill = self.create_bill(
                self.taxed(tax, self.customer_a, self.customer_b), currency_id=foreign.id
            )
            self.assertSynced(bill)
            entries = self.env["customer.cost.entry"].search([("source_move_id", "=", bill.id)])
            self.assertEqual({entry.currency_id for entry in entries}, {foreign})
            self.assertEqual(round(sum(entries.mapped("amount")), 3), 440.0)
            self.assertEqual(
                set(self.by_customer(bill)),
                {(self.customer_a, self.item), (self.customer_b, self.other_item)},
            )


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
        move.with_context(force_delete=True).unlink()
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
