from odoo import fields, models

SERVICE_METHODS = [
    ("direct", "Not: each sends past the others"),
    ("step_down", "One after another, in the order of the rules"),
    ("reciprocal", "All at once, solved exactly"),
]


class ResCompanyService(models.Model):
    """How cost centres that serve each other share out their cost."""

    _inherit = "res.company"

    customer_cost_service_method = fields.Selection(
        SERVICE_METHODS,
        string="Cost Centres Serve Each Other",
        required=True,
        default="step_down",
        help="What becomes of cost that a serving cost centre sends to another serving one. "
        "A change counts from the next run that is computed.",
    )
