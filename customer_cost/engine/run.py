"""A run without a database: inputs in, outcome out."""

from collections import defaultdict
from decimal import Decimal
from fractions import Fraction

import numpy as np

from .methods import carry_out, weigh
from .pools import Pool
from .rounding import rounded
from .run_data import (
    BY_CAPACITY,
    FIXED,
    REST_ONWARD,
    VARIABLE,
    Inputs,
    NegativeReceivers,
    NoCapacity,
    Outcome,
    Oversent,
    RuleInput,
    RunError,
    Step,
)
from .service import apply_transfers, check_loops, serve

__all__ = ["Inputs", "Outcome", "RuleInput", "compute", "find_problems"]


def compute(inputs):
    """Carry out every rule and return the :class:`~.run_data.Outcome`.

    Pools serve each other first, by ``inputs.pool_method``; then the rules to customers send, in
    their order, what the pools hold. Money is conserved in every cell, step and in the run.

    :raises RunError: the inputs cannot be computed; its kinds stand in ``run_data``
    """
    for problem in find_problems(inputs):
        raise problem
    moved = serve(
        inputs.pools, [rule for rule in inputs.rules if rule.to_pools], inputs.pool_method
    )
    transfers = [transfer for given in moved.values() for transfer in given]
    served = apply_transfers(inputs.pools, transfers)
    pools = {key: Pool(minor) for key, minor in sorted(served.items())}
    carrying = _Carrying(inputs, transfers)
    steps = []
    for rule in inputs.rules:
        if rule.to_pools:
            steps.append(Step(rule.key, transfers=tuple(moved.get(rule.key, ()))))
            continue
        so_far = _get_so_far(rule, steps, inputs.decimals)
        covered = {key: pool for key, pool in pools.items() if rule.covers(key)}
        carry = carrying.follow(rule)
        steps.append(carry_out(rule, covered, carry, so_far, inputs.decimals))
    return Outcome(
        tuple(steps),
        {key: pool.left for key, pool in pools.items() if pool.left},
        sum(inputs.pools.values()),
    )


def find_problems(inputs):
    """Yield every :class:`~.run_data.RunError` that the inputs themselves hold."""
    to_pools = [rule for rule in inputs.rules if rule.to_pools]
    to_customers = [rule for rule in inputs.rules if not rule.to_pools]
    yield from _find_oversent(inputs, to_pools)
    yield from _find_oversent(inputs, to_customers)
    try:
        check_loops(inputs.pools, to_pools)
    except RunError as error:
        yield error
    for rule in to_customers:
        if rule.method == BY_CAPACITY and rule.capacity <= 0:
            yield NoCapacity(rule.key)
        if not rule.receivers.so_far:
            try:
                weigh(rule)
            except NegativeReceivers as error:
                yield error


def _find_oversent(inputs, rules):
    found = set()
    reached = {(item, centre) for item, centre, _part in inputs.pools.keys() | inputs.year.keys()}
    for rule in inputs.rules:
        for centre, _weight in rule.centres_to or ():
            items = {rule.charge_item} if rule.charge_item else rule.items
            reached.update((item, centre) for item in items)
    for item, centre in sorted(reached):
        for part in (VARIABLE, FIXED):
            takers = [rule for rule in rules if rule.amount is None]
            takers = [rule for rule in takers if rule.covers((item, centre, part))]
            for keys, total in _add_up_shares(takers):
                if total > 100 and (item, keys) not in found:
                    found.add((item, keys))
                    yield Oversent(item, keys, float(total))


def _add_up_shares(rules):
    """Yield keys and total of rules that divide a pool: with each that leaves the rest, and all.

    A rule by capacity that leaves the rest charges by its share of the whole pool: it has to fit
    beside what the rules before it took.
    """
    keys, total = (), Decimal(0)
    for rule in rules:
        share = Decimal(str(rule.share))
        if rule.rest != REST_ONWARD:
            keys, total = (*keys, rule.key), total + share
        elif rule.method == BY_CAPACITY:
            yield (*keys, rule.key), total + share
    yield keys, total


def _get_so_far(rule, steps, decimals):
    """What the run charged to each receiver before, in currency units; None where none asks."""
    receivers = rule.receivers
    if not receivers.so_far or not len(receivers.ids):
        return None
    cost = np.zeros(len(receivers.ids))
    for step in steps:
        places = np.searchsorted(receivers.ids, step.ids)
        places[places == len(receivers.ids)] = 0
        known = receivers.ids[places] == step.ids
        for cell in step.cells:
            cost[places[known]] += cell.shares[known].astype(np.float64)
    return cost / 10**decimals


class _Carrying:
    """What earlier months of the fiscal year left, while rules that carry forward take it."""

    def __init__(self, inputs, transfers):
        self.year = {}
        self.left = defaultdict(int)
        self.parts = defaultdict(lambda: [0, 0])
        if not inputs.year:
            return
        year = apply_transfers(inputs.year, transfers)
        month = apply_transfers(inputs.pools, transfers)
        for key, minor in year.items():
            item, _centre, part = key
            self.year[key] = Pool(minor)
            self.left[item] += minor - month.get(key, 0)
            self.parts[item][part] += minor
        for key in month.keys() - year.keys():
            self.year[key] = Pool(0)
            self.left[key[0]] -= month[key]
        for item, minor in inputs.settled.items():
            self.left[item] -= minor

    def follow(self, rule):
        """Take the rule's share of the year; return the function that adds what was left."""
        yearly = defaultdict(int)
        if rule.amount is None and rule.rest != REST_ONWARD:
            for key, pool in self.year.items():
                if rule.covers(key):
                    yearly[key[0]] += pool.take_share(rule.share)

        def add(taken):
            for item, minor in yearly.items():
                monthly = sum(taken.sent[item, part] for part in (VARIABLE, FIXED))
                wanted = minor - monthly - rule.settled.get(item, 0)
                low, high = sorted((0, self.left[item]))
                carried = min(max(wanted, low), high)
                self.left[item] -= carried
                taken.carried += carried
                self._add_parts(taken, item, carried)

        return add

    def _add_parts(self, taken, item, carried):
        variable, fixed = self.parts[item]
        whole = variable + fixed
        of_fixed = rounded(Fraction(carried * fixed, whole)) if whole else 0
        for part, minor in ((VARIABLE, carried - of_fixed), (FIXED, of_fixed)):
            taken.sent[item, part] += minor
            taken.charged[item, part] += minor
