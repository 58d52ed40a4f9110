from odoo import api, fields, models
from odoo.tools import SQL

from ..fields import Amount
from ..models.customer_cost_item import MANUAL_KINDS
from ..models.review_appointments import CUSTOMER_BILL_TYPES

# Rows of one cost or bill line at most: a service period has fewer months.
PLACES = 256


class CustomerCostCommitment(models.Model):
    """What is spoken for and not in the ledger yet, along a chain of documents once.

    One row per cost, and of a cost with a service period one per month, split as in the ledger.
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
    origin_date = fields.Date(
        string="Date of the Cost", readonly=True, help="Whatever months it serves."
    )
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
            "amount",
            "amount_company",
            "currency_id",
            "released_on",
            "service_from",
            "service_to",
        ],
        "account.move": ["state", "move_type", "company_id", "partner_id", "date"],
        "account.move.line": [
            "account_id",
            "amount_currency",
            "balance",
            "cost_customer_id",
            "cost_item_id",
            "cost_request_id",
            "cost_service_from",
            "cost_service_to",
            "currency_id",
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
            """SELECT e.id::bigint * 2 * %(places)s + m.place AS id, e.company_id, e.customer_id,
                      e.item_id, e.vendor_id, e.payment_method, %(day)s AS date,
                      e.date AS origin_date, e.kind, e.id AS entry_id, NULL::int AS move_id,
                      NULL::int AS move_line_id, %(month_amount)s AS amount
                 FROM customer_cost_entry e
                 JOIN res_company co ON co.id = e.company_id
                 JOIN res_currency currency ON currency.id = co.currency_id
           CROSS JOIN LATERAL (%(documents)s) documents
           CROSS JOIN LATERAL (
                   SELECT GREATEST(CASE WHEN e.released_on IS NULL
                                        THEN e.amount_company - documents.settled ELSE 0 END,
                                   documents.drafted, 0) AS amount) committed
           CROSS JOIN LATERAL (%(months)s) m
                WHERE (e.state = 'submitted' AND e.kind <> 'captured'
                       OR e.state = 'approved' AND e.kind = 'request')
                  AND e.reversal_of_id IS NULL AND committed.amount <> 0
                  AND %(month_amount)s <> 0""",
            documents=self.env["customer.cost.entry"]._sql_settlement(
                SQL("e.id"), SQL("currency.decimal_places")
            ),
            **self._sql_month(SQL("e"), SQL("committed.amount"), SQL("currency.decimal_places")),
        )

    @api.model
    def _sql_month(self, row, amount, digits):
        """What splits ``amount`` of ``row`` by service month, each on a day that is open."""
        capture = self.env["customer.cost.capture"]
        return {
            "places": PLACES,
            "months": capture._sql_service_months(row),
            "month_amount": capture._sql_month_amount(amount, digits),
            "day": SQL(
                "CASE WHEN %s.service_from IS NULL THEN m.service_date ELSE %s END",
                row,
                self.env["customer.cost.period"]._sql_first_open_day(
                    SQL("%s.company_id", row), SQL("m.service_date")
                ),
            ),
        }

    @api.model
    def _sql_bills(self) -> SQL:
        """Lines of draft bills that name a customer and no request, by the item they would get."""
        capture = self.env["customer.cost.capture"]
        return SQL(
            """(WITH candidate AS MATERIALIZED (%(candidates)s), classified AS (%(classified)s)
               SELECT (c.id::bigint * 2 + 1) * %(places)s + m.place, c.company_id,
                      p.commercial_partner_id, c.item_id, c.commercial_partner_id, NULL, %(day)s,
                      c.date, 'bill', NULL::int, c.move_id, c.id, %(month_amount)s
                 FROM classified c JOIN res_partner p ON p.id = c.cost_customer_id
           CROSS JOIN LATERAL (%(months)s) m
                WHERE c.item_id IS NOT NULL AND c.balance <> 0 AND %(month_amount)s <> 0)""",
            candidates=capture._sql_candidates(
                SQL("m.state = 'draft' AND m.move_type IN %s", CUSTOMER_BILL_TYPES),
                SQL(
                    "l.cost_customer_id IS NOT NULL AND l.cost_request_id IS NULL "
                    "AND l.display_type = 'product'"
                ),
                since_start=False,
                posted=False,
            ),
            classified=capture._sql_classified(follow=False),
            **self._sql_month(SQL("c"), SQL("c.balance"), SQL("c.digits")),
        )
