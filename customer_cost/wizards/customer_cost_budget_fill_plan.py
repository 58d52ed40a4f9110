from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import date_utils

from ..engine import to_minor


class CustomerCostBudgetFill(models.TransientModel):
    """What plan runs charge to the customers of a budget, as its plan.

    A run holds what it allocates and measures, and no direct cost. It therefore replaces the lines
    of its month and of the cost items that it charges to anybody; all other lines stay.
    """

    _inherit = "customer.cost.budget.fill"

    run_ids = fields.Many2many(
        "customer.cost.run",
        string="Plan Runs",
        compute="_compute_run_ids",
        compute_sudo=False,
        store=True,
        readonly=False,
        domain="[('company_id', '=', company_id), ('kind', '=', 'plan'), "
        "('state', '=', 'computed'), ('date', '>=', date_from), ('date', '<=', date_to)]",
        help="One of each month; the newest is proposed.",
    )
    date_from = fields.Date(related="budget_id.date_from", related_sudo=False)
    date_to = fields.Date(related="budget_id.date_to", related_sudo=False)
    basis = fields.Selection(related="budget_id.basis", related_sudo=False)
    unplanned_note = fields.Char(string="No Plan Run", compute="_compute_unplanned_note")

    @api.depends("budget_id", "method")
    def _compute_run_ids(self):
        for fill in self:
            budget = fill.budget_id
            runs = self.env["customer.cost.run"]
            if fill.method == "plan" and budget:
                runs = runs.search(
                    [
                        ("company_id", "=", budget.company_id.id),
                        ("kind", "=", "plan"),
                        ("state", "=", "computed"),
                        ("date", ">=", budget.date_from),
                        ("date", "<=", budget.date_to),
                    ],
                    order="version",
                )
            newest = {fill._get_run_month(run): run.id for run in runs}
            fill.run_ids = runs.browse(newest.values())

    @api.depends("run_ids")
    def _compute_line_ids(self):
        return super()._compute_line_ids()

    @api.depends("budget_id", "run_ids")
    def _compute_unplanned_note(self):
        for fill in self:
            planned = set(map(fill._get_run_month, fill.run_ids))
            fill.unplanned_note = ", ".join(
                fill.budget_id._get_month_label(month)
                for month in (fill.budget_id._get_months() if fill.budget_id else ())
                if month not in planned
            )

    @api.model
    def _get_run_month(self, run):
        return date_utils.start_of(run.date, "month")

    def _check_runs(self):
        """Refuse runs that are no computed plans of this budget, or two of one month.

        :raises UserError: naming the runs
        """
        budget, by_month = self.budget_id, {}
        for run in self.run_ids._origin:
            if (
                run.company_id != budget.company_id
                or (run.kind, run.state) != ("plan", "computed")
                or not budget.date_from <= run.date <= budget.date_to
            ):
                raise UserError(
                    self.env._(
                        "%(run)s is no computed plan run of a month of %(budget)s.",
                        run=run.display_name,
                        budget=budget.display_name,
                    )
                )
            other = by_month.setdefault(self._get_run_month(run), run)
            if other != run:
                raise UserError(
                    self.env._(
                        "%(run)s and %(other)s are of the same month: keep one of them.",
                        run=run.display_name,
                        other=other.display_name,
                    )
                )

    def _read_plan(self):
        """What the chosen runs charge to the customers of the budget, by item and month."""
        self._check_runs()
        digits = self.currency_id.decimal_places
        groups = self.env["customer.cost.allocation"]._read_group(
            [
                ("step_id", "in", self._get_steps().ids),
                ("customer_id", "in", self.budget_id._get_customers().ids),
            ],
            ["item_id", "date:month"],
            ["amount:sum"],
        )
        return {
            (item.id, False, fields.Date.to_date(month)): to_minor(amount, digits)
            for item, month, amount in groups
        }

    def _get_steps(self):
        return self.run_ids._origin.step_ids

    def _get_replaced_lines(self):
        if self.method != "plan":
            return super()._get_replaced_lines()
        charged = {
            (item, fields.Date.to_date(month))
            for item, month in self.env["customer.cost.allocation"]._read_group(
                [("step_id", "in", self._get_steps().ids)], ["item_id", "date:month"]
            )
        }
        return self.budget_id.line_ids.filtered(lambda line: (line.item_id, line.month) in charged)
