from odoo import api, models
from odoo.exceptions import AccessError


class IrAttachment(models.Model):
    """The frozen inputs of a run are written by the run alone."""

    _inherit = "ir.attachment"

    @api.model_create_multi
    def create(self, vals_list):
        attachments = super().create(vals_list)
        attachments._check_not_frozen()
        return attachments

    def write(self, vals):
        self._check_not_frozen()
        res = super().write(vals)
        self._check_not_frozen()
        return res

    @api.ondelete(at_uninstall=False)
    def _unlink_except_frozen(self):
        self._check_not_frozen()

    def _check_not_frozen(self):
        """Refuse what makes, changes or takes the place of frozen inputs.

        :raises AccessError: one of these attachments holds them
        """
        if self.env.su:
            return
        for attachment in self.sudo():  # sudo: what is refused is told by its place alone
            if attachment.res_model == "customer.cost.run" and attachment.res_field:
                raise AccessError(
                    self.env._("The frozen inputs of a run are written by the run alone.")
                )
