"""The methods of a rule to customers: what its receivers get of what it takes from the pools."""

from collections import defaultdict
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from .drivers import SO_FAR, Basis, NegativeQuantities, Weighed, weigh_basis
from .pools import draw_together
from .rounding import exact_total, rounded, split, split_by_percentages
from .run_data import (
    BY_CAPACITY,
    BY_PERCENTAGE,
    FIXED,
    MEASURED,
    REST_CHARGED,
    REST_ONWARD,
    VARIABLE,
    Cell,
    NegativeReceivers,
    NoCapacity,
    Step,
    TermsUnfit,
)
from .terms import TermsExceed, allocate_with_terms


@dataclass
class Taken:
    """What a rule took: ``sent`` and, of it, ``charged``, by item and part."""

    sent: dict = field(default_factory=lambda: defaultdict(int))
    charged: dict = field(default_factory=lambda: defaultdict(int))
    carried: int = 0
    missing: int = 0
    rate: Fraction = Fraction(0)
    actual_rate: Fraction = Fraction(0)
    used: Fraction = Fraction(0)

    def add(self, key, sent, charged):
        """Count what was taken of one pool."""
        item, _centre, part = key
        self.sent[item, part] += sent
        self.charged[item, part] += charged


def weigh(rule, so_far=None):
    """Return the :class:`~.drivers.Weighed` receivers of a rule.

    :param so_far: what the run charged to each receiver before, in currency units
    :raises NegativeReceivers: a driver refuses negative quantities and counts some
    """
    receivers = rule.receivers
    if rule.method == BY_PERCENTAGE:
        return Weighed(receivers.quantities)
    try:
        if receivers.blend:
            return weigh_basis(receivers.blend, receivers.ids, so_far)
        source = SO_FAR if receivers.so_far else ""
        own = Basis(None, receivers.ids, receivers.quantities, receivers.policy, source)
        return weigh_basis(own, receivers.ids, so_far)
    except NegativeQuantities as error:
        raise NegativeReceivers(
            rule.key, receivers.ids, error.quantities, error.positions, error.key
        ) from error


def carry_out(rule, pools, carry, so_far, decimals):
    """Take from ``pools`` what the rule sends, share it out and return the :class:`Step`.

    :param pools: dict of the rule's keys to :class:`~.pools.Pool`, ascending
    :param carry: function of what the rule took that adds what earlier months left
    :param so_far: what the run charged to each receiver before, in currency units
    """
    weighed = weigh(rule, so_far)
    weights = weighed.weights
    if rule.method in MEASURED:
        taken = _measure(rule, pools, exact_total(weights), decimals)
    elif rule.amount is not None:
        taken = _take_amount(rule, pools)
    else:
        taken = _take_shares(rule, pools)
        if rule.carry:
            carry(taken)
    return Step(
        rule.key,
        tuple(_share_out(rule, taken, weights)),
        rule.receivers.ids,
        weighed,
        carried=taken.carried,
        missing=taken.missing,
        rate=float(taken.rate),
        actual_rate=float(taken.actual_rate),
        capacity=rule.capacity if rule.method == BY_CAPACITY else 0.0,
        used=float(taken.used),
    )


def _take_shares(rule, pools):
    taken = Taken()
    for key, pool in pools.items():
        minor = pool.take_share(rule.share)
        taken.add(key, minor, minor)
    return taken


def _take_amount(rule, pools):
    taken = Taken()
    held = {key: pool.left for key, pool in pools.items()}
    amount = max(min(rule.amount, sum(held.values())), 0)
    for key, minor in draw_together(amount, held).items():
        pools[key].take_amount(minor)
        taken.add(key, minor, minor)
    taken.missing = rule.amount - amount
    return taken


def _measure(rule, pools, total, decimals):
    if rule.method == BY_CAPACITY:
        taken = _measure_capacity(rule, pools, total)
    else:
        taken = _measure_rate(rule, pools, total, decimals)
    taken.rate /= 10**decimals
    taken.actual_rate /= 10**decimals
    return taken


def _measure_capacity(rule, pools, total):
    capacity = Fraction(str(rule.capacity))
    if capacity <= 0:
        raise NoCapacity(rule.key)
    taken, cost, share = Taken(), Fraction(0), Fraction(str(rule.share)) / 100
    taken.used = total * Fraction(str(rule.standard))
    for key, pool in pools.items():
        if rule.rest == REST_ONWARD:
            base = pool.base * share
            sent = charged = rounded(base * taken.used / capacity)
            pool.draw(sent)
        else:
            drawn = pool.drawn * share
            sent = pool.take_share(rule.share)
            base = sent + drawn
            charged = sent if rule.rest == REST_CHARGED else rounded(base * taken.used / capacity)
        cost += base
        taken.add(key, sent, charged)
    taken.rate = cost * Fraction(str(rule.standard)) / capacity
    taken.actual_rate = cost / total if total else Fraction(0)
    return taken


def _measure_rate(rule, pools, total, decimals):
    taken = Taken(rate=Fraction(str(rule.rate)) * 10**decimals, used=total)
    due = rounded(taken.rate * total)
    if rule.rest == REST_ONWARD:
        held = {key: pool.left for key, pool in pools.items()}
        cost = sum(pool.base for pool in pools.values()) * Fraction(str(rule.share)) / 100
        charged = draw_together(due, held)
        for key, minor in charged.items():
            pools[key].draw(minor)
            taken.add(key, minor, minor)
    else:
        held = {key: pool.take_share(rule.share) for key, pool in pools.items()}
        cost = sum(held.values())
        charged = draw_together(due, held)
        for key, sent in held.items():
            taken.add(key, sent, charged.get(key, 0))
    taken.missing = due - sum(charged.values())
    taken.actual_rate = Fraction(cost) / total if total else Fraction(0)
    return taken


def _share_out(rule, taken, weights):
    shared = _split_cells(rule, taken.charged, weights)
    nothing = np.zeros(len(weights), dtype=np.int64)
    for item in sorted({item for item, _part in taken.sent}):
        sent = [taken.sent[item, part] for part in (VARIABLE, FIXED)]
        charged = [taken.charged[item, part] for part in (VARIABLE, FIXED)]
        if not any(sent + charged):
            continue
        variable, fixed = (shared.get((item, part), nothing) for part in (VARIABLE, FIXED))
        shares = variable + fixed
        received = int(shares.sum())
        rest = sum(sent) - received
        unused = sum(sent) - sum(charged) if rule.method == BY_CAPACITY else 0
        yield Cell(
            item,
            rule.charge_item or item,
            sum(sent),
            shares,
            fixed,
            retained=rest - unused,
            unused=unused,
        )


def _split_cells(rule, charged, weights):
    """Shares of what is charged, by item and part, under the receivers' terms."""
    cells = {key: minor for key, minor in sorted(charged.items()) if minor}
    if not rule.terms:
        return {key: _split(rule, minor, weights) for key, minor in cells.items()}
    try:
        results = allocate_with_terms(
            [(item, minor) for (item, _part), minor in cells.items()],
            weights,
            rule.receivers.ids,
            rule.terms,
            rest=float(100 - exact_total(weights)) if rule.method == BY_PERCENTAGE else 0,
            exempt_to_pool=rule.method in MEASURED,
        )
    except TermsExceed as error:
        raise TermsUnfit(rule.key, error.claims, error.available) from error
    return {key: shares for key, (shares, _rest) in zip(cells, results, strict=True)}


def _split(rule, minor, weights):
    if rule.method == BY_PERCENTAGE:
        return split_by_percentages(minor, weights.tolist())[0]
    return split(minor, weights)
