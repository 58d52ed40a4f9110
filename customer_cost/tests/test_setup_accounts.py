from odoo.exceptions import UserError
from odoo.tests import tagged

from odoo.addons.customer_cost.models.customer_cost_account_map import RESULT_ACCOUNT_TYPES
from odoo.addons.customer_cost.models.customer_cost_setup_account import KIND_BY_TYPE

from .setup_common import SetupCommon


@tagged("post_install", "-at_install")
class TestSetupAccounts(SetupCommon):
    """The accounts: they add up to the profit and loss, are mapped once, decisions stay."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.post_two_months()
        cls.env.flush_all()

    def test_the_list_adds_up_to_the_profit_and_loss(self):
        setup = self.open_setup()
        self.assertEqual(setup.sales_total, 800.0)
        self.assertEqual(setup.cost_total, -220.02)
        self.assertEqual(setup.left_out_total, -14.0)
        self.assertEqual(setup.result_total, 565.98)
        self.assertEqual(setup.difference, 0.0)
        self.assertEqual(
            setup.posted_account_ids.account_id,
            self.travel | self.wages | self.interest | self.company_data["default_account_revenue"],
        )
        self.assertIn(self.line(setup, self.rent), setup.unposted_account_ids)

    def test_proposals_name_items_and_reasons(self):
        setup = self.open_setup()
        self.assertEqual(
            self.line(setup, self.travel).item_id, self.env.ref("customer_cost.item_sal_trv")
        )
        wages = self.line(setup, self.wages).item_id
        self.assertEqual(wages, self.env.ref("customer_cost.item_adm_sal"))
        self.assertTrue(wages.confidential)
        self.assertEqual(
            self.line(setup, self.interest).left_out_reason, "Interest and financial result"
        )

    def test_an_archived_item_is_stood_in_for_by_the_one_above(self):
        self.env.ref("customer_cost.item_sal_trv").active = False
        setup = self.open_setup()
        self.assertEqual(
            self.line(setup, self.travel).item_id, self.env.ref("customer_cost.item_sal")
        )

    def test_without_any_item_the_account_waits_for_a_person(self):
        item = self.env.ref("customer_cost.item_sal_trv")
        (item | item.parent_id).active = False
        line = self.line(self.open_setup(), self.travel)
        self.assertEqual((line.kind, line.item_id.id), ("left_out", False))
        self.assertIn("choose one", line.left_out_reason)

    def test_accepting_writes_a_row_for_every_account_that_can_be_mapped(self):
        setup = self.open_setup()
        totals = (setup.cost_total, setup.left_out_total, setup.difference)
        setup.action_accept_accounts()
        self.assertEqual(setup.step, "months")
        self.assertEqual(totals, (setup.cost_total, setup.left_out_total, setup.difference))
        rows = self.env["customer.cost.account.map"].search([("company_id", "=", self.company.id)])
        self.assertEqual(
            set(rows.account_id.mapped("account_type")) - {"income", "expense_direct_cost"},
            set(rows.account_id.mapped("account_type")),
        )
        self.assertEqual(len(rows), len(rows.account_id))
        self.assertEqual(
            self.map_rows(self.travel).item_id, self.env.ref("customer_cost.item_sal_trv")
        )
        self.assertEqual(
            self.map_rows(self.interest).left_out_reason, "Interest and financial result"
        )

    def test_existing_rows_are_shown_and_not_touched(self):
        row = self.map_account(self.travel, self.other_item)
        several = self.map_account(self.wages, self.item, words="bonus") | self.map_account(
            self.wages, self.other_item
        )
        before = (row | several).read()
        setup = self.open_setup()
        travel, wages = self.line(setup, self.travel), self.line(setup, self.wages)
        self.assertEqual((travel.status, travel.item_id), ("mapped", self.other_item))
        self.assertEqual(wages.left_out_reason, "2 rows of the account map decide")
        self.assertEqual(setup.difference, 0.0)
        setup.action_accept_accounts()
        self.assertEqual(self.map_rows(self.travel, self.wages), row | several)
        self.assertEqual((row | several).read(), before)

    def test_again_keeps_what_a_person_changed_in_the_map(self):
        setup = self.open_setup()
        setup.action_accept_accounts()
        changed, archived, deleted = (
            self.map_rows(account) for account in (self.travel, self.wages, self.interest)
        )
        changed.item_id = self.other_item
        archived.active = False
        deleted.unlink()
        setup.action_back()
        self.assertEqual(self.line(setup, self.travel).item_id, self.other_item)
        self.assertEqual(
            self.line(setup, self.wages).left_out_reason, "Its row of the account map is archived"
        )
        self.assertEqual(
            self.line(setup, self.interest).left_out_reason,
            "Its row was deleted from the account map",
        )
        setup.action_accept_accounts()
        self.assertEqual(self.map_rows(self.travel, self.wages), changed | archived)
        self.assertEqual(changed.item_id, self.other_item)
        self.assertFalse(archived.active)
        self.assertFalse(self.map_rows(self.interest))

    def test_an_account_deleted_from_the_map_can_be_chosen_again(self):
        setup = self.open_setup()
        setup.action_accept_accounts()
        self.map_rows(self.interest).unlink()
        setup.action_back()
        self.line(setup, self.interest).item_id = self.item
        self.line(setup, self.interest).kind = "cost"
        setup.action_accept_accounts()
        self.assertEqual(self.map_rows(self.interest).item_id, self.item)

    def test_what_a_person_chose_in_the_list_survives_reading_again(self):
        setup = self.open_setup()
        line = self.line(setup, self.travel)
        line.write({"kind": "left_out", "item_id": False, "left_out_reason": "Private"})
        setup.action_read_accounts()
        self.assertEqual(
            (line.status, line.kind, line.left_out_reason), ("chosen", "left_out", "Private")
        )
        setup.action_accept_accounts()
        self.assertEqual(self.map_rows(self.travel).left_out_reason, "Private")

    def test_a_new_account_is_mapped_the_next_time(self):
        setup = self.open_setup()
        setup.action_accept_accounts()
        rows = self.env["customer.cost.account.map"].search([])
        account = self.create_account("T61009", "Advertising abroad")
        setup.action_back()
        setup.action_accept_accounts()
        added = self.env["customer.cost.account.map"].search([]) - rows
        self.assertEqual(added.account_id, account)
        self.assertEqual(added.item_id, self.env.ref("customer_cost.item_mkt_adv"))

    def test_books_that_changed_since_are_refused(self):
        setup = self.open_setup()
        self.create_bill([(self.rent, 33.0, {})], day="2025-05-20")
        with self.assertRefused(r"565\.98.*532\.98.*-.*33\.00.*read it again"):
            setup.action_accept_accounts()
        self.assertEqual(setup.step, "accounts")
        self.assertFalse(self.map_rows(self.travel))
        setup.action_read_accounts()
        setup.action_accept_accounts()
        self.assertTrue(self.map_rows(self.rent))

    def test_a_line_without_item_or_reason_is_named(self):
        setup = self.open_setup()
        self.line(setup, self.travel).write({"kind": "cost", "item_id": False})
        with self.assertRefused("T61001.*neither a cost item nor a reason"):
            setup.action_accept_accounts()
        self.line(setup, self.travel).kind = "sales"
        with self.assertRefused("T61001.*cannot count as sales"):
            setup.action_accept_accounts()
        self.assertFalse(self.map_rows(self.wages))

    def test_accounts_decided_by_the_map_are_not_changed_here(self):
        self.map_account(self.travel, self.other_item)
        with self.assertRaisesRegex(UserError, "decided already by the account map"):
            self.line(self.open_setup(), self.travel).write({"left_out_reason": "no"})

    def test_an_income_account_can_be_left_out_of_sales(self):
        gains = self.create_account("T70001", "Exchange gains", "income")
        self.create_entry_move([(gains, -30.0, {})], day="2025-05-15")
        setup = self.open_setup()
        line = self.line(setup, gains)
        self.assertEqual((line.kind, line.status, setup.sales_total), ("sales", "type", 830.0))
        line.write({"kind": "left_out", "left_out_reason": "Exchange"})
        setup.action_read_accounts()
        self.assertEqual((setup.sales_total, setup.left_out_total), (800.0, 16.0))
        setup.action_accept_accounts()
        self.assertEqual(self.map_rows(gains).left_out_reason, "Exchange")
        setup.action_back()
        self.assertEqual((line.kind, line.status), ("left_out", "mapped"))
        self.assertEqual((setup.sales_total, setup.left_out_total), (800.0, 16.0))
        self.assertEqual(setup.difference, 0.0)
        self.map_rows(gains).active = False
        setup.action_read_accounts()
        self.assertEqual((line.kind, setup.sales_total, setup.difference), ("sales", 830.0, 0.0))

    def test_a_row_that_leaves_out_part_of_an_income_account(self):
        sales = self.company_data["default_account_revenue"]
        misc = self.company_data["default_journal_misc"]
        self.map_account(sales, left_out_reason="Exchange", journal_id=misc.id)
        self.create_entry_move([(sales, -30.0, {})], day="2025-05-15")
        setup = self.open_setup()
        self.assertEqual(self.line(setup, sales).kind, "left_out")
        self.assertEqual((setup.sales_total, setup.left_out_total), (800.0, 16.0))
        self.assertEqual(setup.difference, 0.0)

    def test_an_income_account_is_no_cost_of_sales(self):
        account = self.create_account("T7RET", "Returns", "income")
        setup = self.open_setup()
        self.line(setup, account).kind = "cost_of_sales"
        with self.assertRefused("T7RET.*cannot count as cost of sales"):
            setup.action_accept_accounts()
        self.assertFalse(self.map_rows(account))

    def test_sales_and_cost_of_sales_take_no_cost_item(self):
        for account_type in ("income", "expense_direct_cost"):
            account = self.create_account(f"T7{account_type[:3]}", "Typed", account_type)
            setup = self.open_setup()
            self.line(setup, account).write({"kind": "cost", "item_id": self.item.id})
            with self.assertRefused("T7.*cannot be a cost item.*Change the type"):
                setup.action_accept_accounts()
            with self.assertRefused("sales and cost of sales come from the invoices", Exception):
                self.map_account(account, self.item)
            self.line(setup, account).write({"kind": KIND_BY_TYPE[account_type], "item_id": False})
            setup.action_accept_accounts()
            self.assertFalse(self.map_rows(account))
            setup.action_back()

    def test_goods_on_an_expense_account_stay_cost_of_sales(self):
        goods = self.env["product.product"].create({"name": "Goods", "type": "consu"})
        if "is_storable" in goods._fields:
            goods.is_storable = True
        self.create_bill(
            [(self.rent, 40.0, {"product_id": goods.id, "price_unit": 40.0}), (self.rent, 9.0, {})],
            day="2025-05-21",
        )
        only = self.create_account("T61008", "Things")
        self.create_bill([(only, 5.0, {"product_id": goods.id})], day="2025-05-21")
        setup = self.open_setup()
        mixed = self.line(setup, self.rent)
        self.assertEqual((mixed.kind, mixed.amount, mixed.goods_amount), ("cost", -49.0, -40.0))
        self.assertEqual(self.line(setup, only).kind, "cost_of_sales")
        self.assertEqual(setup.cost_of_sales_total, -45.0)
        self.assertEqual(setup.difference, 0.0)

    def test_closing_entries_stand_apart(self):
        result = self.env["account.account"].search(
            [
                ("account_type", "=", "equity_unaffected"),
                ("company_ids", "in", self.company.ids),
            ],
            limit=1,
        )
        before = self.open_setup().result_total
        self.create_entry_move(
            [(self.company_data["default_account_revenue"], 800.0, {}), (result, -800.0, {})],
            day="2025-05-31",
        )
        setup = self.open_setup()
        self.assertAlmostEqual(setup.result_total, before - 800.0, 2)
        self.assertEqual((setup.sales_total, setup.excluded_total), (800.0, -800.0))
        self.assertEqual(setup.difference, 0.0)

    def test_only_the_months_chosen_count(self):
        setup = self.open_setup()
        setup.write({"date_from": "2025-05-01"})
        self.assertEqual((setup.sales_total, setup.difference), (400.0, 0.0))

    def test_an_empty_company_can_be_set_up(self):
        self.env["account.move"].search([("company_id", "=", self.company.id)]).button_draft()
        setup = self.open_setup()
        self.assertFalse(setup.posted_account_ids)
        self.assertEqual((setup.result_total, setup.difference), (0.0, 0.0))
        setup.action_accept_accounts()
        self.assertEqual(setup.step, "months")


class ChartTests:
    """Every profit-and-loss account of a chart lands in exactly one class."""

    def check_chart(self):
        setup = self.open_setup()
        accounts = self.env["account.account"].search(
            [
                ("company_ids", "in", self.company.ids),
                ("account_type", "in", RESULT_ACCOUNT_TYPES),
            ]
        )
        self.assertEqual(setup.account_ids.account_id, accounts)
        self.assertEqual(len(setup.account_ids), len(accounts))
        for line in setup.account_ids:
            with self.subTest(line.account_id.display_name):
                self.assertEqual(line.kind == "cost", bool(line.item_id))
                self.assertEqual(line.kind == "left_out", bool(line.left_out_reason))
        self.assertEqual(setup.difference, 0.0)
        setup.action_accept_accounts()
        return {line.code: line for line in setup.account_ids}

    def assertProposed(self, lines, expected):
        found = {
            code: lines[code].item_id.code or lines[code].left_out_reason or lines[code].kind
            for code in expected
        }
        self.assertEqual(found, expected)


@tagged("post_install", "-at_install")
class TestSetupChineseChart(ChartTests, SetupCommon):
    @classmethod
    @SetupCommon.setup_chart_template("cn")
    def setUpClass(cls):
        super().setUpClass()

    def test_every_account_is_in_one_class(self):
        # a child account as companies add them, named in Chinese alone
        self.create_account("560104", "职工薪酬")
        self.assertProposed(
            self.check_chart(),
            {
                "500100": "sales",
                "540100": "cost_of_sales",
                "540300": "ADM",
                "560100": "SAL",
                "560101": "SUP-REP",
                "560102": "MKT-ADV",
                "560104": "SAL-SAL",
                "560200": "ADM",
                "560202": "OTH-EVT",
                "560300": "Interest and financial result",
                "560302": "Exchange differences",
                "560304": "PAY",
                "571100": "Outside ordinary operations",
                "580100": "Income tax",
            },
        )

    def test_books_closed_every_month_tie_out(self):
        travel = self.create_account("560104", "差旅费")
        sales = self.company_data["default_account_revenue"]
        earnings = self.env["account.account"].search(
            [
                ("account_type", "=", "equity_unaffected"),
                ("company_ids", "in", self.company.ids),
            ],
            limit=1,
        )
        self.create_sale(self.customer_a, quantity=3, day="2025-05-05")
        self.create_bill([(travel, 30.01, {})], day="2025-05-10")
        self.create_entry_move(
            [(sales, 300.0, {}), (travel, -30.01, {}), (earnings, -269.99, {})], day="2025-05-31"
        )
        setup = self.calculate()
        self.assertEqual((setup.step, setup.failed_count), ("done", 0))
        self.assertEqual((setup.sales_total, setup.cost_total), (300.0, -30.01))
        self.assertEqual((setup.result_total, setup.difference), (0.0, 0.0))
        overview = self.env["customer.cost.overview"].with_user(self.manager)
        rows = {row["key"]: row["value"] for row in overview.get_overview()["rows"]}
        self.assertEqual((rows["net_sales"], rows["sustaining_cost"]), (300.0, 30.01))
        trust = overview.get_trust()
        self.assertEqual((trust["is_tied"], trust["difference"]), (True, 0.0))


@tagged("post_install", "-at_install")
class TestSetupGermanChart(ChartTests, SetupCommon):
    @classmethod
    @SetupCommon.setup_chart_template("de_skr03")
    def setUpClass(cls):
        super().setUpClass()

    def test_every_account_is_in_one_class(self):
        self.assertProposed(
            self.check_chart(),
            {
                "2110": "Interest and financial result",
                "2200": "Income tax",
                "3200": "cost_of_sales",
                "4120": "ADM-SAL",
                "4210": "ADM-RNT",
                "4600": "MKT-ADV",
                "4660": "SAL-TRV",
                "4730": "MAT-FRT",
                "4830": "ADM-DEP",
                "4930": "ADM-OFF",
                "4970": "PAY-FEE",
                "8400": "sales",
            },
        )


@tagged("post_install", "-at_install")
class TestSetupGenericChart(ChartTests, SetupCommon):
    def test_every_account_is_in_one_class(self):
        self.assertProposed(
            self.check_chart(),
            {
                "400000": "sales",
                "450000": "Other income, not from sales",
                "500000": "cost_of_sales",
                "612000": "ADM-RNT",
                "620000": "PAY-FEE",
                "630000": "ADM-SAL",
                "962000": "SAL",
            },
        )
