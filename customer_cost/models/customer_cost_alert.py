from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL, formatLang

from ..fields import Amount, Many2oneUnchecked
from .customer_cost_alert_metric import DEFINITIONS
from .customer_cost_alert_rule import SEVERITIES

ACTORS = "customer_cost.group_customer_cost_rep"


class CustomerCostAlert(models.Model):
    """One breach of an alert rule, from the day it is found until it is resolved.

    Evaluations insert and update the rows by SQL; people change them by the methods below.
    """

    _name = "customer.cost.alert"
    _description = "Customer Cost Alert"
    _inherit = ["mail.thread", "mail.activity.mixin", "customer.cost.guarded"]
    _order = "found_on desc, id desc"
    _mail_post_access = "read"
    _guarded_fields = frozenset(
        {
            "rule_id",
            "company_id",
            "metric",
            "severity",
            "customer_id",
            "item_id",
            "budget_id",
            "figure",
            "threshold",
            "date_from",
            "date_to",
            "state",
            "lasting",
            "found_on",
            "reopened_on",
            "ended_on",
            "owner_id",
            "snoozed_until",
            "resolved_on",
            "resolved_by_id",
            "note",
            "escalated_on",
            "to_tell",
            "mail_user_ids",
        }
    )

    rule_id = Many2oneUnchecked(
        "customer.cost.alert.rule", string="Rule", required=True, readonly=True
    )
    name = fields.Char(related="rule_id.name", string="Alert")
    company_id = Many2oneUnchecked("res.company", required=True, readonly=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    metric = fields.Selection(selection="_get_metrics", required=True, readonly=True)
    severity = fields.Selection(SEVERITIES, required=True, readonly=True)
    customer_id = fields.Many2one("res.partner", readonly=True, ondelete="cascade")
    item_id = Many2oneUnchecked("customer.cost.item", string="Cost Item", readonly=True)
    budget_id = Many2oneUnchecked(
        "customer.cost.budget",
        string="Class Budget",
        readonly=True,
        help="The budget of a customer class that the alert is about; it has no customer then.",
    )
    figure = Amount(required=True, readonly=True)
    threshold = Amount(required=True, readonly=True)
    figure_text = fields.Char(string="Found", compute="_compute_texts")
    threshold_text = fields.Char(string="Allowed", compute="_compute_texts")
    date_from = fields.Date(string="Window From", readonly=True)
    date_to = fields.Date(string="Window To", readonly=True)
    state = fields.Selection(
        [
            ("new", "New"),
            ("acknowledged", "Acknowledged"),
            ("snoozed", "Snoozed"),
            ("resolved", "Resolved"),
        ],
        required=True,
        readonly=True,
        default="new",
        tracking=True,
        group_expand=True,
    )
    lasting = fields.Boolean(
        string="Breach Lasts", readonly=True, help="As of the last evaluation of the rule."
    )
    last_seen = fields.Datetime(compute="_compute_last_seen")
    found_on = fields.Datetime(required=True, readonly=True)
    reopened_on = fields.Datetime(readonly=True)
    ended_on = fields.Datetime(string="Breach Ended On", readonly=True)
    owner_id = fields.Many2one("res.users", readonly=True, index="btree_not_null", tracking=True)
    snoozed_until = fields.Date(readonly=True, tracking=True)
    resolved_on = fields.Datetime(readonly=True)
    resolved_by_id = fields.Many2one(
        "res.users", readonly=True, help="Empty: it closed itself when the breach ended."
    )
    note = fields.Text(string="Resolution", readonly=True)
    escalated_on = fields.Datetime(readonly=True)
    to_tell = fields.Boolean(readonly=True, help="Nobody has been told yet.")
    mail_user_ids = fields.Many2many(
        "res.users",
        "customer_cost_alert_mail_rel",
        "alert_id",
        "user_id",
        string="In Their Next Mail",
        readonly=True,
    )
    can_act = fields.Boolean(compute="_compute_can_act")

    _lasting_customer_unique = models.UniqueIndex("(rule_id, customer_id) WHERE lasting")
    _lasting_item_unique = models.UniqueIndex(
        "(rule_id, item_id) WHERE lasting AND item_id IS NOT NULL"
    )
    _lasting_budget_unique = models.UniqueIndex(
        "(rule_id, budget_id) WHERE lasting AND budget_id IS NOT NULL"
    )
    _ended_idx = models.Index("(rule_id, ended_on) WHERE NOT lasting")
    _customer_idx = models.Index("(customer_id)")

    @api.model
    def _get_metrics(self):
        return self.env["customer.cost.alert.metric"]._get_metrics()

    @api.depends("rule_id.name", "customer_id", "item_id", "budget_id")
    def _compute_display_name(self):
        for alert in self:
            alert.display_name = f"{alert.name}: {alert._get_subject().display_name or ''}"

    def _get_subject(self):
        """The customer, cost item or budget that the alert is about."""
        # sudo: the name of a cost item or budget, to who may see the alert about it
        return self.customer_id or self.sudo().budget_id or self.sudo().item_id

    @api.depends("figure", "threshold", "metric", "company_id")
    def _compute_texts(self):
        for alert in self:
            alert.figure_text = alert._format(alert.figure)
            alert.threshold_text = alert._format(alert.threshold)

    def _format(self, value):
        """A figure of this alert in its unit, as the reader writes numbers."""
        return self._format_figure(self.metric, value, self.company_id.currency_id)

    @api.model
    def _format_figure(self, metric, value, currency):
        unit = DEFINITIONS[metric].unit if metric in DEFINITIONS else "count"
        if unit == "amount":
            return formatLang(self.env, value, currency_obj=currency)
        if unit == "percent":
            return self.env._("%(figure)s %%", figure=formatLang(self.env, value, digits=1))
        if unit == "days":
            return self.env._("%(figure)s days", figure=formatLang(self.env, value, digits=0))
        return formatLang(self.env, value, digits=0)

    @api.depends("lasting", "ended_on", "rule_id.checked_on")
    def _compute_last_seen(self):
        for alert in self:
            # sudo: when a rule was checked is no secret
            seen = alert.rule_id.sudo().checked_on or alert.reopened_on or alert.found_on
            alert.last_seen = seen if alert.lasting else alert.ended_on

    @api.depends_context("uid")
    @api.depends("state")
    def _compute_can_act(self):
        is_actor = self.env.user.has_group(ACTORS)
        for alert in self:
            alert.can_act = is_actor and alert.state != "resolved"

    @api.model
    def get_empty_list_help(self, help_message):
        """Lead who may read the rules to them; a sales rep has no use for the link."""
        message = super().get_empty_list_help(help_message)
        if not self.env["customer.cost.alert.rule"].has_access("read"):
            return message
        return Markup('%s<p><a type="action" name="%s" class="btn btn-secondary">%s</a></p>') % (
            Markup(message or ""),
            "customer_cost.customer_cost_alert_rule_action",
            self.env._("See the alert rules"),
        )

    @api.model
    def _count_open(self, company):
        """How many open alerts of a company the user may see."""
        return self.search_count([("company_id", "=", company.id), ("state", "!=", "resolved")])

    # ------------------------------------------------------------
    # What people do
    # ------------------------------------------------------------

    def action_acknowledge(self):
        """Say that somebody looks after these alerts: the user, where nobody is named yet."""
        for alert in self._check_may_act():
            owner = alert.owner_id or self.env.user
            alert.write({"state": "acknowledged", "owner_id": owner.id, "snoozed_until": False})

    def action_assign(self):
        """Open the dialog that asks who looks after these alerts."""
        return self._open_dialog("assign", self.env._("Assign"))

    def action_snooze(self):
        """Open the dialog that asks until when these alerts rest."""
        return self._open_dialog("snooze", self.env._("Snooze"))

    def action_resolve(self):
        """Open the dialog that asks what was done about these alerts."""
        return self._open_dialog("resolve", self.env._("Resolve"))

    def action_open_customer(self):
        """Open the customer or the budget; of a pool, the costs that wait in it."""
        self.ensure_one()
        self.check_access("read")
        if subject := self.customer_id or self.budget_id:
            return subject.get_formview_action()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "customer_cost.customer_cost_line_action"
        )
        action["domain"] = [
            ("company_id", "=", self.company_id.id),
            ("customer_id", "=", False),
            ("item_id", "=", self.item_id.id),
            ("date", ">=", self.date_from),
            ("date", "<=", self.date_to),
        ]
        return action

    def _open_dialog(self, kind, title):
        self._check_may_act()
        return {
            "type": "ir.actions.act_window",
            "name": title,
            "res_model": "customer.cost.alert.act",
            "view_mode": "form",
            "target": "new",
            "context": {
                "default_alert_ids": [fields.Command.set(self.ids)],
                "default_kind": kind,
            },
        }

    def _assign(self, user):
        """Have ``user`` look after these alerts.

        :raises UserError: the user may not see the figures of a customer, or is archived
        """
        alerts = self._check_may_act()
        hidden = self - self._get_visible_to(user)
        if hidden or not user.active:
            raise UserError(
                self.env._(
                    "%(user)s may not see the figures behind %(alert)s: choose somebody who may.",
                    user=user.name,
                    alert=(hidden or self)[:1].display_name,
                )
            )
        alerts.write({"owner_id": user.id})
        alerts._close_activities()
        alerts._plan_activities({user: alerts})

    def _snooze(self, until):
        """Let these alerts rest until a day; if the breach lasts then, they are new again.

        :raises UserError: the day is not in the future
        """
        alerts = self._check_may_act()
        if not until or until <= fields.Date.context_today(self):
            raise UserError(self.env._("Choose a day in the future."))
        alerts.write({"state": "snoozed", "snoozed_until": until})
        alerts.filtered(lambda alert: not alert.owner_id).write({"owner_id": self.env.uid})
        alerts._close_activities()

    def _resolve(self, note):
        """Close these alerts with a note; they stay closed while the breach lasts.

        :raises UserError: the note is empty
        """
        alerts = self._check_may_act()
        if not (note or "").strip():
            raise UserError(self.env._("Say what was done about it."))
        alerts.write(
            {
                "state": "resolved",
                "note": note,
                "resolved_by_id": self.env.uid,
                "resolved_on": fields.Datetime.now(),
                "snoozed_until": False,
                "to_tell": False,
            }
        )
        alerts._log(self.env._("Resolved: %(note)s", note=note), close=True)

    def _check_may_act(self):
        """Return these alerts with the right to change them.

        :raises AccessError: the user may not see them, or only reads
        :raises UserError: one is resolved
        """
        self.check_access("read")
        if not (self.env.su or self.env.user.has_group(ACTORS)):
            raise AccessError(self.env._("You may read alerts, and not act on them."))
        for alert in self:
            if alert.state == "resolved":
                raise UserError(
                    self.env._("%(alert)s is resolved already.", alert=alert.display_name)
                )
        # sudo: who may see an alert acts on it; no role writes its fields
        return self.sudo()._unguarded()

    # ------------------------------------------------------------
    # Customers that change
    # ------------------------------------------------------------

    @api.model
    def _follow(self, old_ids, new_id):
        """Give alerts to the customer that others became; of two of one rule the older stays."""
        self.flush_model()
        self.env.cr.execute(
            SQL(
                """UPDATE customer_cost_alert a
                      SET lasting = FALSE, state = 'resolved', to_tell = FALSE,
                          ended_on = %(now)s, resolved_on = COALESCE(a.resolved_on, %(now)s)
                     FROM customer_cost_alert kept
                    WHERE a.customer_id = ANY(%(all)s) AND kept.customer_id = ANY(%(all)s)
                      AND a.lasting AND kept.lasting AND a.rule_id = kept.rule_id
                      AND kept.id < a.id""",
                now=fields.Datetime.now(),
                all=[*old_ids, new_id],
            )
        )
        self.env.cr.execute(
            SQL(
                "UPDATE customer_cost_alert SET customer_id = %s WHERE customer_id = ANY(%s)",
                new_id,
                list(old_ids),
            )
        )
        self.invalidate_model(flush=False)
