from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL


class CustomerCostEntry(models.Model):
    """A request: approved money not yet in the books, until journal items settle it.

    What is settled is read from the journal items that name the request, and never stored.
    """

    _inherit = "customer.cost.entry"

    settlement_line_ids = fields.One2many(
        "account.move.line", "cost_request_id", string="Settled By", readonly=True
    )
    released_on = fields.Date(
        readonly=True, copy=False, help="Since then the rest is no commitment any more."
    )
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

    @api.depends("state", "kind", "amount_company", "released_on", "settlement_line_ids.balance")
    def _compute_settlement(self):
        amounts = self._read_settlement()
        for entry in self:
            entry.settled_amount, entry.drafted_amount = amounts.get(entry._origin.id, (0.0, 0.0))
            is_open = entry.kind == "request" and entry.state == "approved"
            rest = max(entry.amount_company - entry.settled_amount, 0.0)
            entry.open_amount = rest if is_open and not entry.released_on else 0.0

    def _read_settlement(self):
        """Amounts of posted and of draft journal items that name these requests.

        :return: dict of id to ``(posted, draft)``, company currency, positive as a cost is
        """
        self.env["account.move.line"].flush_model(["balance", "cost_request_id", "parent_state"])
        # The amounts alone, of requests that the reader may see; the documents stay behind rights.
        rows = self.env.execute_query(
            SQL(
                """SELECT cost_request_id,
                          COALESCE(sum(balance) FILTER (WHERE parent_state = 'posted'), 0)::float,
                          COALESCE(sum(balance) FILTER (WHERE parent_state = 'draft'), 0)::float
                     FROM account_move_line
                    WHERE cost_request_id = ANY(%s) GROUP BY 1""",
                self._origin.ids,
            )
        )
        return {request_id: amounts for request_id, *amounts in rows}

    def action_release(self):
        """Release what is open of approved requests: it is no commitment any more.

        :raises UserError: nothing of a request is open
        """
        self.check_access("write")
        for entry in self:
            if not entry.open_amount:
                raise UserError(
                    self.env._("%(request)s: nothing is open.", request=entry.display_name)
                )
        self._unguarded().write({"released_on": fields.Date.context_today(self)})
