from odoo.fields import Command
from odoo.tests import new_test_user, tagged

from .test_product_cost import ProductCostCommon


class StockCostCommon(ProductCostCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if cls.env.ref("base.module_stock_account").state != "installed":
            raise AssertionError("Install stock_account: its entries are what is tested here.")

    @classmethod
    def create_category(cls, valuation, method):
        return cls.env["product.category"].create(
            {
                "name": f"{valuation} {method}",
                "property_valuation": valuation,
                "property_cost_method": method,
                "property_stock_valuation_account_id": cls.company_data[
                    "default_account_assets"
                ].id,
                "property_account_expense_categ_id": cls.expense_account.id,
            }
        )

    @classmethod
    def create_goods(cls, valuation="real_time", method="standard", **vals):
        return cls.env["product.product"].create(
            {
                "name": "Goods",
                "type": "consu",
                "is_storable": True,
                # Shared products carry the default taxes of every company of the database.
                "company_id": cls.company.id,
                "categ_id": cls.create_category(valuation, method).id,
                "standard_price": 40.0,
                "taxes_id": [Command.clear()],
                **vals,
            }
        )

    @classmethod
    def receive(cls, product, quantity, cost):
        """Receive goods from a vendor at this unit cost."""
        warehouse = cls.env["stock.warehouse"].search([("company_id", "=", cls.company.id)])[:1]
        move = cls.env["stock.move"].create(
            {
                "product_id": product.id,
                "location_id": cls.env.ref("stock.stock_location_suppliers").id,
                "location_dest_id": warehouse.lot_stock_id.id,
                "product_uom": product.uom_id.id,
                "product_uom_qty": quantity,
                "picking_type_id": warehouse.in_type_id.id,
                "value_manual": cost * quantity,
                "price_unit": cost,
            }
        )
        move._action_confirm()
        move._action_assign()
        move.quantity = quantity
        move.picked = True
        move._action_done()
        return move

    def booked(self, move):
        """Cost of sales in the books of an entry."""
        items = move.line_ids.filtered(
            lambda line: (
                line.display_type == "cogs"
                and line.account_id.internal_group in ("expense", "income")
            )
        )
        return round(sum(items.mapped("balance")), 3)

    def create_lines(self, *lines, post=True, **vals):
        """Invoice of ``(product, quantity, unit of measure)`` lines."""
        return self.create_sale(
            self.customer_a,
            post=post,
            invoice_line_ids=[
                Command.create(
                    {
                        "product_id": product.id,
                        "quantity": quantity,
                        "product_uom_id": (uom or product.uom_id).id,
                        "price_unit": 100.0,
                        "tax_ids": [Command.clear()],
                    }
                )
                for product, quantity, uom in lines
            ],
            **vals,
        )

    def costs(self, move):
        return move.invoice_line_ids.mapped("customer_cost_amount")


@tagged("post_install", "-at_install")
class TestProductCostInTheBooks(StockCostCommon):
    """Where the company books cost of sales, the invoice line costs what was booked."""

    def test_cost_of_sales_items_are_the_cost(self):
        goods = self.create_goods(standard_price=13.337)
        invoice = self.create_sale(self.customer_a, quantity=3, product=goods)
        line = invoice.invoice_line_ids
        self.assertEqual(line.customer_cost_source, "cogs")
        self.assertEqual(line.customer_cost_amount, 40.01)
        self.assertEqual(line.customer_cost_amount, self.booked(invoice))
        self.assertAlmostEqual(line.customer_cost_unit * 3, 40.01, 6)
        self.assertFalse(self.ledger(invoice))

    def test_every_line_takes_the_items_that_name_it(self):
        goods, other = self.create_goods(), self.create_goods(standard_price=7.0)
        dozen = self.env.ref("uom.product_uom_dozen")
        invoice = self.create_lines(
            (goods, 2, None), (goods, 5, None), (goods, 1, dozen), (other, 4, None)
        )
        self.assertEqual(self.costs(invoice), [80.0, 200.0, 480.0, 28.0])
        self.assertEqual(invoice.customer_cost_total, self.booked(invoice))

    def test_foreign_currency(self):
        currency = self.setup_other_currency("EUR", rates=[("2025-01-01", 0.5)])
        invoice = self.create_sale(
            self.customer_a, quantity=3, product=self.create_goods(), currency_id=currency.id
        )
        self.assertFrozen(invoice, 40.0, 120.0, "cogs")
        self.assertEqual(self.booked(invoice), 120.0)

    def test_typed_cost_and_category_come_before_the_books(self):
        goods = self.create_goods()
        invoice = self.create_sale(self.customer_a, product=goods, post=False)
        invoice.invoice_line_ids.customer_cost_unit = 12.0
        invoice.action_post()
        self.assertFrozen(invoice, 12.0, 12.0, "manual")
        goods.categ_id.customer_cost_source = "none"
        invoice = self.create_sale(self.customer_a, product=goods)
        self.assertFrozen(invoice, 0.0, 0.0, "none")
        self.assertEqual(self.booked(invoice), 40.0)

    def test_linked_credit_note_follows_the_books(self):
        goods = self.create_goods()
        invoice = self.create_sale(self.customer_a, quantity=3, product=goods)
        goods.standard_price = 55.0
        credit_note = self.reverse(invoice)
        credit_note.action_post()
        self.assertFrozen(credit_note, 40.0, -120.0, "cogs")
        self.assertEqual(self.booked(credit_note), -120.0)

    def test_linked_credit_note_of_a_typed_cost_takes_back_what_was_typed(self):
        invoice = self.create_sale(
            self.customer_a, quantity=3, product=self.create_goods(), post=False
        )
        invoice.invoice_line_ids.customer_cost_unit = 12.0
        invoice.action_post()
        credit_note = self.reverse(invoice)
        credit_note.action_post()
        self.assertFrozen(credit_note, 12.0, -36.0, "reversed")

    def test_price_allowance_leaves_the_goods_with_the_customer(self):
        invoice = self.create_sale(self.customer_a, quantity=3, product=self.create_goods())
        credit_note = self.reverse(invoice)
        credit_note.invoice_line_ids.customer_cost_allowance = True
        credit_note.action_post()
        self.assertFrozen(credit_note, 0.0, 0.0, "allowance")

    def test_reverse_and_create_invoice(self):
        """The copied cost-of-sales items name no line; each line still finds its own."""
        goods, other = self.create_goods(), self.create_goods(standard_price=7.0)
        invoice = self.create_lines((goods, 2, None), (goods, 5, None), (other, 3, None))
        goods.standard_price = 55.0
        draft = self.reverse(invoice, modify=True)
        credit_note = self.env["account.move"].search([("reversed_entry_id", "=", invoice.id)])
        items = credit_note.line_ids.filtered(lambda line: line.display_type == "cogs")
        self.assertTrue(items)
        self.assertFalse(items.cogs_origin_id)
        self.assertEqual(self.costs(credit_note), [-80.0, -200.0, -21.0])
        self.assertEqual(credit_note.customer_cost_total, self.booked(credit_note))
        draft.action_post()
        self.assertEqual(draft.customer_cost_total, self.booked(draft))
        self.assertEqual(self.costs(draft), [110.0, 275.0, 21.0])

    def test_items_that_name_no_line_are_shared_by_quantity_to_the_cent(self):
        goods = self.create_goods(standard_price=33.333)
        invoice = self.create_lines((goods, 1, None), (goods, 1, None), (goods, 1, None))
        self.env.flush_all()
        self.env.cr.execute(
            """UPDATE account_move_line SET cogs_origin_id = NULL, customer_cost_unit = NULL,
                      customer_cost_amount = NULL, customer_cost_source = NULL
                WHERE move_id = %s""",
            (invoice.id,),
        )
        # One item of 100.00 for three lines, as an import would bring it.
        items = invoice.line_ids.filtered(
            lambda line: line.display_type == "cogs" and line.account_id == self.expense_account
        )
        self.env.cr.execute(
            """UPDATE account_move_line SET balance = CASE id WHEN %s THEN 100.00 ELSE 0 END
                WHERE id = ANY(%s)""",
            (items[0].id, items.ids),
        )
        self.env.invalidate_all()
        filled = self.env["account.move.line"]._estimate_product_cost(
            self.company, "2025-03-01", "2025-03-31"
        )
        self.assertEqual(filled, 3)
        self.assertEqual(set(invoice.invoice_line_ids.mapped("customer_cost_source")), {"cogs"})
        self.assertEqual(sorted(self.costs(invoice)), [33.33, 33.33, 33.34])

    def test_back_to_draft_and_posted_again(self):
        goods = self.create_goods()
        invoice = self.create_sale(self.customer_a, quantity=3, product=goods)
        goods.standard_price = 55.0
        self.env.invalidate_all()
        self.assertFrozen(invoice, 40.0, 120.0, "cogs")
        invoice.button_draft()
        self.assertEqual(self.read_sql(invoice.invoice_line_ids), [(None, None, None)])
        invoice.action_post()
        self.assertFrozen(invoice, 55.0, 165.0, "cogs")

    def test_goods_without_cost(self):
        goods = self.create_goods(standard_price=0.0)
        invoice = self.create_sale(self.customer_a, product=goods)
        self.assertEqual(self.read_sql(invoice.invoice_line_ids), [(None, None, "unknown")])


@tagged("post_install", "-at_install")
class TestProductCostPeriodic(StockCostCommon):
    """Without cost of sales in the books, stock valuation or the product says the cost."""

    def test_standard_and_average_are_the_products_cost(self):
        for method in ("standard", "average"):
            goods = self.create_goods("periodic", method)
            invoice = self.create_sale(self.customer_a, quantity=2, product=goods)
            self.assertEqual(self.booked(invoice), 0.0)
            self.assertFrozen(invoice, 40.0, 80.0, "product")

    def test_average_follows_receipts_and_the_line_does_not(self):
        goods = self.create_goods("periodic", "average")
        self.receive(goods, 10, 10.0)
        self.receive(goods, 10, 20.0)
        invoice = self.create_sale(self.customer_a, quantity=2, product=goods)
        self.assertFrozen(invoice, 15.0, 30.0, "product")
        self.receive(goods, 20, 45.0)
        self.assertEqual(goods.standard_price, 30.0)
        self.env.invalidate_all()
        self.assertFrozen(invoice, 15.0, 30.0, "product")

    def test_first_in_first_out_is_valued_by_stock(self):
        goods = self.create_goods("periodic", "fifo")
        self.receive(goods, 10, 10.0)
        self.receive(goods, 10, 20.0)
        self.assertEqual(goods.standard_price, 15.0)
        invoice = self.create_sale(self.customer_a, quantity=4, product=goods)
        self.assertFrozen(invoice, 10.0, 40.0, "valuation")
        credit_note = self.reverse(invoice)
        credit_note.action_post()
        self.assertFrozen(credit_note, 10.0, -40.0, "reversed")

    def test_first_in_first_out_without_stock_is_the_products_cost(self):
        goods = self.create_goods("periodic", "fifo")
        invoice = self.create_sale(self.customer_a, quantity=4, product=goods)
        self.assertEqual(invoice.invoice_line_ids.customer_cost_amount, 160.0)

    def test_who_posts_need_not_see_stock(self):
        goods = self.create_goods("periodic", "fifo")
        self.receive(goods, 10, 10.0)
        invoice = self.create_sale(self.customer_a, quantity=4, product=goods, post=False)
        biller = new_test_user(
            self.env,
            "stock_biller",
            "account.group_account_invoice",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        self.rpc(biller, "account.move", "action_post", invoice.ids)
        self.env.invalidate_all()
        self.assertFrozen(invoice, 10.0, 40.0, "valuation")


class StockChartCommon(StockCostCommon):
    """Cost of sales on the accounts that a national chart gives the company."""

    def check_cost_of_sales(self):
        category = self.env["product.category"].create(
            {"name": "Valued", "property_valuation": "real_time"}
        )
        if not category.property_stock_valuation_account_id:
            category.property_stock_valuation_account_id = self.company_data[
                "default_account_assets"
            ]
        goods = self.create_goods(categ_id=category.id, standard_price=12.34)
        invoice = self.create_sale(self.customer_a, quantity=3, product=goods)
        self.assertEqual(self.booked(invoice), 37.02)
        self.assertEqual(invoice.invoice_line_ids.customer_cost_source, "cogs")
        self.assertEqual(invoice.customer_cost_total, 37.02)
        credit_note = self.reverse(invoice)
        credit_note.action_post()
        self.assertEqual(credit_note.customer_cost_total, -37.02)
        self.assertFalse(self.ledger(invoice | credit_note))


@tagged("post_install", "-at_install")
class TestProductCostGenericChart(StockChartCommon):
    def test_cost_of_sales(self):
        self.check_cost_of_sales()


@tagged("post_install", "-at_install")
class TestProductCostChineseChart(StockChartCommon):
    @classmethod
    @StockChartCommon.setup_chart_template("cn")
    def setUpClass(cls):
        super().setUpClass()

    def test_cost_of_sales(self):
        self.assertEqual(self.company.chart_template, "cn")
        self.check_cost_of_sales()


@tagged("post_install", "-at_install")
class TestProductCostGermanChart(StockChartCommon):
    @classmethod
    @StockChartCommon.setup_chart_template("de_skr03")
    def setUpClass(cls):
        super().setUpClass()

    def test_cost_of_sales(self):
        self.assertEqual(self.company.chart_template, "de_skr03")
        self.check_cost_of_sales()
