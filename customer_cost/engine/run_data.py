"""What goes into a run and what comes out of it: plain values, no records.

Amounts are integers in minor units of the company's currency, cost positive. Keys of rules,
items, cost centres and customers are the database ids; a cost without a centre has centre 0.
"""

from dataclasses import dataclass, field, replace

import numpy as np

from .drivers import Blend, Weighed

VARIABLE = 0
FIXED = 1
PARTS = (VARIABLE, FIXED)

DIRECT = "direct"
STEP_DOWN = "step_down"
RECIPROCAL = "reciprocal"

BY_DRIVER = "driver"
BY_PERCENTAGE = "fixed"
EQUALLY = "equal"
BY_CAPACITY = "rate"
BY_FIXED_RATE = "predetermined"
MEASURED = (BY_CAPACITY, BY_FIXED_RATE)

REST_KEPT = "keep"
REST_ONWARD = "onward"
REST_CHARGED = "charge"


@dataclass(frozen=True)
class SoFar:
    """What only the run knows: what a customer was charged in the steps before the rule's.

    It is added to the receiver's quantity in currency units.
    """


@dataclass(frozen=True)
class Receivers:
    """Customers of a rule, in ascending id, with what each counts before the policy.

    Where a ``blend`` of drivers decides, the quantities only say who counts anything.
    """

    ids: np.ndarray
    quantities: np.ndarray
    policy: str = "refuse"
    so_far: SoFar | None = None
    blend: Blend | None = None

    def with_more(self, customers):
        """Return them with ``customers`` too, whose quantity is 0 where they had none."""
        ids = np.union1d(self.ids, np.array(customers, dtype=np.int64))
        quantities = np.zeros(len(ids))
        quantities[np.searchsorted(ids, self.ids)] = self.quantities
        return replace(self, ids=ids, quantities=quantities)


def no_receivers():
    """No customer at all: a rule to cost centres, or one that nobody fits."""
    return Receivers(np.zeros(0, dtype=np.int64), np.zeros(0))


@dataclass(frozen=True)
class RuleInput:
    """One rule as it holds for the period.

    A rule sends ``share`` per cent of each pool it covers, or ``amount`` minor units of them all
    together. Its receivers are customers, or the cost centres in ``centres_to`` with their weights:
    ``None`` where customers receive, empty where no centre has a weight in the period.

    * ``driver``, ``equal``: by the receivers' quantities
    * ``fixed``: the quantities are percentages; what they leave below 100 is retained
    * ``rate``: pool × quantity × ``standard`` ÷ ``capacity``; the rest is unused capacity
    * ``predetermined``: quantity × ``rate`` currency units; the rest is retained

    ``rest`` says what becomes of the rest of the last two: ``keep`` it on its own line, leave it
    in the pool for later rules (``onward``), or ``charge`` it by the quantities.
    ``settled`` is, by item, what earlier posted runs of the fiscal year gave to customers by this
    rule; it counts with ``carry``.
    """

    key: int
    items: frozenset
    method: str = BY_DRIVER
    centres: frozenset = frozenset()
    parts: tuple = PARTS
    share: float = 100.0
    amount: int | None = None
    charge_item: int | None = None
    full_cost: bool = False
    carry: bool = False
    settled: dict = field(default_factory=dict)
    receivers: Receivers = field(default_factory=no_receivers)
    centres_to: tuple | None = None
    standard: float = 1.0
    capacity: float = 0.0
    rate: float = 0.0
    rest: str = REST_KEPT
    terms: tuple = ()

    def covers(self, key):
        """Whether the rule sends the pool ``(item, centre, part)``."""
        item, centre, part = key
        return (
            item in self.items
            and part in self.parts
            and (not self.centres or centre in self.centres)
        )

    @property
    def to_pools(self):
        """Whether cost centres receive instead of customers."""
        return self.centres_to is not None


@dataclass(frozen=True)
class Inputs:
    """Everything that decides the result of a run.

    * ``pools``: the month's indirect cost by ``(item, centre, part)``
    * ``year``: the same from the first day of the fiscal year, with the transfers of earlier
      posted runs; empty where no rule carries forward
    * ``settled``: by item, what earlier posted runs of the fiscal year gave to customers or left
      as unused capacity
    * ``rules``: in their order
    * ``pool_method``: how pools serve each other: ``direct``, ``step_down`` or ``reciprocal``
    """

    decimals: int
    pools: dict
    rules: tuple
    year: dict = field(default_factory=dict)
    settled: dict = field(default_factory=dict)
    pool_method: str = STEP_DOWN


@dataclass(frozen=True)
class Transfer:
    """What one pool gave to another; both keys are ``(item, centre, part)``."""

    source: tuple
    target: tuple
    minor: int


@dataclass(frozen=True)
class Cell:
    """One item in one step: ``sent = received + retained + unused``.

    ``shares`` are the receivers' amounts and ``fixed_shares`` the fixed cost in them; ``charged``
    is the item they are charged as.
    """

    item: int
    charged: int
    sent: int
    shares: np.ndarray
    fixed_shares: np.ndarray
    retained: int = 0
    unused: int = 0

    def __post_init__(self):
        if self.received + self.retained + self.unused != self.sent:
            raise ArithmeticError(
                f"item {self.item}: {self.received} + {self.retained} + {self.unused} "
                f"!= {self.sent}"
            )

    @property
    def received(self):
        """What the receivers got together."""
        return int(self.shares.sum())

    @property
    def received_fixed(self):
        """Fixed cost in what the receivers got."""
        return int(self.fixed_shares.sum())


@dataclass(frozen=True)
class Step:
    """One rule carried out.

    * ``weighed``: what each of ``ids`` counted, after the policy, and what was noticed about it
    * ``missing``: how much of the rule's fixed amount the pools did not hold
    * ``rate``: currency units per unit of quantity that were charged, ``actual_rate`` what the
      pool costs per unit; ``capacity``, ``used`` quantities of a measured rule
    * ``transfers``: what cost centres got; such a step has no cells
    """

    rule: int
    cells: tuple = ()
    ids: np.ndarray = field(default_factory=lambda: no_receivers().ids)
    weighed: Weighed = field(default_factory=lambda: Weighed(no_receivers().quantities))
    transfers: tuple = ()
    carried: int = 0
    missing: int = 0
    rate: float = 0.0
    actual_rate: float = 0.0
    capacity: float = 0.0
    used: float = 0.0

    @property
    def weights(self):
        """What each receiver counted, after the policy."""
        return self.weighed.weights

    @property
    def total(self):
        """What all receivers count together."""
        return float(self.weights.sum())

    def sum(self, name):
        """Total of ``sent``, ``received``, ``retained`` or ``unused`` over the cells."""
        return sum(getattr(cell, name) for cell in self.cells)


@dataclass(frozen=True)
class Outcome:
    """What a run made of its inputs: a step per rule, and what no rule sent, by pool."""

    steps: tuple
    left: dict
    pool: int

    @property
    def carried(self):
        """What earlier months added to what was sent."""
        return sum(step.carried for step in self.steps)

    def __post_init__(self):
        sent = sum(step.sum("sent") for step in self.steps)
        if sent + sum(self.left.values()) != self.pool + self.carried:
            raise ArithmeticError(
                f"{sent} sent + {sum(self.left.values())} left != {self.pool} + {self.carried}"
            )


class RunError(ValueError):
    """The inputs cannot be computed; ``rules`` are the keys of the rules concerned."""

    def __init__(self, message, rules):
        super().__init__(message)
        self.rules = tuple(rules)


class NegativeReceivers(RunError):
    """A rule whose driver refuses negative quantities met some at ``positions``.

    ``driver`` is the part of a blend that did, None for the rule's own driver.
    """

    def __init__(self, rule, ids, quantities, positions, driver=None):
        super().__init__("negative driver quantities", [rule])
        self.driver = driver
        self.ids = ids
        self.quantities = quantities
        self.positions = positions


class Oversent(RunError):
    """Rules send more than all of ``item``: ``total`` per cent."""

    def __init__(self, item, rules, total):
        super().__init__("senders exceed 100 %", rules)
        self.item = item
        self.total = total


class ClosedLoop(RunError):
    """Pools that send everything only among themselves: ``centres``."""

    def __init__(self, rules, centres):
        super().__init__("closed loop of pools", rules)
        self.centres = centres


class NoCapacity(RunError):
    """A rule by capacity has none in the period."""

    def __init__(self, rule):
        super().__init__("no capacity", [rule])


class TermsUnfit(RunError):
    """Contract terms of the rule's customers claim more than it sends.

    ``claims`` are tuples of customer, kind of term and minor units; ``available`` minor units.
    """

    def __init__(self, rule, claims, available):
        super().__init__("terms claim more than the amount", [rule])
        self.claims = claims
        self.available = available
