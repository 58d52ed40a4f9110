from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import CustomerCostCommon


@tagged("post_install", "-at_install")
class TestRunProof(CustomerCostCommon):
    """A run keeps what it was computed from, and proves its rows from it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.driver = cls.create_driver({cls.customer_a: 1, cls.customer_b: 3})
        cls.rule = cls.create_rule(cls.driver, cls.item | cls.other_item)
        cls.create_entry_move([(cls.expense_account, 100, {}), (cls.other_account, -0.05, {})])
        cls.run_posted = cls.create_run(post=True)

    def prove(self, run=None, role="auditor"):
        self.env.invalidate_all()
        run = run or self.run_posted
        action = run.with_user(self.users[role]).action_prove()
        return action["params"]["message"]

    def forged_inputs(self):
        return {
            "name": "snapshot",
            "res_model": "customer.cost.run",
            "res_field": "snapshot",
            "res_id": self.run_posted.id,
            "datas": "aGVsbG8=",
        }

    def sql(self, statement, *params):
        self.env.flush_all()
        self.env.cr.execute(statement, params)
        self.env.invalidate_all()

    def test_posted_run_is_identical_whatever_changed_since(self):
        self.driver.value_ids.quantity = 7
        self.rule.share_pct = 3
        self.create_entry_move([(self.expense_account, 1000, {})])
        message = self.prove()
        self.assertIn("Identical to its frozen inputs: 4 rows, total", message)
        self.assertIn("99.95", message)

    def test_proof_survives_the_deletion_of_rule_and_driver(self):
        self.rule.unlink()
        self.driver.unlink()
        self.assertIn("Identical", self.prove())

    def test_proof_is_written_down_with_its_author(self):
        self.prove()
        message = self.run_posted.message_ids[0]
        self.assertEqual(message.author_id, self.users["auditor"].partner_id)
        self.assertIn("Identical", message.body)

    def test_simulation_and_computed_run_are_proven_as_well(self):
        for kind in ("actual", "simulation"):
            self.assertIn("Identical", self.prove(self.create_run(kind=kind), "accountant"))

    def test_tampered_rows_are_found(self):
        rows = self.env["customer.cost.allocation"].search(
            [("step_id", "in", self.run_posted.step_ids.ids)], order="id"
        )
        for statement in (
            "UPDATE customer_cost_allocation SET amount = amount + 0.01 WHERE id = %s",
            "UPDATE customer_cost_allocation SET quantity = quantity + 1 WHERE id = %s",
            "UPDATE customer_cost_allocation SET layer = 'measured' WHERE id = %s",
            f"UPDATE customer_cost_allocation SET customer_id = {self.customer_c.id} WHERE id = %s",
            f"UPDATE customer_cost_allocation SET item_id = {self.admin_item.id} WHERE id = %s",
            "DELETE FROM customer_cost_allocation WHERE id = %s",
        ):
            with self.subTest(statement=statement), self.env.cr.savepoint() as savepoint:
                self.sql(statement, rows[0].id)
                message = self.prove()
                self.assertIn("Differs from its frozen inputs", message)
                self.assertIn("Test travel", message)
                savepoint.rollback()
        self.assertIn("Identical", self.prove())

    def test_tampered_step_or_run_is_found(self):
        for statement in (
            "UPDATE customer_cost_run_step SET sent = sent + 1, retained = retained + 1"
            " WHERE run_id = %s",
            "UPDATE customer_cost_run SET sent_total = sent_total + 1 WHERE id = %s",
        ):
            with self.subTest(statement=statement), self.env.cr.savepoint() as savepoint:
                self.sql(statement, self.run_posted.id)
                self.assertIn("Differs from its frozen inputs", self.prove())
                savepoint.rollback()

    def test_merged_and_moved_customers_are_compared_with_what_they_became(self):
        wizard = self.env["base.partner.merge.automatic.wizard"].create({})
        wizard._merge((self.customer_a | self.customer_c).ids, self.customer_c)
        self.assertIn("Identical", self.prove())
        self.customer_c.write({"is_company": False, "parent_id": self.customer_b.id})
        self.assertIn("Identical", self.prove())

    def test_run_without_inputs_is_not_proven(self):
        draft = self.create_run(compute=False)
        with self.assertRaisesText(UserError, "has no frozen inputs"):
            draft.action_prove()

    def test_damaged_inputs_are_said_to_be(self):
        self.run_posted._unguarded().snapshot = b"aGVsbG8="
        with self.assertRaisesText(UserError, "are damaged and cannot be read"):
            self.prove()

    def test_frozen_inputs_go_with_the_results(self):
        run = self.create_run()
        self.assertTrue(run.has_snapshot)
        run.date = "2025-04-30"
        self.env.invalidate_all()
        self.assertFalse(run.has_snapshot)

    @mute_logger("odoo.addons.base.models.ir_model", "odoo.addons.base.models.ir_rule")
    def test_inputs_are_read_by_accountants_and_auditors_alone(self):
        attachment = self.env["ir.attachment"].search(
            [("res_model", "=", "customer.cost.run"), ("res_field", "=", "snapshot")], limit=1
        )
        self.assertTrue(attachment)
        for role in ("rep", "cost_user", "reviewer", "internal"):
            with self.subTest(role=role):
                with self.assertRaises(AccessError):
                    self.rpc(
                        self.users[role],
                        "customer.cost.run",
                        "read",
                        self.run_posted.ids,
                        ["snapshot"],
                    )
                with self.assertRaises(AccessError):
                    self.rpc(
                        self.users[role], "ir.attachment", "read", attachment.ids, ["raw", "datas"]
                    )
                with self.assertRaises(AccessError):
                    self.rpc(
                        self.users[role], "customer.cost.run", "action_prove", self.run_posted.ids
                    )
        for role in ("accountant", "manager", "auditor"):
            [read] = self.rpc(
                self.users[role], "customer.cost.run", "read", self.run_posted.ids, ["snapshot"]
            )
            self.assertTrue(read["snapshot"])

    @mute_logger("odoo.addons.base.models.ir_model", "odoo.addons.base.models.ir_rule")
    def test_inputs_are_not_replaced_by_anybody(self):
        before = self.run_posted.snapshot
        attachment = self.env["ir.attachment"].search(
            [
                ("res_model", "=", "customer.cost.run"),
                ("res_field", "=", "snapshot"),
                ("res_id", "=", self.run_posted.id),
            ]
        )
        for role in ("accountant", "manager", "auditor"):
            with self.subTest(role=role):
                with self.assertRaises(AccessError):
                    self.rpc(
                        self.users[role],
                        "customer.cost.run",
                        "write",
                        self.run_posted.ids,
                        {"snapshot": "aGVsbG8="},
                    )
                with self.assertRaises(AccessError):
                    self.rpc(
                        self.users[role],
                        "ir.attachment",
                        "write",
                        attachment.ids,
                        {"datas": "aGVsbG8="},
                    )
                with self.assertRaises(AccessError):
                    self.rpc(self.users[role], "ir.attachment", "unlink", attachment.ids)
                with self.assertRaises(AccessError):
                    self.rpc(self.users[role], "ir.attachment", "create", self.forged_inputs())
        self.env.invalidate_all()
        self.assertEqual(self.run_posted.snapshot, before)
