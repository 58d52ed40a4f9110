import logging

from psycopg2 import Error as DatabaseError
from psycopg2.errors import SerializationFailure, UniqueViolation

from odoo import api, fields, models

from ..fields import Amount
from .customer_cost_policy import POLICY_KINDS

_logger = logging.getLogger(__name__)


class CustomerCostPolicyBreach(models.Model):
    """A policy that a cost did not keep: it passed with a warning, or was blocked.

    Written by the cost's own methods alone. Blocked attempts count once per cost, policy and day.
    """

    _name = "customer.cost.policy.breach"
    _description = "Policy Breach"
    _order = "date desc, id desc"
    _rec_name = "policy_id"

    entry_id = fields.Many2one(
        "customer.cost.entry",
        string="Cost",
        required=True,
        readonly=True,
        index=True,
        ondelete="cascade",
    )
    policy_id = fields.Many2one(
        "customer.cost.policy", required=True, readonly=True, index=True, ondelete="restrict"
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    kind = fields.Selection(POLICY_KINDS, string="Rule", required=True, readonly=True)
    level = fields.Selection(
        [("warn", "Passed with a warning"), ("block", "Blocked")],
        string="Outcome",
        required=True,
        readonly=True,
    )
    figure = Amount(
        aggregator=None,
        readonly=True,
        help="What the cost came to: company currency, or days for a late cost.",
    )
    limit = Amount(
        aggregator=None, readonly=True, help="What the policy allowed, as the figure counts."
    )
    message = fields.Char(readonly=True)
    date = fields.Date(string="Submitted On", required=True, readonly=True)
    user_id = fields.Many2one("res.users", string="Submitted By", required=True, readonly=True)
    customer_id = fields.Many2one("res.partner", readonly=True, index="btree_not_null")
    item_id = fields.Many2one(
        "customer.cost.item", string="Cost Item", required=True, readonly=True
    )

    _one_block_a_day = models.UniqueIndex("(entry_id, policy_id, date) WHERE level = 'block'")

    @api.model
    def _count_blocked(self, vals_list):
        """Count blocked attempts; of those of one cost, policy and day the last one stands.

        Where another transaction counts the same attempt at this moment, its count stands: the
        snapshot of this one does not see it, and the database refuses a second one.
        """
        try:
            with self.env.cr.savepoint():
                self._write_blocked(vals_list)
        except (SerializationFailure, UniqueViolation):
            if len(vals_list) > 1:
                for vals in vals_list:
                    self._count_blocked([vals])

    @api.model
    def _write_blocked(self, vals_list):
        known = {
            (row.entry_id.id, row.policy_id.id, row.date): row
            for row in self.search(
                [
                    ("entry_id", "in", [vals["entry_id"] for vals in vals_list]),
                    ("level", "=", "block"),
                ]
            )
        }
        fresh = []
        for vals in vals_list:
            row = known.get((vals["entry_id"], vals["policy_id"], vals["date"]))
            if row:
                row.write(vals)
            else:
                fresh.append(vals)
        self.create(fresh)

    @api.model
    def _count_blocked_after_rollback(self, vals_list):
        """Count blocked attempts although the message that says so undoes the transaction."""
        if not vals_list:
            return
        registry, uid = self.env.registry, self.env.uid

        @self.env.cr.postrollback.add
        def count():
            # The caller has had its answer: what cannot be counted must not become another one.
            try:
                with registry.cursor() as cr:
                    env = api.Environment(cr, uid, {}, su=True)
                    entries = env["customer.cost.entry"].browse(
                        [vals["entry_id"] for vals in vals_list]
                    )
                    kept = set(entries.exists().ids)
                    env[self._name]._count_blocked(
                        [vals for vals in vals_list if vals["entry_id"] in kept]
                    )
            except DatabaseError:
                _logger.warning("Blocked costs could not be counted.", exc_info=True)
