from odoo import api, fields, models
from odoo.exceptions import ValidationError


class CustomerCostEntry(models.Model):
    """The customer invoice that a cost recorded by hand was caused by."""

    _inherit = "customer.cost.entry"

    invoice_id = fields.Many2one(
        "account.move",
        string="For Invoice",
        index="btree_not_null",
        ondelete="restrict",
        check_company=True,
        tracking=True,
        help="The customer invoice that caused this cost: it is listed on it.",
    )

    @api.onchange("invoice_id")
    def _onchange_invoice_id(self):
        if self.invoice_id:
            self.customer_id = self.invoice_id.partner_id.commercial_partner_id

    @api.onchange("customer_id")
    def _onchange_customer_id(self):
        res = super()._onchange_customer_id()
        if self.invoice_id.partner_id.commercial_partner_id != self.customer_id:
            self.invoice_id = False
        return res

    @api.model
    def _normalise_customer(self, vals):
        if vals.get("invoice_id") and not (vals.get("customer_id") or vals.get("contact_id")):
            invoice = self.env["account.move"].browse(vals["invoice_id"])
            vals["customer_id"] = invoice.partner_id.commercial_partner_id.id
        return super()._normalise_customer(vals)

    @api.constrains("invoice_id", "customer_id")
    def _check_invoice(self):
        for entry in self.filtered("invoice_id"):
            problem = self.env["account.move"]._get_cost_invoice_problem(
                entry.invoice_id, entry.customer_id
            )
            if problem:
                raise ValidationError(problem)

    def _prepare_reversal_vals(self):
        return {**super()._prepare_reversal_vals(), "invoice_id": self.invoice_id.id}
