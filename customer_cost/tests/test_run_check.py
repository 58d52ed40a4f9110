from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import CustomerCostCommon


@tagged("post_install", "-at_install")
class TestRunCheck(CustomerCostCommon):
    """Everything that stands against a run is listed at once, each with its record."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.driver = cls.create_driver({cls.customer_a: 1, cls.customer_b: 3})
        cls.create_entry_move([(cls.expense_account, 100, {})])

    def problems(self, run, button="action_check"):
        action = getattr(run.with_user(self.users["accountant"]), button)()
        self.assertEqual(action["res_model"], "customer.cost.run.check")
        return self.env["customer.cost.run.check"].browse(action["res_id"])

    def assertListed(self, check, *expected):
        """``expected``: (severity, record, part of the text), in this order."""
        self.assertEqual(len(check.line_ids), len(expected), check.line_ids.mapped("text"))
        for line, (severity, record, text) in zip(check.line_ids, expected, strict=True):
            self.assertEqual(line.severity, severity)
            self.assertIn(text, line.text)
            action = line.action_open()
            self.assertEqual((action["res_model"], action["res_id"]), (record._name, record.id))

    def test_sound_run_has_no_problem(self):
        self.create_rule(self.driver)
        check = self.problems(self.create_run(compute=False))
        self.assertFalse(check.line_ids)

    def test_every_problem_is_listed_at_once(self):
        empty = self.create_driver(name="Empty")
        minus = self.create_driver({self.customer_a: 1, self.customer_b: -2}, name="Minus")
        first = self.create_rule(self.driver, name="First", share_pct=60)
        self.create_rule(self.driver, name="Second", share_pct=60)
        refused = self.create_rule(minus, self.other_item, name="Minus", share_pct=10)
        self.create_rule(empty, self.other_item, name="Nothing", share_pct=10)
        nobody = self.create_rule(
            self.driver,
            self.other_item,
            name="Nobody",
            share_pct=10,
            receiver_domain="[('id', '=', 0)]",
        )
        late = self.create_rule(
            self.driver, self.other_item, name="Late", share_pct=5, next_review_date="2025-01-31"
        )
        self.create_entry_move([(self.other_account, 60, {})])
        self.map_account(self.unmapped_account, self.create_item("T-NEW", "New"))
        self.create_entry_move([(self.unmapped_account, 7, {})])
        item = self.env["customer.cost.item"].search([("code", "=", "T-NEW")])
        run = self.create_run(compute=False)
        self.close_period()
        check = self.problems(run, "action_compute_checked")
        self.assertListed(
            check,
            ("error", run.period_id, "is closed"),
            ("error", first, "is sent to 120 % by First, Second"),
            ("error", minus, "negative for Cost Customer B (-2)"),
            ("warning", item, "7.00"),
            ("warning", empty, "Driver Empty"),
            ("warning", nobody, "Rule Nobody has no receiver"),
            ("warning", late, "Rule Late should have been looked at again on 01/31/2025"),
        )
        self.assertEqual((check.error_count, check.warning_count), (3, 4))
        self.assertEqual(run.state, "draft")
        self.assertFalse(run.step_ids)
        self.assertTrue(refused)

    def test_computing_refuses_errors_and_names_them_all(self):
        self.create_rule(self.driver, name="First", share_pct=60)
        self.create_rule(self.driver, name="Second", share_pct=60)
        minus = self.create_driver({self.customer_a: 1, self.customer_b: -2})
        self.create_rule(minus, self.other_item)
        run = self.create_run(compute=False)
        message = r"(?s)is sent to 120 %.*\n.*negative for Cost Customer B"
        with self.assertNothingChanged(), self.assertRaisesText(UserError, message):
            run.action_compute()
        self.assertEqual(run.state, "draft")

    def test_terms_that_claim_more_than_there_is(self):
        rule = self.create_rule(self.driver, name="Terms")
        self.env["customer.cost.term"].create(
            {
                "company_id": self.company.id,
                "customer_id": self.customer_a.id,
                "rule_id": rule.id,
                "kind": "fixed_amount",
                "amount": 250,
            }
        )
        run = self.create_run(compute=False)
        check = self.problems(run, "action_compute_checked")
        self.assertListed(check, ("error", rule, "contract terms claim"))
        with self.assertNothingChanged(), self.assertRaisesText(UserError, "250.00"):
            run.action_compute()

    def test_warnings_pass(self):
        self.create_rule(self.driver, self.other_item, next_review_date="2025-01-31")
        run = self.create_run(compute=False)
        check = self.problems(run)
        self.assertEqual((check.error_count, check.warning_count), (0, 2))
        check.action_compute()
        self.assertEqual((run.state, run.unsent_total), ("computed", 100))

    def test_form_button_computes_where_nothing_stands_against_it(self):
        self.create_rule(self.driver)
        run = self.create_run(compute=False)
        self.assertFalse(run.action_compute_checked())
        self.assertEqual(run.state, "computed")

    def test_driver_whose_documents_are_not_installed(self):
        driver = self.env.ref("customer_cost.driver_net_revenue").copy({"code": "T-GONE"})
        rule = self.create_rule(driver, name="Gone", share_pct=50)
        self.create_rule(self.driver, name="Other", share_pct=60)
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE customer_cost_driver SET model_id = NULL, model_name = 'gone.model'"
            " WHERE id = %s",
            [driver.id],
        )
        self.env.invalidate_all()
        run = self.create_run(compute=False)
        [line] = self.problems(run).line_ids
        self.assertEqual((line.severity, line.res_id), ("error", driver.id))
        self.assertIn("gone.model is not installed any more", line.text)
        with (
            self.assertNothingChanged(),
            self.assertRaisesText(UserError, "is not installed any more"),
        ):
            run.action_compute()
        rule.active = False
        run.action_compute()
        self.assertEqual(run.sent_total, 60)

    def test_item_that_became_corporate_after_a_rule_charges_it(self):
        charged = self.create_item("T-CHG", "Charged")
        rule = self.create_rule(self.driver, charge_item_id=charged.id)
        self.create_rule(self.driver, name="Other", share_pct=10)
        charged.level = "corporate"
        run = self.create_run(compute=False)
        message = "reaches customers only by a rule marked Full Cost"
        self.assertListed(self.problems(run), ("error", rule, message))
        with self.assertNothingChanged(), self.assertRaisesText(UserError, message):
            run.action_compute()

    def test_posted_run_is_not_checked(self):
        self.create_rule(self.driver)
        run = self.create_run(post=True)
        for button in ("action_check", "action_compute_checked"):
            with self.subTest(button=button), self.assertRaisesText(UserError, "is Posted"):
                getattr(run, button)()
