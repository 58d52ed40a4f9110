from datetime import date

from odoo.fields import Command
from odoo.tools import mute_logger

from .common import CustomerCostCommon

MARCH = date(2025, 3, 31)


class TestDriverQuantities(CustomerCostCommon):
    """What every shipped driver counts per customer, in which window, for which company."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.own = cls.customer_a | cls.customer_b | cls.customer_c | cls.vendor

    def quantities(self, driver, day=MARCH, company=None):
        """Quantities of this test's customers, by record."""
        if isinstance(driver, str):
            driver = self.env.ref(f"customer_cost.driver_{driver}")
        self.env.flush_all()
        found = driver.with_user(self.users["accountant"])._get_quantities(
            company or self.company, day
        )
        return {
            self.env["res.partner"].browse(customer): round(float(quantity), 6)
            for customer, quantity in found.items()
        }

    def pay(self, invoice, amount, day):
        self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=invoice.ids
        ).create({"payment_date": day, "amount": amount})._create_payments()

    # ------------------------------------------------------------
    # Shipped drivers
    # ------------------------------------------------------------

    def test_net_revenue_is_invoices_less_credit_notes(self):
        self.create_sale(self.customer_a, quantity=3, price=100)
        self.create_sale(self.customer_a, quantity=1, price=40.5, move_type="out_refund")
        self.create_sale(self.customer_b, quantity=2, price=10, move_type="out_refund")
        self.create_sale(self.customer_c, price=70, move_type="out_receipt")
        self.create_bill([(self.expense_account, 999, {})])
        self.assertEqual(
            self.quantities("net_revenue"),
            {self.customer_a: 259.5, self.customer_b: -20, self.customer_c: 70},
        )

    def test_net_revenue_is_in_company_currency(self):
        currency = self.setup_other_currency("CHF", rates=[("2025-01-01", 4.0)])
        self.create_sale(self.customer_a, price=100, currency_id=currency.id)
        self.assertEqual(self.quantities("net_revenue"), {self.customer_a: 25})

    def test_gross_margin_takes_off_the_frozen_product_cost(self):
        self.create_sale(self.customer_a, quantity=3, price=100)
        self.create_sale(self.customer_b, quantity=2, price=30)
        self.create_sale(self.customer_a, quantity=1, price=100, move_type="out_refund")
        self.product.standard_price = 1.0
        self.assertEqual(
            self.quantities("gross_margin"), {self.customer_a: 120, self.customer_b: -20}
        )

    def test_invoices_are_counted_without_credit_notes(self):
        self.create_sale(self.customer_a)
        self.create_sale(self.customer_a)
        self.create_sale(self.customer_a, move_type="out_refund")
        self.create_sale(self.customer_b, move_type="out_receipt")
        self.create_sale(self.customer_c, move_type="out_refund")
        self.assertEqual(self.quantities("invoice_count"), {self.customer_a: 2, self.customer_b: 1})

    def test_invoice_lines_are_product_lines_only(self):
        line = {"product_id": self.product.id, "price_unit": 10, "tax_ids": [Command.clear()]}
        self.create_sale(
            self.customer_a,
            invoice_line_ids=[
                Command.create(line),
                Command.create(line),
                Command.create({"display_type": "line_note", "name": "Thank you"}),
                Command.create({"display_type": "line_section", "name": "Part two"}),
                Command.create(line),
            ],
        )
        self.create_sale(self.customer_b, move_type="out_refund")
        self.assertEqual(self.quantities("invoice_line_count"), {self.customer_a: 3})

    def test_quantity_sold_deducts_what_came_back(self):
        self.create_sale(self.customer_a, quantity=10)
        self.create_sale(self.customer_a, quantity=2.5, move_type="out_refund")
        self.create_sale(self.customer_b, quantity=4, move_type="out_refund")
        self.assertEqual(
            self.quantities("quantity_sold"), {self.customer_a: 7.5, self.customer_b: -4}
        )

    def test_every_active_customer_counts_one(self):
        self.create_sale(self.customer_a, quantity=10)
        self.create_sale(self.customer_a)
        self.create_sale(self.customer_b, move_type="out_refund")
        self.create_sale(self.customer_c, day="2025-02-28")
        self.assertEqual(
            self.quantities("active_customers"), {self.customer_a: 1, self.customer_b: 1}
        )

    def test_drafts_and_cancelled_invoices_do_not_count(self):
        due = {"invoice_date_due": "2025-03-12"}
        self.create_sale(self.customer_a, post=False, **due)
        cancelled = self.create_sale(self.customer_b, **due)
        cancelled.button_draft()
        cancelled.button_cancel()
        reset = self.create_sale(self.customer_c, **due)
        reset.button_draft()
        for driver in (
            "net_revenue",
            "gross_margin",
            "invoice_count",
            "invoice_line_count",
            "quantity_sold",
            "active_customers",
            "overdue_days",
        ):
            with self.subTest(driver=driver):
                self.assertEqual(self.quantities(driver), {})

    def test_contacts_count_for_their_company(self):
        contact, address = self.env["res.partner"].create(
            [
                {"name": "Ann", "parent_id": self.customer_a.id},
                {"name": "Depot", "parent_id": self.customer_a.id, "type": "delivery"},
            ]
        )
        for partner in (self.customer_a, contact, address):
            self.create_sale(partner, quantity=2, price=100, invoice_date_due="2025-03-20")
        expected = {
            "net_revenue": 600,
            "gross_margin": 360,
            "invoice_count": 3,
            "invoice_line_count": 3,
            "quantity_sold": 6,
            "active_customers": 1,
            "overdue_days": 33,
        }
        for driver, quantity in expected.items():
            with self.subTest(driver=driver):
                self.assertEqual(self.quantities(driver), {self.customer_a: quantity})

    # ------------------------------------------------------------
    # Overdue days
    # ------------------------------------------------------------

    def invoice_due(self, customer, due, day="2025-03-01", **vals):
        return self.create_sale(
            customer,
            price=100,
            day=day,
            invoice_date_due=due,
            invoice_payment_term_id=False,
            **vals,
        )

    def test_overdue_ends_with_the_full_payment(self):
        paid_late = self.invoice_due(self.customer_a, "2025-03-10")
        self.pay(paid_late, 100, "2025-03-15")
        paid_early = self.invoice_due(self.customer_b, "2025-03-10")
        self.pay(paid_early, 100, "2025-03-10")
        self.assertEqual(self.quantities("overdue_days"), {self.customer_a: 5})

    def test_overdue_goes_on_until_the_last_part_is_paid(self):
        invoice = self.invoice_due(self.customer_a, "2025-03-10")
        self.pay(invoice, 60, "2025-03-12")
        self.assertEqual(self.quantities("overdue_days"), {self.customer_a: 21})
        self.pay(invoice, 40, "2025-03-20")
        self.assertEqual(self.quantities("overdue_days"), {self.customer_a: 10})

    def test_overdue_never_paid_counts_every_day_of_the_window(self):
        self.invoice_due(self.customer_a, "2025-01-20", day="2025-01-05")
        self.assertEqual(self.quantities("overdue_days"), {self.customer_a: 31})
        self.assertEqual(self.quantities("overdue_days", date(2025, 1, 10)), {self.customer_a: 11})

    def test_paid_after_the_window_was_open_in_it(self):
        invoice = self.invoice_due(self.customer_a, "2025-03-10")
        self.pay(invoice, 100, "2025-05-05")
        self.assertEqual(self.quantities("overdue_days"), {self.customer_a: 21})
        self.assertEqual(self.quantities("overdue_days", date(2025, 4, 30)), {self.customer_a: 30})
        self.assertEqual(self.quantities("overdue_days", date(2025, 5, 31)), {self.customer_a: 5})

    def test_each_due_date_of_a_payment_term_counts(self):
        term = self.env["account.payment.term"].create(
            {
                "name": "Half now, half after ten days",
                "line_ids": [
                    Command.create({"value": "percent", "value_amount": 50, "nb_days": 0}),
                    Command.create({"value": "percent", "value_amount": 50, "nb_days": 10}),
                ],
            }
        )
        self.create_sale(
            self.customer_a, price=100, day="2025-03-11", invoice_payment_term_id=term.id
        )
        self.assertEqual(self.quantities("overdue_days"), {self.customer_a: 20 + 10})

    def test_nothing_is_overdue_before_it_is_due(self):
        self.invoice_due(self.customer_a, "2025-03-31")
        self.invoice_due(self.customer_b, "2025-06-30")
        self.assertEqual(self.quantities("overdue_days"), {})

    # ------------------------------------------------------------
    # Windows and companies
    # ------------------------------------------------------------

    def sell_over_time(self):
        for day, price in (
            ("2024-03-31", 1),
            ("2024-04-01", 2),
            ("2024-06-30", 4),
            ("2024-07-01", 8),
            ("2025-02-28", 16),
            ("2025-03-01", 32),
            ("2025-03-31", 64),
            ("2025-04-01", 128),
        ):
            self.create_sale(self.customer_a, price=price, day=day)

    def with_window(self, window):
        driver = self.env.ref("customer_cost.driver_net_revenue").copy(
            {"code": f"T-{window}", "window": window}
        )
        return self.quantities(driver)[self.customer_a]

    def test_windows(self):
        self.sell_over_time()
        self.company.write({"fiscalyear_last_day": 30, "fiscalyear_last_month": "6"})
        self.assertEqual(self.with_window("period"), 32 + 64)
        self.assertEqual(self.with_window("year"), 8 + 16 + 32 + 64)
        self.assertEqual(self.with_window("rolling"), 2 + 4 + 8 + 16 + 32 + 64)

    def test_calendar_year_to_date(self):
        self.sell_over_time()
        self.assertEqual(self.with_window("year"), 16 + 32 + 64)

    def test_windows_of_measured_drivers(self):
        self.sell_over_time()
        driver = self.env.ref("customer_cost.driver_gross_margin").copy(
            {"code": "T-GM", "window": "rolling"}
        )
        self.assertEqual(
            self.quantities(driver), {self.customer_a: 2 + 4 + 8 + 16 + 32 + 64 - 6 * 40}
        )

    def create_entered_driver(self):
        return self.env["customer.cost.driver"].create(
            {
                "name": "Invoices entered",
                "code": "T-MADE",
                "kind": "document",
                "model_id": self.env["ir.model"]._get_id("account.move"),
                "domain": "[('move_type', '=', 'out_invoice')]",
                "customer_path": "commercial_partner_id",
                "date_field": "create_date",
                "measure": "count",
            }
        )

    def enter_at(self, times):
        for customer, moment in times.items():
            invoice = self.create_sale(customer, post=False)
            self.env.flush_all()
            self.env.cr.execute(
                "UPDATE account_move SET create_date = %s WHERE id = %s", (moment, invoice.id)
            )
        self.env.invalidate_all()

    def test_date_and_time_of_the_last_day_belong_to_the_period(self):
        self.company.partner_id.tz = False
        self.enter_at(
            {
                self.customer_a: "2025-03-31 23:59:59",
                self.customer_b: "2025-04-01 00:00:00",
                self.customer_c: "2025-03-01 00:00:00",
            }
        )
        quantities = self.quantities(self.create_entered_driver())
        self.assertEqual(quantities.keys(), {self.customer_a, self.customer_c})

    def test_days_begin_where_the_company_is(self):
        self.company.partner_id.tz = "Asia/Shanghai"
        self.enter_at(
            {
                self.customer_a: "2025-03-31 15:59:59",
                self.customer_b: "2025-03-31 16:00:00",
                self.customer_c: "2025-02-28 16:00:00",
            }
        )
        quantities = self.quantities(self.create_entered_driver())
        self.assertEqual(quantities.keys(), {self.customer_a, self.customer_c})

    def test_month_with_the_change_to_summer_time_keeps_its_midnights(self):
        self.company.partner_id.tz = "Europe/Brussels"
        self.enter_at(
            {
                self.customer_a: "2025-03-31 21:59:59",
                self.customer_b: "2025-03-31 22:00:00",
                self.customer_c: "2025-02-28 23:00:00",
            }
        )
        quantities = self.quantities(self.create_entered_driver())
        self.assertEqual(quantities.keys(), {self.customer_a, self.customer_c})

    def test_companies_do_not_mix(self):
        other = self.setup_other_company()["company"]
        self.create_sale(self.customer_a, price=100, invoice_date_due="2025-03-10")
        self.env["account.move"].with_company(other).create(
            {
                "move_type": "out_invoice",
                "company_id": other.id,
                "partner_id": self.customer_a.id,
                "invoice_date": "2025-03-10",
                "invoice_date_due": "2025-03-10",
                "invoice_line_ids": [
                    Command.create(
                        {"name": "x", "price_unit": 7, "quantity": 5, "tax_ids": [Command.clear()]}
                    )
                ],
            }
        ).action_post()
        expected = {
            "net_revenue": (100, 35),
            "gross_margin": (60, 35),
            "invoice_count": (1, 1),
            "invoice_line_count": (1, 1),
            "quantity_sold": (1, 5),
            "active_customers": (1, 1),
            "overdue_days": (21, 21),
        }
        for driver, (own, others) in expected.items():
            with self.subTest(driver=driver):
                self.assertEqual(self.quantities(driver), {self.customer_a: own})
                self.assertEqual(self.quantities(driver, company=other), {self.customer_a: others})

    # ------------------------------------------------------------
    # Entered and imported values
    # ------------------------------------------------------------

    def test_entered_values_of_the_window_add_up(self):
        driver = self.create_driver({self.customer_a: 2.5, self.customer_b: -1}, "2025-03-01")
        driver.value_ids.create(
            [
                {
                    "driver_id": driver.id,
                    "customer_id": self.customer_a.id,
                    "quantity": quantity,
                    "date": day,
                    "company_id": self.company.id,
                }
                for quantity, day in ((3, "2025-01-31"), (10, "2025-02-28"), (20, "2025-04-01"))
            ]
        )
        self.assertEqual(self.quantities(driver), {self.customer_a: 2.5, self.customer_b: -1})
        driver.window = "year"
        self.assertEqual(self.quantities(driver), {self.customer_a: 15.5, self.customer_b: -1})

    def test_value_of_a_contact_belongs_to_its_company(self):
        contact = self.env["res.partner"].create({"name": "Ann", "parent_id": self.customer_a.id})
        driver = self.create_driver({contact: 4})
        self.assertEqual(driver.value_ids.customer_id, self.customer_a)
        driver.value_ids.customer_id = contact
        self.assertEqual(self.quantities(driver), {self.customer_a: 4})

    def test_values_of_another_company_do_not_count(self):
        other = self.env["res.company"].create({"name": "Other company"})
        driver = self.create_driver({self.customer_a: 4})
        driver.value_ids.create(
            {
                "driver_id": driver.id,
                "customer_id": self.customer_a.id,
                "quantity": 100,
                "date": "2025-03-31",
                "company_id": other.id,
            }
        )
        self.assertEqual(self.quantities(driver), {self.customer_a: 4})

    def test_measured_driver_takes_no_values(self):
        driver = self.env.ref("customer_cost.driver_invoice_count")
        result = self.load_values([[driver.name, "Cost Customer A", "2025-03-31", "3"]])
        self.assertFalse(result["ids"])
        self.assertIn("measures itself", result["messages"][0]["message"])

    def load_values(self, rows):
        return (
            self.env["customer.cost.driver.value"]
            .with_user(self.users["accountant"])
            .load(["driver_id", "customer_id", "date", "quantity"], rows)
        )

    def test_values_are_imported(self):
        driver = self.create_driver(name="Kilos shipped")
        result = self.load_values(
            [
                ["Kilos shipped", "Cost Customer A", "2025-03-31", "12.5"],
                ["Kilos shipped", "Cost Customer B", "2025-03-15", "7"],
            ]
        )
        self.assertFalse(result["messages"])
        self.assertEqual(self.quantities(driver), {self.customer_a: 12.5, self.customer_b: 7})

    def test_import_names_what_is_wrong_and_saves_nothing(self):
        driver = self.create_driver(name="Kilos shipped")
        good = ["Kilos shipped", "Cost Customer A", "2025-03-31", "12.5"]
        for row, message in (
            (["Kilos shipped", "Nobody Ltd", "2025-03-31", "1"], "Nobody Ltd"),
            (["Kilos unknown", "Cost Customer A", "2025-03-31", "1"], "Kilos unknown"),
            (["Kilos shipped", "Cost Customer A", "31.13.2025", "1"], "31.13.2025"),
            (["Kilos shipped", "Cost Customer A", "2025-03-31", "many"], "many"),
            (["Kilos shipped", "", "2025-03-31", "1"], "Customer"),
        ):
            with self.subTest(row=row):
                with mute_logger("odoo.sql_db"):
                    result = self.load_values([good, row])
                self.assertFalse(result["ids"])
                self.assertIn(message, result["messages"][0]["message"])
                self.assertEqual(result["messages"][0]["rows"], {"from": 1, "to": 1})
                self.assertFalse(driver.value_ids)
