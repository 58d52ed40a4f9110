import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.tests import BaseCase, tagged

from ..engine import Result, Sent, allocate, allocate_fixed, split

PROPERTIES = settings(deadline=None, derandomize=True, database=None, max_examples=150)
cells = st.lists(st.integers(-(10**14), 10**14), max_size=8).map(
    lambda amounts: [Sent(place, amount) for place, amount in enumerate(amounts)]
)


@tagged("post_install", "-at_install")
class TestEngineAllocation(BaseCase):
    def allocate_one(self, amount, weights):
        (result,) = allocate([Sent("pool", amount)], weights)
        return result.shares.tolist()

    @PROPERTIES
    @given(cells, st.lists(st.integers(0, 10**9), max_size=20))
    def test_every_cell_is_conserved(self, sent, weights):
        results = allocate(sent, weights)
        self.assertEqual([result.key for result in results], [cell.key for cell in sent])
        for cell, result in zip(sent, results, strict=True):
            self.assertEqual(sum(result.shares.tolist()) + result.retained, cell.minor)
            self.assertEqual(result.retained, 0 if any(weights) else cell.minor)
            self.assertEqual(result.shares.tolist(), split(cell.minor, weights).tolist())

    @PROPERTIES
    @given(cells, st.lists(st.sampled_from([0, 0.5, 10, 12.34, 20]), max_size=5))
    def test_every_cell_by_percentages_is_conserved(self, sent, percentages):
        for cell, result in zip(sent, allocate_fixed(sent, percentages), strict=True):
            self.assertEqual(sum(result.shares.tolist()) + result.retained, cell.minor)

    @PROPERTIES
    @given(cells, st.lists(st.integers(0, 1000), min_size=1, max_size=10))
    def test_allocating_again_gives_the_same(self, sent, weights):
        first, second = allocate(sent, weights), allocate(sent, weights)
        for one, other in zip(first, second, strict=True):
            self.assertEqual(one.shares.tolist(), other.shares.tolist())
            self.assertEqual(one.retained, other.retained)

    def test_zero_total_retains_the_cell(self):
        (result,) = allocate([Sent("pool", 100)], [0, 0])
        self.assertEqual((result.shares.tolist(), result.retained), ([0, 0], 100))

    def test_a_result_that_does_not_add_up_is_refused(self):
        with self.assertRaisesRegex(ArithmeticError, "cell pool: 99 \\+ 0 != 100"):
            Result("pool", 100, np.array([50, 49]), 0)

    def test_percentages_beyond_a_hundred_are_refused(self):
        with self.assertRaisesRegex(ValueError, "exceed 100"):
            allocate_fixed([Sent("pool", 100)], [80, 21])

    def test_insurance_by_salaries(self):
        # WE-03
        self.assertEqual(self.allocate_one(100_000, [2000, 5000, 3000]), [20_000, 50_000, 30_000])

    def test_variable_portions_and_weighting_factors(self):
        # WE-06
        self.assertEqual(self.allocate_one(100, [2000, 1000, 2000]), [40, 20, 40])
        factors = [200 * 0.2, 200 * 0.3, 300 * 0.5]
        self.assertEqual(self.allocate_one(500_000, factors), [80_000, 120_000, 300_000])

    def test_percentage_basis(self):
        # WE-08
        (result,) = allocate_fixed([Sent("pool", 10_000_000)], [10, 20, 30, 40])
        self.assertEqual(result.shares.tolist(), [1_000_000, 2_000_000, 3_000_000, 4_000_000])
        self.assertEqual(result.retained, 0)
