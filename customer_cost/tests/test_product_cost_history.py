from unittest.mock import patch

from odoo.fields import Command
from odoo.tests import tagged

from ..models import account_move_line_freeze
from .test_product_cost import ProductCostCommon


@tagged("post_install", "-at_install")
class TestProductCostHistory(ProductCostCommon):
    """Invoices posted before the add-on was there get their product cost afterwards."""

    def create_old(self, customer=None, **vals):
        """Posted invoice whose lines nobody froze."""
        invoice = self.create_sale(customer or self.customer_a, **vals)
        self.forget(invoice)
        return invoice

    def forget(self, moves):
        self.env.flush_all()
        self.env.cr.execute(
            """UPDATE account_move_line SET customer_cost_unit = NULL, customer_cost_amount = NULL,
                      customer_cost_source = NULL, customer_cost_estimated = NULL,
                      customer_cost_origin_line = NULL
                WHERE move_id = ANY(%s)""",
            (moves.ids,),
        )
        self.env.invalidate_all()

    def estimate(self, first="2025-03-01", last="2025-03-31", company=None):
        return self.env["account.move.line"]._estimate_product_cost(
            company or self.company, first, last
        )

    def clear(self, first="2025-03-01", last="2025-03-31"):
        return self.env["account.move.line"]._clear_estimated_product_cost(
            self.company, first, last
        )

    def unknown_lines(self):
        self.env.invalidate_all()
        return sum(
            self.env["customer.cost.profitability"]
            .search([("company_id", "=", self.company.id)])
            .mapped("unknown_lines")
        )

    def test_lines_without_cost_are_filled_and_marked(self):
        invoice = self.create_old(quantity=3)
        self.assertEqual(self.unknown_lines(), 1)
        self.assertEqual(self.estimate(), 1)
        self.assertFrozen(invoice, 40.0, 120.0, "product")
        self.assertTrue(invoice.invoice_line_ids.customer_cost_estimated)
        self.assertEqual(self.unknown_lines(), 0)

    def test_closing_checklist_counts_what_nobody_filled(self):
        self.create_old()
        period = self.env["customer.cost.period"]._get(self.company, "2025-03-01")
        domain = period._get_unknown_cost_domain(self.company)
        self.assertEqual(self.env["account.move.line"].search_count(domain), 1)
        self.estimate()
        self.assertEqual(self.env["account.move.line"].search_count(domain), 0)

    def test_stored_figures_are_refreshed(self):
        self.create_old()
        for act in (self.estimate, self.clear):
            self.env.cr.execute("DELETE FROM customer_cost_dirty")
            act()
            self.env.cr.execute("SELECT company_id, month, customer_ids FROM customer_cost_dirty")
            rows = [(company, str(month), ids) for company, month, ids in self.env.cr.fetchall()]
            self.assertEqual(rows, [(self.company.id, "2025-03-01", self.customer_a.ids)])
            self.env.cr.execute("DELETE FROM customer_cost_dirty")
            act()
            self.env.cr.execute("SELECT count(*) FROM customer_cost_dirty")
            self.assertEqual(self.env.cr.fetchone()[0], 0)

    def test_a_second_time_fills_nothing(self):
        invoice = self.create_old()
        self.estimate()
        self.product.standard_price = 55.0
        self.assertEqual(self.estimate(), 0)
        self.assertFrozen(invoice, 40.0, 40.0, "product")

    def test_frozen_and_typed_costs_stay(self):
        frozen = self.create_sale(self.customer_a)
        typed = self.create_sale(self.customer_a, post=False)
        typed.invoice_line_ids.customer_cost_unit = 12.5
        typed.action_post()
        self.product.standard_price = 55.0
        self.assertEqual(self.estimate(), 0)
        self.assertFrozen(frozen, 40.0, 40.0, "product")
        self.assertFrozen(typed, 12.5, 12.5, "manual")
        self.assertFalse((frozen | typed).invoice_line_ids.mapped("customer_cost_estimated")[0])

    def test_unknown_stays_unknown_until_somebody_knows(self):
        self.product.standard_price = 0.0
        old = self.create_old()
        unknown = self.create_sale(self.customer_b)
        self.assertEqual(self.estimate(), 0)
        self.assertEqual(self.unknown_lines(), 2)
        self.product.standard_price = 40.0
        self.assertEqual(self.estimate(), 2)
        self.assertFrozen(old, 40.0, 40.0, "product")
        self.assertFrozen(unknown, 40.0, 40.0, "product")
        self.assertEqual(self.unknown_lines(), 0)

    def test_only_posted_sales_of_the_window_and_company(self):
        inside = [self.create_old(day=day) for day in ("2025-03-01", "2025-03-31")]
        outside = [self.create_old(day=day) for day in ("2025-02-28", "2025-04-01")]
        draft = self.create_sale(self.customer_a, post=False)
        bill = self.create_bill([(self.expense_account, 10.0, {"product_id": self.product.id})])
        other = self.setup_other_company()["company"]
        self.assertEqual(self.estimate(company=other), 0)
        self.assertEqual(self.estimate(), 2)
        for invoice in inside:
            self.assertFrozen(invoice, 40.0, 40.0, "product")
        for move in (*outside, draft, bill):
            self.assertEqual(self.read_sql(move.invoice_line_ids), [(None, None, None)])

    def test_closed_months_stay(self):
        invoice = self.create_old()
        estimated = self.create_old(self.customer_b)
        self.estimate()
        self.forget(invoice)
        period = self.env["customer.cost.period"]._get(self.company, "2025-03-01")
        self.env.cr.execute(
            "UPDATE customer_cost_period SET state = 'closed' WHERE id = %s", (period.id,)
        )
        self.env.invalidate_all()
        self.assertEqual(self.estimate(), 0)
        self.assertEqual(self.clear(), 0)
        self.assertEqual(self.read_sql(invoice.invoice_line_ids), [(None, None, None)])
        self.assertFrozen(estimated, 40.0, 40.0, "product")

    def test_undo_takes_back_estimates_only(self):
        old = self.create_old(quantity=2)
        later = self.create_old(day="2025-04-10")
        frozen = self.create_sale(self.customer_b)
        self.estimate()
        self.estimate("2025-04-01", "2025-04-30")
        self.assertEqual(self.clear(), 1)
        self.assertEqual(self.read_sql(old.invoice_line_ids), [(None, None, None)])
        self.assertFalse(old.invoice_line_ids.customer_cost_estimated)
        self.assertFrozen(frozen, 40.0, 40.0, "product")
        self.assertFrozen(later, 40.0, 40.0, "product")

    def test_linked_credit_note_takes_what_its_invoice_was_filled_with(self):
        invoice = self.create_sale(self.customer_a, quantity=3)
        credit_note = self.reverse(invoice)
        credit_note.action_post()
        line = credit_note.invoice_line_ids
        self.forget(invoice)
        self.forget(credit_note)
        self.env.cr.execute(
            "UPDATE account_move_line SET customer_cost_origin_line = %s WHERE id = %s",
            (invoice.invoice_line_ids.id, line.id),
        )
        self.env.invalidate_all()
        self.assertEqual(self.estimate(last="2025-04-30"), 2)
        self.assertFrozen(invoice, 40.0, 120.0, "product")
        self.assertFrozen(credit_note, 40.0, -120.0, "reversed")

    def test_every_batch_is_filled(self):
        invoices = [self.create_old() for _ in range(5)]
        with patch.object(account_move_line_freeze, "ESTIMATE_BATCH", 2):
            self.assertEqual(self.estimate(), 5)
        for invoice in invoices:
            self.assertFrozen(invoice, 40.0, 40.0, "product")

    def test_one_statement_for_any_number_of_invoices(self):
        def count(number):
            for _ in range(number):
                self.create_old()
            self.env.flush_all()
            before = self.env.cr.sql_log_count
            self.assertEqual(self.estimate(), number)
            return self.env.cr.sql_log_count - before

        count(1)
        self.assertEqual(count(1), count(12))

    def test_back_to_draft_and_posting_again_freezes_instead_of_estimating(self):
        invoice = self.create_old()
        self.estimate()
        invoice.button_draft()
        self.assertEqual(self.read_sql(invoice.invoice_line_ids), [(None, None, None)])
        self.product.standard_price = 55.0
        invoice.action_post()
        self.assertFrozen(invoice, 55.0, 55.0, "product")
        self.assertFalse(invoice.invoice_line_ids.customer_cost_estimated)

    def test_category_without_product_cost_counts_as_known(self):
        self.product.categ_id = self.env["product.category"].create(
            {"name": "Consulting", "customer_cost_source": "hours"}
        )
        invoice = self.create_old(
            invoice_line_ids=[
                Command.create({"product_id": self.product.id, "tax_ids": [Command.clear()]})
            ]
        )
        self.assertEqual(self.estimate(), 1)
        self.assertFrozen(invoice, 0.0, 0.0, "hours")
        self.assertEqual(self.unknown_lines(), 0)
