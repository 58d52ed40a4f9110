import logging
from datetime import date
from unittest.mock import patch

from freezegun import freeze_time
from psycopg2.errors import SerializationFailure

from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import CustomerCostCommon

MARCH = date(2025, 3, 1)


@tagged("post_install", "-at_install")
@freeze_time("2025-06-15")
class TestBalanceCheck(CustomerCostCommon):
    """What differs from ledger and invoices is named and refreshed; all of it can be rebuilt."""

    def setUp(self):
        super().setUp()
        self.create_sale(self.customer_a)
        self.create_sale(self.customer_b, day="2025-04-10")
        self.create_bill([(self.expense_account, 10, {"cost_customer_id": self.customer_a.id})])
        self.refresh_figures()
        self.manager = self.users["manager"]

    def check(self, user=None):
        self.env.flush_all()
        balance = self.env["customer.cost.balance"].with_user(user or self.manager)
        return balance.action_check()["params"]

    def spoil(self, query, *parameters):
        self.env.cr.execute(query, parameters)
        self.env.invalidate_all()

    def assertNamed(self, *texts):
        found = self.check()
        self.assertEqual(found["type"], "warning")
        lines = found["message"].split("\n")
        self.assertEqual(len(lines), len(texts), lines)
        for line, text in zip(sorted(lines), sorted(texts), strict=True):
            self.assertIn(text, line)
        self.refresh_figures()
        self.assertStoredIsLive()
        self.assertEqual(self.check()["type"], "success")

    def test_nothing_differs(self):
        self.assertEqual(self.check()["type"], "success")
        self.assertStoredIsLive()

    def test_a_figure_changed_by_sql(self):
        self.spoil(
            "UPDATE customer_cost_balance SET net_sales = 90.01, direct_cost = 9"
            " WHERE customer_id = %s",
            self.customer_a.id,
        )
        company = self.company.name
        self.assertNamed(
            f"{company}, March 2025, Cost Customer A: Net Sales is 100.00, stored was 90.01",
            f"{company}, March 2025, Cost Customer A: Direct Cost is 10.00, stored was 9.00",
        )

    def test_a_row_that_is_missing(self):
        self.spoil("DELETE FROM customer_cost_balance WHERE customer_id = %s", self.customer_b.id)
        self.assertNamed(
            "April 2025, Cost Customer B: Gross Sales is 100.00, stored was 0.00",
            "April 2025, Cost Customer B: Net Sales is 100.00, stored was 0.00",
            "April 2025, Cost Customer B: Product Cost is 40.00, stored was 0.00",
        )

    def test_a_row_too_many(self):
        self.spoil(
            "UPDATE customer_cost_balance SET customer_id = %s WHERE customer_id = %s",
            self.customer_c.id,
            self.customer_b.id,
        )
        found = self.check()
        self.assertIn("Cost Customer C: Net Sales is 0.00, stored was 100.00", found["message"])
        self.assertIn("Cost Customer B: Net Sales is 100.00, stored was 0.00", found["message"])
        self.refresh_figures()
        self.assertStoredIsLive()

    def test_an_item_month(self):
        self.spoil(
            "UPDATE customer_cost_item_month SET amount = 11 WHERE item_id = %s", self.item.id
        )
        self.assertNamed("March 2025, [T-TRV] Test travel: Amount is 10.00, stored was 11.00")

    def test_an_invoice_changed_by_sql(self):
        """What no hook sees is found as well."""
        self.spoil(
            """UPDATE account_move_line SET customer_cost_amount = 41
                WHERE customer_cost_amount = 40 AND partner_id = %s""",
            self.customer_a.id,
        )
        self.assertNamed("Cost Customer A: Product Cost is 41.00, stored was 40.00")

    def test_what_waits_for_the_refresh_is_no_difference(self):
        self.create_sale(self.customer_a)
        self.assertEqual(self.check()["type"], "success")
        self.spoil("UPDATE customer_cost_balance SET net_sales = 1 WHERE month = %s", MARCH)
        self.assertEqual(self.check()["type"], "success")
        self.refresh_figures()
        self.assertStoredIsLive()

    def test_many_differences_are_counted(self):
        customers = self.env["res.partner"].create(
            [{"name": f"Many {number}", "is_company": True} for number in range(12)]
        )
        self.create_bill(
            [(self.expense_account, 10, {"cost_customer_id": one.id}) for one in customers]
        )
        self.refresh_figures()
        self.spoil("UPDATE customer_cost_balance SET direct_cost = 11 WHERE direct_cost = 10")
        self.assertEqual(self.check()["message"].split("\n")[-1], "and 3 more")

    def test_scheduled_check_says_so_on_the_period(self):
        self.spoil(
            "UPDATE customer_cost_balance SET net_sales = 90 WHERE customer_id = %s",
            self.customer_a.id,
        )
        with self.assertLogs("odoo.addons.customer_cost", logging.INFO) as logs:
            with self.enter_registry_test_mode():
                self.env.ref("customer_cost.ir_cron_check").method_direct_trigger()
        text = "Cost Customer A: Net Sales is 100.00, stored was 90.00"
        self.assertTrue(any(text in line for line in logs.output))
        self.env.invalidate_all()
        period = self.env["customer.cost.period"]._get(self.company, MARCH)
        self.assertIn(text, period.message_ids[0].body)
        self.refresh_figures()
        self.assertStoredIsLive()

    def run_cron(self):
        with self.enter_registry_test_mode():
            self.env.ref("customer_cost.ir_cron_check").method_direct_trigger()
        self.env.invalidate_all()

    @mute_logger("odoo.addons.customer_cost.models.customer_cost_balance")
    def test_check_out_of_time_goes_on_with_the_older_months(self):
        checked = []
        span_class = type(self.env["customer.cost.span"])
        check = span_class._check

        def record(span):
            if span.company_id == self.company:
                checked.append(span.date_from)
            return check(span)

        self.spoil("UPDATE customer_cost_balance SET net_sales = 1")
        with patch.object(span_class, "_check", record):
            with patch.object(type(self.env["ir.cron"]), "_commit_progress", return_value=0):
                self.env["customer.cost.span"].sudo()._queue(self.company)
                for _call in range(2):
                    self.env["customer.cost.balance"].sudo()._cron_check()
        self.assertEqual(checked, [date(2025, 4, 1), MARCH])
        self.assertFalse(self.env["customer.cost.span"].sudo()._get_queue())
        self.refresh_figures()
        self.assertStoredIsLive()

    def test_month_that_cannot_be_checked_holds_up_none(self):
        span_class = type(self.env["customer.cost.span"])
        check = span_class._check

        def fail(span):
            if span.date_from == date(2025, 4, 1):
                raise ValueError("April")
            return check(span)

        self.spoil("UPDATE customer_cost_balance SET net_sales = 1 WHERE month = %s", MARCH)
        with (
            patch.object(span_class, "_check", fail),
            self.assertLogs("odoo.addons.customer_cost", logging.INFO) as logs,
        ):
            self.run_cron()
        self.assertTrue(any("could not be checked" in line for line in logs.output))
        self.assertTrue(any("stored was 1.00" in line for line in logs.output))
        self.assertFalse(self.env["customer.cost.span"].sudo()._get_queue())

    def test_month_that_met_another_transaction_stays_in_the_queue(self):
        span_class = type(self.env["customer.cost.span"])
        spans = self.env["customer.cost.span"].sudo()._queue(self.company)
        with (
            patch.object(span_class, "_check", side_effect=SerializationFailure),
            patch.object(self.env.cr, "rollback"),
        ):
            self.assertFalse(self.env["customer.cost.balance"].sudo()._check_in_turn(spans[0]))
        self.assertTrue(spans[0].to_check)

    @mute_logger("odoo.addons.customer_cost.models.customer_cost_balance")
    def test_note_is_in_the_language_of_the_company(self):
        self.env["res.lang"]._activate_lang("zh_CN")
        self.company.partner_id.lang = "zh_CN"
        self.spoil("UPDATE customer_cost_balance SET net_sales = 90 WHERE month = %s", MARCH)
        self.run_cron()
        period = self.env["customer.cost.period"]._get(self.company, MARCH)
        self.assertIn("三月 2025", period.message_ids[0].body)

    def test_only_own_companies_are_checked(self):
        other = self.setup_other_company()["company"]
        manager = self.create_user("other_manager", "manager")
        manager.write({"company_ids": [Command.set(other.ids)], "company_id": other.id})
        self.spoil("UPDATE customer_cost_balance SET net_sales = 1")
        self.assertEqual(self.check(manager)["type"], "success")

    # ------------------------------------------------------------
    # Rebuild
    # ------------------------------------------------------------

    def test_rebuild(self):
        self.spoil("DELETE FROM customer_cost_summary")
        self.spoil("DELETE FROM customer_cost_item_month")
        self.spoil("DELETE FROM customer_cost_balance WHERE customer_id = %s", self.customer_a.id)
        self.spoil("UPDATE customer_cost_balance SET month = '2024-01-01'")
        self.env["customer.cost.balance"].with_user(self.manager).action_rebuild()
        with self.enter_registry_test_mode():
            self.env.ref("customer_cost.ir_cron_refresh").method_direct_trigger()
        self.env.invalidate_all()
        self.assertStoredIsLive()
        rows = self.env["customer.cost.summary"].search([("company_id", "=", self.company.id)])
        self.assertEqual(
            {row.customer_id: row.rolling_net_sales for row in rows},
            {self.customer_a: 100, self.customer_b: 100},
        )

    def test_only_a_cost_manager_rebuilds_or_checks(self):
        for role in ("rep", "cost_user", "accountant", "reviewer", "auditor", "internal"):
            for name in ("action_rebuild", "action_check"):
                with self.subTest(f"{role} {name}"):
                    with self.assertRaisesText(AccessError, "Only a cost manager"):
                        self.rpc(self.users[role], "customer.cost.balance", name)
        self.assertFalse(self.env["customer.cost.dirty"].sudo().search([]))
