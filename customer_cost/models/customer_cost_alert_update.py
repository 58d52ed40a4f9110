from collections import defaultdict

from odoo import fields, models
from odoo.tools import SQL, date_utils, split_every

from .customer_cost_alert_evaluation import PASS
from .customer_cost_alert_metric import DEFINITIONS

LOGGED_AT_ONCE = 1000
# What an alert of one metric is about as one number: the budget of a class is negative.
SUBJECT = SQL("COALESCE(a.customer_id, a.item_id, -a.budget_id)")


class CustomerCostAlertRule(models.Model):
    """What breaks a rule becomes its alerts: new ones, those that last, those that end."""

    _inherit = "customer.cost.alert.rule"

    def _update_alerts(self, windows, now, customer_ids=None):
        """Bring the alerts of this rule to what breaks it, in one statement.

        A breach that lasts keeps its alert; one that ended is closed; one that comes back within
        the cool-down reopens the alert it had; all others get a new one.
        """
        first = last = None
        if DEFINITIONS[self.metric].has_window:
            first, last = self.env["customer.cost.alert.metric"]._get_window(
                self.company_id, self.window, self._get_today()
            )
        alerts = self.env["customer.cost.alert"].sudo()  # sudo: alerts have no other writer
        alerts._wake(self, now)
        covered = SQL("TRUE")
        if customer_ids is not None:
            covered = SQL("a.customer_id = ANY(%s)", list(customer_ids))
        done = defaultdict(list)
        for outcome, alert_id in self.env.execute_query(
            SQL(
                """WITH breach AS MATERIALIZED (
                       SELECT *, %(subject)s AS subject FROM (%(breaches)s) a),
                        lasting AS (
                       SELECT id, state, %(subject)s AS subject FROM customer_cost_alert a
                        WHERE rule_id = %(rule)s AND lasting AND %(covered)s),
                        recent AS (
                       SELECT DISTINCT ON (%(subject)s) id, %(subject)s AS subject
                         FROM customer_cost_alert a
                        WHERE rule_id = %(rule)s AND NOT lasting AND metric = %(metric)s
                          AND ended_on >= %(cooled)s
                     ORDER BY %(subject)s, ended_on DESC, id DESC),
                        fresh AS (
                       SELECT b.*, r.id AS alert_id
                         FROM breach b LEFT JOIN recent r USING (subject)
                        WHERE NOT EXISTS (
                              SELECT FROM lasting l WHERE l.subject = b.subject)),
                        changed AS (
                       UPDATE customer_cost_alert a
                          SET figure = b.figure, threshold = b.threshold,
                              date_from = %(first)s::date, date_to = %(last)s::date,
                              severity = %(severity)s
                         FROM breach b JOIN lasting l USING (subject)
                        WHERE a.id = l.id
                          AND (a.figure, a.threshold, a.date_from, a.date_to, a.severity)
                              IS DISTINCT FROM (b.figure, b.threshold, %(first)s::date,
                                                %(last)s::date, %(severity)s)),
                        reopened AS (
                       UPDATE customer_cost_alert a
                          SET lasting = TRUE, state = 'new', ended_on = NULL,
                              resolved_on = NULL, resolved_by_id = NULL, note = NULL,
                              reopened_on = %(now)s, escalated_on = NULL,
                              figure = b.figure, threshold = b.threshold,
                              date_from = %(first)s::date, date_to = %(last)s::date,
                              severity = %(severity)s
                         FROM fresh b WHERE a.id = b.alert_id
                    RETURNING a.id),
                        created AS (
                       INSERT INTO customer_cost_alert (
                              rule_id, company_id, metric, severity, customer_id, item_id,
                              budget_id, figure, threshold, date_from, date_to, state, lasting,
                              to_tell, found_on, create_date, write_date)
                       SELECT %(rule)s, %(company)s, %(metric)s, %(severity)s, customer_id,
                              item_id, budget_id, figure, threshold, %(first)s::date,
                              %(last)s::date, 'new', TRUE, TRUE, %(now)s, %(now)s, %(now)s
                         FROM fresh WHERE alert_id IS NULL),
                        ended AS (
                       UPDATE customer_cost_alert a
                          SET lasting = FALSE, ended_on = %(now)s, state = 'resolved',
                              to_tell = FALSE, snoozed_until = NULL,
                              resolved_on = COALESCE(a.resolved_on, %(now)s)
                         FROM lasting l
                        WHERE a.id = l.id AND NOT EXISTS (
                              SELECT FROM breach b WHERE b.subject = l.subject)
                    RETURNING a.id, l.state)
                   SELECT 'reopened', id FROM reopened
             UNION ALL SELECT 'ended', id FROM ended WHERE state <> 'resolved'""",
                breaches=self._sql_breaches(windows, PASS),
                subject=SUBJECT,
                rule=self.id,
                company=self.company_id.id,
                metric=self.metric,
                severity=self.severity,
                covered=covered,
                cooled=date_utils.subtract(now, days=self.cooldown_days),
                first=first,
                last=last,
                now=now,
            )
        ):
            done[outcome].append(alert_id)
        alerts.invalidate_model(flush=False)
        texts = self._get_own_language()
        alerts.browse(done["reopened"])._log(texts._("The breach came back."))
        alerts.browse(done["ended"])._log(texts._("The breach ended."), close=True)

    def _get_own_language(self):
        """Environment in whose language notes are written that the scheduled action leaves."""
        return self.with_context(lang=self.company_id.partner_id.lang).env

    def _end_alerts(self, text):
        """Close what this rule found, since it is no longer watched."""
        # sudo: alerts of customers the user may not see end as well
        alerts = self.env["customer.cost.alert"].sudo()
        alerts = alerts.search([("rule_id", "in", self.ids), ("lasting", "=", True)])
        now = fields.Datetime.now()
        still_open = alerts.filtered(lambda alert: alert.state != "resolved")
        alerts._unguarded().write({"lasting": False, "ended_on": now, "to_tell": False})
        still_open._unguarded().write({"state": "resolved", "resolved_on": now})
        for ids in split_every(LOGGED_AT_ONCE, still_open.ids):
            alerts.browse(ids)._log(text, close=True)
