from odoo.exceptions import UserError
from odoo.fields import Command

from .common import CustomerCostCommon


class TestWorkedExamples(CustomerCostCommon):
    """Published examples, run through rules and runs of the product to the cent."""

    def share_out(self, amount, quantities, **driver_vals):
        """Send ``amount`` by ``quantities``; return what each customer received, in order."""
        customers = self.env["res.partner"].create(
            [{"name": f"Receiver {number}"} for number in range(len(quantities))]
        )
        driver = self.create_driver(dict(zip(customers, quantities, strict=True)), **driver_vals)
        self.create_rule(driver)
        return self.run_pool(amount, customers)

    def run_pool(self, amount, customers):
        self.create_entry_move([(self.expense_account, amount, {})])
        run = self.create_run(post=True)
        received = self.received(run)
        self.assertEqual(run.sent_total, amount)
        self.assertEqual(run.received_total, amount)
        return [received.get(customer, 0) for customer in customers]

    def test_we_03_insurance_by_salaries(self):
        self.assertEqual(self.share_out(1000, [2000, 5000, 3000]), [200, 500, 300])

    def test_we_05_odd_cent_over_two(self):
        self.assertEqual(self.share_out(145.65, [1, 1]), [72.83, 72.82])

    def test_we_05_odd_cent_over_fixed_halves(self):
        customers = self.customer_a | self.customer_b
        self.create_rule(
            fixed_ids=[
                Command.create({"customer_id": customer.id, "percentage": 50})
                for customer in customers
            ]
        )
        self.assertEqual(self.run_pool(145.65, customers), [72.83, 72.82])

    def test_we_05_hundred_over_three(self):
        self.assertEqual(self.share_out(100, [1, 1, 1]), [33.34, 33.33, 33.33])

    def test_we_05_one_over_three(self):
        self.assertEqual(self.share_out(1, [1, 1, 1]), [0.34, 0.33, 0.33])

    def test_we_06_a_hours_by_receiver_cost(self):
        self.assertEqual(self.share_out(100, [2000, 1000, 2000]), [40, 20, 40])

    def test_we_06_b_tracing_factors_with_weights(self):
        factors = [200 * 0.2, 200 * 0.3, 300 * 0.5]
        self.assertEqual(self.share_out(5000, factors), [800, 1200, 3000])

    def test_we_07_mixed_factors_are_refused_by_default(self):
        with self.assertRaisesText(UserError, r"negative for Receiver 1 \(-90\)"):
            self.share_out(1000, [100, -90])
        self.assertFalse(
            self.env["customer.cost.allocation"].search([("company_id", "=", self.company.id)])
        )

    def test_we_07_shift(self):
        self.assertEqual(self.share_out(1000, [100, -90], policy="shift"), [1000, 0])

    def test_we_07_absolute(self):
        self.assertEqual(self.share_out(1000, [100, -90], policy="absolute"), [526.32, 473.68])

    def test_we_07_negative_counts_as_zero(self):
        self.assertEqual(self.share_out(1000, [100, -90], policy="zero"), [1000, 0])

    def test_we_08_percentage_basis(self):
        customers = self.env["res.partner"].create(
            [{"name": f"Department {number}"} for number in range(4)]
        )
        self.create_rule(
            fixed_ids=[
                Command.create({"customer_id": customer.id, "percentage": percentage})
                for customer, percentage in zip(customers, (10, 20, 30, 40), strict=True)
            ]
        )
        self.assertEqual(self.run_pool(100000, customers), [10000, 20000, 30000, 40000])

    def test_we_30_customer_level_operating_income(self):
        """In thousands: gross margin less what each customer causes; channels come after."""
        names = ("NA Wholesaler", "SA Wholesaler", "Green Energy", "Global Power")
        customers = self.env["res.partner"].create([{"name": name} for name in names])
        net_sales = (415_000, 595_000, 142_100, 94_510)
        goods = (355_000, 440_000, 117_000, 84_000)
        for customer, sales, cost in zip(customers, net_sales, goods, strict=True):
            product = self.env["product.product"].create(
                {"name": customer.name, "standard_price": cost, "taxes_id": False}
            )
            self.create_sale(customer, price=sales, product=product)
        causes = {
            "Delivery": (420, 670, 230, 130),
            "Orders": (750, 1000, 200, 110),
            "Visits": (5900, 5800, 2200, 1300),
        }
        for number, (name, costs) in enumerate(causes.items()):
            item = self.create_item(f"WE30-{number}", name)
            account = self.expense_account.copy({"code": f"WE30{number}", "name": name})
            self.map_account(account, item)
            self.create_entry_move([(account, sum(costs), {})])
            driver = self.create_driver(dict(zip(customers, costs, strict=True)))
            self.create_rule(driver, item, name=name)
        self.create_run(post=True)
        self.env.invalidate_all()
        groups = self.env["customer.cost.profitability"]._read_group(
            [("customer_id", "in", customers.ids)],
            ["customer_id"],
            ["gross_margin:sum", "profit:sum"],
        )
        margins = tuple(margin for _customer, margin, _profit in groups)
        profits = tuple(profit for _customer, _margin, profit in groups)
        self.assertEqual(margins, (60_000, 155_000, 25_100, 10_510))
        self.assertEqual(profits, (52_930, 147_530, 22_470, 8_970))
        self.assertEqual(sum(profits), 231_900)
