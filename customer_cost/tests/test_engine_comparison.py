from collections import Counter

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.tests import BaseCase, tagged

from ..engine.comparison import Frozen, Source, mix
from ..engine.run import compute
from ..engine.run_data import BY_PERCENTAGE, Inputs, Receivers, RuleInput
from ..engine.terms import FIXED_AMOUNT, Term

PROPERTIES = settings(deadline=None, derandomize=True, database=None, max_examples=50)
receivers = st.dictionaries(st.integers(1, 9), st.integers(0, 50), max_size=6).map(
    lambda found: Receivers(
        np.array(sorted(found), dtype=np.int64),
        np.array([found[customer] for customer in sorted(found)], dtype=np.float64),
    )
)
rules = st.builds(
    RuleInput,
    st.integers(1, 4),
    st.frozensets(st.integers(1, 2), min_size=1),
    share=st.integers(1, 25).map(float),
    receivers=receivers,
)
frozen = st.builds(
    Frozen,
    st.builds(
        Inputs,
        st.just(2),
        st.dictionaries(
            st.tuples(st.integers(1, 2), st.just(0), st.integers(0, 1)),
            st.integers(-(10**6), 10**6),
        ),
        st.lists(rules, max_size=4, unique_by=lambda rule: rule.key).map(tuple),
    ),
    st.dictionaries(
        st.integers(1, 4),
        st.builds(Source, st.integers(0, 2), st.sampled_from(["[]", "other"])),
    ),
)


def received(inputs):
    """What customers got by (customer, item), in minor units."""
    amounts = Counter()
    for step in compute(inputs).steps:
        for cell in step.cells:
            for customer, minor in zip(step.ids.tolist(), cell.shares.tolist(), strict=True):
                amounts[customer, cell.charged] += minor
    return +amounts


@tagged("post_install", "-at_install")
class TestEngineComparison(BaseCase):
    """Inputs mixed from two runs: first other costs, then other quantities, then other rules."""

    @PROPERTIES
    @given(frozen, frozen)
    def test_every_mixture_can_be_computed(self, one, other):
        for costs, drivers in ((other, one), (other, other), (one, other)):
            mixed = mix(costs, drivers, one)
            compute(mixed)
            self.assertEqual(mixed.pools, costs.inputs.pools)
            self.assertEqual(
                [rule.key for rule in mixed.rules], [rule.key for rule in one.inputs.rules]
            )

    @PROPERTIES
    @given(frozen)
    def test_a_run_mixed_with_itself_is_itself(self, one):
        self.assertEqual(received(mix(one, one, one)), received(one.inputs))

    def rule(self, key=1, quantities=None, **values):
        found = {5: 1.0, 6: 3.0} if quantities is None else quantities
        return RuleInput(
            key,
            frozenset([1]),
            receivers=Receivers(np.array(list(found)), np.array(list(found.values()))),
            **values,
        )

    def frozen(self, *rules, pool=400, sources=None):
        sources = sources or {rule.key: Source(7, "[]") for rule in rules}
        return Frozen(Inputs(2, {(1, 0, 0): pool}, rules), sources)

    def test_costs_drivers_and_rules_are_told_apart(self):
        old = self.frozen(self.rule())
        new = self.frozen(self.rule(quantities={5: 1.0, 6: 1.0}, share=50), pool=800)
        self.assertEqual(received(mix(new, old, old)), {(5, 1): 200, (6, 1): 600})
        self.assertEqual(received(mix(new, new, old)), {(5, 1): 400, (6, 1): 400})
        self.assertEqual(received(new.inputs), {(5, 1): 200, (6, 1): 200})

    def test_rule_with_another_driver_keeps_its_quantities(self):
        old = self.frozen(self.rule())
        new = self.frozen(self.rule(quantities={5: 9.0}), sources={1: Source(8, "[]")})
        self.assertEqual(received(mix(new, new, old)), received(old.inputs))

    def test_another_rule_with_the_same_driver_gives_its_quantities(self):
        old = self.frozen(self.rule(1))
        new = self.frozen(self.rule(2, {5: 1.0, 9: 1.0}))
        self.assertEqual(received(mix(new, new, old)), {(5, 1): 200, (9, 1): 200})

    def test_customers_that_only_the_new_rule_leaves_out_stay(self):
        old = self.frozen(self.rule())
        new = self.frozen(
            self.rule(quantities={6: 1.0}), sources={1: Source(7, "[('id', '=', 6)]")}
        )
        self.assertEqual(received(mix(new, new, old)), {(5, 1): 200, (6, 1): 200})

    def test_term_that_ended_is_a_change_of_the_rule(self):
        terms = (Term(9, FIXED_AMOUNT, 100),)
        old = self.frozen(self.rule(quantities={5: 1.0, 6: 1.0, 9: 0.0}, terms=terms))
        new = self.frozen(self.rule(quantities={5: 1.0, 6: 2.0}))
        self.assertEqual(received(mix(new, new, old)), {(5, 1): 100, (6, 1): 200, (9, 1): 100})

    def test_percentages_are_a_rule_and_no_quantities(self):
        old = self.frozen(self.rule(quantities={5: 40.0, 6: 60.0}, method=BY_PERCENTAGE))
        new = self.frozen(self.rule(quantities={5: 100.0}, method=BY_PERCENTAGE))
        self.assertEqual(received(mix(new, new, old)), {(5, 1): 160, (6, 1): 240})

    def test_quantities_turned_negative_follow_the_policy_that_lets_them_pass(self):
        old = self.frozen(self.rule())
        receivers = Receivers(np.array([5, 6]), np.array([1.0, -3.0]), "zero")
        new = self.frozen(RuleInput(1, frozenset([1]), receivers=receivers))
        self.assertEqual(received(mix(old, new, old)), {(5, 1): 400})
