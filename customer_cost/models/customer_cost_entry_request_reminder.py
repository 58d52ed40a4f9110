from odoo import api, fields, models

from .customer_cost_entry_request import OPEN_STATES

REMINDER = "customer_cost.mail_activity_type_request"
BATCH = 100


class CustomerCostEntry(models.Model):
    """The author of a request that stays open is reminded of it."""

    _inherit = "customer.cost.entry"

    reminded_on = fields.Date(readonly=True, copy=False)

    @api.model
    def _cron_remind_requests(self):
        """Remind once per interval, and close the reminders of what is settled or released."""
        self._search_reminded().filtered(
            lambda entry: entry.settlement_state not in OPEN_STATES
        )._close_reminders()
        due = self._search_to_remind()
        for start in range(0, len(due), BATCH):
            due[start : start + BATCH]._remind()
            if not self.env["ir.cron"]._commit_progress(
                BATCH, remaining=max(len(due) - start - BATCH, 0)
            ):
                break

    @api.model
    def _search_reminded(self):
        activities = self.env["mail.activity"].search_fetch(
            [("activity_type_id", "=", self.env.ref(REMINDER).id)], ["res_id"]
        )
        return self.browse(activities.mapped("res_id")).exists()

    @api.model
    def _search_to_remind(self):
        due = self.browse()
        today = fields.Date.context_today(self)
        for company in self.env["res.company"].search(
            [("customer_cost_request_reminder_days", ">", 0)]
        ):
            day = fields.Date.subtract(today, days=company.customer_cost_request_reminder_days)
            due |= self.search(
                [
                    ("company_id", "=", company.id),
                    ("settlement_state", "in", OPEN_STATES),
                    ("approved_on", "<=", day),
                    "|",
                    ("reminded_on", "=", False),
                    ("reminded_on", "<=", day),
                ]
            )
        return due - self._search_reminded()

    def _remind(self):
        for entry in self:
            author = entry.submitter_id or entry.create_uid
            if not author.active:
                author = entry.customer_id.user_id.filtered("active")
            if not author or not entry.with_user(author).has_access("read"):
                continue
            own = entry.with_context(lang=author.lang)
            entry.activity_schedule(
                REMINDER,
                user_id=author.id,
                summary=own.env._(
                    "%(request)s: %(open)s open for %(days)s days",
                    request=own.display_name,
                    open=own._format_company(own.open_amount),
                    days=own.open_days,
                ),
            )
        self._unguarded().write({"reminded_on": fields.Date.context_today(self)})

    def _close_reminders(self):
        if self:
            # sudo: the author's, whoever settles or releases
            self.sudo().activity_unlink([REMINDER])
