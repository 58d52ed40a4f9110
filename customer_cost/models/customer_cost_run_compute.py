import hashlib
import io
from dataclasses import dataclass

import numpy as np

from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL, date_utils, format_date

from ..engine import (
    NegativeQuantities,
    Sent,
    allocate,
    allocate_fixed,
    apply_policy,
    from_minor,
    minor_text,
    to_minor,
)

NAMED_CUSTOMERS = 10


@dataclass(frozen=True)
class Receivers:
    """Customers of one step, ascending, with their weights and what was noticed about them."""

    ids: list
    weights: np.ndarray
    total: float
    message: str


class CustomerCostRunCompute(models.Model):
    """Rules × drivers → steps, cells and allocation rows, written in bulk."""

    _inherit = "customer.cost.run"

    def action_compute(self):
        """Compute the run; what it held before is replaced.

        :raises UserError: the run is posted, its period closed, senders pass 100 %, or a driver
            refuses negative quantities
        """
        for run in self:
            run.check_access("write")
            run._check_recomputable()
            run._check_period_open()
            run._clear_results()
            run._compute_steps()

    def _clear_results(self):
        """Empty runs that are not posted: they are drafts again."""
        self._delete_steps()
        self._unguarded().write(
            {
                "state": "draft",
                **dict.fromkeys(
                    (
                        "pool_total",
                        "carried_total",
                        "sent_total",
                        "received_total",
                        "retained_total",
                        "customer_count",
                    ),
                    0,
                ),
                **dict.fromkeys(
                    ("signature", "rules_signature", "computed_at", "computed_by"), False
                ),
            }
        )

    def _delete_steps(self):
        """Delete steps, cells and rows."""
        # sudo: rows nobody may delete by hand belong to the run whose rights were checked
        steps = self.sudo().step_ids
        if steps:
            self.env.cr.execute(
                SQL("DELETE FROM customer_cost_allocation WHERE step_id = ANY(%s)", steps.ids)
            )
            self.env["customer.cost.allocation"].invalidate_model(flush=False)
            steps.unlink()

    def _compute_steps(self):
        self.ensure_one()
        rules = self._get_rules()
        rules._check_senders()
        sent, pool, carried = self._get_sent(rules)
        quantities = {}
        customers = set()
        signature = hashlib.sha256()
        totals = dict.fromkeys(("sent", "received", "retained"), 0)
        for rule in rules:
            cells = [Sent(item, minor) for item, minor in sorted(sent[rule].items()) if minor]
            receivers = self._get_receivers(rule, quantities)
            signature.update(self._get_step_fingerprint(rule, cells, receivers))
            results = self._compute_step(rule, cells, receivers, totals)
            customers.update(self._get_charged(receivers, results))
        self._unguarded().write(
            {
                "state": "computed",
                "pool_total": self._to_amount(pool),
                "carried_total": self._to_amount(carried),
                **{f"{name}_total": self._to_amount(minor) for name, minor in totals.items()},
                "customer_count": len(customers),
                "signature": signature.hexdigest(),
                "rules_signature": self._get_rules_signature(rules),
                "computed_at": fields.Datetime.now(),
                "computed_by": self.env.uid,
            }
        )

    def _to_amount(self, minor):
        return float(from_minor(minor, self.currency_id.decimal_places))

    def _get_rules(self):
        return self.env["customer.cost.rule"]._get_valid_rules(
            self.company_id, date_utils.end_of(self.date, "month")
        )

    # ------------------------------------------------------------
    # Who receives it
    # ------------------------------------------------------------

    def _get_receivers(self, rule, quantities):
        """Customers of ``rule`` with their weights; ``quantities`` caches the drivers."""
        if rule.method == "fixed":
            percentages = rule._get_fixed_percentages()
            weights = np.array([float(value) for value in percentages.values()])
            return Receivers(list(percentages), weights, 100.0, "")
        driver = rule.driver_id
        if driver not in quantities:
            quantities[driver] = driver._get_quantities(self.company_id, self.date)
        found = quantities[driver]
        ids = rule._filter_receivers(found)
        raw = np.array([float(found[customer]) for customer in ids])
        try:
            weights = apply_policy(raw, driver.policy)
        except NegativeQuantities as error:
            raise UserError(
                self.env._(
                    "Rule %(rule)s: driver %(driver)s is negative for %(customers)s. Choose how "
                    "the driver treats negative quantities, or leave these customers out.",
                    rule=rule.name,
                    driver=driver.display_name,
                    customers=self._name_customers(ids, raw, error.positions),
                )
            ) from error
        return Receivers(ids, weights, float(weights.sum()), self._get_message(ids, raw, weights))

    def _name_customers(self, ids, raw, positions):
        # sudo: named for the accountant who computes the run
        names = [
            f"{self.env['res.partner'].sudo().browse(ids[place]).display_name} ({raw[place]:g})"
            for place in positions[:NAMED_CUSTOMERS]
        ]
        more = len(positions) - len(names)
        if more > 0:
            names.append(self.env._("and %(count)s more", count=more))
        return ", ".join(names)

    def _get_message(self, ids, raw, weights):
        messages = []
        negative = np.flatnonzero(raw < 0)
        if len(negative):
            messages.append(
                self.env._(
                    "Negative quantities: %(customers)s.",
                    customers=self._name_customers(ids, raw, negative),
                )
            )
        if not weights.sum():
            messages.append(
                self.env._("The driver has no quantity in the period: the pool keeps its cost.")
            )
        return " ".join(messages)

    # ------------------------------------------------------------
    # What comes out
    # ------------------------------------------------------------

    def _compute_step(self, rule, cells, receivers, run_totals):
        """Allocate one rule's cells, write step, cells and rows, and add to ``run_totals``."""
        if rule.method == "fixed":
            results = allocate_fixed(cells, receivers.weights)
        else:
            results = allocate(cells, receivers.weights)
        totals = {
            "sent": sum(result.minor for result in results),
            "received": sum(int(result.shares.sum()) for result in results),
            "retained": sum(result.retained for result in results),
        }
        # sudo: steps and cells are written by their run alone, without the caller's defaults
        step = (
            self._unguarded()
            .env["customer.cost.run.step"]
            .sudo()
            .create([self._prepare_step_vals(rule, receivers, totals, results)])
        )
        self._translate_step(step, rule)
        self._write_rows(step, receivers, results)
        for name, minor in totals.items():
            run_totals[name] += minor
        return results

    @staticmethod
    def _get_charged(receivers, results):
        places = set()
        for result in results:
            places.update(np.flatnonzero(result.shares).tolist())
        return {receivers.ids[place] for place in places}

    def _prepare_step_vals(self, rule, receivers, totals, results):
        return {
            "run_id": self.id,
            "rule_id": rule.id,
            "sequence": rule.sequence,
            **self._prepare_step_texts(rule),
            "pool_from": self._get_pool_start(rule),
            "pool_to": date_utils.end_of(self.date, "month"),
            "centre_ids": [fields.Command.set(rule.sender_centre_ids.ids)],
            "full_cost": rule.full_cost,
            "driver_total": receivers.total,
            "message": receivers.message,
            **{name: self._to_amount(minor) for name, minor in totals.items()},
            "cell_ids": [
                fields.Command.create(
                    {
                        "item_id": result.key,
                        "sent": self._to_amount(result.minor),
                        "received": self._to_amount(int(result.shares.sum())),
                        "retained": self._to_amount(result.retained),
                    }
                )
                for result in results
            ],
        }

    def _prepare_step_texts(self, rule):
        """What the rule was, in words, in the language of the context."""
        driver = rule.driver_id if rule.method == "driver" else rule.driver_id.browse()
        window = ""
        if driver:
            first, last = driver._get_window_dates(self.company_id, self.date)
            window = f"{format_date(self.env, first)} – {format_date(self.env, last)}"
        return {
            "name": rule.name,
            "driver_name": driver.display_name or self.env._("Fixed percentages"),
            "window_label": window,
            "rule_text": rule._get_text(),
        }

    def _translate_step(self, step, rule):
        """Keep the rule as it was in every language that somebody may read it in."""
        for lang, _name in self.env["res.lang"].get_installed():
            texts = self.with_context(lang=lang)._prepare_step_texts(rule.with_context(lang=lang))
            step.with_context(lang=lang).write(texts)

    def _get_pool_start(self, rule):
        if rule.carry_forward:
            return self.company_id.compute_fiscalyear_dates(self.date)["date_from"]
        return date_utils.start_of(self.date, "month")

    def _write_rows(self, step, receivers, results):
        decimals = self.currency_id.decimal_places
        date = date_utils.end_of(self.date, "month").isoformat()
        quantities = [f"{weight:.6f}" for weight in receivers.weights.tolist()]
        rows = io.StringIO()
        for result in results:
            head = f"{step.id}\t{self.company_id.id}\t{result.key}\t{date}"
            for place in np.flatnonzero(result.shares).tolist():
                amount = minor_text(result.shares[place], decimals)
                rows.write(
                    f"{head}\t{receivers.ids[place]}\tallocated\t{quantities[place]}\t{amount}\n"
                )
        rows.seek(0)
        self.env["customer.cost.allocation"]._copy_rows(rows)

    @staticmethod
    def _get_step_fingerprint(rule, cells, receivers):
        text = f"{rule.id}|{rule.full_cost}|{[(cell.key, cell.minor) for cell in cells]}|"
        return text.encode() + np.array(receivers.ids).tobytes() + receivers.weights.tobytes()

    def _get_rules_signature(self, rules):
        definitions = [rule._get_definition(self.company_id) for rule in rules]
        return hashlib.sha256(repr(definitions).encode()).hexdigest()

    def _check_inputs_unchanged(self):
        """The ledger and the rules still say what this run sent.

        :raises UserError: a cost or a rule changed since the run was computed
        """
        rules = self._get_rules()
        sent, pool, _carried = self._get_sent(rules)
        decimals = self.currency_id.decimal_places
        now = {
            (rule.id, item): minor
            for rule, items in sent.items()
            for item, minor in items.items()
            if minor
        }
        computed = {
            (step.rule_id.id, cell.item_id.id): to_minor(cell.sent, decimals)
            for step in self.step_ids
            for cell in step.cell_ids
        }
        if (
            now != computed
            or pool != to_minor(self.pool_total, decimals)
            or self.rules_signature != self._get_rules_signature(rules)
        ):
            raise UserError(
                self.env._(
                    "Costs or rules changed since run %(run)s was computed. Compute it again.",
                    run=self.display_name,
                )
            )
