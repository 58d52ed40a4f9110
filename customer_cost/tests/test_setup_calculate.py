from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tests import tagged

from ..models import customer_cost_setup_calculate
from .setup_common import SetupCommon

MONTH = "odoo.addons.customer_cost.models.customer_cost_setup_month.CustomerCostSetupMonth"
LOGGER = "odoo.addons.customer_cost.models.customer_cost_setup_calculate"


@tagged("post_install", "-at_install")
class TestSetupCalculate(SetupCommon):
    """History, rules and a posted run of every month that is over, whatever interrupts it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.post_two_months()
        cls.create_bill([(cls.travel, 5.0, {})], day="2025-06-10")

    def prepare(self):
        setup = self.open_setup()
        setup.action_accept_accounts()
        setup.action_accept_months()
        return setup

    def states(self, setup):
        return {str(month.date)[:7]: month.state for month in setup.month_ids}

    def profits(self):
        rows = self.env["customer.cost.profitability"]._read_group(
            [("company_id", "=", self.company.id)],
            ["customer_id"],
            ["net_sales:sum", "direct_cost:sum", "allocated_cost:sum", "full_cost:sum"],
        )
        return {customer: tuple(round(value, 2) for value in values) for customer, *values in rows}

    def test_every_customer_has_a_ladder(self):
        setup = self.calculate()
        self.assertEqual((setup.step, setup.is_running, setup.progress), ("done", False, 100))
        self.assertEqual(
            self.profits(),
            {
                self.customer_a: (600.0, 40.0, 15.02, 120.0),
                self.customer_b: (200.0, 0.0, 5.0, 40.0),
            },
        )

    def test_months_that_are_over_are_posted_and_the_open_one_is_not(self):
        setup = self.calculate()
        states = self.states(setup)
        self.assertEqual(states["2025-04"], "done")
        self.assertEqual(states["2025-05"], "done")
        self.assertEqual(states["2023-06"], "kept")
        self.assertNotIn("2025-06", states)
        self.assertEqual(len(states), 24)
        runs = self.env["customer.cost.run"].search([("company_id", "=", self.company.id)])
        self.assertEqual(sorted(runs.mapped("state")), ["posted", "posted"])
        pool = self.env["customer.cost.line"].search(
            [("company_id", "=", self.company.id), ("date", ">=", "2025-06-01")]
        )
        self.assertEqual(pool.mapped("amount"), [5.0])

    def test_the_books_tie_out(self):
        self.calculate()
        trust = self.env["customer.cost.overview"].with_user(self.manager).get_trust("rolling")
        self.assertEqual((trust["is_tied"], trust["difference"]), (True, 0.0))

    def test_two_rules_are_made(self):
        setup = self.calculate()
        rules = self.env["customer.cost.rule"].search([("company_id", "=", self.company.id)])
        self.assertEqual(rules, setup.rule_id | setup.full_cost_rule_id)
        self.assertEqual(setup.rule_id.name, "All indirect cost by net sales")
        self.assertEqual(rules.driver_id.mapped("window"), ["rolling"])
        self.assertEqual(rules.driver_id.mapped("policy"), ["zero"])
        self.assertEqual(rules.mapped("full_cost"), [False, True])
        sent = rules[0]._get_sent_items() | rules[1]._get_sent_items()
        items = self.env["customer.cost.item"].search(
            [("company_id", "in", [False, self.company.id])]
        )
        self.assertEqual(sent & items, items)

    def test_negative_customers_are_listed(self):
        self.create_sale(
            self.customer_c, quantity=2, day="2025-05-07", move_type="out_refund", post=True
        )
        setup = self.calculate()
        run = setup.month_ids.filtered(lambda month: str(month.date) == "2025-05-01").run_id
        self.assertIn(self.customer_c.name, run.step_ids[0].message)
        self.assertNotIn(self.customer_c, self.received(run))

    def test_items_that_a_rule_sends_already_are_left_to_it(self):
        own = self.create_rule(
            self.env.ref("customer_cost.driver_net_revenue"),
            self.env.ref("customer_cost.item_sal_trv"),
        )
        setup = self.calculate()
        self.assertFalse(own._get_sent_items() & setup.rule_id._get_sent_items())
        self.assertIn(self.env.ref("customer_cost.item_sal_sal"), setup.rule_id._get_sent_items())
        self.assertEqual(self.states(setup)["2025-05"], "done")

    def test_again_leaves_months_and_rules_as_they_are(self):
        setup = self.calculate()
        runs = self.env["customer.cost.run"].search([])
        setup.rule_id.share_pct = 50
        setup.full_cost_rule_id.unlink()
        setup.action_restart()
        self.calculate()
        self.assertEqual(self.env["customer.cost.run"].search([]), runs)
        self.assertEqual(self.states(setup)["2025-05"], "kept")
        rules = self.env["customer.cost.rule"].search([("company_id", "=", self.company.id)])
        self.assertEqual(rules, setup.rule_id)
        self.assertEqual(rules.share_pct, 50)

    def test_closed_periods_stay_as_they_are(self):
        period = self.env["customer.cost.period"]._get(
            self.company, self.env["customer.cost.setup"]._get_default_range(self.company)[0]
        )
        self.env.cr.execute(
            "UPDATE customer_cost_period SET state = 'closed' WHERE id = %s", period.ids
        )
        self.env.invalidate_all()
        setup = self.calculate()
        month = setup.month_ids[0]
        self.assertEqual((month.state, month.message), ("kept", "The period is closed"))

    def test_a_small_company_is_done_at_the_click(self):
        setup = self.prepare()
        with patch.object(customer_cost_setup_calculate, "BUTTON_SECONDS", 600):
            setup.action_calculate()
        self.assertEqual((setup.step, setup.is_running), ("done", False))

    def test_interrupted_it_goes_on_where_it_stopped(self):
        setup = self.prepare()
        with patch.object(customer_cost_setup_calculate, "BUTTON_SECONDS", 0):
            setup.action_calculate()
            self.assertTrue(setup.is_running)
            waiting = setup.waiting_count
            setup.action_continue()
        self.assertEqual(setup.waiting_count, waiting - 1)
        with self.assertRaisesRegex(UserError, "is running"):
            setup.action_calculate()
        self.run_cron()
        self.assertEqual((setup.step, setup.is_running), ("done", False))
        self.assertEqual(self.profits()[self.customer_a], (600.0, 40.0, 15.02, 120.0))

    def test_stopped_it_can_be_calculated_again(self):
        setup = self.prepare()
        with patch.object(customer_cost_setup_calculate, "BUTTON_SECONDS", 0):
            setup.action_calculate()
        setup.action_stop()
        self.run_cron()
        self.assertFalse(self.env["customer.cost.run"].search([]))
        setup.action_calculate()
        self.run_cron()
        self.assertEqual(self.profits()[self.customer_a], (600.0, 40.0, 15.02, 120.0))

    def start_and_stop(self, steps=0):
        """Set-up stopped after so many months of its history were brought in."""
        setup = self.prepare()
        with patch.object(customer_cost_setup_calculate, "BUTTON_SECONDS", 0):
            setup.action_calculate()
            for _step in range(steps - 1):
                setup.action_continue()
        setup.action_stop()
        return setup

    def histories(self):
        return self.env["customer.cost.history"].search([("company_id", "=", self.company.id)])

    def test_calculated_again_the_stopped_history_goes_on(self):
        setup = self.start_and_stop(2)
        history = setup.history_id
        self.assertEqual(
            (history.state, len(history.month_ids._filter_unsettled())), ("stopped", 23)
        )
        setup.action_back()
        setup.action_back()
        setup.action_accept_accounts()
        self.assertEqual(setup.captured_total, 115.01)
        setup.action_accept_months()
        setup.action_calculate()
        self.run_cron()
        self.assertEqual((self.histories(), history.state), (history, "done"))
        self.assertEqual(setup.step, "done")
        setup.action_restart()
        self.calculate()
        self.assertEqual(self.histories(), history)

    def test_a_stopped_history_of_other_months_ends_with_what_it_brought_in(self):
        setup = self.start_and_stop(2)
        history = setup.history_id
        setup.action_back()
        setup.date_from = "2025-01-01"
        self.assertEqual(self.histories(), setup.history_id | history)
        self.assertRecordValues(history, [{"state": "done", "progress": 100.0}])
        self.assertEqual(
            (str(history.date_from), str(history.date_to)), ("2025-05-01", "2025-06-15")
        )

    def test_what_was_undone_is_brought_in_again(self):
        setup = self.calculate()
        before = self.profits()
        setup.history_id.action_undo()
        with self.enter_registry_test_mode():
            self.env.ref("customer_cost.ir_cron_history").method_direct_trigger()
        self.env.invalidate_all()
        self.assertNotEqual(self.profits(), before)
        undone = setup.history_id
        setup.action_restart()
        setup.action_accept_accounts()
        setup.action_accept_months()
        setup.action_calculate()
        self.run_cron()
        self.assertEqual((undone.state, setup.step), ("undone", "done"))
        self.assertEqual(self.profits(), before)

    def test_a_stopped_history_that_brought_nothing_in_is_removed(self):
        setup = self.prepare()
        history = setup.history_id
        history.action_start()
        history.action_stop()
        setup.action_back()
        setup.date_from = "2025-01-01"
        self.assertFalse(history.exists())
        self.assertRecordValues(self.histories(), [{"id": setup.history_id.id, "state": "draft"}])

    def test_a_month_that_fails_says_why_and_is_tried_again(self):
        setup = self.prepare()
        driver = self.env.ref("customer_cost.driver_net_revenue_rolling")
        driver.policy = "refuse"
        self.create_sale(self.customer_c, day="2025-05-07", move_type="out_refund")
        setup.action_read_accounts()
        setup.action_calculate()
        self.run_cron()
        failed = setup.month_ids.filtered(lambda month: month.state == "failed")
        self.assertEqual([str(month.date) for month in failed], ["2025-05-01"])
        self.assertIn(self.customer_c.name, failed.message)
        self.assertEqual((setup.step, setup.failed_count), ("calculate", 1))
        driver.policy = "zero"
        setup.action_calculate()
        self.run_cron()
        self.assertEqual((setup.step, setup.failed_count), ("done", 0))

    def test_an_unexpected_error_is_stored_and_logged(self):
        setup = self.prepare()
        with (
            patch(f"{MONTH}._calculate", side_effect=KeyError("what is this")),
            self.assertLogs(LOGGER, "ERROR"),
        ):
            setup.action_calculate()
            self.run_cron()
        self.assertEqual(set(self.states(setup).values()), {"failed"})
        self.assertIn("what is this", setup.month_ids[0].message)

    def test_it_runs_as_the_person_who_asked(self):
        setup = self.prepare()
        with patch.object(customer_cost_setup_calculate, "BUTTON_SECONDS", 0):
            setup.action_calculate()
        self.run_cron()
        runs = self.env["customer.cost.run"].search([])
        self.assertEqual(runs.posted_by, self.manager)

    def test_who_lost_the_role_meanwhile_posts_nothing(self):
        setup = self.prepare()
        with patch.object(customer_cost_setup_calculate, "BUTTON_SECONDS", 0):
            setup.action_calculate()
        self.manager.group_ids -= self.env.ref("customer_cost.group_customer_cost_manager")
        self.run_cron()
        setup = setup.with_user(self.env.user)
        self.assertFalse(setup.is_running)
        self.assertRegex(setup.message, "no cost manager of the company any more")
        self.assertFalse(self.env["customer.cost.run"].search([("state", "=", "posted")]))

    def test_a_scheduler_that_is_off_is_noticed(self):
        setup = self.prepare()
        with patch.object(customer_cost_setup_calculate, "BUTTON_SECONDS", 0):
            setup.action_calculate()
        for threads, stalled in ((2, False), (0, True)):
            with patch.dict(
                customer_cost_setup_calculate.config.options, {"max_cron_threads": threads}
            ):
                setup.invalidate_recordset()
                self.assertEqual(setup.is_stalled, stalled)

    def test_months_that_are_not_over_are_refused(self):
        setup = self.open_setup()
        setup.action_accept_accounts()
        setup.write({"date_from": "2025-06-01"})
        with self.assertRefused("No month between.*choose an earlier|Choose an earlier"):
            setup.action_accept_months()

    def test_an_empty_company_has_nothing_to_post(self):
        self.env["account.move"].search([("company_id", "=", self.company.id)]).button_draft()
        setup = self.calculate()
        self.assertEqual(set(self.states(setup).values()), {"kept"})
        self.assertEqual(setup.step, "done")
        self.assertFalse(self.env["customer.cost.run"].search([]))
