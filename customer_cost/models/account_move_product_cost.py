from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ..fields import KnownAmount, Ratio
from .account_move import SALES_TYPES
from .account_move_line_product_cost import COST_READERS

FIGURES = (
    "customer_cost_total",
    "customer_cost_margin",
    "customer_cost_margin_pct",
    "customer_cost_unknown_count",
)
COMPARISONS = {"<": SQL("<"), "<=": SQL("<="), ">": SQL(">"), ">=": SQL(">=")}


class AccountMove(models.Model):
    """Product cost and margin of a customer invoice, from the cost frozen on its lines."""

    _inherit = "account.move"

    customer_cost_total = KnownAmount(
        string="Product Cost",
        compute="_compute_customer_cost",
        search="_search_customer_cost_total",
        groups=COST_READERS,
        help="Product cost of the invoice in company currency, negative on credit notes. "
        "Empty where no line's cost is known.",
    )
    customer_cost_margin = KnownAmount(
        string="Margin",
        compute="_compute_customer_cost",
        search="_search_customer_cost_margin",
        groups=COST_READERS,
        help="Net amount less product cost, in company currency; empty while the cost of a line "
        "is unknown.",
    )
    customer_cost_margin_pct = Ratio(
        string="Margin %",
        digits=(16, 2),
        compute="_compute_customer_cost",
        search="_search_customer_cost_margin_pct",
        groups=COST_READERS,
    )
    customer_cost_unknown_count = fields.Integer(
        string="Lines with Unknown Cost",
        compute="_compute_customer_cost",
        search="_search_customer_cost_unknown_count",
        groups=COST_READERS,
    )

    @api.depends("move_type", "state")
    def _compute_customer_cost(self):
        """Figures of every posted customer invoice, one query for all of them."""
        sales = self.filtered(lambda move: move.state == "posted" and move.move_type in SALES_TYPES)
        groups = self.env["account.move.line"]._read_group(
            [("move_id", "in", sales._origin.ids), ("display_type", "=", "product")],
            ["move_id", "customer_cost_source"],
            ["__count", "balance:sum", "customer_cost_amount:sum"],
        )
        found = {}
        for move, source, count, balance, cost in groups:
            unknown = source in (False, "unknown")
            found.setdefault(move.id, []).append((unknown, count, balance, cost))
        for move in self:
            rows = found.get(move._origin.id, []) if move in sales else []
            known = [row for row in rows if not row[0]]
            unknown_count = sum(count for unknown, count, _balance, _cost in rows if unknown)
            currency = move.company_currency_id
            cost = currency.round(sum(row[3] for row in known)) if known else False
            net = currency.round(-sum(row[2] for row in rows))
            is_known = bool(rows) and not unknown_count
            margin = currency.round(net - cost) if is_known else False
            move.customer_cost_total = cost
            move.customer_cost_margin = margin
            move.customer_cost_margin_pct = 100 * margin / net if is_known and net > 0 else False
            move.customer_cost_unknown_count = unknown_count

    @api.model
    def _invalidate_customer_cost(self):
        self.invalidate_model(FIGURES, flush=False)

    def action_open_unknown_cost(self):
        """Open the lines of these invoices whose product cost nobody knows."""
        self.check_access("read")
        self._check_field_access(self._fields["customer_cost_unknown_count"], "read")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Lines with Unknown Cost"),
            "res_model": "account.move.line",
            "view_mode": "list",
            "views": [
                (self.env.ref("customer_cost.account_move_line_view_list_unknown_cost").id, "list")
            ],
            "domain": [
                ("move_id", "in", self.ids),
                ("display_type", "=", "product"),
                ("parent_state", "=", "posted"),
                ("customer_cost_source", "in", (False, "unknown")),
            ],
        }

    # ------------------------------------------------------------
    # Search and order
    # ------------------------------------------------------------

    def _search_customer_cost_total(self, operator, value):
        return self._search_customer_cost("customer_cost_total", operator, value)

    def _search_customer_cost_margin(self, operator, value):
        return self._search_customer_cost("customer_cost_margin", operator, value)

    def _search_customer_cost_margin_pct(self, operator, value):
        return self._search_customer_cost("customer_cost_margin_pct", operator, value)

    def _search_customer_cost_unknown_count(self, operator, value):
        return self._search_customer_cost("customer_cost_unknown_count", operator, value)

    def _search_customer_cost(self, name, operator, value):
        # The search method of a field is not checked against the groups of the field.
        self._check_field_access(self._fields[name], "read")
        if operator in COMPARISONS:

            def to_sql(model, alias, query):
                figure = model._sql_customer_cost(alias, name)
                return SQL("%s %s %s", figure, COMPARISONS[operator], value)

        elif operator == "in":

            def to_sql(model, alias, query):
                figure = model._sql_customer_cost(alias, name)
                numbers = [number for number in value if number is not False]
                return SQL(
                    """(%(figure)s = ANY(%(numbers)s::numeric[])
                        OR %(empty)s AND %(figure)s IS NULL)""",
                    figure=figure,
                    numbers=numbers,
                    empty=len(numbers) < len(value),
                )

        else:
            return NotImplemented
        return Domain.custom(to_sql=to_sql)

    @api.model
    def _sql_customer_cost(self, alias, name) -> SQL:
        """The figure ``name`` of posted customer invoice ``alias``, NULL where it is empty."""
        self.flush_model(["move_type", "state"])
        self.env["account.move.line"].flush_model(
            ["balance", "customer_cost_amount", "customer_cost_source", "display_type", "move_id"]
        )
        net, cost = SQL("-sum(l.balance)"), SQL("sum(l.customer_cost_amount)")
        is_known = SQL("bool_and(COALESCE(l.customer_cost_source, 'unknown') <> 'unknown')")
        figures = {
            "customer_cost_total": cost,
            "customer_cost_margin": SQL("CASE WHEN %s THEN %s - %s END", is_known, net, cost),
            "customer_cost_margin_pct": SQL(
                "CASE WHEN %(known)s AND %(net)s > 0 THEN 100 * (%(net)s - %(cost)s) / %(net)s END",
                known=is_known,
                net=net,
                cost=cost,
            ),
            "customer_cost_unknown_count": SQL(
                "count(*) FILTER (WHERE COALESCE(l.customer_cost_source, 'unknown') = 'unknown')"
            ),
        }
        return SQL(
            """(SELECT %(figure)s FROM account_move_line l
                 WHERE l.move_id = %(alias)s.id AND l.display_type = 'product'
                   AND %(alias)s.state = 'posted' AND %(alias)s.move_type IN %(types)s)""",
            figure=figures[name],
            alias=SQL.identifier(alias),
            types=SALES_TYPES,
        )

    def _order_field_to_sql(self, alias, field_name, direction, nulls, query):
        if field_name not in FIGURES:
            return super()._order_field_to_sql(alias, field_name, direction, nulls, query)
        self._check_field_access(self._fields[field_name], "read")
        figure = self._sql_customer_cost(alias, field_name)
        return SQL("%s %s %s", figure, direction, nulls if nulls.code else SQL("NULLS LAST"))

    # ------------------------------------------------------------
    # Stock valuation
    # ------------------------------------------------------------

    def _get_valued_unit_costs(self):
        """Unit costs that stock valuation knows better than the product: those of FIFO.

        Standard and average costs are the product's own. What the books charge already needs no
        second valuation.

        :return: dict of invoice line id to company currency per unit of the product
        """
        if not hasattr(self.env["account.move.line"], "_get_cogs_value"):
            return {}
        units = {}
        # sudo: who posts an invoice need not read stock moves; only the unit cost leaves here
        for move in self.sudo():
            lines = move.with_company(move.company_id).line_ids
            booked = lines.filtered(lambda line: line.display_type == "cogs").cogs_origin_id
            for line in lines - booked:
                if (
                    line.display_type == "product"
                    and line.quantity
                    and line.product_id.is_storable
                    and line.product_id.cost_method == "fifo"
                    and line._eligible_for_stock_account()
                    and (unit := line._get_cogs_value())
                ):
                    units[line.id] = unit
        return units
