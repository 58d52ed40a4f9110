from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    customer_cost_plan_id = fields.Many2one(
        related="company_id.customer_cost_plan_id", readonly=False
    )
    customer_cost_centre_plan_id = fields.Many2one(
        related="company_id.customer_cost_centre_plan_id", readonly=False
    )
    customer_cost_max_days_back = fields.Integer(
        related="company_id.customer_cost_max_days_back", readonly=False
    )
