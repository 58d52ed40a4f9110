import numpy as np

from odoo.tests import BaseCase, tagged

from ..engine import Basis, Blend, overrides
from ..engine.run_data import BY_PERCENTAGE, Inputs, Receivers, RuleInput
from ..engine.terms import CAP, EXEMPT, Term


@tagged("post_install", "-at_install")
class TestEngineOverrides(BaseCase):
    """What a simulation changes, and nothing else."""

    def setUp(self):
        super().setUp()
        self.rules = tuple(
            RuleInput(
                key,
                frozenset([1]),
                share=50.0,
                receivers=Receivers(np.array([5, 6]), np.array([1.0, 3.0])),
            )
            for key in (1, 2)
        )
        self.inputs = Inputs(
            2,
            {(1, 0, 0): 1000, (1, 4, 1): -15, (2, 0, 0): 70},
            self.rules,
            {(1, 0, 0): 1500, (1, 4, 1): -15},
        )

    def test_rule_is_left_out_or_changed(self):
        self.assertEqual(overrides.drop_rule(self.inputs, 1).rules, self.rules[1:])
        changed = overrides.change_rule(self.inputs, 2, share=10.0)
        self.assertEqual([rule.share for rule in changed.rules], [50, 10])
        self.assertEqual(overrides.drop_rule(self.inputs, 9), self.inputs)

    def test_pools_change_by_a_percentage_and_the_year_with_them(self):
        changed = overrides.scale_pools(self.inputs, {1}, 10)
        self.assertEqual(changed.pools, {(1, 0, 0): 1100, (1, 4, 1): -17, (2, 0, 0): 70})
        self.assertEqual(changed.year, {(1, 0, 0): 1600, (1, 4, 1): -17})
        self.assertEqual(overrides.scale_pools(self.inputs, {2}, -100).pools[2, 0, 0], 0)

    def test_decimal_percentages_are_exact(self):
        changed = overrides.scale_pools(Inputs(2, {(1, 0, 0): 10**14}, ()), {1}, 0.1)
        self.assertEqual(changed.pools, {(1, 0, 0): 10**14 + 10**11})

    def test_terms_of_one_customer_are_left_out(self):
        terms = (Term(5, EXEMPT), Term(6, CAP, 10))
        inputs = overrides.change_rule(self.inputs, 1, terms=terms)
        inputs = overrides.change_rule(inputs, 2, terms=terms)
        for rule, expected in ((None, [[6], [6]]), (2, [[5, 6], [6]])):
            changed = overrides.drop_terms(inputs, 5, rule)
            self.assertEqual(
                [[term.customer for term in each.terms] for each in changed.rules], expected
            )

    def test_amount_is_added_to_a_pool_there_or_not(self):
        changed = overrides.add_to_pools(self.inputs, {(1, 0, 0): 5})
        self.assertEqual((changed.pools[1, 0, 0], changed.year[1, 0, 0]), (1005, 1505))
        added = overrides.add_to_pools(Inputs(2, {}, ()), {(3, 0, 0): 500})
        self.assertEqual((added.pools, added.year), ({(3, 0, 0): 500}, {}))

    def test_quantity_of_one_customer_in_the_chosen_rules(self):
        changed = overrides.scale_quantity(self.inputs, {2}, 6, 2.5)
        self.assertEqual(
            [rule.receivers.quantities.tolist() for rule in changed.rules], [[1, 3], [1, 7.5]]
        )
        self.assertEqual(self.rules[1].receivers.quantities.tolist(), [1, 3])
        ids, ones = np.array([5, 6]), np.ones(2)
        parts = ((1.0, Basis(1, ids, ones)), (2.0, Basis(2, ids, ones)))
        for product, expected in ((False, [[1, 4], [1, 4]]), (True, [[1, 4], [1, 1]])):
            receivers = Receivers(ids, ones, blend=Blend(3, parts, product))
            blended = overrides.change_rule(self.inputs, 2, receivers=receivers)
            blend = overrides.scale_quantity(blended, {2}, 6, 4).rules[1].receivers.blend
            self.assertEqual([part.quantities.tolist() for _weight, part in blend.parts], expected)
        fixed = overrides.change_rule(self.inputs, 2, method=BY_PERCENTAGE)
        self.assertEqual(
            overrides.scale_quantity(fixed, {2}, 6, 2.5).rules[1].receivers.quantities.tolist(),
            [1, 3],
        )
