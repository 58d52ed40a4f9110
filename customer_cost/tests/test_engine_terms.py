from decimal import Decimal
from random import Random

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from odoo.tests import BaseCase, tagged

from ..engine.rounding import split
from ..engine.terms import (
    CAP,
    EXEMPT,
    FIXED_AMOUNT,
    FIXED_PCT,
    FLOOR,
    IN_AMOUNTS,
    KINDS,
    TO_OTHERS,
    TO_POOL,
    WEIGHT,
    Term,
    TermsExceed,
    allocate_with_terms,
    apply_terms,
)

PROPERTIES = settings(deadline=None, derandomize=True, database=None, max_examples=1000)
SHORT = settings(PROPERTIES, max_examples=300)
SCOPES = (None, frozenset([1]), frozenset([1, 2]), frozenset([3]))
FIRST = 100


def draw_value(random, kind):
    if kind == WEIGHT:
        return random.choice([0.25, 1.5, 2, 3])
    if kind == FIXED_PCT:
        return random.choice([1, 12.5, 33.333333])
    return random.choice([0, random.randint(0, 400)]) if kind in IN_AMOUNTS else 0


def make_terms(random, customer, scopes, kinds):
    for scope in random.sample(scopes, random.randint(0, min(2, len(scopes)))):
        kind = random.choice(kinds)
        value = draw_value(random, kind)
        yield Term(customer, kind, value, scope, random.choice([TO_OTHERS, TO_POOL]))
        if kind == CAP and random.random() < 0.5:
            yield Term(customer, FLOOR, random.randint(0, value), scope)


def steps(scopes=SCOPES, kinds=KINDS, signs=(-1, 1), amount=10**14):
    """Cells, weights, ids and terms of one step; no customer has two terms of one scope."""

    def make(seed):
        random = Random(seed)
        cells = [
            (random.randint(1, 4), random.choice(signs) * random.randint(0, most))
            for most in random.choices([10, 3000, amount], k=random.randint(1, 6))
        ]
        ids = list(range(FIRST, FIRST + random.randint(1, 12)))
        weights = [
            random.choice([0, 0.5, 10.0**13, 33.333333, random.randint(1, 10)]) for _id in ids
        ]
        terms = [term for customer in ids for term in make_terms(random, customer, scopes, kinds)]
        return cells, weights, ids, terms

    return st.integers(0, 2**40).map(make)


def allocate(step, **kwargs):
    try:
        return allocate_with_terms(*step, **kwargs)
    except TermsExceed as error:
        assert error.claimed > error.available >= 0
        assume(False)


def totals(results):
    return sum(shares for shares, _retained in results).tolist()


@tagged("post_install", "-at_install")
class TestEngineTerms(BaseCase):
    def share(self, minor, weights, *terms):
        shares, retained = apply_terms(minor, weights, list(range(len(weights))), terms)
        return shares.tolist(), retained

    # ------------------------------------------------------------
    # Properties
    # ------------------------------------------------------------

    @PROPERTIES
    @given(steps(), st.sampled_from([0, 2, 50.5]), st.booleans())
    def test_every_cell_is_conserved_and_keeps_its_sign(self, step, rest, exempt_to_pool):
        results = allocate(step, rest=rest, exempt_to_pool=exempt_to_pool)
        for (_item, minor), (shares, retained) in zip(step[0], results, strict=True):
            self.assertEqual(sum(shares.tolist()) + retained, minor)
            sign = 1 if minor >= 0 else -1
            self.assertTrue(all(sign * share >= 0 for share in [*shares.tolist(), retained]))

    @PROPERTIES
    @given(steps(scopes=[None, frozenset([1])]))
    def test_terms_hold_for_the_step_as_a_whole(self, step):
        cells, _weights, ids, terms = step
        results = allocate(step)
        own = {
            (term.customer, term.items)
            for term in terms
            if term.kind != WEIGHT and term.items is not None
        }
        for term in terms:
            covered = [
                place
                for place, (item, minor) in enumerate(cells)
                if minor
                and term.concerns(item)
                and (term.items or item != 1 or (term.customer, frozenset([1])) not in own)
            ]
            if not covered:
                continue
            place = ids.index(term.customer)
            charged = abs(sum(int(results[cell][0][place]) for cell in covered))
            if term.kind == EXEMPT:
                self.assertEqual(charged, 0)
            elif term.kind == CAP:
                self.assertLessEqual(charged, term.value)
            elif term.kind == FLOOR:
                self.assertGreaterEqual(charged, term.value)
            elif term.kind == FIXED_AMOUNT:
                self.assertEqual(charged, term.value)

    @PROPERTIES
    @given(steps())
    def test_refunds_mirror_charges(self, step):
        cells, *others = step
        mirrored = [(item, -minor) for item, minor in cells]
        assume(sum(minor for _item, minor in cells))
        for (shares, retained), (back, kept) in zip(
            allocate(step), allocate((mirrored, *others)), strict=True
        ):
            self.assertEqual(((-shares).tolist(), -retained), (back.tolist(), kept))

    @SHORT
    @given(steps(), st.randoms(use_true_random=False))
    def test_the_order_of_terms_and_a_second_time_change_nothing(self, step, random):
        cells, weights, ids, terms = step
        shuffled = random.sample(terms, len(terms))
        first = allocate(step)
        second = allocate_with_terms(cells, weights, ids, shuffled)
        for one, other in zip(first, second, strict=True):
            self.assertEqual((one[0].tolist(), one[1]), (other[0].tolist(), other[1]))

    @PROPERTIES
    @given(steps(scopes=[None], signs=(1,), amount=10**6), st.data())
    def test_a_greater_quantity_never_costs_less(self, step, data):
        cells, weights, ids, terms = step
        place = data.draw(st.integers(0, len(ids) - 1))
        more = [*weights]
        more[place] += data.draw(st.integers(1, 10))
        before, after = totals(allocate(step)), totals(allocate((cells, more, ids, terms)))
        self.assertGreaterEqual(after[place], before[place])

    @PROPERTIES
    @given(
        st.integers(0, 10**12),
        st.lists(st.integers(0, 1000), min_size=1, max_size=8),
        st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**12)), max_size=8),
    )
    def test_one_rate_holds_between_the_bounds(self, minor, weights, bounds):
        terms = []
        for customer, (low, more) in list(enumerate(bounds))[: len(weights)]:
            terms += [Term(customer, FLOOR, low), Term(customer, CAP, low + more)]
        assume(sum(term.value for term in terms if term.kind == FLOOR) <= minor)
        shares, retained = self.share(minor, weights, *terms)
        lows = {term.customer: term.value for term in terms if term.kind == FLOOR}
        highs = {term.customer: term.value for term in terms if term.kind == CAP}
        rates = [
            (Decimal(share - 1) / weight, Decimal(share + 1) / weight)
            for place, (share, weight) in enumerate(zip(shares, weights, strict=True))
            if weight and lows.get(place, 0) < share < highs.get(place, minor + 1)
        ]
        if rates:
            lowest, highest = max(low for low, _high in rates), min(high for _low, high in rates)
            self.assertLessEqual(lowest, highest)
            for place, (share, weight) in enumerate(zip(shares, weights, strict=True)):
                if lows.get(place) == highs.get(place, -1):
                    continue
                if weight and share == lows.get(place, 0):
                    self.assertGreaterEqual(Decimal(share + 1) / weight, lowest)
                elif weight and share == highs.get(place):
                    self.assertLessEqual(Decimal(share - 1) / weight, highest)
        if retained:
            self.assertTrue(
                all(
                    share >= highs.get(place, minor + 1) or not weight
                    for place, (share, weight) in enumerate(zip(shares, weights, strict=True))
                )
            )

    @SHORT
    @given(steps(kinds=(WEIGHT,)))
    def test_without_terms_in_amounts_cells_are_split_one_by_one(self, step):
        cells, weights, ids, _terms = step
        for (_item, minor), (shares, retained) in zip(
            cells, allocate_with_terms(cells, weights, ids, []), strict=True
        ):
            expected = split(minor, np.array(weights, dtype=float)).tolist()
            self.assertEqual((shares.tolist(), retained), (expected, minor - sum(expected)))

    # ------------------------------------------------------------
    # One amount
    # ------------------------------------------------------------

    def test_an_exempt_customer_leaves_its_part_to_the_others(self):
        self.assertEqual(self.share(900, [1, 1, 1], Term(0, EXEMPT)), ([0, 450, 450], 0))

    def test_the_part_of_an_exempt_customer_may_stay_in_the_pool(self):
        (result,) = allocate_with_terms(
            [(1, 900)], [1, 1, 1], [0, 1, 2], [Term(0, EXEMPT)], exempt_to_pool=True
        )
        self.assertEqual((result[0].tolist(), result[1]), ([0, 300, 300], 300))

    def test_a_weight_multiplies_the_quantity(self):
        self.assertEqual(self.share(1000, [1, 1], Term(0, WEIGHT, 1.5)), ([600, 400], 0))

    def test_a_fixed_share_is_taken_first(self):
        self.assertEqual(self.share(1000, [8, 1, 1], Term(0, FIXED_PCT, 10)), ([100, 450, 450], 0))
        self.assertEqual(
            self.share(1000, [8, 1, 1], Term(0, FIXED_AMOUNT, 300)), ([300, 350, 350], 0)
        )

    def test_a_fixed_amount_does_not_need_a_quantity(self):
        self.assertEqual(self.share(1000, [0, 0], Term(1, FIXED_AMOUNT, 300)), ([0, 300], 700))

    def test_a_cap_spills_to_the_others_until_nobody_passes_one(self):
        terms = Term(0, CAP, 100), Term(1, CAP, 450)
        self.assertEqual(self.share(1200, [1, 1, 1], *terms), ([100, 450, 650], 0))
        self.assertEqual(self.share(900, [1, 1, 1], *terms), ([100, 400, 400], 0))

    def test_what_a_cap_cuts_may_stay_in_the_pool(self):
        term = Term(0, CAP, 100, spill=TO_POOL)
        self.assertEqual(self.share(900, [1, 1, 1], term), ([100, 300, 300], 200))

    def test_what_nobody_is_left_to_take_is_retained(self):
        terms = Term(0, CAP, 100), Term(1, CAP, 200)
        self.assertEqual(self.share(900, [1, 1], *terms), ([100, 200], 600))

    def test_a_floor_is_borne_by_the_others(self):
        self.assertEqual(self.share(1000, [0, 1, 3], Term(0, FLOOR, 200)), ([200, 200, 600], 0))

    def test_a_cap_that_is_not_reached_changes_nothing(self):
        self.assertEqual(self.share(100, [1, 1, 1], Term(2, CAP, 33)), ([34, 33, 33], 0))

    def test_a_refund_is_capped_as_a_charge(self):
        self.assertEqual(self.share(-900, [1, 1, 1], Term(0, CAP, 100)), ([-100, -400, -400], 0))

    def test_claims_beyond_the_amount_are_refused_with_figures(self):
        with self.assertRaises(TermsExceed) as caught:
            self.share(500, [1, 1, 1], Term(0, FIXED_AMOUNT, 300), Term(1, FIXED_AMOUNT, 201))
        self.assertEqual(caught.exception.claims, ((0, FIXED_AMOUNT, 300), (1, FIXED_AMOUNT, 201)))
        self.assertEqual((caught.exception.claimed, caught.exception.available), (501, 500))
        with self.assertRaises(TermsExceed) as caught:
            self.share(500, [1, 1], Term(0, FIXED_PCT, 60), Term(1, FIXED_PCT, 50))
        self.assertEqual(caught.exception.claims, ((0, FIXED_PCT, 300), (1, FIXED_PCT, 250)))
        with self.assertRaises(TermsExceed):
            self.share(500, [1, 1], Term(0, FIXED_AMOUNT, 300), Term(1, FLOOR, 201))

    # ------------------------------------------------------------
    # The items of a step
    # ------------------------------------------------------------

    def charge(self, cells, weights, *terms):
        results = allocate_with_terms(cells, weights, list(range(len(weights))), terms)
        return [(shares.tolist(), retained) for shares, retained in results]

    def test_an_amount_per_month_is_paid_once_for_all_items(self):
        cells = [(1, 600), (2, 300), (3, 100)]
        self.assertEqual(
            self.charge(cells, [1, 1], Term(0, FIXED_AMOUNT, 100)),
            [([60, 540], 0), ([30, 270], 0), ([10, 90], 0)],
        )
        self.assertEqual(
            self.charge(cells, [1, 1], Term(0, CAP, 100, spill=TO_POOL)),
            [([60, 300], 240), ([30, 150], 120), ([10, 50], 40)],
        )

    def test_a_term_of_an_item_takes_the_place_of_the_wider_one(self):
        cells = [(1, 600), (2, 300)]
        terms = Term(0, CAP, 100), Term(0, CAP, 50, frozenset([2]))
        self.assertEqual(self.charge(cells, [1, 1], *terms), [([100, 500], 0), ([50, 250], 0)])
        terms = Term(0, FIXED_AMOUNT, 100), Term(0, EXEMPT, 0, frozenset([1]))
        self.assertEqual(self.charge(cells, [1, 1], *terms), [([0, 600], 0), ([100, 200], 0)])

    def test_a_wide_cap_leaves_room_for_what_others_agreed_on_one_item(self):
        cells = [(1, 600), (2, 300)]
        terms = Term(0, CAP, 90), Term(1, EXEMPT, 0, frozenset([2]))
        self.assertEqual(
            self.charge(cells, [1, 1, 1], *terms), [([51, 275, 274], 0), ([39, 0, 261], 0)]
        )

    def test_a_credit_among_the_items_counts_against_the_amount(self):
        cells = [(1, 1000), (2, -200)]
        for kind in IN_AMOUNTS:
            results = self.charge(cells, [1, 1, 2], Term(0, kind, 100))
            expected = 200 if kind == FLOOR else 100
            self.assertEqual(sum(shares[0] for shares, _retained in results), expected)

    def test_amounts_beyond_64_bits_are_exact(self):
        results = self.charge([(1, 10**19), (2, 10**18)], [1, 10.0**13], Term(0, CAP, 7))
        self.assertEqual([sum(shares) for shares, _retained in results], [10**19, 10**18])
        self.assertEqual(sum(shares[0] for shares, _retained in results), 7)
