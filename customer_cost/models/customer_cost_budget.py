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

    # ------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------

    def action_confirm(self):
        """Put drafts in force; a revision takes the place of what it revises.

        :raises AccessError: the user is no cost manager
        :raises UserError: a budget is no draft, has no line or changes the plan of a closed month
        """
        self.check_access("write")
        self._check_cost_manager(self.env._("Only a cost manager confirms a budget."))
        for budget in self:
            if budget.state != "draft":
                raise UserError(self.env._("%(budget)s is no draft.", budget=budget.display_name))
            if not budget.line_ids:
                raise UserError(
                    self.env._(
                        "%(budget)s plans nothing: fill its lines first.",
                        budget=budget.display_name,
                    )
                )
            budget._check_revision()
        self.revision_of_id._touch()
        self.revision_of_id._unguarded().write({"state": "superseded"})
        self._unguarded().write(
            {
                "state": "confirmed",
                "confirmed_by_id": self.env.uid,
                "confirmed_on": fields.Datetime.now(),
            }
        )

    def _check_revision(self):
        """A revision replaces a budget in force and leaves the plan of closed months as it was."""
        earlier = self.revision_of_id
        if not earlier:
            return
        if earlier.state != "confirmed":
            raise UserError(
                self.env._(
                    "%(budget)s revises a budget that is %(state)s.",
                    budget=self.display_name,
                    state=earlier._get_state_label(),
                )
            )
        period = self.env["customer.cost.period"]
        changed = {month for _item, _method, month, was, now in self._get_changes() if was != now}
        for month in sorted(changed):
            if period._is_closed(self.company_id, month):
                raise UserError(
                    self.env._(
                        "%(budget)s: the cost period of %(month)s is closed, its plan stays as it "
                        "was.",
                        budget=self.display_name,
                        month=format_date(self.env, month, date_format="MMMM y"),
                    )
                )

    def _get_changes(self):
        """Planned amounts beside those of the version that this one revises.

        :return: list of ``(item, payment method, month, before, now)``, company currency
        """
        self.ensure_one()
        before, now = (
            {
                (line.item_id, line.payment_method, line.month): line.planned
                for line in budget.line_ids
            }
            for budget in (self.revision_of_id, self)
        )
        keys = sorted(
            before | now, key=lambda key: (key[0].complete_code or "", key[1] or "", key[2])
        )
        return [(*key, before.get(key, 0.0), now.get(key, 0.0)) for key in keys]

    def action_revise(self):
        """Open a draft of the next revision of this confirmed budget, or the one there is.

        :return: action that opens the draft
        :raises UserError: the budget is not confirmed
        """
        self.ensure_one()
        self.check_access("write")
        if self.state != "confirmed":
            raise UserError(
                self.env._(
                    "%(budget)s is %(state)s: only a confirmed budget is revised.",
                    budget=self.display_name,
                    state=self._get_state_label(),
                )
            )
        revision = self.revision_ids.filtered(lambda budget: budget.state == "draft")[:1]
        if not revision:
            revision = self._unguarded().copy(
                {"name": self.name, "revision": self.revision + 1, "revision_of_id": self.id}
            )
        return {
            "type": "ir.actions.act_window",
            "res_model": self._name,
            "res_id": revision.id,
            "view_mode": "form",
        }

    def action_close(self):
        """End the control by confirmed budgets; they stay readable.

        :raises AccessError: the user is no cost manager
        :raises UserError: a budget is not confirmed
        """
        self.check_access("write")
        self._check_cost_manager(self.env._("Only a cost manager closes a budget."))
        for budget in self:
            if budget.state != "confirmed":
                raise UserError(
                    self.env._("%(budget)s is not confirmed.", budget=budget.display_name)
                )
        self._unguarded().write({"state": "closed"})

    def action_open_report(self):
        """Open plan, actual, committed and available of this budget, by line and month."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "customer_cost.customer_cost_budget_report_action"
        )
        return {**action, "domain": [("budget_id", "=", self.id)], "context": {}}

    def action_open_lines(self):
        """Open the lines of this budget as a list, to be edited, exported or imported."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "customer_cost.customer_cost_budget_line_action"
        )
        return {
            **action,
            "domain": [("budget_id", "=", self.id)],
            "context": {
                "default_budget_id": self.id,
                "create": self.state == "draft",
                "edit": self.state == "draft",
                "delete": self.state == "draft",
            },
        }

    def action_fill(self):
        """Open the dialog that fills the lines of this draft."""
        self.ensure_one()
        self._check_draft()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Fill the Lines"),
            "res_model": "customer.cost.budget.fill",
            "view_mode": "form",
            "target": "new",
            "context": {"default_budget_id": self.id},
        }

    def _get_month_label(self, month):
        return format_date(self.env, month, date_format="MMM y")
