from odoo.exceptions import UserError

from .common import CustomerCostCommon


class TestCaptureLinks(CustomerCostCommon):
    """Customer and cost item of a posted item: tracked, and fixed once the period is closed."""

    def test_change_on_a_posted_item_leaves_a_trace_on_the_entry(self):
        bill = self.create_bill([(self.expense_account, 10.0, {})])
        line = bill.invoice_line_ids.with_context(tracking_disable=False)
        line.write({"cost_customer_id": self.customer_a.id})
        tracked = bill.message_ids.sudo().tracking_value_ids
        self.assertIn("cost_customer_id", tracked.field_id.mapped("name"))

    def test_closed_period_keeps_customer_and_item(self):
        bill = self.create_bill([(self.expense_account, 10.0, {})])
        self.close_period(bill.date)
        for vals in ({"cost_customer_id": self.customer_a.id}, {"cost_item_id": self.item.id}):
            with self.assertNothingChanged(), self.assertRaisesRegex(UserError, "is closed"):
                bill.invoice_line_ids.write(vals)

    def test_customer_of_another_company_is_refused(self):
        other = self.setup_other_company()["company"]
        foreign = self.env["res.partner"].create({"name": "Foreign", "company_id": other.id})
        bill = self.create_bill([(self.expense_account, 10.0, {})])
        with self.assertNothingChanged(), self.assertRaises(UserError):
            bill.invoice_line_ids.cost_customer_id = foreign

    def test_customer_moved_to_another_company_makes_the_cost_indirect(self):
        bill = self.create_bill(
            [(self.expense_account, 10.0, {"cost_customer_id": self.customer_c.id})]
        )
        other = self.setup_other_company()["company"]
        self.env.cr.execute(
            "UPDATE res_partner SET company_id = %s WHERE id = %s", (other.id, self.customer_c.id)
        )
        self.env.invalidate_all()
        self.env["customer.cost.capture"]._sync(bill.ids)
        self.assertEqual(self.ledger(bill), {(self.env["res.partner"], self.item, bill.date): 10.0})
