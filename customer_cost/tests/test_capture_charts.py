from datetime import date

from odoo.addons.account.tests.common import AccountTestInvoicingCommon

from .common import CustomerCostCommon


class ChartCommon(CustomerCostCommon):
    """A company on a national chart of accounts; the chart's module has to be installed."""

    chart_module = None

    @classmethod
    def _use_chart_template(cls, company, chart_template_ref=None):
        if cls.env.ref(f"base.module_{cls.chart_module}").state != "installed":
            raise AssertionError(f"Install {cls.chart_module}: its chart is what is tested here.")
        return super()._use_chart_template(company, chart_template_ref)

    def account(self, code):
        account = (
            self.env["account.account"]
            .with_company(self.company)
            .search([("code", "=", code), ("company_ids", "in", self.company.ids)])
        )
        self.assertEqual(len(account), 1, code)
        return account

    def profit_and_loss(self):
        """Balance of every profit-and-loss account with posted items."""
        groups = self.env["account.move.line"]._read_group(
            [
                ("company_id", "=", self.company.id),
                ("parent_state", "=", "posted"),
                ("account_id.internal_group", "in", ("income", "expense")),
            ],
            ["account_id"],
            ["balance:sum"],
        )
        return {
            account: balance
            for account, balance in groups
            if not self.company.currency_id.is_zero(balance)
        }

    def close_result(self, account, day, only=None):
        """Post what carries the result to ``account``, as a company closing a month or a year."""
        balances = {
            source: balance
            for source, balance in self.profit_and_loss().items()
            if only is None or source.internal_group == only
        }
        self.assertTrue(balances)
        lines = [(source, -balance, {}) for source, balance in balances.items()]
        lines.append((account, sum(balances.values()), {}))
        return self.create_entry_move(lines, day=day)


class TestCaptureChineseChart(ChartCommon):
    """结转损益 as Chinese companies post it, on the chart for small enterprises."""

    chart_module = "l10n_cn"

    @classmethod
    @AccountTestInvoicingCommon.setup_chart_template("cn")
    def setUpClass(cls):
        super().setUpClass()

    def setUp(self):
        super().setUp()
        self.profit = self.account("310300")
        self.advertising = self.account("560102")
        self.selling = self.account("560100")
        self.map_account(self.advertising, self.other_item)
        self.pool = self.env["res.partner"]

    def trade(self, day):
        self.create_sale(self.customer_a, price=1000.0, day=day)
        return self.create_bill(
            [
                (self.advertising, 300.0, {"cost_customer_id": self.customer_a.id}),
                (self.expense_account, 50.0, {}),
            ],
            day=day,
        )

    def test_current_year_profit_is_recognised(self):
        self.assertEqual(self.profit.account_type, "equity_unaffected")

    def test_monthly_closing_leaves_the_cost_untouched(self):
        expected = {}
        for month, last in ((1, 31), (2, 28), (3, 31)):
            day = date(2025, month, 10)
            self.trade(day)
            expected[self.customer_a, self.other_item, day] = 300.0
            expected[self.pool, self.item, day] = 50.0
            closing = self.close_result(self.profit, date(2025, month, last))
            self.assertFalse(self.profit_and_loss())
            self.assertEqual(self.ledger(closing), {})
            self.assertEqual(self.ledger(), expected)

    def test_closing_in_two_moves_one_for_income_and_one_for_expense(self):
        self.trade(date(2025, 1, 10))
        before = self.ledger()
        for group in ("income", "expense"):
            self.close_result(self.profit, date(2025, 1, 31), only=group)
        self.assertFalse(self.profit_and_loss())
        self.assertEqual(self.ledger(), before)

    def test_closing_taken_back_and_posted_again(self):
        self.trade(date(2025, 1, 10))
        before = self.ledger()
        closing = self.close_result(self.profit, date(2025, 1, 31))
        closing._reverse_moves([{"date": "2025-01-31"}], cancel=True)
        self.assertEqual(self.ledger(), before)
        self.close_result(self.profit, date(2025, 1, 31))
        self.assertEqual(self.ledger(), before)

    def test_selling_expenses_that_are_mapped_are_a_cost(self):
        """The chart proposes the selling expenses for the stock variation."""
        self.assertEqual(
            self.account("140300").account_stock_variation_id, self.selling, "the chart changed"
        )
        self.map_account(self.selling, self.item)
        bill = self.create_bill([(self.selling, 80.0, {})])
        self.assertEqual(self.ledger(bill), {(self.pool, self.item, bill.date): 80.0})


class TestCaptureGermanChart(ChartCommon):
    """The year closed on the German chart SKR03."""

    chart_module = "l10n_de"

    @classmethod
    @AccountTestInvoicingCommon.setup_chart_template("de_skr03")
    def setUpClass(cls):
        super().setUpClass()

    def setUp(self):
        super().setUp()
        self.unaffected = self.company.get_unaffected_earnings_account()
        self.postage = self.account("4910")
        self.map_account(self.postage, self.item)
        self.pool = self.env["res.partner"]

    def test_yearly_closing_leaves_the_cost_untouched(self):
        self.create_sale(self.customer_a, price=1000.0, day="2025-06-10")
        self.create_bill([(self.postage, 70.0, {})], day="2025-06-10")
        before = self.ledger()
        self.assertEqual(before, {(self.pool, self.item, date(2025, 6, 10)): 70.0})
        closing = self.close_result(self.unaffected, date(2025, 12, 31))
        self.assertFalse(self.profit_and_loss())
        self.assertEqual(self.ledger(closing), {})
        self.assertEqual(self.ledger(), before)

    def test_opening_entry(self):
        move = self.create_entry_move([(self.postage, 100.0, {})], post=False)
        self.company.account_opening_move_id = move
        move.action_post()
        self.assertEqual(self.ledger(), {})

    def test_stock_variation_account_without_a_map_row_is_cost_of_sales(self):
        variation = self.account("3955")
        move = self.create_entry_move([(variation, 25.0, {})])
        self.assertEqual(self.outcomes(move), {(variation, "cost_of_sales"): 25.0})
        self.map_account(variation, left_out_reason="Counted at year end")
        self.assertEqual(self.outcomes(move), {(variation, "Counted at year end"): 25.0})
