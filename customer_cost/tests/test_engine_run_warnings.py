import numpy as np

from odoo.tests import BaseCase, tagged

from ..engine.run_data import Inputs, Receivers, RuleInput, SoFar
from ..engine.run_warnings import find_warnings


@tagged("post_install", "-at_install")
class TestEngineRunWarnings(BaseCase):
    """What leaves cost where nobody receives it is found in the inputs."""

    def rule(self, key, quantities=(1, 2), items=(1,), **values):
        receivers = Receivers(np.arange(len(quantities)), np.array(quantities, dtype=np.float64))
        return RuleInput(key, frozenset(items), receivers=receivers, **values)

    def found(self, *rules, pools=None):
        inputs = Inputs(2, {(1, 0, 0): 500} if pools is None else pools, rules)
        return [
            (warning.kind, warning.rule, warning.item, warning.minor)
            for warning in find_warnings(inputs)
        ]

    def test_sound_inputs_have_none(self):
        self.assertEqual(self.found(self.rule(7)), [])
        self.assertEqual(self.found(pools={}), [])

    def test_pool_that_no_rule_covers(self):
        rule = self.rule(7, centres=frozenset([4]))
        pools = {(1, 4, 0): 500, (1, 0, 0): 30, (1, 0, 1): 12, (2, 4, 0): -9, (3, 0, 0): 0}
        self.assertEqual(
            self.found(rule, pools=pools), [("unsent", None, 1, 42), ("unsent", None, 2, -9)]
        )

    def test_rules_without_receivers_or_quantities(self):
        self.assertEqual(
            self.found(self.rule(7, ()), self.rule(8, (0, 0)), self.rule(9, (1, -1))),
            [("no_receiver", 7, None, 0), ("no_quantity", 8, None, 0)],
        )

    def test_rule_to_cost_centres_needs_no_customers(self):
        self.assertEqual(self.found(self.rule(7, (), centres_to=((4, 1.0),))), [])

    def test_quantities_that_only_the_run_knows_are_no_warning(self):
        receivers = Receivers(np.arange(2), np.zeros(2), so_far=SoFar())
        self.assertEqual(self.found(RuleInput(7, frozenset([1]), receivers=receivers)), [])
