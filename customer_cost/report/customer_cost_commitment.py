from odoo import api, fields, models
from odoo.tools import SQL

from ..fields import Amount
from ..models.customer_cost_item import MANUAL_KINDS
from .row_id import sql_row_id


class CustomerCostCommitment(models.Model):
    """What is spoken for and not in the ledger yet, along a chain of documents once.

    One row per cost, and of a cost with a service period one per month, split as in the ledger.
    Submitted costs, what is open of approved requests (or what draft documents already ask of
    them, where that is more), and what draft vendor bills will cost customers when they are posted,
    tax that is not recovered included. What settles a request of a customer counts with the
    request; of one without customer, what the bill costs customers counts with the bill.
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
        "account.analytic.account": ["partner_id", "root_plan_id"],
        "account.move.line": [
            "account_id",
            "amount_currency",
            "analytic_distribution",
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
        "res.company": ["customer_cost_plan_id"],
    }

    @property
    def _table_query(self) -> SQL:
        return SQL(
            "WITH bill AS MATERIALIZED (%s) %s UNION ALL %s",
            self.env["customer.cost.capture"]._sql_draft_costs(SQL("TRUE")),
            self._sql_entries(
                SQL(
                    """SELECT sum(bill.amount) FROM bill
                         JOIN account_move_line l ON l.id = bill.id
                        WHERE l.cost_request_id = e.id AND e.customer_id IS NULL"""
                )
            ),
            self._sql_bills(SQL("SELECT * FROM bill")),
        )

    @api.model
    def _sql_of_customers(self, company_ids, customer_ids) -> SQL:
        """What budgets and limits read of the commitments of these customers.

        Draft bills are read beforehand, those alone that may cost the customers: mostly there are
        none, and a statement without them is planned in a fraction of the time. The caller has
        flushed what commitments depend on.
        """
        names = ("company_id", "customer_id", "item_id", "payment_method", "date", "origin_date")
        columns = SQL(", ").join(map(SQL.identifier, (*names, "amount")))
        entries = SQL(
            "SELECT %s FROM (%s) entry WHERE customer_id = ANY(%s)",
            columns,
            self._sql_entries(),
            customer_ids,
        )
        move_ids = self.env["customer.cost.capture"]._find_draft_bills(company_ids, customer_ids)
        if not move_ids:
            return entries
        # No rights here: the caller says what is shown of the costs of these customers.
        bills = self.env.execute_query(
            SQL(
                "SELECT %s FROM %s bill WHERE customer_id = ANY(%s)",
                columns,
                self._sql_bills_of(move_ids),
                customer_ids,
            )
        )
        if not bills:
            return entries
        return SQL(
            """%s UNION ALL SELECT * FROM unnest(%s::int[], %s::int[], %s::int[], %s::varchar[],
                      %s::date[], %s::date[], %s::numeric[])""",
            entries,
            *map(list, zip(*bills, strict=True)),
        )

    @api.model
    def _sql_bills_of(self, move_ids) -> SQL:
        """Commitments of these vendor bills, as far as they are drafts."""
        capture = self.env["customer.cost.capture"]
        return self._sql_bills(
            capture._sql_draft_costs(
                SQL("m.id = ANY(%s)", move_ids), follow=capture._is_followed(move_ids)
            )
        )

    @api.model
    def _sql_entries(self, elsewhere=None) -> SQL:
        """Submitted costs and unsettled requests; a draft document counts within its request.

        :param elsewhere: what of cost ``e`` counts with draft bills, one amount
        """
        return SQL(
            """SELECT %(id)s AS id, e.company_id, e.customer_id,
                      e.item_id, e.vendor_id, e.payment_method, %(day)s AS date,
                      e.date AS origin_date, e.kind, e.id AS entry_id, NULL::int AS move_id,
                      NULL::int AS move_line_id, %(month_amount)s AS amount
                 FROM customer_cost_entry e
                 JOIN res_company co ON co.id = e.company_id
                 JOIN res_currency currency ON currency.id = co.currency_id
           CROSS JOIN LATERAL (%(documents)s) documents
           CROSS JOIN LATERAL (
                   SELECT GREATEST(
                          GREATEST(CASE WHEN e.released_on IS NULL
                                        THEN e.amount_company - documents.settled ELSE 0 END,
                                   documents.drafted) - %(elsewhere)s, 0) AS amount) committed
           CROSS JOIN LATERAL (%(months)s) m
                WHERE (e.state = 'submitted' AND e.kind <> 'captured'
                       OR e.state = 'approved' AND e.kind = 'request')
                  AND e.reversal_of_id IS NULL AND committed.amount <> 0
                  AND %(month_amount)s <> 0""",
            id=sql_row_id(SQL("2 * e.id"), SQL("m.place")),
            documents=self.env["customer.cost.entry"]._sql_settlement(
                SQL("e.id"), SQL("currency.decimal_places")
            ),
            elsewhere=SQL("COALESCE((%s), 0)", elsewhere) if elsewhere else SQL("0"),
            **self._sql_month(SQL("e"), SQL("committed.amount"), SQL("currency.decimal_places")),
        )

    @api.model
    def _sql_month(self, row, amount, digits):
        """What splits ``amount`` of ``row`` by service month, each on a day that is open."""
        capture = self.env["customer.cost.capture"]
        return {
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
    def _sql_bills(self, costs) -> SQL:
        """What lines of draft bills will be captured as, on the day on which it would count.

        :param costs: rows of ``customer.cost.capture._sql_draft_costs``
        """
        return SQL(
            """(SELECT %(id)s AS id, c.company_id, c.customer_id, c.item_id,
                      vendor.commercial_partner_id AS vendor_id, NULL::varchar AS payment_method,
                      %(day)s AS date, c.date AS origin_date, 'bill' AS kind,
                      NULL::int AS entry_id, c.move_id, c.id AS move_line_id, c.amount
                 FROM (SELECT *, row_number() OVER (
                              PARTITION BY id
                                  ORDER BY service_date, customer_id, item_id, amount) AS place
                         FROM (%(costs)s) cost) c
            LEFT JOIN res_partner vendor ON vendor.id = c.partner_id)""",
            id=sql_row_id(SQL("2 * c.id + 1"), SQL("c.place")),
            day=self.env["customer.cost.period"]._sql_first_open_day(
                SQL("c.company_id"), SQL("c.service_date")
            ),
            costs=costs,
        )
