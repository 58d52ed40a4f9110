from odoo import api, fields, models

from ..fields import Amount, Quantity


class CustomerCostRunStep(models.Model):
    """One rule in one run, as the rule was: what it sent, what arrived, what stayed."""

    _name = "customer.cost.run.step"
    _description = "Run Step"
    _order = "run_id, sequence, id"

    run_id = fields.Many2one(
        "customer.cost.run", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="run_id.company_id", store=True, index=True)
    rule_id = fields.Many2one(
        "customer.cost.rule",
        string="Rule Today",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
    )
    sequence = fields.Integer(readonly=True)
    name = fields.Char(string="Rule", readonly=True, translate=True)
    driver_name = fields.Char(string="Driver", readonly=True, translate=True)
    window_label = fields.Char(string="Measured Over", readonly=True, translate=True)
    rule_text = fields.Text(string="Rule as It Was", readonly=True, translate=True)
    pool_from = fields.Date(readonly=True)
    pool_to = fields.Date(readonly=True)
    centre_ids = fields.Many2many(
        "account.analytic.account",
        "customer_cost_run_step_centre_rel",
        "step_id",
        "account_id",
        string="Cost Centres",
        readonly=True,
    )
    full_cost = fields.Boolean(readonly=True)
    to_centres = fields.Boolean(string="To Cost Centres", readonly=True)
    measured = fields.Boolean(readonly=True, help="Charged by quantity × rate.")
    currency_id = fields.Many2one(related="company_id.currency_id")
    sent = Amount(readonly=True)
    received = Amount(readonly=True)
    retained = Amount(readonly=True)
    unused = Amount(
        readonly=True, help="Cost of unused capacity; below zero, more was used than there is."
    )
    moved = Amount(string="To Centres", readonly=True, help="What cost centres gave to each other.")
    driver_total = Quantity(readonly=True)
    rate = Quantity(readonly=True, help="Charged for one unit of the driver.")
    actual_rate = Quantity(
        readonly=True, help="What the pool cost for one unit of the driver that was used."
    )
    rate_variance = Quantity(
        compute="_compute_differences",
        help="Actual rate less the rate charged: above zero, the charge did not cover the pool.",
    )
    capacity = Quantity(string="Practical Capacity", readonly=True)
    used_quantity = Quantity(string="Used", readonly=True)
    unused_quantity = Quantity(
        string="Unused Quantity",
        compute="_compute_differences",
        help="Below zero: more was used than the practical capacity.",
    )
    message = fields.Text(readonly=True)
    cell_ids = fields.One2many("customer.cost.run.cell", "step_id", string="Cost Items")

    transfer_ids = fields.One2many(
        "customer.cost.run.transfer", "step_id", string="Transfers", readonly=True
    )

    @api.depends("rate", "actual_rate", "capacity", "used_quantity")
    def _compute_differences(self):
        for step in self:
            step.rate_variance = step.actual_rate - step.rate if step.actual_rate else 0.0
            step.unused_quantity = step.capacity - step.used_quantity if step.capacity else 0.0

    @api.ondelete(at_uninstall=False)
    def _unlink_with_rows(self):
        """Rows have no database key to their step: they never outlive it."""
        # sudo: the run deletes its own rows
        rows = self.env["customer.cost.allocation"].sudo().search([("step_id", "in", self.ids)])
        rows.unlink()

    def action_open_rows(self):
        """Open what every customer received in this step."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "customer_cost.customer_cost_allocation_action"
        )
        action["domain"] = [("step_id", "=", self.id)]
        action["context"] = {}
        action["name"] = self.name
        return action
