from odoo.exceptions import AccessError
from odoo.fields import Command

from .common import CustomerCostCommon


class TestDriverPreview(CustomerCostCommon):
    """What a driver yields can be looked at before any cost follows it."""

    def preview(self, driver, user="accountant", **vals):
        return (
            self.env["customer.cost.driver.preview"]
            .with_user(self.users[user])
            .create(
                {
                    "driver_id": driver.id,
                    "company_id": self.company.id,
                    "date": "2025-03-15",
                    **vals,
                }
            )
        )

    def test_quantities_totals_and_what_needs_a_look(self):
        driver = self.create_driver(
            {self.customer_a: 30, self.customer_b: 0, self.customer_c: -10, self.vendor: 60}
        )
        preview = self.preview(driver)
        self.assertEqual(preview.total, 80)
        self.assertEqual(preview.customer_count, 4)
        self.assertEqual(preview.zero_count, 1)
        self.assertEqual(preview.negative_count, 1)
        self.assertEqual(preview.window_label, "03/01/2025 – 03/31/2025")
        self.assertEqual(
            [
                (line.customer_id, line.quantity, line.share_pct, line.remark)
                for line in preview.line_ids
            ],
            [
                (self.customer_c, -10, -12.5, "negative"),
                (self.customer_b, 0, 0, "zero"),
                (self.vendor, 60, 75, False),
                (self.customer_a, 30, 37.5, False),
            ],
        )

    def test_another_month_is_another_preview(self):
        driver = self.create_driver({self.customer_a: 30})
        preview = self.preview(driver)
        preview.date = "2025-04-30"
        self.assertEqual(preview.customer_count, 0)
        self.assertEqual(preview.total, 0)
        self.assertFalse(preview.line_ids)

    def test_counts_are_those_of_all_customers_when_not_all_are_shown(self):
        customers = self.env["res.partner"].create(
            [{"name": f"Many {number}", "is_company": True} for number in range(260)]
        )
        quantities = {
            customer: -1 if number < 10 else 0 if number < 30 else number
            for number, customer in enumerate(customers)
        }
        preview = self.preview(self.create_driver(quantities))
        self.assertEqual(preview.customer_count, 260)
        self.assertEqual(preview.negative_count, 10)
        self.assertEqual(preview.zero_count, 20)
        self.assertEqual(preview.total, sum(range(30, 260)) - 10)
        self.assertEqual(preview.shown_count, 200)
        self.assertEqual(len(preview.line_ids), 200)
        self.assertEqual(preview.line_ids[:10].mapped("remark"), ["negative"] * 10)
        self.assertEqual(preview.line_ids[30].customer_id, customers[-1])

    def test_button_opens_the_preview_of_the_driver(self):
        driver = self.create_driver({self.customer_a: 30})
        action = driver.with_user(self.users["accountant"]).action_preview()
        self.assertEqual(action["res_model"], "customer.cost.driver.preview")
        preview = (
            self.env["customer.cost.driver.preview"]
            .with_user(self.users["accountant"])
            .with_context(**action["context"])
            .create({"date": "2025-03-31"})
        )
        self.assertEqual(preview.driver_id, driver)
        self.assertEqual(preview.line_ids.customer_id, self.customer_a)

    def test_another_company_cannot_be_previewed(self):
        other = self.env["res.company"].create({"name": "Not mine"})
        driver = self.create_driver({self.customer_a: 30})
        with self.assertRaisesText(AccessError, "limited to the companies you work in"):
            self.preview(driver, company_id=other.id).read(["total"])

    def test_every_kind_has_a_preview(self):
        documents = {
            "model_id": self.env["ir.model"]._get_id("account.move"),
            "domain": "[('state', '=', 'posted'), ('move_type', '=', 'out_invoice')]",
            "customer_path": "commercial_partner_id",
            "date_field": "date",
        }
        line = {"name": "Invoice", "kind": "base", "minutes": 3}
        part = {"component_id": self.create_driver({self.customer_a: 1}).id}
        needs = {
            "document": {**documents, "measure": "count"},
            "time": {**documents, "time_ids": [Command.create(line)]},
            "composite": {"component_ids": [Command.create(part)]},
        }
        self.create_sale(self.customer_a, invoice_date_due="2025-03-11")
        self.create_cost(post=True)
        for kind in dict(self.env["customer.cost.driver"]._fields["kind"].selection):
            with self.subTest(kind=kind):
                driver = self.create_driver(kind=kind, **needs.get(kind, {}))
                driver.with_user(self.users["accountant"]).action_preview()
                preview = self.preview(driver)
                counted = self.env["res.partner"] if kind == "value" else self.customer_a
                self.assertEqual(preview.line_ids.customer_id, counted)

    def test_rep_does_not_preview(self):
        driver = self.create_driver({self.customer_a: 30})
        with self.assertRaises(AccessError):
            self.preview(driver, user="rep")
