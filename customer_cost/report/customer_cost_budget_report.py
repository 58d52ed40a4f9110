from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL, date_utils

from ..engine import to_minor
from ..fields import Amount, Ratio
from .row_id import sql_row_id


class CustomerCostBudgetReport(models.Model):
    """Plan, actual, committed and available per budget, item line and month, company currency.

    Every cost counts once in each budget that covers it: in the line of the nearest cost item,
    of two in that of its payment method. Actual is the ledger's direct cost by the month in which
    it counts, with the allocations of posted runs where the budget says so; committed is read
    from the commitments by their date. Whether a customer is of a class is asked for the cost's
    own day. Cost that no line covers is not looked at. Earlier versions are left out.
    """

    _name = "customer.cost.budget.report"
    _description = "Budget Against Actual"
    _inherit = ["customer.cost.ratios"]
    _auto = False
    _order = "month desc, budget_id, id"
    _rec_name = "budget_id"
    _ratios = {"used_pct": ("used", "planned")}

    budget_id = fields.Many2one("customer.cost.budget", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    customer_id = fields.Many2one("res.partner", readonly=True)
    category_id = fields.Many2one("res.partner.category", string="Customer Class", readonly=True)
    state = fields.Selection(
        [("draft", "Draft"), ("confirmed", "Confirmed"), ("closed", "Closed")], readonly=True
    )
    item_id = fields.Many2one("customer.cost.item", string="Cost Item", readonly=True)
    payment_method = fields.Selection(selection="_get_payment_methods", readonly=True)
    month = fields.Date(readonly=True)
    planned = Amount(readonly=True)
    actual = Amount(readonly=True)
    committed = Amount(readonly=True)
    used = Amount(readonly=True, help="Actual and committed.")
    available = Amount(readonly=True, help="Planned - actual - committed.")
    used_pct = Ratio(string="Used %", readonly=True, aggregator="avg")

    _depends = {
        "customer.cost.budget": [
            "basis",
            "category_id",
            "company_id",
            "customer_id",
            "date_from",
            "date_to",
            "state",
        ],
        "customer.cost.budget.line": ["budget_id", "item_id", "month", "payment_method", "planned"],
        "customer.cost.class.member": ["category_id", "customer_id", "date_from", "date_to"],
        "customer.cost.line": [
            "amount",
            "company_id",
            "customer_id",
            "date",
            "entry_id",
            "item_id",
            "origin_date",
        ],
        "customer.cost.allocation": [
            "amount",
            "company_id",
            "customer_id",
            "date",
            "item_id",
            "step_id",
        ],
        "customer.cost.run": ["state"],
        "customer.cost.entry": ["amount_company", "payment_method", "state"],
        "account.move.line": [
            "analytic_distribution",
            "balance",
            "cost_customer_id",
            "cost_request_id",
            "parent_state",
        ],
        "customer.cost.item": ["parent_path"],
        "res.partner": ["category_id"],
    }

    @api.model
    def _get_payment_methods(self):
        return self.env["customer.cost.budget.line"]._get_payment_methods()

    @property
    def _table_query(self) -> SQL:
        # What is asked for of some budgets reaches the tables below through the partition.
        return SQL(
            """SELECT %(id)s AS id, u.budget_id,
                      b.company_id, b.customer_id, b.category_id, b.state, u.item_id,
                      u.payment_method, u.month, u.planned, u.actual, u.committed,
                      u.actual + u.committed AS used,
                      u.planned - u.actual - u.committed AS available,
                      CASE WHEN u.planned > 0
                           THEN 100 * (u.actual + u.committed) / u.planned END AS used_pct
                 FROM (SELECT *, row_number() OVER (
                              PARTITION BY budget_id
                                  ORDER BY month, item_id, payment_method) AS place
                         FROM (%(usage)s) usage) u
                 JOIN customer_cost_budget b ON b.id = u.budget_id""",
            id=sql_row_id(SQL("u.budget_id"), SQL("u.place")),
            usage=self._sql_usage(
                SQL("b.state <> 'superseded'"), self.env["customer.cost.commitment"]._table_query
            ),
        )

    # ------------------------------------------------------------
    # Plan and use, set-based
    # ------------------------------------------------------------

    @api.model
    def _sql_usage(self, budgets, commitments, full=True) -> SQL:
        """Rows of budget_id, item_id, payment_method, month, planned, actual, committed.

        :param budgets: condition on the budget ``b``
        :param commitments: rows of ``customer.cost.commitment``
        :param full: whether one of the budgets may count allocated cost
        """
        return SQL(
            """WITH budget AS NOT MATERIALIZED (%(budgets)s), held AS NOT MATERIALIZED (%(held)s),
                    member AS NOT MATERIALIZED (%(members)s),
                    covered AS NOT MATERIALIZED (
                        SELECT budget_id, item_id, payment_method, month,
                               sum(actual) AS actual, sum(committed) AS committed
                          FROM (%(costs)s) cost
                      GROUP BY 1, 2, 3, 4)
               SELECT budget_id, item_id, payment_method, month, sum(planned) AS planned,
                      sum(actual) AS actual, sum(committed) AS committed
                 FROM (SELECT p.budget_id, p.item_id, p.payment_method, p.month, p.planned,
                              0 AS actual, 0 AS committed
                         FROM budget b JOIN customer_cost_budget_line p ON p.budget_id = b.id
                    UNION ALL
                       SELECT c.budget_id, line.item_id, line.payment_method, c.month, 0,
                              c.actual, c.committed
                         FROM covered c
                         JOIN customer_cost_item i ON i.id = c.item_id
                 CROSS JOIN LATERAL (%(line)s) line) both_sides
             GROUP BY 1, 2, 3, 4""",
            budgets=self._sql_budgets(budgets),
            held=self._sql_held(),
            members=self._sql_members(),
            costs=SQL(" UNION ALL ").join(
                [
                    self._sql_direct(),
                    *([self._sql_allocated()] if full else []),
                    self._sql_committed(commitments),
                ]
            ),
            line=self._sql_line(),
        )

    @api.model
    def _sql_budgets(self, condition) -> SQL:
        return SQL(
            """SELECT b.id, b.company_id, b.customer_id, b.category_id, b.date_from, b.date_to,
                      b.basis, EXISTS (SELECT FROM customer_cost_budget_line p
                                        WHERE p.budget_id = b.id AND p.payment_method IS NOT NULL)
                          AS by_payment
                 FROM customer_cost_budget b WHERE %s""",
            condition,
        )

    @api.model
    def _sql_held(self) -> SQL:
        """When customers were of the class of a budget, or of one below it."""
        return SQL(
            """SELECT b.id AS budget_id, h.customer_id, h.date_from, h.date_to
                 FROM budget b
                 JOIN res_partner_category top ON top.id = b.category_id
                 JOIN res_partner_category c ON c.parent_path LIKE top.parent_path || '%%'
                 JOIN (%s) h ON h.category_id = c.id""",
            self.env["customer.cost.class.member"]._sql_held(),
        )

    @api.model
    def _sql_members(self) -> SQL:
        return SQL(
            """SELECT id AS budget_id, customer_id, TRUE AS always FROM budget
                WHERE customer_id IS NOT NULL
            UNION ALL
               SELECT budget_id, customer_id, bool_or(date_from IS NULL AND date_to IS NULL)
                 FROM held GROUP BY 1, 2"""
        )

    @api.model
    def _sql_was_member(self, day) -> SQL:
        return SQL(
            """(member.always OR EXISTS (
                   SELECT FROM held WHERE held.budget_id = member.budget_id
                      AND held.customer_id = member.customer_id
                      AND %(day)s >= COALESCE(held.date_from, '-infinity')
                      AND %(day)s <= COALESCE(held.date_to, 'infinity')))""",
            day=day,
        )

    @api.model
    def _sql_direct(self) -> SQL:
        return SQL(
            """SELECT b.id AS budget_id, l.item_id,
                      CASE WHEN b.by_payment THEN (
                          SELECT e.payment_method FROM customer_cost_entry e
                           WHERE e.id = l.entry_id) END AS payment_method,
                      date_trunc('month', l.date)::date AS month, l.amount AS actual,
                      0 AS committed
                 FROM budget b
                 JOIN member ON member.budget_id = b.id
                 JOIN customer_cost_line l ON l.customer_id = member.customer_id
                  AND l.company_id = b.company_id AND l.date BETWEEN b.date_from AND b.date_to
                WHERE %s""",
            self._sql_was_member(SQL("l.origin_date")),
        )

    @api.model
    def _sql_allocated(self) -> SQL:
        return SQL(
            """SELECT b.id, a.item_id, NULL, date_trunc('month', a.date)::date, a.amount, 0
                 FROM budget b
                 JOIN member ON member.budget_id = b.id
                 JOIN customer_cost_allocation a ON a.customer_id = member.customer_id
                  AND a.company_id = b.company_id AND a.date BETWEEN b.date_from AND b.date_to
                 JOIN customer_cost_run_step s ON s.id = a.step_id
                 JOIN customer_cost_run r ON r.id = s.run_id AND r.state = 'posted'
                WHERE b.basis = 'full' AND %s""",
            self._sql_was_member(SQL("a.date")),
        )

    @api.model
    def _sql_committed(self, commitments) -> SQL:
        return SQL(
            """SELECT b.id, c.item_id, c.payment_method, date_trunc('month', c.date)::date, 0,
                      c.amount
                 FROM budget b
                 JOIN member ON member.budget_id = b.id
                 JOIN (%s) c ON c.customer_id = member.customer_id
                  AND c.company_id = b.company_id AND c.date BETWEEN b.date_from AND b.date_to
                WHERE %s""",
            commitments,
            self._sql_was_member(SQL("c.origin_date")),
        )

    @api.model
    def _sql_line(self) -> SQL:
        """Item and payment method of the most specific line for the cost ``c`` of item ``i``."""
        return SQL(
            """SELECT p.item_id, p.payment_method
                 FROM customer_cost_budget_line p
            LEFT JOIN customer_cost_item own ON own.id = p.item_id
                WHERE p.budget_id = c.budget_id
                  AND (p.payment_method IS NULL OR p.payment_method = c.payment_method)
                  AND (p.item_id IS NULL OR i.parent_path LIKE own.parent_path || '%%')
             ORDER BY length(own.parent_path) DESC NULLS LAST, p.payment_method NULLS LAST
                LIMIT 1"""
        )

    @api.model
    def _flush_sources(self):
        for depends in (self.env["customer.cost.commitment"]._depends, self._depends):
            for model, names in depends.items():
                self.env[model].flush_model(names)

    @api.model
    def _read_usage(self, budgets):
        """Plan and use of these budgets, whoever asks: the caller says what of it is shown.

        :return: dict of budget id to dict of ``(item id, payment method)`` to dict of month to
            ``(planned, actual, committed)`` in minor units of the company currency; item id and
            payment method are False where a line has none
        """
        self._flush_sources()
        digits = {budget.id: budget.currency_id.decimal_places for budget in budgets}
        usage = {budget_id: {} for budget_id in digits}
        commitments = self.env["customer.cost.commitment"]._sql_of_customers(
            budgets.company_id.ids, self._get_customer_ids(budgets)
        )
        # No rights here: only budgets whose company and customer the caller looked at.
        for budget_id, item_id, method, month, *amounts in self.env.execute_query(
            self._sql_usage(
                SQL("b.id = ANY(%s)", budgets.ids),
                commitments,
                full="full" in budgets.mapped("basis"),
            )
        ):
            line = usage[budget_id].setdefault((item_id or False, method or False), {})
            line[month] = tuple(to_minor(amount, digits[budget_id]) for amount in amounts)
        return usage

    @api.model
    def _get_customer_ids(self, budgets):
        """Customers of these budgets, of a class whoever was in it at any time."""
        customer_ids = budgets.customer_id.ids
        if budgets.category_id:
            rows = self.env.execute_query(
                SQL(
                    """WITH budget AS (%s) SELECT DISTINCT customer_id FROM (%s) held""",
                    self._sql_budgets(SQL("b.id = ANY(%s)", budgets.ids)),
                    self._sql_held(),
                )
            )
            customer_ids += [customer_id for (customer_id,) in rows]
        return customer_ids

    # ------------------------------------------------------------
    # What stands behind a row
    # ------------------------------------------------------------

    def action_open_costs(self):
        """Open the costs in the ledger that this row counts, as far as the reader's rights go."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "customer_cost.customer_cost_analysis_action"
        )
        layers = (
            ("direct", "allocated", "measured") if self.budget_id.basis == "full" else ("direct",)
        )
        return {
            **action,
            "domain": list(self._get_source_domain() & Domain("layer", "in", layers)),
            "context": {},
            "view_mode": "list,pivot",
            "views": [(False, "list"), (False, "pivot")],
        }

    def action_open_commitments(self):
        """Open the commitments that this row counts, as far as the reader's rights go."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "customer_cost.customer_cost_budget_commitment_action"
        )
        return {**action, "domain": list(self._get_source_domain())}

    def _get_source_domain(self):
        """Costs of the row's customers, month, item and payment method, of narrower lines none."""
        budget = self.budget_id
        domain = self._get_customers_domain() & Domain(
            [
                ("company_id", "=", self.company_id.id),
                ("date", ">=", self.month),
                ("date", "<=", date_utils.end_of(self.month, "month")),
            ]
        )
        if self.item_id:
            domain &= Domain("item_id", "child_of", self.item_id.ids)
        narrower = budget.line_ids.item_id.filtered(
            lambda item: (
                item != self.item_id
                and (not self.item_id or item.parent_path.startswith(self.item_id.parent_path))
            )
        )
        if narrower:
            domain &= ~Domain("item_id", "child_of", narrower.ids)
        if self.payment_method:
            return domain & Domain("entry_id.payment_method", "=", self.payment_method)
        methods = budget.line_ids.filtered(lambda line: line.item_id == self.item_id).mapped(
            "payment_method"
        )
        if any(methods):
            domain &= ~Domain("entry_id.payment_method", "in", [name for name in methods if name])
        return domain

    def _get_customers_domain(self):
        """The customer of the budget, or those of its class on their days."""
        budget = self.budget_id
        if budget.customer_id:
            return Domain("customer_id", "=", budget.customer_id.id)
        members = self.env["customer.cost.class.member"]
        members._flush_held()
        # What the rows name is read by the records behind them, as far as the reader's rights go.
        rows = self.env.execute_query(
            SQL(
                """SELECT held.customer_id, held.date_from, held.date_to FROM (%s) held
                    WHERE held.category_id = ANY(%s)""",
                members._sql_held(),
                self.env["res.partner.category"]
                .search([("id", "child_of", budget.category_id.ids)])
                .ids,
            )
        )
        always = [customer for customer, first, last in rows if not (first or last)]
        return Domain.OR(
            [
                Domain("customer_id", "in", always),
                *(
                    Domain("customer_id", "=", customer)
                    & Domain("date", ">=", first or budget.date_from)
                    & Domain("date", "<=", last or budget.date_to)
                    for customer, first, last in rows
                    if first or last
                ),
            ]
        )
