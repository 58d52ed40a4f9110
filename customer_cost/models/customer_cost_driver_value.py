from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import SQL, format_date

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

    @api.constrains("driver_id", "company_id", "customer_id", "date")
    def _check_once_a_month(self):
        """A file imported twice would double what the driver counts."""
        self.flush_model()
        found = self.env.execute_query(
            SQL(
                """SELECT v.id, other.id
                     FROM customer_cost_driver_value v
                     JOIN customer_cost_driver_value other
                       ON other.driver_id = v.driver_id AND other.company_id = v.company_id
                          AND other.customer_id = v.customer_id AND other.id <> v.id
                          AND date_trunc('month', other.date) = date_trunc('month', v.date)
                    WHERE v.id = ANY(%s)
                 ORDER BY v.id DESC, other.id LIMIT 1""",
                self.ids,
            )
        )
        for own, other in found:
            value, first = self.browse(own), self.browse(other)
            raise ValidationError(
                self.env._(
                    "%(driver)s has one value per customer and month. %(customer)s already has "
                    "%(first)s on %(first_date)s, so %(second)s on %(second_date)s cannot be "
                    "added. Change the first one, or delete it.",
                    driver=value.driver_id.display_name,
                    customer=value.customer_id.display_name,
                    first=f"{first.quantity:,.2f}",
                    first_date=format_date(self.env, first.date),
                    second=f"{value.quantity:,.2f}",
                    second_date=format_date(self.env, value.date),
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
