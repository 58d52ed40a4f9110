from odoo import api, fields, models


class CustomerCostBudgetPart(models.AbstractModel):
    """Lines and limits of a budget: they change with a draft only, by whatever way."""

    _name = "customer.cost.budget.part"
    _description = "Part of a Budget"
    _inherit = ["customer.cost.guarded"]

    budget_id = fields.Many2one(
        "customer.cost.budget", required=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="budget_id.company_id", store=True, index=True)
    currency_id = fields.Many2one(related="budget_id.currency_id")

    @api.model_create_multi
    def create(self, vals_list):
        parts = super().create(vals_list)
        parts._check_budget_draft()
        return parts

    def write(self, vals):
        self.check_access("write")
        self._check_budget_draft()
        res = super().write(vals)
        self._check_budget_draft()  # of another budget by now, perhaps
        return res

    @api.ondelete(at_uninstall=False)
    def _unlink_except_confirmed(self):
        self._check_budget_draft()

    def _check_budget_draft(self):
        if not self._guard_is_open():
            self.budget_id._check_draft()
