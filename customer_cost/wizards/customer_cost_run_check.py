from odoo import api, fields, models


class CustomerCostRunCheck(models.TransientModel):
    """Everything that stands against computing a run, at once."""

    _name = "customer.cost.run.check"
    _description = "Run Check"
    _inherit = ["customer.cost.dialog"]

    run_id = fields.Many2one("customer.cost.run", required=True, readonly=True, ondelete="cascade")
    line_ids = fields.One2many("customer.cost.run.check.line", "check_id", readonly=True)
    error_count = fields.Integer(compute="_compute_counts")
    warning_count = fields.Integer(compute="_compute_counts")

    @api.depends("line_ids.severity")
    def _compute_counts(self):
        for check in self:
            errors = check.line_ids.filtered(lambda line: line.severity == "error")
            check.error_count = len(errors)
            check.warning_count = len(check.line_ids - errors)

    def action_compute(self):
        """Compute the run in spite of the warnings.

        :raises UserError: what stands against it is more than a warning
        """
        self.ensure_one()
        self.run_id.action_compute()
        return {"type": "ir.actions.act_window_close"}
