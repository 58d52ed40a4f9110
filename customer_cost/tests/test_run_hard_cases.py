from odoo.tests import tagged

from .common import CustomerCostCommon


@tagged("post_install", "-at_install")
class TestRunHardCases(CustomerCostCommon):
    """What happens between computing and posting, and after it, has a defined end."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.driver = cls.create_driver({cls.customer_a: 1, cls.customer_b: 3})
        cls.rule = cls.create_rule(cls.driver)
        cls.create_entry_move([(cls.expense_account, 100, {})])

    def allocated(self):
        self.env.invalidate_all()
        groups = self.env["customer.cost.analysis"]._read_group(
            [("company_id", "=", self.company.id), ("layer", "=", "allocated")],
            ["customer_id"],
            ["amount:sum"],
        )
        return dict(groups)

    def assertProven(self, run):
        self.assertIn("Identical", run.action_prove()["params"]["message"])

    def late(self, run):
        return self.env["customer.cost.line"].search(run.action_open_late()["domain"])

    # ------------------------------------------------------------
    # Customers between compute and post: the rows follow, the run posts
    # ------------------------------------------------------------

    def test_customer_merged_before_posting(self):
        run = self.create_run()
        self.env["base.partner.merge.automatic.wizard"].create({})._merge(
            (self.customer_a | self.customer_b).ids, self.customer_b
        )
        run.action_post()
        self.assertEqual(self.allocated(), {self.customer_b: 100})
        self.assertProven(run)

    def test_customer_that_became_a_contact_before_posting(self):
        run = self.create_run()
        self.customer_a.write({"is_company": False, "parent_id": self.customer_c.id})
        run.action_post()
        self.assertEqual(self.allocated(), {self.customer_c: 25, self.customer_b: 75})
        self.assertProven(run)

    def test_customer_archived_before_posting_is_charged_all_the_same(self):
        run = self.create_run()
        self.customer_a.active = False
        run.action_post()
        self.assertEqual(self.allocated(), {self.customer_a: 25, self.customer_b: 75})
        self.assertProven(run)

    def test_one_customer_takes_another_and_leaves_again(self):
        run = self.create_run(post=True)
        self.customer_a.write({"is_company": False, "parent_id": self.customer_c.id})
        self.customer_a.write({"is_company": True, "parent_id": False})
        self.assertEqual(self.allocated(), {self.customer_c: 25, self.customer_b: 75})
        self.env["base.partner.merge.automatic.wizard"].create({})._merge(
            (self.customer_b | self.customer_c).ids, self.customer_b
        )
        self.assertEqual(self.allocated(), {self.customer_b: 100})
        self.assertProven(run)

    # ------------------------------------------------------------
    # Costs after posting
    # ------------------------------------------------------------

    def test_cost_after_posting_goes_to_the_next_version_and_is_listed_as_late(self):
        first = self.create_run(post=True)
        self.assertFalse(self.late(first))
        cost = self.create_cost(customer_id=False, amount=40, date="2025-03-20", post=True)
        self.create_entry_move([(self.expense_account, 7, {})], "2025-04-02")
        self.assertTrue(first.pool_changed)
        self.assertEqual(self.late(first), cost.line_ids)
        self.assertEqual(self.allocated(), {self.customer_a: 25, self.customer_b: 75})
        second = self.create_run(post=True)
        self.assertEqual(second.pool_total, 140)
        self.assertFalse(self.late(second))
        self.assertEqual(self.late(first), cost.line_ids)
        self.assertProven(first)

    def test_late_costs_are_listed_to_who_may_read_the_pool(self):
        run = self.create_run(post=True)
        for role in ("accountant", "manager", "auditor"):
            self.assertFalse(self.late(run.with_user(self.users[role])))

    # ------------------------------------------------------------
    # Nobody to charge
    # ------------------------------------------------------------

    def test_company_without_customers_keeps_its_pool(self):
        self.driver.value_ids.unlink()
        run = self.create_run(post=True)
        self.assertEqual((run.retained_total, run.customer_count), (100, 0))
        self.assertEqual(self.allocated(), {})
        self.assertProven(run)
