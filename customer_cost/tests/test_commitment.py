from xmlrpc.client import dumps

from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL

from ..report.row_id import sql_row_id
from .common import CustomerCostCommon


class TestCommitment(CustomerCostCommon):
    """What is spoken for, along a chain of documents, counts once."""

    def request(self, post=True, **vals):
        return self.create_cost(kind="request", amount=500.0, post=post, **vals)

    def committed(self):
        self.env.flush_all()
        groups = self.env["customer.cost.commitment"]._read_group(
            [("company_id", "=", self.company.id)], ["kind"], ["amount:sum"]
        )
        return dict(groups)

    def settle(self, request, amount, **vals):
        extra = {"cost_customer_id": self.customer_a.id, "cost_request_id": request.id}
        return self.create_bill([(self.expense_account, amount, extra)], **vals)

    def test_submitted_and_approved_requests_are_commitments_and_no_ledger_line(self):
        request = self.request(post=False)
        self.assertEqual(self.committed(), {})
        request.action_submit()
        self.assertEqual(self.committed(), {"request": 500.0})
        request.with_user(self.users["reviewer"]).action_approve()
        self.assertEqual(self.committed(), {"request": 500.0})
        self.assertFalse(request.line_ids)
        self.assertEqual(request.open_amount, 500.0)

    def test_settlement_counts_once_from_draft_bill_to_partial_credit_note(self):
        request = self.request()
        bill = self.settle(request, 300.0, post=False)
        self.assertEqual(self.committed(), {"request": 500.0})
        self.assertEqual((request.drafted_amount, request.open_amount), (300.0, 500.0))
        bill.action_post()
        self.assertEqual(self.committed(), {"request": 200.0})
        self.assertEqual((request.settled_amount, request.open_amount), (300.0, 200.0))
        self.settle(request, 100.0, move_type="in_refund")
        self.assertEqual(self.committed(), {"request": 300.0})
        self.assertEqual(sum(self.ledger().values()), 200.0)

    def test_a_draft_bill_above_its_request_is_committed_whole(self):
        self.settle(self.request(), 800.0, post=False)
        self.assertEqual(self.committed(), {"request": 800.0})

    def test_a_draft_bill_without_request_is_a_commitment_where_it_names_a_customer(self):
        extra = {"cost_customer_id": self.customer_a.id}
        self.create_bill(
            [
                (self.expense_account, 70.0, extra),
                (self.expense_account, 10.0, {}),
                (self.unmapped_account, 20.0, extra),
            ],
            post=False,
        )
        self.assertEqual(self.committed(), {"bill": 70.0})

    def months(self):
        """Commitments as a dict of day to amount, each row with an id of its own."""
        self.env.flush_all()
        self.env["customer.cost.commitment"].invalidate_model()
        rows = self.env["customer.cost.commitment"].search([("company_id", "=", self.company.id)])
        self.assertEqual(len(set(rows.ids)), len(rows))
        self.assertEqual(sorted(row.date for row in rows), [r.date for r in rows.sorted("id")])
        return {str(row.date): row.amount for row in rows}

    def test_a_service_period_is_committed_by_month_as_the_ledger_splits_it(self):
        entry = self.create_cost(
            amount=100.0, service_from="2025-01-10", service_to="2025-04-20", date="2025-03-10"
        )
        entry.action_submit()
        committed = self.months()
        self.assertEqual(len(committed), 4)
        self.assertEqual(round(sum(committed.values()), 2), 100.0)
        entry.with_user(self.users["reviewer"]).action_approve()
        self.assertEqual({str(line.date): line.amount for line in entry.line_ids}, committed)
        self.assertEqual(self.months(), {})

    def test_what_is_open_of_a_request_is_spread_over_its_months(self):
        request = self.request(service_from="2025-03-01", service_to="2025-05-31")
        self.assertEqual(
            self.months(), {"2025-03-01": 166.67, "2025-04-01": 166.66, "2025-05-01": 166.67}
        )
        self.settle(request, 100.01)
        committed = self.months()
        self.assertEqual(round(sum(committed.values()), 2), request.open_amount)
        self.assertEqual(len(committed), 3)

    def test_a_draft_bill_is_committed_in_the_months_it_serves(self):
        extra = {
            "cost_customer_id": self.customer_a.id,
            "cost_service_from": "2025-04-01",
            "cost_service_to": "2025-05-31",
        }
        bill = self.create_bill([(self.expense_account, 100.0, extra)], post=False)
        committed = self.months()
        self.assertEqual(committed, {"2025-04-01": 50.0, "2025-05-01": 50.0})
        bill.action_post()
        self.assertEqual(
            {str(day): amount for (_c, _i, day), amount in self.ledger().items()}, committed
        )

    def test_ids_are_unique_and_small_enough_for_xml_rpc(self):
        self.env.cr.execute(
            SQL(
                """SELECT count(*), count(DISTINCT %(id)s), max(%(id)s) FILTER (WHERE place = 1),
                          max(%(id)s) FILTER (WHERE place <= 12)
                     FROM generate_series(2, 2001) document, generate_series(1, 130) place""",
                id=sql_row_id(SQL("document"), SQL("place")),
            )
        )
        rows, ids, single, year = self.env.cr.fetchone()
        self.assertEqual((ids, single), (rows, 2 * 2001 + 1))
        self.assertLess(year, 2001 * 128 + 128)
        self.env.cr.execute("SELECT setval('customer_cost_entry_id_seq', 400000000)")
        self.request()
        self.create_cost(service_from="2025-01-10", service_to="2025-12-20").action_submit()
        self.env.flush_all()
        dumps((self.env["customer.cost.commitment"].search([], limit=1, order="id").ids,))

    def test_release_ends_the_commitment_and_is_refused_twice(self):
        request = self.request()
        request._release("Not needed")
        self.assertEqual((self.committed(), request.open_amount), ({}, 0.0))
        with self.assertRefused("nothing is open"):
            request._release("Not needed")

    def test_nobody_makes_a_captured_cost_of_a_request(self):
        request = self.request(post=False)
        with self.assertRefused("cannot be set directly", AccessError):
            self.rpc(
                self.users["accountant"],
                "customer.cost.entry",
                "write",
                request.ids,
                {"kind": "captured"},
            )

    def test_an_item_says_what_is_recorded_of_it(self):
        self.item.manual_kind = "request"
        self.assertEqual(self.create_cost().kind, "request")
        with self.assertRefused("ask for it with a request", UserError):
            self.create_cost(kind="statistical")

    def test_a_rep_sees_commitments_of_own_customers_alone(self):
        self.request()
        self.request(customer_id=self.customer_b.id)
        self.env.flush_all()
        for role, count in (("rep", 1), ("cost_user", 2), ("auditor", 2)):
            rows = self.env["customer.cost.commitment"].with_user(self.users[role]).search([])
            self.assertEqual(len(rows), count, role)
        with self.assertRaises(AccessError):
            self.env["customer.cost.commitment"].with_user(self.users["internal"]).search([])
