from odoo.exceptions import ValidationError

from .common import CustomerCostCommon


class TestCompanyUses(CustomerCostCommon):
    """Shared items and drivers stay shared as long as others use them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other_company = cls.setup_other_company()["company"]

    def test_item_with_cost_of_another_company_stays_shared(self):
        self.create_bill([(self.expense_account, 10.0, {})])
        with self.assertRaisesRegex(ValidationError, "is used by .* cannot belong to"):
            self.item.company_id = self.other_company
        self.item.company_id = self.company
        self.assertEqual(self.item.company_id, self.company)

    def test_driver_of_a_rule_of_another_company_stays_shared(self):
        driver = self.create_driver({self.customer_a: 1})
        self.create_rule(driver)
        with self.assertRaisesRegex(ValidationError, "is used by .* cannot belong to"):
            driver.company_id = self.other_company

    def test_item_above_shared_items_stays_shared(self):
        self.create_item("T-SUB", "Below", parent_id=self.other_item.id)
        with self.assertRaisesRegex(ValidationError, "is used by all companies"):
            self.other_item.company_id = self.company
