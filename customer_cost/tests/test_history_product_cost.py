from odoo.tests import tagged

from .history_common import HistoryCommon


@tagged("post_install", "-at_install")
class TestHistoryProductCost(HistoryCommon):
    """A history fills in the product cost of its invoices, and takes it back."""

    def test_product_cost_is_filled_in_and_taken_back(self):
        old, outside = self.create_old_sale("2025-02-10"), self.create_old_sale("2024-12-31")
        frozen = self.create_sale(self.customer_a, day="2025-02-10").invoice_line_ids
        history = self.create_history()
        history.action_preview()
        self.assertEqual(history.estimate_count, 1)
        history.action_start()
        self.run_cron()
        self.assertEqual(history.month_ids.mapped("estimated_count"), [0, 1, 0])
        self.assertEqual((old.customer_cost_amount, old.customer_cost_estimated), (40.0, True))
        self.assertFalse(outside.customer_cost_source)
        history.action_undo()
        self.run_cron()
        self.assertEqual(history.month_ids.mapped("estimated_count"), [0, 0, 0])
        self.assertFalse(old.customer_cost_source)
        self.assertEqual(
            (frozen.customer_cost_amount, frozen.customer_cost_source), (40, "product")
        )

    def test_figures_follow_what_is_brought_in_and_taken_back(self):
        def months():
            marks = self.env["customer.cost.dirty"].sudo()
            marks = marks.search([("company_id", "=", self.company.id)])
            found = {(mark.month.month, tuple(mark.customer_ids or ["all"])) for mark in marks}
            marks.unlink()
            return found

        self.create_old_sale("2025-01-10")
        months()
        history = self.bring_in()
        cost = {(month, (self.customer_a.id,)) for month in (1, 2, 3)}
        self.assertEqual(months(), cost | {(1, ("all",))})
        history.action_undo()
        self.run_cron()
        self.assertEqual(months(), cost | {(1, ("all",))})

    def test_product_cost_of_days_that_stay_is_kept(self):
        days = ("2025-02-09", "2025-02-10", "2025-02-20", "2025-02-21", "2025-04-02")
        lines = [self.create_old_sale(day) for day in days]
        self.bring_in(date_from="2025-02-10", date_to="2025-02-20")
        history = self.bring_in(date_to="2025-04-30")
        history.action_undo()
        self.run_cron()
        self.assertEqual(
            [line.customer_cost_estimated for line in lines], [False, True, True, False, True]
        )
