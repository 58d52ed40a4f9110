from datetime import date

from odoo.tests import tagged

from .tie_out_common import TieOutCommon


@tagged("post_install", "-at_install")
class TestTieOutFigures(TieOutCommon):
    """Every profit-and-loss account in one row, every difference 0.00."""

    def test_books_without_an_item(self):
        figures = self.tie_out()
        self.assertEqual(figures["accounts"], [])
        self.assertTied(figures)
        self.assertEqual(self.section(figures, "result")["books"], 0.0)

    def test_small_books_by_hand(self):
        self.create_sale(self.customer_a, quantity=2, price=500.0)
        self.create_bill(
            [
                (self.expense_account, 100.0, {"cost_customer_id": self.customer_a.id}),
                (self.other_account, 60.0, {}),
                (self.unmapped_account, 7.0, {}),
            ]
        )
        self.create_rule(self.create_driver({self.customer_a: 1}), self.other_item)
        self.create_run(post=True)
        figures = self.tie_out()
        self.assertTied(figures)

        sales_account = self.company_data["default_account_revenue"]
        row = self.account_row(figures, sales_account)
        self.assertEqual((row["balance"], row["sales"], row["count"]), (1000.0, 1000.0, 1))
        row = self.account_row(figures, self.expense_account)
        self.assertEqual((row["balance"], row["captured"]), (-100.0, -100.0))
        row = self.account_row(figures, self.unmapped_account)
        self.assertEqual((row["balance"], row["captured"], row["left_out"]), (-7.0, 0.0, -7.0))
        (reason,) = row["reasons"]
        self.assertEqual(reason["code"], "unmapped")
        self.assertEqual(reason["label"], "No row of the map matches")

        goods = self.section(figures, "cost_of_sales")
        self.assertEqual(goods, {"frozen": 80.0, "gap": -80.0})
        captured = self.section(figures, "captured")
        self.assertEqual((captured["own"], captured["in"], captured["out"]), (160.0, 0.0, 0.0))
        self.assertEqual((captured["direct"], captured["pool"]), (100.0, 60.0))
        pools = self.section(figures, "pools")
        self.assertEqual((pools["books"], pools["allocated"]), (60.0, 60.0))
        result = self.section(figures, "result")
        self.assertEqual(result["profit"], 1000.0 - 80.0 - 100.0 - 60.0)
        self.assertEqual(result["books"], 1000.0 - 167.0)
        self.assertEqual(figures["counts"]["unmapped"], {"count": 1, "amount": -7.0})

    def test_discount_of_a_sale_on_an_account_of_its_own_is_part_of_the_sales(self):
        self.company.account_discount_expense_allocation_id = self.unmapped_account
        invoice = self.create_sale(self.customer_a, quantity=2, post=False)
        invoice.invoice_line_ids.discount = 10
        invoice.action_post()
        figures = self.tie_out()
        self.assertTied(figures)
        row = self.account_row(figures, self.unmapped_account)
        self.assertEqual((row["balance"], row["sales"], row["excluded"]), (-20.0, -20.0, 0.0))
        sales = self.section(figures, "sales")
        self.assertEqual(sales["accounts"], 180.0)
        self.assertEqual(sales["invoice"] + sales.get("invoice_other", 0.0), 180.0)
        result = self.section(figures, "result")
        self.assertFalse(result.get("sales"))
        self.assertFalse(result.get("excluded"))

    def test_range_is_widened_to_whole_months(self):
        figures = self.tie_out(date(2025, 3, 10), date(2025, 4, 2))
        self.assertEqual((figures["from"], figures["to"]), ("2025-03-01", "2025-04-30"))
