from datetime import timedelta

from odoo import fields
from odoo.tests import tagged

from .review_common import ReviewCommon

REVIEW = "customer_cost.mail_activity_type_review"


@tagged("post_install", "-at_install")
class TestReviewNotice(ReviewCommon):
    """Who is told that something waits: activities, reminder, escalation, one mail a day."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.name_persons(cls.initial, cls.second)

    def notify(self):
        with self.enter_registry_test_mode():
            self.env.ref("customer_cost.ir_cron_review_notify").method_direct_trigger()
        self.env.invalidate_all()

    def mails(self, user):
        return self.env["mail.mail"].search(
            [("email_to", "=", user.email_formatted), ("subject", "ilike", "await your review")]
        )

    def age(self, entry, days):
        """As if the stage had begun some days ago."""
        row = entry.sudo().cost_review_id
        row.since = fields.Datetime.now() - timedelta(days=days)
        if row.date_deadline:
            row.date_deadline = fields.Date.today() - timedelta(days=days - row.deadline_days)
        self.env.flush_all()

    def test_every_named_person_has_an_activity_and_no_mail(self):
        self.name_persons(self.initial, self.second, self.third)
        before = self.env["mail.mail"].search_count([])
        entry = self.submit()
        self.assertEqual(entry.activity_ids.user_id, self.second | self.third)
        self.assertEqual(self.env["mail.mail"].search_count([]), before)
        entry.with_user(self.third).action_approve()
        self.assertFalse(entry.activity_ids)

    def test_next_stage_tells_its_own_reviewer(self):
        self.name_persons(self.middle, self.third)
        entry = self.submit()
        self.assertEqual(entry.activity_ids.user_id, self.second)
        entry.with_user(self.second).action_approve()
        self.assertEqual(entry.activity_ids.user_id, self.third)

    def test_one_digest_a_day_and_nothing_twice(self):
        entry = self.submit()
        self.notify()
        mail = self.mails(self.second)
        self.assertEqual(len(mail), 1)
        self.assertIn(entry.display_name, mail.body_html)
        self.assertIn("100.00", mail.body_html)
        later = self.submit(description="Later cost")
        self.notify()
        self.assertEqual(self.mails(self.second), mail, "one mail a day")
        self.second.customer_cost_digest_on = fields.Date.today() - timedelta(days=1)
        self.notify()
        second_mail = self.mails(self.second) - mail
        self.assertEqual(len(second_mail), 1)
        self.assertIn(later.display_name, second_mail.body_html)
        self.assertNotIn(entry.name, second_mail.body_html)
        self.assertFalse(self.mails(self.third))

    def test_reminder_is_in_the_digest_once(self):
        self.initial.reminder_days = 3
        entry = self.submit()
        self.notify()
        yesterday = fields.Date.today() - timedelta(days=1)
        for days, mailed in ((2, 1), (3, 2), (9, 2)):
            self.age(entry, days)
            self.second.customer_cost_digest_on = yesterday
            self.notify()
            with self.subTest(days=days):
                self.assertEqual(len(self.mails(self.second)), mailed)
        self.assertTrue(self.mails(self.second).filtered(lambda m: "reminder" in m.body_html))
        self.assertEqual(entry.activity_ids.date_deadline, fields.Date.today())

    def test_passed_deadline_escalates_once(self):
        self.initial.write({"deadline_days": 2, "escalation_user_id": self.third.id})
        entry = self.submit()
        self.assertEqual(entry.cost_review_due, fields.Date.today() + timedelta(days=2))
        self.notify()
        self.assertEqual(entry.activity_ids.user_id, self.second)
        self.assertFalse(entry.with_user(self.third).has_access("read"))
        self.age(entry, 3)
        for _again in range(2):
            self.notify()
            self.assertEqual(entry.activity_ids.user_id, self.second | self.third)
            self.assertEqual(len(entry.activity_ids), 2)
        entry.with_user(self.third).action_approve()
        self.assertEqual(entry.state, "approved")

    def test_what_waits_for_somebody_absent_is_handed_on(self):
        entry = self.submit()
        self.second.write(
            {
                "customer_cost_substitute_id": self.third.id,
                "out_of_office_from": fields.Datetime.now() - timedelta(days=1),
            }
        )
        self.notify()
        self.assertEqual(entry.activity_ids.user_id, self.third)
        self.assertTrue(self.mails(self.third))
        self.assertFalse(self.mails(self.second))

    def test_what_waits_for_somebody_archived_is_handed_on(self):
        self.initial.escalation_user_id = self.third
        entry = self.submit()
        self.second.active = False
        self.notify()
        self.assertEqual(entry.activity_ids.user_id, self.third)

    def test_substitute_without_the_role_is_told_nothing(self):
        clerk = self.create_user("cost_outsider", "internal", email="outsider@example.com")
        self.initial.write({"deadline_days": 2, "escalation_user_id": self.third.id})
        self.name_persons(self.initial, self.second, self.reviewer)
        (self.second | self.third).write(
            {
                "customer_cost_substitute_id": clerk.id,
                "out_of_office_from": fields.Datetime.now() - timedelta(days=1),
            }
        )
        entry = self.submit()
        self.age(entry, 3)
        self.notify()
        self.assertEqual(entry.activity_ids.user_id, self.reviewer)
        self.assertFalse(self.mails(clerk))
        self.assertTrue(self.mails(self.reviewer))

    def test_escalation_to_somebody_without_the_role_tells_nobody_else(self):
        clerk = self.create_user("cost_outsider", "internal", email="outsider@example.com")
        self.initial.write({"deadline_days": 2, "escalation_user_id": clerk.id})
        entry = self.submit()
        self.age(entry, 3)
        self.notify()
        self.assertEqual(entry.activity_ids.user_id, self.second)
        self.assertFalse(self.mails(clerk))
