from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL, format_date, formatLang

from .review_appointments import BOOK_GROUPS

SETTLEMENT_STATES = [
    ("none", "Not approved"),
    ("open", "Open"),
    ("partly", "Partly settled"),
    ("settled", "Settled"),
    ("released", "Released"),
]
OPEN_STATES = ("open", "partly")
AGE_OPERATORS = {">": "<", ">=": "<=", "<": ">", "<=": ">="}


class CustomerCostEntry(models.Model):
    """A request: approved money not yet in the books, until journal items settle it.

    What is settled is read from the journal items that name the request, and never stored.
    """

    _inherit = "customer.cost.entry"

    settlement_line_ids = fields.One2many(
        "account.move.line",
        "cost_request_id",
        string="Settled By",
        readonly=True,
        groups=BOOK_GROUPS,
    )
    approved_on = fields.Date(readonly=True, copy=False)
    released_on = fields.Date(
        readonly=True,
        copy=False,
        tracking=True,
        help="Since then the rest is no commitment any more.",
    )
    release_reason = fields.Char(readonly=True, copy=False, tracking=True)
    settled_amount = fields.Monetary(
        string="Settled",
        currency_field="company_currency_id",
        compute="_compute_settlement",
        help="Posted journal items that name this request, company currency.",
    )
    drafted_amount = fields.Monetary(
        string="In Draft Documents",
        currency_field="company_currency_id",
        compute="_compute_settlement",
        help="Draft journal items that name this request, company currency.",
    )
    open_amount = fields.Monetary(
        string="Open",
        currency_field="company_currency_id",
        compute="_compute_settlement",
        help="What is approved and neither settled nor released, company currency.",
    )
    settlement_state = fields.Selection(
        SETTLEMENT_STATES,
        string="Settlement",
        compute="_compute_settlement",
        search="_search_settlement_state",
    )
    open_days = fields.Integer(
        string="Age (Days)",
        compute="_compute_open_days",
        search="_search_open_days",
        help="Days since the approval of a request that is not settled.",
    )

    _request_idx = models.Index("(customer_id, vendor_id) WHERE kind = 'request'")

    # ------------------------------------------------------------
    # Computes
    # ------------------------------------------------------------

    @api.depends(
        "state",
        "kind",
        "amount_company",
        "released_on",
        "settlement_line_ids.amount_currency",
        "settlement_line_ids.balance",
        "settlement_line_ids.parent_state",
    )
    def _compute_settlement(self):
        amounts = self._read_settlement()
        for entry in self:
            entry.settled_amount, entry.drafted_amount = amounts.get(entry._origin.id, (0.0, 0.0))
            is_open = entry.kind == "request" and entry.state == "approved"
            rest = max(entry.amount_company - entry.settled_amount, 0.0)
            entry.open_amount = rest if is_open and not entry.released_on else 0.0
            if not is_open:
                entry.settlement_state = "none"
            elif entry.released_on:
                entry.settlement_state = "released"
            elif entry.company_currency_id.is_zero(rest):
                entry.settlement_state = "settled"
            elif entry.company_currency_id.is_zero(entry.settled_amount):
                entry.settlement_state = "open"
            else:
                entry.settlement_state = "partly"

    @api.depends("approved_on", "settlement_state")
    def _compute_open_days(self):
        today = fields.Date.context_today(self)
        for entry in self:
            waits = entry.settlement_state in OPEN_STATES and entry.approved_on
            entry.open_days = (today - entry.approved_on).days if waits else 0

    def _read_settlement(self, without=(), rounded=True):
        """Amounts of posted and of draft documents that name these requests.

        :param without: ids of journal entries that are not looked at
        :param rounded: to the cents of the currency, else as it is to be added to
        :return: dict of id to ``(posted, draft)``, company currency, positive as a cost is
        """
        self._flush_settlement()
        # The amounts alone, of requests that the reader may see; the documents stay behind rights.
        rows = self.env.execute_query(
            SQL(
                """SELECT request_id, settled::float, drafted::float
                     FROM unnest(%s::int[]) request(request_id)
               CROSS JOIN LATERAL (%s) documents""",
                self._origin.ids,
                self._sql_settlement(
                    SQL("request.request_id"), None if rounded else SQL("9"), without
                ),
            )
        )
        return {request_id: amounts for request_id, *amounts in rows}

    @api.model
    def _flush_settlement(self):
        self.flush_model(["amount", "amount_company", "currency_id", "company_id"])
        self.env["account.move.line"].flush_model(
            ["amount_currency", "balance", "cost_request_id", "currency_id", "parent_state"]
        )
        self.env["account.move"].flush_model(["state"])

    @api.model
    def _sql_settling_documents(self) -> SQL:
        """Rows of ``request_id, move_id, state, amount``: what names a request.

        Other documents that settle requests join by overriding, one row for each amount that no
        journal item holds yet; ``state`` is posted or draft, ``amount`` company currency, not
        rounded. In its own currency a request is settled at its own rate, whatever the document's.
        """
        return SQL(
            """SELECT l.cost_request_id AS request_id, l.move_id, l.parent_state AS state,
                      CASE WHEN l.currency_id = r.currency_id AND r.amount <> 0
                                AND l.currency_id <> l.company_currency_id
                           THEN r.amount_company * l.amount_currency / r.amount
                           ELSE l.balance END AS amount
                 FROM account_move_line l
                 JOIN customer_cost_entry r ON r.id = l.cost_request_id"""
        )

    @api.model
    def _sql_settlement(self, request, digits=None, without=()) -> SQL:
        """One row of ``settled, drafted`` of ``request``, the SQL of an id.

        Both add up to their rounded sum, as a request that is settled in parts does.

        :param digits: SQL of the digits of the company currency, where the query has them
        :param without: ids of journal entries that are not looked at
        """
        return SQL(
            """SELECT round(COALESCE(sum(amount) FILTER (WHERE state = 'posted'), 0), %(digits)s)
                          AS settled,
                      round(COALESCE(sum(amount) FILTER (WHERE state IN ('draft', 'posted')), 0),
                            %(digits)s)
                      - round(COALESCE(sum(amount) FILTER (WHERE state = 'posted'), 0), %(digits)s)
                          AS drafted
                 FROM (%(documents)s) documents
                WHERE request_id = %(request)s AND %(condition)s""",
            digits=digits or self._sql_digits(request),
            documents=self._sql_settling_documents(),
            request=request,
            condition=SQL("(move_id = ANY(%s)) IS NOT TRUE", list(without))
            if without
            else SQL("TRUE"),
        )

    @api.model
    def _sql_digits(self, request) -> SQL:
        return SQL(
            """(SELECT c.decimal_places FROM customer_cost_entry x
                  JOIN res_company o ON o.id = x.company_id
                  JOIN res_currency c ON c.id = o.currency_id WHERE x.id = %s)""",
            request,
        )

    def _get_worth(self, lines):
        """What ``lines`` settle of this request, as :meth:`_sql_settling_documents` has it."""
        self.ensure_one()
        own_rate = self.amount and self.currency_id != self.company_currency_id
        return sum(
            self.amount_company * line.amount_currency / self.amount
            if own_rate and line.currency_id == self.currency_id
            else line.balance
            for line in lines
        )

    @api.model
    def _search_settlement_state(self, operator, value):
        if operator != "in":
            return NotImplemented
        self._flush_settlement()

        def to_sql(model, alias, query):
            column = {
                name: model._field_to_sql(alias, name, query)
                for name in ("id", "kind", "state", "released_on", "amount_company")
            }
            return SQL(
                """CASE WHEN %(kind)s <> 'request' OR %(state)s <> 'approved' THEN 'none'
                        WHEN %(released_on)s IS NOT NULL THEN 'released'
                        ELSE (SELECT CASE WHEN settled >= %(amount_company)s THEN 'settled'
                                          WHEN settled = 0 THEN 'open' ELSE 'partly' END
                                FROM (%(settlement)s) settlement)
                   END = ANY(%(value)s)""",
                settlement=self._sql_settlement(column["id"]),
                value=[state for state in value if state],
                **column,
            )

        found = Domain.custom(to_sql=to_sql)
        if "none" in value:
            return found
        return Domain([("kind", "=", "request"), ("state", "=", "approved")]) & found

    @api.model
    def _search_open_days(self, operator, value):
        if operator not in AGE_OPERATORS:
            return NotImplemented
        day = fields.Date.subtract(fields.Date.context_today(self), days=int(value))
        return Domain("settlement_state", "in", OPEN_STATES) & Domain(
            "approved_on", AGE_OPERATORS[operator], day
        )

    def write(self, vals):
        if vals.get("state") == "approved" and self._guard_is_open():
            vals = {**vals, "approved_on": fields.Date.context_today(self)}
        return super().write(vals)

    # ------------------------------------------------------------
    # Release
    # ------------------------------------------------------------

    def action_ask_release(self):
        """Open the dialog that asks why the rest is released.

        :raises UserError: nothing of a request is open
        """
        self._check_releasable()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Release the Rest"),
            "res_model": "customer.cost.release",
            "view_mode": "form",
            "target": "new",
            "context": {"default_entry_ids": [fields.Command.set(self.ids)]},
        }

    def _release(self, reason):
        """Release what is open of approved requests: it is no commitment any more.

        :raises UserError: nothing of a request is open
        """
        self._check_releasable()
        self._unguarded().write(
            {"released_on": fields.Date.context_today(self), "release_reason": reason}
        )
        self._close_reminders()

    def _check_releasable(self):
        self.check_access("write")
        for entry in self:
            if not entry.open_amount:
                raise UserError(
                    self.env._("%(request)s: nothing is open.", request=entry.display_name)
                )

    # ------------------------------------------------------------
    # Settlement
    # ------------------------------------------------------------

    def _get_settlement_problem(self):
        """Return why a document cannot settle this request, or ``False``."""
        self.ensure_one()
        names = {"request": self.display_name}
        if self.kind != "request":
            return self.env._("%(request)s is no request.", **names)
        if self.state != "approved":
            return self.env._("%(request)s is not approved.", **names)
        if self.released_on:
            return self.env._(
                "%(request)s was released on %(day)s. Ask for a new request.",
                day=format_date(self.env, self.released_on),
                **names,
            )
        if self.settlement_state == "settled":
            return self.env._(
                "%(request)s is settled in full: %(settled)s of %(approved)s. Leave the request "
                "empty, or ask for a new one.",
                settled=self._format_company(self.settled_amount),
                approved=self._format_company(self.amount_company),
                **names,
            )
        return False

    def _get_excess_message(self, posted, drafted):
        """What to say where documents ask for more than approved, or ``False``.

        :param posted: of posted documents, company currency
        :param drafted: of draft documents, company currency
        """
        self.ensure_one()
        excess = posted + drafted - self.amount_company
        if self.company_currency_id.compare_amounts(excess, 0.0) <= 0:
            return False
        return self.env._(
            "%(request)s: approved %(approved)s, posted %(posted)s, in draft documents "
            "%(drafted)s. %(excess)s above the request counts as cost beyond it.",
            request=self.display_name,
            approved=self._format_company(self.amount_company),
            posted=self._format_company(posted),
            drafted=self._format_company(drafted),
            excess=self._format_company(excess),
        )

    def _format_company(self, amount):
        return formatLang(self.env, amount, currency_obj=self.company_currency_id)

    def _hold(self):
        """Make those who settle the same requests at once come one after the other.

        Odoo retries the loser of the two, who then sees what the winner settled.
        """
        self.env.cr.execute(
            SQL(
                """WITH held AS MATERIALIZED (
                       SELECT id FROM customer_cost_entry WHERE id = ANY(%s) ORDER BY id FOR UPDATE)
                   UPDATE customer_cost_entry e SET released_on = released_on
                     FROM held WHERE held.id = e.id""",
                self.ids,
            )
        )

    def _follow_settlement(self):
        """Close reminders of what is settled now, and note where it is more than approved."""
        # sudo: reminders and notes of requests that whoever posts need not be able to read
        requests = self.sudo()
        requests.filtered(lambda entry: entry.settlement_state == "settled")._close_reminders()
        for entry in requests:
            message = entry._get_excess_message(entry.settled_amount, 0.0)
            if message:
                entry.message_post(body=message)
