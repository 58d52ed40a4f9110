from datetime import date

from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command

from ..engine import SO_FAR, Basis, Blend, weigh_basis
from .common import CustomerCostCommon

MARCH = date(2025, 3, 31)


class TestDriverBlend(CustomerCostCommon):
    """Drivers made of drivers, and cost so far."""

    @classmethod
    def create_blend(cls, *parts, **vals):
        """Blend of ``(driver, weight)`` pairs."""
        return cls.env["customer.cost.driver"].create(
            {
                "name": "Blend",
                "code": f"B{cls.env['customer.cost.driver'].search_count([])}",
                "kind": "composite",
                "component_ids": [
                    Command.create({"component_id": driver.id, "weight": weight})
                    for driver, weight in parts
                ],
                **vals,
            }
        )

    def quantities(self, driver, day=MARCH, company=None):
        self.env.flush_all()
        found = driver.with_user(self.users["accountant"])._get_quantities(
            company or self.company, day
        )
        return {
            self.env["res.partner"].browse(customer): round(quantity, 6)
            for customer, quantity in found.items()
        }

    def preview(self, driver):
        return (
            self.env["customer.cost.driver.preview"]
            .with_user(self.users["accountant"])
            .create({"driver_id": driver.id, "company_id": self.company.id, "date": MARCH})
        )

    # ------------------------------------------------------------
    # Blends
    # ------------------------------------------------------------

    def test_shares_are_added_up_by_weight(self):
        revenue = self.create_driver({self.customer_a: 900, self.customer_b: 100})
        visits = self.create_driver({self.customer_b: 1, self.customer_c: 3})
        blend = self.create_blend((revenue, 60), (visits, 40))
        self.assertEqual(
            self.quantities(blend),
            {self.customer_a: 540_000, self.customer_b: 160_000, self.customer_c: 300_000},
        )
        self.assertEqual(blend.blend, f"60 {revenue.code} + 40 {visits.code}")

    def test_tracing_times_weighting_of_the_published_example(self):
        # WE-06 (b): 5,000 by 200 / 200 / 300 times 20 / 30 / 50
        customers = (self.customer_a, self.customer_b, self.customer_c)
        tracing = self.create_driver(dict(zip(customers, (200, 200, 300), strict=True)))
        weighting = self.create_driver(dict(zip(customers, (20, 30, 50), strict=True)))
        blend = self.create_blend((tracing, 1), (weighting, 1), blend_method="product")
        self.create_bill([(self.expense_account, 5000, {})])
        self.create_rule(blend)
        run = self.create_run(post=True)
        self.assertEqual(self.received(run), dict(zip(customers, (800, 1200, 3000), strict=True)))

    def test_part_without_quantity_is_left_out_and_named(self):
        full = self.create_driver({self.customer_a: 1, self.customer_b: 3}, name="Full")
        empty = self.create_driver(name="Empty one")
        blend = self.create_blend((full, 10), (empty, 90))
        self.assertEqual(
            self.quantities(blend), {self.customer_a: 250_000, self.customer_b: 750_000}
        )
        preview = self.preview(blend)
        self.assertEqual(preview.total, 1_000_000)
        self.assertRegex(preview.note, "left out, the others count for it: Empty one")
        blend.blend_method = "product"
        preview = self.preview(blend)
        self.assertEqual((preview.total, preview.zero_count), (0, 2))
        self.assertRegex(preview.note, "so that all are zero: Empty one")

    def test_each_part_keeps_its_own_window_and_policy(self):
        year = self.create_driver({self.customer_a: 10}, day="2025-01-31", window="year")
        signed = self.create_driver(
            {self.customer_a: -5, self.customer_b: 5}, policy="zero", name="Signed"
        )
        blend = self.create_blend((year, 1), (signed, 1))
        self.assertEqual(
            self.quantities(blend), {self.customer_a: 500_000, self.customer_b: 500_000}
        )
        signed.policy = "refuse"
        with self.assertRaisesText(
            UserError, r"its part Signed is negative for Cost Customer A \(-5\)\. Choose"
        ):
            self.quantities(blend)

    def test_basis_lets_the_engine_weigh_among_the_receivers(self):
        revenue = self.create_driver(
            {self.customer_a: 10_000, self.customer_b: 30, self.vendor: 10}
        )
        visits = self.create_driver({self.customer_b: 1, self.vendor: 3})
        inner = self.create_blend((revenue, 50), (visits, 50))
        blend = self.create_blend((inner, 2), (visits, 1))
        basis = blend._get_basis(self.company, MARCH)
        self.assertIsInstance(basis, Blend)
        receivers = sorted((self.customer_b | self.vendor).ids)
        weights = weigh_basis(inner._get_basis(self.company, MARCH), receivers).weights
        self.assertEqual(weights.round(6).tolist(), [500_000, 500_000])
        self.assertEqual(
            set(basis.customers.tolist()),
            set((self.customer_a | self.customer_b | self.vendor).ids),
        )

    def test_blend_needs_parts_with_a_weight(self):
        with self.assertRaisesText(ValidationError, "Made Of: choose the drivers"):
            self.create_blend()
        driver = self.create_driver()
        for weight, message in (
            (0, "the weight of .* has to lie above 0"),
            (-1, "the weight of .* has to lie above 0"),
            (float("nan"), "Weight: nan is not a number"),
        ):
            with self.subTest(weight=weight), self.assertRaisesText(ValidationError, message):
                self.create_blend((driver, weight))
        blend = self.create_blend((driver, 1))
        blend.component_ids.unlink()
        self.assertRegex(blend.problem, "Made Of: choose the drivers")
        with self.assertRaisesText(UserError, "Made Of: choose the drivers"):
            self.preview(blend).total  # noqa: B018 - computed when it is read

    def test_parts_belong_to_every_company_of_the_blend(self):
        part = self.create_driver(company_id=self.company.id)
        blend = self.create_blend((part, 1), company_id=self.company.id)
        with self.assertRaisesText(UserError, "Incompatible companies|company"):
            blend.company_id = False

    def test_blend_has_no_quantity_to_charge_by_a_rate(self):
        driver = self.create_driver({self.customer_a: 1})
        blend = self.create_blend((driver, 1))
        message = "Test rule charges by a rate: .*Blend is a blend"
        rule = self.create_rule(driver, method="predetermined", unit_rate=1.0)
        with self.assertRaisesText(ValidationError, message):
            rule.driver_id = blend
        other = self.create_driver()
        rule.driver_id = other
        with self.assertRaisesText(ValidationError, f"by a rate: .*{other.name} is a blend"):
            parts = [Command.create({"component_id": driver.id})]
            other.write({"kind": "composite", "component_ids": parts})

    def test_circle_is_refused_and_named(self):
        driver = self.create_driver()
        inner = self.create_blend((driver, 1), name="Inner")
        outer = self.create_blend((inner, 1), (driver, 1), name="Outer")
        with self.assertRaisesText(ValidationError, "part of itself: Inner → Outer → Inner"):
            inner.component_ids = [Command.create({"component_id": outer.id})]
        self.assertEqual(inner.component_ids.component_id, driver)
        with self.assertRaisesText(ValidationError, "part of itself: Inner → Inner"):
            inner.component_ids.component_id = inner
        plain = self.create_driver(name="Plain")
        plain.component_ids = [Command.create({"component_id": outer.id})]
        outer.component_ids = [Command.create({"component_id": plain.id})]
        with self.assertRaisesText(ValidationError, "part of itself: Plain → Outer → Plain"):
            plain.kind = "composite"

    def test_part_is_not_archived_nor_deleted_under_its_blend(self):
        driver = self.create_driver(name="Needed")
        blend = self.create_blend((driver, 1), name="Needs it")
        with self.assertRaisesText(ValidationError, "Needed is part of Needs it. Archive"):
            driver.active = False
        blend.active = False
        driver.active = False

    def test_parts_belong_where_the_blend_belongs(self):
        driver = self.create_driver(company_id=self.company.id)
        with self.assertRaisesText(UserError, "company"):
            self.create_blend((driver, 1))
        blend = self.create_blend((driver, 1), company_id=self.company.id)
        with self.assertRaisesText(ValidationError, "cannot belong to"):
            driver.company_id = self.env["res.company"].create({"name": "Elsewhere"})
        self.assertEqual(blend.component_ids.company_id, self.company)

    def test_changed_part_is_a_changed_rule(self):
        driver = self.create_driver({self.customer_a: 1})
        blend = self.create_blend((self.create_blend((driver, 1)), 1))
        rule = self.create_rule(blend)
        before = rule._get_definition(self.company, date(2025, 3, 31))
        self.assertEqual(rule._get_definition(self.company, date(2025, 3, 31)), before)
        driver.policy = "zero"
        self.assertNotEqual(rule._get_definition(self.company, date(2025, 3, 31)), before)
        changed = rule._get_definition(self.company, date(2025, 3, 31))
        blend.component_ids.weight = 2
        self.assertNotEqual(rule._get_definition(self.company, date(2025, 3, 31)), changed)

    # ------------------------------------------------------------
    # Cost so far
    # ------------------------------------------------------------

    def create_cost_driver(self, **vals):
        return self.create_driver(name="Cost so far", kind="cost", **vals)

    def test_cost_so_far_is_direct_cost_of_the_window(self):
        self.create_cost(post=True, amount=30)
        self.create_cost(post=True, amount=12.5, date="2025-02-28")
        self.create_cost(post=True, amount=70, customer_id=self.customer_b.id)
        self.create_cost(post=True, amount=999, customer_id=False)
        self.create_cost(amount=888)
        driver = self.create_cost_driver()
        self.assertEqual(self.quantities(driver), {self.customer_a: 30, self.customer_b: 70})
        driver.window = "year"
        self.assertEqual(self.quantities(driver), {self.customer_a: 42.5, self.customer_b: 70})

    def test_cost_so_far_takes_what_earlier_months_allocated(self):
        self.create_rule(self.create_driver({self.customer_c: 1}, day="2025-02-28"))
        self.create_bill([(self.expense_account, 40, {})], day="2025-02-10")
        self.create_run("2025-02-28", post=True)
        self.create_cost(post=True, amount=30)
        driver = self.create_cost_driver(window="year")
        expected = {self.customer_a: 30, self.customer_c: 40}
        self.assertEqual(self.quantities(driver), expected)
        driver.window = "period"
        self.assertEqual(self.quantities(driver), {self.customer_a: 30})
        self.assertEqual(self.quantities(driver, date(2025, 2, 28)), {})

    def test_cost_so_far_is_marked_for_the_run(self):
        self.create_cost(post=True, amount=30)
        basis = self.create_cost_driver(policy="zero")._get_basis(self.company, MARCH)
        self.assertIsInstance(basis, Basis)
        self.assertEqual((basis.source, basis.policy), (SO_FAR, "zero"))
        self.assertEqual(basis.ids.tolist(), self.customer_a.ids)
        self.assertEqual(basis.quantities.tolist(), [30])
        counted = self.create_driver({self.customer_a: 1})._get_basis(self.company, MARCH)
        self.assertEqual(counted.source, "")

    def test_cost_so_far_of_another_company_does_not_count(self):
        self.create_cost(post=True, amount=30)
        other = self.env["res.company"].create({"name": "Other"})
        driver = self.create_cost_driver()
        self.assertEqual(self.quantities(driver, company=other), {})

    def test_preview_says_that_the_run_adds_to_cost_so_far(self):
        self.create_cost(post=True, amount=30)
        preview = self.preview(self.create_cost_driver())
        self.assertEqual(preview.total, 30)
        self.assertRegex(preview.note, "A run adds what its earlier steps have allocated")
