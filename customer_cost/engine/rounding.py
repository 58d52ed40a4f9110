"""Splitting an amount to the minor unit by the largest remainder.

Amounts are integers in minor units (cents for two decimals); weights are non-negative. The
method floors every share and hands the units left over to the largest remainders, ties to the
first position, so that the shares always add up to the amount (worked examples WE-01 to WE-08).
"""

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from math import floor, lcm

import numpy as np

INT64_MAX = 2**63 - 1
WEIGHT_DIGITS = 6


def to_minor(amount, decimals):
    """Return ``amount`` as an integer number of minor units.

    :param amount: number in currency units; a float is read as its shortest decimal text
    :param decimals: digits of the currency (0, 2, 3)
    :return: int, halves rounded away from zero
    """
    scaled = Decimal(str(amount)).scaleb(decimals)
    return int(scaled.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def from_minor(minor, decimals):
    """Return the exact :class:`~decimal.Decimal` that ``minor`` minor units are worth."""
    return Decimal(int(minor)).scaleb(-decimals)


def rounded(value):
    """Return a :class:`~fractions.Fraction` as the nearest int, halves away from zero."""
    nearest = int(abs(value) + Fraction(1, 2))
    return nearest if value >= 0 else -nearest


def exact_total(weights):
    """Return the sum of ``weights`` as a Fraction, each read with six decimals."""
    scale = 10**WEIGHT_DIGITS
    scaled = np.rint(np.asarray(weights, dtype=np.float64) * scale)
    if scaled.size and np.abs(scaled).max() * scaled.size >= 2**53:
        total = sum(Fraction(str(weight)) for weight in np.asarray(weights).tolist())
        return Fraction(rounded(total * scale), scale)
    return Fraction(int(scaled.sum()), scale)


def integer_weights(weights):
    """Return ``weights`` as integers in the same proportion.

    Fractional quantities (hours, amounts) keep six decimals; whole numbers stay as they are.

    :param weights: sequence of non-negative numbers
    :return: numpy array, ``int64`` or ``object`` where int64 is too small
    :raises ValueError: a weight is negative or not a number
    """
    array = np.asarray(weights)
    if array.dtype.kind not in "iuf":
        return _integer_weights_exact(array)
    if array.size and not (np.isfinite(array).all() and (array >= 0).all()):
        raise ValueError("weights must be finite and not negative")
    if array.dtype.kind in "iu":
        fits = not array.size or int(array.max()) <= INT64_MAX
        return _reduced(array.astype(np.int64)) if fits else array.astype(object)
    scaled = array * 10**WEIGHT_DIGITS
    if array.size and scaled.max() >= 2**53:
        return _integer_weights_exact(array)
    return _reduced(np.rint(scaled).astype(np.int64))


def _reduced(array):
    """Divide by the greatest common divisor: same proportion, less overflow."""
    divisor = int(np.gcd.reduce(array)) if array.size else 0
    return array // divisor if divisor > 1 else array


def _integer_weights_exact(array):
    scale = 10**WEIGHT_DIGITS
    values = [Decimal(str(value)) for value in array.tolist()]
    if any(not value.is_finite() or value < 0 for value in values):
        raise ValueError("weights must be finite and not negative")
    result = np.empty(len(values), dtype=object)
    result[:] = [int((value * scale).to_integral_value(ROUND_HALF_UP)) for value in values]
    return result


def split(minor, weights):
    """Split ``minor`` units over ``weights`` by the largest remainder.

    :param minor: int, any sign; the split of ``-x`` mirrors the split of ``x``
    :param weights: non-negative numbers, in the order that settles ties
    :return: numpy array of ints in the order of ``weights``; its sum is ``minor``, or all zeros
        when the weights sum to zero
    :raises ValueError: a weight is negative or not a number
    """
    minor = int(minor)
    parts = integer_weights(weights)
    total = int(sum(parts.tolist()))
    if not total or not minor:
        return np.zeros(len(parts), dtype=np.int64)
    amount = abs(minor)
    if parts.dtype == object or amount * int(parts.max()) > INT64_MAX or total > INT64_MAX:
        shares = _split_exact(amount, parts.tolist(), total)
    else:
        shares = _split_int64(amount, parts, total)
    return shares if minor > 0 else -shares


def _split_int64(amount, parts, total):
    products = parts * amount
    shares = products // total
    left = amount - int(shares.sum())
    if left:
        remainders = products - shares * total
        shares[_largest(remainders, left)] += 1
    return shares


def _largest(remainders, count):
    """Positions of the ``count`` largest remainders, ties to the first position."""
    threshold = np.partition(remainders, len(remainders) - count)[len(remainders) - count]
    above = np.flatnonzero(remainders > threshold)
    ties = np.flatnonzero(remainders == threshold)[: count - len(above)]
    return np.concatenate([above, ties])


def _split_exact(amount, parts, total):
    quotients = [divmod(amount * part, total) for part in parts]
    shares = [quotient for quotient, _remainder in quotients]
    left = amount - sum(shares)
    order = sorted(range(len(parts)), key=lambda i: (-quotients[i][1], i))
    for position in order[:left]:
        shares[position] += 1
    return np.array(shares, dtype=np.int64 if amount <= INT64_MAX else object)


def split_by_percentages(minor, percentages):
    """Split ``minor`` over ``percentages``, keeping what they leave below 100.

    :param minor: int, any sign
    :param percentages: sequence of numbers >= 0 whose sum is at most 100
    :return: ``(shares, retained)``; ``shares.sum() + retained == minor``
    :raises ValueError: a percentage is negative or they exceed 100
    """
    exact = [Fraction(str(value)) for value in percentages]
    exact.append(100 - sum(exact))
    if exact[-1] < 0:
        raise ValueError("percentages exceed 100")
    scale = lcm(*(value.denominator for value in exact))
    shares = split(minor, [int(value * scale) for value in exact])
    return shares[:-1], int(shares[-1])


def round_together(values):
    """Round Fractions so that their sum, a whole number, is kept: by the largest remainder.

    :param values: sequence of Fractions of any sign, in the order that settles ties
    :return: list of ints
    """
    total = sum(values)
    if total < 0:
        return [-value for value in round_together([-value for value in values])]
    whole = [floor(value) for value in values]
    order = sorted(range(len(whole)), key=lambda place: whole[place] - values[place])
    for place in order[: int(total) - sum(whole)]:
        whole[place] += 1
    return whole


def consecutive_shares(minor, percentages):
    """Take percentages of one pool one after another, each rounded on the running total.

    A pool that several rules empty to exactly 100 % keeps no cent behind.

    :param minor: int, the pool, any sign
    :param percentages: share of each taker, in order; the running total may reach 100
    :return: list of ints, one per taker
    :raises ValueError: the running total passes 100 or a share is negative
    """
    taken, running, result = 0, Decimal(0), []
    for value in percentages:
        share = Decimal(str(value))
        running += share
        if share < 0 or running > 100:
            raise ValueError("shares exceed 100 %")
        upto = int((Decimal(minor) * running / 100).to_integral_value(ROUND_HALF_UP))
        result.append(upto - taken)
        taken = upto
    return result


def minor_text(minor, decimals):
    """Return ``minor`` minor units as exact decimal text, e.g. ``-5`` with 2 digits: -0.05."""
    digits = str(abs(int(minor))).rjust(decimals + 1, "0")
    text = f"{digits[:-decimals]}.{digits[-decimals:]}" if decimals else digits
    return f"-{text}" if minor < 0 else text
