from collections import defaultdict

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.tests import BaseCase, tagged

from ..engine import (
    DIRECT,
    FIXED,
    RECIPROCAL,
    STEP_DOWN,
    VARIABLE,
    ClosedLoop,
    Inputs,
    Oversent,
    Receivers,
    RuleInput,
    compare_orders,
    compute,
    find_problems,
)

PROPERTIES = settings(deadline=None, derandomize=True, database=None, max_examples=1000)
ITEM, CHARGED = 1, 2
HR, DP, RM, MACHINING, ASSEMBLY = 1, 2, 3, 4, 5
TEXTBOOK = {HR: 8_000_000, DP: 12_000_000, RM: 4_000_000}
SERVES = {
    HR: {DP: 20, RM: 10, MACHINING: 40, ASSEMBLY: 30},
    DP: {HR: 8, RM: 7, MACHINING: 30, ASSEMBLY: 55},
    RM: {MACHINING: 50, ASSEMBLY: 50},
}
CENTRES = st.integers(1, 6)


def serving(centre, weights, **vals):
    vals = {"key": centre, "items": frozenset([ITEM]), **vals}
    return RuleInput(centres=frozenset([centre]), centres_to=tuple(sorted(weights.items())), **vals)


def held(amounts, part=VARIABLE):
    return {(ITEM, centre, part): minor for centre, minor in amounts.items()}


def left(outcome):
    found = defaultdict(int)
    for (_item, centre, _part), minor in outcome.left.items():
        found[centre] += minor
    return {centre: minor for centre, minor in found.items() if minor}


@st.composite
def networks(draw):
    """Centres that serve each other, never more than 100 %."""
    amounts = draw(st.dictionaries(CENTRES, st.integers(-(10**13), 10**13), max_size=6))
    weights = st.dictionaries(CENTRES, st.integers(0, 10**6), min_size=1, max_size=6)
    serves = draw(st.dictionaries(CENTRES, weights, max_size=6))
    shares = {centre: draw(st.sampled_from([100.0, 60.0, 33.333333])) for centre in serves}
    rules = [serving(centre, weights, share=shares[centre]) for centre, weights in serves.items()]
    return held(amounts), rules


@tagged("post_install", "-at_install")
class TestEngineService(BaseCase):
    """Cost centres that serve each other before customers are served."""

    def textbook(self, method, order=(HR, DP, RM)):
        rules = tuple(serving(centre, SERVES[centre]) for centre in order)
        return compute(Inputs(2, held(TEXTBOOK), rules, pool_method=method))

    # ------------------------------------------------------------
    # Properties
    # ------------------------------------------------------------

    @PROPERTIES
    @given(networks(), st.sampled_from([DIRECT, STEP_DOWN, RECIPROCAL]))
    def test_every_pool_gives_and_keeps_what_it_had_and_got(self, network, method):
        pools, rules = network
        inputs = Inputs(2, pools, tuple(rules), pool_method=method)
        if any(isinstance(problem, ClosedLoop) for problem in find_problems(inputs)):
            return
        outcome = compute(inputs)
        balance = defaultdict(int, pools)
        for step in outcome.steps:
            self.assertFalse(step.cells)
            for transfer in step.transfers:
                balance[transfer.source] -= transfer.minor
                balance[transfer.target] += transfer.minor
        self.assertEqual({key: minor for key, minor in balance.items() if minor}, outcome.left)
        self.assertEqual(sum(outcome.left.values()), sum(pools.values()))

    @PROPERTIES
    @given(networks())
    def test_solving_at_once_does_not_depend_on_the_order_of_the_rules(self, network):
        pools, rules = network
        inputs = Inputs(2, pools, tuple(rules), pool_method=RECIPROCAL)
        if any(isinstance(problem, ClosedLoop) for problem in find_problems(inputs)):
            return
        turned = Inputs(2, pools, tuple(reversed(rules)), pool_method=RECIPROCAL)
        self.assertEqual(compute(inputs).left, compute(turned).left)

    # ------------------------------------------------------------
    # WE-10
    # ------------------------------------------------------------

    def test_reciprocal_textbook_example(self):
        outcome = self.textbook(RECIPROCAL)
        self.assertEqual(left(outcome), {MACHINING: 10_727_642, ASSEMBLY: 13_272_358})
        self.assertEqual(
            [sum(transfer.minor for transfer in step.transfers) for step in outcome.steps],
            [9_105_691, 13_821_138, 5_878_048],
        )

    def test_step_down_textbook_example(self):
        outcome = self.textbook(STEP_DOWN)
        self.assertEqual(left(outcome), {MACHINING: 10_552_174, ASSEMBLY: 13_447_826})
        self.assertEqual(
            [sum(transfer.minor for transfer in step.transfers) for step in outcome.steps],
            [8_000_000, 13_600_000, 5_834_783],
        )

    def test_direct_textbook_example(self):
        outcome = self.textbook(DIRECT)
        self.assertEqual(left(outcome), {MACHINING: 10_806_723, ASSEMBLY: 13_193_277})

    def test_other_order_is_shown_where_it_matters(self):
        rules = tuple(serving(centre, SERVES[centre]) for centre in (HR, DP, RM))
        orders = compare_orders(Inputs(2, held(TEXTBOOK), rules))
        turned = left(self.textbook(STEP_DOWN, (RM, DP, HR)))
        self.assertEqual(
            orders,
            {
                MACHINING: (10_552_174, turned[MACHINING]),
                ASSEMBLY: (13_447_826, turned[ASSEMBLY]),
            },
        )
        self.assertNotEqual(turned[MACHINING], 10_552_174)
        apart = (serving(HR, {MACHINING: 1}), serving(DP, {ASSEMBLY: 1}))
        self.assertFalse(compare_orders(Inputs(2, held(TEXTBOOK), apart)))

    # ------------------------------------------------------------
    # Loops, parts, items
    # ------------------------------------------------------------

    def test_a_closed_loop_is_named(self):
        rules = (serving(HR, {DP: 1}), serving(DP, {HR: 1}), serving(RM, {MACHINING: 1, HR: 1}))
        for method in (DIRECT, STEP_DOWN, RECIPROCAL):
            with self.assertRaises(ClosedLoop) as caught:
                compute(Inputs(2, held(TEXTBOOK), rules, pool_method=method))
            self.assertEqual(caught.exception.centres, [HR, DP])
            self.assertEqual(caught.exception.rules, (HR, DP))

    def test_a_loop_that_keeps_a_share_is_none(self):
        rules = (serving(HR, {DP: 1}, share=50.0), serving(DP, {HR: 1}))
        outcome = compute(Inputs(2, held({HR: 1000}), rules, pool_method=RECIPROCAL))
        self.assertEqual(left(outcome), {HR: 1000})
        self.assertEqual([step.transfers[0].minor for step in outcome.steps], [1000, 1000])

    def test_shares_of_a_centre_beyond_a_hundred_are_refused(self):
        rules = (serving(HR, {DP: 1}, key=1, share=60.0), serving(HR, {RM: 1}, key=2, share=50.0))
        with self.assertRaises(Oversent):
            compute(Inputs(2, held(TEXTBOOK), rules))

    def test_rule_to_centres_without_a_weight_leaves_the_pool_to_later_rules(self):
        customers = RuleInput(9, frozenset([ITEM]), receivers=Receivers(np.array([1]), np.ones(1)))
        for method in (DIRECT, STEP_DOWN, RECIPROCAL):
            rules = (serving(HR, {}), customers)
            outcome = compute(Inputs(2, held({HR: 500}), rules, pool_method=method))
            self.assertEqual([step.sum("sent") for step in outcome.steps], [0, 500])

    def test_fixed_and_variable_cost_stay_apart(self):
        pools = {(ITEM, HR, VARIABLE): 900, (ITEM, HR, FIXED): 100}
        outcome = compute(Inputs(2, pools, (serving(HR, {DP: 1}, parts=(FIXED,)),)))
        self.assertEqual(outcome.left, {(ITEM, HR, VARIABLE): 900, (ITEM, DP, FIXED): 100})

    def test_assessment_charges_another_item(self):
        rules = (
            serving(HR, {DP: 1}, charge_item=CHARGED),
            RuleInput(
                9,
                frozenset([CHARGED]),
                receivers=Receivers(np.array([1]), np.array([1.0])),
            ),
        )
        outcome = compute(Inputs(2, held({HR: 500, DP: 70}), rules))
        self.assertEqual(outcome.steps[1].cells[0].sent, 500)
        self.assertEqual(outcome.left, {(ITEM, DP, VARIABLE): 70})

    def test_earlier_months_follow_the_transfers(self):
        rules = (
            serving(HR, {MACHINING: 1}),
            RuleInput(
                9,
                frozenset([ITEM]),
                centres=frozenset([MACHINING]),
                carry=True,
                receivers=Receivers(np.array([1]), np.array([1.0])),
            ),
        )
        # January moved 100 from HR to machining and customers got nothing of it
        year = held({HR: 40, MACHINING: 100})
        outcome = compute(Inputs(2, held({HR: 40}), rules, year=year))
        self.assertEqual((outcome.steps[1].cells[0].sent, outcome.carried), (140, 100))

    # ------------------------------------------------------------
    # WE-01
    # ------------------------------------------------------------

    def test_electricity_through_the_whole_chain(self):
        source, hr, finance, assembly, packaging = 99, 1, 2, 3, 4
        projects, products = np.array([1, 2]), np.array([11, 12])
        every = {"items": frozenset([ITEM])}
        pools = {(ITEM, source, VARIABLE): 900_000, (ITEM, source, FIXED): 100_000}
        served = (
            serving(source, {hr: 1000, finance: 6000, assembly: 0}, key=1, parts=(VARIABLE,)),
            serving(source, {hr: 1, finance: 1}, key=2, parts=(FIXED,)),
        )
        first = compute(Inputs(2, pools, served))
        self.assertEqual(
            first.left,
            {
                (ITEM, hr, VARIABLE): 128_571,
                (ITEM, finance, VARIABLE): 771_429,
                (ITEM, hr, FIXED): 50_000,
                (ITEM, finance, FIXED): 50_000,
            },
        )
        hours = RuleInput(
            3,
            centres=frozenset([hr]),
            parts=(VARIABLE,),
            method="predetermined",
            rate=10.0,
            rest="onward",
            receivers=Receivers(projects, np.array([3.0, 1.0])),
            **every,
        )
        second = compute(Inputs(2, first.left, (hours,)))
        self.assertEqual(second.steps[0].cells[0].shares.tolist(), [3000, 1000])
        self.assertEqual(second.left[ITEM, hr, VARIABLE], 124_571)
        third = compute(
            Inputs(
                2,
                second.left,
                (
                    serving(hr, {finance: 35, assembly: 55, packaging: 10}),
                    serving(finance, {assembly: 65, packaging: 35}),
                    *(
                        RuleInput(
                            key,
                            centres=frozenset([key]),
                            receivers=Receivers(products, np.array(base, dtype=float)),
                            **every,
                        )
                        for key, base in ((assembly, [60, 20]), (packaging, [80, 15]))
                    ),
                ),
            )
        )
        moved = [[transfer.minor for transfer in step.transfers] for step in third.steps[:2]]
        self.assertEqual(
            moved,
            [
                [43_600, 68_514, 12_457, 17_500, 27_500, 5_000],
                [529_769, 285_260, 43_875, 23_625],
            ],
        )
        cells = [step.cells[0] for step in third.steps[2:]]
        self.assertEqual(
            [cell.fixed_shares.tolist() for cell in cells], [[53_531, 17_844], [24_105, 4_520]]
        )
        total = sum(cell.shares for cell in cells)
        fixed = sum(cell.fixed_shares for cell in cells)
        self.assertEqual(total.tolist(), [777_057, 218_943])
        self.assertEqual(fixed.tolist(), [77_636, 22_364])
        self.assertFalse(third.left)
