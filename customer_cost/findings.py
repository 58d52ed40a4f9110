from typing import NamedTuple

from odoo import models

# From the mildest to the strictest: the strictest answer wins.
LEVELS = ("warn", "review", "block")
# In the context, compared with `is`: costs of a batch are looked at each for itself.
EACH_ALONE = object()


class Finding(NamedTuple):
    """What a policy, a budget or a customer's own limit says of a cost before it is approved."""

    level: str
    """``warn`` lets it pass, ``review`` asks for one more stage, ``block`` refuses it."""
    message: str
    """Rule and figure, translated."""
    source: models.BaseModel
    """The policy, budget band or customer whose limit it is."""
    stage: models.BaseModel | None = None
    """With ``review``: the stage that is asked for."""
