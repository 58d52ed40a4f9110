from datetime import timedelta
from fractions import Fraction

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tools import date_utils

from ..engine import from_minor, split, to_minor

MONTHS = 12
DAY = timedelta(days=1)


class CustomerCostBudgetFill(models.TransientModel):
    """Fills the lines of a draft budget, with a preview: spread, copied or from plan runs."""

    _name = "customer.cost.budget.fill"
    _description = "Fill a Budget"
    _inherit = ["customer.cost.dialog"]

    budget_id = fields.Many2one("customer.cost.budget", required=True, readonly=True)
    company_id = fields.Many2one(related="budget_id.company_id", related_sudo=False)
    currency_id = fields.Many2one(related="budget_id.currency_id", related_sudo=False)
    method = fields.Selection(
        [
            ("even", "Spread an amount evenly"),
            ("budget", "Copy the budget of the year before"),
            ("actual", "Copy the actual cost of the year before"),
            ("plan", "From plan runs"),
        ],
        required=True,
        default="even",
    )
    amount = fields.Monetary(help="Spread over the months of the budget, exact to the cent.")
    item_id = fields.Many2one(
        "customer.cost.item", string="Cost Item", check_company=True, help="Empty: all cost."
    )
    payment_method = fields.Selection(selection="_get_payment_methods")
    source_id = fields.Many2one(
        "customer.cost.budget",
        string="Copy From",
        compute="_compute_source_id",
        compute_sudo=False,
        store=True,
        readonly=False,
        domain="[('company_id', '=', company_id), ('id', '!=', budget_id)]",
    )
    change_pct = fields.Float(string="Change by %", digits=(9, 2), help="E.g. 5 or -10.")
    line_ids = fields.One2many(
        "customer.cost.budget.fill.line",
        "fill_id",
        compute="_compute_line_ids",
        compute_sudo=False,
        store=True,
        string="Preview",
    )
    total = fields.Monetary(compute="_compute_total")

    @api.model
    def _get_payment_methods(self):
        return self.env["customer.cost.budget.line"]._get_payment_methods()

    @api.depends("budget_id", "method")
    def _compute_source_id(self):
        for fill in self:
            budget = fill.budget_id
            fill.source_id = self.env["customer.cost.budget"].search(
                [
                    ("company_id", "=", budget.company_id.id),
                    ("customer_id", "=", budget.customer_id.id),
                    ("category_id", "=", budget.category_id.id),
                    ("state", "in", ("confirmed", "closed")),
                    ("date_to", "<", budget.date_from),
                ],
                order="date_to desc, id desc",
                limit=1,
            )

    @api.depends(
        "budget_id", "method", "amount", "item_id", "payment_method", "source_id", "change_pct"
    )
    def _compute_line_ids(self):
        for fill in self:
            fill.line_ids = [
                Command.clear(),
                *(Command.create(vals) for vals in fill._prepare_lines()),
            ]

    @api.depends("line_ids.planned")
    def _compute_total(self):
        for fill in self:
            fill.total = sum(fill.line_ids.mapped("planned"))

    def _prepare_lines(self):
        """Values of the lines that the chosen method makes."""
        self.ensure_one()
        if not self.budget_id:
            return []
        if self.method == "even":
            return self._prepare_even_lines()
        rows = getattr(self, f"_read_{self.method}")()
        digits = self.currency_id.decimal_places
        factor = 1 + Fraction(str(self.change_pct)) / 100
        months = set(self.budget_id._get_months())
        return [
            {
                "item_id": item_id,
                "payment_method": method,
                "month": month,
                "planned": float(from_minor(changed, digits)),
            }
            for (item_id, method, month), minor in sorted(
                rows.items(), key=lambda row: (row[0][0] or 0, row[0][1] or "", row[0][2])
            )
            # halves away from zero, as money is rounded everywhere
            if (changed := int(minor * factor + Fraction(1, 2))) > 0 and month in months
        ]

    def _prepare_even_lines(self):
        months = self.budget_id._get_months()
        digits = self.currency_id.decimal_places
        shares = split(to_minor(max(self.amount, 0.0), digits), [1] * len(months))
        return [
            {
                "item_id": self.item_id.id,
                "payment_method": self.payment_method,
                "month": month,
                "planned": float(from_minor(share, digits)),
            }
            for month, share in zip(months, shares.tolist(), strict=True)
            if share
        ]

    def _read_budget(self):
        """Planned amounts of the budget to copy, a whole number of years later."""
        source, digits = self.source_id, self.currency_id.decimal_places
        if not source:
            return {}
        years = self.budget_id.date_to.year - source.date_to.year
        return {
            (
                line.item_id.id,
                line.payment_method,
                date_utils.add(line.month, months=MONTHS * years),
            ): to_minor(line.planned, digits)
            for line in source.line_ids
        }

    def _read_actual(self):
        """Actual cost by item and month, a year later; allocated too where the budget says so."""
        budget, digits = self.budget_id, self.currency_id.decimal_places
        layers = ("direct", "allocated", "measured") if budget.basis == "full" else ("direct",)
        groups = self.env["customer.cost.analysis"]._read_group(
            [
                ("company_id", "=", budget.company_id.id),
                ("customer_id", "in", budget._get_customers().ids),
                ("layer", "in", layers),
                ("date", ">=", date_utils.subtract(budget.date_from, months=MONTHS)),
                ("date", "<", date_utils.subtract(budget.date_to + DAY, months=MONTHS)),
            ],
            ["item_id", "date:month"],
            ["amount:sum"],
        )
        return {
            (item.id, False, fields.Date.to_date(date_utils.add(month, months=MONTHS))): to_minor(
                amount, digits
            )
            for item, month, amount in groups
        }

    def action_apply(self):
        """Write what the preview shows in place of the lines that it replaces: those of the same
        item and payment method for spread amounts, all for copied ones, and for plan runs those of
        their months and of the items that they charge.

        :raises UserError: there is nothing to fill in, or the budget is no draft
        """
        self.ensure_one()
        budget = self.budget_id
        vals_list = self._prepare_lines()
        if not vals_list:
            raise UserError(
                self.env._(
                    "%(budget)s: there is nothing to fill in. Enter an amount, or choose a year "
                    "or plan runs that have figures.",
                    budget=budget.display_name,
                )
            )
        budget.write(
            {
                "line_ids": [
                    *(Command.delete(line.id) for line in self._get_replaced_lines()),
                    *(Command.create(vals) for vals in vals_list),
                ]
            }
        )
        return {"type": "ir.actions.act_window_close"}

    def _get_replaced_lines(self):
        """Lines of the budget that give way to what is filled in."""
        if self.method != "even":
            return self.budget_id.line_ids
        return self.budget_id.line_ids.filtered(
            lambda line: (line.item_id, line.payment_method) == (self.item_id, self.payment_method)
        )


class CustomerCostBudgetFillLine(models.TransientModel):
    """A line of the preview."""

    _name = "customer.cost.budget.fill.line"
    _description = "Line to Fill In"
    _order = "item_id, payment_method, month, id"

    fill_id = fields.Many2one("customer.cost.budget.fill", required=True, ondelete="cascade")
    currency_id = fields.Many2one(related="fill_id.currency_id")
    item_id = fields.Many2one("customer.cost.item", string="Cost Item", readonly=True)
    payment_method = fields.Selection(selection="_get_payment_methods", readonly=True)
    month = fields.Date(readonly=True)
    planned = fields.Monetary(readonly=True)

    @api.model
    def _get_payment_methods(self):
        return self.env["customer.cost.budget.line"]._get_payment_methods()
