from datetime import date

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import SQL, date_utils, format_date, formatLang

CONTROLS = [
    ("month", "Each month"),
    ("to_date", "From the start to the month"),
    ("whole", "The whole period"),
]
# Once a budget is confirmed these are changed by a revision alone.
PLAN_FIELDS = frozenset(
    {
        "band_ids",
        "basis",
        "category_id",
        "company_id",
        "control",
        "customer_id",
        "date_from",
        "date_to",
        "line_ids",
    }
)


class CustomerCostBudget(models.Model):
    """What a customer, or a class of customers, may cost in a range of months.

    Each line plans a month of a cost item with its sub-items, or of all cost. A cost counts in the
    most specific line of each budget that covers it: the nearest item, then the payment method.
    The bands hold for every item line on its own, over the months that ``control`` says:

    * ``month``: plan and use of the month of the cost; a month without a line has a plan of zero;
    * ``to_date``: both added up from the start of the budget to that month, and to any later month
      that has cost already;
    * ``whole``: both over the whole range.

    Available = planned - actual - committed, company currency. Exactly at a limit is allowed. A
    confirmed budget is changed by a revision, which replaces it when it is confirmed itself.
    """

    _name = "customer.cost.budget"
    _description = "Customer Budget"
    _inherit = ["mail.thread", "customer.cost.guarded"]
    _order = "date_from desc, name, revision desc, id desc"
    _check_company_auto = True
    _guarded_fields = frozenset(
        {"state", "revision", "revision_of_id", "confirmed_by_id", "confirmed_on", "touched"}
    )

    name = fields.Char(
        compute="_compute_name",
        store=True,
        readonly=False,
        precompute=True,
        required=True,
        tracking=True,
    )
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company, index=True
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    customer_id = fields.Many2one(
        "res.partner",
        ondelete="restrict",
        check_company=True,
        tracking=True,
        domain="[('parent_id', '=', False)]",
    )
    category_id = fields.Many2one(
        "res.partner.category",
        string="Customer Class",
        ondelete="restrict",
        tracking=True,
        help="The customers that have this tag, or one below it, on the day of the cost.",
    )
    date_from = fields.Date(
        required=True, default=lambda self: self._default_range()[0], tracking=True
    )
    date_to = fields.Date(
        string="Until", required=True, default=lambda self: self._default_range()[1], tracking=True
    )
    basis = fields.Selection(
        [("direct", "Direct cost"), ("full", "Direct and allocated cost")],
        string="Actual Cost",
        required=True,
        default="direct",
        tracking=True,
        help="Allocated cost is that of posted runs.",
    )
    control = fields.Selection(
        CONTROLS,
        string="Limits Hold For",
        required=True,
        default="whole",
        tracking=True,
        help="The months over which plan and cost are added up before a limit is looked at.",
    )
    state = fields.Selection(
        [
            ("draft", "Draft"),
            ("confirmed", "Confirmed"),
            ("superseded", "Superseded"),
            ("closed", "Closed"),
        ],
        required=True,
        default="draft",
        readonly=True,
        copy=False,
        index=True,
        tracking=True,
    )
    revision = fields.Integer(default=1, readonly=True, copy=False)
    revision_of_id = fields.Many2one(
        "customer.cost.budget",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
    )
    revision_ids = fields.One2many(
        "customer.cost.budget", "revision_of_id", string="Revisions", readonly=True
    )
    confirmed_by_id = fields.Many2one("res.users", readonly=True, copy=False)
    confirmed_on = fields.Datetime(readonly=True, copy=False)
    touched = fields.Integer(readonly=True, copy=False, help="Changed by whoever uses the rest.")
    line_ids = fields.One2many("customer.cost.budget.line", "budget_id", string="Lines", copy=True)
    band_ids = fields.One2many("customer.cost.budget.band", "budget_id", string="Limits", copy=True)
    note = fields.Text()
    planned = fields.Monetary(compute="_compute_planned")
    overlap_note = fields.Char(compute="_compute_overlap_note")
    removed_note = fields.Char(compute="_compute_removed_note")

    _customer_idx = models.Index("(company_id, customer_id) WHERE customer_id IS NOT NULL")
    _category_idx = models.Index("(company_id) WHERE category_id IS NOT NULL")

    # ------------------------------------------------------------
    # Defaults and computes
    # ------------------------------------------------------------

    @api.model
    def _default_range(self):
        year = self.env.company.compute_fiscalyear_dates(fields.Date.context_today(self))
        return year["date_from"], year["date_to"]

    @api.depends("customer_id", "category_id", "date_from")
    def _compute_name(self):
        for budget in self:
            target = budget.customer_id.name or budget.category_id.name
            if target and budget.date_from:
                budget.name = f"{target} {budget.date_from.year}"
            else:
                budget.name = budget.name or False

    @api.depends("name", "revision")
    def _compute_display_name(self):
        for budget in self:
            budget.display_name = (
                self.env._(
                    "%(budget)s, revision %(number)s", budget=budget.name, number=budget.revision
                )
                if budget.revision > 1
                else budget.name
            )

    @api.depends("line_ids.planned")
    def _compute_planned(self):
        for budget in self:
            budget.planned = sum(budget.line_ids.mapped("planned"))

    @api.depends("company_id", "customer_id", "category_id", "date_from", "date_to", "state")
    def _compute_overlap_note(self):
        for budget in self:
            names = budget._get_overlapping().mapped("display_name")
            budget.overlap_note = ", ".join(names)

    @api.depends("line_ids.planned", "revision_of_id")
    def _compute_removed_note(self):
        """Lines of the version before that a revision no longer has, as far as the user sees."""
        for budget in self:
            lines = budget.revision_of_id.line_ids
            kept = {(line.item_id, line.payment_method, line.month) for line in budget.line_ids}
            budget.removed_note = "; ".join(
                f"{line.display_name}: "
                + formatLang(self.env, line.planned, currency_obj=line.currency_id)
                for line in lines
                if (line.item_id, line.payment_method, line.month) not in kept
            )

    def _get_overlapping(self):
        """Confirmed budgets that cover costs of this one too: the strictest answer wins."""
        self.ensure_one()
        if not (self.date_from and self.date_to) or self.state in ("superseded", "closed"):
            return self.browse()
        return self.search(
            [
                ("id", "not in", (self | self.revision_of_id)._origin.ids),
                ("company_id", "=", self.company_id.id),
                ("state", "=", "confirmed"),
                ("date_from", "<=", self.date_to),
                ("date_to", ">=", self.date_from),
                "|",
                ("customer_id", "in", self._get_customers().ids),
                ("category_id", "in", self._get_classes().ids),
            ]
        )

    def _get_customers(self):
        """The customer, or those of the class today."""
        if self.customer_id or not self.category_id:
            return self.customer_id
        return self.env["res.partner"].search([("category_id", "child_of", self.category_id.ids)])

    def _get_classes(self):
        """Classes that cover costs of this budget's customers today."""
        tags = self.customer_id.category_id | self.category_id
        return self.env["res.partner.category"].search([("id", "parent_of", tags.ids)])

    # ------------------------------------------------------------
    # Constraints
    # ------------------------------------------------------------

    @api.constrains("customer_id", "category_id")
    def _check_target(self):
        # Not in the database: a merge of customers deletes rows that break a rule there.
        for budget in self:
            if bool(budget.customer_id) == bool(budget.category_id):
                raise ValidationError(
                    self.env._(
                        "%(budget)s: choose either a customer or a customer class.",
                        budget=budget.display_name,
                    )
                )
            if budget.customer_id != budget.customer_id.commercial_partner_id:
                raise ValidationError(
                    self.env._(
                        "%(budget)s: %(contact)s is a contact of %(customer)s. A budget belongs to "
                        "the customer.",
                        budget=budget.display_name,
                        contact=budget.customer_id.display_name,
                        customer=budget.customer_id.commercial_partner_id.display_name,
                    )
                )

    @api.constrains("date_from", "date_to")
    def _check_range(self):
        for budget in self:
            first = date_utils.start_of(budget.date_from, "month")
            last = date_utils.end_of(budget.date_to, "month")
            if (budget.date_from, budget.date_to) != (first, last) or first > last:
                raise ValidationError(
                    self.env._(
                        "%(budget)s: a budget is of whole months, from the first day of one to the "
                        "last day of the same or a later one.",
                        budget=budget.display_name,
                    )
                )
            budget.line_ids._check_month()

    def _get_months(self):
        """First days of the months of this budget."""
        self.ensure_one()
        first, last = (day.year * 12 + day.month - 1 for day in (self.date_from, self.date_to))
        return [date(number // 12, number % 12 + 1, 1) for number in range(first, last + 1)]

    # ------------------------------------------------------------
    # Create, write, unlink
    # ------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            if vals.get("customer_id"):
                customer = self.env["res.partner"].browse(vals["customer_id"])
                vals["customer_id"] = customer.commercial_partner_id.id
        return super().create(vals_list)

    def write(self, vals):
        if PLAN_FIELDS.intersection(vals) and not self._guard_is_open():
            self._check_draft()
        if "company_id" in vals:
            self.env.registry.clear_cache()  # which companies have limits that block
        return super().write(vals)

    def _check_draft(self):
        """Refuse to change what is confirmed.

        :raises UserError: naming the budget and the way
        """
        for budget in self:
            if budget.state != "draft":
                raise UserError(
                    self.env._(
                        "%(budget)s is %(state)s: its plan and limits are changed by a revision.",
                        budget=budget.display_name,
                        state=budget._get_state_label(),
                    )
                )

    def _get_state_label(self):
        labels = dict(self._fields["state"]._description_selection(self.env))
        return labels[self.state].lower()

    @api.ondelete(at_uninstall=False)
    def _unlink_except_confirmed(self):
        for budget in self:
            if budget.state != "draft":
                raise UserError(
                    self.env._(
                        "%(budget)s is %(state)s and is kept. Only a draft can be deleted.",
                        budget=budget.display_name,
                        state=budget._get_state_label(),
                    )
                )

    def _touch(self):
        """Lock and change the budgets: of two that use the same rest, one is retried."""
        self.flush_recordset(["touched"])
        self.env.cr.execute(
            SQL(
                """UPDATE customer_cost_budget SET touched = COALESCE(touched, 0) + 1
                    WHERE id IN (SELECT id FROM customer_cost_budget WHERE id = ANY(%s)
                               ORDER BY id FOR UPDATE)""",
                self.ids,
            )
        )
        self.invalidate_recordset(["touched"], flush=False)

    def _get_month_label(self, month):
        return format_date(self.env, month, date_format="MMM y")
