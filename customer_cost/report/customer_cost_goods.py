from odoo import fields, models
from odoo.tools import SQL

from ..fields import Amount
from ..models.account_move import SALES_TYPES


class CustomerCostGoods(models.Model):
    """Cost of sales as booked beside product cost as frozen on the invoices, by journal item."""

    _name = "customer.cost.goods"
    _description = "Cost of Sales by Product"
    _auto = False
    _rec_name = "product_id"
    _order = "date desc, id desc"

    company_id = fields.Many2one("res.company", readonly=True)
    date = fields.Date(readonly=True)
    move_id = fields.Many2one("account.move", string="Journal Entry", readonly=True)
    account_id = fields.Many2one("account.account", readonly=True)
    product_id = fields.Many2one("product.product", readonly=True)
    name = fields.Char(string="Label", readonly=True)
    quantity = fields.Float(readonly=True, aggregator=None)
    currency_id = fields.Many2one(related="company_id.currency_id")
    booked = Amount(readonly=True, help="Cost of sales in the books.")
    frozen = Amount(readonly=True, help="Product cost frozen on the invoice line.")
    difference = Amount(readonly=True, help="Booked less frozen.")

    _depends = {
        "account.move": ["company_id", "date", "move_type", "partner_id", "state"],
        "account.move.line": [
            "account_id",
            "balance",
            "customer_cost_amount",
            "date",
            "display_type",
            "move_id",
            "name",
            "product_id",
            "quantity",
        ],
    }

    @property
    def _table_query(self) -> SQL:
        tie_out = self.env["customer.cost.tie.out"]
        window = tie_out._get_window()
        return SQL(
            """WITH part AS MATERIALIZED (
                   SELECT id, amount AS booked, 0 AS frozen FROM (%(goods)s) goods
                UNION ALL
                   SELECT id, amount, 0 FROM (%(uncaptured)s) uncaptured
                    WHERE excluded = 'cost_of_sales'
                UNION ALL
                   SELECT l.id, 0, l.customer_cost_amount
                     FROM account_move m JOIN account_move_line l ON l.move_id = m.id
                    WHERE %(in_range)s AND m.state = 'posted' AND m.move_type IN %(types)s
                      AND m.partner_id IS NOT NULL AND l.display_type = 'product'
                      AND l.customer_cost_amount <> 0),
                    side AS MATERIALIZED (
                   SELECT id, sum(booked) AS booked, sum(frozen) AS frozen FROM part GROUP BY id)
               SELECT l.id, l.company_id, l.date, l.move_id, l.account_id, l.product_id, l.name,
                      l.quantity, side.booked, side.frozen, side.booked - side.frozen AS difference
                 FROM side JOIN account_move_line l ON l.id = side.id""",
            goods=tie_out._sql_goods_items(*window),
            uncaptured=tie_out._sql_uncaptured(*window),
            in_range=tie_out._sql_in_range(*window, "m"),
            types=SALES_TYPES,
        )

    def action_open_move(self):
        """Open the journal entry or the invoice."""
        self.ensure_one()
        return self.move_id.get_formview_action()
