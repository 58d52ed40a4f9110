import logging
from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import SQL

from .customer_cost_alert_metric import DEFINITIONS, SUMMED

_logger = logging.getLogger(__name__)
# What one pass yields, kept for its rules until the transaction ends.
PASS = SQL.identifier("customer_cost_alert_pass")


class CustomerCostAlertRule(models.Model):
    """Evaluation: one query per metric and window, then one statement per rule."""

    _inherit = "customer.cost.alert.rule"

    @api.model
    def _cron_evaluate(self):
        """Evaluate what is switched on, each pass in a transaction of its own, then tell people.

        An interrupted evaluation goes on where it was.
        """
        commit = self.env["ir.cron"]._commit_progress
        waiting = self._get_waiting()
        if not waiting:
            self.search([("state", "!=", "preview")])._unguarded().write({"to_check": True})
            waiting = self._get_waiting()
        passes = waiting._group_by_pass()
        commit(remaining=len(passes) + 1)
        self.env["customer.cost.balance"]._refresh()
        commit()
        for rules in passes:
            if not self._lock_evaluation():
                return
            try:
                rules._evaluate_pass()
            except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
                # What another transaction changed meanwhile is evaluated by the next call.
                self.env.cr.rollback()
                return
            if not commit(1):
                return
        self.env["customer.cost.alert"]._follow_up(commit)
        commit(1)

    def _get_waiting(self):
        return self.search([("to_check", "=", True), ("state", "!=", "preview")])

    def _check_rules(self, customer_ids=None):
        """Evaluate these rules in this transaction, for all or for some customers, and tell people.

        :raises UserError: another evaluation is at work
        """
        # sudo: alerts have no other writer; the caller checked the right to the rule or customer
        rules = self.sudo()
        if not rules._lock_evaluation():
            raise UserError(
                self.env._("Another evaluation of the alert rules is at work: try in a minute.")
            )
        self.env["customer.cost.balance"].sudo()._refresh()  # sudo: sums of their sources, no more
        for group in rules._group_by_pass():
            group._evaluate_pass(customer_ids)
        rules.env["customer.cost.alert"]._follow_up()

    @api.model
    def _lock_evaluation(self):
        """Hold the evaluation until the transaction ends, unless another one does."""
        [[locked]] = self.env.execute_query(
            SQL("SELECT pg_try_advisory_xact_lock(hashtext('customer_cost_alert'))")
        )
        return locked

    # ------------------------------------------------------------
    # Passes
    # ------------------------------------------------------------

    def _group_by_pass(self):
        """These rules as a list of records that share a query."""
        groups = defaultdict(self.browse)
        for rule in self:
            definition = DEFINITIONS[rule.metric]
            key = (rule.company_id.id, definition.source)
            if definition.source != "balance":
                key += (
                    definition.has_window and rule.window,
                    definition.has_days and rule.days,
                )
            groups[key] |= rule
        return list(groups.values())

    def _evaluate_pass(self, customer_ids=None):
        """Evaluate rules that share a query; one that fails is reported and stops no other."""
        now = fields.Datetime.now()
        self.env.flush_all()
        try:
            with self.env.cr.savepoint():
                columns = self._get_pass_columns()
                self.env.cr.execute(SQL("DROP TABLE IF EXISTS %s", PASS))
                self.env.cr.execute(
                    SQL(
                        "CREATE TEMPORARY TABLE %s ON COMMIT DROP AS %s",
                        PASS,
                        self._sql_pass(columns, customer_ids),
                    )
                )
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            raise
        except Exception as error:  # noqa: BLE001 - whatever is wrong is reported on the rules
            for rule in self:
                rule._report_failure(error)
            return
        pending = self._count_pending()
        for rule in self:
            try:
                with self.env.cr.savepoint():
                    rule._update_alerts(list(columns), now, customer_ids)
                    if customer_ids is None:
                        rule._report_success(now, pending)
            except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
                raise
            except Exception as error:  # noqa: BLE001 - as above
                rule._report_failure(error)
        self.env.cr.execute(SQL("DROP TABLE %s", PASS))

    def _get_today(self):
        return fields.Date.context_today(self)

    def _get_pass_columns(self):
        """What a pass of the balance sums up for these rules.

        :return: dict of windows to sets of names, as ``_sql_balance`` takes it; empty for others
        """
        columns = defaultdict(set)
        for rule in self:
            if DEFINITIONS[rule.metric].source == "balance":
                for window in rule._get_windows().values():
                    columns[window].update(SUMMED[rule.metric])
        return dict(columns)

    def _get_windows(self):
        """Windows of the balance that this rule looks at, by what it looks at them for."""
        found = self.env["customer.cost.alert.metric"]._get_windows(
            self.company_id, self.window, self._get_today()
        )
        needed = {"now", "previous" if self.metric == "growth" else self.threshold_kind}
        return {name: window for name, window in found.items() if name in needed}

    def _sql_pass(self, columns, customer_ids=None) -> SQL:
        """The query that these rules share.

        Of active customers that are no group company, and of budgets of classes.
        """
        rule = self[:1]
        metrics = self.env["customer.cost.alert.metric"]
        definition = DEFINITIONS[rule.metric]
        source = definition.source
        today = self._get_today()
        if source == "balance":
            query = metrics._sql_balance(rule.company_id, columns, customer_ids)
        else:
            query = getattr(metrics, f"_sql_{source}")(
                rule.company_id,
                metrics._get_window(rule.company_id, rule.window, today),
                today,
                rule.days,
            )
        if source == "pool":
            return query
        return SQL(
            """SELECT f.* FROM (%s) f LEFT JOIN res_partner p ON p.id = f.customer_id
                WHERE %s AND %s AND NOT EXISTS (
                      SELECT FROM res_company c JOIN res_partner o ON o.id = c.partner_id
                       WHERE o.commercial_partner_id = f.customer_id)""",
            query,
            SQL("(p.active OR f.budget_id IS NOT NULL)")
            if definition.has_classes
            else SQL("p.active"),
            metrics._sql_customers(SQL("f.customer_id"), customer_ids),
        )

    # ------------------------------------------------------------
    # Breaches
    # ------------------------------------------------------------

    def _sql_breaches(self, windows, source) -> SQL:
        """Customer, cost item or budget of a class, figure and threshold of what breaks this rule.

        A rule for some customers alone looks at no class.

        :param windows: windows of the pass, in the order of its columns
        :param source: the pass, a table or a query in brackets
        """
        condition = SQL("TRUE")
        domain = self._get_customer_domain()
        if self.metric != "pool" and not domain.is_true():
            # sudo: evaluated for all customers; the domain names only what everybody may read
            partners = self.env["res.partner"].sudo().with_company(self.company_id)
            condition = SQL("customer_id IN %s", partners._search(domain).subselect())
        figure, threshold, present = self._sql_figure(windows)
        limit_name = self._get_limit_name()
        limits = self._get_customer_limits(self.company_id, limit_name) if limit_name else {}
        return SQL(
            """SELECT found.customer_id, found.item_id, found.budget_id,
                      round(figure, 3) AS figure, round(threshold, 3) AS threshold
                 FROM (SELECT f.customer_id, f.item_id, f.budget_id, f.figure::numeric AS figure,
                              COALESCE(own.figure, f.threshold)::numeric AS threshold
                         FROM (SELECT customer_id, %(item)s AS item_id, %(budget)s AS budget_id,
                                      %(figure)s AS figure, %(threshold)s AS threshold
                                 FROM %(source)s WHERE %(present)s AND %(condition)s) f
                    LEFT JOIN unnest(%(customers)s::int[], %(limits)s::numeric[])
                              own (customer_id, figure) ON own.customer_id = f.customer_id
                      ) found
                WHERE figure %(operator)s threshold""",
            item=SQL("item_id") if self.metric == "pool" else SQL("NULL::int"),
            budget=SQL("budget_id") if DEFINITIONS[self.metric].has_classes else SQL("NULL::int"),
            figure=figure,
            threshold=threshold,
            source=source,
            present=present,
            condition=condition,
            customers=list(limits),
            limits=list(limits.values()),
            operator=SQL(">") if self.operator == "above" else SQL("<"),
        )

    def _sql_figure(self, windows):
        """Figure and threshold of this rule, and which rows of the pass have any."""
        threshold = SQL("%s::numeric", str(self.threshold))
        if self.threshold_kind == "limit":
            threshold = SQL("NULL::numeric")
        if DEFINITIONS[self.metric].source != "balance":
            return SQL("figure"), threshold, SQL("figure IS NOT NULL")
        metrics = self.env["customer.cost.alert.metric"]
        own = self._get_windows()
        places = {name: windows.index(window) for name, window in own.items()}
        if self.threshold_kind in ("average", "previous"):
            reference = metrics._sql_balance_figure(self.metric, places[self.threshold_kind])
            if self.threshold_kind == "average" and DEFINITIONS[self.metric].unit == "amount":
                reference = SQL("%s * %s / 12.0", reference, self._count_months(*own["now"]))
            threshold = SQL("NULLIF(GREATEST(%s, 0), 0) * %s / 100.0", reference, threshold)
        return (
            metrics._sql_balance_figure(self.metric, places["now"], places.get("previous")),
            threshold,
            SQL("places & %s <> 0", 1 << places["now"]),
        )

    @staticmethod
    def _count_months(first, last):
        return (last.year - first.year) * 12 + last.month - first.month + 1

    # ------------------------------------------------------------
    # Outcome
    # ------------------------------------------------------------

    def _count_pending(self):
        """How many changes of the company the stored figures do not hold yet."""
        if DEFINITIONS[self[:1].metric].source != "balance":
            return 0
        [[count]] = self.env.execute_query(
            SQL(
                "SELECT count(*) FROM customer_cost_dirty WHERE company_id = %s",
                self.company_id.id,
            )
        )
        return count

    def _report_success(self, now, pending):
        vals = {"checked_on": now, "pending": pending, "to_check": False}
        if self.state == "failing":
            vals.update(state="on", error=False)
        self._unguarded().write(vals)

    def _report_failure(self, error):
        """Say on the rule, and once to who is responsible for it, why it could not be evaluated."""
        _logger.info("alert rule %s fails: %s", self.id, error)
        self.env.invalidate_all(flush=False)
        rule = self._unguarded()
        reason = str(error).strip() or type(error).__name__
        if rule.state != "failing" or rule.error != reason:
            rule.message_post(
                body=self._get_own_language()._(
                    "This rule cannot be evaluated: %(reason)s", reason=reason
                ),
                partner_ids=rule.user_id.partner_id.ids,
                subtype_xmlid="mail.mt_note",
            )
        rule.write({"state": "failing", "error": reason, "to_check": False})
