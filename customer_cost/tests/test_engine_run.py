from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.tests import BaseCase, tagged

from ..engine import (
    FIXED,
    SO_FAR,
    VARIABLE,
    Basis,
    Blend,
    Cell,
    Inputs,
    NegativeReceivers,
    NoCapacity,
    Outcome,
    Oversent,
    Receivers,
    RuleInput,
    SoFar,
    Term,
    TermsUnfit,
    compute,
    find_problems,
    split,
)
from ..engine.terms import CAP, EXEMPT, FIXED_AMOUNT

PROPERTIES = settings(deadline=None, derandomize=True, database=None, max_examples=1000)
ITEM, OTHER, CHARGED = 1, 2, 3
POOL = (ITEM, 0, VARIABLE)

amounts = st.integers(-(10**14), 10**14)
pools = st.dictionaries(
    st.tuples(st.sampled_from([ITEM, OTHER]), st.integers(0, 2), st.sampled_from([0, 1])),
    amounts,
    max_size=6,
)
quantities = st.lists(
    st.one_of(st.integers(0, 10**9), st.sampled_from([0.0, 0.5, 12.34, 1e-6])),
    max_size=12,
)


def receivers(values, policy="refuse", so_far=None):
    return Receivers(
        np.arange(1, len(values) + 1) * 10, np.array(values, dtype=float), policy, so_far
    )


def rule(key, values, **vals):
    vals.setdefault("items", frozenset([ITEM]))
    return RuleInput(key, receivers=receivers(values), **vals)


def run(held, *rules, **vals):
    return compute(Inputs(2, {POOL: held} if isinstance(held, int) else held, rules, **vals))


@st.composite
def rules(draw):
    """Rules of every method whose shares stay within 100 %."""
    methods = ("driver", "equal", "fixed", "rate", "predetermined", "amount")
    found, left = [], 100_000_000
    for key in range(draw(st.integers(0, 5))):
        method = draw(st.sampled_from(methods))
        values = draw(quantities)
        vals = {"items": draw(st.sampled_from([frozenset([ITEM]), frozenset([ITEM, OTHER])]))}
        if method == "amount":
            found.append(rule(key, values, amount=draw(st.integers(1, 10**14)), **vals))
            continue
        if method == "fixed":
            values = draw(st.lists(st.sampled_from([0, 0.5, 10, 12.34, 20]), max_size=5))
        rest = draw(st.sampled_from(["keep", "onward"]))
        share = left / 10**6
        if method not in ("rate", "predetermined") or rest != "onward":
            millionths = draw(st.integers(0, left))
            left -= millionths
            share = millionths / 10**6
        if method in ("rate", "predetermined"):
            vals["rest"] = rest
        found.append(
            rule(
                key,
                values,
                method=method,
                share=share,
                charge_item=draw(st.sampled_from([None, CHARGED])),
                parts=draw(st.sampled_from([(0, 1), (0,), (1,)])),
                capacity=draw(st.sampled_from([1.0, 1000.0, 10.0**9])),
                rate=draw(st.sampled_from([0.01, 3.5, 1000.0])),
                **vals,
            )
        )
    return found


@tagged("post_install", "-at_install")
class TestEngineRun(BaseCase):
    """A run is exact whatever goes in: nothing is lost, nothing comes from nowhere."""

    def shares(self, outcome, place=0):
        return outcome.steps[place].cells[0].shares.tolist()

    # ------------------------------------------------------------
    # Properties
    # ------------------------------------------------------------

    @PROPERTIES
    @given(pools, rules())
    def test_every_cent_is_accounted_for(self, held, sent):
        if any(isinstance(problem, Oversent) for problem in find_problems(Inputs(2, held, sent))):
            return
        outcome = run(held, *sent)
        left = dict(held)
        for step in outcome.steps:
            for cell in step.cells:
                self.assertEqual(cell.sent, sum(cell.shares.tolist()) + cell.retained + cell.unused)
        total = sum(cell.sent for step in outcome.steps for cell in step.cells)
        self.assertEqual(total + sum(outcome.left.values()), sum(left.values()))

    @PROPERTIES
    @given(pools, rules())
    def test_computing_again_gives_the_same(self, held, sent):
        if any(isinstance(problem, Oversent) for problem in find_problems(Inputs(2, held, sent))):
            return
        one, other = run(held, *sent), run(dict(reversed(held.items())), *sent)
        self.assertEqual(one.left, other.left)
        for step, again in zip(one.steps, other.steps, strict=True):
            for cell, twin in zip(step.cells, again.cells, strict=True):
                self.assertEqual(cell.shares.tolist(), twin.shares.tolist())
                self.assertEqual(
                    (cell.sent, cell.retained, cell.unused), (twin.sent, twin.retained, twin.unused)
                )

    @PROPERTIES
    @given(pools, quantities)
    def test_a_negative_pool_mirrors_the_positive_one(self, held, values):
        """A reversal: the run and the run of the opposite cost leave 0.00 everywhere."""
        plus = run(held, rule(1, values, share=33.33))
        minus = run({key: -minor for key, minor in held.items()}, rule(1, values, share=33.33))
        for cell, twin in zip(plus.steps[0].cells, minus.steps[0].cells, strict=True):
            self.assertFalse((cell.shares + twin.shares).any())
            self.assertEqual(cell.retained, -twin.retained)

    @PROPERTIES
    @given(
        st.integers(0, 10**14),
        st.lists(st.integers(0, 10**9), min_size=1, max_size=12),
        st.integers(0, 11),
        st.integers(1, 10**9),
    )
    def test_more_quantity_never_gets_less(self, held, values, place, more):
        place %= len(values)
        raised = [value + more * (number == place) for number, value in enumerate(values)]
        before, after = run(held, rule(1, values)), run(held, rule(1, raised))
        if held and any(values):
            self.assertGreaterEqual(self.shares(after)[place], self.shares(before)[place])

    @PROPERTIES
    @given(
        st.integers(-(10**14), 10**14).filter(bool),
        st.lists(st.integers(0, 10**6), min_size=2, max_size=12, unique=True),
        st.randoms(use_true_random=False),
    )
    def test_order_of_receivers_decides_only_ties(self, held, values, random):
        order = list(range(len(values)))
        random.shuffle(order)
        shares = self.shares(run(held, rule(1, values)))
        shuffled = self.shares(run(held, rule(1, [values[place] for place in order])))
        for number, place in enumerate(order):
            self.assertLessEqual(abs(shuffled[number] - shares[place]), 1)
        self.assertEqual(sum(shuffled), sum(shares))

    @PROPERTIES
    @given(amounts.filter(bool), st.integers(0, 10))
    def test_without_quantities_nothing_moves(self, held, count):
        (cell,) = run(held, rule(1, [0] * count)).steps[0].cells
        self.assertEqual((cell.received, cell.retained), (0, held))

    @PROPERTIES
    @given(
        st.integers(0, 10**12),
        st.integers(0, 10**12),
        st.lists(st.integers(0, 10**6), max_size=12),
    )
    def test_fixed_cost_is_shared_out_like_a_pool_of_its_own(self, variable, fixed, values):
        outcome = run({POOL: variable, (ITEM, 0, FIXED): fixed}, rule(1, values))
        for cell in outcome.steps[0].cells:
            self.assertEqual(cell.fixed_shares.tolist(), split(fixed, values).tolist())
            self.assertEqual(
                cell.shares.tolist(), (split(fixed, values) + split(variable, values)).tolist()
            )

    # ------------------------------------------------------------
    # Methods
    # ------------------------------------------------------------

    def test_fixed_amount_goes_first_and_the_rest_onward(self):
        outcome = run(100_000, rule(1, [1, 1], amount=30_000), rule(2, [1, 3], share=50.0))
        self.assertEqual(self.shares(outcome), [15_000, 15_000])
        self.assertEqual(self.shares(outcome, 1), [8_750, 26_250])
        self.assertEqual(outcome.left, {POOL: 35_000})

    def test_fixed_amount_beyond_the_pool_says_what_is_missing(self):
        outcome = run(600, rule(1, [1], amount=1000), rule(2, [1]))
        self.assertEqual((self.shares(outcome), outcome.steps[0].missing), ([600], 400))
        self.assertFalse(outcome.steps[1].cells)
        self.assertFalse(run(-600, rule(1, [1], amount=1000)).steps[0].cells)

    def test_shares_after_an_amount_still_empty_the_pool(self):
        outcome = run(
            10_001,
            rule(1, [1], share=33.333333),
            rule(2, [1], amount=1000),
            rule(3, [1], share=66.666667),
        )
        self.assertEqual([step.cells[0].sent for step in outcome.steps], [3334, 1000, 5667])
        self.assertFalse(outcome.left)

    def test_unused_capacity_is_charged_to_nobody(self):
        measured = {"method": "rate", "capacity": 1000.0, "standard": 8.0}
        (step,) = run(100_000, rule(1, [50, 25], **measured)).steps
        (cell,) = step.cells
        self.assertEqual((cell.shares.tolist(), cell.unused), ([40_000, 20_000], 40_000))
        self.assertEqual((step.rate, step.used, step.capacity), (8.0, 600.0, 1000.0))
        (cell,) = run(100_000, rule(1, [50, 25], rest="charge", **measured)).steps[0].cells
        self.assertEqual((cell.shares.tolist(), cell.unused), ([66_667, 33_333], 0))

    def test_more_than_the_capacity_is_over_absorbed(self):
        (cell,) = run(1000, rule(1, [3], method="rate", capacity=2.0)).steps[0].cells
        self.assertEqual((cell.received, cell.unused), (1500, -500))

    def test_rate_moves_with_cost_and_capacity_never_with_volume(self):
        rates = [
            run(cost, rule(1, [volume], method="rate", capacity=capacity)).steps[0].rate
            for cost, capacity, volume in ((1000, 10.0, 1), (1000, 10.0, 9), (2000, 20.0, 3))
        ]
        self.assertEqual(rates, [1.0, 1.0, 1.0])

    def test_unused_capacity_can_go_onward(self):
        outcome = run(
            100_000,
            rule(1, [30], method="rate", capacity=100.0, rest="onward"),
            rule(2, [20], method="rate", capacity=100.0),
        )
        self.assertEqual([step.cells[0].received for step in outcome.steps], [30_000, 20_000])
        self.assertEqual(outcome.steps[1].cells[0].unused, 50_000)

    def test_activities_beyond_the_capacity_together_are_over_absorbed(self):
        outcome = run(
            100_000,
            rule(1, [100], method="rate", capacity=100.0, rest="onward"),
            rule(2, [20], method="rate", capacity=100.0),
        )
        (cell,) = outcome.steps[1].cells
        self.assertEqual((cell.sent, cell.received, cell.unused), (0, 20_000, -20_000))

    def test_activity_after_shares_that_leave_less_than_it_counts_of_is_refused(self):
        activity = rule(2, [50], method="rate", capacity=100.0, rest="onward")
        with self.assertRaises(Oversent) as caught:
            run(100_000, rule(1, [1], share=60.0), activity, rule(3, [1], share=40.0))
        self.assertEqual((caught.exception.rules, caught.exception.total), ((1, 2), 160))
        outcome = run(100_000, rule(1, [1], share=60.0), replace(activity, share=40.0))
        self.assertEqual(self.shares(outcome, 1), [20_000])
        self.assertEqual(outcome.left, {POOL: 20_000})

    def test_fixed_rate_retains_what_it_does_not_absorb(self):
        (step,) = run(10_000, rule(1, [5, 3], method="predetermined", rate=10.0)).steps
        (cell,) = step.cells
        self.assertEqual((cell.shares.tolist(), cell.retained), ([5000, 3000], 2000))
        self.assertEqual((step.rate, step.actual_rate), (10.0, 12.5))
        (cell,) = run(10_000, rule(1, [15], method="predetermined", rate=10.0)).steps[0].cells
        self.assertEqual((cell.received, cell.retained), (15_000, -5000))

    def test_fixed_rate_of_an_empty_pool_charges_nothing(self):
        outcome = run({}, rule(1, [15], method="predetermined", rate=10.0))
        self.assertEqual((outcome.steps[0].cells, outcome.steps[0].missing), ((), 15_000))

    def test_only_the_part_that_is_asked_for_is_sent(self):
        held = {POOL: 700, (ITEM, 0, FIXED): 300}
        outcome = run(held, rule(1, [1], parts=(FIXED,)))
        (cell,) = outcome.steps[0].cells
        self.assertEqual((cell.sent, cell.received_fixed), (300, 300))
        self.assertEqual(outcome.left, {POOL: 700})

    def test_charging_as_another_item(self):
        (cell,) = run(500, rule(1, [1], charge_item=CHARGED)).steps[0].cells
        self.assertEqual((cell.item, cell.charged), (ITEM, CHARGED))

    def test_cost_so_far_is_a_quantity(self):
        by_cost = RuleInput(2, frozenset([OTHER]), receivers=receivers([0, 0, 5], so_far=SoFar()))
        held = {POOL: 10_000, (OTHER, 0, VARIABLE): 10_500}
        outcome = run(held, rule(1, [3, 1]), by_cost)
        self.assertEqual(outcome.steps[1].weights.tolist(), [75, 25, 5])
        self.assertEqual(self.shares(outcome, 1), [7500, 2500, 500])

    def test_cost_so_far_can_be_a_part_of_a_blend(self):
        ids = np.array([10, 20])
        blend = Blend(
            1,
            (
                (1, Basis(2, ids, np.array([3.0, 1.0]))),
                (1, Basis(3, ids, np.zeros(2), source=SO_FAR)),
            ),
        )
        by_blend = RuleInput(
            2,
            frozenset([OTHER]),
            receivers=Receivers(ids, np.ones(2), so_far=SoFar(), blend=blend),
        )
        held = {POOL: 10_000, (OTHER, 0, VARIABLE): 1000}
        self.assertEqual(self.shares(run(held, rule(1, [0, 1]), by_blend), 1), [375, 625])

    def test_a_part_of_a_blend_that_refuses_negatives_is_named(self):
        ids = np.array([10, 20])
        blend = Blend(1, ((1, Basis(7, ids, np.array([3.0, -1.0]))),))
        negative = RuleInput(
            2, frozenset([ITEM]), receivers=Receivers(ids, np.ones(2), blend=blend)
        )
        with self.assertRaises(NegativeReceivers) as caught:
            run(100, negative)
        self.assertEqual((caught.exception.driver, caught.exception.rules), (7, (2,)))

    def test_terms_hold_for_fixed_and_variable_cost_together(self):
        capped = rule(1, [1, 1], terms=(Term(10, CAP, 3000),))
        (cell,) = run({POOL: 8000, (ITEM, 0, FIXED): 2000}, capped).steps[0].cells
        self.assertEqual(cell.shares.tolist(), [3000, 7000])
        self.assertEqual(cell.fixed_shares.tolist(), [600, 1400])

    def test_an_exempt_customer_makes_a_rate_no_dearer_for_the_others(self):
        measured = rule(1, [3, 1], method="rate", capacity=10.0, terms=(Term(10, EXEMPT),))
        (cell,) = run(1000, measured).steps[0].cells
        self.assertEqual((cell.shares.tolist(), cell.retained, cell.unused), ([0, 100], 300, 600))

    def test_terms_beside_percentages_leave_the_rest_in_the_pool(self):
        percentages = rule(1, [40, 20], method="fixed", terms=(Term(10, EXEMPT),))
        (cell,) = run(1000, percentages).steps[0].cells
        self.assertEqual((cell.received + cell.retained, cell.shares[0]), (1000, 0))

    def test_terms_that_claim_too_much_are_refused_naming_the_rule(self):
        with self.assertRaises(TermsUnfit) as caught:
            run(1000, rule(7, [1, 1], terms=(Term(10, FIXED_AMOUNT, 2000),)))
        self.assertEqual(caught.exception.rules, (7,))
        self.assertEqual(caught.exception.available, 1000)

    # ------------------------------------------------------------
    # Earlier months
    # ------------------------------------------------------------

    def test_carried_cost_never_passes_what_was_left(self):
        year = {POOL: 11_000}
        carrying = rule(1, [1], carry=True, settled={ITEM: 4000})
        outcome = run(1000, carrying, year=year, settled={ITEM: 9000})
        self.assertEqual((outcome.carried, self.shares(outcome)), (1000, [2000]))

    def test_carried_cost_is_fixed_as_far_as_the_years_is(self):
        year = {POOL: 600, (ITEM, 0, FIXED): 200}
        (cell,) = run({}, rule(1, [1], carry=True), year=year).steps[0].cells
        self.assertEqual((cell.sent, cell.received_fixed), (800, 200))

    # ------------------------------------------------------------
    # Problems
    # ------------------------------------------------------------

    def test_senders_beyond_a_hundred_are_refused(self):
        with self.assertRaises(Oversent) as caught:
            run(100, rule(1, [1], share=60.0), rule(2, [1], share=40.000001))
        self.assertEqual((caught.exception.item, caught.exception.rules), (ITEM, (1, 2)))

    def test_negative_quantities_are_refused_naming_the_places(self):
        with self.assertRaises(NegativeReceivers) as caught:
            run(100, rule(1, [1, -2]))
        self.assertEqual(caught.exception.positions.tolist(), [1])

    def test_all_problems_are_found_at_once(self):
        inputs = Inputs(
            2,
            {POOL: 100},
            (
                rule(1, [1, -2], share=60.0),
                rule(2, [-1], share=60.0),
                rule(3, [1], items=frozenset([OTHER]), method="rate"),
            ),
        )
        self.assertEqual(
            [(type(problem), problem.rules) for problem in find_problems(inputs)],
            [
                (Oversent, (1, 2)),
                (NegativeReceivers, (1,)),
                (NegativeReceivers, (2,)),
                (NoCapacity, (3,)),
            ],
        )

    def test_what_does_not_add_up_is_refused(self):
        with self.assertRaisesRegex(ArithmeticError, "item 1: 99 \\+ 0 \\+ 0 != 100"):
            Cell(ITEM, ITEM, 100, np.array([50, 49]), np.array([0, 0]))
        with self.assertRaisesRegex(ArithmeticError, "0 sent \\+ 99 left != 100"):
            Outcome((), {POOL: 99}, 100)

    # ------------------------------------------------------------
    # Worked examples
    # ------------------------------------------------------------

    def test_insurance_by_salaries(self):
        # WE-03
        outcome = run(100_000, rule(1, [2000, 5000, 3000]))
        self.assertEqual(self.shares(outcome), [20_000, 50_000, 30_000])

    def test_odd_cents(self):
        # WE-05
        self.assertEqual(self.shares(run(14_565, rule(1, [1, 1]))), [7283, 7282])
        self.assertEqual(self.shares(run(10_000, rule(1, [1, 1, 1]))), [3334, 3333, 3333])

    def test_variable_portions_and_weighting_factors(self):
        # WE-06
        self.assertEqual(self.shares(run(100, rule(1, [2000, 1000, 2000]))), [40, 20, 40])
        factors = [200 * 0.2, 200 * 0.3, 300 * 0.5]
        outcome = run(500_000, rule(1, factors))
        self.assertEqual(self.shares(outcome), [80_000, 120_000, 300_000])

    def test_percentage_basis(self):
        # WE-08
        outcome = run(10_000_000, rule(1, [10, 20, 30, 40], method="fixed"))
        self.assertEqual(self.shares(outcome), [1_000_000, 2_000_000, 3_000_000, 4_000_000])
        (cell,) = run(1000, rule(1, [10, 20], method="fixed")).steps[0].cells
        self.assertEqual((cell.shares.tolist(), cell.retained), ([100, 200], 700))

    def test_customer_service_by_time(self):
        # WE-20: orders, inquiries and credit checks, 700,000 practical minutes
        activities = ((49_000, 8.0, "onward"), (1400, 44.0, "onward"), (2500, 50.0, "keep"))
        outcome = run(
            56_000_000,
            *(
                rule(key, [count], method="rate", standard=minutes, capacity=700_000.0, rest=rest)
                for key, (count, minutes, rest) in enumerate(activities)
            ),
        )
        self.assertEqual([step.rate for step in outcome.steps], [6.4, 35.2, 40.0])
        self.assertEqual([step.used for step in outcome.steps], [392_000, 61_600, 125_000])
        received = [step.cells[0].received for step in outcome.steps]
        self.assertEqual(received, [31_360_000, 4_928_000, 10_000_000])
        self.assertEqual(sum(received), 46_288_000)
        self.assertEqual(outcome.steps[2].cells[0].unused, 9_712_000)

    def test_activity_rates_of_two_customers(self):
        # WE-34: visits, kilogram-miles, modifications, orders, checks
        rates = (250.0, 0.07, 2000.0, 15.0, 11.0)
        used = ((25, 4), (950_000, 300_000), (14, 0), (104, 12), (104, 12))
        outcome = compute(
            Inputs(
                2,
                {(item, 0, VARIABLE): 50_000_000 for item in range(5)},
                tuple(
                    rule(
                        item,
                        used[item],
                        items=frozenset([item]),
                        method="predetermined",
                        rate=rates[item],
                    )
                    for item in range(5)
                ),
            )
        )
        costs = sum(step.cells[0].shares for step in outcome.steps).tolist()
        self.assertEqual(costs, [10_345_400, 2_231_200])
        sales = ((59_400_000, 30_000_000), (57_100_000, 29_800_000))
        profits = [net - goods - cost for (net, goods), cost in zip(sales, costs, strict=True)]
        self.assertEqual(profits, [19_054_600, 25_068_800])
