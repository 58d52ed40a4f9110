from contextlib import contextmanager
from unittest.mock import patch

from odoo.fields import Command
from odoo.sql_db import Cursor
from odoo.tests import tagged

from .common import CustomerCostCommon

# Tables and columns of the add-on: a statement that names one of them is ours.
OWN_NAMES = ("customer_cost_entry", "customer_cost_line", "customer_cost_unit")


@tagged("post_install", "-at_install")
class TestCaptureQueries(CustomerCostCommon):
    """Posting costs a fixed number of our queries, whatever the number of documents."""

    @contextmanager
    def counted(self):
        """Collect statements of the capture and of the freezing, and all statements."""
        own, every = [], []
        execute = Cursor.execute

        def spy(cursor, query, params=None, log_exceptions=True):
            code = str(getattr(query, "code", query))
            every.append(code)
            if any(name in code for name in OWN_NAMES):
                own.append(code)
            return execute(cursor, query, params, log_exceptions)

        self.env.flush_all()
        with patch.object(Cursor, "execute", spy):
            yield own, every
            self.env.flush_all()

    @contextmanager
    def without_capture(self):
        line_class = type(self.env["account.move.line"])
        capture_class = type(self.env["customer.cost.capture"])
        with (
            patch.object(capture_class, "_sync", lambda self, move_ids: 0),
            patch.object(capture_class, "_lock_moves", lambda self, move_ids: None),
            patch.object(line_class, "_freeze_product_cost", lambda self, move_ids: None),
            patch.object(line_class, "_clear_product_cost", lambda self, move_ids: None),
        ):
            yield

    def bills(self, count):
        moves = self.env["account.move"]
        for _ in range(count):
            moves += self.create_bill(
                [
                    (self.expense_account, 100.0, {"cost_customer_id": self.customer_a.id}),
                    (self.other_account, 50.0, {}),
                ],
                post=False,
            )
        return moves

    def taxed_bills(self, count):
        """Bills with a tax that follows its base lines, and with service periods."""
        repartition = [
            Command.create({"repartition_type": "base"}),
            Command.create({"repartition_type": "tax"}),
        ]
        tax = self.env["account.tax"].create(
            {
                "name": f"Not recoverable {self.env['account.tax'].search_count([])}",
                "amount": 10.0,
                "type_tax_use": "purchase",
                "company_id": self.company.id,
                "invoice_repartition_line_ids": repartition,
                "refund_repartition_line_ids": repartition,
            }
        )
        moves = self.bills(count)
        moves.invoice_line_ids.write(
            {
                "tax_ids": [Command.set(tax.ids)],
                "cost_service_from": "2025-01-01",
                "cost_service_to": "2025-12-31",
            }
        )
        self.assertEqual(len(moves.line_ids.filtered("tax_line_id")), 2 * count)
        return moves

    def invoices(self, count):
        moves = self.env["account.move"]
        for _ in range(count):
            moves += self.create_sale(self.customer_a, post=False)
        return moves

    def count_post(self, moves, act="action_post"):
        with self.counted() as (own, every):
            getattr(moves, act)()
        return len(own), len(every)

    def assertCheap(self, make):
        self.count_post(make(1))
        for count in (1, 20):
            with self.without_capture():
                _own, without = self.count_post(make(count))
            own, everything = self.count_post(make(count))
            self.assertLessEqual(own, 3, f"{count} documents")
            self.assertLessEqual(everything - without, 3, f"{count} documents")

    def test_posting_bills_adds_at_most_three_queries(self):
        self.assertCheap(self.bills)

    def test_posting_taxed_bills_adds_at_most_three_queries(self):
        self.assertCheap(self.taxed_bills)

    def test_posting_reversals_adds_at_most_three_queries(self):
        def refunds(count):
            bills = self.taxed_bills(count)
            bills.action_post()
            return bills._reverse_moves([{"invoice_date": "2025-04-01"} for _bill in bills])

        self.count_post(refunds(1))
        for count in (1, 20):
            with self.without_capture():
                _own, without = self.count_post(refunds(count))
            _own, everything = self.count_post(refunds(count))
            self.assertLessEqual(everything - without, 3, f"{count} documents")

    def test_posting_invoices_adds_at_most_three_queries(self):
        self.assertCheap(self.invoices)

    def test_posting_invoices_of_stocked_goods_adds_at_most_three_queries(self):
        if "is_storable" in self.env["product.product"]:
            self.product.is_storable = True
        self.assertCheap(self.invoices)

    def test_posting_credit_notes_adds_at_most_three_queries(self):
        def credit_notes(count):
            invoices = self.invoices(count)
            invoices.action_post()
            wizard = (
                self.env["account.move.reversal"]
                .with_context(active_model="account.move", active_ids=invoices.ids)
                .create({"journal_id": invoices.journal_id.id, "date": "2025-04-02"})
            )
            wizard.refund_moves()
            return wizard.new_move_ids

        self.assertCheap(credit_notes)

    def test_posting_reads_no_limits_of_customers(self):
        bills = self.bills(2).with_context(tracking_disable=False)
        with self.counted() as (_own, every):
            bills.action_post()
        self.assertIn("supplier_rank", str(every))
        self.assertNotIn("customer_cost_limit", str(every))

    def test_one_and_twenty_bills_cost_the_same(self):
        self.count_post(self.bills(1))
        one, _every = self.count_post(self.bills(1))
        twenty, _every = self.count_post(self.bills(20))
        self.assertEqual(one, twenty)
        self.assertGreater(one, 0)

    def test_back_to_draft_costs_the_same_for_one_and_twenty(self):
        one, twenty = self.bills(1), self.bills(20)
        (one | twenty).action_post()
        self.assertEqual(
            self.count_post(one, "button_draft")[0], self.count_post(twenty, "button_draft")[0]
        )

    def test_one_comparison_for_a_batch(self):
        bills = self.bills(20)
        capture_class = type(self.env["customer.cost.capture"])
        sync = capture_class._sync
        calls = []

        def spy(capture, move_ids):
            calls.append(sorted(move_ids))
            return sync(capture, move_ids)

        with patch.object(capture_class, "_sync", spy):
            bills.action_post()
        self.assertEqual(calls, [sorted(bills.ids)])

    def test_saving_a_draft_asks_nothing(self):
        bill = self.bills(1)
        with self.counted() as (own, _every):
            bill.invoice_line_ids[0].price_unit = 120.0
            bill.ref = "Changed"
        self.assertFalse(own)
