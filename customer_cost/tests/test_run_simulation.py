from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import CustomerCostCommon


@tagged("post_install", "-at_install")
class TestRunSimulation(CustomerCostCommon):
    """A simulation changes its own inputs and nothing else."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.driver = cls.create_driver({cls.customer_a: 1, cls.customer_b: 3})
        cls.rule = cls.create_rule(cls.driver, name="Travel")
        cls.other_rule = cls.create_rule(cls.driver, cls.other_item, name="Advertising")
        cls.create_entry_move([(cls.expense_account, 100, {}), (cls.other_account, 40, {})])
        cls.posted = cls.create_run(post=True)

    def simulate(self, *changes, compute=True):
        return self.create_run(
            kind="simulation",
            compute=compute,
            override_ids=[
                Command.create({"sequence": place, **vals}) for place, vals in enumerate(changes)
            ],
        )

    def amounts(self, run):
        received = self.received(run)
        return [received.get(customer, 0) for customer in (self.customer_a, self.customer_b)]

    def assertNothingReal(self):
        self.env.invalidate_all()
        self.assertEqual(self.amounts(self.posted), [35, 105])
        self.assertEqual((self.rule | self.other_rule).mapped("share_pct"), [100, 100])
        self.assertTrue(self.rule.active)
        self.assertEqual(self.rule.driver_id, self.driver)

    def test_without_changes_it_is_the_posted_run(self):
        run = self.simulate()
        self.assertEqual((run.signature, self.amounts(run)), (self.posted.signature, [35, 105]))

    def test_every_change(self):
        other = self.create_driver({self.customer_a: 1, self.customer_c: 1})
        rule = {"rule_id": self.rule.id}
        for change, expected in (
            ({"kind": "rule_share", **rule, "value": 40}, [20, 60]),
            ({"kind": "rule_off", **rule}, [10, 30]),
            ({"kind": "rule_driver", **rule, "driver_id": other.id}, [60, 30]),
            ({"kind": "pool_pct", "item_id": self.item.id, "value": -10}, [32.5, 97.5]),
            ({"kind": "pool_add", "item_id": self.item.id, "value": 20}, [40, 120]),
            ({"kind": "quantity", "customer_id": self.customer_a.id, "value": 5}, [87.5, 52.5]),
            (
                {
                    "kind": "quantity",
                    "customer_id": self.customer_a.id,
                    "driver_id": other.id,
                    "value": 5,
                },
                [35, 105],
            ),
        ):
            with self.subTest(change=change):
                run = self.simulate(change)
                self.assertEqual(self.amounts(run), expected)
                self.assertNothingReal()

    def test_terms_of_a_customer_are_left_out_with_one_rule_or_all(self):
        self.env["customer.cost.term"].create(
            [
                {
                    "company_id": self.company.id,
                    "customer_id": self.customer_a.id,
                    "rule_id": rule.id,
                    "kind": "exempt",
                }
                for rule in self.rule | self.other_rule
            ]
        )
        self.assertEqual(self.amounts(self.simulate()), [0, 140])
        change = {"kind": "terms_off", "customer_id": self.customer_a.id}
        run = self.simulate(change)
        self.assertEqual(self.amounts(run), [35, 105])
        self.assertFalse(any(run.step_ids.mapped("terms")))
        run = self.simulate({**change, "rule_id": self.rule.id})
        self.assertEqual(self.amounts(run), [25, 115])

    def test_terms_hold_with_another_driver(self):
        self.env["customer.cost.term"].create(
            {
                "company_id": self.company.id,
                "customer_id": self.customer_b.id,
                "rule_id": self.rule.id,
                "kind": "fixed_amount",
                "amount": 25,
            }
        )
        other = self.create_driver({self.customer_a: 1})
        run = self.simulate({"kind": "rule_driver", "rule_id": self.rule.id, "driver_id": other.id})
        self.assertEqual(self.amounts(run), [85, 55])

    def test_amount_added_behaves_as_the_cost_item(self):
        self.item.write({"behaviour": "mixed", "fixed_pct": 25})
        self.rule.behaviour = "fixed"
        run = self.simulate({"kind": "pool_add", "item_id": self.item.id, "value": 20})
        self.assertEqual((run.pool_total, run.step_ids[0].sent), (160, 30))

    def test_changes_are_made_in_their_order(self):
        pool = {"item_id": self.item.id}
        run = self.simulate(
            {"kind": "pool_add", **pool, "value": 100}, {"kind": "pool_pct", **pool, "value": 50}
        )
        self.assertEqual(run.pool_total, 340)
        run = self.simulate(
            {"kind": "pool_pct", **pool, "value": 50}, {"kind": "pool_add", **pool, "value": 100}
        )
        self.assertEqual(run.pool_total, 290)

    def test_pool_of_an_item_changes_with_its_sub_items(self):
        parent = self.create_item("T-PAR", "Parent")
        self.item.parent_id = parent
        run = self.simulate({"kind": "pool_pct", "item_id": parent.id, "value": 100})
        self.assertEqual(run.pool_total, 240)

    def test_plan_of_a_future_month_lives_on_what_it_adds(self):
        plan = self.create_run(
            "2030-01-31",
            kind="plan",
            override_ids=[
                Command.create({"kind": "pool_add", "item_id": self.item.id, "value": 500})
            ],
        )
        self.assertEqual((plan.pool_total, plan.sent_total), (500, 500))

    def test_other_changes_make_it_a_draft_again(self):
        run = self.simulate({"kind": "rule_share", "rule_id": self.rule.id, "value": 40})
        for act in (
            lambda: run.override_ids.write({"value": 50}),
            lambda: run.write(
                {
                    "override_ids": [
                        Command.create({"kind": "rule_off", "rule_id": self.other_rule.id})
                    ]
                }
            ),
            lambda: run.override_ids[0].unlink(),
        ):
            act()
            self.assertEqual(run.state, "draft")
            self.assertFalse(run.step_ids)
            run.action_compute()

    def test_steps_say_what_was_changed(self):
        run = self.simulate({"kind": "rule_share", "rule_id": self.rule.id, "value": 40})
        self.assertIn("Travel sends 40 %", run.step_ids[0].rule_text)
        self.assertNotIn("40 %", run.step_ids[1].rule_text)

    def test_simulation_of_a_run_takes_its_changes_along(self):
        run = self.simulate({"kind": "rule_share", "rule_id": self.rule.id, "value": 40})
        action = run.with_user(self.users["accountant"]).action_simulate()
        again = self.env["customer.cost.run"].browse(action["res_id"])
        self.assertEqual((again.kind, again.state, again.date), ("simulation", "draft", run.date))
        self.assertEqual(again.override_ids.mapped("value"), [40])
        self.assertEqual(len(run.override_ids), 1)

    def test_actual_run_takes_no_change(self):
        run = self.create_run(compute=False)
        change = {"kind": "rule_off", "rule_id": self.rule.id}
        for act in (
            lambda: run.write({"override_ids": [Command.create(change)]}),
            lambda: self.simulate(change).override_ids.write({"run_id": run.id}),
        ):
            with (
                self.assertNothingChanged(),
                self.assertRaisesText(ValidationError, "is an actual run"),
            ):
                act()
        self.assertFalse(run.override_ids)

    def test_bad_changes_are_refused_when_saved(self):
        for change, message in (
            ({"kind": "rule_off"}, "Rule left out: choose Rule"),
            ({"kind": "rule_driver", "rule_id": self.rule.id}, "choose Driver"),
            ({"kind": "pool_pct", "value": 1}, "choose Cost Item"),
            ({"kind": "quantity", "value": 1}, "choose Customer"),
            ({"kind": "terms_off"}, "Terms of a customer left out: choose Customer"),
            (
                {"kind": "rule_share", "rule_id": self.rule.id, "value": 101},
                "share of Travel lies above 0 and not above 100",
            ),
            (
                {"kind": "quantity", "customer_id": self.customer_a.id, "value": -1},
                "factor of Cost Customer A is not below 0",
            ),
        ):
            with (
                self.subTest(change=change),
                self.assertNothingChanged(),
                self.assertRaisesText(ValidationError, message),
            ):
                self.simulate(change, compute=False)

    def test_rule_of_the_root_company_is_simulated_in_its_branch_and_no_other_one(self):
        branch, other = self.env["res.company"].create(
            [{"name": "Branch", "parent_id": self.company.id}, {"name": "Elsewhere"}]
        )
        self.env.user.company_ids |= branch | other
        change = Command.create({"kind": "rule_off", "rule_id": self.rule.id})
        vals = {"kind": "simulation", "date": "2025-03-31", "override_ids": [change]}
        run = self.env["customer.cost.run"].create({**vals, "company_id": branch.id})
        run.action_compute()
        self.assertEqual(run.step_ids.rule_id, self.other_rule)
        with self.assertRaisesText(ValidationError, "Rule Travel does not apply to Elsewhere"):
            self.env["customer.cost.run"].create({**vals, "company_id": other.id})

    def test_measured_rule_stays_measured_by_another_driver(self):
        self.rule.write({"method": "predetermined", "unit_rate": 5})
        other = self.create_driver({self.customer_a: 1, self.customer_c: 1})
        run = self.simulate({"kind": "rule_driver", "rule_id": self.rule.id, "driver_id": other.id})
        self.assertEqual(run.step_ids[0].received, 10)
        self.assertIn("goes by", run.step_ids[0].rule_text)

    def test_shares_raised_above_100_are_refused_like_real_ones(self):
        self.rule.share_pct = 50
        self.create_rule(self.driver, name="Rest", share_pct=50)
        run = self.simulate(
            {"kind": "rule_share", "rule_id": self.rule.id, "value": 60}, compute=False
        )
        with self.assertRaisesText(UserError, "is sent to 110 % by Travel, Rest"):
            run.action_compute()

    @mute_logger("odoo.addons.base.models.ir_model", "odoo.addons.base.models.ir_rule")
    def test_only_accountants_simulate_in_their_companies(self):
        run = self.simulate({"kind": "rule_off", "rule_id": self.rule.id})
        for role in ("auditor", "cost_user", "rep", "internal"):
            with self.subTest(role=role), self.assertRaises(AccessError):
                self.rpc(self.users[role], "customer.cost.run", "action_simulate", run.ids)
        other = self.env["res.company"].create({"name": "Elsewhere"})
        self.users["accountant"].write(
            {"company_ids": [Command.set(other.ids)], "company_id": other.id}
        )
        with self.assertRaises(AccessError):
            self.rpc(
                self.users["accountant"],
                "customer.cost.run.override",
                "write",
                run.override_ids.ids,
                {"value": 1},
            )
