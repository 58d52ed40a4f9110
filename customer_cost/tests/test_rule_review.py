from freezegun import freeze_time

from odoo import SUPERUSER_ID
from odoo.exceptions import AccessError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..models.customer_cost_rule_review import ACTIVITY_TYPE
from .common import CustomerCostCommon


@tagged("post_install", "-at_install")
@freeze_time("2025-06-15")
class TestRuleReview(CustomerCostCommon):
    """Each rule has an owner, who is asked on its date to look at it again."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.owner = cls.users["accountant"]
        cls.rule = cls.create_rule(
            cls.create_driver({cls.customer_a: 1}),
            owner_id=cls.owner.id,
            next_review_date="2025-06-15",
        )
        cls.activity_type = cls.env.ref(ACTIVITY_TYPE)

    def look(self):
        self.env["customer.cost.rule"]._cron_review()
        return self.activities()

    def activities(self):
        return self.rule.activity_ids.filtered(
            lambda activity: activity.activity_type_id == self.activity_type
        )

    def test_owner_is_asked_once_when_the_date_is_here(self):
        activity = self.look()
        self.assertEqual(
            (activity.user_id, activity.date_deadline.isoformat(), activity.summary),
            (self.owner, "2025-06-15", "Look at the rule again"),
        )
        self.assertEqual(self.look(), activity)

    def test_nobody_is_asked_before_the_date_or_without_owner_or_of_an_archived_rule(self):
        for vals in (
            {"next_review_date": "2025-06-16"},
            {"next_review_date": False},
            {"owner_id": False},
            {"active": False},
        ):
            saved = {name: self.rule[name] for name in vals}
            with self.subTest(vals=vals):
                self.rule.write(vals)
                self.assertFalse(self.look())
            self.rule.write(
                {name: value.id if name == "owner_id" else value for name, value in saved.items()}
            )

    def test_next_date_ends_the_activity(self):
        self.look()
        self.rule.with_user(self.users["manager"]).next_review_date = "2025-12-31"
        self.assertFalse(self.activities())
        self.assertFalse(self.look())

    def test_new_owner_takes_the_activity_over(self):
        self.look()
        self.rule.owner_id = self.users["manager"]
        self.assertEqual(self.activities().user_id, self.users["manager"])

    def test_archived_rule_is_not_asked_about(self):
        self.look()
        self.rule.active = False
        self.assertFalse(self.activities())

    def test_maker_owns_a_new_rule_and_a_copy_has_no_date(self):
        rule = self.rule.with_user(self.users["manager"]).create(
            {
                "name": "Mine",
                "company_id": self.company.id,
                "sender_item_ids": self.item.ids,
                "driver_id": self.rule.driver_id.id,
            }
        )
        self.assertEqual(rule.owner_id, self.users["manager"])
        self.assertFalse(self.rule.with_user(SUPERUSER_ID).new().owner_id)
        self.assertFalse(self.rule.copy().next_review_date)

    def test_owner_and_date_are_tracked_and_set_by_accountants_alone(self):
        self.assertTrue(self.rule._fields["owner_id"].tracking)
        self.assertTrue(self.rule._fields["next_review_date"].tracking)
        for role in ("auditor", "cost_user", "internal"):
            with (
                self.subTest(role=role),
                mute_logger("odoo.addons.base.models.ir_model"),
                self.assertRaises(AccessError),
            ):
                self.rule.with_user(self.users[role]).next_review_date = "2026-01-01"
