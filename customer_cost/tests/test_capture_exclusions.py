from datetime import date
from unittest.mock import patch

from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command
from odoo.tests import tagged

from .common import CustomerCostCommon


@tagged("post_install", "-at_install")
class TestCaptureExclusions(CustomerCostCommon):
    """What is never a customer cost, though its account is mapped."""

    def pool(self, amount, day=date(2025, 3, 10)):
        return {(self.env["res.partner"], self.item, day): amount}

    def create_goods(self, **vals):
        goods = {"is_storable": True} if "is_storable" in self.env["product.product"] else {}
        return self.env["product.product"].create(
            {
                "name": "Goods",
                "type": "consu",
                "standard_price": 40.0,
                "property_account_expense_id": self.expense_account.id,
                "taxes_id": [Command.clear()],
                "supplier_taxes_id": [Command.clear()],
                **goods,
                **vals,
            }
        )

    # ------------------------------------------------------------
    # Cost of sales
    # ------------------------------------------------------------

    def test_goods_on_a_vendor_bill_are_cost_of_sales(self):
        goods = self.create_goods()
        service = self.env["product.product"].create({"name": "Service", "type": "service"})
        for move_type in ("in_invoice", "in_refund", "in_receipt"):
            bill = self.create_bill(
                [
                    (self.expense_account, 100.0, {"product_id": goods.id}),
                    (self.expense_account, 7.0, {"product_id": service.id}),
                ],
                move_type=move_type,
            )
            sign = -1 if move_type == "in_refund" else 1
            self.assertEqual(bill.invoice_line_ids.account_id, self.expense_account)
            self.assertEqual(self.ledger(bill), self.pool(sign * 7.0), move_type)

    def test_item_on_the_line_does_not_make_goods_a_cost(self):
        bill = self.create_bill(
            [
                (
                    self.expense_account,
                    100.0,
                    {"product_id": self.create_goods().id, "cost_item_id": self.item.id},
                )
            ]
        )
        self.assertFalse(self.ledger(bill))

    def test_cost_of_sales_items_of_an_invoice(self):
        if "property_valuation" not in self.env["product.category"]:
            self.skipTest("stock_account is not installed")
        valuation_account = self.company_data["default_account_assets"]
        category = self.env["product.category"].create(
            {
                "name": "Valued",
                "property_valuation": "real_time",
                "property_cost_method": "standard",
                "property_stock_valuation_account_id": valuation_account.id,
            }
        )
        goods = self.create_goods(categ_id=category.id)
        invoice = self.create_sale(self.customer_a, quantity=2, product=goods)
        cogs = invoice.line_ids.filtered(lambda line: line.display_type == "cogs")
        self.assertIn(self.expense_account, cogs.account_id)
        self.assertFalse(self.ledger(invoice))
        line = invoice.invoice_line_ids
        self.assertEqual(line.customer_cost_amount, 80.0)

    def test_accounts_that_are_no_cost_to_serve_take_no_item(self):
        by_invoice = "sales and cost of sales come from the invoices. Leave it out"
        balance = "Only profit-and-loss accounts are mapped"
        for account_type, message in (
            ("income", by_invoice),
            ("expense_direct_cost", by_invoice),
            ("off_balance", balance),
            ("asset_current", balance),
        ):
            account = self.expense_account.copy(
                {
                    "code": f"X{account_type[:8].replace('_', '.')}",
                    "name": account_type,
                    "account_type": account_type,
                }
            )
            before = self.env["customer.cost.account.map"].search_count([])
            with self.assertRaisesRegex(ValidationError, message):
                with self.env.cr.savepoint():
                    self.map_account(account, self.item)
            self.assertEqual(self.env["customer.cost.account.map"].search_count([]), before)

    def test_account_that_became_cost_of_sales_after_it_was_mapped(self):
        bill = self.create_bill([(self.expense_account, 100.0, {})])
        self.assertEqual(self.ledger(bill), self.pool(100.0))
        self.expense_account.account_type = "expense_direct_cost"
        self.env["customer.cost.capture"]._sync(bill.ids)
        self.assertFalse(self.ledger(bill))

    # ------------------------------------------------------------
    # Opening and closing
    # ------------------------------------------------------------

    def test_opening_move(self):
        move = self.create_entry_move([(self.expense_account, 100.0, {})], post=False)
        self.company.account_opening_move_id = move
        move.action_post()
        self.assertFalse(self.ledger(move))

    def test_move_that_closes_the_year_into_equity(self):
        equity = self.env["account.account"].search(
            [("account_type", "=", "equity_unaffected"), ("company_ids", "in", self.company.ids)],
            limit=1,
        )
        self.assertTrue(equity)
        move = self.create_entry_move(
            [(self.expense_account, -100.0, {}), (equity, 100.0, {})], day="2025-12-31"
        )
        self.assertFalse(self.ledger(move))
        line = move.line_ids.filtered(lambda line: line.account_id == equity)
        line.account_id = self.unmapped_account
        self.assertEqual(self.ledger(move), self.pool(-100.0, date(2025, 12, 31)))

    def test_every_reason_has_its_own_label(self):
        labels = self.env["customer.cost.capture"]._get_excluded_labels()
        self.assertEqual(
            set(labels),
            {
                "account",
                "before_start",
                "closing",
                "cost_of_sales",
                "journal",
                "off_balance",
                "opening",
                "sale_discount",
            },
        )
        self.assertEqual(len(set(labels.values())), len(labels))

    def test_opening_and_closing_are_told_apart(self):
        equity = self.company.get_unaffected_earnings_account()
        opening = self.create_entry_move([(self.expense_account, 100.0, {})], post=False)
        self.company.account_opening_move_id = opening
        opening.action_post()
        closing = self.create_entry_move([(self.expense_account, -7.0, {}), (equity, 7.0, {})])
        self.assertEqual(self.outcomes(opening), {(self.expense_account, "opening"): 100.0})
        self.assertEqual(self.outcomes(closing), {(self.expense_account, "closing"): -7.0})

    def test_off_balance_account(self):
        account = self.expense_account.copy(
            {"code": "X99", "name": "Guarantees", "account_type": "off_balance"}
        )
        counterpart = account.copy({"code": "X98"})
        move = self.env["account.move"].create(
            {
                "journal_id": self.company_data["default_journal_misc"].id,
                "date": "2025-03-10",
                "line_ids": [
                    Command.create(
                        {"account_id": a.id, "balance": amount, "cost_item_id": self.item.id}
                    )
                    for a, amount in ((account, 5.0), (counterpart, -5.0))
                ],
            }
        )
        move.action_post()
        self.assertFalse(self.ledger(move))
        self.assertEqual(
            self.outcomes(move),
            {(account, "off_balance"): 5.0, (counterpart, "off_balance"): -5.0},
        )

    # ------------------------------------------------------------
    # Journals
    # ------------------------------------------------------------

    def test_excluded_journal(self):
        journal = self.company_data["default_journal_misc"].copy()
        before = self.create_entry_move([(self.expense_account, 30.0, {})], journal_id=journal.id)
        self.company.customer_cost_excluded_journal_ids = journal
        after = self.create_entry_move([(self.expense_account, 40.0, {})], journal_id=journal.id)
        elsewhere = self.create_entry_move([(self.expense_account, 5.0, {})])
        self.assertEqual(self.ledger(), self.pool(35.0), "a change waits for the comparison")
        self.assertEqual(self.outcomes(after), {(self.expense_account, "journal"): 40.0})
        self.env["customer.cost.capture"]._sync((before | after | elsewhere).ids)
        self.assertEqual(self.ledger(), self.pool(5.0))
        self.company.customer_cost_excluded_journal_ids = False
        self.env["customer.cost.capture"]._sync((before | after | elsewhere).ids)
        self.assertEqual(self.ledger(), self.pool(75.0))

    def test_journal_of_another_company_is_refused(self):
        other = self.setup_other_company()
        with self.assertRaisesRegex(UserError, "company"):
            self.company.customer_cost_excluded_journal_ids = other["default_journal_misc"]

    # ------------------------------------------------------------
    # Stock closings
    # ------------------------------------------------------------

    def stock_closing(self, amount=60.0):
        """Post a stock closing as Odoo does: on the account of services and bills."""
        stock = self.company.account_stock_valuation_id
        stock.account_stock_variation_id = self.expense_account
        vals = self.company._prepare_inventory_aml_vals(
            self.expense_account, stock, amount, "Closing"
        )
        with patch.object(
            type(self.company), "_action_close_stock_valuation", lambda self, at_date=None: vals
        ):
            action = self.company.action_close_stock_valuation(at_date="2025-03-31", auto_post=True)
        return self.env["account.move"].browse(action["res_id"])

    def test_stock_closing_is_cost_of_sales(self):
        self.assertIn("account_stock_variation_id", self.env["account.account"]._fields)
        closing = self.stock_closing()
        self.assertEqual(closing.state, "posted")
        self.assertIn(self.expense_account, closing.line_ids.account_id)
        self.assertEqual(self.ledger(closing), {})
        self.assertEqual(self.outcomes(closing), {(self.expense_account, "cost_of_sales"): 60.0})
        bill = self.create_bill([(self.expense_account, 9.0, {})])
        self.assertEqual(self.ledger(bill), self.pool(9.0))

    def test_stock_closing_that_odoo_remembers_in_another_journal(self):
        self.company.account_stock_journal_id = self.company_data["default_journal_misc"].copy()
        closing = self.stock_closing()
        self.company.account_stock_journal_id = self.company_data["default_journal_misc"]
        self.env["customer.cost.capture"]._sync(closing.ids)
        self.assertEqual(self.ledger(closing), {})

    def test_stock_closing_that_odoo_has_forgotten(self):
        closing = self.stock_closing()
        self.env["ir.config_parameter"].set_param(
            f"{self.company.id}.stock_valuation_closing_ids", "1,2,3"
        )
        self.env["customer.cost.capture"]._sync(closing.ids)
        self.assertEqual(self.ledger(closing), {})

    def test_entry_of_the_stock_journal_without_stock_is_a_cost(self):
        move = self.create_entry_move(
            [(self.expense_account, 12.0, {})], journal_id=self.company.account_stock_journal_id.id
        )
        self.assertEqual(self.ledger(move), self.pool(12.0))

    # ------------------------------------------------------------
    # Capture never refuses a posting
    # ------------------------------------------------------------

    def test_archived_item_still_takes_its_cost(self):
        self.item.active = False
        bill = self.create_bill([(self.expense_account, 100.0, {})])
        self.assertEqual(bill.state, "posted")
        self.assertEqual(self.ledger(bill), self.pool(100.0))

    def test_archived_customer_still_takes_its_cost(self):
        bill = self.create_bill(
            [(self.expense_account, 100.0, {"cost_customer_id": self.customer_b.id})], post=False
        )
        self.customer_b.active = False
        bill.action_post()
        self.assertEqual(self.ledger(bill), {(self.customer_b, self.item, bill.date): 100.0})

    def test_accountant_without_a_cost_role_posts(self):
        biller = self.users["internal"]
        biller.group_ids |= self.env.ref("account.group_account_invoice")
        bill = self.create_bill([(self.expense_account, 100.0, {})], post=False)
        bill.with_user(biller).action_post()
        self.assertEqual(self.ledger(bill), self.pool(100.0))


@tagged("post_install", "-at_install")
class TestCaptureClosedPeriods(CustomerCostCommon):
    def close(self, *months):
        for month in months:
            self.close_period(month)

    def lines(self, moves):
        lines = self.env["customer.cost.line"].search(
            [("entry_id.source_move_id", "in", moves.ids)], order="id"
        )
        return [(line.date, line.origin_date, line.amount) for line in lines]

    def test_cost_of_a_closed_month_takes_the_first_open_day(self):
        self.close("2025-03-01")
        bill = self.create_bill([(self.expense_account, 100.0, {})])
        self.assertEqual(self.lines(bill), [(date(2025, 4, 1), date(2025, 3, 10), 100.0)])
        entry = self.env["customer.cost.entry"].search([("source_move_id", "=", bill.id)])
        self.assertEqual(entry.date, date(2025, 3, 10))

    def test_several_closed_months_are_passed_over(self):
        self.close("2025-02-01", "2025-03-01", "2025-04-01", "2025-06-01")
        bill = self.create_bill([(self.expense_account, 100.0, {})], day="2025-02-14")
        self.assertEqual(self.lines(bill), [(date(2025, 5, 1), date(2025, 2, 14), 100.0)])

    def test_first_open_day_crosses_the_year(self):
        self.close("2025-11-01", "2025-12-01")
        bill = self.create_bill([(self.expense_account, 100.0, {})], day="2025-11-30")
        self.assertEqual(self.lines(bill), [(date(2026, 1, 1), date(2025, 11, 30), 100.0)])

    def test_open_month_between_closed_ones_keeps_its_own_date(self):
        self.close("2025-02-01", "2025-04-01")
        bill = self.create_bill([(self.expense_account, 100.0, {})])
        self.assertEqual(self.lines(bill), [(date(2025, 3, 10), date(2025, 3, 10), 100.0)])

    def test_correction_after_closing_is_late_and_the_closed_month_stays(self):
        bill = self.create_bill([(self.expense_account, 100.0, {})])
        self.close("2025-03-01")
        bill.button_draft()
        bill.invoice_line_ids.price_unit = 130.0
        bill.action_post()
        first, *later = self.lines(bill)
        self.assertEqual(first, (date(2025, 3, 10), date(2025, 3, 10), 100.0))
        self.assertEqual({day for day, _origin, _amount in later}, {date(2025, 4, 1)})
        self.assertEqual({origin for _day, origin, _amount in later}, {date(2025, 3, 10)})
        self.assertEqual(sum(amount for _day, _origin, amount in later), 30.0)
        self.assertEqual(self.env["customer.cost.capture"]._sync(bill.ids), 0)

    def test_period_reopened_takes_its_cost_again(self):
        self.close("2025-03-01")
        self.env["customer.cost.period"]._get(self.company, "2025-03-01")._reopen("Test")
        bill = self.create_bill([(self.expense_account, 100.0, {})])
        self.assertEqual(self.lines(bill), [(date(2025, 3, 10), date(2025, 3, 10), 100.0)])

    def test_period_closed_by_the_parent_company_holds_for_its_branch(self):
        branch = self.env["res.company"].create({"name": "Branch", "parent_id": self.company.id})
        self.env.user.company_ids |= branch
        self.close("2025-03-01")
        move = (
            self.env["account.move"]
            .with_company(branch)
            .create(
                {
                    "move_type": "entry",
                    "date": "2025-03-10",
                    "company_id": branch.id,
                    "journal_id": self.company_data["default_journal_misc"].id,
                    "line_ids": [
                        Command.create({"account_id": account.id, "balance": balance})
                        for account, balance in (
                            (self.expense_account, 10.0),
                            (self.company_data["default_account_payable"], -10.0),
                        )
                    ],
                }
            )
        )
        move.action_post()
        self.assertEqual(move.company_id, branch)
        self.assertEqual(self.lines(move), [(date(2025, 4, 1), date(2025, 3, 10), 10.0)])
