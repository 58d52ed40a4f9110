"""What drivers count per customer, and the weights they stand for.

Policies say what happens to negative quantities (worked example WE-07); blends make one driver
of several (WE-06).
"""

from dataclasses import dataclass

import numpy as np

REFUSE = "refuse"
ZERO = "zero"
ABSOLUTE = "absolute"
SHIFT = "shift"
POLICIES = (REFUSE, ZERO, ABSOLUTE, SHIFT)
SO_FAR = "so_far"
BLEND_TOTAL = 1_000_000  # what the quantities of a blend add up to: parts per million


class NegativeQuantities(ValueError):
    """A driver that refuses negative quantities met some; ``positions`` says where.

    ``key`` is the driver's, where it is known, and ``quantities`` are all it counted.
    """

    def __init__(self, positions, key=None, quantities=None):
        super().__init__("negative driver quantities")
        self.positions = positions
        self.key = key
        self.quantities = quantities


@dataclass(frozen=True)
class Basis:
    """What one driver counts: raw quantities per customer.

    :param key: the driver
    :param ids: customers, ascending int64
    :param quantities: float64 in the order of ``ids``, any sign
    :param policy: one of :data:`POLICIES`
    :param source: :data:`SO_FAR` where what a run allocated in its earlier steps adds to them
    """

    key: int
    ids: np.ndarray
    quantities: np.ndarray
    policy: str = REFUSE
    source: str = ""

    @property
    def customers(self):
        """Customers that have a quantity, ascending."""
        return self.ids

    @property
    def counts_so_far(self):
        """Whether what a run allocated before adds to the quantities."""
        return self.source == SO_FAR

    def align(self, ids):
        """Return the quantities of ``ids``, ascending; 0 for one that is not counted."""
        quantities = np.zeros(len(ids))
        known = np.isin(ids, self.ids)
        places = np.searchsorted(self.ids, np.asarray(ids)[known])
        quantities[known] = self.quantities[places]
        return quantities


@dataclass(frozen=True)
class Blend:
    """One driver made of several.

    :param key: the driver
    :param parts: pairs of a weight above 0 and a :class:`Basis` or :class:`Blend`
    :param product: quantities are multiplied; else shares are added up by weight
    """

    key: int
    parts: tuple
    product: bool = False

    @property
    def customers(self):
        """Customers that have a quantity in any part, ascending."""
        return np.unique(np.concatenate([part.customers for _weight, part in self.parts]))

    @property
    def counts_so_far(self):
        """Whether what a run allocated before adds to the quantities of any part."""
        return any(part.counts_so_far for _weight, part in self.parts)


@dataclass(frozen=True)
class Weighed:
    """Weights of receivers and what was noticed about the drivers they come from.

    ``negative`` are ``(key, positions, quantities)`` of drivers that counted below zero,
    ``empty`` the keys of drivers inside a blend that count nothing for these receivers.
    """

    weights: np.ndarray
    negative: tuple = ()
    empty: tuple = ()


def weigh_basis(basis, ids, so_far=None):
    """Return the weights of receivers ``ids``.

    Each part of a sum is taken in proportion to its own total over these receivers; a part
    without any is left out and the others count for it. A product is zero where a part is.

    :param basis: :class:`Basis` or :class:`Blend`
    :param ids: receivers, ascending int64; one that the driver does not count has quantity 0
    :param so_far: what earlier steps of the run allocated to ``ids``, for :data:`SO_FAR`
    :return: :class:`Weighed`; weights of a blend add up to :data:`BLEND_TOTAL`, or to zero
    :raises NegativeQuantities: a driver that refuses them counted negative quantities
    """
    if isinstance(basis, Blend):
        return _weigh_blend(basis, ids, so_far)
    quantities = basis.align(ids)
    if basis.source == SO_FAR and so_far is not None:
        quantities = quantities + so_far
    negative = np.flatnonzero(quantities < 0)
    try:
        weights = apply_policy(quantities, basis.policy)
    except NegativeQuantities as error:
        raise NegativeQuantities(error.positions, basis.key, quantities) from error
    return Weighed(weights, ((basis.key, negative, quantities),) if len(negative) else ())


def _weigh_blend(blend, ids, so_far):
    weighed = [weigh_basis(part, ids, so_far) for _weight, part in blend.parts]
    empty = tuple(
        part.key
        for (_weight, part), result in zip(blend.parts, weighed, strict=True)
        if not result.weights.any()
    )
    combine = _multiply if blend.product else _add_up
    weights = combine([weight for weight, _part in blend.parts], weighed, len(ids))
    total = weights.sum()
    return Weighed(
        weights * (BLEND_TOTAL / total) if total else weights,
        tuple(found for result in weighed for found in result.negative),
        empty + tuple(key for result in weighed for key in result.empty),
    )


def _add_up(factors, weighed, size):
    weights = np.zeros(size)
    for factor, result in zip(factors, weighed, strict=True):
        total = result.weights.sum()
        if total:
            weights += result.weights * (factor / total)
    return weights


def _multiply(_factors, weighed, size):
    weights = np.ones(size)
    for result in weighed:
        largest = result.weights.max(initial=0.0)
        weights *= result.weights / largest if largest else 0.0
    return weights


def apply_policy(quantities, policy):
    """Return the weights that ``quantities`` stand for under ``policy``.

    * ``refuse``: any negative quantity raises
    * ``zero``: negative quantities count as zero
    * ``absolute``: the sign is dropped
    * ``shift``: the most negative becomes zero and every other rises by as much

    :param quantities: sequence of numbers, any sign
    :param policy: one of :data:`POLICIES`
    :return: numpy array of non-negative weights in the same order
    :raises NegativeQuantities: ``refuse`` met a negative quantity
    :raises ValueError: unknown policy
    """
    values = np.asarray(quantities, dtype=np.float64)
    if policy not in POLICIES:
        raise ValueError(f"unknown policy {policy!r}")
    negative = np.flatnonzero(values < 0)
    if not len(negative):
        return values
    if policy == REFUSE:
        raise NegativeQuantities(negative)
    if policy == ZERO:
        return np.where(values < 0, 0.0, values)
    if policy == ABSOLUTE:
        return np.abs(values)
    return values - values.min()
