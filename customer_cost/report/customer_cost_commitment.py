from odoo import api, fields, models
from odoo.tools import SQL

from ..fields import Amount
from ..models.customer_cost_item import MANUAL_KINDS

BILL_TYPES = ("in_invoice", "in_refund", "in_receipt")


class CustomerCostCommitment(models.Model):
    """What is spoken for and not in the ledger yet: one row per cost, along a chain one only.

    Submitted costs, what is open of approved requests (or what draft documents already ask of
    them, where that is more), and lines of draft vendor bills that name a customer and no request.
    """

    _name = "customer.cost.commitment"
    _description = "Commitment"
    _auto = False
    _order = "date, id"
    _rec_name = "entry_id"

    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    customer_id = fields.Many2one("res.partner", readonly=True)
    item_id = fields.Many2one("customer.cost.item", string="Cost Item", readonly=True)
    vendor_id = fields.Many2one("res.partner", readonly=True)
    payment_method = fields.Char(readonly=True)
    date = fields.Date(readonly=True)
    kind = fields.Selection(
        [*MANUAL_KINDS, ("bill", "Draft bill")], readonly=True, help="What the money is asked by."
    )
    entry_id = fields.Many2one("customer.cost.entry", string="Cost", readonly=True)
    move_id = fields.Many2one("account.move", string="Draft Bill", readonly=True)
    move_line_id = fields.Many2one("account.move.line", readonly=True)
    amount = Amount(readonly=True)

    _depends = {
        "customer.cost.entry": [
            "kind",
            "state",
            "company_id",
            "customer_id",
            "item_id",
            "vendor_id",
            "payment_method",
            "date",
            "amount_company",
            "released_on",
        ],
        "account.move": ["state", "move_type", "company_id", "partner_id", "date"],
        "account.move.line": [
            "account_id",
            "balance",
            "cost_customer_id",
            "cost_item_id",
            "cost_request_id",
            "display_type",
            "parent_state",
        ],
        "customer.cost.account.map": ["account_id", "item_id", "active"],
    }

    @property
    def _table_query(self) -> SQL:
        return SQL("%s UNION ALL %s", self._sql_entries(), self._sql_bills())

    @api.model
    def _sql_entries(self) -> SQL:
        """Submitted costs and unsettled requests; a draft document counts within its request."""
        return SQL(
            """SELECT e.id::bigint * 2 AS id, e.company_id, e.customer_id, e.item_id, e.vendor_id,
                      e.payment_method, e.date, e.kind, e.id AS entry_id, NULL::int AS move_id,
                      NULL::int AS move_line_id, committed.amount
                 FROM customer_cost_entry e
           CROSS JOIN LATERAL (%s) documents
           CROSS JOIN LATERAL (
                   SELECT GREATEST(CASE WHEN e.released_on IS NULL
                                        THEN e.amount_company - documents.settled ELSE 0 END,
                                   documents.drafted, 0) AS amount) committed
                WHERE (e.state = 'submitted' AND e.kind <> 'captured'
                       OR e.state = 'approved' AND e.kind = 'request')
                  AND e.reversal_of_id IS NULL AND committed.amount <> 0""",
            self.env["customer.cost.entry"]._sql_settlement(SQL("e.id")),
        )

    @api.model
    def _sql_bills(self) -> SQL:
        """Lines of draft bills that name a customer and no request, by the item they would get."""
        capture = self.env["customer.cost.capture"]
        return SQL(
            """(WITH candidate AS MATERIALIZED (%(candidates)s), classified AS (%(classified)s)
               SELECT c.id::bigint * 2 + 1, c.company_id, p.commercial_partner_id, c.item_id,
                      c.commercial_partner_id, NULL, c.date, 'bill', NULL::int, c.move_id, c.id,
                      c.balance
                 FROM classified c JOIN res_partner p ON p.id = c.cost_customer_id
                WHERE c.item_id IS NOT NULL AND c.balance <> 0)""",
            candidates=capture._sql_candidates(
                SQL("m.state = 'draft' AND m.move_type IN %s", BILL_TYPES),
                SQL(
                    "l.cost_customer_id IS NOT NULL AND l.cost_request_id IS NULL "
                    "AND l.display_type = 'product'"
                ),
                since_start=False,
                posted=False,
            ),
            classified=capture._sql_classified(follow=False),
        )
