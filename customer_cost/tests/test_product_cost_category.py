from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import Form, new_test_user, tagged

from .test_product_cost import ProductCostCommon

CATEGORY = "product.category"


@tagged("post_install", "-at_install")
class TestProductCostCategory(ProductCostCommon):
    """A product category says whether its products have a product cost at all."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.parent = cls.env[CATEGORY].create({"name": "Services"})
        cls.child = cls.env[CATEGORY].create({"name": "Consulting", "parent_id": cls.parent.id})
        cls.grandchild = cls.env[CATEGORY].create({"name": "Audit", "parent_id": cls.child.id})
        cls.product.categ_id = cls.grandchild

    def test_hours_and_none_cost_nothing_and_are_known(self):
        for source in ("hours", "none"):
            self.grandchild.customer_cost_source = source
            invoice = self.create_sale(self.customer_a, quantity=3)
            self.assertFrozen(invoice, 0.0, 0.0, source)
            self.assertEqual(self.read_sql(invoice.invoice_line_ids), [(0, 0, source)])
            self.assertEqual(invoice.customer_cost_unknown_count, 0)
            self.assertEqual(invoice.customer_cost_margin, 300.0)

    def test_the_nearest_category_decides(self):
        self.parent.customer_cost_source = "none"
        self.assertFrozen(self.create_sale(self.customer_a), 0.0, 0.0, "none")
        self.child.customer_cost_source = "hours"
        self.assertFrozen(self.create_sale(self.customer_a), 0.0, 0.0, "hours")
        self.grandchild.customer_cost_source = "product"
        self.assertFrozen(self.create_sale(self.customer_a), 40.0, 40.0, "product")

    def test_without_a_decision_it_is_the_products_cost(self):
        self.assertFrozen(self.create_sale(self.customer_a), 40.0, 40.0, "product")
        self.product.standard_price = 0.0
        self.assertFrozen(self.create_sale(self.customer_a), 0.0, 0.0, "unknown")

    def test_a_typed_cost_comes_first(self):
        self.parent.customer_cost_source = "none"
        invoice = self.create_sale(self.customer_a, post=False)
        invoice.invoice_line_ids.customer_cost_unit = 9.0
        invoice.action_post()
        self.assertFrozen(invoice, 9.0, 9.0, "manual")

    def test_credit_note_takes_back_what_the_invoice_was_charged(self):
        invoice = self.create_sale(self.customer_a, quantity=2)
        self.parent.customer_cost_source = "none"
        free = self.create_sale(self.customer_a)
        credit_note = self.reverse(invoice)
        credit_note.action_post()
        self.assertFrozen(credit_note, 40.0, -80.0, "reversed")
        self.parent.customer_cost_source = False
        credit_note = self.reverse(free)
        credit_note.action_post()
        self.assertFrozen(credit_note, 0.0, 0.0, "reversed")

    def test_down_payment_has_no_product_cost(self):
        """``is_downpayment`` is the mark of the sale add-on; without it the line has none."""
        is_installed = "is_downpayment" in self.env["account.move.line"]
        mark = {"is_downpayment": True} if is_installed else {}
        invoice = self.create_sale(
            self.customer_a,
            post=False,
            invoice_line_ids=[
                Command.create(
                    {
                        "name": "Down payment",
                        "price_unit": 10.0,
                        "tax_ids": [Command.clear()],
                        **mark,
                    }
                )
            ],
        )
        invoice.action_post()
        expected = (0, 0, "downpayment") if is_installed else (None, None, "unknown")
        self.assertEqual(self.read_sql(invoice.invoice_line_ids), [expected])

    def test_only_a_cost_accountant_decides(self):
        roles = {
            "accountant": "customer_cost.group_customer_cost_accountant",
            "user": "customer_cost.group_customer_cost_user",
            "auditor": "customer_cost.group_customer_cost_auditor",
            "keeper": "base.group_user",
        }
        users = {
            name: new_test_user(
                self.env,
                f"category_{name}",
                f"{group},product.group_product_manager",
                company_id=self.company.id,
                company_ids=[Command.set(self.company.ids)],
            )
            for name, group in roles.items()
        }
        for name in ("user", "auditor", "keeper"):
            for method, args, context in (
                ("write", (self.child.ids, {"customer_cost_source": "none"}), {}),
                ("create", ({"name": "New", "customer_cost_source": "none"},), {}),
                ("create", ({"name": "New"},), {"default_customer_cost_source": "none"}),
            ):
                with self.assertRefused("Only a cost accountant decides", AccessError):
                    self.rpc(users[name], CATEGORY, method, *args, context=context)
        self.rpc(
            users["accountant"],
            CATEGORY,
            "write",
            self.child.ids,
            {"customer_cost_source": "none"},
        )
        self.rpc(users["keeper"], CATEGORY, "write", self.child.ids, {"name": "Renamed"})
        self.rpc(users["keeper"], CATEGORY, "create", {"name": "New", "parent_id": self.child.id})
        self.env.invalidate_all()
        self.assertEqual(self.child.customer_cost_source, "none")
        with self.assertRaises(AccessError):
            self.rpc(users["keeper"], CATEGORY, "read", self.child.ids, ["customer_cost_source"])
        with Form(self.env[CATEGORY].with_user(users["keeper"])) as form:
            form.name = "By the keeper"
        with Form(self.child.with_user(users["accountant"])) as form:
            form.customer_cost_source = "hours"
        self.assertEqual(self.child.customer_cost_source, "hours")
