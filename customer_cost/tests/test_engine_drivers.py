from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.tests import BaseCase, tagged

from ..engine import POLICIES, NegativeQuantities, apply_policy, split

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
