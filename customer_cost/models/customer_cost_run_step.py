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
    currency_id = fields.Many2one(related="company_id.currency_id")
    sent = Amount(readonly=True)
    received = Amount(readonly=True)
    retained = Amount(readonly=True)
    unused = Amount(readonly=True, help="Unused capacity.")
    driver_total = Quantity(readonly=True)
    message = fields.Text(readonly=True)
    cell_ids = fields.One2many("customer.cost.run.cell", "step_id", string="Cost Items")

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
