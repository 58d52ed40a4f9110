from datetime import date

from odoo.fields import Command
from odoo.tests import freeze_time, tagged

from .alert_common import AlertCommon


@tagged("post_install", "-at_install")
class TestAlertNotice(AlertCommon):
    """Who is told, how, and never of a figure they may not see."""

    def mails(self):
        mails = self.env["mail.mail"].sudo().search([("subject", "like", "Customer cost:")])
        return {mail.recipient_ids: mail for mail in mails}

    def test_one_mail_per_person_and_evaluation(self):
        told = self.manager + self.accountant
        vals = {"user_ids": [Command.set(told.ids)], "by_mail": True, "by_activity": False}
        self.create_alert_rule(on=False, **vals)
        self.create_alert_rule(
            name="Costs much", metric="cost", operator="above", threshold=5.0, on=False, **vals
        )
        rules = self.env["customer.cost.alert.rule"].search(
            [("company_id", "=", self.company.id), ("metric", "in", ("profit", "cost"))]
        )
        rules.filtered(lambda rule: rule.by_mail)._unguarded().write({"state": "on"})
        self.evaluate()
        mails = self.mails()
        self.assertEqual(set(mails), {user.partner_id for user in told + self.rep})
        body = mails[self.manager.partner_id].body_html
        self.assertIn("3 alerts", mails[self.manager.partner_id].subject)
        for text in ("Loses money", "Costs much", "Cost Customer A", "Cost Customer B", "200.00"):
            self.assertIn(text, body)
        self.assertFalse(
            self.env["mail.activity"].search([("res_model", "=", "customer.cost.alert")])
        )
        self.evaluate()
        self.assertEqual(self.mails(), mails)

    def test_a_mail_holds_no_figure_that_its_reader_may_not_see(self):
        followers = self.users["internal"].partner_id
        (self.customer_a + self.customer_b).message_subscribe(followers.ids)
        rule = self.create_alert_rule(
            metric="cost",
            operator="above",
            threshold=0.0,
            tell_followers=True,
            by_mail=True,
            user_ids=[Command.set((self.rep + self.users["reviewer"]).ids)],
        )
        mails = self.mails()
        self.assertEqual(set(mails), {self.rep.partner_id, self.manager.partner_id})
        self.assertNotIn("Cost Customer B", mails[self.rep.partner_id].body_html)
        # B has nobody who may know but who is responsible for the rule
        self.assertNotIn("Cost Customer A", mails[self.manager.partner_id].body_html)
        self.assertEqual(
            rule.left_out_user_ids, self.rep + self.users["internal"] + self.users["reviewer"]
        )
        for alert in self.alerts(rule):
            expected = self.rep if alert.customer_id == self.customer_a else self.manager
            self.assertEqual((alert.owner_id, alert.activity_ids.user_id), (expected, expected))

    def test_mails_leave_out_what_the_reader_may_no_longer_see(self):
        rule = self.create_alert_rule(by_mail=True, on=False)
        rule._unguarded().write({"state": "on"})
        self.env["customer.cost.balance"]._refresh()
        rule.sudo()._evaluate_pass()
        alerts = self.alerts(rule)
        alerts._tell()
        self.assertEqual(alerts.mail_user_ids, self.rep)
        self.customer_a.user_id = False
        alerts._send_mails()
        self.assertFalse(self.mails())
        self.assertFalse(alerts.mail_user_ids)

    def test_group_and_note(self):
        group = self.env["res.groups"].create(
            {"name": "Watchers", "user_ids": [Command.set(self.users["cost_user"].ids)]}
        )
        rule = self.create_alert_rule(
            group_id=group.id, tell_salesperson=False, by_note=True, by_activity=False
        )
        alert = self.alerts(rule)
        self.assertEqual(alert.owner_id, self.users["cost_user"])
        self.assertIn("Told: cost_cost_user", alert.message_ids[:1].body)
        self.assertFalse(alert.activity_ids)

    def test_an_activity_reads_in_the_language_of_its_person(self):
        self.env["res.lang"]._activate_lang("zh_CN")
        self.rep.lang = "zh_CN"
        rule = self.create_alert_rule(on=False, user_ids=[Command.set(self.accountant.ids)])
        rule.with_context(lang="zh_CN").name = "亏损客户"
        rule.action_switch_on()
        summaries = {one.user_id: one.summary for one in self.alerts(rule).activity_ids}
        self.assertEqual(summaries, {self.rep: "亏损客户", self.accountant: "Loses money"})

    def test_escalates_once_when_nobody_acts(self):
        rule = self.create_alert_rule(escalate_days=3, escalate_user_id=self.accountant.id)
        alert = self.alerts(rule)
        self.evaluate("2025-06-17")
        self.assertEqual(alert.activity_ids.user_id, self.rep)
        self.evaluate("2025-06-18")
        self.assertEqual(alert.activity_ids.user_id, self.rep + self.accountant)
        self.assertIn("Nobody acted on it for 3 days", alert.message_ids[:1].body)
        self.evaluate("2025-06-30")
        self.assertEqual(len(alert.activity_ids), 2)

    def test_does_not_escalate_what_somebody_acknowledged(self):
        rule = self.create_alert_rule(escalate_days=3, escalate_user_id=self.accountant.id)
        alert = self.alerts(rule)
        alert.with_user(self.rep).action_acknowledge()
        self.evaluate("2025-06-30")
        self.assertFalse(alert.escalated_on)

    def test_escalation_to_somebody_who_may_not_know_goes_to_the_responsible(self):
        rule = self.create_alert_rule(escalate_days=3, escalate_user_id=self.users["internal"].id)
        self.evaluate("2025-06-18")
        alert = self.alerts(rule)
        self.assertEqual(alert.activity_ids.user_id, self.rep + self.manager)
        self.assertIn(self.users["internal"], rule.left_out_user_ids)

    def test_alert_of_an_archived_owner_goes_to_the_responsible(self):
        rule = self.create_alert_rule()
        alert = self.alerts(rule)
        self.assertEqual(alert.owner_id, self.rep)
        self.rep.active = False
        self.evaluate()
        self.env.invalidate_all()
        self.assertEqual(alert.owner_id, self.manager)
        self.assertIn(self.manager, alert.activity_ids.user_id)

    def test_archived_recipients_are_not_told(self):
        self.rep.active = False
        rule = self.create_alert_rule(by_mail=True)
        self.assertEqual(self.alerts(rule).owner_id, self.manager)
        self.assertEqual(set(self.mails()), {self.manager.partner_id})

    def test_changes_not_counted_yet_are_said(self):
        rule = self.create_alert_rule(by_mail=True, on=False)
        with freeze_time("2025-06-16"):
            self.env["customer.cost.balance"]._refresh()
            self.env["customer.cost.dirty"]._mark(self.company.id, [date(2025, 6, 1)])
            rule._unguarded().write({"state": "on"})
            rule.sudo()._evaluate_pass()
            self.env["customer.cost.alert"].sudo()._follow_up()
        self.assertEqual(rule.pending, 1)
        self.assertIn("not counted", self.mails()[self.rep.partner_id].body_html)
