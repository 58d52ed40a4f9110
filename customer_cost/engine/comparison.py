"""Why two runs differ: the same computation on inputs mixed from both."""

from dataclasses import dataclass, field, replace

import numpy as np

from .drivers import REFUSE
from .run_data import BY_PERCENTAGE, Inputs


@dataclass(frozen=True)
class Source:
    """Where a rule's quantities come from: its driver, and who of those it counts takes part."""

    driver: int
    scope: str


@dataclass(frozen=True)
class Frozen:
    """What a run was computed from.

    * ``sources``: by rule, the :class:`Source` of its quantities
    * ``lines``: ids of the ledger lines in the month's pools, ascending
    """

    inputs: Inputs
    sources: dict = field(default_factory=dict)
    lines: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))


def mix(costs, drivers, rules):
    """Return inputs with the pools of one run, the quantities of another, the rules of a third.

    Quantities are exchanged between rules with the same driver: of the same rule, else of the
    first rule with the same receivers. A rule whose driver the other run does not have keeps
    its own, and so do its receivers that the other run leaves out by its rule. Its customers with
    contract terms take part whether the other run has them or not.

    :param costs: :class:`Frozen` whose pools, earlier months and settled amounts count
    :param drivers: :class:`Frozen` whose quantities count
    :param rules: :class:`Frozen` whose rules and treatment of service pools count
    :return: :class:`~.run_data.Inputs`
    """
    settled = {rule.key: rule.settled for rule in costs.inputs.rules}
    return replace(
        rules.inputs,
        pools=costs.inputs.pools,
        year=costs.inputs.year,
        settled=costs.inputs.settled,
        rules=tuple(
            replace(
                _exchange_quantities(rule, rules.sources.get(rule.key), drivers),
                settled=settled.get(rule.key, rule.settled),
            )
            for rule in rules.inputs.rules
        ),
    )


def _exchange_quantities(rule, source, drivers):
    other = _find_rule(rule, source, drivers)
    if other is None:
        return rule
    if rule.to_pools:
        return replace(rule, centres_to=other.centres_to)
    own, receivers = rule.receivers, other.receivers
    if drivers.sources[other.key].scope != source.scope:
        receivers = _take_known(own, receivers)
    agreed = {term.customer for term in rule.terms}
    receivers = receivers.with_more([each for each in own.ids.tolist() if each in agreed])
    policy = own.policy
    if policy == REFUSE and (receivers.quantities < 0).any():
        policy = other.receivers.policy
    return replace(
        rule,
        receivers=replace(receivers, policy=policy, so_far=own.so_far),
    )


def _take_known(own, receivers):
    """``own`` receivers, with the others' quantities where they have one."""
    quantities = own.quantities.copy()
    known = np.isin(own.ids, receivers.ids, assume_unique=True)
    places = np.searchsorted(receivers.ids, own.ids[known])
    quantities[known] = receivers.quantities[places]
    return replace(own, quantities=quantities, blend=receivers.blend)


def _find_rule(rule, source, drivers):
    """The rule of another run that has this rule's quantities, if there is one."""
    if source is None or rule.method == BY_PERCENTAGE:
        return None
    candidates = {
        other.key: other
        for other in drivers.inputs.rules
        if other.key in drivers.sources
        and drivers.sources[other.key].driver == source.driver
        and other.to_pools == rule.to_pools
        and other.method != BY_PERCENTAGE
    }
    if rule.key in candidates or not source.driver:
        return candidates.get(rule.key)
    return next(
        (other for key, other in candidates.items() if drivers.sources[key].scope == source.scope),
        None,
    )
