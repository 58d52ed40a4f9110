import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.tests import BaseCase, tagged

from ..engine import (
    consecutive_shares,
    from_minor,
    minor_text,
    split,
    split_by_percentages,
    to_minor,
)

PROPERTIES = settings(deadline=None, derandomize=True, database=None, max_examples=200)

amounts = st.one_of(
    st.integers(-(10**6), 10**6),
    st.integers(-(10**14), 10**14),
    st.integers(-(10**21), 10**21),
)
whole_weights = st.one_of(
    st.lists(st.integers(0, 20), min_size=1, max_size=30),
    st.lists(st.integers(0, 10**13), min_size=1, max_size=30),
    st.lists(st.sampled_from([0, 1, 10**12]), min_size=1, max_size=30),
)
weights_lists = st.one_of(
    whole_weights,
    st.lists(st.integers(0, 10**9).map(lambda value: value / 100), min_size=1, max_size=30),
    st.lists(st.floats(0, 1e12, allow_nan=False), min_size=1, max_size=30),
)


def largest_remainder(minor, weights):
    """Exact oracle: floors, then one unit each to the largest fractions, lowest place first."""
    exact = [Fraction(weight) for weight in weights]
    total = sum(exact)
    if not total:
        return [0] * len(exact)
    quotas = [abs(minor) * weight / total for weight in exact]
    shares = [int(quota) for quota in quotas]
    order = sorted(range(len(quotas)), key=lambda i: (shares[i] - quotas[i], i))
    for place in order[: abs(minor) - sum(shares)]:
        shares[place] += 1
    return [share if minor > 0 else -share for share in shares]


@tagged("post_install", "-at_install")
class TestEngineSplit(BaseCase):
    @PROPERTIES
    @given(amounts, whole_weights)
    def test_split_is_the_exact_largest_remainder(self, minor, weights):
        self.assertEqual(split(minor, weights).tolist(), largest_remainder(minor, weights))

    @PROPERTIES
    @given(amounts, st.lists(st.integers(0, 10**9).map(lambda value: value / 100), max_size=30))
    def test_weights_with_decimals_are_taken_as_their_decimal_text(self, minor, weights):
        expected = largest_remainder(minor, [Fraction(str(weight)) for weight in weights])
        self.assertEqual(split(minor, weights).tolist(), expected)

    @PROPERTIES
    @given(amounts, weights_lists)
    def test_split_conserves_the_amount_to_the_unit(self, minor, weights):
        shares = split(minor, weights).tolist()
        conserved = minor if any(round(weight, 6) for weight in weights) else 0
        self.assertEqual(sum(shares), conserved)

    @PROPERTIES
    @given(amounts, weights_lists)
    def test_split_of_the_opposite_mirrors_the_split(self, minor, weights):
        self.assertEqual(split(-minor, weights).tolist(), (-split(minor, weights)).tolist())

    @PROPERTIES
    @given(amounts, weights_lists)
    def test_zero_weight_gets_nothing_and_no_share_has_the_other_sign(self, minor, weights):
        shares = split(minor, weights).tolist()
        for weight, share in zip(weights, shares, strict=True):
            if not weight:
                self.assertEqual(share, 0)
            self.assertGreaterEqual(share * (1 if minor > 0 else -1), 0)

    @PROPERTIES
    @given(st.integers(1, 10**9), st.lists(st.integers(0, 10**6), min_size=2), st.data())
    def test_order_of_receivers_does_not_matter_beyond_ties(self, minor, weights, data):
        order = data.draw(st.permutations(range(len(weights))))
        shares = split(minor, weights).tolist()
        shuffled = split(minor, [weights[place] for place in order]).tolist()
        total = sum(weights) or 1
        remainders = [minor * weight % total for weight in weights]
        for position, place in enumerate(order):
            if remainders.count(remainders[place]) == 1:
                self.assertEqual(shuffled[position], shares[place])
            else:
                self.assertLessEqual(abs(shuffled[position] - shares[place]), 1)

    @PROPERTIES
    @given(
        st.integers(0, 10**12),
        st.lists(st.integers(0, 10**6), min_size=1, max_size=20),
        st.integers(1, 10**6),
        st.data(),
    )
    def test_a_larger_weight_never_gets_less(self, minor, weights, rise, data):
        place = data.draw(st.integers(0, len(weights) - 1))
        raised = list(weights)
        raised[place] += rise
        self.assertGreaterEqual(split(minor, raised)[place], split(minor, weights)[place])

    @PROPERTIES
    @given(amounts, weights_lists)
    def test_splitting_by_the_result_gives_the_result_again(self, minor, weights):
        shares = split(minor, weights)
        again = split(minor, [abs(share) for share in shares.tolist()])
        self.assertEqual(again.tolist(), shares.tolist())

    @PROPERTIES
    @given(st.integers(1, 10**9), st.lists(st.integers(0, 1000), min_size=1), st.integers(2, 99))
    def test_weights_in_the_same_proportion_give_the_same_split(self, minor, weights, factor):
        multiplied = [weight * factor for weight in weights]
        self.assertEqual(split(minor, multiplied).tolist(), split(minor, weights).tolist())

    def test_ties_go_to_the_lowest_position(self):
        self.assertEqual(split(1, [5, 5, 5]).tolist(), [1, 0, 0])
        self.assertEqual(split(5, [1, 1, 1]).tolist(), [2, 2, 1])
        self.assertEqual(split(-1, [5, 5, 5]).tolist(), [-1, 0, 0])
        self.assertEqual(split(1, [0, 3, 0, 3]).tolist(), [0, 1, 0, 0])

    def test_one_cent_over_a_hundred_thousand(self):
        shares = split(1, [1] * 100_000)
        self.assertEqual(shares[0], 1)
        self.assertEqual(int(shares.sum()), 1)
        self.assertEqual(int(np.count_nonzero(shares)), 1)

    def test_one_cent_less_than_there_are_receivers(self):
        shares = split(99_999, np.ones(100_000))
        self.assertEqual(shares[:-1].tolist(), [1] * 99_999)
        self.assertEqual(shares[-1], 0)

    def test_amounts_and_weights_beyond_64_bits(self):
        minor = 10**14 + 7
        weights = [10**13 + place for place in range(1000)]
        self.assertEqual(split(minor, weights).tolist(), largest_remainder(minor, weights))
        huge = [10**19, 2**63, 10**25 + 1]
        self.assertEqual(split(minor, huge).tolist(), largest_remainder(minor, huge))

    def test_sum_of_the_shares_of_an_amount_beyond_64_bits(self):
        shares = split(10**19, [1, 1])
        self.assertEqual(shares.tolist(), [5 * 10**18, 5 * 10**18])
        self.assertEqual(int(shares.sum()), 10**19)

    def test_all_but_one_zero(self):
        weights = [0] * 5000
        weights[4321] = 3
        shares = split(123_456, weights)
        self.assertEqual(shares[4321], 123_456)
        self.assertEqual(int(np.count_nonzero(shares)), 1)

    def test_nothing_moves_without_weights_or_amount(self):
        self.assertEqual(split(100, [0, 0]).tolist(), [0, 0])
        self.assertEqual(split(100, []).tolist(), [])
        self.assertEqual(split(0, [1, 2]).tolist(), [0, 0])

    def test_weights_below_zero_or_no_number_are_refused(self):
        for weights in ([1, -1], [1.0, -0.5], [float("nan"), 1], [float("inf"), 1], [-(10**20), 1]):
            with self.assertRaisesRegex(ValueError, "finite and not negative"):
                split(100, weights)

    def test_odd_cents_of_published_examples(self):
        # WE-05
        self.assertEqual(split(14565, [50, 50]).tolist(), [7283, 7282])
        self.assertEqual(split(10000, [1, 1, 1]).tolist(), [3334, 3333, 3333])
        self.assertEqual(split(100, [1, 1, 1]).tolist(), [34, 33, 33])


@tagged("post_install", "-at_install")
class TestEnginePercentages(BaseCase):
    percentages = st.lists(st.integers(0, 10**7), min_size=1, max_size=12).map(
        lambda parts: [100 * part / max(sum(parts), 10**7) // 0.0001 / 10000 for part in parts]
    )

    @PROPERTIES
    @given(amounts, percentages)
    def test_shares_and_rest_add_up_to_the_amount(self, minor, percentages):
        exact = [Fraction(str(value)) for value in percentages]
        shares, retained = split_by_percentages(minor, percentages)
        self.assertEqual(sum(shares.tolist()) + retained, minor)
        self.assertEqual(
            [*shares.tolist(), retained], largest_remainder(minor, [*exact, 100 - sum(exact)])
        )

    def test_rest_below_a_hundred_is_retained(self):
        shares, retained = split_by_percentages(10_000, [33.33, 33.33])
        self.assertEqual((shares.tolist(), retained), ([3333, 3333], 3334))

    def test_full_percentages_retain_nothing(self):
        shares, retained = split_by_percentages(-1001, [33.33, 33.33, 33.34])
        self.assertEqual((shares.tolist(), retained), ([-334, -333, -334], 0))

    def test_percentages_keep_more_than_six_decimals(self):
        shares, retained = split_by_percentages(10**12, [33.33333333])
        self.assertEqual((shares.tolist(), retained), ([333_333_333_300], 666_666_666_700))

    def test_more_than_a_hundred_or_less_than_zero_is_refused(self):
        with self.assertRaisesRegex(ValueError, "exceed 100"):
            split_by_percentages(100, [60, 40.01])
        with self.assertRaisesRegex(ValueError, "not negative"):
            split_by_percentages(100, [-1, 50])

    def test_a_pool_emptied_by_several_rules_keeps_no_cent(self):
        self.assertEqual(consecutive_shares(1, [50, 50]), [1, 0])
        self.assertEqual(consecutive_shares(10_001, [33.33, 33.33, 33.34]), [3333, 3334, 3334])
        self.assertEqual(consecutive_shares(-10_001, [50, 50]), [-5001, 5000 * -1])

    @PROPERTIES
    @given(st.integers(-(10**16), 10**16), st.lists(st.integers(0, 100), max_size=10))
    def test_consecutive_shares_follow_the_running_total(self, minor, parts):
        total = sum(parts) or 1
        percentages = [100 * part // total for part in parts]
        shares = consecutive_shares(minor, percentages)
        running = 0
        for place, percentage in enumerate(percentages):
            running += percentage
            self.assertLessEqual(
                abs(sum(shares[: place + 1]) - Fraction(minor * running, 100)), 0.5
            )
        if running == 100:
            self.assertEqual(sum(shares), minor)

    def test_consecutive_shares_beyond_a_hundred_are_refused(self):
        for percentages in ([60, 41], [101], [50, -1]):
            with self.assertRaisesRegex(ValueError, "exceed 100"):
                consecutive_shares(100, percentages)


@tagged("post_install", "-at_install")
class TestEngineMinorUnits(BaseCase):
    def test_amounts_become_minor_units_of_every_currency(self):
        self.assertEqual(to_minor(1234, 0), 1234)
        self.assertEqual(to_minor(12.34, 2), 1234)
        self.assertEqual(to_minor(-1.2345, 3), -1235)
        self.assertEqual(to_minor("0.125", 2), 13)

    def test_halves_are_rounded_away_from_zero(self):
        self.assertEqual(to_minor(1.005, 2), 101)
        self.assertEqual(to_minor(-1.005, 2), -101)
        self.assertEqual(to_minor(2.5, 0), 3)

    def test_text_is_exact(self):
        self.assertEqual(minor_text(-5, 2), "-0.05")
        self.assertEqual(minor_text(5, 3), "0.005")
        self.assertEqual(minor_text(-1234, 0), "-1234")
        self.assertEqual(minor_text(0, 2), "0.00")
        self.assertEqual(minor_text(10**20 + 1, 2), "1000000000000000000.01")

    @PROPERTIES
    @given(st.integers(-(10**18), 10**18), st.sampled_from([0, 2, 3]))
    def test_text_and_amount_lead_back_to_the_minor_units(self, minor, decimals):
        self.assertEqual(to_minor(minor_text(minor, decimals), decimals), minor)
        self.assertEqual(to_minor(from_minor(minor, decimals), decimals), minor)


@tagged("post_install", "-at_install")
class TestEngineStandsAlone(BaseCase):
    def test_engine_is_imported_without_odoo(self):
        code = (
            "import sys; import engine; from engine import split; "
            "assert 'odoo' not in sys.modules; print(split(100, [1, 1, 1]).tolist())"
        )
        addon = Path(__file__).resolve().parents[1]
        result = subprocess.run(
            [sys.executable, "-c", code],
            cwd=addon,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        self.assertEqual(result.stderr, "")
        self.assertEqual(result.stdout.strip(), "[34, 33, 33]")
