"""Contract terms: what one customer agreed on, before the others share the rest.

Amounts are integers in minor units. A term holds for every item of a rule or for some; for one
customer and one item the term of the fewest items decides, the wider one holds for the rest.

Cells of one step that the same terms concern are settled together, as one amount, so that an
amount per month holds once for all of them; what each customer owes is then spread over the
cells. Where cells of both signs meet, the sign of what the term covers decides: a cap of 100 is
a cap of −100 on a refund.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from .fill import fill, share_out_bound, spread, spread_within
from .rounding import INT64_MAX, split, split_by_percentages

EXEMPT = "exempt"
WEIGHT = "weight"
FIXED_PCT = "fixed_pct"
FIXED_AMOUNT = "fixed_amount"
CAP = "cap"
FLOOR = "floor"
KINDS = (EXEMPT, WEIGHT, FIXED_PCT, FIXED_AMOUNT, CAP, FLOOR)
IN_AMOUNTS = (FIXED_AMOUNT, CAP, FLOOR)

TO_OTHERS = "others"
TO_POOL = "pool"


@dataclass(frozen=True)
class Term:
    """What one customer agreed on.

    * ``exempt``: is charged nothing
    * ``weight``: its quantity counts ``value`` times
    * ``fixed_pct``: is charged ``value`` per cent, before anybody else and whatever its quantity
    * ``fixed_amount``: the same with ``value`` minor units of all cells together
    * ``cap``, ``floor``: is charged at most, at least ``value`` minor units of all cells together;
      ``spill`` says whether what a cap cuts is charged to the others or stays in the pool

    ``items`` are the cost items it is about; None: every item.
    """

    customer: int
    kind: str
    value: float = 0
    items: frozenset | None = None
    spill: str = TO_OTHERS

    def concerns(self, item):
        """Whether the term is about ``item``."""
        return self.items is None or item in self.items


class TermsExceed(ValueError):
    """Terms claim more than there is.

    ``claims`` are tuples of customer, kind and minor units (for a percentage, of the amount),
    ``available`` the minor units they claim together; both as absolute values.
    """

    def __init__(self, claims, available):
        super().__init__("terms claim more than the amount")
        self.claims = tuple(claims)
        self.available = available

    @property
    def claimed(self):
        """What the terms claim together, in minor units."""
        return sum(minor for _customer, _kind, minor in self.claims)


def apply_terms(minor, weights, ids, terms, item=None):
    """Share one amount of ``item`` out under ``terms``; see :func:`allocate_with_terms`.

    :return: ``(shares, retained)``
    """
    return allocate_with_terms([(item, minor)], weights, ids, terms)[0]


def allocate_with_terms(cells, weights, ids, terms, rest=0, exempt_to_pool=False):
    """Share the cells of one step out under the contract terms of its receivers.

    Without terms that concern a cell, its shares are those of :func:`~.rounding.split`.

    :param cells: sequence of ``(item, minor)``, amounts of any sign
    :param weights: non-negative numbers per receiver
    :param ids: customers, ascending, in the order of ``weights``
    :param terms: iterable of :class:`Term`; those of customers outside ``ids`` do not count
    :param rest: weight of the pool itself: what it gets is retained
    :param exempt_to_pool: the quantity of an exempt customer counts for the pool instead of not
        at all (a rule that charges a rate: the others pay no more for it)
    :return: list of ``(shares, retained)`` per cell; ``shares.sum() + retained == minor``
    :raises TermsExceed: fixed shares and floors claim more than the amount
    """
    known = _find_places(ids, terms)
    base = np.append(np.asarray(weights, dtype=np.float64), float(rest))
    blocks = _make_blocks(cells, base, known)
    groups = _make_groups(blocks, known, exempt_to_pool)
    _settle_percentages(blocks, ids)
    _settle_amounts(groups, ids)
    _bound(groups, ids)
    results = [None] * len(cells)
    for block in blocks:
        for place, shares in block.share_out():
            results[place] = (shares[:-1], cells[place][1] - int(shares[:-1].sum()))
    empty = np.zeros(len(base) - 1, dtype=np.int64)
    return [(empty, 0) if result is None else result for result in results]


@dataclass
class _Group:
    """The amount terms of one customer and the blocks they hold for together."""

    place: int
    terms: list
    blocks: list = field(default_factory=list)

    def get(self, kind):
        """The term of ``kind``, or None."""
        return next((term for term in self.terms if term.kind == kind), None)

    def divide(self, net=0):
        """Blocks of the sign of ``net``, by default of all of them together, and the others."""
        net = net or sum(block.sign * block.minor for block in self.blocks)
        sign = self.blocks[0].sign if not net else 1 if net > 0 else -1
        major = [block for block in self.blocks if block.sign == sign]
        return major, [block for block in self.blocks if block.sign != sign]

    def get_natural(self):
        """What the customer would be charged by its weight, signed."""
        return sum(block.sign * block.get_natural(self.place) for block in self.blocks)

    @property
    def is_mixed(self):
        """Whether blocks of both signs meet."""
        return len({block.sign for block in self.blocks}) > 1


class _Block:
    """Cells of one sign that the same terms concern, as one positive amount.

    The last place of every array is the pool's.
    """

    def __init__(self, sign, item, weights):
        self.sign = sign
        self.item = item
        self.weights = weights
        self.cells = []
        self.minor = self.left = 0
        self.settled = {}
        self.percentages = {}
        self.governed = False
        self.lows, self.highs, self.cuts = {}, {}, {}
        self._natural = None

    def add(self, place, minor):
        self.cells.append((place, abs(minor)))
        self.minor += abs(minor)
        self.left += abs(minor)

    def settle(self, place, minor):
        """Charge the customer exactly this; the others share what it leaves."""
        self.settled[place] = minor
        self.weights[place] = 0
        self.left -= minor

    @property
    def room(self):
        """What nobody has claimed yet."""
        return self.left - sum(self.lows.values())

    def get_natural(self, place):
        """What the customer would be charged by its weight."""
        if self._natural is None:
            self._natural = split(self.left, self.weights)
        return int(self._natural[place])

    def share_out(self):
        """Yield the place of every cell with its signed shares, the pool's last."""
        if not self.governed:
            for place, minor in self.cells:
                yield place, self.sign * split(minor, self.weights)
            return
        totals = fill(self.left, self.weights, self.lows, self.highs)
        if self.minor > INT64_MAX:
            totals = totals.astype(object)
        for place, high in self.cuts.items():
            totals[place] = min(totals[place], high)
        for place, minor in self.settled.items():
            totals[place] += minor
        totals[-1] += self.minor - int(totals.sum())
        amounts = [minor for _place, minor in self.cells]
        for (place, _minor), shares in zip(self.cells, spread(totals, amounts), strict=True):
            yield place, self.sign * shares


def _find_places(ids, terms):
    """Terms by the place of their customer."""
    ids = np.asarray(ids, dtype=np.int64)
    known = defaultdict(list)
    terms = list(terms)
    places = np.searchsorted(ids, [term.customer for term in terms]).tolist()
    for place, term in zip(places, terms, strict=True):
        if place < len(ids) and ids[place] == term.customer:
            known[place].append(term)
    return dict(sorted(known.items()))


def _make_blocks(cells, base, known):
    scopes = {term.items for terms in known.values() for term in terms} - {None}
    blocks = {}
    for place, (item, minor) in enumerate(cells):
        if minor:
            sign = 1 if minor > 0 else -1
            key = sign, frozenset(scope for scope in scopes if item in scope)
            if key not in blocks:
                blocks[key] = _Block(sign, item, base.copy())
            blocks[key].add(place, minor)
    return list(blocks.values())


def _get_narrowest(terms, item):
    """Of the terms that concern an item, those of the fewest items."""
    found = [term for term in terms if term.concerns(item)]
    widths = [np.inf if term.items is None else len(term.items) for term in found]
    return [term for term, width in zip(found, widths, strict=True) if width == min(widths)]


def _make_groups(blocks, known, exempt_to_pool):
    """Weigh the receivers of every block and return what terms in amounts hold for."""
    groups = {}
    for block in blocks:
        for place, terms in known.items():
            for term in _get_narrowest([term for term in terms if term.kind == WEIGHT], block.item):
                block.weights[place] *= term.value
            chosen = _get_narrowest([term for term in terms if term.kind != WEIGHT], block.item)
            if not chosen:
                continue
            kinds = {term.kind: term for term in chosen}
            if EXEMPT in kinds:
                block.weights[-1] += block.weights[place] if exempt_to_pool else 0
                block.weights[place] = 0
            elif FIXED_PCT in kinds:
                block.percentages[place] = kinds[FIXED_PCT].value
                block.governed = True
            else:
                block.governed = True
                key = place, chosen[0].items
                groups.setdefault(key, _Group(place, chosen)).blocks.append(block)
    return list(groups.values())


def _settle_percentages(blocks, ids):
    for block in blocks:
        places = sorted(block.percentages)
        percentages = [block.percentages[place] for place in places]
        try:
            shares, _rest = split_by_percentages(block.minor, percentages)
        except ValueError as error:
            parts = [Fraction(str(value)) * block.minor / 100 for value in percentages]
            claims = [
                (int(ids[place]), FIXED_PCT, round(part))
                for place, part in zip(places, parts, strict=True)
            ]
            raise TermsExceed(claims, block.minor) from error
        for place, share in zip(places, shares.tolist(), strict=True):
            block.settle(place, share)


def _by_blocks(claims):
    """Claims of customers on the same blocks together, on the fewest blocks first."""
    grouped = defaultdict(list)
    for group, kind, minor, blocks in claims:
        grouped[tuple(map(id, blocks))].append((group, kind, minor, blocks))
    for _key, together in sorted(grouped.items(), key=lambda pair: len(pair[0])):
        yield together[0][3], [(group.place, kind, minor) for group, kind, minor, _b in together]


def _claim(claims, ids):
    """Spread what customers claim over their blocks.

    :return: iterable of block, place and minor units
    :raises TermsExceed: there is less
    """
    for blocks, together in _by_blocks(claims):
        rooms = [block.room for block in blocks]
        if sum(minor for _place, _kind, minor in together) > sum(rooms):
            named = [(int(ids[place]), kind, minor) for place, kind, minor in together]
            raise TermsExceed(named, sum(rooms))
        wanted = [minor for _place, _kind, minor in together]
        for block, shares in zip(blocks, spread_within(wanted, rooms), strict=True):
            for (place, _kind, _minor), share in zip(together, shares.tolist(), strict=True):
                yield block, place, share


def _settle_amounts(groups, ids):
    fixed = [group for group in groups if group.get(FIXED_AMOUNT)]
    claims = []
    for group in fixed:
        major, minor = group.divide()
        claims.append((group, FIXED_AMOUNT, int(group.get(FIXED_AMOUNT).value), major))
        for block in minor:
            block.settle(group.place, 0)
    for block, place, share in _claim(claims, ids):
        block.settle(place, share)


def _bound(groups, ids):
    """Set the bounds of caps and floors in every block.

    Where both signs meet, the shares of the lesser one are left as they are and counted against.
    """
    floors, caps = [], []
    for group in groups:
        if group.get(FIXED_AMOUNT):
            continue
        floor, cap = group.get(FLOOR), group.get(CAP)
        natural = group.get_natural() if group.is_mixed and not floor else 0
        major, minor = group.divide(natural)
        against = [(block, block.get_natural(group.place)) for block in minor]
        for block, share in against:
            block.settle(group.place, share)
        back = sum(share for _block, share in against)
        least = int(floor.value) + back if floor else max(back - int(cap.value), 0)
        if least:
            floors.append((group, FLOOR if floor else CAP, least, major))
        if cap:
            caps.append((group, int(cap.value) + back, major))
    for block, place, share in _claim(floors, ids):
        block.lows[place] = share
    for group, high, blocks in caps:
        place = group.place
        lows = [block.lows.get(place, 0) for block in blocks]
        naturals = [high] if len(blocks) == 1 else [block.get_natural(place) for block in blocks]
        for block, share in zip(blocks, share_out_bound(high, lows, naturals), strict=True):
            bounds = block.cuts if group.get(CAP).spill == TO_POOL else block.highs
            bounds[place] = share
