from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import CustomerCostCommon


@tagged("post_install", "-at_install")
class TestRunComparison(CustomerCostCommon):
    """Two runs compare per customer and item, and every difference is explained to the cent."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.driver = cls.create_driver({cls.customer_a: 1, cls.customer_b: 3})
        cls.rule = cls.create_rule(cls.driver)
        cls.create_entry_move([(cls.expense_account, 100, {})])
        cls.first = cls.create_run(post=True)

    def compare(self, run, other=None, role="accountant"):
        """Lines of the comparison from ``other`` to ``run``, as dict of customer to figures."""
        wizard = (
            self.env["customer.cost.run.compare"]
            .with_user(self.users[role])
            .create({"run_id": run.id, **({"other_run_id": other.id} if other else {})})
        )
        self.assertEqual(wizard.other_run_id, other or self.first)
        action = wizard.action_compare()
        self.assertEqual(action["res_model"], "customer.cost.run.comparison.line")
        lines = (
            self.env["customer.cost.run.comparison.line"]
            .with_user(self.users[role])
            .search(action["domain"])
        )
        for line in lines:
            self.assertEqual(round(line.after - line.before, 2), round(line.difference, 2))
            if action["context"]["is_split"]:
                parts = line.cost_change + line.driver_change + line.rule_change
                self.assertEqual(round(parts, 2), round(line.difference, 2))
        self.is_split = action["context"]["is_split"]
        return {
            (line.customer_id, line.item_id): (
                line.before,
                line.after,
                line.cost_change,
                line.driver_change,
                line.rule_change,
            )
            for line in lines
        }

    def test_cost_driver_and_rule_changes_are_told_apart(self):
        self.create_entry_move([(self.expense_account, 100, {})])
        self.driver.value_ids[1].quantity = 1
        self.rule.share_pct = 50
        self.assertEqual(
            self.compare(self.create_run()),
            {
                (self.customer_a, self.item): (25, 50, 25, 50, -50),
                (self.customer_b, self.item): (75, 50, 75, -50, -50),
            },
        )

    def test_new_customer_item_and_rule(self):
        self.env["customer.cost.driver.value"].create(
            {
                "driver_id": self.driver.id,
                "customer_id": self.customer_c.id,
                "quantity": 4,
                "date": "2025-03-31",
                "company_id": self.company.id,
            }
        )
        self.create_rule(self.driver, self.other_item, name="New")
        self.create_entry_move([(self.other_account, 80, {})])
        self.assertEqual(
            self.compare(self.create_run()),
            {
                (self.customer_a, self.item): (25, 12.5, 0, -12.5, 0),
                (self.customer_b, self.item): (75, 37.5, 0, -37.5, 0),
                (self.customer_c, self.item): (0, 50, 0, 50, 0),
                (self.customer_a, self.other_item): (0, 10, 0, 0, 10),
                (self.customer_b, self.other_item): (0, 30, 0, 0, 30),
                (self.customer_c, self.other_item): (0, 40, 0, 0, 40),
            },
        )

    def test_simulation_is_compared_with_the_posted_version(self):
        run = self.create_run(
            kind="simulation",
            override_ids=[
                Command.create({"kind": "rule_share", "rule_id": self.rule.id, "value": 50})
            ],
        )
        self.assertEqual(
            self.compare(run),
            {
                (self.customer_a, self.item): (25, 12.5, 0, 0, -12.5),
                (self.customer_b, self.item): (75, 37.5, 0, 0, -37.5),
            },
        )

    def test_simulated_driver_is_a_change_of_the_rule(self):
        other = self.create_driver({self.customer_a: 1, self.customer_b: 1})
        run = self.create_run(
            kind="simulation",
            override_ids=[
                Command.create(
                    {"kind": "rule_driver", "rule_id": self.rule.id, "driver_id": other.id}
                )
            ],
        )
        self.assertEqual(self.compare(run)[self.customer_a, self.item], (25, 50, 0, 0, 25))

    def test_months_compare_and_a_run_with_the_version_before(self):
        self.driver.value_ids.copy({"date": "2025-04-30"})
        self.create_entry_move([(self.expense_account, 10, {})], "2025-04-10")
        april = self.create_run("2025-04-30")
        self.assertEqual(
            self.compare(april, self.first)[self.customer_a, self.item], (25, 2.5, -22.5, 0, 0)
        )
        self.create_entry_move([(self.expense_account, 20, {})])
        second = self.create_run(post=True)
        self.assertEqual(second._get_comparable(), self.first)
        self.assertEqual(self.first._get_comparable(), second)

    def test_runs_without_frozen_inputs_compare_without_a_split(self):
        self.first._unguarded().snapshot = False
        self.rule.share_pct = 50
        lines = self.compare(self.create_run())
        self.assertFalse(self.is_split)
        self.assertEqual(lines[self.customer_a, self.item][:2], (25, 12.5))

    def test_mixture_that_cannot_be_computed_counts_with_the_next_one(self):
        self.create_rule(self.driver, self.other_item, name="One", share_pct=60)
        two = self.create_rule(self.driver, self.other_item, name="Two", share_pct=60)
        first = self.create_run()
        self.create_entry_move([(self.other_account, 100, {})])
        two.active = False
        lines = self.compare(self.create_run(), first)
        self.assertTrue(self.is_split)
        self.assertEqual(lines[self.customer_a, self.other_item], (0, 15, 0, 0, 15))

    def test_merged_customers_are_compared_as_one(self):
        self.env["base.partner.merge.automatic.wizard"].create({})._merge(
            (self.customer_a | self.customer_c).ids, self.customer_c
        )
        self.rule.share_pct = 50
        lines = self.compare(self.create_run())
        self.assertEqual(
            lines,
            {
                (self.customer_b, self.item): (75, 37.5, 0, 0, -37.5),
                (self.customer_c, self.item): (25, 12.5, 0, 0, -12.5),
            },
        )

    def test_what_cannot_be_compared_is_refused(self):
        draft = self.create_run(compute=False)
        other = self.env["res.company"].create({"name": "Elsewhere"})
        self.env.user.company_ids |= other
        elsewhere = self.env["customer.cost.run"].create(
            {"company_id": other.id, "date": "2025-03-31"}
        )
        elsewhere.action_compute()
        for run, message in (
            (draft, "is not computed yet"),
            (self.first, "Choose another run of"),
            (elsewhere, "Choose another run of"),
        ):
            with self.assertNothingChanged(), self.assertRaisesText(UserError, message):
                self.first._compare_with(run)
        with self.assertRaisesText(UserError, "is not computed yet"):
            draft.action_compare()

    def test_accountant_manager_and_auditor_compare(self):
        run = self.create_run()
        for role in ("accountant", "manager", "auditor"):
            with self.subTest(role=role):
                self.assertEqual(len(self.compare(run, role=role)), 2)
        for role in ("rep", "cost_user", "reviewer", "internal"):
            with (
                self.subTest(role=role),
                mute_logger("odoo.addons.base.models.ir_model"),
                self.assertRaises(AccessError),
            ):
                self.rpc(self.users[role], "customer.cost.run", "action_compare", run.ids)

    @mute_logger("odoo.addons.base.models.ir_model", "odoo.addons.base.models.ir_rule")
    def test_run_of_another_company_is_not_compared(self):
        other = self.env["res.company"].create({"name": "Elsewhere"})
        run = self.create_run()
        self.users["accountant"].write(
            {"company_ids": [Command.set(other.ids)], "company_id": other.id}
        )
        with self.assertRaises(AccessError):
            self.rpc(
                self.users["accountant"],
                "customer.cost.run.compare",
                "create",
                {"run_id": run.id, "other_run_id": self.first.id},
            )

    def test_old_comparisons_go(self):
        comparison = self.create_run()._compare_with(self.first)
        lines = self.env["customer.cost.run.comparison.line"]
        domain = [("comparison_id", "=", comparison.id)]
        comparison.sudo()._gc_comparisons()
        self.assertEqual(lines.search_count(domain), 2)
        old = fields.Datetime.now() - timedelta(days=8)
        self.env.cr.execute(
            "UPDATE customer_cost_run_comparison SET create_date = %s WHERE id = %s",
            [old, comparison.id],
        )
        self.env.invalidate_all()
        comparison.sudo()._gc_comparisons()
        self.assertFalse(comparison.exists())
        self.assertFalse(lines.search_count(domain))
