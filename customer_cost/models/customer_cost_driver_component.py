from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..fields import Quantity


class CustomerCostDriverComponent(models.Model):
    """One driver that another is made of."""

    _name = "customer.cost.driver.component"
    _description = "Driver in a Blend"
    _order = "driver_id, sequence, id"
    _check_company_auto = True
    _check_company_domain = models.check_company_domain_parent_of

    driver_id = fields.Many2one(
        "customer.cost.driver", string="Blend", required=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="driver_id.company_id", store=True, index=True)
    sequence = fields.Integer(default=10)
    component_id = fields.Many2one(
        "customer.cost.driver",
        string="Driver",
        required=True,
        index=True,
        ondelete="restrict",
        check_company=True,
    )
    weight = Quantity(
        required=True,
        default=1.0,
        help="How much of the cost this driver shares out, relative to the other weights.",
    )

    @api.constrains("weight")
    def _check_weight(self):
        for component in self:
            if component.weight <= 0:
                raise ValidationError(
                    self.env._(
                        "Driver %(driver)s: the weight of %(component)s has to lie above 0.",
                        driver=component.driver_id.name,
                        component=component.component_id.display_name,
                    )
                )

    @api.constrains("driver_id", "component_id")
    def _check_parts(self):
        self.driver_id._check_parts()
