from datetime import date

from psycopg2 import IntegrityError

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import freeze_time, tagged
from odoo.tools import mute_logger

from .common import CustomerCostCommon

DAY = date(2025, 3, 10)


@tagged("post_install", "-at_install")
class TestAccountMap(CustomerCostCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.account = cls.unmapped_account

    def captured(self, move):
        """The one cost item that the document's mapped line was captured for, or none."""
        items = self.env["customer.cost.item"]
        for _customer, item, _day in self.ledger(move):
            items |= item
        return items

    def post(self, day=DAY, **extra):
        return self.captured(self.create_bill([(self.account, 10.0, extra)], day=day))

    # ------------------------------------------------------------
    # The first match wins
    # ------------------------------------------------------------

    def test_first_row_in_order_wins(self):
        self.map_account(self.account, self.item, sequence=20)
        self.map_account(self.account, self.other_item, sequence=10)
        self.map_account(self.account, self.admin_item, sequence=10)
        self.assertEqual(self.post(), self.other_item)

    def test_row_that_does_not_match_is_passed_over(self):
        self.map_account(self.account, self.item, sequence=1, words="train")
        self.map_account(self.account, self.other_item, sequence=2)
        self.assertEqual(self.post(name="Plane"), self.other_item)
        self.assertEqual(self.post(name="Train"), self.item)

    def test_left_out_row_stops_the_search(self):
        self.map_account(self.account, sequence=1, left_out_reason="Internal", words="internal")
        self.map_account(self.account, self.item, sequence=2)
        self.assertFalse(self.post(name="Internal recharge"))
        self.assertEqual(self.post(name="Taxi"), self.item)

    def test_archived_row_does_not_match(self):
        self.map_account(self.account, self.item, active=False)
        self.assertFalse(self.post())

    @freeze_time("2025-03-20")
    def test_row_changed_this_month_moves_cost_at_the_next_comparison(self):
        row = self.map_account(self.account, self.item)
        bill = self.create_bill([(self.account, 10.0, {})])
        row.item_id = self.other_item
        self.env["customer.cost.capture"]._sync(bill.ids)
        self.assertEqual(self.captured(bill), self.other_item)
        row.active = False
        self.env["customer.cost.capture"]._sync(bill.ids)
        self.assertFalse(self.captured(bill))

    # ------------------------------------------------------------
    # Conditions
    # ------------------------------------------------------------

    def test_journal(self):
        journal = self.company_data["default_journal_misc"]
        self.map_account(self.account, self.item, journal_id=journal.id)
        self.assertFalse(self.post())
        move = self.create_entry_move([(self.account, 10.0, {})])
        self.assertEqual(self.captured(move), self.item)

    def test_product_category_or_one_above_it(self):
        categories = self.env["product.category"]
        parent = categories.create({"name": "Travel"})
        child = categories.create({"name": "Rail", "parent_id": parent.id})
        other = categories.create({"name": "Food"})
        self.map_account(self.account, self.item, product_categ_id=parent.id)
        for category, expected in ((parent, self.item), (child, self.item), (other, None)):
            product = self.env["product.product"].create(
                {"name": "Ticket", "type": "service", "categ_id": category.id}
            )
            found = self.post(product_id=product.id)
            self.assertEqual(found, expected or self.env["customer.cost.item"], category.name)
        self.assertFalse(self.post())

    def test_analytic_account_anywhere_in_the_distribution(self):
        plans = self.env["account.analytic.plan"].create([{"name": "One"}, {"name": "Two"}])
        first, second, third = self.env["account.analytic.account"].create(
            [{"name": "Account", "plan_id": plan.id} for plan in (plans[0], plans[1], plans[1])]
        )
        self.map_account(self.account, self.item, analytic_account_id=second.id)
        self.assertEqual(self.post(analytic_distribution={str(second.id): 10}), self.item)
        joint = {f"{first.id},{second.id}": 100}
        self.assertEqual(self.post(analytic_distribution=joint), self.item)
        self.assertFalse(self.post(analytic_distribution={f"{first.id},{third.id}": 100}))
        self.assertFalse(self.post())

    def test_vendor(self):
        self.map_account(self.account, self.item, vendor_id=self.vendor.id)
        self.assertEqual(self.post(), self.item)
        bill = self.create_bill([(self.account, 10.0, {})], partner_id=self.customer_c.id)
        self.assertFalse(self.captured(bill))

    def test_vendor_of_a_contact_is_the_company_behind_it(self):
        contact = self.env["res.partner"].create({"name": "Clerk", "parent_id": self.vendor.id})
        self.map_account(self.account, self.item, vendor_id=self.vendor.id)
        move = self.create_entry_move([(self.account, 10.0, {"partner_id": contact.id})])
        self.assertEqual(self.captured(move), self.item)

    def test_words_in_english_and_chinese(self):
        self.map_account(self.account, self.item, words=" Train ticket ,机票、酒店， 100%_ ")
        for label, expected in (
            ("my TRAIN TICKET to Rome", self.item),
            ("三月机票费用", self.item),
            ("上海酒店", self.item),
            ("Discount 100%_", self.item),
            ("Discount 100 of", None),
            ("train", None),
            ("火车票", None),
            (False, None),
        ):
            move = self.create_entry_move([(self.account, 10.0, {"name": label})])
            found = self.captured(move)
            self.assertEqual(found, expected or self.env["customer.cost.item"], label)

    def test_blank_words_are_no_condition(self):
        self.map_account(self.account, self.item, words="  ")
        self.assertEqual(self.post(), self.item)

    def test_a_comma_at_the_end_adds_no_word(self):
        self.map_account(self.account, self.item, words="train, ")
        self.assertFalse(self.post(name="Plane"))
        self.assertEqual(self.post(name="Train"), self.item)

    def test_validity_includes_both_days(self):
        self.map_account(self.account, self.item, date_from="2025-03-01", date_to="2025-03-31")
        for day, expected in (
            ("2025-02-28", None),
            ("2025-03-01", self.item),
            ("2025-03-31", self.item),
            ("2025-04-01", None),
        ):
            move = self.create_entry_move([(self.account, 10.0, {})], day=day)
            found = self.captured(move)
            self.assertEqual(found, expected or self.env["customer.cost.item"], day)

    def test_branch_uses_the_rows_of_its_parent_but_not_the_other_way_round(self):
        branch = self.env["res.company"].create({"name": "Branch", "parent_id": self.company.id})
        self.env.user.company_ids |= branch
        self.map_account(self.account, self.other_item, company_id=branch.id, sequence=1)
        self.map_account(self.account, self.item, sequence=2)
        self.assertEqual(self.post(), self.item)
        move = self.create_entry_move(
            [(self.account, 10.0, {}), (self.expense_account, 5.0, {})], company_id=branch.id
        )
        self.assertEqual(move.company_id, branch)
        lines = self.env["customer.cost.line"].search([("company_id", "=", branch.id)])
        self.assertEqual(
            {(line.item_id, line.amount) for line in lines},
            {(self.other_item, 10.0), (self.item, 5.0)},
        )

    def test_rows_of_another_company_do_not_match(self):
        other = self.setup_other_company(name="Elsewhere")["company"]
        self.account.with_company(other).sudo().write(
            {"code": "T60003", "company_ids": [Command.link(other.id)]}
        )
        self.env["customer.cost.account.map"].create(
            {"account_id": self.account.id, "item_id": self.item.id, "company_id": other.id}
        )
        self.assertFalse(self.post())

    def test_the_code_is_that_of_the_company_of_the_row(self):
        row = self.map_account(self.account, self.item)
        other = self.setup_other_company(name="Elsewhere")["company"]
        for company in (self.company, other):
            rows = self.env["customer.cost.account.map"].with_context(
                allowed_company_ids=(company | self.company).ids
            )
            self.assertEqual(rows.browse(row.id).account_code, self.account.code)
            self.assertIn(row, rows.search([("account_code", "=", self.account.code)]))
            self.assertNotIn(row, rows.search([("account_code", "=", "no such code")]))
        searched = self.env["customer.cost.account.map"].with_user(self.users["accountant"])
        for domain in (
            [("account_id", "ilike", self.account.code)],
            [("account_code", "=ilike", f"{self.account.code[:4].lower()}%")],
        ):
            self.assertIn(row, searched.search(domain))

    # ------------------------------------------------------------
    # Bad input
    # ------------------------------------------------------------

    def assertRefused(self, error, message, **vals):
        count = self.env["customer.cost.account.map"].search_count([])
        with self.assertRaisesRegex(error, message), self.env.cr.savepoint():
            self.map_account(self.account, vals.pop("item", self.item), **vals)
            self.env.flush_all()
        self.assertEqual(self.env["customer.cost.account.map"].search_count([]), count)

    def test_item_and_reason_exclude_each_other(self):
        with mute_logger("odoo.sql_db"):
            self.assertRefused(IntegrityError, "item_or_reason", left_out_reason="Never")
            self.assertRefused(IntegrityError, "item_or_reason", item=None)
            self.assertRefused(IntegrityError, "item_or_reason", item=None, left_out_reason="")

    def test_dates_out_of_order(self):
        with mute_logger("odoo.sql_db"):
            self.assertRefused(
                IntegrityError, "dates_in_order", date_from="2025-02-01", date_to="2025-01-31"
            )

    def test_messages_of_the_database_rules(self):
        row = self.map_account(self.account, self.item)
        with mute_logger("odoo.sql_db", "odoo.http"):
            for vals, message in (
                ({"left_out_reason": "Never"}, "either a cost item or the reason"),
                ({"date_from": "2025-02-01", "date_to": "2025-01-31"}, "end before it begins"),
            ):
                with self.assertRaises(IntegrityError) as caught, self.env.cr.savepoint():
                    row.write(vals)
                    self.env.flush_all()
                row.invalidate_recordset()
                error = row._sql_error_to_message(caught.exception)
                self.assertIn(message, error)

    def test_archived_item_is_refused(self):
        self.item.active = False
        self.assertRefused(ValidationError, "Test travel is archived")

    def test_account_of_another_company_is_refused(self):
        other = self.setup_other_company(name="Elsewhere")
        self.account = other["default_account_expense"]
        self.assertRefused(UserError, "company")

    def test_item_of_another_company_is_refused(self):
        other = self.setup_other_company(name="Elsewhere")["company"]
        foreign = self.create_item("T-FOR", "Foreign", company_id=other.id)
        self.assertRefused(UserError, "company", item=foreign)

    def test_only_the_cost_accountant_changes_the_map(self):
        row = self.map_account(self.account, self.item)
        for role in ("rep", "cost_user", "reviewer", "auditor", "internal"):
            with self.assertRaises(AccessError), self.env.cr.savepoint():
                row.with_user(self.users[role]).write({"sequence": 1})
        row.with_user(self.users["accountant"]).write({"sequence": 1})
        self.assertEqual(row.sequence, 1)


@tagged("post_install", "-at_install")
class TestAccountMapPreview(CustomerCostCommon):
    def preview(self, user=None, **vals):
        env = self.env(user=user or self.users["accountant"])
        return env["customer.cost.map.preview"].create(
            {
                "company_id": self.company.id,
                "date_from": "2025-03-01",
                "date_to": "2025-03-31",
                **vals,
            }
        )

    def books(self):
        """Balance of expense and other income accounts in March, asked of the journal items."""
        ((balance,),) = self.env["account.move.line"]._read_group(
            [
                ("parent_state", "=", "posted"),
                ("company_id", "=", self.company.id),
                ("date", ">=", "2025-03-01"),
                ("date", "<=", "2025-03-31"),
                ("account_id.internal_group", "in", ("expense", "income")),
                ("account_id.account_type", "!=", "income"),
            ],
            [],
            ["balance:sum"],
        )
        return round(balance, 2)

    def rows(self, preview):
        return {
            (line.item_id, line.account_id, line.reason or ""): (line.line_count, line.amount)
            for line in preview.line_ids
        }

    def setUp(self):
        super().setUp()
        accounts = self.env["account.account"]
        self.direct_account = self.expense_account.copy(
            {"code": "T50001", "name": "Goods", "account_type": "expense_direct_cost"}
        )
        self.left_out_account = self.expense_account.copy({"code": "T60009", "name": "Interest"})
        self.equity = accounts.search(
            [("account_type", "=", "equity_unaffected"), ("company_ids", "in", self.company.ids)],
            limit=1,
        )
        self.map_account(self.left_out_account, left_out_reason="Interest is no customer cost")
        self.create_bill(
            [
                (self.expense_account, 100.1, {}),
                (self.expense_account, 0.2, {"cost_customer_id": self.customer_a.id}),
                (self.other_account, 40.0, {}),
                (self.unmapped_account, 7.0, {}),
                (self.left_out_account, 5.0, {}),
                (self.direct_account, 300.0, {}),
            ]
        )
        self.create_entry_move([(self.expense_account, -3.0, {}), (self.equity, 3.0, {})])
        self.create_bill([(self.expense_account, 1000.0, {})], day="2025-04-01")
        self.create_bill([(self.expense_account, 1000.0, {})], post=False)

    def test_every_amount_of_the_books_stands_in_one_row(self):
        preview = self.preview()
        items = self.env["customer.cost.item"]
        accounts = self.env["account.account"]
        self.assertEqual(
            self.rows(preview),
            {
                (self.item, accounts, ""): (2, 100.3),
                (self.other_item, accounts, ""): (1, 40.0),
                (items, self.unmapped_account, "No row of the map matches"): (1, 7.0),
                (items, self.left_out_account, "Interest is no customer cost"): (1, 5.0),
                (
                    items,
                    self.direct_account,
                    "Cost of sales: it reaches customers as product cost",
                ): (1, 300.0),
                (
                    items,
                    self.expense_account,
                    "Closing entry: carries the result to current year earnings",
                ): (1, -3.0),
            },
        )

    def test_totals_add_up_to_the_books(self):
        preview = self.preview()
        self.assertEqual(preview.total, self.books())
        self.assertEqual(preview.mapped_total, 140.3)
        self.assertEqual(preview.left_out_total, 309.0)
        self.assertEqual(preview.total, 449.3)

    def test_mapped_total_is_what_was_captured(self):
        march = sum(amount for (_c, _i, day), amount in self.ledger().items() if day.month == 3)
        self.assertEqual(self.preview().mapped_total, round(march, 2))

    def test_sales_that_a_row_leaves_out_are_shown(self):
        gains = self.expense_account.copy(
            {"code": "T40009", "name": "Exchange gains", "account_type": "income"}
        )
        journal = self.company_data["default_journal_misc"]
        self.map_account(gains, left_out_reason="Exchange", journal_id=journal.id)
        self.create_entry_move([(gains, -5.0, {})])
        self.create_sale(self.customer_a, product=self.product, price=77.0)
        preview = self.preview()
        self.assertEqual(
            self.rows(preview)[self.env["customer.cost.item"], gains, "Exchange"], (1, -5.0)
        )
        self.assertEqual(preview.total, self.books() - 5.0)

    def test_preview_writes_nothing(self):
        with self.assertNothingChanged():
            self.assertTrue(self.preview().line_ids)

    def test_preview_of_an_empty_period(self):
        preview = self.preview(date_from="2024-01-01", date_to="2024-01-31")
        self.assertFalse(preview.line_ids)
        self.assertEqual(preview.total, 0.0)

    def test_preview_of_a_company_out_of_reach_shows_nothing(self):
        other = self.setup_other_company(name="Elsewhere")
        self.create_entry_move(
            [(other["default_account_expense"], 10.0, {})],
            company_id=other["company"].id,
            journal_id=other["default_journal_misc"].id,
            line_ids=[
                Command.create({"account_id": account.id, "balance": balance})
                for account, balance in (
                    (other["default_account_expense"], 10.0),
                    (other["default_account_payable"], -10.0),
                )
            ],
        )
        preview = (
            self.env(user=self.users["accountant"])["customer.cost.map.preview"]
            .sudo()
            .create(
                {
                    "company_id": other["company"].id,
                    "date_from": "2025-03-01",
                    "date_to": "2025-03-31",
                }
            )
        )
        self.assertFalse(preview.line_ids)
        self.assertEqual(preview.total, 0.0)

    def test_only_the_cost_accountant_previews(self):
        for role in ("rep", "cost_user", "reviewer", "internal"):
            with self.assertRaises(AccessError):
                self.preview(user=self.users[role])
