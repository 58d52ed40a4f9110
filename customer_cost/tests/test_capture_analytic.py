from datetime import date

from odoo.tests import tagged

from .common import CustomerCostCommon

DAY = date(2025, 3, 10)


@tagged("post_install", "-at_install")
class TestCaptureAnalytic(CustomerCostCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        plans = cls.env["account.analytic.plan"]
        cls.plan = plans.create({"name": "Customers"})
        cls.sub_plan = plans.create({"name": "Key customers", "parent_id": cls.plan.id})
        cls.centre_plan = plans.create({"name": "Departments"})
        cls.foreign_plan = plans.create({"name": "Regions"})
        cls.company.customer_cost_plan_id = cls.plan
        cls.company.customer_cost_centre_plan_id = cls.centre_plan
        cls.a, cls.b, cls.c = (
            cls.create_analytic(cls.plan, partner)
            for partner in (cls.customer_a, cls.customer_b, cls.customer_c)
        )
        cls.nobody = cls.create_analytic(cls.plan)
        cls.sales, cls.support = (cls.create_analytic(cls.centre_plan) for _ in range(2))
        cls.region = cls.create_analytic(cls.foreign_plan)

    @classmethod
    def create_analytic(cls, plan, partner=None):
        return cls.env["account.analytic.account"].create(
            {
                "name": partner.name if partner else plan.name,
                "plan_id": plan.id,
                "partner_id": partner.id if partner else False,
            }
        )

    def key(self, *accounts):
        return ",".join(str(account.id) for account in accounts)

    def bill(self, amount, distribution, **vals):
        return self.create_bill(
            [(self.expense_account, amount, {"analytic_distribution": distribution})], **vals
        )

    def shares(self, moves):
        """Ledger of moves as a dict of (customer, cost centre) to amount."""
        groups = self.env["customer.cost.line"]._read_group(
            [("entry_id.source_move_id", "in", moves.ids)],
            ["customer_id", "cost_centre_id"],
            ["amount:sum"],
        )
        return {(customer, centre): round(amount, 3) for customer, centre, amount in groups}

    def assertShares(self, moves, **shares):
        names = {
            "a": (self.customer_a, self.env["account.analytic.account"]),
            "b": (self.customer_b, self.env["account.analytic.account"]),
            "c": (self.customer_c, self.env["account.analytic.account"]),
            "pool": (self.env["res.partner"], self.env["account.analytic.account"]),
            "sales": (self.env["res.partner"], self.sales),
            "support": (self.env["res.partner"], self.support),
            "nobody": (self.env["res.partner"], self.nobody),
        }
        self.assertEqual(
            self.shares(moves), {names[name]: amount for name, amount in shares.items()}
        )

    # ------------------------------------------------------------
    # Customers
    # ------------------------------------------------------------

    def test_customers_share_in_proportion(self):
        move = self.bill(200.0, {self.key(self.a): 75, self.key(self.b): 25})
        self.assertShares(move, a=150.0, b=50.0)

    def test_cents_add_up(self):
        thirds = {self.key(self.a): 33.33, self.key(self.b): 33.33, self.key(self.c): 33.34}
        self.assertShares(self.bill(100.0, thirds), a=33.33, b=33.33, c=33.34)
        self.assertShares(self.bill(10.01, thirds), a=3.34, b=3.33, c=3.34)
        self.assertShares(self.bill(0.01, thirds), c=0.01)
        self.assertShares(self.bill(0.02, thirds), a=0.01, c=0.01)

    def test_credit_note_mirrors_the_bill(self):
        thirds = {self.key(self.a): 33.33, self.key(self.b): 33.33, self.key(self.c): 33.34}
        self.assertShares(
            self.bill(10.01, thirds, move_type="in_refund"), a=-3.34, b=-3.33, c=-3.34
        )

    def test_rest_below_a_hundred_is_indirect(self):
        self.assertShares(self.bill(100.0, {self.key(self.a): 60}), a=60.0, pool=40.0)

    def test_account_without_customer_is_indirect(self):
        move = self.bill(100.0, {self.key(self.a): 60, self.key(self.nobody): 40})
        self.assertShares(move, a=60.0, pool=40.0)

    def test_account_of_a_plan_below_the_chosen_one_counts(self):
        account = self.create_analytic(self.sub_plan, self.customer_b)
        self.assertShares(self.bill(100.0, {self.key(account): 100}), b=100.0)

    def test_two_accounts_of_one_customer_are_one_share(self):
        other = self.create_analytic(self.plan, self.customer_a)
        move = self.bill(100.0, {self.key(self.a): 50, self.key(other): 50})
        self.assertShares(move, a=100.0)

    def test_customer_of_a_contact_is_the_company_behind_it(self):
        contact = self.env["res.partner"].create({"name": "Buyer", "parent_id": self.customer_a.id})
        move = self.bill(100.0, {self.key(self.create_analytic(self.plan, contact)): 100})
        self.assertShares(move, a=100.0)

    def test_above_a_hundred_the_whole_line_is_indirect(self):
        self.assertShares(
            self.bill(100.0, {self.key(self.a): 80, self.key(self.b): 30}), pool=100.0
        )
        self.assertShares(
            self.bill(100.0, {self.key(self.a): 80, self.key(self.nobody): 40}), pool=100.0
        )

    def test_a_negative_share_makes_the_whole_line_indirect(self):
        move = self.bill(100.0, {self.key(self.a): 120, self.key(self.b): -20})
        self.assertShares(move, pool=100.0)

    def test_other_plans_do_not_matter(self):
        other = self.create_analytic(self.foreign_plan, self.customer_b)
        self.assertShares(self.bill(100.0, {self.key(self.a): 100, self.key(other): 100}), a=100.0)
        self.assertShares(self.bill(100.0, {self.key(other): 100}), pool=100.0)
        self.assertShares(self.bill(100.0, {self.key(self.a): 100, self.key(other): -50}), a=100.0)

    def test_own_customer_comes_before_the_distribution(self):
        move = self.create_bill(
            [
                (
                    self.expense_account,
                    100.0,
                    {
                        "cost_customer_id": self.customer_c.id,
                        "analytic_distribution": {self.key(self.a): 100},
                    },
                )
            ]
        )
        self.assertShares(move, c=100.0)

    def test_distribution_comes_before_the_partner(self):
        self.customer_c.customer_rank = 1
        move = self.create_entry_move(
            [
                (
                    self.expense_account,
                    100.0,
                    {
                        "partner_id": self.customer_c.id,
                        "analytic_distribution": {self.key(self.a): 30},
                    },
                )
            ]
        )
        self.assertShares(move, a=30.0, pool=70.0)

    # ------------------------------------------------------------
    # Two plans, cost centres
    # ------------------------------------------------------------

    def test_two_plans_at_a_hundred_each(self):
        move = self.bill(100.0, {self.key(self.a): 100, self.key(self.sales): 100})
        self.assertShares(move, a=100.0)

    def test_joint_keys(self):
        move = self.bill(
            100.0, {self.key(self.a, self.sales): 60, self.key(self.nobody, self.support): 40}
        )
        self.assertShares(move, a=60.0, support=40.0)

    def test_joint_key_with_another_plan(self):
        move = self.bill(100.0, {self.key(self.region, self.b): 100})
        self.assertShares(move, b=100.0)

    def test_cost_centres_stand_on_pool_lines(self):
        move = self.bill(100.0, {self.key(self.sales): 70, self.key(self.support): 30})
        self.assertShares(move, sales=70.0, support=30.0)

    def test_rest_of_the_customers_is_spread_over_the_cost_centres(self):
        move = self.bill(
            100.0,
            {self.key(self.a): 60, self.key(self.sales): 75, self.key(self.support): 25},
        )
        self.assertShares(move, a=60.0, sales=30.0, support=10.0)

    def test_rest_of_customers_and_centres_has_neither(self):
        move = self.bill(100.0, {self.key(self.a): 60, self.key(self.sales): 30})
        self.assertShares(move, a=60.0, sales=30.0, pool=10.0)

    def test_cost_centres_of_the_customers_plan_when_no_other_is_chosen(self):
        self.company.customer_cost_centre_plan_id = False
        move = self.bill(100.0, {self.key(self.a): 60, self.key(self.nobody): 40})
        self.assertShares(move, a=60.0, nobody=40.0)

    def test_no_plan_chosen_leaves_the_distribution_aside(self):
        self.company.customer_cost_plan_id = False
        self.company.customer_cost_centre_plan_id = False
        self.assertShares(self.bill(100.0, {self.key(self.a): 100}), pool=100.0)

    def test_a_key_that_is_no_account_is_indirect(self):
        move = self.bill(100.0, {self.key(self.a): 60})
        gone = self.create_analytic(self.plan, self.customer_b)
        self.env.cr.execute(
            "UPDATE account_move_line SET analytic_distribution = %s WHERE id = %s",
            (f'{{"{self.a.id}": 60, "{gone.id}": 10, "x": 20}}', move.invoice_line_ids.id),
        )
        gone.unlink()
        self.env["customer.cost.capture"]._sync(move.ids)
        self.assertShares(move, a=60.0, pool=40.0)

    # ------------------------------------------------------------
    # Currency, changes
    # ------------------------------------------------------------

    def test_foreign_amounts_are_split_exactly(self):
        currency = self.setup_other_currency("EUR", rates=[("2025-01-01", 0.7)])
        move = self.bill(
            10.01,
            {self.key(self.a): 33.33, self.key(self.b): 33.33, self.key(self.c): 33.34},
            currency_id=currency.id,
        )
        entries = self.env["customer.cost.entry"].search([("source_move_id", "=", move.id)])
        line = move.invoice_line_ids
        self.assertEqual(sorted(entries.mapped("amount")), [3.33, 3.34, 3.34])
        self.assertEqual(entries.currency_id, currency)
        self.assertEqual(round(sum(entries.mapped("amount_company")), 2), line.balance)
        self.assertEqual(round(sum(self.shares(move).values()), 2), line.balance)

    def test_changed_distribution_moves_the_cost(self):
        move = self.bill(100.0, {self.key(self.a): 100})
        move.invoice_line_ids.analytic_distribution = {self.key(self.b): 50}
        shares = {key: amount for key, amount in self.shares(move).items() if amount}
        self.assertEqual(
            shares,
            {
                (self.customer_b, self.env["account.analytic.account"]): 50.0,
                (self.env["res.partner"], self.env["account.analytic.account"]): 50.0,
            },
        )
        self.assertEqual(self.env["customer.cost.capture"]._sync(move.ids), 0)

    def test_removed_distribution_makes_the_cost_indirect(self):
        move = self.bill(100.0, {self.key(self.a): 100})
        move.invoice_line_ids.analytic_distribution = False
        self.assertEqual(self.ledger(move), {(self.env["res.partner"], self.item, DAY): 100.0})
