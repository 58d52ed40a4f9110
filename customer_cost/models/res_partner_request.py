from odoo import models


class ResPartner(models.Model):
    _inherit = "res.partner"

    def action_new_cost_request(self):
        """Ask for money to be spent on this customer.

        :return: action that opens a new request
        """
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "customer_cost.customer_cost_request_action"
        )
        return {
            **action,
            "name": self.env._("New Request"),
            "views": [
                (self.env.ref("customer_cost.customer_cost_request_view_form").id, "form"),
            ],
            "context": {
                "default_kind": "request",
                "default_customer_id": self.commercial_partner_id.id,
            },
        }
