from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL, OrderedSet, date_utils

from ..fields import Amount, Ratio
from ..models.account_move import SALES_TYPES

RATIOS = {
    "gross_margin_pct": "gross_margin",
    "direct_margin_pct": "direct_margin",
    "profit_pct": "profit",
    "full_profit_pct": "full_profit",
    "cost_to_serve_pct": "cost_to_serve",
}


class CustomerCostProfitability(models.Model):
    """The margin ladder per company, customer and month, from posted invoices and the ledger."""

    _name = "customer.cost.profitability"
    _description = "Customer Profitability"
    _inherit = ["customer.cost.ratios"]
    _auto = False
    _rec_name = "customer_id"
    _order = "month desc, profit, id"
    _ratios = {name: (amount, "net_sales") for name, amount in RATIOS.items()}

    company_id = fields.Many2one("res.company", readonly=True)
    customer_id = fields.Many2one("res.partner", readonly=True)
    user_id = fields.Many2one(
        "res.users", string="Salesperson", related="customer_id.user_id", readonly=True
    )
    country_id = fields.Many2one(
        "res.country", string="Country", related="customer_id.country_id", readonly=True
    )
    month = fields.Date(readonly=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    gross_sales = Amount(readonly=True)
    discount = Amount(string="Discounts", readonly=True)
    net_sales = Amount(readonly=True)
    product_cost = Amount(readonly=True)
    gross_margin = Amount(string="Gross Margin (CM1)", readonly=True)
    activity_cost = Amount(
        string="Unit and Batch Cost",
        readonly=True,
        help="Direct and allocated cost of items caused by units and batches.",
    )
    contribution = Amount(string="Contribution (CM2)", readonly=True)
    sustaining_cost = Amount(string="Customer-sustaining Cost", readonly=True)
    direct_cost = Amount(readonly=True)
    statistical_cost = Amount(string="Of Which Not in the Books", readonly=True)
    direct_margin = Amount(readonly=True)
    allocated_cost = Amount(readonly=True)
    cost_to_serve = Amount(
        string="Cost to Serve",
        readonly=True,
        help="Direct and allocated cost, without product cost and full cost.",
    )
    profit = Amount(string="Customer Profit (CM3)", readonly=True)
    full_cost = Amount(string="Channel and Administration Cost", readonly=True)
    full_profit = Amount(string="Full-cost Profit (CM5)", readonly=True)
    gross_margin_pct = Ratio(
        string="Gross Margin %", digits=(16, 2), readonly=True, aggregator="avg"
    )
    direct_margin_pct = Ratio(
        string="Direct Margin %", digits=(16, 2), readonly=True, aggregator="avg"
    )
    profit_pct = Ratio(string="Customer Profit %", digits=(16, 2), readonly=True, aggregator="avg")
    full_profit_pct = Ratio(
        string="Full-cost Profit %", digits=(16, 2), readonly=True, aggregator="avg"
    )
    cost_to_serve_pct = Ratio(
        string="Cost to Serve %", digits=(16, 2), readonly=True, aggregator="avg"
    )
    unknown_lines = fields.Integer(
        string="Lines with Unknown Cost",
        readonly=True,
        help="Invoice lines whose product cost nobody knows; they count with no cost.",
    )

    _depends = {
        "account.move": [
            "state",
            "move_type",
            "partner_id",
            "company_id",
            "date",
            "invoice_currency_rate",
        ],
        "account.move.line": [
            "move_id",
            "display_type",
            "balance",
            "discount",
            "price_unit",
            "quantity",
            "customer_cost_amount",
            "customer_cost_source",
            "tax_ids",
        ],
        "res.partner": ["commercial_partner_id"],
        "account.tax": ["amount", "amount_type", "price_include_override"],
        "res.company": ["account_price_include", "currency_id"],
        "customer.cost.line": [
            "company_id",
            "date",
            "item_id",
            "customer_id",
            "statistical",
            "amount",
        ],
        "customer.cost.allocation": [
            "step_id",
            "company_id",
            "item_id",
            "date",
            "customer_id",
            "amount",
        ],
        "customer.cost.run": ["state"],
        "customer.cost.run.step": ["run_id", "full_cost"],
        "customer.cost.item": ["level"],
    }

    @property
    def _table_query(self) -> SQL:
        ratios = SQL(", ").join(
            SQL(
                "CASE WHEN net_sales > 0 THEN 100 * %s / net_sales END AS %s",
                SQL.identifier(amount),
                SQL.identifier(name),
            )
            for name, amount in RATIOS.items()
        )
        return SQL(
            """SELECT *, %(ratios)s FROM (
                   SELECT *, net_sales - product_cost AS gross_margin,
                          net_sales - product_cost - activity_cost AS contribution,
                          net_sales - product_cost - direct_cost AS direct_margin,
                          direct_cost + allocated_cost AS cost_to_serve,
                          net_sales - product_cost - direct_cost - allocated_cost AS profit,
                          net_sales - product_cost - direct_cost - allocated_cost - full_cost
                              AS full_profit
                     FROM (%(sums)s) summed) laddered""",
            ratios=ratios,
            sums=self._sql_sums(),
        )

    def _sql_sums(self, company_id=None, first=None, last=None, customer_ids=None) -> SQL:
        """Sums per company, customer and month, of everything or of one window.

        :param company_id: id of the company; ``first`` and ``last`` day are given with it
        :param customer_ids: ids of the customers, ``None`` for all
        """
        sales, direct, allocated = (
            self._sql_window(alias, customer, company_id, first, last, customer_ids)
            for alias, customer in (
                ("m", SQL.identifier("p", "commercial_partner_id")),
                ("l", SQL.identifier("l", "customer_id")),
                ("a", SQL.identifier("a", "customer_id")),
            )
        )
        if company_id:
            # Steps of the month's run are few: their rows are found by the key to the step.
            allocated = SQL("%s AND r.date BETWEEN %s AND %s", allocated, first, last)
        return SQL(
            """SELECT (customer_id::bigint << 24)
                          + ((extract(year FROM month) - 1970) * 12 + extract(month FROM month)
                             )::bigint * 4096 + company_id AS id,
                      company_id, customer_id, month,
                      sum(gross_sales) AS gross_sales, sum(gross_sales - net_sales) AS discount,
                      sum(net_sales) AS net_sales, sum(product_cost) AS product_cost,
                      sum(activity_cost) AS activity_cost,
                      sum(direct_cost + allocated_cost - activity_cost) AS sustaining_cost,
                      sum(direct_cost) AS direct_cost, sum(statistical_cost) AS statistical_cost,
                      sum(allocated_cost) AS allocated_cost, sum(full_cost) AS full_cost,
                      sum(unknown_lines)::int AS unknown_lines
                 FROM (%s %s UNION ALL %s %s UNION ALL %s %s) figures
             GROUP BY company_id, customer_id, month""",
            self._sql_sales(),
            sales,
            self._sql_direct(),
            direct,
            self._sql_allocated(),
            allocated,
        )

    @staticmethod
    def _sql_window(alias, customer, company_id, first, last, customer_ids) -> SQL:
        if not company_id:
            return SQL()
        condition = SQL(
            "AND %s = %s AND %s BETWEEN %s AND %s",
            SQL.identifier(alias, "company_id"),
            company_id,
            SQL.identifier(alias, "date"),
            first,
            last,
        )
        if customer_ids is None:
            return condition
        return SQL("%s AND %s = ANY(%s)", condition, customer, customer_ids)

    def _sql_sales(self) -> SQL:
        """Posted customer invoices by the month of their accounting date.

        The customer is whom the partner of the document belongs to today: entries keep the
        commercial partner they were posted with when a contact becomes a company, or moves.
        """
        return SQL(
            """SELECT m.company_id, p.commercial_partner_id AS customer_id,
                      date_trunc('month', m.date)::date AS month,
                      CASE WHEN COALESCE(l.discount, 0) = 0 THEN -l.balance
                           ELSE round(%(gross)s, c.decimal_places) END AS gross_sales,
                      -l.balance AS net_sales,
                      COALESCE(l.customer_cost_amount, 0) AS product_cost,
                      0::numeric AS activity_cost, 0::numeric AS direct_cost,
                      0::numeric AS statistical_cost, 0::numeric AS allocated_cost,
                      0::numeric AS full_cost,
                      CASE COALESCE(l.customer_cost_source, 'unknown') WHEN 'unknown' THEN 1
                           ELSE 0 END AS unknown_lines
                 FROM account_move m
                 JOIN res_partner p ON p.id = m.partner_id
                 JOIN account_move_line l ON l.move_id = m.id AND l.display_type = 'product'
                 JOIN res_company co ON co.id = m.company_id
                 JOIN res_currency c ON c.id = co.currency_id
                WHERE m.state = 'posted' AND m.move_type IN %(types)s""",
            types=SALES_TYPES,
            gross=self._sql_undiscounted(),
        )

    def _sql_undiscounted(self) -> SQL:
        """What a discounted line would have sold for, in company currency without tax.

        Price times quantity, which is exact, unless the price holds tax that is no plain
        percentage; then the net amount is grossed up, which a full discount makes impossible.
        """
        return SQL(
            """(SELECT CASE WHEN included.odd AND l.discount <> 100
                            THEN -l.balance / (1 - l.discount / 100)
                            ELSE CASE m.move_type WHEN 'out_refund' THEN -1 ELSE 1 END
                                 * l.price_unit * l.quantity
                                 / COALESCE(NULLIF(m.invoice_currency_rate, 0), 1)::numeric
                                 / (1 + included.percentage / 100) END
                  FROM (SELECT COALESCE(sum(t.amount) FILTER (
                                   WHERE t.amount_type = 'percent'), 0) AS percentage,
                               COALESCE(bool_or(t.amount_type <> 'percent'), FALSE) AS odd
                          FROM account_move_line_account_tax_rel r
                          JOIN account_tax t ON t.id = r.account_tax_id
                          JOIN res_company tc ON tc.id = t.company_id
                         WHERE r.account_move_line_id = l.id
                           AND (t.amount_type = 'group' OR COALESCE(
                                t.price_include_override, tc.account_price_include)
                                = 'tax_included')) included)"""
        )

    def _sql_direct(self) -> SQL:
        return SQL(
            """SELECT l.company_id, l.customer_id, date_trunc('month', l.date)::date,
                      0::numeric, 0::numeric, 0::numeric,
                      CASE WHEN i.level IN ('unit', 'batch') THEN l.amount ELSE 0 END,
                      l.amount, CASE WHEN l.statistical THEN l.amount ELSE 0 END,
                      0::numeric, 0::numeric, 0
                 FROM customer_cost_line l JOIN customer_cost_item i ON i.id = l.item_id
                WHERE l.customer_id IS NOT NULL"""
        )

    def _sql_allocated(self) -> SQL:
        return SQL(
            """SELECT a.company_id, a.customer_id, date_trunc('month', a.date)::date,
                      0::numeric, 0::numeric, 0::numeric,
                      CASE WHEN i.level IN ('unit', 'batch') AND s.full_cost IS NOT TRUE
                           THEN a.amount ELSE 0 END,
                      0::numeric, 0::numeric,
                      CASE WHEN s.full_cost THEN 0 ELSE a.amount END,
                      CASE WHEN s.full_cost THEN a.amount ELSE 0 END, 0
                 FROM customer_cost_allocation a
                 JOIN customer_cost_item i ON i.id = a.item_id
                 JOIN customer_cost_run_step s ON s.id = a.step_id
                 JOIN customer_cost_run r ON r.id = s.run_id AND r.state = 'posted'
                WHERE a.customer_id IS NOT NULL"""
        )

    @api.model
    def _search(self, domain, *args, **kwargs):
        """Name the customers of the ids asked for: customers are indexed, the ids are made up."""

        def add_customers(condition):
            if condition.field_expr != "id" or condition.operator != "in":
                return condition
            if not isinstance(condition.value, (OrderedSet, frozenset, list, set, tuple)):
                return condition
            customers = {row_id >> 24 for row_id in condition.value if row_id}
            return condition & Domain("customer_id", "in", customers)

        return super()._search(Domain(domain).map_conditions(add_customers), *args, **kwargs)

    @api.model
    def _get_sales(self, company, first, last):
        """Net sales and product cost of every customer with a posted invoice in the window.

        :return: dict of commercial partner id to ``(net sales, product cost)``, company currency
        """
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """SELECT customer_id, sum(net_sales), sum(product_cost)
                     FROM (%s AND m.company_id = %s AND m.date BETWEEN %s AND %s) sales
                 GROUP BY customer_id""",
                self._sql_sales(),
                company.id,
                first,
                last,
            )
        )
        return {customer: (net, cost) for customer, net, cost in rows}

    # ------------------------------------------------------------
    # Drill down
    # ------------------------------------------------------------

    def action_open_costs(self):
        """Open the costs of this customer and month."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "customer_cost.customer_cost_analysis_action"
        )
        action["domain"] = self._get_month_domain("date")
        action["context"] = {"search_default_group_layer": 1}
        return action

    def action_open_invoices(self):
        """Open the posted invoices of this customer and month."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "account.action_move_out_invoice_type"
        )
        action["domain"] = [
            ("state", "=", "posted"),
            ("move_type", "in", SALES_TYPES),
            ("partner_id.commercial_partner_id", "=", self.customer_id.id),
            ("company_id", "=", self.company_id.id),
            ("date", ">=", self.month),
            ("date", "<=", date_utils.end_of(self.month, "month")),
        ]
        action["context"] = {"create": False}
        return action

    def _get_month_domain(self, name):
        return [
            ("customer_id", "=", self.customer_id.id),
            ("company_id", "=", self.company_id.id),
            (name, ">=", self.month),
            (name, "<=", date_utils.end_of(self.month, "month")),
        ]
