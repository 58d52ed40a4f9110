from odoo import api, models


class ResCompany(models.Model):
    _inherit = "res.company"

    @api.model_create_multi
    def create(self, vals_list):
        companies = super().create(vals_list)
        # sudo: who makes a company need not be a cost accountant
        self.env["customer.cost.alert.rule"].sudo()._create_presets(companies)
        return companies
