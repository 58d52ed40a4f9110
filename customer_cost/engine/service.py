"""Cost centres that serve each other: what pools give to pools before customers (WE-10)."""

from collections import defaultdict
from fractions import Fraction

from .flows import round_flows, solve
from .pools import Pool
from .rounding import split
from .run_data import DIRECT, RECIPROCAL, ClosedLoop, Transfer


def serve(pools, rules, method):
    """Return what the rules to cost centres move, as dict of rule key to transfers.

    * ``direct``: centres that serve get nothing
    * ``step_down``: in the order of the rules; who has sent gets nothing any more
    * ``reciprocal``: all at once, exactly, whatever the order; rounded so that no cent is lost

    :param pools: dict of ``(item, centre, part)`` to minor units
    :param rules: :class:`~.run_data.RuleInput` with ``centres_to``, in their order
    :raises ClosedLoop: pools send everything only among themselves
    """
    check_loops(pools, rules)
    if method == RECIPROCAL:
        return _serve_at_once(pools, rules)
    moved, held, opened = defaultdict(list), dict(pools), {}
    for place, rule in enumerate(rules):
        done = rules if method == DIRECT else rules[: place + 1]
        for source in sorted(key for key in held if rule.covers(key)):
            targets = [
                (target, weight)
                for target, weight in get_targets(rule, source)
                if not any(other.covers(target) for other in done)
            ]
            if not targets:
                continue
            minor = opened.setdefault(source, Pool(held[source])).take_share(rule.share)
            shares = split(minor, [weight for _target, weight in targets]).tolist()
            for (target, _weight), share in zip(targets, shares, strict=True):
                if share:
                    moved[rule.key].append(Transfer(source, target, share))
                    held[target] = held.get(target, 0) + share
                    held[source] -= share
    return moved


def apply_transfers(pools, transfers):
    """Return ``pools`` after ``transfers``; their sum is the same."""
    held = defaultdict(int, pools)
    for transfer in transfers:
        held[transfer.source] -= transfer.minor
        held[transfer.target] += transfer.minor
    return dict(held)


def compare_orders(inputs):
    """What centres hold when they have served each other, in this order and in the reverse one.

    :return: dict of centre to ``(this order, reverse order)`` in minor units; empty where the
        order makes no difference
    """
    rules = [rule for rule in inputs.rules if rule.to_pools]
    found = []
    for ordered in (rules, rules[::-1]):
        moved = serve(inputs.pools, ordered, inputs.pool_method)
        by_centre = defaultdict(int)
        transfers = [transfer for given in moved.values() for transfer in given]
        for (_item, centre, _part), minor in apply_transfers(inputs.pools, transfers).items():
            by_centre[centre] += minor
        found.append(by_centre)
    this, other = found
    centres = sorted(
        centre for centre in this.keys() | other.keys() if this[centre] or other[centre]
    )
    if all(this[centre] == other[centre] for centre in centres):
        return {}
    return {centre: (this[centre], other[centre]) for centre in centres}


def get_targets(rule, source):
    """Pools that ``rule`` gives to from ``source``, with their weights, ascending."""
    item, _centre, part = source
    given = [
        ((rule.charge_item or item, centre, part), weight)
        for centre, weight in sorted(rule.centres_to)
        if weight
    ]
    return [(target, weight) for target, weight in given if target != source]


def check_loops(pools, rules):
    """Refuse pools whose cost can never leave them.

    :raises ClosedLoop: naming their centres and the rules between them
    """
    edges = _get_edges(pools, rules)
    out, into = defaultdict(Fraction), defaultdict(set)
    for (_rule, source, target), part in edges.items():
        out[source] += part
        into[target].add(source)
    nodes = {node for _rule, source, target in edges for node in (source, target)}
    reached = [node for node in nodes if out[node] < 1]
    escaping = set(reached)
    while reached:
        for source in into[reached.pop()] - escaping:
            escaping.add(source)
            reached.append(source)
    closed = nodes - escaping
    if closed:
        keys = {rule for rule, source, _target in edges if source in closed}
        raise ClosedLoop(
            [rule.key for rule in rules if rule.key in keys],
            sorted({centre for _item, centre, _part in closed}),
        )


def _get_edges(pools, rules):
    """Part of a pool that goes to another, by ``(rule, source, target)``, as far as cost gets."""
    edges, known, waiting = {}, set(pools), sorted(pools)
    while waiting:
        source = waiting.pop()
        for rule in rules:
            targets = get_targets(rule, source) if rule.covers(source) else []
            total = sum(Fraction(str(weight)) for _target, weight in targets)
            for target, weight in targets:
                part = Fraction(str(rule.share)) / 100 * Fraction(str(weight)) / total
                edges[rule.key, source, target] = part
                if target not in known:
                    known.add(target)
                    waiting.append(target)
    return edges


def _serve_at_once(pools, rules):
    edges = _get_edges(pools, rules)
    gross = solve(pools, edges)
    moved = defaultdict(list)
    for (rule, source, target), minor in round_flows(pools, edges, gross).items():
        if minor:
            moved[rule].append(Transfer(source, target, minor))
    return moved
