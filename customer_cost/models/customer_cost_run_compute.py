import hashlib
import io

import numpy as np

from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL, format_date

from ..engine import BY_PERCENTAGE, MEASURED, RunError, compute, from_minor, minor_text

CLEARED_TOTALS = (
    "pool_total",
    "carried_total",
    "sent_total",
    "received_total",
    "retained_total",
    "unused_total",
    "customer_count",
)
CLEARED_TEXTS = (
    "signature",
    "rules_signature",
    "costs_signature",
    "service_method",
    "order_message",
    "computed_at",
    "computed_by",
)


class CustomerCostRunCompute(models.Model):
    """Inputs → engine → steps, cells, transfers and allocation rows, written in bulk."""

    _inherit = "customer.cost.run"

    def action_compute(self):
        """Compute the run; what it held before is replaced.

        :raises UserError: the run is posted, its period closed, or its inputs cannot be computed:
            senders pass 100 %, a driver refuses negative quantities, pools serve only each other
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
                **dict.fromkeys(CLEARED_TOTALS, 0),
                **dict.fromkeys(CLEARED_TEXTS, False),
            }
        )

    def _delete_steps(self):
        """Delete steps, cells, transfers and rows."""
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
        inputs = self._get_inputs()
        try:
            outcome = compute(inputs)
        except RunError as error:
            raise UserError(self._describe_problems(inputs, error)) from error
        self._write_outcome(inputs, outcome)

    def _write_outcome(self, inputs, outcome):
        """Store what the engine made of the inputs: steps, cells, transfers, rows, totals."""
        rules = self.env["customer.cost.rule"]
        signature, customers = hashlib.sha256(), set()
        for rule_input, step in zip(inputs.rules, outcome.steps, strict=True):
            self._write_step(rules.browse(step.rule), rule_input, step)
            self._add_fingerprint(signature, rule_input, step)
            customers.update(self._get_charged(step))
        rules = rules.browse(rule_input.key for rule_input in inputs.rules)
        self._unguarded().write(
            {
                "state": "computed",
                "pool_total": self._to_amount(outcome.pool),
                "carried_total": self._to_amount(outcome.carried),
                **{
                    f"{name}_total": self._to_amount(sum(step.sum(name) for step in outcome.steps))
                    for name in ("sent", "received", "retained", "unused")
                },
                "customer_count": len(customers),
                "service_method": inputs.pool_method,
                "order_message": self._get_order_message(inputs),
                "signature": signature.hexdigest(),
                "rules_signature": self._get_rules_signature(rules),
                "costs_signature": self._get_costs_signature(rules),
                "computed_at": fields.Datetime.now(),
                "computed_by": self.env.uid,
            }
        )

    def _to_amount(self, minor):
        return float(from_minor(minor, self.currency_id.decimal_places))

    # ------------------------------------------------------------
    # Steps and cells
    # ------------------------------------------------------------

    def _write_step(self, rule, rule_input, step):
        # sudo: steps and cells are written by their run alone, without the caller's defaults
        record = (
            self._unguarded()
            .env["customer.cost.run.step"]
            .sudo()
            .create([self._prepare_step_vals(rule, rule_input, step)])
        )
        self._translate_step(record, rule)
        self._write_rows(record, rule_input, step)

    @staticmethod
    def _get_charged(step):
        places = set()
        for cell in step.cells:
            places.update(np.flatnonzero(cell.shares).tolist())
        return set(step.ids[sorted(places)].tolist())

    def _prepare_step_vals(self, rule, rule_input, step):
        return {
            "run_id": self.id,
            "rule_id": rule.id,
            "sequence": rule.sequence,
            **self._prepare_step_texts(rule),
            "pool_from": self._get_pool_start(rule),
            "pool_to": self._get_month()[1],
            "centre_ids": [fields.Command.set(rule.sender_centre_ids.ids)],
            "full_cost": rule.full_cost,
            "to_centres": rule_input.to_pools,
            "measured": rule_input.method in MEASURED,
            "driver_total": 100.0 if rule_input.method == BY_PERCENTAGE else step.total,
            "rate": step.rate,
            "actual_rate": step.actual_rate,
            "capacity": step.capacity,
            "used_quantity": step.used,
            "message": self._get_message(rule, rule_input, step),
            **{
                name: self._to_amount(step.sum(name))
                for name in ("sent", "received", "retained", "unused")
            },
            "moved": self._to_amount(sum(transfer.minor for transfer in step.transfers)),
            "cell_ids": [fields.Command.create(vals) for vals in self._prepare_cells(step)],
            "transfer_ids": [fields.Command.create(vals) for vals in self._prepare_transfers(step)],
        }

    def _prepare_cells(self, step):
        for cell in step.cells:
            yield {
                "item_id": cell.item,
                "charged_item_id": cell.charged,
                "fixed_amount": self._to_amount(cell.received_fixed),
                **{
                    name: self._to_amount(getattr(cell, name))
                    for name in ("sent", "received", "retained", "unused")
                },
            }

    def _prepare_transfers(self, step):
        """One record per sending and receiving pool, with the fixed cost in it."""
        moved = {}
        for transfer in step.transfers:
            item, centre, part = transfer.source
            to_item, to_centre, _part = transfer.target
            parts = moved.setdefault((item, centre, to_item, to_centre), [0, 0])
            parts[part] += transfer.minor
        for (item, centre, to_item, to_centre), (variable, fixed) in sorted(moved.items()):
            yield {
                "from_item_id": item,
                "from_centre_id": centre,
                "to_item_id": to_item,
                "to_centre_id": to_centre,
                "amount": self._to_amount(variable + fixed),
                "fixed_amount": self._to_amount(fixed),
            }

    def _prepare_step_texts(self, rule):
        """What the rule was, in words, in the language of the context."""
        driver = rule._get_used_driver()
        if driver:
            texts = self._prepare_driver_texts(driver)
        else:
            texts = {"driver_name": rule._get_method_label(), "window_label": ""}
        return {
            **texts,
            "name": rule.name,
            "rule_text": rule._get_text(self._get_month()[1]),
        }

    def _prepare_driver_texts(self, driver):
        days = driver._get_window_dates(self.company_id, self.date)
        return {
            "driver_name": driver.display_name,
            "window_label": " – ".join(format_date(self.env, day) for day in days),
        }

    def _translate_step(self, step, rule):
        """Keep the rule as it was in every language that somebody may read it in."""
        for lang, _name in self.env["res.lang"].get_installed():
            texts = self.with_context(lang=lang)._prepare_step_texts(rule.with_context(lang=lang))
            step.with_context(lang=lang).write(texts)

    def _get_pool_start(self, rule):
        if rule.carry_forward:
            return self.company_id.compute_fiscalyear_dates(self.date)["date_from"]
        return self._get_month()[0]

    # ------------------------------------------------------------
    # Rows
    # ------------------------------------------------------------

    def _write_rows(self, record, rule_input, step):
        rows = self._get_rows(record, rule_input, step)
        self.env["customer.cost.allocation"]._copy_rows(rows)

    def _get_rows(self, record, rule_input, step):
        """Rows of a step as text to load, in the order of ``_get_copy_columns``."""
        decimals = self.currency_id.decimal_places
        layer = "measured" if rule_input.method in MEASURED else "allocated"
        date = self._get_month()[1].isoformat()
        quantities = [f"{weight:.6f}" for weight in step.weights.tolist()]
        ids = step.ids.tolist()
        rows = io.StringIO()
        for item, (shares, fixed_shares) in self._sum_by_charged_item(step).items():
            head = f"{record.id}\t{self.company_id.id}\t{item}\t{date}"
            amounts, fixed_amounts = shares.tolist(), fixed_shares.tolist()
            for place in np.flatnonzero(shares | fixed_shares).tolist():
                amount = minor_text(amounts[place], decimals)
                fixed = minor_text(fixed_amounts[place], decimals) if fixed_amounts[place] else 0
                rows.write(
                    f"{head}\t{ids[place]}\t{layer}\t{quantities[place]}\t{amount}\t{fixed}\n"
                )
        rows.seek(0)
        return rows

    @staticmethod
    def _sum_by_charged_item(step):
        """Shares of the receivers and the fixed cost in them, by the item they are charged."""
        summed = {}
        for cell in step.cells:
            shares, fixed = summed.get(cell.charged, (0, 0))
            summed[cell.charged] = (shares + cell.shares, fixed + cell.fixed_shares)
        return summed

    # ------------------------------------------------------------
    # Unchanged
    # ------------------------------------------------------------

    @staticmethod
    def _add_fingerprint(signature, rule_input, step):
        """Add to the fingerprint what a step sent, to whom, by what weights."""
        cells = [(cell.item, cell.charged, cell.sent) for cell in step.cells]
        text = f"{step.rule}|{rule_input.full_cost}|{cells}|{step.transfers}|"
        signature.update(text.encode() + step.ids.tobytes() + step.weights.tobytes())
        for cell in step.cells:
            shares = np.concatenate([cell.shares, cell.fixed_shares])
            signature.update(
                shares.tobytes() if shares.dtype == np.int64 else repr(shares.tolist()).encode()
            )

    def _check_inputs_unchanged(self):
        """The ledger and the rules still say what this run sent.

        :raises UserError: a cost or a rule changed since the run was computed
        """
        rules = self._get_rules()
        if self.costs_signature != self._get_costs_signature(
            rules
        ) or self.rules_signature != self._get_rules_signature(rules):
            raise UserError(
                self.env._(
                    "Costs or rules changed since run %(run)s was computed. Compute it again.",
                    run=self.display_name,
                )
            )
