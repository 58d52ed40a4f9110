"""Pure allocation arithmetic: arrays and dataclasses in, arrays out; imports no odoo."""

from .allocation import Result, Sent, allocate, allocate_fixed
from .drivers import POLICIES, NegativeQuantities, apply_policy
from .rounding import (
    consecutive_shares,
    from_minor,
    integer_weights,
    minor_text,
    split,
    split_by_percentages,
    to_minor,
)
from .service_months import FULL_MONTH, months_between, spread

__all__ = [
    "FULL_MONTH",
    "POLICIES",
    "NegativeQuantities",
    "Result",
    "Sent",
    "allocate",
    "allocate_fixed",
    "apply_policy",
    "consecutive_shares",
    "from_minor",
    "integer_weights",
    "minor_text",
    "months_between",
    "split",
    "split_by_percentages",
    "spread",
    "to_minor",
]
