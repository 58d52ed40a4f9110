"""Pure arithmetic and rules: arrays and dataclasses in, arrays out; imports no odoo."""

from .allocation import Result, Sent, allocate, allocate_fixed
from .drivers import POLICIES, NegativeQuantities, apply_policy
from .proposals import COST, COST_OF_SALES, LEFT_OUT, SALES, Proposal, propose
from .rounding import (
    consecutive_shares,
    from_minor,
    integer_weights,
    minor_text,
    split,
    split_by_percentages,
    to_minor,
)
from .service_months import FULL_MONTH, months_between, spread, whole_within

__all__ = [
    "COST",
    "COST_OF_SALES",
    "LEFT_OUT",
    "FULL_MONTH",
    "POLICIES",
    "SALES",
    "NegativeQuantities",
    "Proposal",
    "Result",
    "Sent",
    "allocate",
    "allocate_fixed",
    "apply_policy",
    "consecutive_shares",
    "from_minor",
    "integer_weights",
    "minor_text",
    "propose",
    "months_between",
    "split",
    "split_by_percentages",
    "spread",
    "to_minor",
    "whole_within",
]
