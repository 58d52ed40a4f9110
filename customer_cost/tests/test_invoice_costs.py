from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import Form, new_test_user, tagged

from .test_product_cost import ProductCostCommon

ENTRY = "customer.cost.entry"
LINE = "account.move.line"


class InvoiceCostCommon(ProductCostCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.invoice = cls.create_sale(cls.customer_a, quantity=10)  # 1000.00, costs 400.00
        cls.bank = cls.company_data["default_journal_bank"]
        cls.receivable_account = cls.company_data["default_account_receivable"]

    def receivable(self, move):
        return move.line_ids.filtered(
            lambda line: line.account_id.account_type == "asset_receivable"
        )

    def settle(self, invoices, cost=0.0, partner=None, paid=None):
        """Bank entry that settles the invoices less a cost booked beside."""
        partner = partner or self.customer_a
        total = sum(paid or invoice.amount_total for invoice in invoices)
        entry = self.env["account.move"].create(
            {
                "move_type": "entry",
                "journal_id": self.bank.id,
                "date": "2025-03-20",
                "line_ids": [
                    Command.create(
                        {
                            "account_id": account.id,
                            "balance": balance,
                            "partner_id": partner.id,
                            "name": "Settled",
                        }
                    )
                    for account, balance in (
                        (self.bank.default_account_id, total - cost),
                        (self.expense_account, cost),
                        (self.receivable_account, -total),
                    )
                    if balance
                ],
            }
        )
        entry.action_post()
        (self.receivable(invoices) | self.receivable(entry)).reconcile()
        self.env.invalidate_all()
        return entry

    def assertCosts(self, invoice, *amounts):
        """The ledger amounts listed on the invoice, their total and the margin after them."""
        self.env.invalidate_all()
        costs = self.env["account.move"]._get_attributed_costs(invoice.ids)
        found = sorted(float(amount) for _invoice, _entry, amount in costs)
        self.assertEqual(found, sorted(amounts))
        self.assertEqual(
            invoice.customer_cost_entry_ids.ids,
            self.env[ENTRY].browse([entry for _invoice, entry, _amount in costs]).sorted().ids,
        )
        self.assertEqual(invoice.customer_cost_attributed, sum(amounts))
        self.assertEqual(
            invoice.customer_cost_net_margin, invoice.customer_cost_margin - sum(amounts)
        )


@tagged("post_install", "-at_install")
class TestInvoiceCostsNamed(InvoiceCostCommon):
    """A cost names the invoice that caused it."""

    def test_bill_line_for_an_invoice_is_a_cost_of_its_customer(self):
        bill = self.create_bill(
            [
                (self.expense_account, 30.0, {"cost_invoice_id": self.invoice.id}),
                (self.expense_account, 99.0, {"cost_customer_id": self.customer_a.id}),
                (self.other_account, 12.0, {"cost_invoice_id": self.invoice.id}),
            ]
        )
        self.assertEqual(bill.invoice_line_ids[0].cost_customer_id, self.customer_a)
        self.assertCosts(self.invoice, 30.0, 12.0)
        self.assertEqual(self.invoice.customer_cost_net_margin, 558.0)

    def test_named_after_posting(self):
        bill = self.create_bill([(self.expense_account, 30.0, {})])
        self.assertCosts(self.invoice)
        bill.invoice_line_ids.cost_invoice_id = self.invoice
        self.assertCosts(self.invoice, 30.0)
        bill.button_draft()
        self.assertCosts(self.invoice)

    def test_vendor_credit_note_takes_it_back_and_a_copy_does_not(self):
        bill = self.create_bill(
            [(self.expense_account, 30.0, {"cost_invoice_id": self.invoice.id})]
        )
        self.assertFalse(bill.copy().invoice_line_ids.cost_invoice_id)
        refund = self.reverse(bill)
        refund.action_post()
        self.assertCosts(self.invoice, 30.0, -30.0)

    def test_form_fills_the_customer(self):
        bill = self.create_bill([(self.expense_account, 30.0, {})], post=False)
        with Form(bill) as form:
            with form.invoice_line_ids.edit(0) as line:
                line.cost_invoice_id = self.invoice
                self.assertEqual(line.cost_customer_id, self.customer_a)
                line.cost_customer_id = self.customer_b
                self.assertFalse(line.cost_invoice_id)
                line.cost_invoice_id = self.invoice
        self.assertEqual(bill.invoice_line_ids.cost_customer_id, self.customer_a)

    def test_only_invoices_of_that_customer(self):
        accountant = self.users["accountant"]
        bill = self.create_bill([(self.expense_account, 30.0, {})])
        other = self.create_sale(self.customer_b)
        for vals, message in (
            ({"cost_invoice_id": bill.id}, f"{bill.name} is no customer invoice"),
            (
                {"cost_invoice_id": other.id, "cost_customer_id": self.customer_a.id},
                "is an invoice of Cost Customer B, the cost is for Cost Customer A",
            ),
        ):
            with self.assertRefused(message, ValidationError):
                self.rpc(accountant, LINE, "write", bill.invoice_line_ids.ids, vals)
            with self.assertRefused(message, ValidationError):
                self.rpc(
                    accountant,
                    "account.move",
                    "create",
                    {
                        "move_type": "in_invoice",
                        "partner_id": self.vendor.id,
                        "invoice_line_ids": [
                            Command.create({"account_id": self.expense_account.id, **vals})
                        ],
                    },
                )
        self.assertFalse(bill.invoice_line_ids.cost_invoice_id)

    def test_closed_period(self):
        bill = self.create_bill([(self.expense_account, 30.0, {})])
        period = self.env["customer.cost.period"]._get(self.company, "2025-03-01")
        self.env.cr.execute(
            "UPDATE customer_cost_period SET state = 'closed' WHERE id = %s", (period.id,)
        )
        self.env.invalidate_all()
        with self.assertRefused("the cost period of .* is closed", UserError):
            bill.invoice_line_ids.cost_invoice_id = self.invoice

    def test_cost_recorded_by_hand(self):
        entry = self.create_cost(customer_id=False, invoice_id=self.invoice.id)
        self.assertEqual(entry.customer_id, self.customer_a)
        self.assertCosts(self.invoice)
        entry.action_submit()
        entry.with_user(self.users["reviewer"]).action_approve()
        self.assertCosts(self.invoice, 100.0)
        with self.assertRefused("can no longer be changed", UserError):
            self.rpc(self.users["accountant"], ENTRY, "write", entry.ids, {"invoice_id": False})
        reversal = self.env[ENTRY].browse(
            entry.with_user(self.users["accountant"]).action_reverse()["res_id"]
        )
        self.assertEqual(reversal.invoice_id, self.invoice)

    def test_cost_by_hand_for_another_customers_invoice(self):
        with self.assertRefused("is an invoice of Cost Customer A", ValidationError):
            self.create_cost(customer_id=self.customer_b.id, invoice_id=self.invoice.id)
        bill = self.create_bill([(self.expense_account, 30.0, {})])
        with self.assertRefused("is no customer invoice", ValidationError):
            self.create_cost(invoice_id=bill.id)

    def test_form_of_a_cost_by_hand(self):
        with Form(self.env[ENTRY].with_user(self.users["accountant"])) as form:
            form.item_id = self.item
            form.date = "2025-03-10"
            form.amount = 10.0
            form.invoice_id = self.invoice
            self.assertEqual(form.customer_id, self.customer_a)
            form.customer_id = self.customer_b
            self.assertFalse(form.invoice_id)

    def test_draft_invoices_and_bills_list_none(self):
        draft = self.create_sale(self.customer_a, post=False)
        bill = self.create_bill([(self.expense_account, 30.0, {"cost_invoice_id": draft.id})])
        for move in (draft, bill):
            self.assertFalse(move.customer_cost_entry_ids)
            self.assertIs(move.customer_cost_attributed, False)
            self.assertIs(move.customer_cost_net_margin, False)

    def test_who_may_see_them(self):
        self.create_bill([(self.expense_account, 30.0, {"cost_invoice_id": self.invoice.id})])
        users = {
            group: new_test_user(
                self.env,
                f"costs_{group}",
                f"account.group_account_invoice,customer_cost.group_customer_cost_{group}",
                company_id=self.company.id,
                company_ids=[Command.set(self.company.ids)],
            )
            for group in ("rep", "user", "auditor")
        }
        names = ["customer_cost_attributed", "customer_cost_entry_ids", "customer_cost_net_margin"]
        for group in ("user", "auditor"):
            row = self.rpc(users[group], "account.move", "read", self.invoice.ids, names)[0]
            self.assertEqual(row["customer_cost_attributed"], 30.0)
            self.assertEqual(len(row["customer_cost_entry_ids"]), 1)
        for name in names:
            with self.assertRaises(AccessError):
                self.rpc(users["rep"], "account.move", "read", self.invoice.ids, [name])


@tagged("post_install", "-at_install")
class TestInvoiceCostsSettled(InvoiceCostCommon):
    """What is booked where an invoice is settled is a cost of that invoice."""

    def test_fee_of_the_bank(self):
        self.settle(self.invoice, cost=5.0)
        self.assertCosts(self.invoice, 5.0)

    def test_one_payment_of_two_invoices_belongs_to_neither(self):
        other = self.create_sale(self.customer_a)
        self.settle(self.invoice | other, cost=5.0)
        self.assertCosts(self.invoice)
        self.assertCosts(other)

    def test_two_payments_of_one_invoice(self):
        self.settle(self.invoice, cost=5.0, paid=400.0)
        self.settle(self.invoice, cost=7.0, paid=600.0)
        self.assertCosts(self.invoice, 5.0, 7.0)

    def test_cost_of_a_settling_entry_that_names_another_invoice(self):
        other = self.create_sale(self.customer_a)
        entry = self.settle(self.invoice, cost=5.0)
        line = entry.line_ids.filtered(lambda line: line.account_id == self.expense_account)
        line.cost_invoice_id = other
        self.assertCosts(self.invoice)
        self.assertCosts(other, 5.0)

    def test_cost_of_somebody_else_in_the_settling_entry(self):
        entry = self.settle(self.invoice, cost=5.0)
        line = entry.line_ids.filtered(lambda line: line.account_id == self.expense_account)
        line.cost_customer_id = self.customer_b
        self.assertCosts(self.invoice)

    def test_write_off_of_a_payment(self):
        self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=self.invoice.ids
        ).create(
            {
                "payment_date": "2025-03-20",
                "amount": 990.0,
                "payment_difference_handling": "reconcile",
                "writeoff_account_id": self.expense_account.id,
                "journal_id": self.bank.id,
            }
        ).action_create_payments()
        self.assertTrue(self.ledger())
        self.assertCosts(self.invoice, 10.0)

    def test_fee_booked_when_the_bank_pays_the_payment_out(self):
        transit = self.env["account.account"].create(
            {
                "name": "Transit",
                "code": "T10901",
                "account_type": "asset_current",
                "reconcile": True,
                "company_ids": [Command.set(self.company.ids)],
            }
        )
        payment, payout = self.env["account.move"].create(
            [
                {
                    "move_type": "entry",
                    "journal_id": self.bank.id,
                    "date": "2025-03-20",
                    "line_ids": [
                        Command.create(
                            {
                                "account_id": account.id,
                                "balance": balance,
                                "partner_id": self.customer_a.id,
                            }
                        )
                        for account, balance in lines
                    ],
                }
                for lines in (
                    ((transit, 1000.0), (self.receivable_account, -1000.0)),
                    (
                        (self.bank.default_account_id, 993.0),
                        (self.expense_account, 7.0),
                        (transit, -1000.0),
                    ),
                )
            ]
        )
        (payment | payout).action_post()
        (self.receivable(self.invoice) | self.receivable(payment)).reconcile()
        self.assertCosts(self.invoice)
        (payment | payout).line_ids.filtered(lambda line: line.account_id == transit).reconcile()
        self.assertCosts(self.invoice, 7.0)

    def test_exchange_difference(self):
        currency = self.setup_other_currency(
            "EUR", rates=[("2025-01-01", 0.4), ("2025-03-15", 0.5)]
        )
        loss_account = self.company.expense_currency_exchange_account_id
        self.map_account(loss_account, self.other_item)
        invoice = self.create_sale(self.customer_b, currency_id=currency.id)
        self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=invoice.ids
        ).create(
            {"payment_date": "2025-03-20", "journal_id": self.bank.id}
        ).action_create_payments()
        # 100.00 EUR were 250.00 when invoiced and 200.00 when paid.
        self.assertCosts(invoice, 50.0)

    def test_the_same_number_of_queries_for_one_and_many(self):
        invoices = self.env["account.move"]
        for _ in range(6):
            invoice = self.create_sale(self.customer_a)
            self.settle(invoice, cost=1.0)
            invoices |= invoice

        def count(moves):
            self.env.invalidate_all()
            moves.mapped("customer_cost_margin")
            before = self.env.cr.sql_log_count
            moves.mapped("customer_cost_attributed")
            return self.env.cr.sql_log_count - before

        count(invoices)
        self.assertEqual(count(invoices[:1]), count(invoices))
        self.assertEqual(set(invoices.mapped("customer_cost_attributed")), {1.0})
