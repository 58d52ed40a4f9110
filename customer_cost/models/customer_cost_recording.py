from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain
from odoo.tools import date_utils

RECORDER = "customer_cost.group_customer_cost_rep"
WEEKDAYS = [
    ("1", "Monday"),
    ("2", "Tuesday"),
    ("3", "Wednesday"),
    ("4", "Thursday"),
    ("5", "Friday"),
    ("6", "Saturday"),
    ("7", "Sunday"),
]


class CustomerCostRecording(models.Model):
    """Who records costs every week or month; who recorded none is reminded on the day due."""

    _name = "customer.cost.recording"
    _description = "Recording Calendar"
    _order = "name, id"
    _check_company_auto = True

    name = fields.Char(required=True, translate=True)
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company, index=True
    )
    user_ids = fields.Many2many(
        "res.users",
        string="People",
        required=True,
        domain=lambda self: [
            ("all_group_ids", "in", self.env.ref(RECORDER).ids),
            ("share", "=", False),
        ],
    )
    item_ids = fields.Many2many(
        "customer.cost.item",
        string="Cost Items",
        check_company=True,
        help="A cost of one of these items, or of one below, counts as recorded. Empty: any item.",
    )
    interval = fields.Selection(
        [("week", "Every week"), ("month", "Every month")], required=True, default="month"
    )
    weekday = fields.Selection(WEEKDAYS, string="Due On", default="5")
    month_day = fields.Integer(
        string="Due On Day",
        default=28,
        help="Day of the month. In a shorter month, its last day.",
    )
    active = fields.Boolean(default=True)
    period_ids = fields.One2many("customer.cost.recording.period", "recording_id")
    missing_count = fields.Integer(compute="_compute_missing_count")

    _month_day_range = models.Constraint(
        "CHECK(month_day BETWEEN 1 AND 31)", "The day due lies between 1 and 31."
    )

    def _compute_missing_count(self):
        groups = self.env["customer.cost.recording.period"]._read_group(
            [("recording_id", "in", self.ids), ("state", "=", "missing")],
            ["recording_id"],
            ["__count"],
        )
        counts = {recording.id: count for recording, count in groups}
        for recording in self:
            recording.missing_count = counts.get(recording.id, 0)

    @api.constrains("interval", "weekday")
    def _check_weekday(self):
        for recording in self:
            if recording.interval == "week" and not recording.weekday:
                raise ValidationError(self.env._("Say on which weekday the costs are due."))

    @api.constrains("user_ids", "company_id")
    def _check_user_ids(self):
        for recording in self:
            if not recording.user_ids:
                raise ValidationError(self.env._("Say who records the costs."))
            for user in recording.user_ids - recording._get_recorders():
                raise ValidationError(
                    self.env._(
                        "%(user)s does not record costs in %(company)s: give the role first.",
                        user=user.name,
                        company=recording.company_id.name,
                    )
                )

    def action_open_periods(self):
        """Open the weeks or months of this calendar, recorded and missing."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "customer_cost.customer_cost_recording_period_action"
        )
        return {**action, "domain": [("recording_id", "=", self.id)], "context": {}}

    def _get_recorders(self):
        """The people of the calendar who can record costs now."""
        self.ensure_one()
        return self.user_ids.filtered(
            lambda user: (
                user.active and self.company_id in user.company_ids and user.has_group(RECORDER)
            )
        )

    def _get_period(self, day):
        """First day, last day and day due of the week or month of ``day``."""
        first = date_utils.start_of(day, self.interval)
        last = date_utils.end_of(day, self.interval)
        if self.interval == "week":
            return first, last, date_utils.add(first, days=int(self.weekday) - 1)
        return first, last, min(last, date_utils.add(first, days=self.month_day - 1))

    def _get_recorded_domain(self, first, last):
        """Domain of what counts as recorded between two days, whoever recorded it."""
        domain = Domain(
            [
                ("company_id", "=", self.company_id.id),
                ("kind", "in", ("request", "statistical")),
                ("date", ">=", first),
                ("date", "<=", last),
            ]
        )
        if self.item_ids:
            domain &= Domain("item_id", "child_of", self.item_ids.ids)
        return domain

    @api.model
    def _cron_remind(self):
        """Remind who recorded nothing by the day due, and close what was recorded since."""
        periods = self.env["customer.cost.recording.period"]
        today = fields.Date.context_today(self)
        for recording in self.search([("active", "=", True)]):
            first, last, due = recording._get_period(today)
            if due <= today:
                periods._open(recording, first, last, due)
        periods.search([("state", "=", "missing")])._refresh()
