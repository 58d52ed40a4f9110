from odoo import api, fields, models


class CustomerCostRunCompare(models.TransientModel):
    """Choose the run that a run is compared with."""

    _name = "customer.cost.run.compare"
    _description = "Compare Runs"
    _inherit = ["customer.cost.dialog"]

    run_id = fields.Many2one("customer.cost.run", required=True, readonly=True, ondelete="cascade")
    company_id = fields.Many2one(related="run_id.company_id", related_sudo=False)
    other_run_id = fields.Many2one(
        "customer.cost.run",
        string="Compare With",
        required=True,
        compute="_compute_other_run_id",
        compute_sudo=False,
        store=True,
        precompute=True,
        readonly=False,
        ondelete="cascade",
        domain="[('company_id', '=', company_id), ('id', '!=', run_id), ('state', '!=', 'draft')]",
    )

    @api.depends("run_id")
    def _compute_other_run_id(self):
        for wizard in self:
            wizard.other_run_id = wizard.run_id._get_comparable()

    def action_compare(self):
        """Compare the two runs and open the result.

        :return: action
        """
        self.ensure_one()
        return self.run_id._compare_with(self.other_run_id)._open_lines()
