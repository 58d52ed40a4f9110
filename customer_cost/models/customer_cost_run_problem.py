import numpy as np

from odoo import models
from odoo.tools import format_date

from ..engine import (
    STEP_DOWN,
    ClosedLoop,
    NegativeReceivers,
    NoCapacity,
    Oversent,
    compare_orders,
)

NAMED_CUSTOMERS = 10


class CustomerCostRunProblem(models.Model):
    """What stands in the way of a run, and what its steps have to say, in words."""

    _inherit = "customer.cost.run"

    def _describe_problem(self, error):
        """Return what a :class:`RunError` of the engine means, and the remedy."""
        rules = self.env["customer.cost.rule"].browse(error.rules)
        names = ", ".join(rules.mapped("name"))
        if isinstance(error, NegativeReceivers):
            driver = self.env["customer.cost.driver"].browse(error.driver) or rules.driver_id
            return self.env._(
                "Rule %(rule)s: driver %(driver)s is negative for %(customers)s. Choose how "
                "the driver treats negative quantities, or leave these customers out.",
                rule=names,
                driver=driver.display_name,
                customers=self._name_customers(error.ids, error.quantities, error.positions),
            )
        if isinstance(error, Oversent):
            return self.env._(
                "%(item)s is sent to %(total)s %% by %(rules)s. Lower a share so that "
                "together they stay within 100 %%.",
                item=self.env["customer.cost.item"].browse(error.item).display_name,
                total=f"{error.total:g}",
                rules=names,
            )
        if isinstance(error, ClosedLoop):
            centres = self.env["account.analytic.account"].browse(error.centres)
            return self.env._(
                "Cost centres %(centres)s send everything to each other alone, by %(rules)s: no "
                "cost could ever leave them. Lower a share, or add a centre that receives.",
                centres=", ".join(centres.mapped("display_name")),
                rules=names,
            )
        if isinstance(error, NoCapacity):
            return self.env._(
                "Rule %(rule)s has no practical capacity for %(month)s. Add one that is valid "
                "then.",
                rule=names,
                month=format_date(self.env, self.date, date_format="LLLL y"),
            )
        return str(error)

    def _name_customers(self, ids, quantities, places):
        # sudo: named for the accountant who computes the run
        partners = self.env["res.partner"].sudo()
        names = [
            f"{partners.browse(int(ids[place])).display_name} ({quantities[place]:g})"
            for place in places[:NAMED_CUSTOMERS]
        ]
        more = len(places) - len(names)
        if more > 0:
            names.append(self.env._("and %(count)s more", count=more))
        return ", ".join(names)

    def _get_message(self, rule, rule_input, step):
        """What is worth knowing about a step."""
        messages = []
        for _driver, places, quantities in step.weighed.negative:
            messages.append(
                self.env._(
                    "Negative quantities: %(customers)s.",
                    customers=self._name_customers(step.ids, quantities, places),
                )
            )
        if rule_input.to_pools:
            if not step.transfers:
                messages.append(self.env._("Nothing was there to send, or nobody to receive it."))
        elif not np.any(step.weights):
            messages.append(
                self.env._("The driver has no quantity in the period: the pool keeps its cost.")
            )
        if step.weighed.empty:
            messages.append(rule.driver_id._describe_empty(step.weighed.empty))
        if step.missing:
            messages.append(
                self.env._(
                    "The pools held %(missing)s less than the rule sends.",
                    missing=self.currency_id.format(self._to_amount(step.missing)),
                )
            )
        return " ".join(messages)

    def _get_order_message(self, inputs):
        """What the final centres would hold if the serving centres sent in the reverse order."""
        if inputs.pool_method != STEP_DOWN:
            return False
        orders = compare_orders(inputs)
        if not orders:
            return False
        centres = self.env["account.analytic.account"]
        lines = [
            self.env._(
                "%(centre)s: %(this)s in this order, %(other)s in the reverse one",
                centre=centres.browse(centre).display_name or self.env._("Without a cost centre"),
                this=self.currency_id.format(self._to_amount(this)),
                other=self.currency_id.format(self._to_amount(other)),
            )
            for centre, (this, other) in orders.items()
        ]
        return "\n".join(lines)
