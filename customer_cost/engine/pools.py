"""Pools while rules take from them."""

from decimal import Decimal
from fractions import Fraction

from .rounding import rounded


class Pool:
    """One pool of which rules take, one after another, shares or amounts.

    Shares are per cent of the pool, each rounded on the running total: rules that empty it to
    exactly 100 % keep no cent behind. An amount comes off first for whoever takes later: the
    shares that follow divide what it leaves.
    """

    def __init__(self, minor):
        self.left = minor
        self.base = minor
        self.drawn = 0
        self._start = self._running = Decimal(0)
        self._divided = minor
        self._taken = 0

    def take_share(self, share):
        """Take ``share`` per cent and return its minor units.

        :raises ValueError: together the shares pass 100 %
        """
        running = self._running + Decimal(str(share))
        if running > 100:
            raise ValueError("shares exceed 100 %")
        self._running = running
        if running == self._start:
            return 0
        part = Fraction(running - self._start) / Fraction(100 - self._start)
        upto = rounded(self._divided * part)
        taken = upto - self._taken
        self._taken = upto
        self.left -= taken
        return taken

    def take_amount(self, minor):
        """Take ``minor`` units, whatever the pool holds."""
        self.left -= minor
        self.base -= minor
        self._divide_rest()

    def draw(self, minor):
        """Take what a measured rule charges: the pool's cost per unit stays as it was."""
        self.left -= minor
        self.drawn += minor
        self._divide_rest()

    def _divide_rest(self):
        self._start = self._running
        self._divided = self.left
        self._taken = 0


def draw_together(minor, held):
    """Spread an amount over pools in proportion to the positive ones.

    :param minor: int, what is taken of them all
    :param held: dict of key to what each pool holds
    :return: dict of key to int; empty where no pool holds anything
    """
    positive = {key: value for key, value in sorted(held.items()) if value > 0}
    total = sum(positive.values())
    taken, upto, running = {}, 0, 0
    for key, value in positive.items():
        running += value
        target = rounded(Fraction(minor * running, total))
        taken[key] = target - upto
        upto = target
    return taken
