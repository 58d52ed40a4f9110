from odoo import fields
from odoo.tests import HttpCase, tagged

from .common import CustomerCostCommon


@tagged("post_install", "-at_install")
class TestTourRequest(CustomerCostCommon, HttpCase):
    """A rep asks for money from the customer's form; the accountant makes its bill."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.customer_cost_policy_text = "Ask before you spend."
        cls.fair = cls.create_item("TOUR-FAIR", "Tour fair")
        cls.map_account(cls.unmapped_account, cls.fair)
        cls.policy = cls.env["customer.cost.policy"].create(
            {
                "company_id": cls.company.id,
                "item_id": cls.fair.id,
                "kind": "receipt",
                "amount": 100.0,
                "text": "Attach the offer.",
            }
        )
        cls.vendor.name = "Tour Fair Services"
        # the browser has its own clock: figures follow today
        cls.create_sale(cls.customer_a, day=fields.Date.today())

    def test_request_approval_and_bill(self):
        self.start_tour(
            f"/odoo/res.partner/{self.customer_a.id}",
            "customer_cost_request",
            login="cost_rep",
        )
        request = self.env["customer.cost.entry"].search([("item_id", "=", self.fair.id)])
        self.assertRecordValues(
            request,
            [
                {
                    "kind": "request",
                    "state": "submitted",
                    "customer_id": self.customer_a.id,
                    "amount": 750.0,
                }
            ],
        )
        self.assertEqual(request.breach_ids.policy_id, self.policy)
        request.with_user(self.users["reviewer"]).action_approve()
        self.start_tour(
            f"/odoo/action-customer_cost.customer_cost_request_action/{request.id}",
            "customer_cost_request_bill",
            login="cost_accountant",
        )
        self.assertEqual((request.drafted_amount, request.open_amount), (750.0, 750.0))
        bill = request.settlement_line_ids.move_id
        self.assertRecordValues(bill, [{"partner_id": self.vendor.id, "state": "draft"}])
