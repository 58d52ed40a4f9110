from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.service.model import call_kw
from odoo.tests import tagged

from .common import ROLES, CustomerCostCommon

FROZEN = ("customer_cost_unit", "customer_cost_amount", "customer_cost_source")


class ProductCostCommon(CustomerCostCommon):
    def assertFrozen(self, move, unit, amount, source):
        line = move.invoice_line_ids.filtered(lambda line: line.display_type == "product")
        self.assertRecordValues(
            line,
            [
                {
                    "customer_cost_unit": unit,
                    "customer_cost_amount": amount,
                    "customer_cost_source": source,
                }
            ],
        )

    def read_sql(self, lines):
        self.env.flush_all()
        self.env.cr.execute(
            """SELECT customer_cost_unit, customer_cost_amount, customer_cost_source
                 FROM account_move_line WHERE id = ANY(%s) ORDER BY id""",
            (lines.ids,),
        )
        return self.env.cr.fetchall()

    def reverse(self, invoice, modify=False):
        wizard = (
            self.env["account.move.reversal"]
            .with_context(active_model="account.move", active_ids=invoice.ids)
            .create({"journal_id": invoice.journal_id.id, "date": "2025-04-02"})
        )
        action = wizard.modify_moves() if modify else wizard.refund_moves()
        return self.env["account.move"].browse(action["res_id"])


@tagged("post_install", "-at_install")
class TestProductCostFrozen(ProductCostCommon):
    def test_cost_is_frozen_when_the_invoice_is_posted(self):
        invoice = self.create_sale(self.customer_a, quantity=3, post=False)
        self.assertFrozen(invoice, 0.0, 0.0, False)
        invoice.action_post()
        self.assertFrozen(invoice, 40.0, 120.0, "product")
        self.product.standard_price = 55.0
        self.env.invalidate_all()
        self.assertFrozen(invoice, 40.0, 120.0, "product")

    def test_receipt_is_frozen_too(self):
        receipt = self.create_sale(self.customer_a, quantity=2, move_type="out_receipt")
        self.assertFrozen(receipt, 40.0, 80.0, "product")

    def test_negative_quantity_is_negative_cost(self):
        invoice = self.create_sale(
            self.customer_a,
            post=False,
            invoice_line_ids=[
                Command.create(
                    {
                        "product_id": self.product.id,
                        "quantity": quantity,
                        "price_unit": 100.0,
                        "tax_ids": [Command.clear()],
                    }
                )
                for quantity in (5, -2)
            ],
        )
        invoice.action_post()
        self.assertEqual(invoice.invoice_line_ids.mapped("customer_cost_amount"), [200.0, -80.0])

    def test_unit_of_measure(self):
        invoice = self.create_sale(self.customer_a, quantity=2, post=False)
        invoice.invoice_line_ids.product_uom_id = self.env.ref("uom.product_uom_dozen")
        invoice.action_post()
        self.assertFrozen(invoice, 480.0, 960.0, "product")

    def test_product_kept_by_the_dozen_and_sold_by_the_piece(self):
        product = self.env["product.product"].create(
            {
                "name": "By the dozen",
                "uom_id": self.env.ref("uom.product_uom_dozen").id,
                "standard_price": 40.0,
                "taxes_id": [Command.clear()],
            }
        )
        invoice = self.create_sale(self.customer_a, quantity=12, product=product, post=False)
        invoice.invoice_line_ids.product_uom_id = self.env.ref("uom.product_uom_unit")
        invoice.action_post()
        self.assertEqual(invoice.invoice_line_ids.customer_cost_amount, 40.0)

    def test_invoice_in_a_foreign_currency_costs_company_currency(self):
        currency = self.setup_other_currency("EUR", rates=[("2025-01-01", 0.5)])
        invoice = self.create_sale(self.customer_a, quantity=3, currency_id=currency.id)
        self.assertFrozen(invoice, 40.0, 120.0, "product")

    def test_amount_is_rounded_to_the_company_currency(self):
        self.product.standard_price = 0.335
        invoice = self.create_sale(self.customer_a, quantity=3)
        self.assertEqual(invoice.invoice_line_ids.customer_cost_amount, 1.01)

    def test_cost_of_the_invoices_own_company(self):
        other = self.setup_other_company()
        self.product.with_company(other["company"]).standard_price = 7.0
        self.assertFrozen(self.create_sale(self.customer_a), 40.0, 40.0, "product")

    def test_branch_reads_its_own_cost_or_the_one_of_its_root(self):
        branch = self.env["res.company"].create({"name": "Branch", "parent_id": self.company.id})
        self.env.user.company_ids |= branch
        self.customer_a.with_company(branch).property_account_receivable_id = self.company_data[
            "default_account_receivable"
        ]
        for own, expected in ((0.0, 40.0), (31.0, 31.0)):
            self.product.with_company(branch).standard_price = own
            invoice = (
                self.env["account.move"]
                .with_company(branch)
                .create(
                    {
                        "move_type": "out_invoice",
                        "partner_id": self.customer_a.id,
                        "invoice_date": "2025-03-10",
                        "journal_id": self.company_data["default_journal_sale"].id,
                        "company_id": branch.id,
                        "invoice_line_ids": [
                            Command.create(
                                {
                                    "product_id": self.product.id,
                                    "account_id": self.company_data["default_account_revenue"].id,
                                    "tax_ids": [Command.clear()],
                                }
                            )
                        ],
                    }
                )
            )
            self.assertEqual(invoice.company_id, branch)
            invoice.action_post()
            self.assertFrozen(invoice, expected, expected, "product")

    def test_unknown_cost_is_empty_not_zero(self):
        self.product.standard_price = 0.0
        invoice = self.create_sale(self.customer_a)
        self.assertFrozen(invoice, 0.0, 0.0, "unknown")
        self.assertEqual(self.read_sql(invoice.invoice_line_ids), [(None, None, "unknown")])

    def test_line_without_product_is_unknown(self):
        invoice = self.create_sale(
            self.customer_a,
            post=False,
            invoice_line_ids=[
                Command.create({"name": "Fee", "price_unit": 10.0, "tax_ids": [Command.clear()]})
            ],
        )
        invoice.action_post()
        self.assertEqual(self.read_sql(invoice.invoice_line_ids), [(None, None, "unknown")])

    def test_sections_notes_and_other_lines_stay_empty(self):
        invoice = self.create_sale(self.customer_a, post=False)
        invoice.invoice_line_ids = [
            Command.create({"display_type": "line_section", "name": "Section"}),
            Command.create({"display_type": "line_note", "name": "Note"}),
        ]
        invoice.action_post()
        others = invoice.line_ids.filtered(lambda line: line.display_type != "product")
        self.assertEqual(len(others), 3)
        self.assertEqual(self.read_sql(others), [(None, None, None)] * 3)

    def test_vendor_bill_freezes_nothing(self):
        bill = self.create_bill([(self.expense_account, 10.0, {"product_id": self.product.id})])
        self.assertEqual(self.read_sql(bill.invoice_line_ids), [(None, None, None)])

    def test_back_to_draft_clears_and_posting_again_freezes_anew(self):
        invoice = self.create_sale(self.customer_a, quantity=3)
        self.product.standard_price = 55.0
        invoice.button_draft()
        self.assertEqual(self.read_sql(invoice.invoice_line_ids), [(None, None, None)])
        self.assertFrozen(invoice, 0.0, 0.0, False)
        invoice.action_post()
        self.assertFrozen(invoice, 55.0, 165.0, "product")

    def test_cancelling_clears(self):
        invoice = self.create_sale(self.customer_a)
        invoice.write({"state": "cancel"})
        self.assertEqual(self.read_sql(invoice.invoice_line_ids), [(None, None, None)])

    def test_change_of_a_posted_invoice_keeps_the_frozen_cost(self):
        invoice = self.create_sale(self.customer_a, quantity=3)
        self.product.standard_price = 55.0
        invoice.with_context(skip_readonly_check=True).invoice_date = "2025-03-12"
        invoice.write({"state": "posted"})
        self.assertFrozen(invoice, 40.0, 120.0, "product")

    def test_copy_carries_no_frozen_cost(self):
        invoice = self.create_sale(self.customer_a)
        copied = invoice.copy()
        self.assertEqual(self.read_sql(copied.invoice_line_ids), [(None, None, None)])


@tagged("post_install", "-at_install")
class TestProductCostCreditNotes(ProductCostCommon):
    def test_linked_credit_note_takes_the_frozen_cost_of_its_line(self):
        invoice = self.create_sale(self.customer_a, quantity=3)
        self.product.standard_price = 55.0
        credit_note = self.reverse(invoice)
        credit_note.invoice_line_ids.quantity = 2
        credit_note.action_post()
        self.assertEqual(credit_note.reversed_entry_id, invoice)
        self.assertFrozen(credit_note, 40.0, -80.0, "reversed")

    def test_linked_credit_note_in_another_unit(self):
        invoice = self.create_sale(self.customer_a, quantity=2, post=False)
        invoice.invoice_line_ids.product_uom_id = self.env.ref("uom.product_uom_dozen")
        invoice.action_post()
        self.product.standard_price = 55.0
        credit_note = self.reverse(invoice)
        credit_note.invoice_line_ids.product_uom_id = self.env.ref("uom.product_uom_unit")
        credit_note.invoice_line_ids.quantity = 6
        credit_note.action_post()
        self.assertFrozen(credit_note, 40.0, -240.0, "reversed")

    def test_returns_in_parts_leave_no_cent(self):
        self.product.standard_price = 33.335
        invoice = self.create_sale(self.customer_a, quantity=3)
        self.assertEqual(invoice.customer_cost_total, 100.01)
        credit_notes = [self.reverse(invoice) for _ in range(3)]
        for credit_note in credit_notes:
            credit_note.invoice_line_ids.quantity = 1
            credit_note.action_post()
        self.assertEqual(
            [credit_note.customer_cost_total for credit_note in credit_notes],
            [-33.34, -33.34, -33.33],
        )
        credit_notes[0].button_draft()
        credit_notes[0].action_post()
        costs = [credit_note.customer_cost_total for credit_note in credit_notes]
        self.assertEqual(round(sum(costs) + invoice.customer_cost_total, 2), 0.0)

    def test_credit_note_of_an_invoice_with_unknown_cost_takes_the_product(self):
        self.product.standard_price = 0.0
        invoice = self.create_sale(self.customer_a)
        self.product.standard_price = 55.0
        credit_note = self.reverse(invoice)
        credit_note.action_post()
        self.assertFrozen(credit_note, 55.0, -55.0, "product")

    def test_unlinked_credit_note_takes_the_product(self):
        self.create_sale(self.customer_a)
        self.product.standard_price = 55.0
        credit_note = self.create_sale(self.customer_a, quantity=2, move_type="out_refund")
        self.assertFrozen(credit_note, 55.0, -110.0, "product")

    def test_other_product_on_a_linked_credit_note_takes_its_own_cost(self):
        invoice = self.create_sale(self.customer_a)
        other = self.env["product.product"].create({"name": "Other", "standard_price": 12.0})
        credit_note = self.reverse(invoice)
        credit_note.invoice_line_ids.product_id = other
        credit_note.action_post()
        self.assertFrozen(credit_note, 12.0, -12.0, "product")

    def test_reverse_and_create_invoice(self):
        invoice = self.create_sale(self.customer_a, quantity=3)
        self.product.standard_price = 55.0
        draft = self.reverse(invoice, modify=True)
        credit_note = self.env["account.move"].search([("reversed_entry_id", "=", invoice.id)])
        self.assertEqual(credit_note.state, "posted")
        self.assertFrozen(credit_note, 40.0, -120.0, "reversed")
        draft.action_post()
        self.assertEqual(draft.move_type, "out_invoice")
        self.assertFrozen(draft, 55.0, 165.0, "product")

    def test_forged_link_to_a_foreign_line_is_ignored(self):
        self.product.standard_price = 1.0
        foreign = self.create_sale(self.customer_b)
        self.product.standard_price = 55.0
        invoice = self.create_sale(self.customer_a)
        for credit_note in (
            self.reverse(invoice),
            self.create_sale(self.customer_a, move_type="out_refund", post=False),
        ):
            call_kw(
                self.env["account.move.line"].with_user(self.users["accountant"]),
                "write",
                [
                    credit_note.invoice_line_ids.ids,
                    {"customer_cost_origin_line": foreign.invoice_line_ids.id},
                ],
                {},
            )
            credit_note.action_post()
            self.assertFrozen(credit_note, 55.0, -55.0, "product")


@tagged("post_install", "-at_install")
class TestProductCostForging(ProductCostCommon):
    def test_nobody_writes_a_frozen_field(self):
        invoice = self.create_sale(self.customer_a)
        line = invoice.invoice_line_ids
        before = self.read_sql(line)
        for user in [self.users[role] for role in ROLES] + [self.env.ref("base.user_admin")]:
            for name, value in zip(FROZEN, (1.0, 1.0, "product"), strict=True):
                with self.assertRaisesRegex(AccessError, "frozen when it is posted"):
                    call_kw(
                        self.env["account.move.line"].with_user(user),
                        "write",
                        [line.ids, {name: value}],
                        {},
                    )
        self.assertEqual(self.read_sql(line), before)

    def test_nobody_creates_a_line_with_a_frozen_field(self):
        invoice = self.create_sale(self.customer_a, post=False)
        manager = self.env["account.move.line"].with_user(self.users["manager"])
        count = len(invoice.line_ids)
        values = {"move_id": invoice.id, "product_id": self.product.id}
        for name, value in zip(FROZEN, (1.0, 1.0, "product"), strict=True):
            for vals, context in (
                ({**values, name: value}, {}),
                (values, {f"default_{name}": value}),
            ):
                if vals.get("customer_cost_unit"):
                    continue  # the one figure that a cost accountant may type before posting
                with self.assertRaisesRegex(AccessError, "frozen when it is posted"):
                    call_kw(manager, "create", [[vals]], {"context": context})
        invoice.invalidate_recordset()
        self.assertEqual(len(invoice.line_ids), count)

    def test_a_document_made_under_forged_defaults_carries_none_of_them(self):
        values = {
            "move_type": "out_invoice",
            "partner_id": self.customer_a.id,
            "invoice_line_ids": [Command.create({"product_id": self.product.id})],
        }
        (invoice_id,) = call_kw(
            self.env["account.move"].with_user(self.users["manager"]),
            "create",
            [[values]],
            {"context": {"default_customer_cost_unit": 1.0, "default_customer_cost_amount": 1.0}},
        )
        lines = self.env["account.move"].browse(invoice_id).line_ids
        self.assertEqual(set(self.read_sql(lines)), {(None, None, None)})
