from odoo import api, models
from odoo.tools import SQL

from ..fields import KnownAmount, Ratio
from ..models.account_move_line_product_cost import COST_READERS


class AccountInvoiceReport(models.Model):
    """Product cost and margin as frozen on the invoice lines; core's use today's cost."""

    _inherit = "account.invoice.report"

    customer_cost_amount = KnownAmount(string="Product Cost", readonly=True, groups=COST_READERS)
    customer_cost_sales = KnownAmount(
        string="Sales with Known Cost",
        readonly=True,
        groups=COST_READERS,
        help="Untaxed amount of the lines whose product cost is known.",
    )
    customer_cost_margin = KnownAmount(
        string="Margin on Known Cost",
        readonly=True,
        groups=COST_READERS,
        help="Untaxed amount less product cost, of the lines whose product cost is known.",
    )
    customer_cost_margin_pct = Ratio(
        string="Margin on Known Cost %",
        digits=(16, 2),
        readonly=True,
        aggregator="avg",
        groups=COST_READERS,
    )

    _depends = {"account.move.line": ["customer_cost_amount"]}

    @api.model
    def _select(self) -> SQL:
        return SQL(
            """%s, line.customer_cost_amount * account_currency_table.rate AS customer_cost_amount,
               CASE WHEN line.customer_cost_amount IS NOT NULL
                    THEN -line.balance * account_currency_table.rate END AS customer_cost_sales,
               (-line.balance - line.customer_cost_amount) * account_currency_table.rate
                    AS customer_cost_margin,
               CASE WHEN line.balance < 0
                    THEN 100 * (line.balance + line.customer_cost_amount) / line.balance END
                    AS customer_cost_margin_pct""",
            super()._select(),
        )

    def _read_group_select(self, aggregate_spec, query) -> SQL:
        """The margin of a group is sum over sum, empty where its sales are zero or less."""
        name, _separator, _function = aggregate_spec.partition(":")
        if name != "customer_cost_margin_pct":
            return super()._read_group_select(aggregate_spec, query)
        self._check_field_access(self._fields[name], "read")
        return SQL(
            "CASE WHEN SUM(%(sales)s) > 0 THEN 100 * SUM(%(margin)s) / SUM(%(sales)s) END",
            sales=self._field_to_sql(self._table, "customer_cost_sales", query),
            margin=self._field_to_sql(self._table, "customer_cost_margin", query),
        )
