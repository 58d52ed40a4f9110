from odoo import fields, models


class CustomerCostAlertAct(models.TransientModel):
    """Asks for what assigning, snoozing or resolving alerts needs to know."""

    _name = "customer.cost.alert.act"
    _description = "Act on Alerts"
    _inherit = ["customer.cost.dialog"]

    alert_ids = fields.Many2many("customer.cost.alert", string="Alerts", required=True)
    kind = fields.Selection(
        [("assign", "Assign"), ("snooze", "Snooze"), ("resolve", "Resolve")], required=True
    )
    user_id = fields.Many2one(
        "res.users",
        string="Assign To",
        default=lambda self: self.env.user,
        domain=[("share", "=", False)],
    )
    until = fields.Date(string="Snooze Until")
    note = fields.Text(string="What Was Done")

    def action_confirm(self):
        """Do it, with the user's own rights on the alerts."""
        self.ensure_one()
        if self.kind == "assign":
            self.alert_ids._assign(self.user_id)
        elif self.kind == "snooze":
            self.alert_ids._snooze(self.until)
        else:
            self.alert_ids._resolve(self.note)
        return {"type": "ir.actions.act_window_close"}
