from odoo import api, models


class CustomerCostEntry(models.Model):
    """A cost that is recorded closes the reminder that asked for it."""

    _inherit = "customer.cost.entry"

    @api.model_create_multi
    def create(self, vals_list):
        entries = super().create(vals_list)
        if entries:
            # sudo: the reminders of the user, who writes none
            waiting = self.env["customer.cost.recording.period"].sudo()
            waiting.search(
                [
                    ("state", "=", "missing"),
                    ("user_id", "=", self.env.uid),
                    ("date_from", "<=", max(entries.mapped("date"))),
                    ("date_to", ">=", min(entries.mapped("date"))),
                ]
            )._refresh()
        return entries
