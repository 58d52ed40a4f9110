from odoo import models


class MailTrackingValue(models.Model):
    _inherit = "mail.tracking.value"

    def _tracking_value_format_model(self, model):
        """A number that was tracked with a currency is shown as an amount."""
        formatted = super()._tracking_value_format_model(model)
        for values in formatted:
            info = values["fieldInfo"]
            if info["currencyId"] and info["fieldType"] == "float":
                info["fieldType"] = "monetary"
        return formatted
