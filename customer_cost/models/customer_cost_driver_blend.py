from odoo import api, fields, models
from odoo.exceptions import UserError

from ..engine import Blend, NegativeQuantities, weigh_basis

NAMED_CUSTOMERS = 10


class CustomerCostDriverBlend(models.Model):
    """Drivers made of other drivers."""

    _inherit = "customer.cost.driver"

    blend_method = fields.Selection(
        [
            ("sum", "Shares, added up by weight"),
            ("product", "Quantities, multiplied"),
        ],
        string="Blended By",
        required=True,
        default="sum",
        tracking=True,
        help="Shares by weight: each driver is taken in proportion to its own total among the "
        "receivers. One that counts nothing for them is left out and named, the other weights "
        "then make up the whole; only if all count nothing does the pool keep its cost. "
        "Multiplied: e.g. hours × difficulty; a customer without a quantity of one driver "
        "counts zero.",
    )
    component_ids = fields.One2many(
        "customer.cost.driver.component", "driver_id", string="Made Of", copy=True
    )
    blend = fields.Char(compute="_compute_blend", store=True, tracking=True)

    @api.depends(
        "blend_method",
        "component_ids.sequence",
        "component_ids.weight",
        "component_ids.component_id.code",
    )
    def _compute_blend(self):
        for driver in self:
            parts = driver.component_ids.sorted()
            if driver.blend_method == "product":
                driver.blend = " × ".join(parts.mapped("component_id.code"))
            else:
                driver.blend = " + ".join(
                    f"{part.weight:.6f}".rstrip("0").rstrip(".") + f" {part.component_id.code}"
                    for part in parts
                )

    @api.constrains("kind", "component_ids")
    def _check_parts(self):
        for driver in self.filtered(lambda driver: driver.kind == "composite"):
            if not driver.component_ids:
                driver._raise_part(
                    "component_ids", self.env._("choose the drivers that it is made of")
                )
            circle = driver._get_circle()
            if circle:
                driver._raise_part(
                    "component_ids",
                    self.env._(
                        "a driver cannot be part of itself: %(drivers)s",
                        drivers=" → ".join(part.display_name for part in circle),
                    ),
                )

    @api.constrains("company_id")
    def _check_company_of_parts(self):
        self.component_ids._check_company()

    @api.constrains("kind")
    def _check_not_measured(self):
        # sudo: a rule of a company the user may not see counts by the driver as well
        rules = self.env["customer.cost.rule"].sudo()
        rules.search([("driver_id", "in", self.ids)])._check_counted()

    def _get_parts(self):
        """Drivers that this one is made of, in order."""
        return self.component_ids.sorted().component_id if self.kind == "composite" else self[:0]

    def _get_circle(self, above=()):
        """Drivers from one that is part of itself back to it, or an empty list."""
        if self in above:
            return [*above[above.index(self) :], self]
        circles = (part._get_circle((*above, self)) for part in self._get_parts())
        return next((circle for circle in circles if circle), [])

    def _get_blends(self):
        """Drivers in use that this one is part of."""
        # sudo: a blend of a company the user may not see needs its parts as well
        return self.sudo().search(
            [("kind", "=", "composite"), ("component_ids.component_id", "in", self.ids)]
        )

    def _get_blend(self, company, date):
        parts = self.component_ids.sorted()
        return Blend(
            self.id,
            tuple((part.weight, part.component_id._get_basis(company, date)) for part in parts),
            self.blend_method == "product",
        )

    def _get_quantities_composite(self, company, _first, last):
        ids, weighed = self._weigh_blend(company, last)
        return dict(zip(ids.tolist(), weighed.weights.tolist(), strict=True))

    def _weigh_blend(self, company, date):
        """Weights of all customers that any part counts, as parts per million.

        :return: ``(ids, weighed)``: customers ascending, :class:`~..engine.Weighed`
        :raises UserError: a part that refuses negative quantities counts some
        """
        blend = self._get_basis(company, date)
        ids = blend.customers
        try:
            return ids, weigh_basis(blend, ids)
        except NegativeQuantities as error:
            raise UserError(
                self.env._(
                    "Driver %(driver)s: its part %(part)s is negative for %(customers)s. Choose "
                    "how that driver treats negative quantities.",
                    driver=self.display_name,
                    part=self.browse(error.key).display_name,
                    customers=self._name_customers(
                        ids[error.positions], error.quantities[error.positions]
                    ),
                )
            ) from error

    def _describe_empty(self, keys):
        """What a person has to know about parts that count nothing, or ``False``."""
        if not keys:
            return False
        names = ", ".join(self.browse(key).display_name for key in dict.fromkeys(keys))
        if self.blend_method == "product":
            return self.env._(
                "Without any quantity, so that all are zero: %(drivers)s.", drivers=names
            )
        return self.env._(
            "Without any quantity and left out, the others count for it: %(drivers)s.",
            drivers=names,
        )

    @api.model
    def _name_customers(self, ids, quantities):
        # sudo: named for the accountant who computes the run
        partners = self.env["res.partner"].sudo()
        names = [
            f"{partners.browse(int(customer)).display_name} ({quantity:g})"
            for customer, quantity in list(zip(ids, quantities, strict=True))[:NAMED_CUSTOMERS]
        ]
        if len(ids) > len(names):
            names.append(self.env._("and %(count)s more", count=len(ids) - len(names)))
        return ", ".join(names)
