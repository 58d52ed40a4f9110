from psycopg2.errors import CheckViolation

from odoo import Command
from odoo.exceptions import AccessError
from odoo.tools import mute_logger

from ..report.customer_cost_tie_out_records import WINDOW
from .tie_out_common import TieOutCommon

SERVES = {
    "HR": {"DP": 20, "RM": 10, "Machining": 40, "Assembly": 30},
    "DP": {"HR": 8, "RM": 7, "Machining": 30, "Assembly": 55},
    "RM": {"Machining": 50, "Assembly": 50},
}


class TestRunService(TieOutCommon):
    """Cost centres serve each other, then customers (WE-10 and WE-01 through the product)."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        plan = cls.company.customer_cost_plan_id
        cls.centres = {
            name: cls.env["account.analytic.account"].create(
                {"name": name, "plan_id": plan.id, "company_id": cls.company.id}
            )
            for name in ("HR", "DP", "RM", "Machining", "Assembly")
        }
        cls.activity = cls.create_item("T-ACT", "Test activity")

    def pool(self, amount, centre, day="2025-03-10"):
        line = (
            self.expense_account,
            amount,
            {"analytic_distribution": {self.centres[centre].id: 100}},
        )
        return self.create_entry_move([line], day)

    def serving(self, centre, weights, **vals):
        return self.create_rule(
            **{
                "name": f"{centre} serves",
                "receiver_kind": "centres",
                "sender_centre_ids": [Command.set(self.centres[centre].ids)],
                "centre_ids": [
                    Command.create({"centre_id": self.centres[name].id, "weight": weight})
                    for name, weight in weights.items()
                ],
                **vals,
            }
        )

    def customers(self, centre, *quantities, **vals):
        customers = (self.customer_a, self.customer_b)
        driver = self.create_driver(dict(zip(customers, quantities, strict=False)))
        return self.create_rule(
            driver,
            **{
                "name": f"{centre} to customers",
                "sender_centre_ids": [Command.set(self.centres[centre].ids)],
                **vals,
            },
        )

    def textbook(self, method):
        self.company.customer_cost_service_method = method
        for centre, amount in (("HR", 80_000), ("DP", 120_000), ("RM", 40_000)):
            self.pool(amount, centre)
            self.serving(centre, SERVES[centre])
        self.customers("Machining", 1)
        self.customers("Assembly", 0, 1)
        run = self.create_run(post=True)
        self.assertTied(self.tie_out())
        received = self.received(run)
        self.assertEqual((run.pool_total, run.sent_total, run.unsent_total), (240_000, 240_000, 0))
        self.assertEqual(run.service_method, method)
        moved = run.step_ids.filtered("to_centres").mapped("moved")
        return [received[self.customer_a], received[self.customer_b]], moved, run

    # ------------------------------------------------------------
    # WE-10
    # ------------------------------------------------------------

    def test_reciprocal_textbook_example(self):
        received, moved, run = self.textbook("reciprocal")
        self.assertEqual(received, [107_276.42, 132_723.58])
        self.assertEqual(moved, [91_056.91, 138_211.38, 58_780.48])
        self.assertFalse(run.order_message)

    def test_step_down_textbook_example_warns_that_the_order_matters(self):
        received, moved, run = self.textbook("step_down")
        self.assertEqual(received, [105_521.74, 134_478.26])
        self.assertEqual(moved, [80_000, 136_000, 58_347.83])
        self.assertIn(
            "Machining: $\xa0105,521.74 in this order, $\xa0110,322.58 in the reverse one",
            run.order_message,
        )

    def test_direct_textbook_example(self):
        received, _moved, run = self.textbook("direct")
        self.assertEqual(received, [108_067.23, 131_932.77])
        self.assertFalse(run.order_message)

    # ------------------------------------------------------------
    # What is kept of it
    # ------------------------------------------------------------

    def test_transfers_are_kept_and_conserved(self):
        self.pool(100, "HR")
        self.serving("HR", {"DP": 1, "RM": 2})
        run = self.create_run()
        transfers = run.transfer_ids
        self.assertEqual(transfers.mapped("amount"), [33.33, 66.67])
        self.assertEqual(transfers.from_centre_id, self.centres["HR"])
        self.assertEqual(transfers.to_centre_id, self.centres["DP"] | self.centres["RM"])
        self.assertEqual((run.step_ids.moved, run.step_ids.sent, run.sent_total), (100, 0, 0))
        self.assertEqual(run.unsent_total, 100)
        self.assertEqual(run.action_open_transfers()["domain"], [("run_id", "=", run.id)])
        self.env.cr.execute(
            "UPDATE customer_cost_run_transfer SET amount = amount + 1 WHERE id = %s",
            [transfers[0].id],
        )
        self.env.invalidate_all()
        with self.assertRefused("does not balance: step HR serves"):
            run.action_post()

    def test_transfers_are_read_by_those_who_run_the_company_alone(self):
        self.pool(100, "HR")
        self.serving("HR", {"DP": 1})
        transfer = self.create_run().transfer_ids
        for role in ("accountant", "manager", "auditor"):
            self.assertEqual(
                transfer.with_user(self.users[role]).read(["amount"])[0]["amount"], 100
            )
        for role in ("rep", "cost_user", "reviewer", "internal"):
            with self.assertRaises(AccessError):
                transfer.with_user(self.users[role]).read(["amount"])
        company, other = self.env.ref("base.main_company"), self.users["auditor"]
        other.write({"company_id": company.id, "company_ids": [Command.set(company.ids)]})
        self.assertFalse(self.env["customer.cost.run.transfer"].with_user(other).search([]))
        self.assertFalse(self.env["customer.cost.rule.centre"].with_user(other).search([]))

    def test_fixed_cost_stays_fixed_on_its_way_to_customers(self):
        # WE-01: the first 1,000.00 are fixed and go evenly, the rest by kWh
        self.item.write({"behaviour": "mixed", "fixed_amount": 1000})
        self.pool(10_000, "HR")
        self.serving("HR", {"DP": 1000, "RM": 6000, "Machining": 0}, behaviour="variable")
        self.serving("HR", {"DP": 1, "RM": 1}, behaviour="fixed", name="Evenly")
        self.customers("DP", 1)
        self.customers("RM", 0, 1)
        run = self.create_run(post=True)
        self.assertEqual(run.transfer_ids.mapped("amount"), [1285.71, 7714.29, 500, 500])
        self.assertEqual(run.transfer_ids.mapped("fixed_amount"), [0, 0, 500, 500])
        rows = self.env["customer.cost.allocation"].search(
            [("step_id", "in", run.step_ids.ids)], order="customer_id"
        )
        self.assertEqual(rows.mapped("amount"), [1785.71, 8214.29])
        self.assertEqual(rows.mapped("fixed_amount"), [500, 500])
        self.assertTied(self.tie_out())

    def test_charged_as_another_item_the_pool_report_follows(self):
        self.pool(100, "HR")
        self.serving("HR", {"DP": 1}, charge_item_id=self.activity.id)
        self.customers("DP", 1, sender_item_ids=[Command.set(self.activity.ids)])
        run = self.create_run(post=True)
        rows = self.env["customer.cost.allocation"].search([("step_id", "in", run.step_ids.ids)])
        self.assertEqual((rows.item_id, rows.amount), (self.activity, 100))
        figures = self.tie_out()
        self.assertTied(figures)
        pools = self.read_pools()
        self.assertEqual(pools[self.item], (100, -100, 0, 0))
        self.assertEqual(pools[self.activity], (0, 100, 100, 0))

    def read_pools(self):
        window = {WINDOW: [self.company.id, "2025-03-01", "2025-03-31"]}
        pools = self.env["customer.cost.pool"].with_context(**window).search([])
        return {
            pool.item_id: (pool.amount, pool.transferred, pool.sent, pool.waiting)
            for pool in pools
            if pool.item_id
        }

    def test_what_earlier_months_left_follows_the_transfers(self):
        self.serving("HR", {"DP": 1})
        rule = self.customers("DP", 1, carry_forward=True)
        self.pool(100, "HR", "2025-02-10")
        february = self.create_run("2025-02-28", post=True)
        self.assertEqual((february.received_total, february.retained_total), (0, 100))
        self.pool(10, "HR")
        march = self.create_run(post=True)
        self.assertEqual((march.carried_total, march.received_total), (100, 110))
        self.assertEqual(self.received(march), {self.customer_a: 110})
        self.assertTied(self.tie_out())
        self.assertTrue(rule.carry_forward)

    # ------------------------------------------------------------
    # Refused
    # ------------------------------------------------------------

    def test_a_closed_loop_is_named_and_refused(self):
        self.pool(100, "HR")
        self.serving("HR", {"DP": 1})
        rule = self.serving("DP", {"HR": 1})
        run = self.create_run(compute=False)
        message = "Cost centres HR, DP send everything to each other alone, by HR serves, DP serves"
        with self.assertNothingChanged(), self.assertRefused(message):
            run.action_compute()
        rule.share_pct = 50
        run.action_compute()
        self.assertEqual(run.state, "computed")

    def test_what_a_rule_to_centres_lacks_is_named_when_it_is_saved(self):
        for centre, weights, vals, message in (
            ("HR", {}, {}, "name both"),
            ("HR", {"DP": 1}, {"sender_centre_ids": False}, "name both"),
            ("HR", {"HR": 1}, {}, "sends from HR to itself"),
            ("HR", {"DP": 1}, {"carry_forward": True}, "neither a fixed amount nor"),
            (
                "HR",
                {"DP": 1},
                {"send_kind": "amount", "send_amount": 5},
                "neither a fixed amount nor",
            ),
            (
                "HR",
                {"DP": 1},
                {
                    "sender_item_ids": [Command.set(self.admin_item.ids)],
                    "charge_item_id": self.activity.id,
                },
                "has to be such a cost as well",
            ),
        ):
            with self.subTest(message), self.assertRefused(message, Exception):
                self.serving(centre, weights, **vals)
                self.env.flush_all()
        rule = self.serving("HR", {"DP": 1})
        with self.assertRefused("DP is given twice for the days from"):
            rule.centre_ids.copy({"date_from": "2025-05-01"})

    @mute_logger("odoo.sql_db")
    def test_a_centre_never_counts_negatively(self):
        with self.assertRaises(CheckViolation):
            self.serving("HR", {"DP": -1})

    def test_weights_hold_for_their_months(self):
        self.pool(100, "HR")
        rule = self.serving("HR", {"DP": 1, "RM": 1})
        rule.centre_ids[0].date_to = "2025-03-30"
        self.assertEqual(self.create_run().transfer_ids.to_centre_id, self.centres["RM"])

    def test_without_a_weight_in_the_month_later_rules_send_the_pool(self):
        self.pool(100, "HR")
        rule = self.serving("HR", {"DP": 1})
        rule.centre_ids.date_from = "2025-04-01"
        self.customers("HR", 1)
        run = self.create_run()
        self.assertFalse(run.transfer_ids)
        self.assertEqual((run.received_total, run.retained_total), (100, 0))

    def test_month_whose_cost_was_sent_later_is_not_moved_as_another_item(self):
        self.pool(100, "HR", "2025-02-10")
        self.customers("HR", 1, carry_forward=True)
        self.customers("DP", 1, sender_item_ids=[Command.set(self.activity.ids)])
        march = self.create_run(post=True)
        self.assertEqual(march.carried_total, 100)
        self.serving("HR", {"DP": 1}, charge_item_id=self.activity.id)
        february = self.create_run("2025-02-28")
        self.assertEqual(february.transfer_ids.amount, 100)
        with self.assertRefused("already includes what this month left"):
            february.action_post()

    def test_manager_sets_how_centres_serve_each_other(self):
        settings = self.env["customer.cost.settings"].with_user(self.users["manager"]).create({})
        settings.service_method = "reciprocal"
        settings.action_save()
        self.assertEqual(self.company.customer_cost_service_method, "reciprocal")
