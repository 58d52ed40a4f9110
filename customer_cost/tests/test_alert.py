from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import Form, freeze_time, tagged
from odoo.tools import mute_logger

from .alert_common import AlertCommon

ALERT, RULE = "customer.cost.alert", "customer.cost.alert.rule"
QUIET = ("odoo.addons.base.models.ir_model", "odoo.addons.base.models.ir_rule", "odoo.sql_db")


@tagged("post_install", "-at_install")
class TestAlert(AlertCommon):
    """An alert from the breach to its end: one per breach, closed by people or by itself."""

    def test_one_alert_while_the_breach_lasts(self):
        rule = self.create_alert_rule()
        alert = self.alerts(rule)
        self.assertEqual((alert.customer_id, alert.figure), (self.customer_a, -140.0))
        self.create_cost(date="2025-06-04", amount=60.0, post=True)
        self.evaluate("2025-06-16")
        self.assertEqual(self.alerts(rule), alert)
        self.assertEqual((alert.figure, alert.state), (-200.0, "new"))
        self.assertEqual(alert.last_seen, fields.Datetime.to_datetime("2025-06-16"))

    def test_closes_itself_when_the_breach_ends(self):
        rule = self.create_alert_rule()
        self.assertEqual(len(self.alerts(rule).activity_ids), 1)
        self.end_breach()
        alert = self.alerts(rule)
        self.assertEqual((alert.state, alert.lasting), ("resolved", False))
        self.assertFalse(alert.resolved_by_id)
        self.assertFalse(alert.activity_ids)
        self.assertIn("The breach ended.", alert.message_ids[:1].body)

    def test_comes_back_within_the_cool_down_quietly_and_later_anew(self):
        rule = self.create_alert_rule(cooldown_days=7)
        alert = self.alerts(rule)
        self.end_breach("2025-06-16")
        self.create_cost(date="2025-06-04", amount=5000.0, post=True)
        self.evaluate("2025-06-20")
        self.assertEqual(self.alerts(rule), alert)
        self.assertEqual((alert.state, alert.to_tell), ("new", False))
        self.assertFalse(alert.activity_ids)
        with freeze_time("2025-06-21"):
            self.create_sale(self.customer_a, quantity=100, day="2025-06-21")
            self.evaluate("2025-06-21")
        self.create_cost(date="2025-06-04", amount=50000.0, post=True)
        self.evaluate("2025-06-30")
        later = self.alerts(rule) - alert
        self.assertEqual((len(later), later.state, len(later.activity_ids)), (1, "new", 1))
        self.assertEqual(alert.state, "resolved")

    def test_resolved_by_a_person_stays_so_while_the_breach_lasts(self):
        rule = self.create_alert_rule()
        alert = self.alerts(rule)
        alert.with_user(self.rep)._resolve("Agreed on a minimum order")
        self.evaluate("2025-06-20")
        self.assertEqual(self.alerts(rule), alert)
        self.assertEqual((alert.state, alert.lasting), ("resolved", True))
        self.assertEqual(
            (alert.resolved_by_id, alert.note), (self.rep, "Agreed on a minimum order")
        )
        self.end_breach("2025-06-21")
        self.assertFalse(self.alerts(rule).lasting)
        self.assertEqual(alert.resolved_by_id, self.rep)

    def test_acknowledge_assign_snooze_resolve(self):
        rule = self.create_alert_rule()
        alert = self.alerts(rule)
        self.rpc(self.rep, ALERT, "action_acknowledge", alert.ids)
        self.assertEqual((alert.state, alert.owner_id), ("acknowledged", self.rep))
        self.env.cr.precommit.run()  # each step is a transaction of its own, tracked apart
        action = self.rpc(self.rep, ALERT, "action_assign", alert.ids)
        dialog = self.env["customer.cost.alert.act"].with_user(self.rep)
        dialog = dialog.with_context(**action["context"]).create({"user_id": self.manager.id})
        dialog.action_confirm()
        self.assertEqual(alert.owner_id, self.manager)
        self.assertEqual(alert.activity_ids.user_id, self.manager)
        alert.with_user(self.rep)._snooze(fields.Date.to_date("2025-06-20"))
        self.assertEqual(alert.state, "snoozed")
        self.evaluate("2025-06-19")
        self.assertEqual(self.alerts(rule).state, "snoozed")
        self.evaluate("2025-06-20")
        self.assertEqual(self.alerts(rule).state, "new")
        self.assertTrue(alert.activity_ids)
        alert.with_user(self.rep)._resolve("Done")
        self.assertFalse(alert.activity_ids)
        tracked = alert.message_ids.tracking_value_ids.filtered(
            lambda value: value.field_id.name == "state"
        )
        self.assertIn("Acknowledged", tracked.mapped("new_value_char"))

    def test_bad_input_is_refused_with_the_reason(self):
        rule = self.create_alert_rule()
        alert = self.alerts(rule).with_user(self.rep)
        for call, message in (
            (lambda: alert._resolve("  "), "Say what was done"),
            (lambda: alert._snooze(fields.Date.to_date("2025-06-15")), "day in the future"),
            (lambda: alert._snooze(False), "day in the future"),
            (lambda: alert._assign(self.users["internal"]), "may not see the figures"),
        ):
            with self.assertRaisesText(UserError, message):
                call()
        alert._resolve("Done")
        with self.assertRaisesText(UserError, "is resolved already"):
            alert.action_acknowledge()
        self.assertEqual(alert.note, "Done")

    def test_roles_see_and_act_as_far_as_their_figures_go(self):
        self.create_bill([(self.expense_account, 90.0, {})], day="2025-05-10")
        losing = self.create_alert_rule(metric="cost", operator="above", threshold=0.0)
        pool = self.create_alert_rule(metric="pool", operator="above", threshold=0.0)
        everything = self.alerts(losing) | self.alerts(pool)
        self.assertEqual(len(everything), 3)
        domain = [("id", "in", everything.ids)]
        for role, expected in {
            "rep": self.customer_a,
            "cost_user": self.customer_a + self.customer_b,
        }.items():
            seen = self.env[ALERT].with_user(self.users[role]).search(domain)
            self.assertEqual(seen.customer_id, expected, role)
            self.assertFalse(seen.item_id)
        for role in ("accountant", "manager", "auditor"):
            seen = self.env[ALERT].with_user(self.users[role]).search(domain)
            self.assertEqual(seen, everything, role)
        others = everything.filtered(lambda alert: alert.customer_id == self.customer_b)
        with mute_logger(*QUIET), self.assertRaises(AccessError):
            self.rpc(self.rep, ALERT, "action_acknowledge", others.ids)
        with self.assertRaisesText(AccessError, "not act on them"):
            others.with_user(self.users["auditor"]).action_acknowledge()
        for role in ("reviewer", "internal"):
            with mute_logger(*QUIET), self.assertRaises(AccessError):
                self.rpc(self.users[role], ALERT, "search_read", [])

    def test_companies_are_kept_apart(self):
        rule = self.create_alert_rule()
        other = self.create_user("elsewhere", "manager")
        company = self.env["res.company"].create({"name": "Elsewhere"})
        other.write({"company_id": company.id, "company_ids": [Command.set(company.ids)]})
        for model, records in ((ALERT, self.alerts(rule)), (RULE, rule)):
            domain = [("id", "in", records.ids)]
            self.assertFalse(self.env[model].with_user(other).search(domain))

    def test_what_methods_own_cannot_be_forged(self):
        rule = self.create_alert_rule()
        alert = self.alerts(rule)
        before = alert.read(["state", "owner_id", "figure", "note"]), rule.sudo().read(["state"])
        forged = {"customer_cost_guard": True, "default_state": "resolved"}
        vals = {
            "rule_id": rule.id,
            "company_id": self.company.id,
            "metric": "profit",
            "severity": "info",
            "figure": 1.0,
            "threshold": 0.0,
            "found_on": "2025-06-15 00:00:00",
        }
        with mute_logger(*QUIET):
            for role in ("rep", "cost_user", "accountant", "manager", "auditor", "internal"):
                user = self.users[role]
                for method, args in (
                    ("write", (alert.ids, {"state": "resolved"})),
                    ("write", (alert.ids, {"owner_id": user.id})),
                    ("create", (vals,)),
                    ("web_save", (alert.ids, {"note": "x"}, {"note": {}})),
                    ("copy", (alert.ids,)),
                    ("unlink", (alert.ids,)),
                ):
                    with self.subTest(f"{role} {method}"), self.assertRaises(AccessError):
                        self.rpc(user, ALERT, method, *args, context=forged)
            for role in ("accountant", "manager"):
                user = self.users[role]
                for vals in ({"state": "on"}, {"error": "x"}, {"checked_on": "2025-01-01"}):
                    with self.subTest(f"{role} {vals}"), self.assertRaises(AccessError):
                        self.rpc(user, RULE, "write", rule.ids, vals, context=forged)
                with self.assertRaises(AccessError):
                    self.rpc(
                        user,
                        RULE,
                        "create",
                        {"name": "x", "metric": "cost"},
                        context={"default_state": "on"},
                    )
                command = [Command.update(alert.id, {"state": "resolved"})]
                with self.assertRaises(AccessError):
                    self.rpc(user, RULE, "write", rule.ids, {"alert_ids": command})
            for role in ("rep", "cost_user", "reviewer", "auditor", "internal"):
                with self.subTest(role), self.assertRaises(AccessError):
                    self.rpc(self.users[role], RULE, "action_switch_off", rule.ids)
                with self.subTest(role), self.assertRaises(AccessError):
                    self.rpc(self.users[role], RULE, "action_check", rule.ids)
        self.env.invalidate_all()
        after = alert.read(["state", "owner_id", "figure", "note"]), rule.sudo().read(["state"])
        self.assertEqual(after, before)
        self.assertFalse(rule.copy().state == "on")

    # ------------------------------------------------------------
    # Rules
    # ------------------------------------------------------------

    def test_preview_shows_whom_the_rule_would_alert_and_keeps_nothing(self):
        rule = self.create_alert_rule(on=False)
        action = rule.action_preview()
        rows = self.env[action["res_model"]].with_user(self.manager).search(action["domain"])
        self.assertEqual(rows.customer_id, self.customer_a)
        self.assertEqual((rows.figure, rows.threshold), (-140.0, 0.0))
        self.assertIn("140.00", rows.figure_text)
        self.assertIn(": 1", action["name"])
        self.assertFalse(self.alerts(rule))
        self.evaluate()
        self.assertFalse(self.alerts(rule))
        with self.assertRaisesText(UserError, "preview only"):
            rule.action_check()

    def test_switching_off_closes_what_is_open(self):
        rule = self.create_alert_rule()
        rule.action_switch_off()
        alert = self.alerts(rule)
        self.assertEqual((alert.state, alert.lasting, rule.state), ("resolved", False, "preview"))
        self.assertIn("switched off", alert.message_ids[:1].body)

    def test_archived_or_changed_rule_closes_what_is_open(self):
        for vals in ({"active": False}, {"metric": "cost"}):
            rule = self.create_alert_rule()
            rule.write(vals)
            self.assertEqual((self.alerts(rule).state, rule.state), ("resolved", "preview"))
        rule = self.create_alert_rule()
        rule.write({"name": "Renamed", "metric": "profit"})
        self.assertEqual((self.alerts(rule).state, rule.state), ("new", "on"))

    def test_a_rule_with_alerts_is_not_deleted(self):
        rule = self.create_alert_rule()
        with self.assertRaisesText(UserError, "archive it instead"):
            rule.unlink()
        self.create_alert_rule(on=False).unlink()

    def test_a_failing_rule_is_reported_once_and_stops_no_other(self):
        broken, sound = self.create_alert_rule(on=False), self.create_alert_rule(on=False)
        (broken | sound)._unguarded().write({"state": "on"})
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE customer_cost_alert_rule SET customer_domain = %s WHERE id = %s",
            ("[('deleted_field', '=', 1)]", broken.id),
        )
        self.env.invalidate_all()
        self.evaluate()
        self.assertEqual((broken.state, sound.state), ("failing", "on"))
        self.assertIn("deleted_field", broken.error)
        self.assertEqual(len(self.alerts(sound)), 1)
        self.assertFalse(self.alerts(broken))
        notes = broken.message_ids.filtered(lambda note: "cannot be evaluated" in note.body)
        self.assertEqual(notes.partner_ids, self.manager.partner_id)
        self.evaluate()
        again = broken.message_ids.filtered(lambda note: "cannot be evaluated" in note.body)
        self.assertEqual(again, notes)
        broken.customer_domain = "[]"
        self.evaluate()
        self.assertEqual((broken.state, broken.error), ("on", False))
        self.assertEqual(len(self.alerts(broken)), 1)

    def test_a_failing_query_is_reported_on_its_rules(self):
        rule, sound = self.create_alert_rule(metric="contact", on=False), self.create_alert_rule()
        rule._unguarded().write({"state": "on"})
        path = "odoo.addons.customer_cost.models.customer_cost_alert_metric"
        with patch(f"{path}.CustomerCostAlertMetric._sql_contact", side_effect=ValueError("gone")):
            self.evaluate()
        self.assertEqual((rule.state, rule.error, sound.state), ("failing", "gone", "on"))

    def test_interrupted_evaluation_goes_on_where_it_was(self):
        first = self.create_alert_rule(on=False)
        second = self.create_alert_rule(metric="contact", threshold=-1.0, on=False)
        rules = self.env[RULE].sudo()
        rules.search([])._unguarded().write({"state": "preview"})
        (first | second)._unguarded().write({"state": "on"})
        times = iter([9, 9, 0])
        cron = "odoo.addons.base.models.ir_cron.IrCron._commit_progress"
        with patch(cron, side_effect=lambda *args, **kwargs: next(times, 0)):
            rules._cron_evaluate()
        self.assertEqual((first.to_check, second.to_check), (False, True))
        self.assertFalse(self.alerts(first).activity_ids)
        with patch(cron, return_value=9):
            rules._cron_evaluate()
        self.assertFalse(second.to_check)
        self.assertTrue(self.alerts(first).activity_ids)

    def test_check_now_on_a_customer_leaves_others_alone(self):
        rule = self.create_alert_rule(metric="cost", operator="above", threshold=0.0)
        self.create_cost(date="2025-06-04", amount=1.0, post=True)
        self.create_cost(date="2025-06-04", amount=1.0, customer_id=self.customer_b.id, post=True)
        customer = self.customer_a.with_user(self.rep).with_context(
            allowed_company_ids=self.company.ids
        )
        action = customer.action_check_customer_cost_alerts()
        found = self.figures(rule)
        self.assertEqual((found[self.customer_a], found[self.customer_b]), (201.0, 10.0))
        self.assertEqual(self.env[ALERT].search_count(action["domain"]), 1)
        self.assertEqual(customer.customer_cost_alert_count, 1)
        with self.assertRaisesText(AccessError, "may not see the figures"):
            self.customer_b.with_user(self.rep).action_check_customer_cost_alerts()

    def test_every_company_has_three_rules_in_preview(self):
        company = self.env["res.company"].create({"name": "New one"})
        rules = self.env[RULE].search([("company_id", "=", company.id)])
        self.assertEqual(rules.mapped("metric"), ["profit", "to_serve", "overdue"])
        self.assertEqual(set(rules.mapped("state")), {"preview"})
        self.env[RULE].sudo()._create_presets()
        again = self.env[RULE].search_count([("company_id", "=", company.id)])
        self.assertEqual(again, len(rules))

    def test_names_that_ship_follow_the_reader_and_own_ones_stay(self):
        company = self.env["res.company"].create({"name": "New one"})
        shipped, renamed = self.env[RULE].search([("company_id", "=", company.id)], limit=2)
        renamed.name = "Ours"
        self.env["res.lang"]._activate_lang("zh_CN")
        self.env["ir.module.module"]._load_module_terms(["customer_cost"], ["zh_CN"])
        self.assertEqual(shipped.with_context(lang="zh_CN").name, "亏损客户")
        self.assertEqual(shipped.with_context(lang="en_US").name, "Customers that lose money")
        self.assertEqual(renamed.with_context(lang="zh_CN").name, "Ours")
        stage = self.env["customer.cost.review.stage"].search([("company_id", "=", company.id)])
        self.assertEqual(stage.with_context(lang="zh_CN").name, "初审")

    def test_a_new_rule_starts_from_the_preset_of_its_metric(self):
        form = Form(self.env[RULE].with_user(self.accountant))
        form.metric = "contact"
        self.assertEqual(
            (form.name, form.operator, form.threshold), ("No contact for 90 days", "above", 90.0)
        )
        form.metric = "budget_end"
        self.assertEqual((form.operator, form.threshold), ("below", 30.0))
        form.name = "Plans that run out"
        form.metric = "overdue"
        self.assertEqual((form.name, form.days), ("Plans that run out", 60))
        rule = form.save()
        with Form(rule) as form:
            form.metric = "contact"
            self.assertEqual(form.name, "Plans that run out")
            self.assertEqual(form.operator, "above")
            self.assertEqual(form.threshold, 0.0)

    # ------------------------------------------------------------
    # Customers that change
    # ------------------------------------------------------------

    def test_alerts_follow_a_merge_and_two_become_one(self):
        rule = self.create_alert_rule(metric="cost", operator="above", threshold=0.0)
        alerts = self.alerts(rule).sorted("id")
        self.assertEqual(len(alerts), 2)
        merge = self.env["base.partner.merge.automatic.wizard"]
        merge._merge((self.customer_a + self.customer_b).ids, self.customer_a)
        self.env.invalidate_all()
        self.assertEqual(alerts.mapped("customer_id"), self.customer_a)
        self.assertEqual(alerts.mapped("lasting"), [True, False])
        self.evaluate()
        self.assertEqual(self.figures(rule), {self.customer_a: 210.0})

    def test_alerts_follow_a_customer_that_becomes_a_contact(self):
        rule = self.create_alert_rule()
        self.customer_a.write({"parent_id": self.customer_c.id, "is_company": False})
        self.assertEqual(self.alerts(rule).customer_id, self.customer_c)

    def test_alert_of_an_archived_customer_ends(self):
        rule = self.create_alert_rule()
        self.customer_a.active = False
        self.evaluate()
        self.assertEqual(self.alerts(rule).state, "resolved")
