"""One step of a run: a pool sent to receivers, exact and conserved."""

from dataclasses import dataclass

import numpy as np

from .rounding import split, split_by_percentages


@dataclass(frozen=True)
class Sent:
    """One cell of a pool that a rule sends: its key and its minor units."""

    key: object
    minor: int


@dataclass(frozen=True)
class Result:
    """What one cell became: ``shares`` per receiver and what was ``retained``."""

    key: object
    minor: int
    shares: np.ndarray
    retained: int

    def __post_init__(self):
        if int(self.shares.sum()) + self.retained != self.minor:
            raise ArithmeticError(
                f"cell {self.key}: {int(self.shares.sum())} + {self.retained} != {self.minor}"
            )


def allocate(cells, weights):
    """Send every cell to the receivers in proportion to ``weights``.

    :param cells: iterable of :class:`Sent`
    :param weights: non-negative numbers per receiver, receivers in ascending id
    :return: list of :class:`Result`; a zero total of weights retains the whole cell
    :raises ValueError: a weight is negative
    """
    results = []
    for cell in cells:
        shares = split(cell.minor, weights)
        results.append(Result(cell.key, cell.minor, shares, cell.minor - int(shares.sum())))
    return results


def allocate_fixed(cells, percentages):
    """Send every cell by fixed percentages; what they leave below 100 is retained.

    :param cells: iterable of :class:`Sent`
    :param percentages: per receiver, receivers in ascending id, sum at most 100
    :return: list of :class:`Result`
    :raises ValueError: the percentages exceed 100
    """
    results = []
    for cell in cells:
        shares, retained = split_by_percentages(cell.minor, percentages)
        results.append(Result(cell.key, cell.minor, shares, retained))
    return results
