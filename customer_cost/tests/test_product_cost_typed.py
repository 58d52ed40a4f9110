from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import Form, new_test_user, tagged

from .test_product_cost import ProductCostCommon

LINE = "account.move.line"


@tagged("post_install", "-at_install")
class TestProductCostTyped(ProductCostCommon):
    """A cost accountant types the unit cost of a draft; it survives posting and is logged."""

    def setUp(self):
        super().setUp()
        self.invoice = self.create_sale(self.customer_a, quantity=3, post=False)
        self.line = self.invoice.invoice_line_ids
        self.accountant = self.users["accountant"]

    def type_cost(self, user=None, lines=None, **vals):
        self.rpc(user or self.accountant, LINE, "write", (lines or self.line).ids, vals)
        self.env.invalidate_all()

    def test_typed_cost_survives_posting(self):
        self.type_cost(customer_cost_unit=12.3456)
        self.assertEqual(self.line.customer_cost_source, "manual")
        self.assertFalse(self.line.customer_cost_amount)
        self.invoice.action_post()
        self.assertFrozen(self.invoice, 12.3456, 37.04, "manual")

    def test_typed_cost_stays_on_reset_to_draft_and_its_amount_goes(self):
        self.type_cost(customer_cost_unit=12.5)
        self.invoice.action_post()
        self.invoice.button_draft()
        rows = self.read_sql(self.line)
        self.assertEqual(rows, [(12.5, None, "manual")])
        self.line.quantity = 2
        self.invoice.action_post()
        self.assertFrozen(self.invoice, 12.5, 25.0, "manual")

    def test_typed_zero_is_known(self):
        self.type_cost(customer_cost_typed=True)
        self.invoice.action_post()
        self.assertEqual(self.read_sql(self.line), [(0, 0, "manual")])
        self.assertEqual(self.invoice.customer_cost_unknown_count, 0)
        self.assertEqual(self.invoice.customer_cost_margin, 300.0)

    def test_a_typed_cost_changed_to_zero_stays_typed(self):
        self.type_cost(customer_cost_unit=12.5)
        self.type_cost(customer_cost_unit=0.0)
        self.invoice.action_post()
        self.assertEqual(self.read_sql(self.line), [(0, 0, "manual")])

    def test_unticked_the_cost_comes_from_the_product_again(self):
        self.type_cost(customer_cost_unit=12.5)
        self.type_cost(customer_cost_typed=False)
        self.assertEqual(self.read_sql(self.line), [(None, None, None)])
        self.invoice.action_post()
        self.assertFrozen(self.invoice, 40.0, 120.0, "product")

    def test_zero_that_the_client_sends_is_not_typed(self):
        move_id = self.rpc(
            self.accountant,
            "account.move",
            "create",
            {
                "move_type": "out_invoice",
                "partner_id": self.customer_a.id,
                "invoice_line_ids": [
                    Command.create(
                        {
                            "product_id": self.product.id,
                            "customer_cost_unit": 0.0,
                            "customer_cost_typed": False,
                        }
                    )
                ],
            },
        )
        invoice = self.env["account.move"].browse(move_id)
        invoice.action_post()
        self.assertFrozen(invoice, 40.0, 40.0, "product")

    def test_form_of_an_accountant(self):
        with Form(self.invoice.with_user(self.accountant)) as form:
            with form.invoice_line_ids.edit(0) as line:
                line.customer_cost_unit = 7.0
                self.assertTrue(line.customer_cost_typed)
        self.assertEqual(self.line.customer_cost_source, "manual")
        with Form(self.invoice.with_user(self.accountant)) as form:
            with form.invoice_line_ids.edit(0) as line:
                line.customer_cost_typed = False
        self.assertEqual(self.read_sql(self.line), [(None, None, None)])

    def test_line_without_product_gets_its_cost_typed(self):
        invoice = self.create_sale(
            self.customer_a,
            post=False,
            invoice_line_ids=[
                Command.create({"name": "Fee", "price_unit": 10.0, "tax_ids": [Command.clear()]})
            ],
        )
        self.type_cost(lines=invoice.invoice_line_ids, customer_cost_unit=4.0)
        invoice.action_post()
        self.assertFrozen(invoice, 4.0, 4.0, "manual")
        credit_note = self.reverse(invoice)
        credit_note.action_post()
        self.assertFrozen(credit_note, 4.0, -4.0, "reversed")

    def test_every_change_is_logged_for_those_who_may_see_it(self):
        self.type_cost(customer_cost_unit=12.5)
        self.type_cost(customer_cost_unit=13.0)
        values = self.invoice.message_ids.sudo().tracking_value_ids.filtered(
            lambda value: value.field_id.name == "customer_cost_unit"
        )
        self.assertEqual(
            sorted(values.mapped(lambda value: (value.old_value_float, value.new_value_float))),
            [(0.0, 12.5), (12.5, 13.0)],
        )
        self.assertEqual(values.mail_message_id.mapped("author_id"), self.accountant.partner_id)
        self.assertFalse(values._filter_has_field_access(self.env(user=self.users["internal"])))
        self.assertEqual(values._filter_has_field_access(self.env(user=self.accountant)), values)
        bodies = " ".join(str(message.body) for message in values.mail_message_id)
        self.assertNotIn("12.5", bodies)

    def test_logged_whatever_the_context_says(self):
        self.rpc(
            self.accountant,
            LINE,
            "write",
            self.line.ids,
            {"customer_cost_unit": 12.5},
            context={"tracking_disable": True, "mail_notrack": True},
        )
        self.env.invalidate_all()
        values = self.invoice.message_ids.sudo().tracking_value_ids
        self.assertIn("customer_cost_unit", values.field_id.mapped("name"))

    def test_nobody_else_types_a_cost(self):
        biller = new_test_user(
            self.env,
            "cost_biller",
            "account.group_account_invoice,customer_cost.group_customer_cost_user",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        before = self.read_sql(self.line)
        values = {"move_id": self.invoice.id, "product_id": self.product.id}
        for vals in ({"customer_cost_unit": 5.0}, {"customer_cost_typed": True}):
            with self.assertRefused("Only a cost accountant types", AccessError):
                self.rpc(biller, LINE, "write", self.line.ids, vals)
            with self.assertRefused("Only a cost accountant types", AccessError):
                self.rpc(biller, LINE, "create", {**values, **vals})
            with self.assertRefused("Only a cost accountant types", AccessError):
                self.rpc(
                    biller,
                    "account.move",
                    "write",
                    self.invoice.ids,
                    {"invoice_line_ids": [Command.update(self.line.id, vals)]},
                )
        for name in ("customer_cost_unit", "customer_cost_typed", "customer_cost_source"):
            with self.assertRefused("frozen when it is posted", AccessError):
                self.rpc(biller, LINE, "create", values, context={f"default_{name}": 5.0})
        self.env.invalidate_all()
        self.assertEqual(self.read_sql(self.line), before)
        self.assertEqual(len(self.invoice.invoice_line_ids), 1)

    def test_import_by_others_is_refused(self):
        result = self.rpc(
            new_test_user(
                self.env,
                "cost_importer",
                "account.group_account_invoice,base.group_allow_export",
                company_id=self.company.id,
                company_ids=[Command.set(self.company.ids)],
            ),
            LINE,
            "load",
            [".id", "customer_cost_unit"],
            [[str(self.line.id), "5.0"]],
        )
        self.assertFalse(result["ids"])
        self.env.invalidate_all()
        self.assertEqual(self.read_sql(self.line), [(None, None, None)])

    def test_copy_carries_no_typed_cost(self):
        self.type_cost(customer_cost_unit=12.5)
        self.assertEqual(self.read_sql(self.invoice.copy().invoice_line_ids), [(None, None, None)])

    def test_only_on_drafts_of_customer_invoices(self):
        posted = self.create_sale(self.customer_a)
        bill = self.create_bill([(self.expense_account, 10.0, {})], post=False)
        entry = self.create_entry_move([(self.expense_account, 10.0, {})], post=False)
        receivable = self.invoice.line_ids - self.line
        lines = (
            posted.invoice_line_ids,
            bill.invoice_line_ids,
            entry.line_ids[0],
            receivable,
            self.line | posted.invoice_line_ids,
        )
        for refused in lines:
            for vals in ({"customer_cost_unit": 5.0}, {"customer_cost_typed": True}):
                with self.assertRefused("frozen when it is posted", AccessError):
                    self.rpc(self.accountant, LINE, "write", refused.ids, vals)
        with self.assertRefused("frozen when it is posted", AccessError):
            self.rpc(
                self.accountant,
                LINE,
                "create",
                {
                    "move_id": bill.id,
                    "account_id": self.expense_account.id,
                    "customer_cost_unit": 5.0,
                },
            )
        self.assertFrozen(posted, 40.0, 40.0, "product")


@tagged("post_install", "-at_install")
class TestProductCostAllowance(ProductCostCommon):
    """A price allowance lowers the price: the goods, and their cost, stay with the customer."""

    def test_allowance_reverses_no_cost(self):
        invoice = self.create_sale(self.customer_a, quantity=3)
        credit_note = self.reverse(invoice)
        credit_note.invoice_line_ids.price_unit = 5.0
        credit_note.invoice_line_ids.customer_cost_allowance = True
        credit_note.action_post()
        self.assertFrozen(credit_note, 0.0, 0.0, "allowance")
        self.assertEqual(credit_note.customer_cost_unknown_count, 0)
        self.assertEqual(credit_note.customer_cost_margin, -15.0)

    def test_credit_note_without_link(self):
        credit_note = self.create_sale(self.customer_a, move_type="out_refund", post=False)
        credit_note.invoice_line_ids.customer_cost_allowance = True
        credit_note.action_post()
        self.assertFrozen(credit_note, 0.0, 0.0, "allowance")

    def test_by_default_goods_come_back(self):
        credit_note = self.reverse(self.create_sale(self.customer_a))
        self.assertFalse(credit_note.invoice_line_ids.customer_cost_allowance)
        credit_note.action_post()
        self.assertFrozen(credit_note, 40.0, -40.0, "reversed")

    def test_means_nothing_on_an_invoice(self):
        invoice = self.create_sale(self.customer_a, post=False)
        invoice.invoice_line_ids.customer_cost_allowance = True
        invoice.action_post()
        self.assertFrozen(invoice, 40.0, 40.0, "product")

    def test_a_typed_cost_comes_first(self):
        credit_note = self.create_sale(self.customer_a, move_type="out_refund", post=False)
        credit_note.invoice_line_ids.write(
            {"customer_cost_allowance": True, "customer_cost_unit": 3.0}
        )
        credit_note.action_post()
        self.assertFrozen(credit_note, 3.0, -3.0, "manual")

    def test_is_settled_when_posted(self):
        credit_note = self.create_sale(self.customer_a, move_type="out_refund")
        line = credit_note.invoice_line_ids
        with self.assertRefused(f"{credit_note.name}.*is posted.*Reset it to draft", UserError):
            self.rpc(
                self.users["accountant"],
                LINE,
                "write",
                line.ids,
                {"customer_cost_allowance": True},
            )
        self.assertFalse(line.customer_cost_allowance)
        credit_note.button_draft()
        line.customer_cost_allowance = True
        credit_note.action_post()
        self.assertFrozen(credit_note, 0.0, 0.0, "allowance")
