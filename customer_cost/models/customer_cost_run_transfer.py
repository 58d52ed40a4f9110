from odoo import api, fields, models

from ..fields import Amount


class CustomerCostRunTransfer(models.Model):
    """What one cost centre gave to another in a step of a run."""

    _name = "customer.cost.run.transfer"
    _description = "Transfer Between Cost Centres"
    _order = "step_id, from_centre_id, from_item_id, to_centre_id, id"

    step_id = fields.Many2one(
        "customer.cost.run.step", required=True, readonly=True, index=True, ondelete="cascade"
    )
    run_id = fields.Many2one(related="step_id.run_id", store=True, index=True)
    company_id = fields.Many2one(related="step_id.company_id", store=True, index=True)
    from_item_id = fields.Many2one(
        "customer.cost.item", string="Cost Item", required=True, readonly=True, ondelete="restrict"
    )
    from_centre_id = fields.Many2one(
        "account.analytic.account",
        string="From",
        required=True,
        readonly=True,
        index=True,
        ondelete="restrict",
    )
    to_item_id = fields.Many2one(
        "customer.cost.item",
        string="Charged As",
        required=True,
        readonly=True,
        ondelete="restrict",
    )
    to_centre_id = fields.Many2one(
        "account.analytic.account",
        string="To",
        required=True,
        readonly=True,
        index=True,
        ondelete="restrict",
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    amount = Amount(required=True, readonly=True)
    fixed_amount = Amount(string="Fixed Part", readonly=True)

    @api.depends("from_centre_id", "to_centre_id")
    def _compute_display_name(self):
        for transfer in self:
            transfer.display_name = self.env._(
                "%(source)s to %(target)s",
                source=transfer.from_centre_id.display_name,
                target=transfer.to_centre_id.display_name,
            )
