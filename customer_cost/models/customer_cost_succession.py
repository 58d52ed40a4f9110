from collections import defaultdict

from odoo import api, fields, models
from odoo.tools import SQL

from ..fields import Many2oneUnchecked


class CustomerCostSuccession(models.Model):
    """Which customer took the figures of which other one, and when.

    The rows of runs follow a customer that is merged or becomes a contact; the frozen inputs of
    a run name it as it was. This leads from one to the other.
    """

    _name = "customer.cost.succession"
    _description = "Customer Succession"
    _log_access = False

    company_id = Many2oneUnchecked(
        "res.company", readonly=True, help="Of the customer; empty where all companies share it."
    )
    date = fields.Datetime(required=True, readonly=True, index=True)
    old_id = fields.Integer(required=True, readonly=True)
    new_id = fields.Integer(required=True, readonly=True)

    @api.model
    def _record(self, old_ids, new):
        """Customer ``new``, a partner, takes everything of the customers ``old_ids``."""
        self.env.cr.execute(
            SQL(
                """INSERT INTO customer_cost_succession (company_id, date, old_id, new_id)
                   SELECT %s, %s, unnest(%s::int[]), %s""",
                new.company_id.id or None,
                fields.Datetime.now(),
                list(old_ids),
                new.id,
            )
        )

    @api.model
    def _get_successors(self, since):
        """Return who holds now what customers were charged at ``since``: dict of id to id."""
        events = self.env.execute_query(
            SQL(
                """SELECT old_id, new_id FROM customer_cost_succession
                    WHERE date >= %s ORDER BY id""",
                since,
            )
        )
        successors, held = {}, defaultdict(set)
        for old, new in events:
            given = held.pop(old, set())
            if successors.get(old, old) == old:
                given.add(old)
            held[new] |= given
            successors.update(dict.fromkeys(given, new))
        return successors
