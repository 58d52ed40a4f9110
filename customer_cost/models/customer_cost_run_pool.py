from collections import defaultdict

from odoo import models
from odoo.exceptions import UserError
from odoo.tools import SQL, date_utils

from ..engine import consecutive_shares, from_minor, to_minor


class CustomerCostRunPool(models.Model):
    """What every rule of a run sends: its part of the month's pool and of what was left."""

    _inherit = "customer.cost.run"

    def _get_sent(self, rules):
        """Return what every rule sends of every item, and the pool it comes from.

        Rules take their shares of a pool one after another; a rule that includes earlier months
        takes its share of the fiscal year's pool less what customers received from it in earlier
        posted runs, and never more than what those runs, of whatever rule, left in the pool.

        :return: ``(sent, pool, carried)`` in minor units: sent is a dict of rule to a dict of item
            id to int, pool the month's indirect cost, carried what earlier months add
        :raises UserError: the shares of an item pass 100 %
        """
        first = date_utils.start_of(self.date, "month")
        last = date_utils.end_of(self.date, "month")
        month = self._read_pool(first, last)
        year = {}
        if any(rule.carry_forward for rule in rules):
            year = self._read_pool(
                self.company_id.compute_fiscalyear_dates(last)["date_from"], last
            )
        sent = {rule: defaultdict(int) for rule in rules}
        carry = {rule: defaultdict(int) for rule in rules if rule.carry_forward}
        covers = {
            rule: (set(rule._get_sent_items(self.company_id).ids), set(rule.sender_centre_ids.ids))
            for rule in rules
        }
        for key in sorted(month.keys() | year.keys(), key=lambda cell: (cell[0], cell[1] or 0)):
            item, centre = key
            takers = [
                rule
                for rule in rules
                if item in covers[rule][0] and (not covers[rule][1] or centre in covers[rule][1])
            ]
            shares = [rule.share_pct for rule in takers]
            self._check_shares(item, takers, shares)
            of_month = consecutive_shares(month.get(key, 0), shares)
            of_year = consecutive_shares(year.get(key, 0), shares)
            for rule, monthly, yearly in zip(takers, of_month, of_year, strict=True):
                sent[rule][item] += monthly
                if rule.carry_forward:
                    carry[rule][item] += yearly - monthly
        carried = 0
        if carry:
            left = self._read_left(month, year)
            for rule, items in carry.items():
                before = self._read_received(rule)
                for item, minor in items.items():
                    wanted = minor - before.get(item, 0)
                    low, high = sorted((0, left[item]))
                    taken = min(max(wanted, low), high)
                    left[item] -= taken
                    sent[rule][item] += taken
                    carried += taken
        return sent, sum(month.values()), carried

    def _read_left(self, month, year):
        """What the fiscal year's earlier months left in the pool, by item, in minor units."""
        left = defaultdict(int)
        for (item, _centre), minor in year.items():
            left[item] += minor
        for (item, _centre), minor in month.items():
            left[item] -= minor
        for item, minor in self._read_received().items():
            left[item] -= minor
        return left

    def _read_pool(self, first, last):
        """Indirect cost by (item, cost centre) in minor units."""
        self.env["customer.cost.line"].flush_model()
        rows = self.env.execute_query(
            SQL(
                """SELECT item_id, cost_centre_id, sum(amount) FROM customer_cost_line
                    WHERE company_id = %s AND customer_id IS NULL AND date BETWEEN %s AND %s
                 GROUP BY item_id, cost_centre_id""",
                self.company_id.id,
                first,
                last,
            )
        )
        decimals = self.currency_id.decimal_places
        return {(item, centre): to_minor(amount, decimals) for item, centre, amount in rows}

    def _read_received(self, rule=None):
        """What customers received earlier in the fiscal year, by item: from ``rule``, or in all."""
        first = date_utils.start_of(self.date, "month")
        of_rule = [("step_id.rule_id", "=", rule.id)] if rule else []
        year_start = self.company_id.compute_fiscalyear_dates(self.date)["date_from"]
        # sudo: the cells of runs of the same company
        rows = (
            self.env["customer.cost.run.cell"]
            .sudo()
            ._read_group(
                [
                    *of_rule,
                    ("step_id.run_id.company_id", "=", self.company_id.id),
                    ("step_id.run_id.state", "=", "posted"),
                    ("step_id.run_id.date", ">=", year_start),
                    ("step_id.run_id.date", "<", first),
                ],
                ["item_id"],
                ["received:sum"],
            )
        )
        decimals = self.currency_id.decimal_places
        return {item.id: to_minor(amount, decimals) for item, amount in rows}

    def _get_pool_total(self):
        """The month's indirect cost as the ledger has it now."""
        first = date_utils.start_of(self.date, "month")
        pool = self._read_pool(first, date_utils.end_of(self.date, "month"))
        return float(from_minor(sum(pool.values()), self.currency_id.decimal_places))

    def _check_shares(self, item_id, rules, shares):
        if round(sum(shares), 6) > 100:
            raise UserError(
                self.env._(
                    "%(item)s is sent to %(total)s %% by %(rules)s. Lower a share so that "
                    "together they stay within 100 %%.",
                    item=self.env["customer.cost.item"].browse(item_id).display_name,
                    total=f"{sum(shares):g}",
                    rules=", ".join(rule.name for rule in rules),
                )
            )
