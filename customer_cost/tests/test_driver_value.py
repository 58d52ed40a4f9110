from datetime import date

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import mute_logger
from odoo.tools.misc import file_open

from .common import CustomerCostCommon

MARCH = date(2025, 3, 31)
COLUMNS = ("driver_id", "customer_id", "date", "quantity")


class TestDriverValue(CustomerCostCommon):
    """Quantities from outside: one per customer and month, imported, copied, or lasting."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.driver = cls.create_driver(name="Kilos shipped", code="KG")
        cls.customer_a.write({"ref": "K-1001", "vat": "BE0477472701"})
        cls.customer_b.ref = "K-1002"

    def value_vals(self, customer, day, quantity, **vals):
        return {
            "driver_id": self.driver.id,
            "customer_id": customer.id,
            "date": day,
            "quantity": quantity,
            "company_id": self.company.id,
            **vals,
        }

    def add(self, customer, day, quantity, **vals):
        return self.env["customer.cost.driver.value"].create(
            self.value_vals(customer, day, quantity, **vals)
        )

    def quantities(self, day=MARCH, driver=None):
        found = (driver or self.driver)._get_quantities(self.company, day)
        return {self.env["res.partner"].browse(key): value for key, value in found.items()}

    def load(self, rows, columns=COLUMNS, **context):
        return (
            self.env["customer.cost.driver.value"]
            .with_user(self.users["accountant"])
            .with_context(**context)
            .load(list(columns), rows)
        )

    def assertRefusedRows(self, rows, *messages):
        """Nothing is saved; ``messages`` are pairs of a row and a text, in order."""
        with mute_logger("odoo.sql_db"):
            result = self.load(rows)
        self.assertFalse(result["ids"])
        self.assertFalse(self.driver.value_ids)
        found = [(message["rows"]["from"], message["message"]) for message in result["messages"]]
        self.assertEqual([row for row, _text in found], [row for row, _text in messages], found)
        for (_row, text), (_expected, pattern) in zip(found, messages, strict=True):
            self.assertRegex(text, pattern)

    # ------------------------------------------------------------
    # One per customer and month
    # ------------------------------------------------------------

    def test_second_value_of_a_month_is_refused_and_both_named(self):
        first = self.add(self.customer_a, "2025-03-05", 12.5)
        message = r"Cost Customer A already has 12\.50 on 03/05/2025, so 7\.00 on 03/31/2025 cannot"
        with self.assertRaisesText(ValidationError, message):
            self.add(self.customer_a, "2025-03-31", 7)
        other = self.add(self.customer_a, "2025-04-01", 7)
        with self.assertRaisesText(ValidationError, message):
            other.date = "2025-03-31"
        self.assertEqual(first | other, self.driver.value_ids)
        self.assertEqual(self.quantities(), {self.customer_a: 12.5})

    def test_contact_of_a_customer_is_the_customer(self):
        contact = self.env["res.partner"].create({"name": "Ann", "parent_id": self.customer_a.id})
        self.add(self.customer_a, "2025-03-05", 1)
        with self.assertRaisesText(ValidationError, "Cost Customer A already has 1.00"):
            self.add(contact, "2025-03-05", 2)

    def test_other_customer_company_or_driver_is_another_value(self):
        company = self.env["res.company"].create({"name": "Other company"})
        self.add(self.customer_a, "2025-03-05", 1)
        self.add(self.customer_b, "2025-03-05", 2)
        self.add(self.customer_a, "2025-03-05", 3, company_id=company.id)
        self.add(self.customer_a, "2025-03-05", 4, driver_id=self.create_driver().id)
        self.assertEqual(self.quantities(), {self.customer_a: 1, self.customer_b: 2})

    def test_largest_quantities_are_kept_exactly(self):
        self.add(self.customer_a, "2025-03-05", 10**13)
        self.add(self.customer_b, "2025-03-05", 10**13 - 1)
        self.env.invalidate_all()
        self.assertEqual(self.quantities(), {self.customer_a: 10**13, self.customer_b: 10**13 - 1})
        self.create_bill([(self.expense_account, 999_999_999_999.99, {})])
        self.create_rule(self.driver)
        run = self.create_run(post=True)
        self.assertEqual(round(sum(self.received(run).values()), 2), 999_999_999_999.99)

    def test_not_a_number_is_refused(self):
        for quantity in (float("nan"), float("inf")):
            with self.assertRaisesText(ValidationError, "Quantity: (nan|inf) is not a number"):
                self.add(self.customer_a, "2025-03-05", quantity)

    # ------------------------------------------------------------
    # From a file
    # ------------------------------------------------------------

    def test_customer_is_found_by_reference_tax_id_name_or_database_id(self):
        for text in ("K-1001", "BE0477472701", "Cost Customer A"):
            with self.subTest(text=text):
                result = self.load([["Kilos shipped", text, "2025-03-31", "12.5"]])
                self.assertFalse(result["messages"])
                self.assertEqual(self.driver.value_ids.customer_id, self.customer_a)
                self.driver.value_ids.unlink()
        columns = ["driver_id", "customer_id/.id", "date", "quantity"]
        result = self.load([["KG", str(self.customer_a.id), "2025-03-31", "12.5"]], columns)
        self.assertFalse(result["messages"])
        self.assertEqual(self.driver.value_ids.customer_id, self.customer_a)

    def test_reference_comes_before_name(self):
        self.customer_c.ref = "Cost Customer B"
        self.load([["KG", "Cost Customer B", "2025-03-31", "1"]])
        self.assertEqual(self.driver.value_ids.customer_id, self.customer_c)

    def test_every_row_that_names_nobody_or_several_is_listed(self):
        self.env["res.partner"].create({"name": "Cost Customer C", "is_company": True})
        self.env["res.partner"].create({"name": "Cost Customer A", "parent_id": self.customer_a.id})
        self.assertRefusedRows(
            [
                ["KG", "Cost Customer A", "2025-03-31", "1"],
                ["KG", "Nobody Ltd", "2025-03-31", "1"],
                ["KG", "Cost Customer C", "2025-03-31", "1"],
            ],
            (1, "No customer has “Nobody Ltd” as reference, tax ID"),
            (2, rf"names several customers: .*\(ID {self.customer_c.id}\), .*Name the one"),
        )

    def test_row_without_customer_is_refused(self):
        self.assertRefusedRows([["KG", "", "2025-03-31", "1"]], (0, "Customer"))

    def test_file_that_names_a_customer_twice_is_refused(self):
        rows = [
            ["KG", "K-1001", "2025-03-01", "1"],
            ["KG", "K-1002", "2025-03-01", "1"],
            ["KG", "Cost Customer A", "2025-03-31", "2"],
        ]
        message = r"already has 1\.00 on 03/01/2025, so 2\.00"
        self.assertRefusedRows(rows, (0, message), (2, message))

    def test_file_imported_again_is_refused(self):
        rows = [["KG", "K-1001", "2025-03-31", "1"], ["KG", "K-1002", "2025-03-31", "2"]]
        self.load(rows)
        with mute_logger("odoo.sql_db"):
            result = self.load(rows)
        self.assertFalse(result["ids"])
        self.assertEqual({message["rows"]["from"] for message in result["messages"]}, {0, 1})
        self.assertEqual(self.quantities(), {self.customer_a: 1, self.customer_b: 2})

    def test_file_opened_from_a_driver_needs_no_driver_column(self):
        action = self.driver.with_user(self.users["accountant"]).action_import_values()
        self.assertEqual(action["params"]["model"], "customer.cost.driver.value")
        result = self.load(
            [["K-1001", "2025-03-31", "3"]], COLUMNS[1:], **action["params"]["context"]
        )
        self.assertFalse(result["messages"])
        self.assertEqual(self.quantities(), {self.customer_a: 3})

    def test_template_is_read_by_the_import_as_it_stands(self):
        values = self.env["customer.cost.driver.value"].with_user(self.users["accountant"])
        [template] = values.get_import_templates()
        with file_open(template["template"].lstrip("/"), "rb") as file:
            content = file.read()
        wizard = self.env["base_import.import"].create(
            {
                "res_model": "customer.cost.driver.value",
                "file": content,
                "file_name": "values.xlsx",
                "file_type": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            }
        )
        preview = wizard.parse_preview({"has_headers": True, "quoting": '"', "separator": ","})
        self.assertNotIn("error", preview)
        matched = [preview["matches"][place] for place in sorted(preview["matches"])]
        self.assertEqual(matched, [["driver_id"], ["date"], ["customer_id"], ["quantity"]])

    # ------------------------------------------------------------
    # Copied to the next month
    # ------------------------------------------------------------

    def test_values_of_the_latest_month_are_copied_to_the_next(self):
        other = self.env["res.company"].create({"name": "Other company"})
        self.add(self.customer_a, "2025-01-31", 99)
        self.add(self.customer_a, "2025-02-28", 5)
        self.add(self.customer_b, "2025-02-01", 7)
        self.add(self.customer_b, "2025-03-01", 1000, company_id=other.id)
        driver = self.driver.with_user(self.users["accountant"]).with_company(self.company)
        action = driver.action_copy_values()
        self.assertRegex(action["params"]["message"], "2 values of February 2025 copied")
        self.assertEqual(self.quantities(), {self.customer_a: 5, self.customer_b: 7})
        driver.action_copy_values()
        self.assertEqual(
            self.quantities(date(2025, 4, 30)), {self.customer_a: 5, self.customer_b: 7}
        )

    def test_nothing_to_copy_says_so(self):
        with self.assertRaisesText(UserError, "Kilos shipped has no values in .* yet. Enter or"):
            self.driver.with_company(self.company).action_copy_values()

    @mute_logger("odoo.addons.base.models.ir_model")
    def test_only_who_keeps_drivers_copies_values(self):
        self.add(self.customer_a, "2025-03-31", 1)
        for role in ("rep", "cost_user", "reviewer", "auditor", "internal"):
            with self.subTest(role=role), self.assertRaises(AccessError):
                self.rpc(
                    self.users[role], "customer.cost.driver", "action_copy_values", self.driver.ids
                )
        self.assertEqual(len(self.driver.value_ids), 1)

    # ------------------------------------------------------------
    # Valid until changed
    # ------------------------------------------------------------

    def test_value_lasts_until_another_is_entered(self):
        self.driver.lasting = True
        self.add(self.customer_a, "2024-11-30", 5)
        self.add(self.customer_a, "2025-03-31", 8)
        self.add(self.customer_a, "2025-04-01", 100)
        self.add(self.customer_b, "2023-01-01", 3)
        self.add(self.customer_c, "2024-01-01", 4)
        self.add(self.customer_c, "2025-02-01", 0)
        self.assertEqual(
            self.quantities(),
            {self.customer_a: 8, self.customer_b: 3, self.customer_c: 0},
        )
        self.assertEqual(
            self.quantities(date(2025, 2, 28)),
            {self.customer_a: 5, self.customer_b: 3, self.customer_c: 0},
        )
        self.assertEqual(self.quantities(date(2022, 12, 31)), {})

    def test_window_does_not_add_up_what_lasts(self):
        self.driver.lasting = True
        for day in ("2025-01-31", "2025-02-28", "2025-03-31"):
            self.add(self.customer_a, day, 5)
        for window in ("period", "year", "rolling"):
            self.driver.window = window
            self.assertEqual(self.quantities(), {self.customer_a: 5})

    def test_lasting_is_part_of_the_definition(self):
        before = self.driver._get_definition()
        self.driver.lasting = True
        self.assertNotEqual(self.driver._get_definition(), before)
