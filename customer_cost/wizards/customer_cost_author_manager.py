from odoo import api, fields, models
from odoo.exceptions import AccessError


class CustomerCostAuthorManager(models.TransientModel):
    """Says whose manager decides at stages that name the author's manager."""

    _name = "customer.cost.author.manager"
    _description = "Managers of Authors"

    manager_id = fields.Many2one(
        "res.users", domain="[('share', '=', False)]", help="Left empty, they have none."
    )
    user_ids = fields.Many2many(
        "res.users", string="Authors", required=True, domain="[('share', '=', False)]"
    )
    overview = fields.Html(compute="_compute_overview", string="As It Is")

    @api.depends_context("uid")
    def _compute_overview(self):
        users = self.env["res.users"].search(
            [("share", "=", False), ("company_ids", "in", self.env.companies.ids)]
        )
        # sudo: whose manager decides, for a cost manager
        known = users.sudo().filtered("customer_cost_manager_id")
        self.overview = self.env["ir.qweb"]._render(
            "customer_cost.author_managers", {"groups": known.grouped("customer_cost_manager_id")}
        )

    def action_save(self):
        """Set the manager of these authors.

        :raises AccessError: the user is no cost manager, or an author works in other companies
        """
        self.ensure_one()
        users = self.user_ids
        foreign = users.filtered(lambda user: not user.sudo().company_ids & self.env.companies)
        if not self.env.user.has_group("customer_cost.group_customer_cost_manager") or foreign:
            raise AccessError(
                self.env._("Only a cost manager sets the managers of authors of their companies.")
            )
        # sudo: the role was checked, and this one field is written
        users.sudo().write({"customer_cost_manager_id": self.manager_id.id})
        return {"type": "ir.actions.act_window_close"}
