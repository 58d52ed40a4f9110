from datetime import date

from odoo.tests import tagged
from odoo.tools import SQL

from .tie_out_common import TieOutCommon


@tagged("post_install", "-at_install")
class TestTieOutBreaks(TieOutCommon):
    """Each link broken on purpose: the report names account, figure and item."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.create_sale(cls.customer_a, quantity=2, price=500.0)
        cls.bill = cls.create_bill(
            [
                (cls.expense_account, 100.0, {"cost_customer_id": cls.customer_a.id}),
                (cls.other_account, 60.0, {}),
            ]
        )
        cls.create_rule(cls.create_driver({cls.customer_a: 1, cls.customer_b: 2}), cls.other_item)
        cls.posted_run = cls.create_run(post=True)
        cls.ledger_line = cls.env["customer.cost.line"].search(
            [("company_id", "=", cls.company.id), ("item_id", "=", cls.item.id)]
        )

    def setUp(self):
        super().setUp()
        self.assertTied(self.tie_out())

    def break_by_sql(self, code, *args):
        self.env.flush_all()
        self.env.cr.execute(SQL(code, *args))
        self.env.invalidate_all()

    def assertReported(self, *expected, figures=None):
        """The gaps reported, as ``(kind, amount)``: each once, and nothing else in the total."""
        figures = figures or self.tie_out()
        gaps = [row for row in figures["findings"] if row["kind"] != "item"]
        self.assertEqual([(row["kind"], row["difference"]) for row in gaps], list(expected))
        self.assertEqual(figures["difference"], sum(amount for _kind, amount in expected))
        self.assertFalse(figures["is_tied"])
        return gaps

    def assertAccountDiffers(self, account, difference):
        figures = self.tie_out()
        self.assertReported(("account", abs(difference)), figures=figures)
        for row in figures["accounts"]:
            expected = difference if row["account_id"] == account.id else 0.0
            self.assertEqual(row["difference"], expected, row["name"])
        finding = figures["findings"][0]
        self.assertEqual((finding["kind"], finding["account_id"]), ("account", account.id))
        self.assertIn(account.name, finding["label"])
        return figures

    def test_captured_twice(self):
        self.break_by_sql(
            """INSERT INTO customer_cost_line (company_id, date, origin_date, service_date, item_id,
                      customer_id, entry_id, statistical, amount)
               SELECT company_id, date, origin_date, service_date, item_id, customer_id, entry_id,
                      statistical, amount FROM customer_cost_line WHERE id = %s""",
            self.ledger_line.id,
        )
        self.assertAccountDiffers(self.expense_account, 100.0)

    def test_missed(self):
        self.break_by_sql("DELETE FROM customer_cost_line WHERE id = %s", self.ledger_line.id)
        self.assertAccountDiffers(self.expense_account, -100.0)

    def test_wrong_sign(self):
        self.break_by_sql(
            "UPDATE customer_cost_line SET amount = -amount WHERE id = %s", self.ledger_line.id
        )
        self.assertAccountDiffers(self.expense_account, -200.0)

    def test_account_unmapped(self):
        # in the database: changed in Odoo, earlier months keep what held before
        self.break_by_sql(
            "UPDATE customer_cost_account_map SET active = FALSE WHERE account_id = %s",
            self.expense_account.id,
        )
        figures = self.assertAccountDiffers(self.expense_account, 100.0)
        row = self.account_row(figures, self.expense_account)
        self.assertEqual((row["captured"], row["left_out"]), (-100.0, -100.0))

    def test_journal_item_edited_by_sql(self):
        line = self.bill.invoice_line_ids[0]
        self.break_by_sql("UPDATE account_move_line SET balance = 130 WHERE id = %s", line.id)
        self.assertAccountDiffers(self.expense_account, -30.0)

    def test_journal_item_deleted_by_sql(self):
        line = self.bill.invoice_line_ids[0]
        self.break_by_sql("DELETE FROM account_move_line WHERE id = %s", line.id)
        figures = self.tie_out()
        (row,) = (row for row in figures["accounts"] if not row["account_id"])
        self.assertEqual((row["captured"], row["difference"]), (-100.0, 100.0))
        self.assertIn("no longer exist", figures["findings"][0]["label"])
        self.assertReported(("account", 100.0), figures=figures)

    def test_journal_item_moved_to_a_balance_sheet_account(self):
        asset = self.company_data["default_account_assets"]
        line = self.bill.invoice_line_ids[0]
        self.break_by_sql(
            "UPDATE account_move_line SET account_id = %s WHERE id = %s", asset.id, line.id
        )
        figures = self.assertAccountDiffers(asset, 100.0)
        self.assertEqual(self.account_row(figures, asset)["balance"], 0.0)

    def test_ledger_line_moved_to_another_year(self):
        self.break_by_sql(
            "UPDATE customer_cost_line SET date = '2024-03-10', origin_date = '2024-03-10' "
            "WHERE id = %s",
            self.ledger_line.id,
        )
        self.assertAccountDiffers(self.expense_account, -100.0)

    def test_ledger_line_moved_to_another_month_of_its_year(self):
        self.break_by_sql(
            "UPDATE customer_cost_line SET date = '2025-04-10' WHERE id = %s", self.ledger_line.id
        )
        for figures in (self.tie_out(), self.tie_out(date(2025, 4, 1), date(2025, 4, 30))):
            (finding,) = self.assertReported(("moved", 100.0), figures=figures)
            self.assertRegex(finding["label"], "March 2025, which was never closed.*April 2025")
            self.assertEqual(finding["entry_id"], self.ledger_line.entry_id.id)

    def test_journal_item_behind_a_difference_is_named(self):
        self.break_by_sql("DELETE FROM customer_cost_line WHERE id = %s", self.ledger_line.id)
        (finding,) = (row for row in self.tie_out()["findings"] if row["kind"] == "item")
        self.assertEqual(finding["line_id"], self.bill.invoice_line_ids[0].id)
        self.assertEqual(finding["customer_id"], self.customer_a.id)
        self.assertEqual((finding["expected"], finding["present"]), (-100.0, 0.0))
        for name in (self.bill.name, self.item.name, self.customer_a.name):
            self.assertIn(name, finding["label"])

    def test_ledger_line_given_to_another_customer_by_sql(self):
        self.break_by_sql(
            "UPDATE customer_cost_line SET customer_id = %s WHERE id = %s",
            self.customer_b.id,
            self.ledger_line.id,
        )
        figures = self.tie_out()
        self.assertEqual(figures["totals"]["difference"], 0.0)
        (gap,) = self.assertReported(("account", 100.0), figures=figures)
        self.assertEqual(gap["account_id"], self.expense_account.id)
        found = {
            row["customer_id"]: (row["expected"], row["present"])
            for row in figures["findings"]
            if row["kind"] == "item"
        }
        self.assertEqual(
            found, {self.customer_a.id: (-100.0, 0.0), self.customer_b.id: (0.0, -100.0)}
        )

    def test_allocation_changed_by_sql(self):
        row = self.env["customer.cost.allocation"].search(
            [("step_id.run_id", "=", self.posted_run.id), ("customer_id", "=", self.customer_b.id)]
        )
        self.break_by_sql(
            "UPDATE customer_cost_allocation SET amount = amount - 5 WHERE id = %s", row.id
        )
        figures = self.tie_out()
        self.assertEqual(self.difference(figures, "pools"), 5.0)
        (finding,) = (found for found in figures["findings"] if found["kind"] == "cell")
        self.assertEqual(finding["run_id"], self.posted_run.id)
        self.assertEqual(finding["item_id"], self.other_item.id)
        self.assertEqual((finding["expected"], finding["present"]), (60.0, 55.0))
        self.assertReported(("cell", 5.0), figures=figures)
        self.assertIn(self.other_item.name, finding["label"])

    def test_pool_changed_after_the_run_was_posted(self):
        self.create_bill([(self.other_account, 9.0, {})])
        figures = self.tie_out()
        self.assertEqual(self.difference(figures, "pools"), 9.0)
        (finding,) = (found for found in figures["findings"] if found["kind"] == "run")
        self.assertEqual((finding["expected"], finding["present"]), (69.0, 60.0))
        self.assertIn("2025-03", finding["label"])
        self.assertReported(("run", 9.0), figures=figures)

    def test_manual_cost_changed_by_sql(self):
        cost = self.create_cost(post=True)
        self.assertTied(self.tie_out())
        self.break_by_sql("UPDATE customer_cost_line SET amount = 90 WHERE entry_id = %s", cost.id)
        figures = self.tie_out()
        self.assertEqual(self.difference(figures, "manual"), 10.0)
        (gap,) = self.assertReported(("entry", 10.0), figures=figures)
        self.assertEqual(gap["entry_id"], cost.id)
        self.assertIn(cost.display_name, gap["label"])

    def test_cost_that_left_the_pool_behind_a_run_is_no_gap_of_the_run(self):
        pool_line = self.env["customer.cost.line"].search(
            [("company_id", "=", self.company.id), ("item_id", "=", self.other_item.id)]
        )
        self.break_by_sql("DELETE FROM customer_cost_line WHERE id = %s", pool_line.id)
        figures = self.tie_out()
        self.assertEqual(self.difference(figures, "pools"), -60.0)
        self.assertReported(("account", 60.0), figures=figures)

    def test_manual_cost_that_left_the_pool_behind_a_run_is_no_gap_of_the_run(self):
        cost = self.create_cost(post=True, customer_id=False, amount=31.0, date="2025-03-10")
        self.posted_run.action_reverse()
        self.create_run(post=True)
        self.assertTied(self.tie_out())
        self.break_by_sql("DELETE FROM customer_cost_line WHERE entry_id = %s", cost.id)
        self.assertReported(("entry", 31.0))

    def test_run_keeps_the_part_of_its_gap_that_the_ledger_does_not_explain(self):
        self.create_bill([(self.other_account, 100.0, {})], move_type="in_refund")
        bill = self.create_bill([(self.other_account, 30.0, {})])
        self.break_by_sql(
            """DELETE FROM customer_cost_line WHERE entry_id IN (
               SELECT id FROM customer_cost_entry WHERE source_move_id = %s)""",
            bill.id,
        )
        self.assertEqual(self.difference(self.tie_out(), "pools"), -100.0)
        self.assertReported(("account", 30.0), ("run", 70.0))

    def test_gaps_that_cancel_each_other_out_are_both_reported(self):
        other = self.create_bill([(self.expense_account, 100.0, {})], day="2025-04-10")
        self.assertTied(self.tie_out())
        self.break_by_sql("DELETE FROM customer_cost_line WHERE id = %s", self.ledger_line.id)
        self.break_by_sql(
            """UPDATE customer_cost_line SET amount = 2 * amount WHERE entry_id IN (
               SELECT id FROM customer_cost_entry WHERE source_move_id = %s)""",
            other.id,
        )
        figures = self.tie_out()
        self.assertEqual(figures["totals"]["difference"], 0.0)
        self.assertReported(("account", 200.0), figures=figures)

    def test_invoice_dated_by_sql_differs_in_sales_and_nowhere_else(self):
        invoice = self.env["account.move"].search(
            [("company_id", "=", self.company.id), ("move_type", "=", "out_invoice")]
        )
        self.break_by_sql("UPDATE account_move SET date = '2024-03-10' WHERE id = %s", invoice.id)
        (gap,) = self.assertReported(("section", 1000.0))
        self.assertEqual(gap["section"], "sales")
