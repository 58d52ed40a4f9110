from odoo import api, fields, models
from odoo.exceptions import ValidationError


class AccountMoveLine(models.Model):
    """The customer invoice that a booked cost was caused by: freight, commission, a fee."""

    _inherit = "account.move.line"

    cost_invoice_id = fields.Many2one(
        "account.move",
        string="Cost For Invoice",
        index="btree_not_null",
        copy=False,
        check_company=True,
        tracking=True,
        help="The customer invoice that caused this cost. The cost is listed on it and counts for "
        "its customer.",
    )

    @api.onchange("cost_invoice_id")
    def _onchange_cost_invoice_id(self):
        if self.cost_invoice_id:
            self.cost_customer_id = self.cost_invoice_id.partner_id.commercial_partner_id

    @api.onchange("cost_customer_id")
    def _onchange_cost_customer_id(self):
        invoice = self.cost_invoice_id
        if invoice.partner_id.commercial_partner_id != self.cost_customer_id.commercial_partner_id:
            self.cost_invoice_id = False

    @api.model_create_multi
    def create(self, vals_list):
        return super().create([self._add_cost_customer(vals) for vals in vals_list])

    def write(self, vals):
        if "cost_invoice_id" in vals:
            self._check_cost_period_open()
            vals = self._add_cost_customer(vals)
        return super().write(vals)

    @api.model
    def _add_cost_customer(self, vals):
        """A cost for an invoice is one for its customer."""
        if not vals.get("cost_invoice_id") or vals.get("cost_customer_id"):
            return vals
        invoice = self.env["account.move"].browse(vals["cost_invoice_id"])
        return {**vals, "cost_customer_id": invoice.partner_id.commercial_partner_id.id}

    @api.constrains("cost_invoice_id", "cost_customer_id")
    def _check_cost_invoice(self):
        for line in self.filtered("cost_invoice_id"):
            problem = self.env["account.move"]._get_cost_invoice_problem(
                line.cost_invoice_id, line.cost_customer_id
            )
            if problem:
                raise ValidationError(
                    self.env._("%(line)s: %(problem)s", line=line.display_name, problem=problem)
                )

    def _copy_data_extend_business_fields(self, values):
        # A vendor's credit note takes the cost back from the invoice that its bill served.
        res = super()._copy_data_extend_business_fields(values)
        if self.move_id.is_purchase_document(include_receipts=True):
            values["cost_invoice_id"] = self.cost_invoice_id.id
        return res
