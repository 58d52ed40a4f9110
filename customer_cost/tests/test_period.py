from datetime import date

from freezegun import freeze_time

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.service.model import call_kw
from odoo.tests import tagged

from .common import CustomerCostCommon


@tagged("post_install", "-at_install")
@freeze_time("2025-06-15")
class TestPeriod(CustomerCostCommon):
    def period(self, day="2025-03-10", user=None):
        period = self.env["customer.cost.period"]._get(self.company, day)
        return period.with_user(user or self.env.user)

    def test_a_day_belongs_to_its_calendar_month(self):
        period = self.period("2024-02-29")
        self.assertEqual((period.date_from, period.date_to), (date(2024, 2, 1), date(2024, 2, 29)))
        self.assertEqual(self.period("2024-02-01"), period)
        self.assertNotEqual(self.period("2024-03-01"), period)
        self.assertEqual(period.state, "open")
        self.assertEqual(period.display_name, f"February 2024 · {self.company.name}")

    def test_periods_of_companies_are_apart(self):
        other = self.setup_other_company()["company"]
        elsewhere = self.env["customer.cost.period"]._get(other, "2025-03-10")
        self.assertNotEqual(elsewhere, self.period())
        elsewhere.action_close()
        self.assertEqual(self.period().state, "open")

    def test_manager_closes_and_reopens(self):
        period = self.period(user=self.users["manager"])
        period.action_close()
        self.assertEqual(period.state, "closed")
        self.assertTrue(period._is_closed(self.company, "2025-03-31"))
        self.assertFalse(period._is_closed(self.company, "2025-04-01"))
        period._reopen("Test")
        self.assertEqual(period.state, "open")
        self.assertFalse(period._is_closed(self.company, "2025-03-31"))

    def test_chatter_keeps_who_closed_and_reopened(self):
        period = self.period(user=self.users["manager"])
        self.flush_tracking()
        period.action_close()
        self.flush_tracking()
        period._reopen("Test")
        self.flush_tracking()
        changes = period.sudo().message_ids.filtered("tracking_value_ids")
        self.assertEqual(changes.author_id, self.users["manager"].partner_id)
        self.assertEqual(
            changes.tracking_value_ids.sorted("id").mapped("new_value_char"), ["Closed", "Open"]
        )

    def flush_tracking(self):
        self.env.flush_all()
        self.env.cr.precommit.run()

    def test_only_a_manager_closes_or_reopens(self):
        period = self.period()
        for role in ("rep", "cost_user", "accountant", "reviewer", "auditor", "internal"):
            with self.assertRaisesRegex(AccessError, "Only a cost manager"):
                call_kw(period.with_user(self.users[role]), "action_close", [period.ids], {})
        self.assertEqual(period.state, "open")
        period.action_close()
        for role in ("rep", "cost_user", "accountant", "reviewer", "auditor", "internal"):
            with self.assertRaisesRegex(AccessError, "Only a cost manager"):
                call_kw(period.with_user(self.users[role]), "action_reopen", [period.ids], {})
        self.assertEqual(period.state, "closed")

    def test_manager_of_another_company_does_not_close(self):
        other = self.setup_other_company()["company"]
        period = self.env["customer.cost.period"]._get(other, "2025-03-10")
        with self.assertRaises(AccessError):
            period.with_user(self.users["manager"]).action_close()
        self.assertEqual(period.state, "open")

    def test_month_that_is_not_over_cannot_be_closed(self):
        for day in ("2025-06-15", "2025-07-01"):
            period = self.period(day)
            message = "is not over yet: it can be closed from 0[78]/01/2025"
            with self.assertRaisesRegex(UserError, message):
                period.action_close()
            self.assertEqual(period.state, "open")
        may = self.period("2025-05-31")
        may.action_close()
        self.assertEqual(may.state, "closed")

    @freeze_time("2025-06-30")
    def test_last_day_of_the_month_is_too_early_to_close_it(self):
        with self.assertRaisesRegex(UserError, "from 07/01/2025"):
            self.period("2025-06-01").action_close()

    def test_closed_period_is_not_closed_again_nor_an_open_one_reopened(self):
        period = self.period()
        with self.assertRaisesRegex(UserError, "Only a closed period"):
            period._reopen("Test")
        period.action_close()
        with self.assertRaisesRegex(UserError, "closed already"):
            period.action_close()

    def test_one_bad_period_keeps_all_of_them_open(self):
        march, june = self.period(), self.period("2025-06-15")
        with self.assertRaisesRegex(UserError, "not over yet"):
            (march | june).action_close()
        self.assertEqual((march | june).mapped("state"), ["open", "open"])

    def test_state_is_not_written_by_anybody(self):
        period = self.period()
        for user in (self.users["manager"], self.users["accountant"], self.env.user):
            for vals in ({"state": "closed"}, {"touched": 5}, {"date_from": "2025-01-01"}):
                with self.assertRaises(AccessError):
                    call_kw(period.with_user(user), "write", [period.ids, vals], {})
                with self.assertRaises(AccessError):
                    call_kw(
                        period.with_user(user),
                        "write",
                        [period.ids, vals],
                        {"context": {"customer_cost_guard": True}},
                    )
        self.assertRecordValues(
            period, [{"state": "open", "date_from": date(2025, 3, 1), "touched": period.touched}]
        )

    def test_a_closed_period_is_not_created(self):
        periods = self.env["customer.cost.period"]
        count = periods.search_count([])
        values = {"company_id": self.company.id, "date_from": "2025-01-01"}
        for user in (self.users["manager"], self.env.user):
            for vals, context in (
                ({**values, "state": "closed"}, {}),
                (values, {"default_state": "closed"}),
            ):
                with self.assertRaises(AccessError), self.env.cr.savepoint():
                    call_kw(periods.with_user(user), "create", [[vals]], {"context": context})
        self.assertEqual(periods.search_count([]), count)

    def test_closing_counts_as_a_change_of_the_period(self):
        period = self.period()
        before = period.touched
        period.action_close()
        self.assertEqual(period.touched, before + 1)

    def test_closed_period_is_not_deleted(self):
        period = self.period()
        period.action_close()
        with self.assertRaisesRegex(ValidationError, "cannot be deleted"):
            period.sudo().unlink()
        self.assertTrue(period.exists())

    def test_manual_cost_in_a_closed_month_is_refused(self):
        self.period().action_close()
        with self.assertNothingChanged():
            with self.assertRaisesRegex(ValidationError, "is closed"), self.env.cr.savepoint():
                self.create_cost(date="2025-03-31")
        self.assertTrue(self.create_cost(date="2025-04-01"))
