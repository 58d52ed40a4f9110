from odoo import api, fields, models
from odoo.exceptions import ValidationError


class ResUsers(models.Model):
    """Whose manager somebody is, and who decides while somebody is out of office."""

    _inherit = "res.users"

    customer_cost_substitute_id = fields.Many2one(
        "res.users",
        string="Substitute for Cost Reviews",
        domain="[('share', '=', False), ('id', '!=', id)]",
        help="Decides on costs in your place while you are out of office, if they are a reviewer.",
    )
    customer_cost_manager_id = fields.Many2one(
        "res.users",
        string="Manager for Cost Reviews",
        domain="[('share', '=', False), ('id', '!=', id)]",
        help="Decides at stages that name the author's manager. Set by cost managers.",
    )

    customer_cost_digest_on = fields.Date(
        string="Last Cost Review Digest", readonly=True, copy=False
    )

    @property
    def SELF_READABLE_FIELDS(self):
        return super().SELF_READABLE_FIELDS + ["customer_cost_substitute_id"]

    @property
    def SELF_WRITEABLE_FIELDS(self):
        return super().SELF_WRITEABLE_FIELDS + ["customer_cost_substitute_id"]

    @api.constrains("customer_cost_substitute_id", "customer_cost_manager_id")
    def _check_customer_cost_persons(self):
        for user in self:
            if user in user.customer_cost_substitute_id | user.customer_cost_manager_id:
                raise ValidationError(
                    self.env._("%(user)s cannot stand in for themselves.", user=user.name)
                )

    def _get_customer_cost_manager(self):
        """Who decides at stages that name this author's manager; a staff add-on may know better."""
        return self.customer_cost_manager_id
