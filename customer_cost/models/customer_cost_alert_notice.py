from collections import defaultdict

from odoo import api, fields, models
from odoo.fields import Command
from odoo.tools import SQL, date_utils, split_every

ACTIVITY = "customer_cost.mail_activity_type_alert"
AT_ONCE = 1000
LISTED_IN_MAIL = 50


class CustomerCostAlert(models.Model):
    """Who is told of alerts, how, and what happens when nobody acts.

    Nobody is told of a figure they may not see: recipients are those who may read the alert.
    """

    _inherit = "customer.cost.alert"

    @api.model
    def _follow_up(self, commit=None):
        """Tell people of what was found, pass on what nobody acted on, send one mail to each.

        :param commit: called after each step, returns the seconds left; the next call goes on
        """
        commit = commit or (lambda: 1)
        while alerts := self.search([("to_tell", "=", True)], order="id", limit=AT_ONCE):
            alerts._tell()
            if not commit():
                return
        for step in (self._escalate, self._replace_owners):
            step()
            if not commit():
                return
        self._send_mails()

    # ------------------------------------------------------------
    # Recipients
    # ------------------------------------------------------------

    def _get_visible_to(self, user):
        """Those of these alerts whose figures ``user`` may see, in all of their companies."""
        return (
            self.with_user(user)
            .with_context(allowed_company_ids=user.company_ids.ids)
            ._filtered_access("read")
            .with_env(self.env)
        )

    def _get_recipients(self):
        """Whom the rule of these alerts names, rights not looked at.

        :return: dict of user to alerts; the first named first
        """
        rule = self.rule_id
        found = defaultdict(self.browse)
        for alert in self:
            users = (
                alert._get_customer_recipients(rule)
                if alert.customer_id
                else alert._get_budget_recipients(rule)
            )
            for user in users:
                found[user] |= alert
        for user in rule.user_ids | rule.group_id.all_user_ids:
            found[user] |= self
        return {user: alerts for user, alerts in found.items() if user.active and not user.share}

    def _get_customer_recipients(self, rule):
        salesperson = self.customer_id.user_id
        users = self.env["res.users"]
        if rule.tell_salesperson:
            users |= salesperson
        if rule.tell_team and rule.has_teams:
            team = salesperson.sale_team_id
            users |= team.user_id | team.member_ids
        if rule.tell_followers:
            users |= self.customer_id.message_partner_ids.user_ids
        return users

    def _get_budget_recipients(self, rule):
        """Of the budget of a class, who confirmed it takes the place of the salesperson."""
        return rule.tell_salesperson and self.budget_id.confirmed_by_id or self.env["res.users"]

    # ------------------------------------------------------------
    # Telling
    # ------------------------------------------------------------

    def _tell(self):
        """Tell the recipients of new alerts, and name on the rule those who may not know."""
        for rule, alerts in self.grouped("rule_id").items():
            told, left_out = {}, self.env["res.users"]
            for user, theirs in alerts._get_recipients().items():
                visible = theirs._get_visible_to(user)
                if visible:
                    told[user] = visible
                if theirs - visible:
                    left_out |= user
            unheard = alerts - self.browse().union(*told.values())
            if unheard and rule.user_id.active:
                fallback = unheard._get_visible_to(rule.user_id)
                told[rule.user_id] = told.get(rule.user_id, self.browse()) | fallback
            alerts._give_owners(told)
            if rule.by_activity:
                alerts._plan_activities(told)
            if rule.by_mail:
                alerts._queue_mails(told)
            if rule.by_note:
                alerts._note(told)
            rule._unguarded().write({"left_out_user_ids": [Command.set(left_out.ids)]})
        self._unguarded().write({"to_tell": False})

    def _give_owners(self, told):
        """Alerts without owner go to the first who is told."""
        waiting = self.filtered(lambda alert: not alert.owner_id)
        for user, alerts in told.items():
            theirs = waiting & alerts
            theirs._unguarded().with_context(tracking_disable=True).write({"owner_id": user.id})
            waiting -= theirs

    def _plan_activities(self, told):
        """One activity per person and alert; the mail, if any, is the one of the evaluation."""
        model_id = self.env["ir.model"]._get_id(self._name)
        kind = self.env.ref(ACTIVITY)
        deadline = fields.Date.context_today(self)
        activities = self.env["mail.activity"].sudo()  # sudo: nobody writes on an alert themselves
        activities.with_context(mail_activity_quick_update=True).create(
            [
                {
                    "activity_type_id": kind.id,
                    "res_model_id": model_id,
                    "res_id": alert.id,
                    "user_id": user.id,
                    "date_deadline": deadline,
                    "summary": alert.name,
                    "automated": True,
                }
                for user, alerts in told.items()
                for alert in alerts.with_context(lang=user.lang)
            ]
        )

    def _close_activities(self):
        if self:
            self.activity_unlink([ACTIVITY])

    def _queue_mails(self, told):
        for user, alerts in told.items():
            alerts._unguarded().write({"mail_user_ids": [Command.link(user.id)]})

    def _note(self, told):
        names = defaultdict(list)
        for user, alerts in told.items():
            for alert in alerts:
                names[alert].append(user.name)
        self.sudo()._message_log_batch(  # sudo: the alert's own trail
            {
                alert.id: alert.rule_id._get_own_language()._(
                    "Found %(figure)s, allowed %(threshold)s. Told: %(names)s",
                    figure=alert.figure_text,
                    threshold=alert.threshold_text,
                    names=", ".join(names[alert]) or "-",
                )
                for alert in self
            }
        )

    def _log(self, body, close=False):
        """Leave a note on these alerts, and take back what people were asked to do about them."""
        if not self:
            return
        self.sudo()._message_log_batch(dict.fromkeys(self.ids, body))  # sudo: as above
        if close:
            self.sudo()._close_activities()  # sudo: as above

    # ------------------------------------------------------------
    # When nobody acts, or cannot
    # ------------------------------------------------------------

    @api.model
    def _wake(self, rule, now):
        """Alerts of a rule whose rest is over are new again, and people are told again."""
        alerts = self.search(
            [
                ("rule_id", "=", rule.id),
                ("lasting", "=", True),
                ("state", "=", "snoozed"),
                ("snoozed_until", "<=", fields.Date.context_today(self)),
            ]
        )
        alerts._unguarded().write(
            {"state": "new", "snoozed_until": False, "to_tell": True, "reopened_on": now}
        )
        self.env.flush_all()

    @api.model
    def _escalate(self):
        """Pass on, once, what is still new after the days that its rule gives."""
        now = fields.Datetime.now()
        rules = self.env["customer.cost.alert.rule"].search(
            [("escalate_days", ">", 0), ("state", "!=", "preview")]
        )
        for rule in rules:
            since = date_utils.subtract(now, days=rule.escalate_days)
            alerts = self.search(
                [
                    ("rule_id", "=", rule.id),
                    ("state", "=", "new"),
                    ("escalated_on", "=", False),
                    "|",
                    ("reopened_on", "<=", since),
                    "&",
                    ("reopened_on", "=", False),
                    ("found_on", "<=", since),
                ]
            )
            if alerts:
                alerts._pass_on(rule, rule.escalate_user_id, now)

    def _pass_on(self, rule, user, now):
        visible = self._get_visible_to(user) if user.active else self.browse()
        if self - visible:
            rule._unguarded().write({"left_out_user_ids": [Command.link(user.id)]})
            # who may not know is replaced by who is responsible for the rule
            rest = self - visible
            rest._plan_activities({rule.user_id: rest._get_visible_to(rule.user_id)})
        visible._plan_activities({user: visible})
        if rule.by_mail:
            visible._queue_mails({user: visible})
        self._unguarded().write({"escalated_on": now})
        text = rule._get_own_language()._(
            "Nobody acted on it for %(days)s days: passed on to %(user)s.",
            days=rule.escalate_days,
            user=user.name if visible else rule.user_id.name,
        )
        self._log(text)

    @api.model
    def _replace_owners(self):
        """Open alerts whose owner has left go to who is responsible for the rule."""
        alerts = self.search([("state", "!=", "resolved"), ("owner_id.active", "=", False)])
        for rule, theirs in alerts.grouped("rule_id").items():
            user = rule.user_id
            visible = theirs._get_visible_to(user) if user.active else self.browse()
            theirs._unguarded().write({"owner_id": False})
            visible._unguarded().write({"owner_id": user.id})
            visible._plan_activities({user: visible})

    # ------------------------------------------------------------
    # Mail
    # ------------------------------------------------------------

    @api.model
    def _send_mails(self):
        """Send everybody one mail about all that this evaluation found for them."""
        rows = self.env.execute_query(
            SQL(
                """SELECT user_id, array_agg(alert_id ORDER BY alert_id DESC)
                     FROM customer_cost_alert_mail_rel GROUP BY 1 ORDER BY 1"""
            )
        )
        mails = []
        for user_id, alert_ids in rows:
            user = self.env["res.users"].browse(user_id)
            alerts = self.browse(alert_ids).exists()
            open_ones = alerts.filtered(lambda alert: alert.state != "resolved")
            visible = open_ones._get_visible_to(user) if user.active else self.browse()
            if visible and user.email:
                mails.append(visible._prepare_mail(user))
        for part in split_every(AT_ONCE, mails):
            self.env["mail.mail"].sudo().create(part)  # sudo: sent for the company, not a person
        self.env.cr.execute(SQL("DELETE FROM customer_cost_alert_mail_rel"))
        self.invalidate_model(["mail_user_ids"], flush=False)

    def _prepare_mail(self, user):
        """Values of the mail that lists these alerts to ``user``, in their language."""
        alerts = self.with_context(lang=user.lang or self.env.lang)
        text = alerts.env._
        company = user.company_id
        pending = sum(self.rule_id.mapped("pending"))
        base = self[:1].get_base_url()
        subject = (
            text("Customer cost: 1 alert")
            if len(self) == 1
            else text("Customer cost: %(count)s alerts", count=len(self))
        )
        body = alerts.env["ir.qweb"]._render(
            "customer_cost.customer_cost_alert_mail",
            {
                "alerts": alerts[:LISTED_IN_MAIL],
                "more": text("and %(count)s more", count=len(self) - LISTED_IN_MAIL)
                if len(self) > LISTED_IN_MAIL
                else False,
                "subject": subject,
                "several_companies": len(self.company_id) > 1,
                "pending": text(
                    "Changes not counted in these figures yet: %(count)s", count=pending
                )
                if pending
                else False,
                "url": f"{base}/odoo/customer-cost-alerts",
            },
            minimal_qcontext=True,
        )
        return {
            "subject": subject,
            "body_html": body,
            "email_from": company.email_formatted or self.env.user.email_formatted,
            "recipient_ids": [Command.link(user.partner_id.id)],
            "auto_delete": True,
        }
