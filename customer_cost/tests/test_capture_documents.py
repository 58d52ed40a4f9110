from datetime import date

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged

from .common import CustomerCostCommon

DAY = date(2025, 3, 10)


@tagged("post_install", "-at_install")
class TestCaptureDocuments(CustomerCostCommon):
    def direct(self, amount, customer=None, item=None, day=DAY):
        return {(customer or self.customer_a, item or self.item, day): amount}

    def pool(self, amount, item=None, day=DAY):
        return {(self.env["res.partner"], item or self.item, day): amount}

    # ------------------------------------------------------------
    # Kinds of document
    # ------------------------------------------------------------

    def test_vendor_bill_waits_in_the_pool_of_its_item(self):
        bill = self.create_bill([(self.expense_account, 100.0, {}), (self.other_account, 40.0, {})])
        self.assertEqual(
            self.ledger(bill), {**self.pool(100.0), **self.pool(40.0, self.other_item)}
        )

    def test_vendor_bill_for_a_customer_is_direct(self):
        bill = self.create_bill(
            [
                (self.expense_account, 100.0, {"cost_customer_id": self.customer_a.id}),
                (self.expense_account, 30.0, {"cost_customer_id": self.customer_b.id}),
            ]
        )
        self.assertEqual(
            self.ledger(bill), {**self.direct(100.0), **self.direct(30.0, self.customer_b)}
        )

    def test_draft_bill_contributes_nothing(self):
        bill = self.create_bill([(self.expense_account, 100.0, {})], post=False)
        self.assertFalse(self.ledger(bill))
        self.assertFalse(self.env["customer.cost.entry"].search([("source_move_id", "=", bill.id)]))

    def test_vendor_credit_note_is_negative(self):
        for move_type, amount in (("in_refund", -100.0), ("in_receipt", 100.0)):
            move = self.create_bill(
                [(self.expense_account, 100.0, {"cost_customer_id": self.customer_a.id})],
                move_type=move_type,
            )
            self.assertEqual(self.ledger(move), self.direct(amount), move_type)

    def test_reversal_leaves_zero_and_both_documents_readable(self):
        bill = self.create_bill(
            [(self.expense_account, 100.0, {"cost_customer_id": self.customer_a.id})]
        )
        wizard = (
            self.env["account.move.reversal"]
            .with_context(active_model="account.move", active_ids=bill.ids)
            .create({"journal_id": bill.journal_id.id, "date": "2025-04-02"})
        )
        refund = self.env["account.move"].browse(wizard.refund_moves()["res_id"])
        refund.action_post()
        self.assertEqual(self.ledger(bill), self.direct(100.0))
        self.assertEqual(self.ledger(refund), self.direct(-100.0, day=date(2025, 4, 2)))

    def test_miscellaneous_entry(self):
        move = self.create_entry_move(
            [
                (self.expense_account, 100.0, {"cost_customer_id": self.customer_a.id}),
                (self.expense_account, -25.0, {}),
            ]
        )
        self.assertEqual(self.ledger(move), {**self.direct(100.0), **self.pool(-25.0)})

    def test_income_on_a_mapped_other_income_account_lowers_the_cost(self):
        account = self.expense_account.copy(
            {"code": "T70001", "name": "Other income", "account_type": "income_other"}
        )
        self.map_account(account, self.item)
        move = self.create_entry_move([(account, -80.0, {})])
        self.assertEqual(self.ledger(move), self.pool(-80.0))

    def test_expense_report(self):
        if "hr.expense" not in self.env:
            self.skipTest("hr_expense is not installed")
        self.env.user.group_ids |= self.env.ref("hr_expense.group_hr_expense_manager")
        product = self.env["product.product"].create(
            {
                "name": "Taxi",
                "type": "service",
                "can_be_expensed": True,
                "standard_price": 0.0,
                "property_account_expense_id": self.expense_account.id,
                "supplier_taxes_id": [Command.clear()],
            }
        )
        employee = (
            self.env["hr.employee"]
            .sudo()
            .create(
                {
                    "name": "Cost Traveller",
                    "company_id": self.company.id,
                    "work_contact_id": self.env["res.partner"].create({"name": "Traveller"}).id,
                }
            )
        )
        expense = self.env["hr.expense"].create(
            {
                "name": "Taxi to customer A",
                "employee_id": employee.id,
                "product_id": product.id,
                "total_amount_currency": 63.2,
                "payment_mode": "own_account",
                "date": "2025-03-10",
                "company_id": self.company.id,
                "tax_ids": [Command.clear()],
            }
        )
        expense.action_submit()
        expense.filtered(lambda record: record.state == "submitted").action_approve()
        action = expense.action_post()
        wizard = (
            self.env["hr.expense.post.wizard"]
            .with_context(**action["context"])
            .browse(action["res_id"])
        )
        wizard.accounting_date = DAY
        wizard.action_post_entry()
        move = expense.account_move_id
        if move.state == "draft":
            move.action_post()
        self.assertEqual(self.ledger(move), self.pool(63.2, day=move.date))
        line = move.line_ids.filtered(lambda line: line.account_id == self.expense_account)
        line.cost_customer_id = self.customer_b
        self.assertEqual(self.ledger(move), self.direct(63.2, self.customer_b, day=move.date))

    # ------------------------------------------------------------
    # Item
    # ------------------------------------------------------------

    def test_item_on_the_line_comes_before_the_map(self):
        bill = self.create_bill(
            [(self.expense_account, 10.0, {"cost_item_id": self.admin_item.id})]
        )
        self.assertEqual(self.ledger(bill), self.pool(10.0, self.admin_item))
        entry = self.env["customer.cost.entry"].search([("source_move_id", "=", bill.id)])
        self.assertFalse(entry.map_id)

    def test_item_on_the_line_captures_an_account_without_map_row(self):
        bill = self.create_bill([(self.unmapped_account, 10.0, {"cost_item_id": self.item.id})])
        self.assertEqual(self.ledger(bill), self.pool(10.0))

    def test_account_without_map_row_is_not_captured(self):
        bill = self.create_bill(
            [(self.unmapped_account, 10.0, {"cost_customer_id": self.customer_a.id})]
        )
        self.assertFalse(self.ledger(bill))

    def test_left_out_account_is_not_captured(self):
        self.map_account(self.unmapped_account, left_out_reason="Interest is no customer cost")
        bill = self.create_bill([(self.unmapped_account, 10.0, {})])
        self.assertFalse(self.ledger(bill))

    def test_item_on_a_balance_sheet_line_is_not_captured(self):
        move = self.create_entry_move(
            [(self.company_data["default_account_assets"], 10.0, {"cost_item_id": self.item.id})]
        )
        self.assertFalse(self.ledger(move))

    # ------------------------------------------------------------
    # Customer
    # ------------------------------------------------------------

    def test_contact_counts_for_the_company_behind_it(self):
        contact = self.env["res.partner"].create({"name": "Buyer", "parent_id": self.customer_a.id})
        bill = self.create_bill([(self.expense_account, 10.0, {"cost_customer_id": contact.id})])
        self.assertEqual(self.ledger(bill), self.direct(10.0))

    def test_partner_that_is_a_customer_names_it_in_bank_sale_and_miscellaneous_journals(self):
        contact = self.env["res.partner"].create({"name": "Buyer", "parent_id": self.customer_a.id})
        self.customer_a.customer_rank = 1
        for journal in ("default_journal_misc", "default_journal_bank", "default_journal_sale"):
            move = self.create_entry_move(
                [(self.expense_account, 10.0, {"partner_id": contact.id})],
                journal_id=self.company_data[journal].id,
            )
            self.assertEqual(self.ledger(move), self.direct(10.0), journal)

    def test_partner_of_a_vendor_bill_is_no_customer(self):
        self.vendor.customer_rank = 1
        bill = self.create_bill([(self.expense_account, 10.0, {})])
        self.assertEqual(self.ledger(bill), self.pool(10.0))
        entry = self.env["customer.cost.entry"].search([("source_move_id", "=", bill.id)])
        self.assertEqual(entry.vendor_id, self.vendor)

    def test_partner_that_is_no_customer_names_nobody(self):
        move = self.create_entry_move(
            [(self.expense_account, 10.0, {"partner_id": self.customer_c.id})]
        )
        self.assertEqual(self.ledger(move), self.pool(10.0))

    def test_own_customer_comes_before_the_partner(self):
        self.customer_a.customer_rank = 1
        move = self.create_entry_move(
            [
                (
                    self.expense_account,
                    10.0,
                    {"partner_id": self.customer_a.id, "cost_customer_id": self.customer_b.id},
                )
            ]
        )
        self.assertEqual(self.ledger(move), self.direct(10.0, self.customer_b))

    def test_customers_merged_in_the_address_book_share_one_cost(self):
        bill = self.create_bill(
            [
                (self.expense_account, 60.0, {"cost_customer_id": self.customer_a.id}),
                (self.expense_account, 40.0, {"cost_customer_id": self.customer_b.id}),
            ]
        )
        self.env["base.partner.merge.automatic.wizard"]._merge(
            (self.customer_a | self.customer_b).ids, self.customer_a
        )
        self.env.invalidate_all()
        self.assertEqual(self.ledger(bill), self.direct(100.0))
        self.assertEqual(self.env["customer.cost.capture"]._sync(bill.ids), 0)

    # ------------------------------------------------------------
    # What the entry shows
    # ------------------------------------------------------------

    def test_entry_names_its_document(self):
        bill = self.create_bill(
            [
                (
                    self.expense_account,
                    100.0,
                    {"cost_customer_id": self.customer_a.id, "name": "Flight"},
                )
            ]
        )
        entry = self.env["customer.cost.entry"].search([("source_move_id", "=", bill.id)])
        self.assertRecordValues(
            entry,
            [
                {
                    "kind": "captured",
                    "state": "captured",
                    "date": DAY,
                    "customer_id": self.customer_a.id,
                    "item_id": self.item.id,
                    "amount": 100.0,
                    "amount_company": 100.0,
                    "vendor_id": self.vendor.id,
                    "description": "Flight",
                    "source_line_id": bill.invoice_line_ids.id,
                    "company_id": self.company.id,
                }
            ],
        )
        self.assertTrue(entry.map_id)

    def test_entry_of_a_line_without_label_has_no_description(self):
        move = self.create_entry_move([(self.expense_account, 10.0, {"name": False})])
        entry = self.env["customer.cost.entry"].search([("source_move_id", "=", move.id)])
        self.assertEqual(entry.amount, 10.0)
        self.assertFalse(entry.description)

    def test_line_of_zero_has_no_entry(self):
        move = self.create_entry_move(
            [(self.expense_account, 0.0, {}), (self.expense_account, 5.0, {})]
        )
        entry = self.env["customer.cost.entry"].search([("source_move_id", "=", move.id)])
        self.assertEqual(entry.mapped("amount"), [5.0])

    def test_entry_of_a_document_back_in_draft_is_withdrawn(self):
        bill = self.create_bill([(self.expense_account, 10.0, {})])
        entry = self.env["customer.cost.entry"].search([("source_move_id", "=", bill.id)])
        bill.button_draft()
        self.assertRecordValues(entry, [{"state": "withdrawn", "amount": 0.0}])
        bill.action_post()
        self.assertRecordValues(entry, [{"state": "captured", "amount": 10.0}])
        self.assertEqual(self.ledger(bill), self.pool(10.0))

    def test_foreign_currency_keeps_both_amounts(self):
        currency = self.setup_other_currency("EUR", rates=[("2025-01-01", 0.5)])
        bill = self.create_bill([(self.expense_account, 100.0, {})], currency_id=currency.id)
        entry = self.env["customer.cost.entry"].search([("source_move_id", "=", bill.id)])
        self.assertRecordValues(
            entry, [{"amount": 100.0, "currency_id": currency.id, "amount_company": 200.0}]
        )
        self.assertEqual(self.ledger(bill), self.pool(200.0))

    def test_captured_entry_is_not_edited_by_hand(self):
        bill = self.create_bill([(self.expense_account, 10.0, {})])
        entry = self.env["customer.cost.entry"].search([("source_move_id", "=", bill.id)])
        with self.assertNothingChanged(), self.assertRaisesRegex(UserError, "comes from the books"):
            entry.with_user(self.users["manager"]).write({"amount": 5.0})
        with self.assertNothingChanged(), self.assertRaisesRegex(UserError, "cannot be deleted"):
            entry.with_user(self.users["manager"]).unlink()


@tagged("post_install", "-at_install")
class TestCaptureSharedBill(CustomerCostCommon):
    def test_customers_of_one_shared_line_can_be_merged(self):
        plan = self.env["account.analytic.plan"].create({"name": "Customers"})
        self.company.customer_cost_plan_id = plan
        accounts = self.env["account.analytic.account"].create(
            [
                {"name": partner.name, "plan_id": plan.id, "partner_id": partner.id}
                for partner in (self.customer_a, self.customer_b)
            ]
        )
        bill = self.create_bill(
            [
                (
                    self.expense_account,
                    100.0,
                    {"analytic_distribution": {str(accounts[0].id): 60, str(accounts[1].id): 40}},
                )
            ]
        )
        self.env["base.partner.merge.automatic.wizard"]._merge(
            (self.customer_a | self.customer_b).ids, self.customer_b
        )
        self.env.invalidate_all()
        self.assertEqual(self.ledger(bill), {(self.customer_b, self.item, DAY): 100.0})
        entry = self.env["customer.cost.entry"].search([("source_move_id", "=", bill.id)])
        self.assertRecordValues(
            entry, [{"customer_id": self.customer_b.id, "amount": 100.0, "state": "captured"}]
        )
        self.assertEqual(self.env["customer.cost.capture"]._sync(bill.ids), 0)
        bill.button_draft()
        self.assertFalse(self.ledger(bill))
