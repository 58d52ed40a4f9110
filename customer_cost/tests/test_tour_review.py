from odoo.fields import Command
from odoo.tests import HttpCase, tagged

from .review_common import ReviewCommon


@tagged("post_install", "-at_install")
class TestTourReview(ReviewCommon, HttpCase):
    """The approver's job in a browser."""

    def test_queue_is_worked_off(self):
        self.initial.write(
            {"deadline_days": 2, "check_ids": [Command.create({"name": "Receipt is readable"})]}
        )
        due = self.submit(description="Tour trade fair")
        self.initial.write({"deadline_days": 0, "check_ids": [Command.clear()]})
        gift = self.submit(description="Tour gift", amount=20.0)
        other = self.submit(description="Tour dinner", amount=10.0)
        own = self.submit(description="Tour own", spender_id=self.reviewer.id)
        self.start_tour("/odoo", "customer_cost_review_queue", login="cost_reviewer")
        self.assertEqual(set((due | gift | other).mapped("state")), {"approved"})
        self.assertEqual(own.state, "submitted")
        self.assertEqual(due.review_ids.check_ids.done_by_id, self.reviewer)
