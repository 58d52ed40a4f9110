from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import format_date

REMINDER = "customer_cost.mail_activity_type_recording"


class CustomerCostRecordingPeriod(models.Model):
    """One week or month in which one person was to record costs; kept by methods alone."""

    _name = "customer.cost.recording.period"
    _description = "Recording Period"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _order = "date_from desc, id"

    recording_id = fields.Many2one(
        "customer.cost.recording",
        string="Calendar",
        required=True,
        readonly=True,
        index=True,
        ondelete="cascade",
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    user_id = fields.Many2one(
        "res.users", string="Person", required=True, readonly=True, index=True, ondelete="cascade"
    )
    date_from = fields.Date(string="From", required=True, readonly=True)
    date_to = fields.Date(string="Until", required=True, readonly=True)
    date_due = fields.Date(string="Due", required=True, readonly=True)
    state = fields.Selection(
        [("missing", "Missing"), ("recorded", "Recorded")],
        required=True,
        readonly=True,
        default="missing",
    )

    _period_unique = models.UniqueIndex("(recording_id, user_id, date_from)")

    @api.depends("recording_id", "date_from", "date_to")
    def _compute_display_name(self):
        for period in self:
            period.display_name = self.env._(
                "%(calendar)s: %(first)s to %(last)s",
                calendar=period.recording_id.name,
                first=format_date(self.env, period.date_from),
                last=format_date(self.env, period.date_to),
            )

    def action_record(self):
        """Record a cost in this period.

        :return: action that opens a new cost
        """
        self.ensure_one()
        items = self.recording_id.item_ids
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("New Cost"),
            "res_model": "customer.cost.entry",
            "view_mode": "form",
            "context": {
                "default_date": fields.Date.to_string(
                    min(self.date_to, fields.Date.context_today(self))
                ),
                "default_item_id": items.id if len(items) == 1 else False,
            },
        }

    @api.model
    def _open(self, recording, first, last, due):
        """Open a period for everybody of a calendar who has none, and remind who is missing."""
        known = self.search([("recording_id", "=", recording.id), ("date_from", "=", first)])
        periods = self.create(
            [
                {
                    "recording_id": recording.id,
                    "company_id": recording.company_id.id,
                    "user_id": user.id,
                    "date_from": first,
                    "date_to": last,
                    "date_due": due,
                }
                for user in recording._get_recorders() - known.user_id
            ]
        )
        periods._refresh()
        for period in periods.filtered(lambda period: period.state == "missing"):
            period.activity_schedule(
                REMINDER,
                date_deadline=due,
                user_id=period.user_id.id,
                summary=period._get_reminder(period.user_id.lang),
            )

    def _get_reminder(self, lang):
        period = self.with_context(lang=lang)
        return period.env._("Record costs: %(period)s", period=period.display_name)

    def _refresh(self):
        """Close the periods in which their person has recorded something since."""
        recorded = self.browse()
        for (recording, first, last), periods in self.grouped(
            lambda period: (period.recording_id, period.date_from, period.date_to)
        ).items():
            domain = recording._get_recorded_domain(first, last)
            groups = self.env["customer.cost.entry"]._read_group(
                domain & Domain("create_uid", "in", periods.user_id.ids), ["create_uid"]
            )
            users = self.env["res.users"].union(*(user for (user,) in groups))
            recorded |= periods.filtered(lambda period, users=users: period.user_id in users)
        recorded.write({"state": "recorded"})
        recorded.activity_unlink([REMINDER])
