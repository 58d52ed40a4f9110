from typing import NamedTuple

from odoo import models
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tools import format_date

from ..engine import NegativeReceivers, RunError, compute, find_problems
from ..engine.run_warnings import NO_RECEIVER, UNSENT, find_warnings


class Problem(NamedTuple):
    """One thing that stands against computing a run, or only to be looked at."""

    severity: str
    """``error`` refuses the run, ``warning`` lets it pass."""
    text: str
    """Record, figure and remedy, translated."""
    record: models.BaseModel
    """Where it is put right."""


class CustomerCostRunCheck(models.Model):
    """What stands against computing a run, all of it at once."""

    _inherit = "customer.cost.run"

    def action_check(self):
        """Open the list of everything that stands against computing the run.

        :raises UserError: the run is posted
        """
        self.ensure_one()
        self.check_access("write")
        self._check_recomputable()
        return self._open_problems(self._find_problems())

    def action_compute_checked(self):
        """Compute the run; where something stands against it, open the list of it instead.

        :raises UserError: the run is posted
        """
        self.ensure_one()
        self._check_recomputable()
        try:
            with self.env.cr.savepoint():
                return self.action_compute()
        except UserError:
            self.env.invalidate_all()
            problems = self._find_problems()
            if not any(problem.severity == "error" for problem in problems):
                raise
            return self._open_problems(problems)

    def _open_problems(self, problems):
        check = self.env["customer.cost.run.check"].create(
            {
                "run_id": self.id,
                "line_ids": [
                    Command.create(
                        {
                            "severity": problem.severity,
                            "text": problem.text,
                            "res_model": problem.record._name,
                            "res_id": problem.record.id,
                        }
                    )
                    for problem in problems
                ],
            }
        )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Check of %(run)s", run=self.display_name),
            "res_model": check._name,
            "res_id": check.id,
            "view_mode": "form",
            "target": "new",
        }

    # ------------------------------------------------------------
    # Finding
    # ------------------------------------------------------------

    def _find_problems(self):
        """Return every :class:`Problem`, errors first: of the period, of rules, of the inputs."""
        rules = self._get_rules()
        broken = {}
        for rule in rules:
            broken.update(self._find_rule_problem(rule))
        inputs = self._get_inputs(without=broken)
        problems = [
            *self._find_period_problems(),
            *broken.values(),
            *self._find_input_problems(inputs),
            *self._find_input_warnings(inputs),
            *self._find_review_warnings(rules),
        ]
        return sorted(problems, key=lambda problem: problem.severity)

    def _find_period_problems(self):
        if self.kind == "actual" and self.env["customer.cost.period"]._is_closed(
            self.company_id, self.date
        ):
            yield Problem(
                "error",
                self.env._(
                    "Period %(period)s is closed. Reopen it, or simulate the month instead.",
                    period=self.period_id.display_name,
                ),
                self.period_id,
            )

    def _find_rule_problem(self, rule):
        """Return why the rule cannot even be read: dict of the rule to its problem, or empty."""
        driver = rule._get_used_driver()
        problem = driver and driver._get_problem()
        if problem:
            return {rule: Problem("error", problem, driver)}
        try:
            rule._check_senders()
            rule._check_charge_item()
        except UserError as error:
            return {rule: Problem("error", str(error), rule)}
        return {}

    def _find_input_problems(self, inputs):
        for error in self._get_errors(inputs):
            rule = self.env["customer.cost.rule"].browse(error.rules[:1])
            is_of_driver = isinstance(error, NegativeReceivers)
            yield Problem(
                "error", self._describe_problem(error), rule.driver_id if is_of_driver else rule
            )

    def _get_errors(self, inputs):
        """Return what the inputs hold; where that is nothing, what computing them meets."""
        errors = [*find_problems(inputs)]
        if not errors:
            try:
                compute(inputs)
            except RunError as error:
                errors = [error]
        return errors

    def _describe_problems(self, inputs, error):
        """Every reason why the inputs cannot be computed, one a line; ``error`` is the first."""
        errors = [*find_problems(inputs)] or [error]
        return "\n".join(map(self._describe_problem, errors))

    def _find_input_warnings(self, inputs):
        rules = self.env["customer.cost.rule"]
        for warning in find_warnings(inputs):
            if warning.kind == UNSENT:
                item = self.env["customer.cost.item"].browse(warning.item)
                yield Problem(
                    "warning",
                    self.env._(
                        "%(amount)s of %(item)s is sent by no rule and stays in the pool.",
                        amount=self.currency_id.format(self._to_amount(warning.minor)),
                        item=item.display_name,
                    ),
                    item,
                )
            else:
                yield self._get_receiver_warning(rules.browse(warning.rule), warning.kind)

    def _get_receiver_warning(self, rule, kind):
        driver = rule._get_used_driver()
        if kind == NO_RECEIVER and not (
            driver and not driver._get_quantities(self.company_id, self.date)
        ):
            text = self.env._(
                "Rule %(rule)s has no receiver: none of its customers takes part. What it sends "
                "stays in the pool.",
                rule=rule.name,
            )
            return Problem("warning", text, rule)
        text = self.env._(
            "Driver %(driver)s of rule %(rule)s has no quantity in the period. What the rule sends "
            "stays in the pool.",
            driver=driver.display_name,
            rule=rule.name,
        )
        return Problem("warning", text, driver or rule)

    def _find_review_warnings(self, rules):
        for rule in rules._filter_review_due():
            yield Problem(
                "warning",
                self.env._(
                    "Rule %(rule)s should have been looked at again on %(date)s by %(owner)s.",
                    rule=rule.name,
                    date=format_date(self.env, rule.next_review_date),
                    owner=rule.owner_id.name or self.env._("nobody"),
                ),
                rule,
            )
