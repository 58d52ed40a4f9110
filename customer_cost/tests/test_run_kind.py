from freezegun import freeze_time

from odoo.exceptions import UserError, ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .tie_out_common import TieOutCommon

BALANCE = ("allocated_cost", "full_cost")


@tagged("post_install", "-at_install")
@freeze_time("2025-06-15")
class TestRunKind(TieOutCommon):
    """Simulations and plans are computed like any run and count nowhere."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.driver = cls.create_driver({cls.customer_a: 1, cls.customer_b: 3})
        cls.rule = cls.create_rule(cls.driver, carry_forward=True)
        cls.create_entry_move([(cls.expense_account, 100, {})])

    def figures(self):
        """Everything that reads runs, as the people who read it see it."""
        self.refresh_figures()
        company = [("company_id", "=", self.company.id)]

        def sums(model, groups, *fields):
            return self.env[model]._read_group(company, groups, [f"{name}:sum" for name in fields])

        return {
            "analysis": sums("customer.cost.analysis", ["customer_id", "layer"], "amount"),
            "profitability": sums(
                "customer.cost.profitability", ["customer_id"], "allocated_cost", "profit"
            ),
            "items": sums("customer.cost.item.month", ["item_id", "layer"], "amount"),
            "balance": sums("customer.cost.balance", ["customer_id"], *BALANCE),
            "tie_out": self.tie_out(),
            "until": self.env["customer.cost.figures"]._get_allocated_until(),
            "rep": self.env["customer.cost.allocation"]
            .with_user(self.users["rep"])
            .search([])
            .mapped("amount"),
        }

    def test_neither_simulation_nor_plan_counts_anywhere(self):
        for posted in (False, True):
            with self.subTest(posted=posted):
                if posted:
                    self.create_run(post=True)
                before = self.figures()
                for kind in ("simulation", "plan"):
                    for day in ("2025-03-31", "2025-04-30"):
                        run = self.create_run(day, kind=kind)
                        self.assertEqual(run.state, "computed")
                self.assertEqual(self.figures(), before)

    def test_simulation_takes_nothing_from_later_months(self):
        self.driver.value_ids.copy({"date": "2025-04-30"})
        self.create_run(kind="simulation")
        april = self.create_run("2025-04-30")
        self.assertEqual((april.carried_total, april.sent_total), (100, 100))

    def test_simulation_and_plan_are_never_posted(self):
        for kind in ("simulation", "plan"):
            run = self.create_run(kind=kind)
            with (
                self.subTest(kind=kind),
                self.assertNothingChanged(),
                self.assertRaisesText(UserError, "is not an actual run: it is never posted"),
            ):
                run.action_post()
            self.assertEqual(run.state, "computed")

    def test_database_refuses_a_posted_simulation(self):
        run = self.create_run(kind="simulation")
        self.env.flush_all()
        with mute_logger("odoo.sql_db"), self.assertRaises(Exception) as caught:
            self.env.cr.execute(
                "UPDATE customer_cost_run SET state = 'posted' WHERE id = %s", [run.id]
            )
        self.assertIn("only_actual_is_posted", str(caught.exception))

    def test_kind_is_chosen_once(self):
        run = self.create_run(kind="simulation")
        with (
            self.assertNothingChanged(),
            self.assertRaisesText(UserError, "The kind of a run is chosen when it is made"),
        ):
            run.kind = "actual"
        run.write({"kind": "simulation"})
        self.assertEqual((run.kind, run.state), ("simulation", "computed"))

    def test_versions_are_counted_per_kind(self):
        actual = self.create_run()
        simulations = self.create_run(kind="simulation") | self.create_run(kind="simulation")
        self.assertEqual(simulations.mapped("version"), [1, 2])
        self.assertEqual(self.create_run().version, 2)
        self.assertIn("2025-03 v1", actual.display_name)
        self.assertIn("2025-03 Simulation 2", simulations[1].display_name)

    def test_closed_month_is_simulated_and_not_computed(self):
        self.close_period()
        run = self.create_run(kind="simulation")
        self.assertEqual((run.state, run.received_total), ("computed", 100))
        with self.assertRaisesText(UserError, "is closed"):
            self.create_run()

    def test_only_a_plan_lies_in_the_future(self):
        plan = self.create_run("2025-09-30", kind="plan")
        self.assertEqual((plan.state, plan.pool_total, plan.carried_total), ("computed", 0, 100))
        for kind in ("actual", "simulation"):
            with (
                self.subTest(kind=kind),
                self.assertRaisesText(ValidationError, "September 2025 lies in the future"),
            ):
                self.create_run("2025-09-30", kind=kind, compute=False)
