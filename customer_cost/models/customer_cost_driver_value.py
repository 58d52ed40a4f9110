from math import isfinite

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..fields import Quantity


class CustomerCostDriverValue(models.Model):
    """A quantity that lives outside Odoo, entered or imported per customer and period."""

    _name = "customer.cost.driver.value"
    _description = "Driver Value"
    _inherit = ["customer.cost.company.mixin"]
    _order = "date desc, driver_id, customer_id, id"
    _check_company_auto = True

    driver_id = fields.Many2one(
        "customer.cost.driver",
        required=True,
        index=True,
        ondelete="cascade",
        domain=[("kind", "=", "value")],
    )
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company, index=True
    )
    date = fields.Date(
        required=True,
        default=fields.Date.context_today,
        help="Any day of the period the quantity belongs to.",
    )
    customer_id = fields.Many2one(
        "res.partner",
        required=True,
        index=True,
        ondelete="restrict",
        check_company=True,
    )
    quantity = Quantity(required=True)

    @api.constrains("quantity")
    def _check_quantity(self):
        for value in self:
            if not isfinite(value.quantity):
                raise ValidationError(
                    self.env._(
                        "The quantity of %(customer)s is not a number.",
                        customer=value.customer_id.display_name,
                    )
                )

    @api.constrains("driver_id")
    def _check_driver_kind(self):
        for value in self:
            if value.driver_id.kind != "value":
                raise ValidationError(
                    self.env._(
                        "%(driver)s measures itself: values cannot be entered for it.",
                        driver=value.driver_id.display_name,
                    )
                )

    def _add_missing_default_values(self, values):
        values = super()._add_missing_default_values(values)
        self._normalise_customer(values)
        return values

    def write(self, vals):
        self._normalise_customer(vals)
        return super().write(vals)

    @api.model
    def _normalise_customer(self, vals):
        if vals.get("customer_id"):
            partner = self.env["res.partner"].browse(vals["customer_id"])
            vals["customer_id"] = partner.commercial_partner_id.id

    @api.depends("driver_id", "customer_id", "date")
    def _compute_display_name(self):
        for value in self:
            value.display_name = f"{value.driver_id.name} · {value.customer_id.name} · {value.date}"
