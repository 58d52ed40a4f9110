from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL, OrderedSet

from ..fields import Amount, Many2oneUnchecked


class CustomerCostAnalysis(models.Model):
    """The union people read: ledger lines and the allocations of posted runs."""

    _name = "customer.cost.analysis"
    _description = "Cost Analysis"
    _auto = False
    _rec_name = "item_id"
    _order = "date desc, id desc"

    company_id = Many2oneUnchecked("res.company", readonly=True)
    date = fields.Date(readonly=True)
    customer_id = fields.Many2one("res.partner", readonly=True)
    item_id = fields.Many2one("customer.cost.item", string="Cost Item", readonly=True)
    level = fields.Selection(related="item_id.level", string="Hierarchy Level", readonly=True)
    behaviour = fields.Selection(related="item_id.behaviour", readonly=True)
    layer = fields.Selection(
        [
            ("direct", "Direct"),
            ("pool", "Indirect, before allocation"),
            ("allocated", "Allocated"),
            ("measured", "Measured"),
        ],
        readonly=True,
    )
    full_cost = fields.Boolean(readonly=True)
    statistical = fields.Boolean(string="Not in the Books", readonly=True)
    amount = Amount(readonly=True)
    fixed_amount = Amount(
        string="Fixed Part",
        readonly=True,
        help="Fixed cost in the amount: of allocated cost as the run sent it, of other cost by the "
        "behaviour and the fixed % of its item.",
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    entry_id = fields.Many2one("customer.cost.entry", string="Cost", readonly=True)
    line_id = fields.Many2one("customer.cost.line", readonly=True)
    allocation_id = fields.Many2one("customer.cost.allocation", readonly=True)
    cost_centre_id = fields.Many2one("account.analytic.account", readonly=True)

    _depends = {
        "customer.cost.line": [
            "company_id",
            "date",
            "item_id",
            "customer_id",
            "entry_id",
            "cost_centre_id",
            "statistical",
            "amount",
        ],
        "customer.cost.allocation": [
            "step_id",
            "company_id",
            "item_id",
            "date",
            "customer_id",
            "layer",
            "amount",
            "fixed_amount",
        ],
        "customer.cost.item": ["behaviour", "fixed_pct"],
        "customer.cost.run": ["state"],
        "customer.cost.run.step": ["run_id", "full_cost"],
    }

    @property
    def _table_query(self) -> SQL:
        return SQL("%s UNION ALL %s", self._select_lines(), self._select_allocations())

    def _select_lines(self) -> SQL:
        return SQL(
            """SELECT l.id * 2::bigint AS id, l.company_id, l.date, l.customer_id, l.item_id,
                      CASE WHEN l.customer_id IS NULL THEN 'pool' ELSE 'direct' END AS layer,
                      FALSE AS full_cost, l.statistical, l.amount,
                      l.amount * (
                          SELECT CASE i.behaviour WHEN 'fixed' THEN 1
                                                  WHEN 'mixed' THEN i.fixed_pct / 100
                                                  ELSE 0 END
                            FROM customer_cost_item i WHERE i.id = l.item_id) AS fixed_amount,
                      l.entry_id,
                      l.id AS line_id, NULL::int AS allocation_id, l.cost_centre_id
                 FROM customer_cost_line l"""
        )

    def _select_allocations(self) -> SQL:
        # Columns of the very type they have above let the database scan the union in parallel.
        return SQL(
            """SELECT a.id * 2::bigint + 1, a.company_id, a.date, a.customer_id, a.item_id,
                      a.layer::text, s.full_cost, FALSE, a.amount,
                      COALESCE(a.fixed_amount, 0), NULL::int,
                      NULL::int, a.id, NULL::int
                 FROM customer_cost_allocation a
                 JOIN customer_cost_run_step s ON s.id = a.step_id
                 JOIN customer_cost_run r ON r.id = s.run_id AND r.state = 'posted'"""
        )

    @api.model
    def _search(self, domain, *args, **kwargs):
        """Look for the rows of the ids asked for by the keys of the tables they stand for."""

        def add_sources(condition):
            if condition.field_expr != "id" or condition.operator != "in":
                return condition
            if not isinstance(condition.value, (OrderedSet, frozenset, list, set, tuple)):
                return condition
            lines = {row_id // 2 for row_id in condition.value if row_id and not row_id % 2}
            allocations = {row_id // 2 for row_id in condition.value if row_id and row_id % 2}
            return condition & (
                Domain("line_id", "in", lines) | Domain("allocation_id", "in", allocations)
            )

        return super()._search(Domain(domain).map_conditions(add_sources), *args, **kwargs)

    def action_open_source(self):
        """Open the cost or the explanation behind this row."""
        self.ensure_one()
        if self.allocation_id:
            return self.allocation_id.action_explain()
        return {
            "type": "ir.actions.act_window",
            "res_model": "customer.cost.entry",
            "res_id": self.entry_id.id,
            "view_mode": "form",
        }
