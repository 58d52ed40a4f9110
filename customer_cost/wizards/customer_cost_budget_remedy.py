from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from ..engine import from_minor, months_between, to_minor, whole_within

ACCOUNTANT = "customer_cost.group_customer_cost_accountant"
MANAGER = "customer_cost.group_customer_cost_manager"
LOOK_AHEAD = 12


class CustomerCostBudgetRemedy(models.TransientModel):
    """What can be done about a cost that is over its budget, done on the spot."""

    _name = "customer.cost.budget.remedy"
    _description = "Remedies for a Cost Over Budget"
    _inherit = ["customer.cost.dialog"]

    entry_id = fields.Many2one("customer.cost.entry", string="Cost", required=True, readonly=True)
    findings = fields.Json(related="entry_id.findings", related_sudo=False)
    currency_id = fields.Many2one(related="entry_id.currency_id", related_sudo=False)
    company_currency_id = fields.Many2one(
        related="entry_id.company_currency_id", related_sudo=False
    )
    remedy = fields.Selection(
        [
            ("reduce", "Reduce the cost to what is allowed"),
            ("postpone", "Postpone it to the first month with budget left"),
            ("move", "Move planned money from another budget line"),
            ("revise", "Revise the budget"),
            ("override", "Allow it over the budget"),
        ],
        default="reduce",
        required=True,
    )
    can_edit = fields.Boolean(compute="_compute_rights")
    can_plan = fields.Boolean(compute="_compute_rights")
    can_override = fields.Boolean(compute="_compute_rights")
    budget_id = fields.Many2one("customer.cost.budget", compute="_compute_breach", readonly=True)
    room = fields.Monetary(
        string="Available",
        compute="_compute_breach",
        help="What of this cost passes no limit of a budget or policy, in its own currency.",
    )
    deciding_limit = fields.Char(
        string="What Decides",
        compute="_compute_breach",
        help="The budget or policy that allows the least of this cost.",
    )
    excess = fields.Monetary(
        string="Too Much By", currency_field="company_currency_id", compute="_compute_breach"
    )
    new_date = fields.Date(string="First Date With Budget Left", compute="_compute_new_date")
    from_line_id = fields.Many2one(
        "customer.cost.budget.line",
        string="From",
        domain="[('budget_id', '=', budget_id)]",
    )
    amount = fields.Monetary(
        string="Amount to Move",
        currency_field="company_currency_id",
        compute="_compute_amount",
        compute_sudo=False,
        store=True,
        readonly=False,
    )
    reason = fields.Text()

    @api.depends("entry_id")
    @api.depends_context("uid")
    def _compute_rights(self):
        user = self.env.user
        for wizard in self:
            entry = wizard.entry_id
            wizard.can_edit = entry.can_edit
            wizard.can_plan = user.has_group(ACCOUNTANT)
            wizard.can_override = user.has_group(MANAGER)

    def _get_breaches(self):
        """Breaches of the cost, those of the strictest level and least room first."""
        self.ensure_one()
        levels = ("block", "review", "warn")
        return sorted(
            self.entry_id._get_budget_breaches().get(self.entry_id, []),
            key=lambda breach: (levels.index(breach.band.action), breach.room),
        )

    @api.depends("entry_id")
    def _compute_breach(self):
        for wizard in self:
            entry, breaches = wizard.entry_id, wizard._get_breaches()
            budget = breaches[0].band.budget_id if breaches else self.env["customer.cost.budget"]
            wizard.budget_id = budget.sudo(False)._filtered_access("read")
            digits = wizard.company_currency_id.decimal_places
            wizard.excess = (
                float(from_minor(max(breach.excess for breach in breaches), digits))
                if breaches
                else 0.0
            )
            whole = to_minor(entry.amount_company, digits)
            rooms = [
                (
                    float(from_minor(whole_within(whole, breach.amount, breach.room), digits)),
                    self.env._("Budget %(budget)s", budget=breach.band.budget_id.display_name),
                )
                for breach in breaches
            ]
            rooms += [
                (amount, self.env._("Policy %(policy)s", policy=policy.display_name))
                for policy, amount in entry._get_policy_rooms()
            ]
            room, limit = min(rooms, default=(0.0, False), key=lambda pair: pair[0])
            wizard.room = wizard._get_document_amount(room, entry)
            wizard.deciding_limit = limit

    @api.model
    def _get_document_amount(self, amount, entry):
        """``amount`` of the company currency in that of the cost, never worth more."""
        if entry.currency_id == entry.company_currency_id:
            return amount
        company = entry.company_id
        own = entry.company_currency_id._convert(amount, entry.currency_id, company, entry.date)
        back = entry.currency_id._convert(own, entry.company_currency_id, company, entry.date)
        if entry.company_currency_id.compare_amounts(back, amount) > 0:
            own = entry.currency_id.round(own - entry.currency_id.rounding)
        return max(own, 0.0)

    @api.depends("entry_id")
    def _compute_new_date(self):
        """The first of the next twelve months in which a budget covers the cost, has enough left
        for it and no limit is passed.
        """
        budgets = self.env["customer.cost.budget"]
        for wizard in self:
            now = wizard.entry_id._get_budget_asks()
            asks = [
                ask._replace(key=ask.origin_date, counted="")
                for ahead in range(1, LOOK_AHEAD + 1)
                for ask in wizard.entry_id._get_budget_asks(ahead)
            ]
            fitting = budgets._get_fitting(asks, now)
            breaches = budgets._get_breaches(asks, apart=True, released=now)
            wizard.new_date = min((day for day in fitting if not breaches.get(day)), default=False)

    @api.depends("excess")
    def _compute_amount(self):
        for wizard in self:
            wizard.amount = wizard.excess

    def action_apply(self):
        """Do what was chosen.

        :return: action to go on with
        :raises UserError: the remedy is not to be had here, with the reason
        :raises AccessError: the remedy is not the user's to take
        """
        self.ensure_one()
        self.entry_id.check_access("read")
        action = getattr(self, f"_apply_{self.remedy}")()
        return action or {"type": "ir.actions.act_window_close"}

    def _apply_reduce(self):
        if not self.deciding_limit:
            self._raise_within()
        if self.currency_id.compare_amounts(self.room, 0.0) <= 0:
            raise UserError(
                self.env._(
                    "%(cost)s: nothing of it is allowed. What decides: %(limit)s. Choose another "
                    "remedy.",
                    cost=self.entry_id.display_name,
                    limit=self.deciding_limit,
                )
            )
        self.entry_id.write({"amount": self.room})

    def _raise_within(self):
        raise UserError(
            self.env._("%(cost)s is within its budgets.", cost=self.entry_id.display_name)
        )

    def _apply_postpone(self):
        if not self.new_date:
            raise UserError(
                self.env._(
                    "%(cost)s: in none of the next %(months)s months does a budget cover it and "
                    "have enough left.",
                    cost=self.entry_id.display_name,
                    months=LOOK_AHEAD,
                )
            )
        entry = self.entry_id
        ahead = months_between(entry.date, self.new_date) - 1
        day, first, last = entry._get_dates(ahead)
        entry.write({"date": day, "service_from": first, "service_to": last})

    def _apply_move(self):
        breaches = self._get_breaches()
        if not breaches:
            self._raise_within()
        month = self.entry_id.date.replace(day=1)
        months = breaches[0].months
        self.from_line_id._move_planned(
            breaches[0].item_id,
            breaches[0].payment_method,
            month if month in months else months[-1],
            self.amount,
            self.reason,
        )

    def _apply_revise(self):
        if not self.budget_id:
            raise AccessError(self.env._("Only a cost accountant revises a budget."))
        return self.budget_id.action_revise()

    def _apply_override(self):
        self.entry_id._override_budgets(self.reason)
