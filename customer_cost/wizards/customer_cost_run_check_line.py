from odoo import fields, models


class CustomerCostRunCheckLine(models.TransientModel):
    """One problem of a run, and the record where it is put right."""

    _name = "customer.cost.run.check.line"
    _description = "Run Problem"
    _order = "severity, id"

    check_id = fields.Many2one(
        "customer.cost.run.check", required=True, index=True, ondelete="cascade"
    )
    severity = fields.Selection([("error", "Error"), ("warning", "Warning")], required=True)
    text = fields.Text(string="Problem", required=True)
    res_model = fields.Char(required=True)
    res_id = fields.Many2oneReference(model_field="res_model", required=True)

    def action_open(self):
        """Open the record where the problem is put right."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": self.res_model,
            "res_id": self.res_id,
            "views": [(False, "form")],
        }
