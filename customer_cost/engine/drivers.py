"""What happens to driver quantities that are zero, negative or mixed (worked example WE-07)."""

import numpy as np

REFUSE = "refuse"
ZERO = "zero"
ABSOLUTE = "absolute"
SHIFT = "shift"
POLICIES = (REFUSE, ZERO, ABSOLUTE, SHIFT)


class NegativeQuantities(ValueError):
    """A driver that refuses negative quantities met some; ``positions`` says where."""

    def __init__(self, positions):
        super().__init__("negative driver quantities")
        self.positions = positions


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
