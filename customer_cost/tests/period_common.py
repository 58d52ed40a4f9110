from freezegun import freeze_time

from odoo.exceptions import UserError
from odoo.tools import SQL

from .common import CustomerCostCommon


@freeze_time("2025-06-15")
class PeriodCommon(CustomerCostCommon):
    """March 2025 of a company, its checklist, and what closes it."""

    def period(self, day="2025-03-10", user=None, company=None):
        period = self.env["customer.cost.period"]._get(company or self.company, day)
        return period.with_user(user or self.env.user)

    def start(self, day="2025-03-10", user=None, company=None):
        period = self.period(day, user or self.users["accountant"], company)
        period.action_start_closing()
        return period

    def check(self, period, code):
        return period.check_ids.filtered(lambda check: check.code == code)

    def verdicts(self, period):
        return {check.code: (check.verdict, check.figure) for check in period.check_ids}

    def assertCloseRefused(self, period, message):
        """The manager cannot close it: named, and neither state nor what is stored changes."""
        before = (period.state, period.sudo().closing_ids.ids)
        with self.assertRefused(message, UserError):
            period.with_user(self.users["manager"]).action_close()
        self.assertEqual((period.state, period.sudo().closing_ids.ids), before)

    def close(self, period):
        period.with_user(self.users["manager"]).action_close()
        self.assertEqual(period.state, "closed")

    def run_sql(self, code, *args):
        self.env.flush_all()
        self.env.cr.execute(SQL(code, *args))
        self.env.invalidate_all()

    def create_direct_bill(self, amount=100.0, **vals):
        link = {"cost_customer_id": self.customer_a.id}
        return self.create_bill([(self.expense_account, amount, link)], **vals)

    def create_pool_bill(self, amount=60.0, **vals):
        return self.create_bill([(self.other_account, amount, {})], **vals)

    def create_pool_rule(self):
        driver = self.create_driver({self.customer_a: 1, self.customer_b: 2})
        return self.create_rule(driver, self.other_item)
