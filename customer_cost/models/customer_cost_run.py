from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import date_utils, format_date

from ..fields import Amount
from .res_company_service import SERVICE_METHODS


class CustomerCostRun(models.Model):
    """One calculation of one period: computed, looked at, posted; each new one is a version.

    Only an actual run is ever posted, and only posted runs count anywhere. Simulations and plans
    keep steps and rows of their own all the same: at 100,000 customers and 20 pools these are at
    most two million rows of about a hundred bytes, loaded in bulk and deleted with the run, and
    lists, explanations and comparisons read every kind alike.
    """

    _name = "customer.cost.run"
    _description = "Allocation Run"
    _inherit = ["mail.thread", "customer.cost.guarded"]
    _order = "date desc, version desc, id desc"
    _guarded_fields = frozenset(
        {
            "state",
            "version",
            "period_id",
            "pool_total",
            "carried_total",
            "sent_total",
            "received_total",
            "retained_total",
            "unused_total",
            "customer_count",
            "signature",
            "rules_signature",
            "costs_signature",
            "service_method",
            "order_message",
            "computed_at",
            "computed_by",
            "posted_at",
            "posted_by",
            "snapshot",
        }
    )

    company_id = fields.Many2one(
        "res.company",
        required=True,
        default=lambda self: self.env.company,
        index=True,
    )
    date = fields.Date(
        string="Month",
        required=True,
        default=lambda self: self._default_date(),
        help="Any day of the month to calculate.",
    )
    kind = fields.Selection(
        [("actual", "Actual"), ("simulation", "Simulation"), ("plan", "Plan")],
        required=True,
        default="actual",
        index=True,
        tracking=True,
        help="An actual run can be posted. A simulation changes its inputs, a plan may also lie in "
        "the future; neither ever counts in the books.",
    )
    period_id = fields.Many2one(
        "customer.cost.period",
        readonly=True,
        copy=False,
        index=True,
        ondelete="restrict",
    )
    version = fields.Integer(readonly=True, copy=False, default=0)
    state = fields.Selection(
        [
            ("draft", "Draft"),
            ("computed", "Computed"),
            ("posted", "Posted"),
            ("superseded", "Superseded"),
            ("reversed", "Reversed"),
        ],
        required=True,
        default="draft",
        readonly=True,
        copy=False,
        tracking=True,
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    pool_total = Amount(
        string="Pool",
        readonly=True,
        copy=False,
        help="Indirect cost of the month.",
    )
    carried_total = Amount(string="From Earlier Months", readonly=True, copy=False)
    sent_total = Amount(string="Sent", readonly=True, copy=False)
    received_total = Amount(string="Received by Customers", readonly=True, copy=False)
    retained_total = Amount(
        string="Retained",
        readonly=True,
        copy=False,
        help="Sent, but not received because the driver had no quantity.",
    )
    unused_total = Amount(
        string="Unused Capacity",
        readonly=True,
        copy=False,
        help="Sent, and neither received nor retained: the cost of capacity that nobody used.",
    )
    pool_changed = fields.Boolean(compute="_compute_pool_changed")
    unsent_total = Amount(string="Without a Rule", compute="_compute_unsent_total")
    signature = fields.Char(
        readonly=True, copy=False, help="Fingerprint of what was sent, to whom and by what weights."
    )
    rules_signature = fields.Char(
        readonly=True, copy=False, help="Fingerprint of the rules as they were when computed."
    )
    costs_signature = fields.Char(
        readonly=True, copy=False, help="Fingerprint of the pools as they were when computed."
    )
    service_method = fields.Selection(
        SERVICE_METHODS,
        string="Cost Centres Serve Each Other",
        readonly=True,
        copy=False,
        help="As the settings were when the run was computed.",
    )
    order_message = fields.Text(
        string="The Order Matters",
        readonly=True,
        copy=False,
        help="What cost centres would hold if the rules to cost centres came in the reverse order.",
    )
    computed_at = fields.Datetime(readonly=True, copy=False)
    computed_by = fields.Many2one("res.users", readonly=True, copy=False)
    posted_at = fields.Datetime(readonly=True, copy=False)
    posted_by = fields.Many2one("res.users", readonly=True, copy=False)
    step_ids = fields.One2many("customer.cost.run.step", "run_id", string="Steps")
    transfer_ids = fields.One2many("customer.cost.run.transfer", "run_id", string="Transfers")
    customer_count = fields.Integer(string="Customers", readonly=True, copy=False)

    _version_unique = models.UniqueIndex(
        "(period_id, kind, version)", "Another run of this period took this version: save again."
    )
    _posted_unique = models.UniqueIndex(
        "(period_id) WHERE state = 'posted' AND kind = 'actual'",
        "This period already has a posted run.",
    )
    _only_actual_is_posted = models.Constraint(
        "CHECK(kind = 'actual' OR state IN ('draft', 'computed'))",
        "Simulations and plans are never posted.",
    )

    @api.model
    def _default_date(self):
        """The month after the last posted one, or last month where nothing is posted yet."""
        today = fields.Date.context_today(self)
        posted = self.search(
            [("company_id", "=", self.env.company.id), ("state", "=", "posted")],
            order="date desc",
            limit=1,
        )
        if posted:
            following = date_utils.add(date_utils.end_of(posted.date, "month"), days=1)
            return min(date_utils.end_of(following, "month"), date_utils.end_of(today, "month"))
        return date_utils.subtract(date_utils.start_of(today, "month"), days=1)

    @api.constrains("date")
    def _check_date(self):
        for run in self.filtered(lambda run: run.kind != "plan"):
            if date_utils.start_of(run.date, "month") > fields.Date.context_today(run):
                raise ValidationError(
                    self.env._(
                        "%(month)s lies in the future: there is nothing to allocate yet.",
                        month=format_date(self.env, run.date, date_format="LLLL y"),
                    )
                )

    @api.depends("date", "kind", "version", "company_id")
    @api.depends_context("lang")
    def _compute_display_name(self):
        kinds = dict(self._fields["kind"]._description_selection(self.env))
        for run in self:
            month = run.date.strftime("%Y-%m") if run.date else ""
            version = f" v{run.version}" if run.version else ""
            if run.kind != "actual":
                version = f" {kinds[run.kind]} {run.version or ''}".rstrip()
            run.display_name = f"{month}{version} · {run.company_id.name}"

    @api.depends("pool_total", "carried_total", "sent_total")
    def _compute_unsent_total(self):
        for run in self:
            run.unsent_total = run.currency_id.round(
                run.pool_total + run.carried_total - run.sent_total
            )

    @api.depends("state", "pool_total")
    def _compute_pool_changed(self):
        """Whether the month's pool is another one than what a posted run was computed from."""
        for run in self:
            run.pool_changed = run.state == "posted" and not run.currency_id.is_zero(
                run._get_pool_total() - run.pool_total
            )

    # ------------------------------------------------------------
    # Create, write, unlink
    # ------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        runs = super().create(vals_list)
        runs._set_period()
        return runs

    def write(self, vals):
        if any(run.kind != vals.get("kind", run.kind) for run in self):
            raise UserError(
                self.env._(
                    "The kind of a run is chosen when it is made. Make another run of the month "
                    "instead."
                )
            )
        if {"date", "company_id"}.intersection(vals):
            for run in self:
                run._check_recomputable()
        posted_before = self.filtered(lambda run: run.state == "posted")
        res = super().write(vals)
        if "state" in vals:
            posted = self.filtered(lambda run: run.state == "posted")
            ((posted_before | posted) - (posted_before & posted))._mark_dirty()
        if {"date", "company_id"}.intersection(vals):
            self._clear_results()
            self._set_period()
        return res

    def _mark_dirty(self):
        """What these runs allocate counts now, or no longer does."""
        if not self:
            return
        self.flush_recordset(["state"])
        for run in self:
            for company in run.step_ids.company_id:
                # the summaries of all: the months whose profits are compared may move on
                self.env["customer.cost.dirty"]._mark(company.id, [run.date, None])
        self.env["customer.cost.balance"]._trigger_refresh()

    def _set_period(self):
        for run in self:
            period = self.env["customer.cost.period"]._get(run.company_id, run.date)
            if run.period_id == period:
                continue
            last = self.with_context(active_test=False).search(
                [("period_id", "=", period.id), ("kind", "=", run.kind)],
                order="version desc",
                limit=1,
            )
            run._unguarded().write({"period_id": period.id, "version": last.version + 1})

    @api.ondelete(at_uninstall=False)
    def _unlink_except_posted(self):
        for run in self:
            if run.state not in ("draft", "computed"):
                raise UserError(
                    self.env._(
                        "Run %(run)s has been posted and stays readable.", run=run.display_name
                    )
                )
        self._delete_steps()

    def _check_recomputable(self):
        if self.state not in ("draft", "computed"):
            raise UserError(
                self.env._(
                    "Run %(run)s is %(state)s. Make a new run of the month instead.",
                    run=self.display_name,
                    state=dict(self._fields["state"]._description_selection(self.env))[self.state],
                )
            )

    # ------------------------------------------------------------
    # What is behind it
    # ------------------------------------------------------------

    def action_open_customers(self):
        """Open what every customer received in this run."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "customer_cost.customer_cost_allocation_action"
        )
        action["domain"] = [("step_id", "in", self.step_ids.ids)]
        action["context"] = {"search_default_group_customer": 1}
        action["name"] = self.display_name
        return action

    def action_open_transfers(self):
        """Open what cost centres gave to each other in this run."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "customer_cost.customer_cost_run_transfer_action"
        )
        action["domain"] = [("run_id", "=", self.id)]
        action["name"] = self.display_name
        return action

    def action_open_unsent(self):
        """Open the indirect cost of the month."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "customer_cost.customer_cost_line_action"
        )
        action["domain"] = list(self._get_pool_domain())
        return action

    def _get_pool_domain(self):
        return Domain(
            [
                ("company_id", "=", self.company_id.id),
                ("customer_id", "=", False),
                ("date", ">=", date_utils.start_of(self.date, "month")),
                ("date", "<=", date_utils.end_of(self.date, "month")),
            ]
        )
