from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.tools import date_utils, format_date

from ..fields import Quantity

SHOWN = 200


class CustomerCostDriverPreview(models.TransientModel):
    """What a driver yields per customer in one period, before any cost follows it."""

    _name = "customer.cost.driver.preview"
    _description = "Driver Preview"
    _inherit = ["customer.cost.dialog"]

    driver_id = fields.Many2one("customer.cost.driver", required=True, readonly=True)
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company
    )
    date = fields.Date(
        string="Month",
        required=True,
        default=lambda self: self.env["customer.cost.run"]._default_date(),
    )
    window_label = fields.Char(string="Measured Over", compute="_compute_quantities")
    total = Quantity(compute="_compute_quantities")
    customer_count = fields.Integer(
        string="Customers with a Quantity", compute="_compute_quantities"
    )
    zero_count = fields.Integer(string="Zero", compute="_compute_quantities")
    negative_count = fields.Integer(string="Negative", compute="_compute_quantities")
    shown_count = fields.Integer(compute="_compute_quantities")
    note = fields.Char(compute="_compute_quantities")
    line_ids = fields.One2many(
        "customer.cost.driver.preview.line", "preview_id", compute="_compute_quantities"
    )

    def _check_named(self):
        self._check_companies()
        return super()._check_named()

    def _check_companies(self):
        if self.company_id - self.env.companies:
            raise AccessError(self.env._("A preview is limited to the companies you work in."))

    @api.depends("driver_id", "company_id", "date")
    def _compute_quantities(self):
        self._check_companies()
        for preview in self:
            found = {}
            preview.window_label = preview.note = False
            if preview.driver_id and preview.company_id and preview.date:
                first, last = preview.driver_id._get_window_dates(preview.company_id, preview.date)
                preview.window_label = " – ".join(
                    format_date(self.env, day) for day in (first, last)
                )
                found, preview.note = preview._measure()
            values = {customer: float(quantity) for customer, quantity in found.items()}
            preview.total = sum(values.values())
            preview.customer_count = len(values)
            preview.zero_count = sum(1 for value in values.values() if not value)
            preview.negative_count = sum(1 for value in values.values() if value < 0)
            shown = preview._get_shown(values)
            preview.shown_count = len(shown)
            preview.line_ids = [fields.Command.clear()] + [
                fields.Command.create(
                    {
                        "customer_id": customer,
                        "quantity": value,
                        "share_pct": 100 * value / preview.total if preview.total > 0 else 0.0,
                        "remark": preview._get_remark(value),
                    }
                )
                for customer, value in shown
            ]

    def _measure(self):
        """Quantities by customer, and what a person has to know about them."""
        driver, company = self.driver_id, self.company_id
        if driver.kind == "composite":
            ids, weighed = driver._weigh_blend(company, date_utils.end_of(self.date, "month"))
            found = dict(zip(ids.tolist(), weighed.weights.tolist(), strict=True))
            return found, driver._describe_empty(weighed.empty)
        if driver.kind == "cost":
            note = self.env._("A run adds what its earlier steps have allocated.")
            return driver._get_quantities(company, self.date), note
        return driver._get_quantities(company, self.date), False

    @api.model
    def _get_shown(self, values):
        """Customers that need a look first (negative, zero), then the largest."""
        ordered = sorted(values.items(), key=lambda pair: (pair[1] > 0, -abs(pair[1]), pair[0]))
        odd = [pair for pair in ordered if pair[1] <= 0][: SHOWN // 2]
        return odd + [pair for pair in ordered if pair[1] > 0][: SHOWN - len(odd)]

    @api.model
    def _get_remark(self, value):
        if value < 0:
            return "negative"
        return "zero" if not value else False


class CustomerCostDriverPreviewLine(models.TransientModel):
    """One customer's quantity in a driver preview."""

    _name = "customer.cost.driver.preview.line"
    _description = "Driver Preview Line"

    preview_id = fields.Many2one("customer.cost.driver.preview", ondelete="cascade")
    customer_id = fields.Many2one("res.partner", readonly=True)
    quantity = Quantity(readonly=True)
    share_pct = fields.Float(string="Share %", digits=(16, 4), readonly=True)
    remark = fields.Selection([("zero", "Zero"), ("negative", "Negative")], readonly=True)
