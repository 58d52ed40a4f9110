from datetime import date

from odoo.fields import Command

from .generated_common import DAY, GeneratedCommon


class TestCaptureTax(GeneratedCommon):
    """Tax that cannot be recovered costs whom its base lines cost."""

    def test_tax_on_its_own_account_follows_its_base_lines(self):
        tax = self.create_tax(self.tax_account)
        bill = self.create_bill(self.taxed(tax, self.customer_a, self.customer_b))
        tax_lines = bill.line_ids.filtered("tax_line_id")
        self.assertEqual((len(tax_lines), tax_lines.balance), (1, 40.0))
        self.assertFalse(tax_lines.cost_customer_id)
        self.assertEqual(
            self.ledger(bill),
            {
                (self.customer_a, self.item, DAY): 110.0,
                (self.customer_b, self.other_item, DAY): 330.0,
            },
        )
        self.assertSynced(bill)
        self.assertEqual(
            self.outcomes(bill),
            {
                (self.expense_account, self.item): 100.0,
                (self.other_account, self.other_item): 300.0,
                (self.tax_account, self.item): 10.0,
                (self.tax_account, self.other_item): 30.0,
            },
        )

    def test_a_mapped_tax_account_does_not_take_the_tax_from_its_base(self):
        self.map_account(self.tax_account, self.admin_item)
        tax = self.create_tax(self.tax_account)
        bill = self.create_bill(self.taxed(tax, self.customer_a, self.customer_b))
        self.assertEqual(
            self.by_customer(bill),
            {(self.customer_a, self.item): 110.0, (self.customer_b, self.other_item): 330.0},
        )

    def test_tax_on_the_account_of_its_base(self):
        tax = self.create_tax()
        bill = self.create_bill(self.taxed(tax, self.customer_a, self.customer_b))
        self.assertEqual(len(bill.line_ids.filtered("tax_line_id")), 2)
        self.assertEqual(
            self.by_customer(bill),
            {(self.customer_a, self.item): 110.0, (self.customer_b, self.other_item): 330.0},
        )

    def test_cents_of_the_tax_add_up(self):
        tax = self.create_tax(self.tax_account)
        lines = [
            (
                self.expense_account,
                0.37,
                {"cost_customer_id": customer.id, "tax_ids": [Command.set(tax.ids)]},
            )
            for customer in (self.customer_a, self.customer_b, self.customer_c)
        ]
        bill = self.create_bill(lines)
        self.assertEqual(bill.line_ids.filtered("tax_line_id").balance, 0.11)
        self.assertEqual(
            self.by_customer(bill),
            {
                (self.customer_a, self.item): 0.41,
                (self.customer_b, self.item): 0.41,
                (self.customer_c, self.item): 0.40,
            },
        )
        self.assertSynced(bill)

    def test_tax_of_a_distribution_follows_its_customers(self):
        plan = self.env["account.analytic.plan"].create({"name": "Customers"})
        self.company.customer_cost_plan_id = plan
        accounts = self.env["account.analytic.account"].create(
            [
                {"name": "Account", "plan_id": plan.id, "partner_id": partner.id}
                for partner in (self.customer_a, self.customer_b)
            ]
        )
        tax = self.create_tax(self.tax_account)
        vals = {
            "tax_ids": [Command.set(tax.ids)],
            "analytic_distribution": {str(accounts[0].id): 25, str(accounts[1].id): 50},
        }
        bill = self.create_bill([(self.expense_account, 100.0, vals)])
        bill.invoice_line_ids.analytic_distribution = {str(accounts[1].id): 50}
        self.assertEqual(
            self.by_customer(bill),
            {(self.customer_b, self.item): 55.0, (self.pool, self.item): 55.0},
        )
        self.assertSynced(bill)

    def test_own_fields_of_a_tax_line_come_first(self):
        tax = self.create_tax(self.tax_account)
        bill = self.create_bill(self.taxed(tax, self.customer_a, self.customer_b))
        tax_line = bill.line_ids.filtered("tax_line_id")
        tax_line.cost_customer_id = self.customer_c
        self.assertEqual(
            self.by_customer(bill),
            {
                (self.customer_a, self.item): 100.0,
                (self.customer_b, self.other_item): 300.0,
                (self.customer_c, self.item): 10.0,
                (self.customer_c, self.other_item): 30.0,
            },
        )
        tax_line.write({"cost_customer_id": False, "cost_item_id": self.admin_item.id})
        self.assertEqual(
            self.by_customer(bill),
            {
                (self.customer_a, self.item): 100.0,
                (self.customer_b, self.other_item): 300.0,
                (self.customer_a, self.admin_item): 10.0,
                (self.customer_b, self.admin_item): 30.0,
            },
        )

    def test_tax_on_goods_is_cost_of_sales(self):
        goods = self.env["product.product"].create({"name": "Goods", "type": "consu"})
        if "is_storable" in goods:
            goods.is_storable = True
        tax = self.create_tax(self.tax_account)
        self.map_account(self.tax_account, self.item)
        (first, second) = self.taxed(tax, self.customer_a, self.customer_b)
        second[2]["product_id"] = goods.id
        bill = self.create_bill([first, second])
        self.assertEqual(self.by_customer(bill), {(self.customer_a, self.item): 110.0})
        self.assertEqual(self.outcomes(bill)[self.tax_account, "cost_of_sales"], 30.0)

    def test_tax_on_an_asset_without_a_map_row_is_no_cost(self):
        tax = self.create_tax(self.tax_account)
        (first, second) = self.taxed(tax, self.customer_a, self.customer_b)
        asset = self.company_data["default_account_assets"]
        bill = self.create_bill([first, (asset, *second[1:])])
        self.assertEqual(self.by_customer(bill), {(self.customer_a, self.item): 110.0})

    def test_tax_on_an_asset_with_a_mapped_tax_account(self):
        self.map_account(self.tax_account, self.admin_item)
        tax = self.create_tax(self.tax_account)
        (first, second) = self.taxed(tax, self.customer_a, self.customer_b)
        asset = self.company_data["default_account_assets"]
        bill = self.create_bill([first, (asset, *second[1:])])
        self.assertEqual(
            self.by_customer(bill),
            {(self.customer_a, self.item): 110.0, (self.customer_b, self.admin_item): 30.0},
        )

    def test_tax_of_a_line_left_out_is_left_out(self):
        tax = self.create_tax(self.tax_account)
        self.map_account(self.unmapped_account, left_out_reason="Private")
        (first, second) = self.taxed(tax, self.customer_a, self.customer_b)
        bill = self.create_bill([first, (self.unmapped_account, *second[1:])])
        self.assertEqual(self.by_customer(bill), {(self.customer_a, self.item): 110.0})
        self.assertEqual(self.outcomes(bill)[self.tax_account, "Private"], 30.0)

    def test_recoverable_tax_is_no_cost(self):
        tax = self.create_tax(self.company_data["default_account_tax_purchase"])
        bill = self.create_bill(self.taxed(tax, self.customer_a, self.customer_b))
        self.assertEqual(
            self.by_customer(bill),
            {(self.customer_a, self.item): 100.0, (self.customer_b, self.other_item): 300.0},
        )

    def test_taxes_of_a_group(self):
        children = self.create_tax(self.tax_account, 4.0) | self.create_tax(self.tax_account, 6.0)
        group = self.env["account.tax"].create(
            {
                "name": "Group",
                "amount_type": "group",
                "type_tax_use": "purchase",
                "children_tax_ids": [Command.set(children.ids)],
            }
        )
        bill = self.create_bill(self.taxed(group, self.customer_a, self.customer_b))
        self.assertEqual(len(bill.line_ids.filtered("tax_line_id")), 2)
        self.assertEqual(
            self.by_customer(bill),
            {(self.customer_a, self.item): 110.0, (self.customer_b, self.other_item): 330.0},
        )

    def test_tax_follows_a_change_on_the_posted_bill(self):
        tax = self.create_tax(self.tax_account)
        bill = self.create_bill(self.taxed(tax, self.customer_a, self.customer_b))
        bill.invoice_line_ids[1].cost_customer_id = self.customer_a
        bill.invoice_line_ids[0].cost_item_id = self.other_item
        self.assertEqual(self.by_customer(bill), {(self.customer_a, self.other_item): 440.0})
        self.assertSynced(bill)

    def test_service_period_of_the_base_is_that_of_the_tax(self):
        tax = self.create_tax(self.tax_account)
        bill = self.create_bill(
            self.taxed(
                tax,
                self.customer_a,
                self.customer_b,
                cost_service_from="2025-01-01",
                cost_service_to="2025-02-28",
            )
        )
        self.assertEqual(
            self.ledger(bill),
            {
                (customer, item, date(2025, month, 1)): amount
                for customer, item, amount in (
                    (self.customer_a, self.item, 55.0),
                    (self.customer_b, self.other_item, 165.0),
                )
                for month in (1, 2)
            },
        )
        self.assertSynced(bill)

    def test_credit_note_mirrors_the_bill(self):
        tax = self.create_tax(self.tax_account)
        bill = self.create_bill(self.taxed(tax, self.customer_a, self.customer_b))
        refund = bill._reverse_moves([{"invoice_date": DAY, "date": DAY}])
        refund.action_post()
        self.assertEqual(
            self.by_customer(refund),
            {(self.customer_a, self.item): -110.0, (self.customer_b, self.other_item): -330.0},
        )
        self.assertEqual(self.ledger(bill | refund), {})

    def test_every_currency_precision(self):
        for code, digits in (("JPY", 0), ("KWD", 3)):
            foreign = (
                self.env["res.currency"]
                .with_context(active_test=False)
                .search([("name", "=", code)])
            )
            foreign.write({"active": True, "rounding": 10**-digits})
            self.env["res.currency.rate"].create(
                {"currency_id": foreign.id, "name": "2025-01-01", "rate": 7.0}
            )
            tax = self.create_tax(self.tax_account)
            bill = self.create_bill(
                self.taxed(tax, self.customer_a, self.customer_b), currency_id=foreign.id
            )
            self.assertSynced(bill)
            entries = self.env["customer.cost.entry"].search([("source_move_id", "=", bill.id)])
            self.assertEqual({entry.currency_id for entry in entries}, {foreign})
            self.assertEqual(round(sum(entries.mapped("amount")), 3), 440.0)
            self.assertEqual(
                set(self.by_customer(bill)),
                {(self.customer_a, self.item), (self.customer_b, self.other_item)},
            )
