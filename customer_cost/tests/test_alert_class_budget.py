from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from .alert_common import AlertCommon

ALERT = "customer.cost.alert"
QUIET = ("odoo.addons.base.models.ir_model", "odoo.addons.base.models.ir_rule")


@tagged("post_install", "-at_install")
class TestAlertClassBudget(AlertCommon):
    """The budget of a class has alerts of its own: they name the budget and no customer."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.tag = cls.env["res.partner.category"].create({"name": "Watched class"})
        (cls.customer_a + cls.customer_b).category_id = [Command.link(cls.tag.id)]
        # costs from the day on which the customers are of the class
        cls.create_cost(date="2025-06-15", amount=200.0, post=True)
        cls.create_cost(date="2025-06-15", amount=10.0, customer_id=cls.customer_b.id, post=True)
        cls.budget = cls.create_budget(200.0, category_id=cls.tag.id)

    @classmethod
    def create_budget(cls, planned, **vals):
        budget = (
            cls.env["customer.cost.budget"]
            .with_user(cls.accountant)
            .create(
                {
                    "name": "Class plan",
                    "company_id": cls.company.id,
                    "date_from": "2025-06-01",
                    "date_to": "2025-06-30",
                    "line_ids": [Command.create({"month": "2025-06-01", "planned": planned})],
                    **vals,
                }
            )
        )
        budget.with_user(cls.manager).action_confirm()
        return budget

    def watch(self, threshold=100.0, **vals):
        vals = {"metric": "budget", "operator": "above", "window": "month", **vals}
        return self.create_alert_rule(threshold=threshold, **vals)

    def test_budget_use_of_a_class_is_an_alert_of_the_budget(self):
        rule = self.watch()
        alert = self.alerts(rule)
        self.assertEqual((alert.budget_id, alert.figure), (self.budget, 105.0))
        self.assertFalse(alert.customer_id)
        self.assertEqual(alert.display_name, "Loses money: Class plan")
        action = alert.with_user(self.users["cost_user"]).action_open_customer()
        self.assertEqual(
            (action["res_model"], action["res_id"]), (self.budget._name, self.budget.id)
        )

    def test_class_and_customer_budgets_are_alerted_of_side_by_side(self):
        self.create_budget(100.0, customer_id=self.customer_a.id, name="Own plan")
        other = self.create_budget(150.0, category_id=self.tag.id, name="Second class plan")
        alerts = self.alerts(self.watch())
        self.assertEqual(alerts.customer_id, self.customer_a)
        self.assertEqual(alerts.budget_id, self.budget + other)
        self.assertEqual(sorted(alerts.mapped("figure")), [105.0, 140.0, 400.0])

    def test_one_alert_while_it_lasts_which_closes_itself_and_comes_back(self):
        rule = self.watch()
        alert = self.alerts(rule)
        self.create_cost(date="2025-06-15", amount=40.0, post=True)
        self.evaluate()
        self.assertEqual((self.alerts(rule), alert.figure), (alert, 125.0))
        self.budget.with_user(self.manager).action_close()
        self.evaluate("2025-06-16")
        self.assertEqual((alert.state, alert.lasting), ("resolved", False))
        self.budget.sudo()._unguarded().state = "confirmed"
        self.evaluate("2025-06-17")
        self.assertEqual((self.alerts(rule), alert.state), (alert, "new"))

    def test_a_class_budget_that_ends_with_money_left(self):
        self.create_budget(900.0, category_id=self.tag.id, name="Spare")
        rule = self.watch(16.0, metric="budget_end", operator="below")
        alert = self.alerts(rule)
        self.assertEqual((alert.budget_id.name, alert.figure), ("Spare", 15.0))

    def test_a_rule_for_some_customers_or_a_check_of_one_looks_at_no_class(self):
        domain = f"[('id', '=', {self.customer_a.id})]"
        self.assertFalse(self.alerts(self.watch(customer_domain=domain)))
        rule = self.watch(on=False)
        rule._unguarded().state = "on"
        self.customer_a.with_user(self.rep).action_check_customer_cost_alerts()
        self.assertFalse(self.alerts(rule))

    def test_who_confirmed_the_budget_is_told_and_who_may_not_know_is_not(self):
        told = self.users["cost_user"] + self.rep
        alert = self.alerts(self.watch(user_ids=[Command.set(told.ids)]))
        self.assertEqual(alert.owner_id, self.manager)
        self.assertEqual(alert.activity_ids.user_id, self.manager + self.users["cost_user"])
        self.assertIn(self.rep, alert.rule_id.left_out_user_ids)
        alert = self.alerts(self.watch(tell_salesperson=False, user_id=self.accountant.id))
        self.assertEqual(alert.owner_id, self.accountant)

    def test_read_by_who_may_read_the_budget(self):
        alert = self.alerts(self.watch())
        for role in ("cost_user", "accountant", "manager", "auditor"):
            user = self.users[role]
            [row] = self.rpc(user, ALERT, "read", alert.ids, ["budget_id", "figure_text"])
            self.assertEqual(row["budget_id"], (self.budget.id, "Class plan"), role)
        self.assertFalse(self.env[ALERT].with_user(self.rep).search([("id", "in", alert.ids)]))
        for role in ("rep", "reviewer", "internal"):
            with mute_logger(*QUIET), self.assertRaises(AccessError):
                self.rpc(self.users[role], ALERT, "read", alert.ids, ["figure"])
        self.rpc(self.users["cost_user"], ALERT, "action_acknowledge", alert.ids)
        self.assertEqual(alert.owner_id, self.manager)
        self.assertEqual(alert.state, "acknowledged")

    def test_the_preview_names_the_budget(self):
        rule = self.watch(on=False)
        action = rule.action_preview()
        rows = self.env[action["res_model"]].with_user(self.manager).search(action["domain"])
        self.assertEqual((rows.budget_id, rows.figure), (self.budget, 105.0))
        self.assertFalse(rows.customer_id)

    def test_the_mail_names_the_budget(self):
        self.watch(by_mail=True)
        mail = self.env["mail.mail"].sudo().search([("subject", "like", "Customer cost:")])
        self.assertEqual(mail.recipient_ids, self.manager.partner_id)
        self.assertIn("Class plan", mail.body_html)
