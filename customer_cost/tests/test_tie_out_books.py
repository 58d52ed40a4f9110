from freezegun import freeze_time

from odoo import Command
from odoo.tests import tagged
from odoo.tools import date_utils

from .tie_out_common import FIRST, LAST, TieOutCommon


class TieOutBooks(TieOutCommon):
    """A year of realistic books: several journals, currencies, late and closing entries."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sales_account = cls.company_data["default_account_revenue"]
        cls.other_income = cls.create_account("T70001", "income_other")
        cls.goods_account = cls.create_account("T50001", "expense_direct_cost")
        cls.closing_account = cls.env["account.account"].search(
            [("account_type", "=", "equity_unaffected"), ("company_ids", "in", cls.company.ids)],
            limit=1,
        )
        cls.left_out_account = cls.create_account("T60009", "expense_other")
        cls.map_account(cls.left_out_account, left_out_reason="Fines")
        cls.gains_account = cls.create_account("T70009", "income")
        cls.map_account(
            cls.gains_account,
            left_out_reason="Exchange",
            journal_id=cls.company_data["default_journal_misc"].id,
        )
        cls.scrap_account = cls.create_account("T50009", "expense_direct_cost")
        cls.map_account(cls.scrap_account, left_out_reason="Scrap")
        cls.customer_a.customer_rank = 1
        # Odoo gives a product without taxes those of the companies its maker may not see
        cls.product.sudo().taxes_id = False
        cls.foreign = cls.setup_other_currency(
            "EUR" if cls.company.currency_id.name != "EUR" else "USD",
            rates=[("2024-01-01", 0.5), ("2025-03-01", 0.4), ("2025-05-01", 0.3)],
        )
        cls.create_sales()
        cls.create_costs()
        cls.create_late_costs()
        cls.create_runs()

    @classmethod
    def create_account(cls, code, account_type):
        return cls.env["account.account"].create(
            {
                "code": code,
                "name": f"Account {code}",
                "account_type": account_type,
                "company_ids": [Command.set(cls.company.ids)],
            }
        )

    @classmethod
    def create_sales(cls):
        taxes = [Command.set(cls.company_data["default_tax_sale"].ids)]
        cls.create_sale(cls.customer_a, quantity=7, price=199.99, day="2025-01-15")
        invoice = cls.create_sale(
            cls.customer_b,
            quantity=3,
            price=333.33,
            day="2025-03-05",
            currency_id=cls.foreign.id,
            post=False,
        )
        invoice.invoice_line_ids.tax_ids = taxes
        invoice.action_post()
        cls.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=invoice.ids
        ).create({"payment_date": "2025-05-20"})._create_payments()
        reversal = (
            cls.env["account.move.reversal"]
            .with_context(active_model="account.move", active_ids=invoice.ids)
            .create({"date": "2025-06-01", "journal_id": invoice.journal_id.id})
        )
        reversal.reverse_moves()
        reversal.new_move_ids.action_post()
        deferred = cls.create_account("T29001", "liability_current")
        down_payment = cls.create_sale(cls.customer_a, price=250.0, day="2025-04-04", post=False)
        down_payment.invoice_line_ids.account_id = deferred
        down_payment.action_post()
        cls.create_entry_move([(cls.sales_account, -40.0, {})], day="2025-04-30")
        cls.create_entry_move(
            [(cls.sales_account, -15.5, {}), (cls.goods_account, 12.25, {})],
            day="2025-04-30",
            journal_id=cls.company_data["default_journal_bank"].id,
        )

    @classmethod
    def create_costs(cls):
        goods = cls.env["product.product"].create(
            {
                "name": "Goods",
                "type": "consu",
                **({"is_storable": True} if "is_storable" in cls.env["product.product"] else {}),
                "supplier_taxes_id": [Command.clear()],
            }
        )
        taxes = [Command.set(cls.company_data["default_tax_purchase"].ids)]
        cls.create_bill(
            [
                (cls.expense_account, 100.01, {"cost_customer_id": cls.customer_a.id}),
                (cls.expense_account, 33.33, {"tax_ids": taxes}),
                (cls.unmapped_account, 8.08, {}),
                (cls.expense_account, 70.0, {"product_id": goods.id}),
                (cls.other_income, 3.0, {"cost_item_id": cls.item.id}),
                (cls.gains_account, 6.0, {}),
            ],
            day="2025-02-10",
        )
        cls.create_bill([(cls.expense_account, 20.0, {})], day="2025-03-10", move_type="in_refund")
        cls.create_bill(
            [(cls.other_account, 1234.56, {})], day="2025-03-11", currency_id=cls.foreign.id
        )
        cls.create_entry_move(
            [
                (cls.other_account, 500.0, {}),
                (cls.left_out_account, 11.0, {}),
                (cls.other_income, -9.0, {}),
                (cls.gains_account, -30.0, {"cost_item_id": cls.item.id}),
                (cls.scrap_account, 17.0, {}),
            ],
            day="2025-03-31",
        )
        cls.create_entry_move(
            [(cls.expense_account, 4.44, {"partner_id": cls.customer_a.id})],
            day="2025-05-02",
            journal_id=cls.company_data["default_journal_bank"].id,
        )
        for day, first, last in (
            ("2024-12-05", "2024-11-10", "2025-06-20"),
            ("2025-02-20", "2024-12-01", "2026-01-31"),
        ):
            service = {"cost_service_from": first, "cost_service_to": last}
            cls.create_bill([(cls.expense_account, 777.77, service)], day=day)
        cls.create_cost(post=True)
        cls.create_cost(post=True, customer_id=False, amount=31.0, date="2025-04-10")

    @classmethod
    def create_runs(cls):
        driver = cls.create_driver({cls.customer_a: 1, cls.customer_b: 2}, window="year")
        cls.create_rule(driver, cls.item, share_pct=80)
        cls.create_rule(driver, cls.other_item, full_cost=True, carry_forward=True)
        for month in (2, 3, 4, 5):
            cls.create_run(day=date_utils.end_of(FIRST.replace(month=month), "month"), post=True)

    @classmethod
    def create_late_costs(cls):
        cls.close_period("2025-01-20")
        cls.create_bill([(cls.expense_account, 60.0, {})], day="2025-01-20")

    @classmethod
    def close_month(cls, month):
        """Carry every balance of the month to current year earnings, as 结转损益 does."""
        first = FIRST.replace(month=month)
        groups = cls.env["account.move.line"]._read_group(
            [
                ("company_id", "=", cls.company.id),
                ("parent_state", "=", "posted"),
                ("date", ">=", first),
                ("date", "<=", date_utils.end_of(first, "month")),
                ("account_id.internal_group", "in", ("income", "expense")),
            ],
            ["account_id"],
            ["balance:sum"],
        )
        total = sum(balance for _account, balance in groups)
        move = cls.env["account.move"].create(
            {
                "journal_id": cls.company_data["default_journal_misc"].id,
                "date": date_utils.end_of(first, "month"),
                "line_ids": [
                    Command.create({"account_id": account.id, "balance": -balance})
                    for account, balance in groups
                ]
                + [Command.create({"account_id": cls.closing_account.id, "balance": total})],
            }
        )
        move.action_post()
        return move

    def check_all_ranges(self):
        """The year, its quarters and months tie out, and the months add up to the year."""
        year = self.tie_out()
        self.assertTied(year)
        months = [
            self.tie_out(date_utils.start_of(day, "month"), day)
            for day in (
                date_utils.end_of(FIRST.replace(month=month), "month") for month in range(1, 13)
            )
        ]
        for month in months:
            self.assertTied(month)
        for name, total in year["totals"].items():
            self.assertAlmostEqual(sum(month["totals"][name] for month in months), total, 2)
        for month in (3, 6, 9, 12):
            first = FIRST.replace(month=month - 2)
            self.assertTied(
                self.tie_out(first, date_utils.end_of(FIRST.replace(month=month), "month"))
            )
        return year

    def check_profitability(self, year):
        """Customers' total equals the profitability report as people read it."""
        ((profit, full),) = self.env["customer.cost.profitability"]._read_group(
            [("company_id", "=", self.company.id), ("month", ">=", FIRST), ("month", "<=", LAST)],
            [],
            ["full_profit:sum", "full_cost:sum"],
        )
        self.assertAlmostEqual(self.section(year, "result")["profit"], profit, 2)
        self.assertAlmostEqual(self.section(year, "pools")["full"], full, 2)

    def check_balances(self, year):
        """Every account's balance is the one Odoo's own grouping of journal items gives."""
        groups = self.env["account.move.line"]._read_group(
            [
                ("company_id", "=", self.company.id),
                ("parent_state", "=", "posted"),
                ("date", ">=", FIRST),
                ("date", "<=", LAST),
                ("account_id.internal_group", "in", ("income", "expense")),
                ("balance", "!=", 0),
            ],
            ["account_id"],
            ["balance:sum", "__count"],
        )
        expected = {account.id: (round(-total, 2), count) for account, total, count in groups}
        got = {row["account_id"]: (row["balance"], row["count"]) for row in year["accounts"]}
        self.assertEqual(got, expected)
        self.assertAlmostEqual(
            self.section(year, "result")["books"], sum(total for total, _n in expected.values()), 2
        )


@tagged("post_install", "-at_install")
@freeze_time("2026-02-15")
class TestTieOutBooks(TieOutBooks):
    """Generic chart: every difference of realistic books is 0.00."""

    def test_ties_out(self):
        year = self.check_all_ranges()
        self.check_balances(year)
        self.check_profitability(year)

    def test_every_named_figure_stands_in_its_row(self):
        year = self.tie_out()
        sales = self.section(year, "sales")
        self.assertEqual(sales["elsewhere"], -250.0)
        self.assertEqual(sales["entry"], 40.0)
        self.assertEqual(sales["bank"], 15.5)
        goods = self.section(year, "cost_of_sales")
        self.assertEqual((goods["purchases"], goods["other"]), (70.0, 12.25))
        reasons = self.account_row(year, self.left_out_account)["reasons"]
        self.assertEqual([(row["label"], row["amount"]) for row in reasons], [("Fines", -11.0)])
        for account, column, kept, reason, amount in (
            (self.gains_account, "sales", -6.0, "Exchange", 30.0),
            (self.scrap_account, "cost_of_sales", 0.0, "Scrap", -17.0),
        ):
            row = self.account_row(year, account)
            self.assertEqual((row[column], row["left_out"], row["captured"]), (kept, amount, 0.0))
            self.assertEqual(
                [(found["label"], found["amount"]) for found in row["reasons"]], [(reason, amount)]
            )
        self.assertEqual(sales["bill"], -6.0)
        manual = self.section(year, "manual")
        self.assertEqual((manual["own"], manual["direct"], manual["pool"]), (131.0, 100.0, 31.0))

    def test_an_invoice_line_that_the_map_leaves_out_is_taken_back(self):
        before = self.section(self.tie_out(), "sales")
        sale = self.create_sale(self.customer_a, price=77.0, day="2025-03-03", post=False)
        sale.invoice_line_ids.account_id = self.scrap_account
        sale.copy({"invoice_date": "2025-03-03"}).invoice_line_ids.account_id = self.gains_account
        self.map_account(self.gains_account, left_out_reason="Gains")._unguarded().write(
            {"effective_from": False}
        )
        sales = self.env["account.move"].search([("invoice_line_ids.price_unit", "=", 77.0)])
        sales.date = "2025-03-03"
        sales.action_post()
        year = self.check_all_ranges()
        after = self.section(year, "sales")
        self.assertEqual(after["invoice"] - before["invoice"], 154.0)
        self.assertEqual(after["elsewhere"] - before["elsewhere"], -154.0)
        self.assertEqual(self.account_row(year, self.gains_account)["left_out"], 101.0)

    def test_late_cost_counts_in_the_month_that_took_it(self):
        january = self.tie_out(FIRST, FIRST)
        self.assertEqual(self.section(january, "captured")["late_out"], -60.0)
        self.assertEqual(january["counts"]["late"]["count"], 0)
        february = self.tie_out(FIRST.replace(month=2), FIRST.replace(month=2))
        self.assertEqual(self.section(february, "captured")["late_in"], 60.0)
        self.assertEqual(february["counts"]["late"], {"count": 1, "amount": 60.0})
        year = self.section(self.tie_out(), "captured")
        self.assertEqual((year["late_in"], year["late_out"]), (0.0, 0.0))

    def test_service_periods_are_spread_in_and_out(self):
        lines = self.env["customer.cost.line"].search([("entry_id.amount", "=", 777.77)])
        inside = lines.filtered(lambda line: FIRST <= line.date <= LAST)
        captured = self.section(self.tie_out(), "captured")
        before, after = (
            round(sum(part.filtered(lambda line: FIRST <= line.origin_date).mapped("amount")), 2)
            for part in (lines - inside, inside)
        )
        self.assertTrue(before and after)
        self.assertEqual(captured["out"], -before)
        self.assertEqual(captured["in"], round(sum(inside.mapped("amount")) - after, 2))

    def test_closing_entries_are_excluded(self):
        before = self.tie_out()
        for month in range(1, 13):
            self.close_month(month)
        after = self.check_all_ranges()
        self.check_balances(after)
        self.assertEqual(after["totals"]["balance"], 0.0)
        for name in ("sales", "cost_of_sales", "captured", "left_out"):
            self.assertEqual(after["totals"][name], before["totals"][name], name)
        self.assertEqual(after["totals"]["excluded"], -before["totals"]["balance"])


@tagged("post_install", "-at_install")
@freeze_time("2026-02-15")
class TestTieOutChina(TieOutBooks):
    """Chinese chart with the result carried over every month (结转损益)."""

    @classmethod
    @TieOutBooks.setup_chart_template("cn")
    def setUpClass(cls):
        super().setUpClass()
        for month in range(1, 13):
            cls.close_month(month)

    def test_ties_out(self):
        self.assertEqual(self.closing_account.code[:4], "3103")
        year = self.check_all_ranges()
        self.check_balances(year)
        self.check_profitability(year)
        self.assertEqual(year["totals"]["balance"], 0.0)
        self.assertNotEqual(year["totals"]["captured"], 0.0)


@tagged("post_install", "-at_install")
@freeze_time("2026-02-15")
class TestTieOutGermany(TieOutBooks):
    """German chart."""

    @classmethod
    @TieOutBooks.setup_chart_template("de_skr03")
    def setUpClass(cls):
        super().setUpClass()

    def test_ties_out(self):
        year = self.check_all_ranges()
        self.check_balances(year)
        self.check_profitability(year)
