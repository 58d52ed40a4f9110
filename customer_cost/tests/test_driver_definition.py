from odoo.exceptions import AccessError, ValidationError
from odoo.tools import mute_logger

from .common import CustomerCostCommon


class TestDriverDefinition(CustomerCostCommon):
    """A wrong driver is refused when it is saved, and the message names the part."""

    def document_vals(self, **vals):
        return {
            "name": "Orders",
            "code": "T-DOC",
            "kind": "document",
            "model_id": self.env["ir.model"]._get_id("account.move"),
            "domain": "[('state', '=', 'posted')]",
            "customer_path": "commercial_partner_id",
            "date_field": "date",
            "measure": "count",
            **vals,
        }

    def model_vals(self, model, **vals):
        return self.document_vals(model_id=self.env["ir.model"]._get_id(model), **vals)

    def assertWrong(self, message, **vals):
        """Refused on create and on write, with ``message``; nothing is saved."""
        before = self.env["customer.cost.driver"].with_context(active_test=False).search_count([])
        with self.assertRaisesText(ValidationError, message):
            self.env["customer.cost.driver"].create(self.document_vals(**vals))
        driver = self.env["customer.cost.driver"].create(self.document_vals())
        saved = driver.read(list(vals))[0]
        with self.assertRaisesText(ValidationError, message):
            driver.write(vals)
            self.env.flush_all()
        self.env.invalidate_all()
        self.assertEqual(driver.read(list(vals))[0], saved)
        driver.unlink()
        after = self.env["customer.cost.driver"].with_context(active_test=False).search_count([])
        self.assertEqual(after, before)

    def model_id(self, name):
        return self.env["ir.model"]._get_id(name)

    def test_good_definition_is_saved(self):
        driver = self.env["customer.cost.driver"].create(
            self.document_vals(
                domain="[('partner_id.country_id.code', '=', 'BE'), ('invoice_user_id', '!=', 1)]",
                deduct_domain="[('line_ids', 'any', [('quantity', '>', 2)])]",
                measure="sum",
                measure_field="amount_untaxed_signed",
            )
        )
        self.assertTrue(driver.exists())

    def test_technical_models_are_refused(self):
        for model in ("ir.attachment", "res.users", "res.users.log", "mail.message"):
            with self.subTest(model=model):
                self.assertWrong(
                    "Document: .*cannot be a cost driver", model_id=self.model_id(model)
                )

    def test_models_of_the_addon_are_refused(self):
        self.assertWrong(
            "Document: .*cannot be a cost driver", model_id=self.model_id("customer.cost.entry")
        )

    def test_transient_and_abstract_models_are_refused(self):
        for model in ("account.payment.register", "analytic.mixin"):
            with self.subTest(model=model):
                self.assertWrong(
                    "Document: .*cannot be a cost driver", model_id=self.model_id(model)
                )

    def test_missing_model_is_refused(self):
        self.assertWrong("Document: choose which documents to count", model_id=False)

    def test_unknown_path_is_refused(self):
        self.assertWrong(
            "Path to the Customer: res.partner has no field nobody",
            customer_path="partner_id.nobody",
        )

    def test_missing_path_is_refused(self):
        self.assertWrong("Path to the Customer: is missing", customer_path=False)

    def test_path_to_something_else_than_a_customer_is_refused(self):
        self.assertWrong(
            "Path to the Customer: field journal_id is of type account.journal",
            customer_path="journal_id",
        )

    def test_path_through_users_is_refused(self):
        self.assertWrong(
            "Path to the Customer: res.users cannot be used",
            customer_path="invoice_user_id.partner_id",
        )

    def test_path_through_a_number_is_refused(self):
        self.assertWrong(
            "Path to the Customer: field amount_total leads nowhere",
            customer_path="amount_total.partner_id",
        )

    def test_path_that_is_not_stored_is_refused(self):
        self.assertWrong(
            "Path to the Customer: field bank_partner_id is not stored",
            customer_path="bank_partner_id",
        )

    def test_date_of_the_wrong_type_is_refused(self):
        self.assertWrong(
            "Date Field: field amount_total is of type monetary, wanted: date",
            date_field="amount_total",
        )
        self.assertWrong("Date Field: is missing", date_field=False)
        self.assertWrong("Date Field: account.move has no field day", date_field="day")

    def test_document_without_a_company_is_refused(self):
        self.assertWrong(
            "Document: Contact does not say to which company it belongs",
            model_id=self.env["ir.model"]._get_id("res.partner"),
            domain="[]",
            customer_path="commercial_partner_id",
            date_field="create_date",
        )

    def test_amount_in_the_currency_of_the_document_is_refused(self):
        self.assertWrong(
            "Field to Add Up: field amount_untaxed is in the currency of the document",
            measure="sum",
            measure_field="amount_untaxed",
        )

    def test_measure_that_cannot_be_added_up_is_refused(self):
        self.assertWrong(
            "Field to Add Up: field name is of type char", measure="sum", measure_field="name"
        )
        self.assertWrong("Field to Add Up: is missing", measure="sum", measure_field=False)
        self.assertWrong("Measure: choose to count or to add up", measure=False)

    def test_measure_that_is_not_stored_is_refused(self):
        self.assertWrong(
            "Field to Add Up: field direction_sign is not stored",
            measure="sum",
            measure_field="direction_sign",
        )

    def test_measure_of_another_model_is_refused(self):
        self.assertWrong(
            "Field to Add Up: has to be a field of the document itself",
            measure="sum",
            measure_field="partner_id.color",
        )

    def test_measure_restricted_to_a_group_is_refused(self):
        self.assertWrong(
            "Field to Add Up: field customer_cost_amount is restricted to a group",
            model_id=self.model_id("account.move.line"),
            customer_path="partner_id",
            domain="[]",
            measure="sum",
            measure_field="customer_cost_amount",
        )

    def test_text_that_is_no_domain_is_refused(self):
        for text in ("[('state', '=', ", "state = posted", "[('state',)]", "uid", "42"):
            with self.subTest(text=text):
                self.assertWrong("Which Ones: ", domain=text)
        self.assertWrong("Deducted Ones: ", deduct_domain="[('state', '=', ")

    def test_unknown_field_in_a_domain_is_refused(self):
        self.assertWrong(
            "Which Ones: account.move has no field nothing", domain="[('nothing', '=', 1)]"
        )
        self.assertWrong(
            "Deducted Ones: res.partner has no field nothing",
            deduct_domain="[('partner_id.nothing', '=', 1)]",
        )

    def test_unknown_operator_in_a_domain_is_refused(self):
        self.assertWrong("Which Ones: ", domain="[('state', 'resembles', 'posted')]")

    def test_field_with_groups_in_a_domain_is_refused(self):
        self.assertWrong(
            "Which Ones: field customer_cost_source is restricted to a group",
            domain="[('line_ids.customer_cost_source', '=', 'unknown')]",
        )
        self.assertWrong(
            "Which Ones: field customer_cost_source is restricted to a group",
            domain="['|', ('state', '=', 'posted'), "
            "'!', ('line_ids.customer_cost_source', '=', 'unknown')]",
        )

    def test_domain_that_reaches_users_is_refused(self):
        for domain in (
            "[('invoice_user_id.login', '=like', 'a%')]",
            "[('partner_id.user_id.login', '=', 'admin')]",
            "[('partner_id.user_ids.partner_id.name', '=', 'Admin')]",
            "[('invoice_user_id', 'ilike', 'adm')]",
            "[('invoice_user_id', 'in', ['admin'])]",
            "[('create_uid.login', '=', 'admin')]",
        ):
            with self.subTest(domain=domain):
                self.assertWrong("Which Ones: res.users cannot be used", domain=domain)

    def test_domain_that_reaches_messages_is_refused(self):
        self.assertWrong(
            "Which Ones: mail.message cannot be used",
            domain="[('message_ids.body', 'ilike', 'salary')]",
        )

    def test_sub_domain_is_checked_as_well(self):
        for domain, message in (
            ("[('invoice_user_id', 'any', [('login', '=', 'admin')])]", "res.users cannot be used"),
            (
                "[('partner_id', 'any', [('user_id', 'not any', [('login', '=', 'admin')])])]",
                "res.users cannot be used",
            ),
            (
                "[('partner_id', 'any', [('user_id.login', '=', 'admin')])]",
                "res.users cannot be used",
            ),
            (
                "[('line_ids', 'any', [('customer_cost_source', '=', 'unknown')])]",
                "field customer_cost_source is restricted to a group",
            ),
            ("[('partner_id', 'any', [('nothing', '=', 1)])]", "res.partner has no field nothing"),
        ):
            with self.subTest(domain=domain):
                self.assertWrong(f"Which Ones: {message}", domain=domain)

    def test_value_driver_needs_no_definition(self):
        driver = self.env["customer.cost.driver"].create(
            {"name": "Weights", "code": "T-VAL", "kind": "value"}
        )
        with self.assertRaisesText(ValidationError, "Document: choose which documents"):
            driver.kind = "document"

    def test_code_is_unique_per_company(self):
        self.create_driver(code="T-SAME")
        with mute_logger("odoo.sql_db"):
            result = self.env["customer.cost.driver"].load(
                ["name", "code", "kind"],
                [["Again", "T-SAME", "Entered or imported values"]],
            )
        self.assertFalse(result["ids"])
        self.assertIn("already used by another driver", result["messages"][0]["message"])

    # ------------------------------------------------------------
    # Who saves one
    # ------------------------------------------------------------

    def test_cost_manager_saves_a_document_driver(self):
        driver = (
            self.env["customer.cost.driver"]
            .with_user(self.users["manager"])
            .create(self.document_vals())
        )
        driver.write({"domain": "[]", "window": "rolling"})
        self.assertEqual(driver.domain, "[]")

    def test_accountant_does_not_create_a_document_driver(self):
        drivers = self.env["customer.cost.driver"].with_user(self.users["accountant"])
        before = drivers.search_count([])
        with self.assertRaisesText(AccessError, "only a cost manager"):
            drivers.create(self.document_vals())
        self.assertEqual(drivers.search_count([]), before)

    def test_accountant_does_not_write_a_document_driver(self):
        driver = self.env["customer.cost.driver"].create(self.document_vals())
        for vals in (
            {"domain": "[]"},
            {"window": "year"},
            {"policy": "zero"},
            {"name": "Other"},
            {"kind": "value"},
            {"active": False},
        ):
            with self.subTest(vals=vals):
                name = next(iter(vals))
                saved = driver[name]
                with self.assertRaisesText(AccessError, "only a cost manager"):
                    driver.with_user(self.users["accountant"]).write(vals)
                self.env.invalidate_all()
                self.assertEqual(driver[name], saved)

    def test_accountant_does_not_turn_a_value_driver_into_a_document_driver(self):
        driver = self.create_driver()
        with self.assertRaisesText(AccessError, "only a cost manager"):
            vals = self.document_vals()
            del vals["code"]
            driver.with_user(self.users["accountant"]).write(vals)
        self.env.invalidate_all()
        self.assertEqual(driver.kind, "value")

    def test_accountant_does_not_copy_a_document_driver(self):
        driver = self.env["customer.cost.driver"].create(self.document_vals())
        with self.assertRaisesText(AccessError, "only a cost manager"):
            driver.with_user(self.users["accountant"]).copy({"code": "T-COPY"})
        self.assertFalse(self.env["customer.cost.driver"].search([("code", "=", "T-COPY")]))

    def test_accountant_does_not_import_a_document_driver(self):
        result = (
            self.env["customer.cost.driver"]
            .with_user(self.users["accountant"])
            .load(
                [
                    "name",
                    "code",
                    "kind",
                    "model_id/.id",
                    "domain",
                    "customer_path",
                    "date_field",
                    "measure",
                ],
                [
                    [
                        "Imported",
                        "T-IMP",
                        "Documents",
                        str(self.model_id("account.move")),
                        "[]",
                        "commercial_partner_id",
                        "date",
                        "Count the documents",
                    ]
                ],
            )
        )
        self.assertFalse(result["ids"])
        self.assertIn("only a cost manager", result["messages"][0]["message"])
        self.assertFalse(self.env["customer.cost.driver"].search([("code", "=", "T-IMP")]))

    def test_accountant_keeps_value_drivers(self):
        drivers = self.env["customer.cost.driver"].with_user(self.users["accountant"])
        driver = drivers.create({"name": "Kilos", "code": "T-KG", "kind": "value"})
        driver.write({"name": "Kilograms", "policy": "zero"})
        self.assertEqual(driver.copy({"code": "T-KG2"}).policy, "zero")
