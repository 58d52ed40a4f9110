from odoo import models


class CustomerCostCompanyMixin(models.AbstractModel):
    """Records of a company: nobody moves one into a company they may not work in."""

    _name = "customer.cost.company.mixin"
    _description = "Record of a Company"

    def write(self, vals):
        res = super().write(vals)
        if "company_id" in vals:
            self.check_access("write")
        return res
