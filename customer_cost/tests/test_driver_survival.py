from datetime import date

from odoo.exceptions import UserError
from odoo.tests import Form

from .common import CustomerCostCommon

MARCH = date(2025, 3, 31)


class TestDriverSurvival(CustomerCostCommon):
    """A driver whose application is gone, or whose documents hold nonsense, is named."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.document_driver = cls.env["customer.cost.driver"].create(
            {
                "name": "Deliveries",
                "code": "T-DEL",
                "kind": "document",
                "model_id": cls.env["ir.model"]._get_id("account.move"),
                "domain": "[('state', '=', 'posted'), ('move_type', '=', 'out_invoice')]",
                "customer_path": "commercial_partner_id",
                "date_field": "date",
                "measure": "count",
            }
        )

    def uninstall(self, driver):
        """What uninstalling the document's application leaves: its name, and no document."""
        self.env.flush_all()
        self.cr.execute(
            "UPDATE customer_cost_driver SET model_id = NULL, model_name = %s WHERE id = %s",
            ("fleet.delivery", driver.id),
        )
        self.env.invalidate_all()

    def test_driver_stays_when_its_document_is_deleted(self):
        model = self.env["ir.model"].create({"name": "Delivery", "model": "x_delivery"})
        self.env.flush_all()
        self.cr.execute(
            "UPDATE customer_cost_driver SET model_id = %s, model_name = %s WHERE id = %s",
            (model.id, model.model, self.document_driver.id),
        )
        self.env.invalidate_all()
        model.unlink()
        self.assertTrue(self.document_driver.exists())
        self.assertFalse(self.document_driver.model_id)
        self.assertEqual(self.document_driver.model_name, "x_delivery")
        self.assertRegex(self.document_driver.problem, "x_delivery is not installed any more")

    def test_uninstalled_document_is_named_wherever_the_driver_is_used(self):
        self.create_bill([(self.expense_account, 100, {})])
        rule = self.create_rule(self.document_driver)
        self.uninstall(self.document_driver)
        message = "Driver Deliveries, Document: fleet.delivery is not installed any more; install"
        self.assertRegex(self.document_driver.problem, message)
        self.assertTrue(rule.exists())
        with self.assertRaisesText(UserError, message):
            self.document_driver.action_preview()
        with self.assertNothingChanged(), self.assertRaisesText(UserError, message):
            self.create_run()
        rule._get_text(MARCH)
        self.document_driver.read()
        Form(self.document_driver)

    def test_uninstalled_document_can_be_replaced(self):
        self.uninstall(self.document_driver)
        self.document_driver.model_id = self.env["ir.model"]._get("account.move")
        self.assertEqual(self.document_driver.model_name, "account.move")
        self.assertFalse(self.document_driver.problem)
        self.create_sale(self.customer_a)
        self.assertEqual(
            self.document_driver._get_quantities(self.company, MARCH), {self.customer_a.id: 1}
        )

    def test_part_with_an_uninstalled_document_is_named_by_its_blend(self):
        blend = self.env["customer.cost.driver"].create(
            {
                "name": "Blend",
                "code": "T-BLEND",
                "kind": "composite",
                "component_ids": [(0, 0, {"component_id": self.document_driver.id})],
            }
        )
        self.uninstall(self.document_driver)
        self.assertRegex(blend.problem, "Driver Deliveries, Document: fleet.delivery")
        with self.assertRaisesText(UserError, "Driver Deliveries"):
            blend._get_quantities(self.company, MARCH)

    def test_field_of_an_uninstalled_application_is_named(self):
        self.env.flush_all()
        self.cr.execute(
            "UPDATE customer_cost_driver SET customer_path = 'fleet_id.partner_id' WHERE id = %s",
            (self.document_driver.id,),
        )
        self.env.invalidate_all()
        with self.assertRaisesText(UserError, "account.move has no field fleet_id"):
            self.document_driver._get_quantities(self.company, MARCH)

    def test_forged_name_of_the_document_measures_nothing(self):
        self.document_driver.write({"model_name": "res.users"})
        with self.assertRaisesText(UserError, "Document: .*cannot be a cost driver"):
            self.document_driver._get_quantities(self.company, MARCH)

    def test_number_that_is_none_names_the_customer(self):
        invoice = self.create_sale(self.customer_a)
        self.create_sale(self.customer_b)
        self.document_driver.write({"measure": "sum", "measure_field": "amount_untaxed_signed"})
        self.env.flush_all()
        self.cr.execute(
            "UPDATE account_move SET amount_untaxed_signed = 'NaN' WHERE id = %s", (invoice.id,)
        )
        self.env.invalidate_all()
        message = r"Driver Deliveries: the quantity is not a number for Cost Customer A \(nan\)"
        with self.assertRaisesText(UserError, message):
            self.document_driver._get_quantities(self.company, MARCH)

    def test_company_without_customers_counts_nobody_by_any_driver(self):
        company = self.env["res.company"].create({"name": "Without customers"})
        for driver in self.env["customer.cost.driver"].search([("company_id", "=", False)]):
            with self.subTest(driver=driver.name):
                self.assertEqual(driver._get_quantities(company, MARCH), {})
                basis = driver._get_basis(company, MARCH)
                self.assertEqual(basis.customers.tolist(), [])
