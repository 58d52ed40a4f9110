import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.tests import BaseCase, tagged

from ..engine import (
    BLEND_TOTAL,
    POLICIES,
    SO_FAR,
    Basis,
    Blend,
    NegativeQuantities,
    apply_policy,
    split,
    weigh_basis,
)

PROPERTIES = settings(deadline=None, derandomize=True, database=None, max_examples=200)
quantities = st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=30)


@tagged("post_install", "-at_install")
class TestEngineDriverPolicies(BaseCase):
    def test_mixed_signs_are_refused_and_the_receivers_named(self):
        # WE-07: 100 and -90 must never give 10,000 and -9,000 of 1,000
        with self.assertRaises(NegativeQuantities) as caught:
            apply_policy([100, -90, 5, -1], "refuse")
        self.assertEqual(caught.exception.positions.tolist(), [1, 3])

    def test_policies_of_the_published_example(self):
        # WE-07
        for policy, weights, shares in (
            ("shift", [190, 0], [100_000, 0]),
            ("absolute", [100, 90], [52_632, 47_368]),
            ("zero", [100, 0], [100_000, 0]),
        ):
            result = apply_policy([100, -90], policy)
            self.assertEqual(result.tolist(), weights, policy)
            self.assertEqual(split(100_000, result).tolist(), shares, policy)

    @PROPERTIES
    @given(quantities, st.sampled_from(POLICIES))
    def test_weights_are_never_negative(self, values, policy):
        if policy == "refuse" and min(values) < 0:
            with self.assertRaises(NegativeQuantities):
                apply_policy(values, policy)
        else:
            self.assertGreaterEqual(apply_policy(values, policy).min(), 0)

    @PROPERTIES
    @given(st.lists(st.integers(0, 10**9), min_size=1), st.sampled_from(POLICIES))
    def test_quantities_that_are_not_negative_stay(self, values, policy):
        self.assertEqual(apply_policy(values, policy).tolist(), values)

    @PROPERTIES
    @given(quantities)
    def test_shift_keeps_the_differences(self, values):
        shifted = apply_policy(values, "shift")
        rise = max(0, -min(values))
        self.assertEqual(shifted.tolist(), [value + rise for value in values])

    def test_unknown_policy_is_refused(self):
        with self.assertRaisesRegex(ValueError, "unknown policy 'guess'"):
            apply_policy([1], "guess")

    def test_input_stays_as_it_was(self):
        values = [3.0, -2.0]
        for policy in ("zero", "absolute", "shift"):
            apply_policy(values, policy)
        self.assertEqual(values, [3.0, -2.0])


def basis(key, quantities, policy="refuse", source=""):
    """Quantities of customers 1, 2, ... ; ``None`` for one that is not counted."""
    counted = [(place, value) for place, value in enumerate(quantities, 1) if value is not None]
    ids = np.array([place for place, _value in counted], dtype=np.int64)
    return Basis(key, ids, np.array([value for _place, value in counted], float), policy, source)


@tagged("post_install", "-at_install")
class TestEngineBlends(BaseCase):
    def weights(self, blend, size, **options):
        return weigh_basis(blend, np.arange(1, size + 1), **options)

    def test_product_of_the_published_example(self):
        # WE-06 (b): tracing 200 / 200 / 300, weights 20 / 30 / 50 %
        parts = ((1, basis(1, [200, 200, 300])), (1, basis(2, [20, 30, 50])))
        result = self.weights(Blend(9, parts, product=True), 3)
        self.assertEqual(split(500_000, result.weights).tolist(), [80_000, 120_000, 300_000])

    def test_sum_takes_each_part_by_its_own_total(self):
        parts = ((60, basis(1, [900, 100])), (40, basis(2, [1, 3])))
        result = self.weights(Blend(9, parts), 2)
        self.assertEqual(result.weights.round(6).tolist(), [640_000, 360_000])
        self.assertEqual(result.empty, ())

    def test_parts_are_taken_among_the_receivers_only(self):
        # the first customer has nearly all revenue, and is no receiver
        parts = ((50, basis(1, [10_000, 30, 10])), (50, basis(2, [0, 1, 3])))
        result = weigh_basis(Blend(9, parts), np.array([2, 3]))
        self.assertEqual(result.weights.round(6).tolist(), [500_000, 500_000])

    def test_part_without_quantity_is_left_out_and_named(self):
        parts = ((60, basis(1, [1, 3])), (40, basis(2, [0, None])))
        result = self.weights(Blend(9, parts), 2)
        self.assertEqual(result.weights.round(6).tolist(), [250_000, 750_000])
        self.assertEqual(result.empty, (2,))

    def test_blend_of_nothing_is_zero(self):
        for product in (False, True):
            parts = ((1, basis(1, [0, 0])), (1, basis(2, [None, None])))
            result = self.weights(Blend(9, parts, product), 2)
            self.assertEqual(result.weights.tolist(), [0, 0])
            self.assertEqual(result.empty, (1, 2))

    def test_product_with_an_empty_part_is_zero(self):
        parts = ((1, basis(1, [5, 7])), (1, basis(2, [0, 0])))
        result = self.weights(Blend(9, parts, product=True), 2)
        self.assertEqual(result.weights.tolist(), [0, 0])

    def test_policy_of_each_part_counts(self):
        parts = ((50, basis(1, [10, -5], "zero")), (50, basis(2, [1, 1])))
        result = self.weights(Blend(9, parts), 2)
        self.assertEqual(result.weights.round(6).tolist(), [750_000, 250_000])
        [(key, positions, quantities)] = result.negative
        self.assertEqual((key, positions.tolist(), quantities.tolist()), (1, [1], [10, -5]))

    def test_part_that_refuses_negative_quantities_is_named(self):
        parts = ((1, basis(1, [1, 1])), (1, basis(2, [4, -2])))
        with self.assertRaises(NegativeQuantities) as caught:
            self.weights(Blend(9, parts), 2)
        self.assertEqual(caught.exception.key, 2)
        self.assertEqual(caught.exception.positions.tolist(), [1])

    def test_cost_so_far_takes_what_the_run_allocated(self):
        so_far = np.array([50.0, 0, 150])
        direct = basis(1, [100, 100], source=SO_FAR)
        self.assertEqual(self.weights(direct, 3).weights.tolist(), [100, 100, 0])
        self.assertEqual(self.weights(direct, 3, so_far=so_far).weights.tolist(), [150, 100, 150])
        counted = basis(2, [100, 100])
        self.assertEqual(self.weights(counted, 3, so_far=so_far).weights.tolist(), [100, 100, 0])
        inside = Blend(9, ((1, direct),))
        self.assertEqual(
            self.weights(inside, 3, so_far=so_far).weights.round(6).tolist(),
            [375_000, 250_000, 375_000],
        )

    def test_blend_inside_a_blend(self):
        inner = Blend(8, ((1, basis(1, [1, 3])), (1, basis(2, [3, 1]))))
        result = self.weights(Blend(9, ((50, inner), (50, basis(3, [1, 0])))), 2)
        self.assertEqual(result.weights.round(6).tolist(), [750_000, 250_000])

    def test_largest_quantities(self):
        huge = basis(1, [1e13, 1e13 - 1, 1])
        result = self.weights(Blend(9, ((1, huge), (1, huge)), product=True), 3)
        self.assertAlmostEqual(result.weights.sum(), BLEND_TOTAL, 3)
        self.assertEqual(split(10**14, huge.quantities).sum(), 10**14)

    @PROPERTIES
    @given(
        st.lists(
            st.tuples(
                st.floats(0.01, 1000), st.lists(st.integers(0, 10**13), min_size=4, max_size=4)
            ),
            min_size=1,
            max_size=5,
        )
    )
    def test_blend_adds_up_to_a_million_or_to_nothing(self, parts):
        blend = Blend(
            9, tuple((weight, basis(key, values)) for key, (weight, values) in enumerate(parts))
        )
        result = self.weights(blend, 4)
        self.assertGreaterEqual(result.weights.min(), 0)
        counted = any(any(values) for _weight, values in parts)
        self.assertAlmostEqual(result.weights.sum(), BLEND_TOTAL if counted else 0, 3)

    @PROPERTIES
    @given(
        st.lists(st.integers(1, 10**6), min_size=3, max_size=3),
        st.lists(st.integers(1, 10**6), min_size=3, max_size=3),
        st.floats(0.01, 1000),
        st.integers(2, 1000),
    )
    def test_scale_of_a_part_or_of_all_weights_does_not_matter(self, one, other, weight, scale):
        plain = Blend(9, ((weight, basis(1, one)), (1, basis(2, other))))
        scaled = Blend(
            9,
            (
                (weight * scale, basis(1, [value * scale for value in one])),
                (scale, basis(2, other)),
            ),
        )
        np.testing.assert_allclose(
            self.weights(plain, 3).weights, self.weights(scaled, 3).weights, rtol=1e-9
        )
