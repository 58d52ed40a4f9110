from datetime import date

from odoo.addons.account.tests.common import AccountTestInvoicingCommon

from .history_common import HistoryTools
from .test_capture_charts import ChartCommon

YEAR = {"date_from": "2025-01-01", "date_to": "2025-12-31"}


class TestHistoryChineseChart(HistoryTools, ChartCommon):
    """A year that was posted and closed month by month before costs were captured."""

    chart_module = "l10n_cn"

    @classmethod
    @AccountTestInvoicingCommon.setup_chart_template("cn")
    def setUpClass(cls):
        super().setUpClass()
        cls.company.customer_cost_start_date = "2026-01-01"

    def test_monthly_closings_stay_outside(self):
        advertising, profit = self.account("560102"), self.account("310300")
        self.map_account(advertising, self.other_item)
        cost = 0.0
        for month in range(1, 13):
            self.create_sale(self.customer_a, price=1000.0, day=f"2025-{month:02}-05")
            self.create_bill([(advertising, 100.0 + month, {})], day=f"2025-{month:02}-10")
            cost += 100.0 + month
            self.close_result(profit, f"2025-{month:02}-28")
        self.assertFalse(self.profit_and_loss())
        self.assertFalse(self.ledger())
        history = self.create_history(**YEAR)
        history.action_preview()
        self.assertEqual(history.total, 0.0)
        self.assertEqual(history.indirect_total, cost)
        history.action_start()
        self.run_cron()
        nobody = self.env["res.partner"]
        self.assertEqual(
            self.ledger(),
            {
                (nobody, self.other_item, date(2025, month, 10)): 100.0 + month
                for month in range(1, 13)
            },
        )
        self.assertFalse(self.differences())
        history.action_undo()
        self.run_cron()
        self.assertFalse(self.ledger())
