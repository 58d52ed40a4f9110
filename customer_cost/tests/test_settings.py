from odoo.exceptions import AccessError, UserError
from odoo.fields import Command

from .common import CustomerCostCommon


class TestSettings(CustomerCostCommon):
    """A cost manager keeps the company's settings without being a system administrator."""

    def open_as(self, role):
        return (
            self.env(user=self.users[role])["customer.cost.settings"]
            .with_company(self.company)
            .create({})
        )

    def test_manager_reads_and_changes_the_settings(self):
        settings = self.open_as("manager")
        self.assertEqual(settings.max_days_back, self.company.customer_cost_max_days_back)
        self.assertEqual(settings.plan_id, self.company.customer_cost_plan_id)
        plan = self.env["account.analytic.plan"].create({"name": "Departments"})
        journal = self.company_data["default_journal_misc"]
        settings.write(
            {
                "max_days_back": 90,
                "centre_plan_id": plan.id,
                "excluded_journal_ids": [Command.set(journal.ids)],
            }
        )
        settings.action_save()
        self.assertEqual(self.company.customer_cost_max_days_back, 90)
        self.assertEqual(self.company.customer_cost_centre_plan_id, plan)
        self.assertEqual(self.company.customer_cost_excluded_journal_ids, journal)
        self.assertEqual(self.open_as("manager").excluded_journal_ids, journal)

    def test_journal_of_another_company_is_refused(self):
        settings = self.open_as("manager")
        foreign = self.setup_other_company()["default_journal_misc"]
        with self.assertRaisesRegex(UserError, "company"):
            settings.sudo().excluded_journal_ids = foreign

    def test_accountant_cannot_open_them(self):
        with self.assertRaises(AccessError):
            self.open_as("accountant")

    def test_company_of_somebody_else_cannot_be_named(self):
        other = self.env["res.company"].create({"name": "Not theirs"})
        settings = self.env(user=self.users["manager"])["customer.cost.settings"].create(
            {"company_id": other.id, "max_days_back": 1}
        )
        with self.assertRaisesRegex(AccessError, "Only a cost manager"):
            settings.action_save()
        self.assertNotEqual(other.customer_cost_max_days_back, 1)
