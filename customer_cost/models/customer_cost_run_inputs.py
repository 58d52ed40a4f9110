import hashlib
from collections import defaultdict
from fractions import Fraction

from odoo import models
from odoo.tools import SQL, date_utils

from ..engine import (
    FIXED,
    VARIABLE,
    Inputs,
    from_minor,
    round_together,
    to_minor,
)


class CustomerCostRunInputs(models.Model):
    """What decides a run, read from ledger, rules and drivers for the engine."""

    _inherit = "customer.cost.run"

    def _get_rules(self):
        return self.env["customer.cost.rule"]._get_valid_rules(
            self.company_id, self._get_month()[1]
        )

    def _get_month(self):
        return date_utils.start_of(self.date, "month"), date_utils.end_of(self.date, "month")

    def _get_inputs(self, without=()):
        """Return the :class:`Inputs` of this run: everything that decides its result.

        :param without: rules that are left out
        :raises ValidationError: a rule sends or charges cost that only a full-cost rule may
        """
        self.ensure_one()
        rules = self._get_rules().filtered(lambda rule: rule not in without)
        rules._check_senders()
        rules._check_charge_item()
        costs = self._get_costs(rules)
        by_rule = costs.pop("by_rule")
        last, bases, charged, inputs = self._get_month()[1], {}, set(), []
        for rule in rules:
            settled = by_rule.get(rule.id, {})
            inputs.append(rule._get_input(self.company_id, last, settled, bases, charged))
            charged.update(inputs[-1].receivers.ids.tolist())
        return Inputs(decimals=self.currency_id.decimal_places, rules=tuple(inputs), **costs)

    def _get_costs(self, rules):
        """What there is to send: the cost side of the inputs, and what each rule sent before."""
        first, last = self._get_month()
        carrying = rules.filtered("carry_forward")
        year, settled, by_rule = {}, {}, {}
        if carrying:
            start = self.company_id.compute_fiscalyear_dates(last)["date_from"]
            year = self._read_pool(start, last)
            for key, minor in self._read_transferred().items():
                year[key] = year.get(key, 0) + minor
            settled = self._read_settled(["received:sum", "unused:sum"])
            by_rule = {rule.id: self._read_settled(["received:sum"], rule) for rule in carrying}
        return {
            "pools": self._read_pool(first, last),
            "year": year,
            "settled": settled,
            "by_rule": by_rule,
            "pool_method": self.company_id.customer_cost_service_method,
        }

    def _read_pool(self, first, last):
        """Indirect cost by (item, cost centre or 0, part) in minor units."""
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
        by_item = defaultdict(dict)
        for item, centre, amount in rows:
            by_item[item][centre or 0] = to_minor(amount, decimals)
        months = 1 + (last.year - first.year) * 12 + last.month - first.month
        return self._split_behaviour(by_item, months)

    def _split_behaviour(self, by_item, months):
        """Split the cost of every item into its fixed and its variable part.

        :param by_item: dict of item id to dict of cost centre to minor units
        :param months: number of months whose first amount is fixed
        :return: dict of (item, centre, part) to minor units
        """
        decimals = self.currency_id.decimal_places
        pools = {}
        # sudo: how the items behave does not depend on who computes the run
        items = self.env["customer.cost.item"].sudo().browse(sorted(by_item))
        for item in items:
            centres = sorted(by_item[item.id])
            amounts = [by_item[item.id][centre] for centre in centres]
            whole = sum(amounts)
            fixed = item._split_fixed(whole, months * to_minor(item.fixed_amount, decimals))
            parts = amounts
            if item.behaviour != "fixed":
                parts = self._spread(fixed, amounts, whole)
            for centre, minor, part in zip(centres, amounts, parts, strict=True):
                pools[item.id, centre, VARIABLE] = minor - part
                pools[item.id, centre, FIXED] = part
        return {key: minor for key, minor in pools.items() if minor}

    @staticmethod
    def _spread(fixed, amounts, whole):
        """The fixed part of each amount, in the proportion of their sum."""
        if not fixed:
            return [0] * len(amounts)
        return round_together([Fraction(fixed * amount, whole) for amount in amounts])

    def _read_settled(self, aggregates, rule=None):
        """What earlier posted runs of the fiscal year did with the pools, by item.

        :param aggregates: sums over the cells, added up
        :param rule: only what this rule did
        :return: dict of item id to minor units
        """
        of_rule = [("step_id.rule_id", "=", rule.id)] if rule else []
        # sudo: the cells of runs of the same company
        rows = (
            self.env["customer.cost.run.cell"]
            .sudo()
            ._read_group(
                [*of_rule, *self._get_earlier_domain("step_id.run_id")], ["item_id"], aggregates
            )
        )
        decimals = self.currency_id.decimal_places
        return {
            item.id: sum(to_minor(amount, decimals) for amount in amounts)
            for item, *amounts in rows
        }

    def _read_transferred(self):
        """What earlier posted runs of the fiscal year moved, by (item, centre, part)."""
        # sudo: the transfers of runs of the same company
        transfers = self.env["customer.cost.run.transfer"].sudo()
        decimals = self.currency_id.decimal_places
        moved = defaultdict(int)
        for side, sign in (("from", -1), ("to", 1)):
            rows = transfers._read_group(
                self._get_earlier_domain("run_id"),
                [f"{side}_item_id", f"{side}_centre_id"],
                ["amount:sum", "fixed_amount:sum"],
            )
            for item, centre, amount, fixed in rows:
                parts = to_minor(amount, decimals), to_minor(fixed, decimals)
                moved[item.id, centre.id, VARIABLE] += sign * (parts[0] - parts[1])
                moved[item.id, centre.id, FIXED] += sign * parts[1]
        return moved

    def _get_earlier_domain(self, path):
        """Posted runs of earlier months of the fiscal year, seen from what they hold."""
        start = self.company_id.compute_fiscalyear_dates(self.date)["date_from"]
        return [
            (f"{path}.company_id", "=", self.company_id.id),
            (f"{path}.state", "=", "posted"),
            (f"{path}.date", ">=", start),
            (f"{path}.date", "<", self._get_month()[0]),
        ]

    def _get_pool_total(self):
        """The month's indirect cost as the ledger has it now."""
        pool = self._read_pool(*self._get_month())
        return float(from_minor(sum(pool.values()), self.currency_id.decimal_places))

    def _get_costs_signature(self, rules):
        """Fingerprint of what there is to send."""
        costs = self._get_costs(rules)
        text = repr(
            [
                (name, sorted(value.items()) if isinstance(value, dict) else value)
                for name, value in sorted(costs.items())
            ]
        )
        return hashlib.sha256(text.encode()).hexdigest()

    def _get_rules_signature(self, rules):
        """Fingerprint of the rules as they are."""
        definitions = [
            rule._get_definition(self.company_id, self._get_month()[1]) for rule in rules
        ]
        return hashlib.sha256(repr(definitions).encode()).hexdigest()
