from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from .customer_cost_allocation import DETAIL_GROUPS


class CustomerCostEntrySource(models.Model):
    """The account a captured cost comes from, as its journal item has it today."""

    _inherit = "customer.cost.entry"

    source_account_id = fields.Many2one(
        "account.account",
        string="Account",
        compute="_compute_source_account_id",
        search="_search_source_account_id",
        groups=DETAIL_GROUPS,
        help="Empty for manual costs and where the journal item no longer exists.",
    )

    @api.depends("source_line_id")
    def _compute_source_account_id(self):
        # sudo: the account alone, of a cost the reader may see
        lines = self.env["account.move.line"].sudo()
        lines = lines.browse(filter(None, self.mapped("source_line_id"))).exists()
        accounts = {line.id: line.account_id.id for line in lines}
        for entry in self:
            entry.source_account_id = accounts.get(entry.source_line_id, False)

    @api.model
    def _search_source_account_id(self, operator, value):
        # a search method is not checked against the groups of its field
        self._check_field_access(self._fields["source_account_id"], "read")
        if operator != "in":
            return NotImplemented
        self.env["account.move.line"].flush_model(["account_id"])
        self.flush_model(["source_line_id"])
        accounts = [account for account in value if account]
        found = Domain.custom(
            to_sql=lambda model, alias, query: SQL(
                """EXISTS (SELECT FROM account_move_line source WHERE source.id = %s
                              AND source.account_id = ANY(%s))""",
                model._field_to_sql(alias, "source_line_id", query),
                accounts,
            )
        )
        if False not in value:
            return found
        return found | Domain.custom(
            to_sql=lambda model, alias, query: SQL(
                "NOT EXISTS (SELECT FROM account_move_line source WHERE source.id = %s)",
                model._field_to_sql(alias, "source_line_id", query),
            )
        )
