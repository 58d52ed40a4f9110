from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import date_utils, formatLang


class CustomerCostBudgetLine(models.Model):
    """Planned cost of a month, of a cost item with its sub-items or of everything."""

    _name = "customer.cost.budget.line"
    _description = "Customer Budget Line"
    _inherit = ["customer.cost.budget.part"]
    _order = "budget_id, item_id, payment_method, month, id"
    _check_company_auto = True

    customer_id = fields.Many2one(related="budget_id.customer_id")
    item_id = fields.Many2one(
        "customer.cost.item",
        string="Cost Item",
        index="btree_not_null",
        ondelete="restrict",
        check_company=True,
        help="With its sub-items, unless they have lines of their own. Left empty: all cost that "
        "no other line of the budget covers.",
    )
    payment_method = fields.Selection(
        selection="_get_payment_methods",
        help="Only cost that was paid this way; left empty, however it was paid.",
    )
    month = fields.Date(required=True, help="Any day of the month; the first one is kept.")
    planned = fields.Monetary(required=True)
    earlier_planned = fields.Monetary(
        string="Before",
        compute="_compute_earlier_planned",
        help="What the version that this one revises planned.",
    )
    difference = fields.Monetary(compute="_compute_earlier_planned")

    _line_unique = models.UniqueIndex(
        "(budget_id, COALESCE(item_id, 0), COALESCE(payment_method, ''), month)",
        "This budget has a line of the same cost item, payment method and month already.",
    )
    _planned_range = models.Constraint(
        "CHECK(planned >= 0 AND planned < 1e12)",
        "A planned amount is not negative and stays below 1,000,000,000,000.",
    )

    @api.model
    def _get_payment_methods(self):
        return (
            self.env["customer.cost.entry"]
            ._fields["payment_method"]
            ._description_selection(self.env)
        )

    @api.depends("item_id", "month")
    def _compute_display_name(self):
        for line in self:
            line.display_name = self.env._(
                "%(item)s, %(month)s",
                item=line.item_id.display_name or self.env._("All cost"),
                month=line.month and line.budget_id._get_month_label(line.month),
            )

    @api.depends("planned", "item_id", "payment_method", "month", "budget_id.revision_of_id")
    def _compute_earlier_planned(self):
        for line in self:
            earlier = line.budget_id.revision_of_id.line_ids.filtered(
                lambda other, line=line: (
                    (other.item_id, other.payment_method, other.month)
                    == (line.item_id, line.payment_method, line.month)
                )
            )
            line.earlier_planned = sum(earlier.mapped("planned"))
            line.difference = line.planned - line.earlier_planned

    @api.constrains("month", "budget_id")
    def _check_month(self):
        for line in self:
            budget = line.budget_id
            if not budget.date_from <= line.month <= budget.date_to:
                raise ValidationError(
                    self.env._(
                        "%(month)s lies outside %(budget)s.",
                        month=budget._get_month_label(line.month),
                        budget=budget.display_name,
                    )
                )

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._normalise_month(vals)
        return super().create(vals_list)

    def write(self, vals):
        self._normalise_month(vals)
        return super().write(vals)

    @api.model
    def _normalise_month(self, vals):
        if vals.get("month"):
            vals["month"] = date_utils.start_of(fields.Date.to_date(vals["month"]), "month")

    @api.model
    def get_import_templates(self):
        return [
            {
                "label": self.env._("Template for Budget Lines"),
                "template": "/customer_cost/static/import/budget_lines.csv",
            }
        ]

    def _move_planned(self, item_id, payment_method, day, amount, reason):
        """Move planned money from this line to that of another item or month of its budget.

        The one change of a confirmed budget without a revision: its total stays, and its chatter
        says what was moved, by whom and why.

        :param item_id: item of the line that receives, False for all cost
        :param payment_method: payment method of that line, or False
        :param day: day whose month receives
        :param amount: company currency
        :raises AccessError: the user may not edit budgets
        :raises UserError: the line has less, or a month is closed
        """
        if not self:
            raise UserError(self.env._("Choose the line that the money comes from."))
        self.ensure_one()
        self.check_access("write")
        budget, month = self.budget_id, date_utils.start_of(day, "month")
        if budget.state != "confirmed":
            raise UserError(self.env._("%(budget)s is not confirmed.", budget=budget.display_name))
        if not (reason or "").strip():
            raise UserError(self.env._("Say why the money is moved."))
        compared = self.currency_id.compare_amounts
        if not 0 < amount < 1e12 or compared(amount, self.planned) > 0:
            raise UserError(
                self.env._(
                    "%(line)s plans %(planned)s: %(amount)s cannot be moved from it.",
                    line=self.display_name,
                    planned=formatLang(self.env, self.planned, currency_obj=self.currency_id),
                    amount=formatLang(self.env, amount, currency_obj=self.currency_id),
                )
            )
        for moved in {self.month, month}:
            if self.env["customer.cost.period"]._is_closed(self.company_id, moved):
                raise UserError(
                    self.env._(
                        "%(budget)s: the cost period of %(month)s is closed, its plan stays as it "
                        "was.",
                        budget=budget.display_name,
                        month=budget._get_month_label(moved),
                    )
                )
        budget._touch()
        key = (item_id, payment_method, month)
        target = budget.line_ids.filtered(
            lambda line: (line.item_id.id, line.payment_method, line.month) == key
        )
        if not target:
            target = self._unguarded().create(
                {
                    "budget_id": budget.id,
                    "item_id": item_id,
                    "payment_method": payment_method,
                    "month": month,
                    "planned": 0.0,
                }
            )
        if target == self:
            raise UserError(self.env._("Choose the line of another item or month."))
        self._unguarded().planned -= amount
        target._unguarded().planned += amount
        budget._message_log(
            body=self.env._(
                "%(amount)s moved from %(giving)s to %(receiving)s by %(user)s: %(reason)s",
                amount=formatLang(self.env, amount, currency_obj=self.currency_id),
                giving=self.display_name,
                receiving=target.display_name,
                user=self.env.user.name,
                reason=reason,
            )
        )
