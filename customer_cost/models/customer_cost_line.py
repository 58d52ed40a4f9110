from odoo import api, fields, models
from odoo.tools import date_utils

from ..fields import Amount, Many2oneUnchecked


class CustomerCostLine(models.Model):
    """The ledger of direct cost and of the pools: append-only, written by the entries."""

    _name = "customer.cost.line"
    _description = "Cost Ledger Line"
    _log_access = False
    _order = "id desc"

    company_id = Many2oneUnchecked("res.company", required=True, readonly=True)
    date = fields.Date(required=True, readonly=True)
    origin_date = fields.Date(
        string="Accounting Date",
        required=True,
        readonly=True,
        help="Differs from the date when the cost came after its period was closed.",
    )
    service_date = fields.Date(
        required=True,
        readonly=True,
        help="The day whose month the cost belongs to: the accounting date, or the first day of "
        "the service period in that month.",
    )
    item_id = fields.Many2one(
        "customer.cost.item",
        string="Cost Item",
        required=True,
        readonly=True,
        index=True,
        ondelete="restrict",
    )
    customer_id = fields.Many2one(
        "res.partner",
        readonly=True,
        ondelete="restrict",
        help="Empty: indirect cost, waiting in its pool.",
    )
    entry_id = fields.Many2one(
        "customer.cost.entry",
        string="Cost",
        required=True,
        readonly=True,
        index=True,
        ondelete="restrict",
    )
    cost_centre_id = Many2oneUnchecked(
        "account.analytic.account", string="Cost Centre", readonly=True
    )
    statistical = fields.Boolean(
        string="Not in the Books", readonly=True, help="Recorded by hand, not from accounting."
    )
    amount = Amount(required=True, readonly=True)
    currency_id = fields.Many2one(related="company_id.currency_id")

    _customer_date_idx = models.Index("(customer_id, date) INCLUDE (amount)")
    _cost_centre_idx = models.Index("(cost_centre_id) WHERE cost_centre_id IS NOT NULL")
    _company_origin_idx = models.Index("(company_id, origin_date)")
    _late_idx = models.Index("(company_id, date) WHERE date <> service_date")
    _company_date_item_idx = models.Index("(company_id, date, item_id)")

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        for (company, month), group in lines.grouped(
            lambda line: (line.company_id, date_utils.start_of(line.date, "month"))
        ).items():
            self.env["customer.cost.dirty"]._mark(company.id, [month], group.customer_id.ids)
        return lines

    def action_open_entry(self):
        """Open the cost behind this ledger line."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "customer.cost.entry",
            "res_id": self.entry_id.id,
            "view_mode": "form",
            "views": [(False, "form")],
        }
