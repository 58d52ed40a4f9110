"""Sharing whole units out between bounds, and over two sides at once."""

import numpy as np

from .rounding import integer_weights, split


def fill(amount, weights, lows, highs):
    """Split ``amount`` over ``weights`` so that every share lies between its bounds.

    The share of a place is rate × weight, held at its bounds; the one rate with which they add
    up is found by settling, round by round, the places beyond the bound that is missed by more.

    :param amount: int, not negative and not below the sum of ``lows``
    :param weights: non-negative numbers
    :param lows, highs: dicts of place to int, both rare; a low is not above its high
    :return: numpy array of ints; its sum is ``amount`` unless every place stands at its bound
    """
    parts = integer_weights(weights)
    total = int(sum(parts.tolist()))
    left, held = amount, {}
    weight_of = {place: int(parts[place]) for place in sorted(lows.keys() | highs.keys())}
    while weight_of:
        scale = total or 1
        below, above, missed = [], [], 0
        for place, weight in weight_of.items():
            natural = left * weight if total else 0
            low, high = lows.get(place, 0) * scale, highs.get(place)
            if natural < low:
                below.append(place)
                missed += low - natural
            elif high is not None and natural > high * scale:
                above.append(place)
                missed -= natural - high * scale
        if not below and not above:
            break
        for place in (below if missed >= 0 else []) + (above if missed <= 0 else []):
            held[place] = lows[place] if place in below else highs[place]
            total -= weight_of.pop(place)
            left -= held[place]
    free = parts.copy()
    free[list(held)] = 0
    shares = split(left, free)
    for place, minor in held.items():
        shares[place] = minor
    return shares


def spread(rows, columns):
    """Return whole units per row and column that add up to both sides.

    :param rows: non-negative ints
    :param columns: non-negative ints of the same sum
    :return: list of arrays, one per column, in the order of the rows; a row is spread over the
        columns in proportion to them
    """
    left = np.asarray(rows)
    result = []
    for column in columns[:-1]:
        shares = split(column, left)
        left = left - shares
        result.append(shares)
    return [*result, left]


def spread_within(rows, rooms):
    """Spread ``rows`` over columns that have room for them, in proportion to the rooms.

    :param rows: non-negative ints, together at most the sum of ``rooms``
    :return: list of arrays, one per room
    """
    return spread(rows, split(sum(rows), rooms).tolist())


def share_out_bound(bound, lows, naturals):
    """Share an upper bound over columns: none below its low nor, if possible, below its natural.

    :return: list of ints that add up to ``bound``, or to more where the lows do
    """
    least = [max(low, natural) for low, natural in zip(lows, naturals, strict=True)]
    if sum(least) > bound:
        weights = [share - low for share, low in zip(least, lows, strict=True)]
        least = lows
    else:
        weights = naturals if any(naturals) else [1] * len(naturals)
    more = split(bound - sum(least), weights).tolist()
    return [share + extra for share, extra in zip(least, more, strict=True)]
