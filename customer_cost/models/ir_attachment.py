from odoo import api, models
from odoo.exceptions import UserError

CONTENT_FIELDS = frozenset(
    {
        "datas",
        "db_datas",
        "mimetype",
        "name",
        "raw",
        "res_id",
        "res_model",
        "store_fname",
        "type",
        "url",
    }
)


class IrAttachment(models.Model):
    """Receipts of a cost stay as they were once it has been submitted."""

    _inherit = "ir.attachment"

    @api.ondelete(at_uninstall=False)
    def _unlink_except_receipt(self):
        self._check_receipts_open()

    def write(self, vals):
        if CONTENT_FIELDS.intersection(vals):
            self._check_receipts_open()
        return super().write(vals)

    def _check_receipts_open(self):
        ids = [
            attachment.res_id
            for attachment in self
            if attachment.res_model == "customer.cost.entry" and attachment.res_id
        ]
        # sudo: a decided cost protects its receipts from people who may not see it as well
        entries = self.env["customer.cost.entry"].sudo().browse(ids).exists()
        for entry in entries:
            if entry.state not in ("draft", "refused"):
                raise UserError(
                    self.env._(
                        "%(cost)s has been submitted: its receipts cannot be removed or changed.",
                        cost=entry.display_name,
                    )
                )
