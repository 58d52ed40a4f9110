from datetime import date

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tools import mute_logger

from .common import CustomerCostCommon

MARCH = date(2025, 3, 31)


class TestDriverTime(CustomerCostCommon):
    """Minutes per document by an equation built in the form, and who may build one."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.new, cls.rush = cls.env["res.partner.category"].create(
            [{"name": "New"}, {"name": "Rush"}]
        )
        cls.customers = cls.customer_a | cls.customer_b | cls.customer_c | cls.vendor

    @classmethod
    def time_vals(cls, *lines, **vals):
        return {
            "name": "Inside sales",
            "code": "T-TIME",
            "kind": "time",
            "model_id": cls.env["ir.model"]._get_id("account.move"),
            "domain": "[('state', '=', 'posted'), ('move_type', '=', 'out_invoice')]",
            "customer_path": "commercial_partner_id",
            "date_field": "date",
            "time_ids": [
                Command.create({"name": f"Part {place}", "sequence": place, **line})
                for place, line in enumerate(lines)
            ],
            **vals,
        }

    @classmethod
    def create_time(cls, *lines, **vals):
        return cls.env["customer.cost.driver"].create(cls.time_vals(*lines, **vals))

    @classmethod
    def published_lines(cls):
        """WE-22: 5 + 3 x lines + 15 [new customer] + 10 [rush]."""
        return (
            {"kind": "base", "minutes": 5},
            {
                "kind": "quantity",
                "minutes": 3,
                "field_name": "invoice_line_ids",
                "domain": "[('display_type', '=', 'product')]",
            },
            {
                "kind": "condition",
                "minutes": 15,
                "domain": "[('partner_id.category_id.name', '=', 'New')]",
            },
            {"kind": "condition", "minutes": 10, "domain": "[('ref', '=', 'RUSH')]"},
        )

    @classmethod
    def sell(cls, customer, lines, ref=False, **vals):
        return cls.create_sale(
            customer,
            ref=ref,
            invoice_line_ids=[
                Command.create(
                    {"product_id": cls.product.id, "price_unit": 10, "tax_ids": [Command.clear()]}
                )
                for _line in range(lines)
            ],
            **vals,
        )

    def sell_published(self):
        (self.customer_b | self.vendor).category_id = self.new
        self.sell(self.customer_a, 1)
        self.sell(self.customer_b, 10)
        self.sell(self.customer_c, 4, "RUSH")
        self.sell(self.vendor, 10, "RUSH")

    def quantities(self, driver, company=None):
        self.env.flush_all()
        found = driver.with_user(self.users["accountant"])._get_quantities(
            company or self.company, MARCH
        )
        return {
            self.env["res.partner"].browse(customer): round(quantity, 6)
            for customer, quantity in found.items()
        }

    # ------------------------------------------------------------
    # What it counts
    # ------------------------------------------------------------

    def test_published_example_on_invoices_to_the_cent(self):
        self.sell_published()
        self.create_bill([(self.expense_account, 116, {})])
        driver = self.create_time(*self.published_lines())
        minutes = dict(zip(self.customers, (8, 50, 27, 60), strict=True))
        self.assertEqual(self.quantities(driver), minutes)
        self.create_rule(driver)
        run = self.create_run(post=True)
        amounts = dict(zip(self.customers, (6.4, 40, 21.6, 48), strict=True))
        self.assertEqual(self.received(run), amounts)
        self.assertEqual(run.step_ids.driver_total, 145)

    def test_minutes_of_all_documents_of_a_customer_add_up(self):
        contact = self.env["res.partner"].create({"name": "Ann", "parent_id": self.customer_a.id})
        self.sell(self.customer_a, 1)
        self.sell(self.customer_a, 2, "RUSH")
        self.sell(contact, 2, "RUSH")
        self.sell(self.customer_a, 9, day="2025-02-28")
        self.sell(self.customer_a, 9, post=False)
        driver = self.create_time(*self.published_lines())
        self.assertEqual(self.quantities(driver), {self.customer_a: 8 + 21 + 21})

    def test_formula_counts_lines_and_numbers_of_each_document(self):
        self.sell(self.customer_a, 2)
        self.sell(self.customer_a, 30)
        self.sell(self.customer_b, 1)
        driver = self.create_time(
            {"kind": "base", "minutes": 1},
            {"kind": "quantity", "minutes": 0.1, "field_name": "amount_untaxed_signed"},
            {
                "kind": "formula",
                "formula": "min(40, max(10, 2 * invoice_line_ids)) + amount_untaxed_signed / 100",
            },
        )
        self.assertEqual(
            self.quantities(driver),
            {
                self.customer_a: (1 + 2 + 10 + 0.2) + (1 + 30 + 40 + 3),
                self.customer_b: 1 + 1 + 10 + 0.1,
            },
        )

    def test_same_lines_counted_twice_with_different_conditions(self):
        self.sell(self.customer_a, 3)
        lines = {"kind": "quantity", "field_name": "line_ids"}
        driver = self.create_time(
            {**lines, "minutes": 1},
            {**lines, "minutes": 100, "domain": "[('display_type', '=', 'product')]"},
            {**lines, "minutes": 1000, "domain": "[('display_type', '=', 'payment_term')]"},
            {"kind": "formula", "formula": "line_ids * 10000"},
        )
        self.assertEqual(self.quantities(driver), {self.customer_a: 4 + 300 + 1000 + 40000})

    def test_company_without_documents_counts_nobody(self):
        other = self.env["res.company"].create({"name": "Without customers"})
        self.sell(self.customer_a, 1)
        driver = self.create_time(*self.published_lines())
        self.assertEqual(self.quantities(driver, other), {})

    def test_division_by_zero_names_line_and_document(self):
        self.sell(self.customer_a, 1)
        free = self.create_sale(self.customer_b, price=0)
        driver = self.create_time({"kind": "formula", "formula": "1 / amount_untaxed_signed"})
        with self.assertRaisesText(UserError, f"“Part 0”: .*{free.name}.* divides by zero"):
            self.quantities(driver)
        driver.time_ids.formula = "1 / max(1, amount_untaxed_signed)"
        self.assertEqual(self.quantities(driver), {self.customer_a: 0.1, self.customer_b: 1})

    def test_one_query_however_many_documents(self):
        driver = self.create_time(*self.published_lines())
        counts = []
        for invoices in (1, 6):
            for _invoice in range(invoices):
                self.sell(self.customer_a, 2)
            self.env.flush_all()
            driver._get_quantities(self.company, MARCH)
            before = self.cr.sql_log_count
            driver._get_quantities(self.company, MARCH)
            counts.append(self.cr.sql_log_count - before)
        self.assertEqual(counts[0], counts[1])

    # ------------------------------------------------------------
    # What is refused
    # ------------------------------------------------------------

    def assertLineWrong(self, message, **line):
        """Refused on create and on write, with ``message``; nothing is saved."""
        before = self.env["customer.cost.driver.time"].search_count([])
        with self.assertRaisesText(ValidationError, message):
            self.create_time(line)
        driver = self.create_time({"kind": "base", "minutes": 1}, code="T-GOOD")
        with self.assertRaisesText(ValidationError, message):
            driver.time_ids.write(line)
            self.env.flush_all()
        self.env.invalidate_all()
        self.assertEqual(driver.time_ids.kind, "base")
        driver.unlink()
        self.assertEqual(self.env["customer.cost.driver.time"].search_count([]), before)

    def test_wrong_formula_says_where_and_what_is_expected(self):
        for formula, message in (
            ("2 +", "at character 4, expected a number, a field.*found the end"),
            ("2 invoice_line_ids", "at character 3, expected \\+, -.*found “invoice_line_ids”"),
            ("__import__('os')", "at character 12, expected a number, .*found “'”"),
            (False, "Formula: is missing"),
            ("nothing * 2", "account.move has no field nothing"),
            ("name", "field name is of type char"),
            ("amount_untaxed", "in the currency of the document"),
        ):
            with self.subTest(formula=formula):
                self.assertLineWrong(message, kind="formula", formula=formula)

    def test_quantity_that_a_driver_may_not_look_at_is_refused(self):
        for name, message in (
            (False, "Quantity: is missing"),
            ("partner_id.color", "has to be a field of the document itself"),
            ("message_ids", "mail.message cannot be used"),
            ("direction_sign", "is not stored"),
            ("partner_id", "is of type res.partner"),
            ("invoice_date", "is of type date"),
            ("amount_total", "in the currency of the document"),
        ):
            with self.subTest(name=name):
                self.assertLineWrong(message, kind="quantity", minutes=1, field_name=name)

    def test_conditions_are_checked_like_those_of_the_driver(self):
        for domain, message in (
            (False, "Conditions: is missing"),
            ("[]", "Conditions: is missing"),
            ("[('state', '=', ", "is not a list of conditions"),
            ("[('nothing', '=', 1)]", "account.move has no field nothing"),
            ("[('invoice_user_id.login', '=like', 'a%')]", "res.users cannot be used"),
            (
                "[('line_ids.customer_cost_source', '=', 'unknown')]",
                "field customer_cost_source is restricted to a group",
            ),
        ):
            with self.subTest(domain=domain):
                self.assertLineWrong(message, kind="condition", minutes=1, domain=domain)
        self.assertLineWrong(
            "field customer_cost_source is restricted to a group",
            kind="quantity",
            minutes=1,
            field_name="invoice_line_ids",
            domain="[('customer_cost_source', '=', 'unknown')]",
        )

    def test_minutes_that_are_no_number_are_refused(self):
        self.assertLineWrong("Minutes: nan is not a number", kind="base", minutes=float("nan"))

    def test_equation_without_a_line_is_refused(self):
        with self.assertRaisesText(ValidationError, "say what takes how many minutes"):
            self.create_time()
        driver = self.create_time({"kind": "base", "minutes": 1})
        driver.time_ids.unlink()
        self.assertRegex(driver.problem, "say what takes how many minutes")
        with self.assertRaisesText(UserError, "say what takes how many minutes"):
            driver.action_preview()

    def test_other_documents_check_the_equation_again(self):
        driver = self.create_time(*self.published_lines())
        with self.assertRaisesText(ValidationError, "no field invoice_line_ids"):
            driver.write(
                {
                    "model_id": self.env["ir.model"]._get_id("account.payment"),
                    "customer_path": "partner_id",
                    "domain": "[]",
                }
            )

    # ------------------------------------------------------------
    # Who builds one
    # ------------------------------------------------------------

    def test_equation_is_readable_and_tracked(self):
        driver = self.create_time(*self.published_lines()).with_context(
            tracking_disable=False, mail_notrack=False
        )
        self.assertEqual(
            driver.equation,
            "5 + 3 × invoice_line_ids [('display_type', '=', 'product')] + "
            "15 [('partner_id.category_id.name', '=', 'New')] + 10 [('ref', '=', 'RUSH')]",
        )
        self.flush_tracking(driver)
        before = driver._get_definition()
        driver.time_ids[0].minutes = 6.5
        self.flush_tracking(driver)
        self.assertIn(
            "equation", driver.message_ids.sudo().tracking_value_ids.field_id.mapped("name")
        )
        self.assertTrue(driver.equation.startswith("6.5 + 3 × "))
        self.assertNotEqual(driver._get_definition(), before)

    def flush_tracking(self, driver):
        driver.env.flush_all()
        self.env.cr.precommit.run()

    def test_copy_takes_the_equation_along(self):
        driver = self.create_time(*self.published_lines())
        self.assertEqual(driver.copy({"code": "T-COPY"}).equation, driver.equation)

    def test_cost_manager_builds_an_equation(self):
        driver = (
            self.env["customer.cost.driver"]
            .with_user(self.users["manager"])
            .create(self.time_vals(*self.published_lines()))
        )
        driver.time_ids[1].minutes = 4
        driver.time_ids[0].unlink()
        self.assertTrue(driver.equation.startswith("4 × "))

    @mute_logger("odoo.addons.base.models.ir_model", "odoo.addons.base.models.ir_rule")
    def test_nobody_else_builds_or_changes_one(self):
        driver = self.create_time(*self.published_lines())
        line, before = driver.time_ids[0], driver.equation
        value_driver = self.create_driver()
        planted = self.env["customer.cost.driver.time"].create(
            {"driver_id": value_driver.id, "name": "Planted", "minutes": 1}
        )
        model = "customer.cost.driver.time"
        vals = {"driver_id": driver.id, "name": "Mine", "kind": "base", "minutes": 999}
        for role in ("rep", "cost_user", "accountant", "reviewer", "auditor", "internal"):
            for method, args in (
                ("create", [vals]),
                ("write", [line.ids, {"minutes": 999}]),
                ("write", [planted.ids, {"driver_id": driver.id}]),
                ("write", [line.ids, {"driver_id": value_driver.id}]),
                ("unlink", [line.ids]),
                ("web_save", [line.ids, {"minutes": 999}, {}]),
                ("copy", [line.ids]),
            ):
                with self.subTest(role=role, method=method, args=args):
                    with self.assertRaises(AccessError):
                        self.rpc(self.users[role], model, method, *args)
            with self.subTest(role=role), self.assertRaises(AccessError):
                self.rpc(
                    self.users[role],
                    "customer.cost.driver",
                    "create",
                    self.time_vals(vals, code=role),
                )
        self.env.invalidate_all()
        self.assertEqual(driver.equation, before)
        self.assertEqual(len(driver.time_ids), 4)
