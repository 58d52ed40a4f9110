from datetime import date
from unittest.mock import patch

from .common import CustomerCostCommon

QUARTER = {"date_from": "2025-01-01", "date_to": "2025-03-31"}


class HistoryTools:
    """How tests bring months in and look at them."""

    def create_history(self, role="accountant", **vals):
        return (
            self.env["customer.cost.history"]
            .with_user(self.users[role])
            .create({"company_id": self.company.id, **QUARTER, **vals})
        )

    def run_cron(self):
        with self.enter_registry_test_mode():
            self.env.ref("customer_cost.ir_cron_history").method_direct_trigger()
        self.env.invalidate_all()

    def bring_in(self, **vals):
        history = self.create_history(**vals)
        history.action_start()
        self.run_cron()
        return history

    def of_months(self, *months):
        """The ledger when just these months are captured."""
        nobody = self.env["res.partner"]
        return {
            key: amount
            for month in months
            for key, amount in (
                ((nobody, self.item, date(2025, month, 10)), 100.0 + month),
                ((self.customer_a, self.other_item, date(2025, month, 10)), 50.0),
            )
        }

    def sync_everything(self):
        self.env["customer.cost.capture"]._sync_period(
            self.company, date(2024, 1, 1), date(2026, 12, 31)
        )

    def differences(self):
        return self.env["customer.cost.capture"]._find_differences(
            self.company, date(2024, 1, 1), date(2026, 12, 31)
        )

    def close(self, day):
        period = self.env["customer.cost.period"]._get(self.company, date.fromisoformat(day))
        period.sudo()._unguarded().state = "closed"
        return period

    def states(self, history):
        return [(month.date_from.month, month.state) for month in history.month_ids]

    def interrupt(self, month, error):
        """Patch: the comparison of ``month`` raises after it has written."""
        capture = type(self.env["customer.cost.capture"])
        sync = capture._sync_period

        def broken(self, company, first, last, **options):
            appended = sync(self, company, first, last, **options)
            if first.month == month:
                raise error
            return appended

        return patch.object(capture, "_sync_period", broken)

    def create_old_sale(self, day):
        """Customer invoice whose product cost nobody froze."""
        sale = self.create_sale(self.customer_a, day=day)
        self.env.flush_all()
        self.env.cr.execute(
            """UPDATE account_move_line SET customer_cost_unit = NULL, customer_cost_amount = NULL,
                      customer_cost_source = NULL WHERE move_id = %s""",
            (sale.id,),
        )
        self.env.invalidate_all()
        return sale.invoice_line_ids


class HistoryCommon(HistoryTools, CustomerCostCommon):
    """A company that captures from April 2025 and has posted since January."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.customer_cost_start_date = "2025-04-01"
        cls.bills = cls.env["account.move"].concat(
            *(
                cls.create_bill(
                    [
                        (cls.expense_account, 100.0 + month, {}),
                        (cls.other_account, 50.0, {"cost_customer_id": cls.customer_a.id}),
                    ],
                    day=f"2025-{month:02}-10",
                )
                for month in (1, 2, 3, 4)
            )
        )
