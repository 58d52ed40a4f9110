from odoo.tests import tagged

from .history_common import QUARTER, HistoryCommon


@tagged("post_install", "-at_install")
class TestHistoryPreview(HistoryCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.left_out_account = cls.expense_account.copy({"code": "T60009", "name": "Interest"})
        cls.map_account(cls.left_out_account, left_out_reason="Interest")
        cls.create_bill(
            [(cls.unmapped_account, 7.0, {}), (cls.left_out_account, 5.0, {})], day="2025-02-02"
        )
        cls.sale = cls.create_sale(cls.customer_a, quantity=3, day="2025-02-03")

    def books(self):
        ((balance,),) = self.env["account.move.line"]._read_group(
            [
                ("parent_state", "=", "posted"),
                ("company_id", "=", self.company.id),
                ("date", ">=", QUARTER["date_from"]),
                ("date", "<=", QUARTER["date_to"]),
                ("account_id.internal_group", "in", ("expense", "income")),
            ],
            [],
            ["balance:sum"],
        )
        return round(balance, 2)

    def test_every_amount_with_its_reason(self):
        history = self.create_history()
        with self.assertNothingChanged():
            history.action_preview()
        items, accounts = self.env["customer.cost.item"], self.env["account.account"]
        self.assertEqual(
            {
                (line.kind, line.account_id, line.item_id, line.reason or ""): (
                    line.line_count,
                    line.amount,
                )
                for line in history.line_ids
            },
            {
                ("indirect", self.expense_account, self.item, ""): (3, 306.0),
                ("direct", self.other_account, self.other_item, ""): (3, 150.0),
                ("left_out", self.unmapped_account, items, "No row of the map matches"): (1, 7.0),
                ("left_out", self.left_out_account, items, "Interest"): (1, 5.0),
                (
                    "excluded",
                    self.sale.invoice_line_ids.account_id or accounts,
                    items,
                    "Sales: they reach customers by their invoices",
                ): (1, -300.0),
            },
        )
        self.assertRecordValues(
            history,
            [
                {
                    "direct_total": 150.0,
                    "indirect_total": 306.0,
                    "left_out_total": 12.0,
                    "excluded_total": -300.0,
                    "item_count": 9,
                }
            ],
        )

    def test_what_is_captured_already_and_what_lies_in_closed_periods_stand_apart(self):
        self.bring_in(date_from="2025-03-01")
        self.close("2025-01-01")
        history = self.create_history(date_to="2025-04-30")
        history.action_preview()
        self.assertRecordValues(
            history,
            [
                {
                    "direct_total": 50.0,
                    "indirect_total": 102.0,
                    "captured_total": 307.0,
                    "closed_total": 151.0,
                    "left_out_total": 12.0,
                    "excluded_total": -300.0,
                    "total": 322.0,
                }
            ],
        )
        self.assertEqual(
            {
                (line.kind, line.item_id, line.amount): line.reason
                for line in history.line_ids
                if line.kind in ("captured", "closed")
            },
            {
                ("captured", self.item, 207.0): "By posting, or by a history",
                ("captured", self.other_item, 100.0): ("By posting, or by a history"),
                ("closed", self.item, 101.0): "Not brought in unless the period is reopened",
                ("closed", self.other_item, 50.0): "Not brought in unless the period is reopened",
            },
        )

    def test_rows_add_up_to_the_profit_and_loss(self):
        history = self.create_history()
        history.action_preview()
        self.assertEqual(history.total, self.books())
        self.assertEqual(history.total, 168.0)

    def test_preview_is_what_is_brought_in(self):
        history = self.create_history()
        history.action_preview()
        expected = history.direct_total + history.indirect_total
        history.action_start()
        self.run_cron()
        self.assertEqual(sum(history.month_ids.mapped("amount")), expected)

    def test_invoice_lines_without_a_frozen_cost(self):
        history = self.create_history()
        history.action_preview()
        self.assertEqual(history.estimate_count, 0)
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE account_move_line SET customer_cost_source = NULL WHERE id = %s",
            (self.sale.invoice_line_ids.id,),
        )
        history.action_preview()
        self.assertEqual(history.estimate_count, 1)
        self.close("2025-02-01")
        history.action_preview()
        self.assertEqual(history.estimate_count, 0)

    def test_preview_again_replaces_and_other_days_clear_it(self):
        history = self.create_history()
        history.action_preview()
        count = len(history.line_ids)
        history.action_preview()
        self.assertEqual(len(history.line_ids), count)
        history.date_to = "2025-01-31"
        self.assertFalse(history.line_ids)
        self.assertFalse(history.previewed_at)
        history.action_preview()
        self.assertEqual(history.total, 151.0)
