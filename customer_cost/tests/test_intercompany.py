from freezegun import freeze_time

from odoo.tests import tagged

from .common import CustomerCostCommon


@tagged("post_install", "-at_install")
@freeze_time("2025-06-15")
class TestIntercompany(CustomerCostCommon):
    """Customers that are companies of the group are charged by those rules only that say so."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.address = cls.env["res.partner"].create(
            {"name": "Head office", "parent_id": cls.customer_b.id}
        )
        cls.setup_other_company()["company"].partner_id = cls.address
        cls.create_bill([(cls.expense_account, 90.0, {})])
        cls.rule = cls.create_rule(cls.create_driver({cls.customer_a: 1, cls.customer_b: 2}))

    def test_left_out_by_default(self):
        self.assertEqual(self.received(self.create_run()), {self.customer_a: 90})

    def test_included_by_the_rule(self):
        self.rule.include_intercompany = True
        run = self.create_run()
        self.assertEqual(self.received(run), {self.customer_a: 30, self.customer_b: 60})
        self.assertIn("companies of the group included", run.step_ids.rule_text)

    def test_a_run_computed_before_the_rule_changed_is_not_posted(self):
        run = self.create_run()
        self.rule.include_intercompany = True
        with self.assertRefused("Costs or rules changed"):
            run.action_post()

    def test_receivers_are_limited_as_well(self):
        self.rule.write(
            {
                "include_intercompany": True,
                "receiver_domain": f"[('id', '=', {self.customer_b.id})]",
            }
        )
        self.assertEqual(self.received(self.create_run()), {self.customer_b: 90})

    def test_kept_in_totals_and_out_of_the_ranking_at_first(self):
        for customer in (self.customer_a, self.customer_b):
            self.create_sale(customer)
        self.refresh_figures()
        ours = [("company_id", "=", self.company.id)]
        [[total]] = self.env["customer.cost.profitability"]._read_group(ours, [], ["net_sales:sum"])
        self.assertEqual(total, 200)
        ranked = self.env["customer.cost.summary"].search(ours)
        self.assertEqual(ranked.customer_id, self.customer_a | self.customer_b)
        self.assertEqual(
            ranked.filtered_domain([("intercompany", "=", False)]).customer_id, self.customer_a
        )
