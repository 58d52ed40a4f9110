from odoo import fields, models


class CustomerCostOverrideGive(models.TransientModel):
    """Asks a cost manager why a draft bill may pass its budgets."""

    _name = "customer.cost.override.give"
    _description = "Allow a Bill Over Budget"
    _inherit = ["customer.cost.dialog"]

    move_id = fields.Many2one("account.move", string="Bill", required=True, readonly=True)
    findings = fields.Json(related="move_id.cost_budget_findings", related_sudo=False)
    reason = fields.Text(required=True)

    def action_confirm(self):
        """Let the bill pass its budgets.

        :raises UserError: no budget blocks it
        :raises AccessError: the user is no cost manager
        """
        self.ensure_one()
        self.move_id._override_budgets(self.reason)
        return {"type": "ir.actions.act_window_close"}
