"""What a simulation changes in the inputs of a run; each returns new inputs."""

from dataclasses import replace
from fractions import Fraction

import numpy as np

from .drivers import Blend
from .rounding import rounded
from .run_data import BY_PERCENTAGE


def drop_rule(inputs, rule):
    """Leave out the rule with the key ``rule``."""
    return replace(inputs, rules=tuple(each for each in inputs.rules if each.key != rule))


def change_rule(inputs, rule, **values):
    """Give the rule with the key ``rule`` other ``values``, e.g. ``share`` or ``receivers``."""
    return replace(
        inputs,
        rules=tuple(replace(each, **values) if each.key == rule else each for each in inputs.rules),
    )


def drop_terms(inputs, customer, rule=None):
    """Leave out what ``customer`` agreed on, with the rule of the key ``rule`` or with all."""
    return replace(
        inputs,
        rules=tuple(
            replace(each, terms=tuple(term for term in each.terms if term.customer != customer))
            if rule in (None, each.key)
            else each
            for each in inputs.rules
        ),
    )


def scale_pools(inputs, items, percentage):
    """Change the month's pools of ``items`` by ``percentage``, e.g. 10 or -2.5.

    Each pool is rounded to the minor unit, halves away from zero.
    """
    factor = Fraction(str(percentage)) / 100
    return add_to_pools(
        inputs,
        {key: rounded(minor * factor) for key, minor in inputs.pools.items() if key[0] in items},
    )


def add_to_pools(inputs, changes):
    """Add to the month's pools; the fiscal year, where it counts, holds the month.

    :param changes: dict of ``(item, centre, part)`` to minor units
    """
    pools, year = dict(inputs.pools), dict(inputs.year)
    for key, minor in changes.items():
        pools[key] = pools.get(key, 0) + minor
        if year:
            year[key] = year.get(key, 0) + minor
    return replace(inputs, pools=pools, year=year)


def scale_quantity(inputs, rules, customer, factor):
    """Multiply what ``customer`` counts for by ``factor`` in the rules with the keys ``rules``.

    Fixed percentages are no quantities and stay.
    """
    return replace(
        inputs,
        rules=tuple(
            replace(rule, receivers=_scale_receivers(rule.receivers, customer, factor))
            if rule.key in rules and rule.method != BY_PERCENTAGE
            else rule
            for rule in inputs.rules
        ),
    )


def _scale_receivers(receivers, customer, factor):
    if receivers.blend:
        return replace(receivers, blend=_scale_basis(receivers.blend, customer, factor))
    return _scale(receivers, customer, factor)


def _scale_basis(basis, customer, factor):
    """Scale every part of a sum, and one part of a product."""
    if not isinstance(basis, Blend):
        return _scale(basis, customer, factor)
    parts = basis.parts[:1] if basis.product else basis.parts
    scaled = tuple((weight, _scale_basis(part, customer, factor)) for weight, part in parts)
    return replace(basis, parts=scaled + basis.parts[len(scaled) :])


def _scale(counted, customer, factor):
    quantities = np.where(counted.ids == customer, counted.quantities * factor, counted.quantities)
    return replace(counted, quantities=quantities)
