from odoo import api, fields, models


class CustomerCostEntry(models.Model):
    """Receipts and offers of a cost: the files attached to it, added and removed on its form."""

    _inherit = "customer.cost.entry"

    attachment_ids = fields.One2many(
        "ir.attachment", "res_id", domain=[("res_model", "=", "customer.cost.entry")]
    )
    receipt_ids = fields.Many2many(
        "ir.attachment",
        string="Receipts or Offers",
        compute="_compute_receipt_ids",
        inverse="_inverse_receipt_ids",
    )

    @api.depends("attachment_ids")
    def _compute_receipt_ids(self):
        for entry in self:
            entry.receipt_ids = entry.attachment_ids

    def _inverse_receipt_ids(self):
        for entry in self:
            receipts = entry.receipt_ids
            (entry.attachment_ids - receipts).unlink()
            added = receipts - entry.attachment_ids
            added.write({"res_model": self._name, "res_id": entry.id})
