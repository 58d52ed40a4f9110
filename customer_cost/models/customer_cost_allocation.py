from odoo import api, fields, models
from odoo.tools import SQL

from ..fields import Amount, Many2oneUnchecked, Quantity

DETAIL_GROUPS = (
    "customer_cost.group_customer_cost_accountant,customer_cost.group_customer_cost_auditor"
)


class CustomerCostAllocation(models.Model):
    """What runs charged to customers, one row per step, cost item and customer."""

    _name = "customer.cost.allocation"
    _description = "Allocated Cost"
    _log_access = False
    _order = "id desc"

    step_id = Many2oneUnchecked("customer.cost.run.step", required=True, readonly=True)
    company_id = Many2oneUnchecked("res.company", required=True, readonly=True)
    item_id = Many2oneUnchecked("customer.cost.item", string="Cost Item", readonly=True)
    date = fields.Date(required=True, readonly=True)
    customer_id = fields.Many2one("res.partner", readonly=True, ondelete="restrict")
    layer = fields.Selection(
        [("allocated", "Allocated"), ("measured", "Measured")], required=True, readonly=True
    )
    quantity = Quantity(
        readonly=True, aggregator=None, help="The customer's quantity of the driver."
    )
    amount = Amount(required=True, readonly=True)
    fixed_amount = Amount(string="Fixed Part", readonly=True, help="Fixed cost in the amount.")
    currency_id = fields.Many2one(related="company_id.currency_id")

    rule_name = fields.Char(string="Rule", compute="_compute_explanation")
    driver_name = fields.Char(string="Driver", compute="_compute_explanation")
    window_label = fields.Char(string="Measured Over", compute="_compute_explanation")
    run_name = fields.Char(string="Run", compute="_compute_explanation")
    run_state = fields.Char(compute="_compute_explanation")
    rate = Quantity(string="Cost per Unit", compute="_compute_explanation")
    pool_amount = Amount(
        string="Pool Sent",
        compute="_compute_pool",
        groups=DETAIL_GROUPS,
        help="What the rule sent of this cost item.",
    )
    driver_total = Quantity(string="Total Quantity", compute="_compute_pool", groups=DETAIL_GROUPS)
    share_pct = fields.Float(
        string="Share %", digits=(16, 6), compute="_compute_pool", groups=DETAIL_GROUPS
    )
    rule_text = fields.Text(string="Rule as It Was", compute="_compute_pool", groups=DETAIL_GROUPS)
    capacity = Quantity(string="Practical Capacity", compute="_compute_pool", groups=DETAIL_GROUPS)
    used_quantity = Quantity(string="Used by All", compute="_compute_pool", groups=DETAIL_GROUPS)

    _step_idx = models.Index("(step_id)")
    _customer_date_idx = models.Index("(customer_id, date) INCLUDE (amount)")

    @api.depends("customer_id", "item_id")
    def _compute_display_name(self):
        for row in self:
            row.display_name = self.env._(
                "%(item)s charged to %(customer)s",
                item=row.item_id.display_name,
                customer=row.customer_id.display_name,
            )

    @api.depends("step_id", "quantity", "amount")
    @api.depends_context("lang")
    def _compute_explanation(self):
        for row in self:
            # sudo: rule, driver and run of an amount the reader may see are part of the amount
            step = row.step_id.sudo()
            row.rule_name = step.name
            row.driver_name = step.driver_name
            row.window_label = step.window_label
            row.run_name = step.run_id.display_name
            row.run_state = dict(step.run_id._fields["state"]._description_selection(self.env)).get(
                step.run_id.state
            )
            row.rate = row.amount / row.quantity if row.quantity else 0.0

    @api.depends("step_id", "quantity")
    @api.depends_context("lang")
    def _compute_pool(self):
        for row in self:
            # sudo: the fields carry the groups that may see a pool
            step = row.step_id.sudo()
            row.pool_amount = sum(row.sudo()._get_cells().mapped("sent"))  # sudo: as above
            row.driver_total = step.driver_total
            row.share_pct = 100 * row.quantity / step.driver_total if step.driver_total else 0.0
            row.rule_text = step.rule_text
            row.capacity = step.capacity
            row.used_quantity = step.used_quantity

    def action_explain(self):
        """Open the explanation of one allocated amount."""
        self.ensure_one()
        self.check_access("read")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("How this amount came about"),
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "target": "new",
        }

    def action_open_pool_lines(self):
        """Open the ledger lines that made up the pool of this amount."""
        self.ensure_one()
        return self._get_cells().action_open_pool()

    def _get_cells(self):
        """Cells of the step that were charged under this row's item."""
        self.ensure_one()
        return self.step_id.cell_ids.filtered(
            lambda cell: (cell.charged_item_id or cell.item_id) == self.item_id
        )

    @api.model
    def _copy_rows(self, rows):
        """Load result rows by COPY, in the order of :meth:`_get_copy_columns`.

        :param rows: text buffer of tab-separated values, ``\\N`` for NULL
        """
        # sudo is not involved: the caller is a run that checked its own rights
        columns = SQL(", ").join(map(SQL.identifier, self._get_copy_columns()))
        statement = SQL("COPY customer_cost_allocation (%s) FROM STDIN", columns)
        self.env.cr.copy_expert(statement.code, rows)
        self.invalidate_model(flush=False)

    @api.model
    def _get_copy_columns(self):
        return (
            "step_id",
            "company_id",
            "item_id",
            "date",
            "customer_id",
            "layer",
            "quantity",
            "amount",
            "fixed_amount",
        )
