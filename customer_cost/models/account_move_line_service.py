from odoo import api, fields, models
from odoo.exceptions import ValidationError


class AccountMoveLine(models.Model):
    """The months a cost serves, where they are not the one it is booked in."""

    _inherit = "account.move.line"

    cost_service_from = fields.Date(
        string="Service From",
        copy=False,
        tracking=True,
        help="Spreads the customer cost over the months of the service period; the accounts stay "
        "as they are. Leave it empty where deferral entries spread the cost in the books.",
    )
    cost_service_to = fields.Date(string="Service Until", copy=False, tracking=True)

    @api.constrains("cost_service_from", "cost_service_to")
    def _check_cost_service(self):
        capture = self.env["customer.cost.capture"]
        for line in self:
            problem = capture._get_service_problem(
                line.cost_service_from, line.cost_service_to, line.date
            )
            if problem:
                raise ValidationError(
                    self.env._("%(line)s: %(problem)s", line=line.display_name, problem=problem)
                )

    def _copy_data_extend_business_fields(self, values):
        # A reversal takes back what its document spread; a copy is another service.
        res = super()._copy_data_extend_business_fields(values)
        values["cost_service_from"] = self.cost_service_from
        values["cost_service_to"] = self.cost_service_to
        return res
