from .common import CustomerCostCommon


class TestAccessRunStates(CustomerCostCommon):
    """Sales sees what counts: allocations of posted runs, no draft and no earlier version."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.create_rule(cls.create_driver({cls.customer_a: 1}))
        cls.create_bill([(cls.expense_account, 100.0, {})])

    def read_as(self, role):
        rows = self.env(user=self.users[role])["customer.cost.allocation"].search([])
        return sorted(rows.mapped("amount"))

    def test_computed_run_is_not_shown_to_sales(self):
        self.create_run()
        self.assertEqual(self.read_as("rep"), [])
        self.assertEqual(self.read_as("cost_user"), [])
        self.assertEqual(self.read_as("accountant"), [100.0])
        self.assertEqual(self.read_as("auditor"), [100.0])

    def test_superseded_run_gives_way_to_the_posted_one(self):
        self.create_run(post=True)
        self.create_bill([(self.expense_account, 20.0, {})])
        self.create_run(post=True)
        self.assertEqual(self.read_as("rep"), [120.0])
        self.assertEqual(self.read_as("cost_user"), [120.0])
        self.assertEqual(self.read_as("accountant"), [100.0, 120.0])

    def test_reversed_run_is_not_shown_to_sales(self):
        self.create_run(post=True).action_reverse()
        self.assertEqual(self.read_as("rep"), [])
