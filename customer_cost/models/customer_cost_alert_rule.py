import ast

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain

from .customer_cost_alert_metric import DEFINITIONS, RELATIVE

SEVERITIES = [("info", "Information"), ("warning", "Warning"), ("critical", "Critical")]
# The customer's own limits, by metric and the window they are meant for, and the side of a limit
# on which the breach lies.
OWN_LIMITS = {
    ("direct", "month"): ("customer_cost_limit_month", "above"),
    ("direct", "last_month"): ("customer_cost_limit_month", "above"),
    ("direct", "year"): ("customer_cost_limit_year", "above"),
    ("to_serve", "rolling"): ("customer_cost_limit_to_serve_pct", "above"),
    ("profit_pct", "rolling"): ("customer_cost_limit_margin_pct", "below"),
}
# A change of these ends what was found by the rule as it was.
SUBSTANCE_FIELDS = frozenset({"metric", "company_id"})


class CustomerCostAlertRule(models.Model):
    """What to watch, whom it concerns and who is told.

    A rule starts in preview: it shows whom it would alert. Switched on, a scheduled action
    evaluates it with all others.
    """

    _name = "customer.cost.alert.rule"
    _description = "Alert Rule"
    _inherit = ["mail.thread", "customer.cost.guarded"]
    _order = "sequence, id"
    _check_company_auto = True
    _guarded_fields = frozenset(
        {"state", "error", "checked_on", "pending", "to_check", "left_out_user_ids"}
    )

    name = fields.Char(required=True, translate=True, tracking=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True, tracking=True)
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company, index=True
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    state = fields.Selection(
        [("preview", "Preview only"), ("on", "Switched on"), ("failing", "Failing")],
        required=True,
        readonly=True,
        default="preview",
        copy=False,
        tracking=True,
    )
    user_id = fields.Many2one(
        "res.users",
        string="Responsible",
        required=True,
        default=lambda self: self.env.user,
        help="Told when the rule fails, and of what nobody else may be told.",
    )
    metric = fields.Selection(selection="_get_metrics", required=True, tracking=True)
    unit = fields.Selection(
        [("amount", "Amount"), ("percent", "Percent"), ("days", "Days"), ("count", "Number")],
        compute="_compute_metric_properties",
    )
    has_window = fields.Boolean(compute="_compute_metric_properties")
    has_days = fields.Boolean(compute="_compute_metric_properties")
    is_relative = fields.Boolean(compute="_compute_metric_properties")
    customer_domain = fields.Char(string="Customers", default="[]", tracking=True)
    window = fields.Selection(
        [
            ("month", "This month"),
            ("last_month", "Last month"),
            ("quarter", "This quarter"),
            ("year", "This fiscal year"),
            ("rolling", "Last 12 months"),
        ],
        required=True,
        default="rolling",
        tracking=True,
    )
    days = fields.Integer(
        string="More Days Than",
        default=30,
        tracking=True,
        help="Receivables this long overdue, requests this old, costs recorded this long after "
        "their date.",
    )
    operator = fields.Selection(
        [("above", "Above"), ("below", "Below")], required=True, default="above", tracking=True
    )
    threshold_kind = fields.Selection(
        [
            ("absolute", "A figure"),
            ("average", "% of the customer's own average"),
            ("previous", "% of the period before"),
            ("limit", "The customer's own limit"),
        ],
        required=True,
        default="absolute",
        tracking=True,
        help="The average is that of the 12 months before the window. Where it, or the period "
        "before, is zero or less there is nothing to compare with. A customer's own limit comes "
        "before the rule's threshold, whatever its kind.",
    )
    threshold = fields.Float(
        digits=(20, 2),
        tracking=True,
        help="In the currency of the company, in percent, days or number of costs. Exactly at "
        "the threshold is allowed.",
    )
    severity = fields.Selection(SEVERITIES, required=True, default="warning", tracking=True)
    tell_salesperson = fields.Boolean(
        string="Salesperson",
        default=True,
        tracking=True,
        help="Of the budget of a customer class, who confirmed the budget.",
    )
    tell_team = fields.Boolean(
        string="Sales Team", tracking=True, help="Leader and members of the salesperson's team."
    )
    has_teams = fields.Boolean(compute="_compute_has_teams")
    tell_followers = fields.Boolean(string="Followers of the Customer", tracking=True)
    group_id = fields.Many2one("res.groups", tracking=True)
    user_ids = fields.Many2many("res.users", string="Users")
    by_activity = fields.Boolean(string="Activity", default=True, tracking=True)
    by_mail = fields.Boolean(
        string="Mail", tracking=True, help="One mail per person and evaluation."
    )
    by_note = fields.Boolean(string="Note on the Alert", tracking=True)
    cooldown_days = fields.Integer(
        string="Cool-down",
        default=7,
        tracking=True,
        help="A breach that comes back within so many days reopens its alert, and nobody is told "
        "again.",
    )
    escalate_days = fields.Integer(
        string="Escalate After",
        tracking=True,
        help="Days after which an alert that nobody acted on goes to another person as well. "
        "0: never.",
    )
    escalate_user_id = fields.Many2one("res.users", string="Escalate To", tracking=True)
    error = fields.Text(string="Why It Fails", readonly=True, copy=False)
    checked_on = fields.Datetime(string="Last Checked", readonly=True, copy=False)
    pending = fields.Integer(
        string="Changes Not Counted",
        readonly=True,
        copy=False,
        help="Postings that the figures did not hold yet at the last check.",
    )
    to_check = fields.Boolean(
        readonly=True, copy=False, help="Waits for its turn in an evaluation that has begun."
    )
    left_out_user_ids = fields.Many2many(
        "res.users",
        "customer_cost_alert_rule_left_out_rel",
        string="Not Told",
        readonly=True,
        copy=False,
        help="Recipients of the last alerts who may not see the figures of the customer.",
    )
    alert_ids = fields.One2many("customer.cost.alert", "rule_id")
    open_count = fields.Integer(string="Open Alerts", compute="_compute_open_count")

    _days_positive = models.Constraint("CHECK(days >= 0)", "The days cannot be negative.")
    _cooldown_positive = models.Constraint(
        "CHECK(cooldown_days >= 0)", "The cool-down cannot be negative."
    )
    _escalate_positive = models.Constraint(
        "CHECK(escalate_days >= 0)", "The days until escalation cannot be negative."
    )

    # ------------------------------------------------------------
    # Computes and checks
    # ------------------------------------------------------------

    @api.model
    def _get_metrics(self):
        return self.env["customer.cost.alert.metric"]._get_metrics()

    @api.depends("metric")
    def _compute_metric_properties(self):
        for rule in self:
            definition = DEFINITIONS.get(rule.metric)
            rule.unit = definition and definition.unit
            rule.has_window = bool(definition and definition.has_window)
            rule.has_days = bool(definition and definition.has_days)
            rule.is_relative = rule.metric in RELATIVE

    def _compute_has_teams(self):
        self.has_teams = "crm.team" in self.env

    @api.depends("alert_ids.state")
    def _compute_open_count(self):
        counts = dict(
            self.env["customer.cost.alert"]._read_group(
                [("rule_id", "in", self.ids), ("state", "!=", "resolved")],
                ["rule_id"],
                ["__count"],
            )
        )
        for rule in self:
            rule.open_count = counts.get(rule, 0)

    @api.constrains("metric", "window", "operator", "threshold_kind")
    def _check_threshold_kind(self):
        for rule in self:
            kind = rule.threshold_kind
            if kind in ("average", "previous") and rule.metric not in RELATIVE:
                rule._raise_part(
                    "threshold_kind",
                    self.env._("this metric is not compared with the customer's own past"),
                )
            if kind == "limit" and not rule._get_limit_name():
                rule._raise_part(
                    "threshold_kind",
                    self.env._("customers have no limit of their own for this metric and window"),
                )

    @api.constrains("escalate_days", "escalate_user_id")
    def _check_escalation(self):
        for rule in self:
            if rule.escalate_days and not rule.escalate_user_id:
                rule._raise_part("escalate_user_id", self.env._("choose to whom"))

    @api.constrains("customer_domain")
    def _check_customer_domain(self):
        for rule in self:
            try:
                rule._get_customer_domain()
            except Exception as error:  # noqa: BLE001 - whatever is wrong with it is reported
                rule._raise_part("customer_domain", error)

    def _raise_part(self, name, problem):
        raise ValidationError(
            self.env._(
                "Alert rule %(rule)s, %(part)s: %(problem)s.",
                rule=self.name,
                part=self._fields[name]._description_string(self.env),
                problem=str(problem).removesuffix("."),
            )
        )

    def _get_customer_domain(self):
        """Conditions on customers, checked as they are evaluated: as superuser.

        :raises ValidationError: it is no list of conditions, names a field that does not exist,
            or one that not everybody may read
        """
        partners = self.env["res.partner"]
        try:
            domain = Domain(ast.literal_eval(self.customer_domain or "[]"))
        except (ValueError, SyntaxError, TypeError) as error:
            raise ValidationError(self.env._("this is not a list of conditions")) from error
        self.env["customer.cost.driver"]._check_reach(partners, domain)
        domain.validate(partners)
        return domain

    def _get_limit_name(self):
        """Field of the customer's own limit for this metric, window and side, or ``False``."""
        name, side = OWN_LIMITS.get((self.metric, self.window), (False, False))
        return side == self.operator and name

    @api.model
    def _get_customer_limits(self, company, name):
        """The customers' own limits, which come before the threshold of a rule.

        :param name: field of the limit on the customer
        :return: dict of customer id to limit, company currency or percent
        """
        limits = self.env["res.partner"]._get_customer_cost_limits(company)
        return {customer: found[name] for customer, found in limits.items() if name in found}

    # ------------------------------------------------------------
    # Writing
    # ------------------------------------------------------------

    def write(self, vals):
        ended = self.browse()
        if vals.get("active") is False:
            ended = self
        elif SUBSTANCE_FIELDS.intersection(vals):
            ended = self.filtered(
                lambda rule: any(
                    rule._fields[name].convert_to_write(rule[name], rule) != vals[name]
                    for name in SUBSTANCE_FIELDS.intersection(vals)
                )
            )
        if ended:
            ended.check_access("write")
            ended._end_alerts(self.env._("The rule was changed or put away."))
            ended._unguarded().write({"state": "preview", "error": False})
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_used(self):
        # sudo: an alert of a customer the user may not see counts as well
        for rule in self.sudo():
            if rule.alert_ids:
                raise UserError(
                    self.env._(
                        "%(rule)s has alerts and cannot be deleted: archive it instead.",
                        rule=rule.name,
                    )
                )

    # ------------------------------------------------------------
    # Buttons
    # ------------------------------------------------------------

    def action_switch_on(self):
        """Have the scheduled action evaluate these rules, and do so now.

        :raises UserError: another evaluation is at work
        """
        self.check_access("write")
        for rule in self:
            if not rule.active:
                raise UserError(self.env._("%(rule)s is archived.", rule=rule.name))
        self._unguarded().write({"state": "on"})
        self._check_rules()

    def action_switch_off(self):
        """Put rules back to preview; their alerts are closed with a note."""
        self.check_access("write")
        self._end_alerts(self.env._("The rule was switched off."))
        self._unguarded().write({"state": "preview", "error": False})

    def action_check(self):
        """Evaluate these rules now and tell the recipients.

        :raises UserError: a rule is in preview only, or another evaluation is at work
        """
        self.check_access("write")
        for rule in self:
            if rule.state == "preview":
                raise UserError(
                    self.env._("%(rule)s is in preview only: switch it on first.", rule=rule.name)
                )
        self._check_rules()

    def action_preview(self):
        """Show whom this rule would alert today; nobody is told and nothing is kept.

        :return: action that opens the list
        """
        self.ensure_one()
        self.check_access("read")
        return self.env["customer.cost.alert.preview"]._open(self)

    def action_open_alerts(self):
        """Open the alerts of this rule."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "customer_cost.customer_cost_alert_action"
        )
        action["domain"] = [("rule_id", "=", self.id)]
        return action
