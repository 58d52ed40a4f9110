"""What does not stand against a run and yet leaves cost where nobody receives it."""

from collections import defaultdict
from dataclasses import dataclass

UNSENT = "unsent"
NO_RECEIVER = "no_receiver"
NO_QUANTITY = "no_quantity"


@dataclass(frozen=True)
class RunWarning:
    """One thing to look at before computing.

    * ``unsent``: ``minor`` of ``item`` is covered by no rule
    * ``no_receiver``: nobody receives what ``rule`` sends
    * ``no_quantity``: the receivers of ``rule`` count nothing together
    """

    kind: str
    rule: int | None = None
    item: int | None = None
    minor: int = 0


def find_warnings(inputs):
    """Return every :class:`RunWarning` of ``inputs``: of pools by item, then of rules in order.

    :param inputs: :class:`~.run_data.Inputs`
    """
    unsent = defaultdict(int)
    for key, minor in inputs.pools.items():
        if not any(rule.covers(key) for rule in inputs.rules):
            unsent[key[0]] += minor
    warnings = [
        RunWarning(UNSENT, item=item, minor=minor)
        for item, minor in sorted(unsent.items())
        if minor
    ]
    for rule in inputs.rules:
        if rule.to_pools:
            continue
        if not len(rule.receivers.ids):
            warnings.append(RunWarning(NO_RECEIVER, rule.key))
        elif not rule.receivers.so_far and not rule.receivers.quantities.any():
            warnings.append(RunWarning(NO_QUANTITY, rule.key))
    return warnings
