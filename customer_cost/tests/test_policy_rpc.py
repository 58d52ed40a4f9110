from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from .common import CustomerCostCommon


@tagged("post_install", "-at_install")
class TestPolicyRpc(CustomerCostCommon, HttpCase):
    """A request that is refused ends its transaction, and the blocked attempt stays counted."""

    @mute_logger("odoo.http")
    def test_the_button_counts_what_a_policy_blocked_once(self):
        self.env["customer.cost.policy"].create(
            {"kind": "entry_limit", "amount": 50.0, "level": "block"}
        )
        entry = self.create_cost(user=self.rep)
        self.env.flush_all()
        self.authenticate("cost_rep", "cost_rep")
        for _attempt in range(2):
            answer = self.url_open(
                "/web/dataset/call_button/customer.cost.entry/action_submit",
                json={
                    "params": {
                        "model": "customer.cost.entry",
                        "method": "action_submit",
                        "args": [entry.ids],
                        "kwargs": {},
                    }
                },
            ).json()
            self.assertIn("At most", answer["error"]["data"]["message"])
        self.env.invalidate_all()
        self.assertEqual(entry.state, "draft")
        self.assertRecordValues(
            entry.breach_ids, [{"level": "block", "user_id": self.rep.id, "figure": 100.0}]
        )
