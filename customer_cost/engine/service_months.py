"""Spreading an amount over the months of a service period, to the minor unit."""

from calendar import monthrange
from datetime import date, timedelta

# Divisible by the days of the four kinds of month: a month's weight stays a whole number.
FULL_MONTH = 377_580


def months_between(first, last):
    """Return the number of calendar months that ``first`` to ``last`` touch."""
    return (last.year - first.year) * 12 + last.month - first.month + 1


def spread(minor, first, last):
    """Share ``minor`` units out to the months from ``first`` to ``last``, both included.

    A month weighs the share of its days that is covered. Units are rounded cumulatively, so that
    the months add up to the amount and those of ``-minor`` mirror those of ``minor``.

    :param minor: amount in minor units, an integer of any sign
    :param first: first day of the service
    :param last: last day of the service, not before ``first``
    :return: list of (first covered day of the month, minor units)
    """
    days = []
    weights = []
    day = first
    while day <= last:
        length = monthrange(day.year, day.month)[1]
        end = min(date(day.year, day.month, length), last)
        days.append(day)
        weights.append(((end - day).days + 1) * FULL_MONTH // length)
        day = end + timedelta(days=1)
    total = sum(weights)
    sign = -1 if minor < 0 else 1
    shares = []
    upto = before = 0
    for weight in weights:
        upto += weight
        units = (2 * abs(minor) * upto + total) // (2 * total)
        shares.append(sign * (units - before))
        before = units
    return list(zip(days, shares, strict=True))


def whole_within(whole, part, room):
    """Return how much of an amount keeps its share of one month within what the month has room for.

    :param whole: positive amount in minor units that is spread over months
    :param part: its share of the month now, above zero
    :param room: what the month has room for
    :return: minor units, 0 where the month has no room
    """
    if part == whole or room <= 0:
        return max(room, 0)
    # One unit less: the share of a month is rounded to either side.
    return whole * (room - 1) // part
