from dataclasses import replace

import numpy as np

from odoo import models
from odoo.tools import SQL

from ..engine import compute, to_minor

NAMED_DIFFERENCES = 5
CELL_FIGURES = ("sent", "received", "retained", "unused")


class CustomerCostRunProof(models.Model):
    """A run computed once more from its frozen inputs, and compared with what is stored."""

    _inherit = "customer.cost.run"

    def action_prove(self):
        """Compute the run again from its frozen inputs and compare every stored row.

        What was found is written to the run's chatter with the user's name. Customers merged or
        moved since are compared with what they have become.

        :return: notification: identical, or the first differences
        :raises UserError: the run is not computed, or has no frozen inputs
        """
        self.ensure_one()
        frozen = self._load_frozen()
        if not frozen:
            self._raise_no_inputs()
        count, total, differences = self._compare_with_stored(frozen.inputs)
        if differences:
            text = self.env._(
                "Differs from its frozen inputs: %(differences)s",
                differences="; ".join(differences),
            )
        else:
            text = self.env._(
                "Identical to its frozen inputs: %(count)s rows, total %(total)s.",
                count=count,
                total=self.currency_id.format(total),
            )
        # sudo: whoever may read a run may prove it, and the proof is written down
        self.sudo().message_post(body=text, author_id=self.env.user.partner_id.id)
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "danger" if differences else "success",
                "message": text,
                "sticky": bool(differences),
                "next": {"type": "ir.actions.act_window_close"},
            },
        }

    def _compare_with_stored(self, inputs):
        """Compare what is stored of this run with what ``inputs`` make of it.

        :return: number and total of the stored rows, and texts of the first differences
        """
        outcome, steps = compute(inputs), self.step_ids
        if len(steps) != len(outcome.steps):
            text = self.env._(
                "%(stored)s steps instead of %(expected)s",
                stored=len(steps),
                expected=len(outcome.steps),
            )
            return 0, 0.0, [text]
        differences = [*self._compare_totals(outcome)]
        for step, expected in zip(steps, outcome.steps, strict=True):
            differences += self._compare_step(step, expected)
        self._load_expected_rows(inputs, outcome)
        count, total, rows = self._compare_rows()
        return count, total, [*differences, *rows][:NAMED_DIFFERENCES]

    def _compare_totals(self, outcome):
        yield from self._compare_figures(
            self,
            self.display_name,
            {
                f"{name}_total": sum(step.sum(name) for step in outcome.steps)
                for name in CELL_FIGURES
            }
            | {"pool_total": outcome.pool, "carried_total": outcome.carried},
        )

    def _compare_step(self, step, expected):
        yield from self._compare_figures(
            step, step.name, {name: expected.sum(name) for name in CELL_FIGURES}
        )
        cells = {cell.item: cell for cell in expected.cells}
        if set(step.cell_ids.item_id.ids) != set(cells) or len(step.cell_ids) != len(cells):
            yield self.env._("%(step)s: other cost items", step=step.name)
            return
        for cell in step.cell_ids:
            yield from self._compare_figures(
                cell,
                f"{step.name}, {cell.item_id.display_name}",
                {name: getattr(cells[cell.item_id.id], name) for name in CELL_FIGURES},
            )

    def _compare_figures(self, record, label, figures):
        decimals = self.currency_id.decimal_places
        for name, minor in figures.items():
            if to_minor(record[name], decimals) != minor:
                yield self.env._(
                    "%(record)s, %(figure)s: %(stored)s instead of %(expected)s",
                    record=label,
                    figure=record._fields[name]._description_string(self.env),
                    stored=self.currency_id.format(record[name]),
                    expected=self.currency_id.format(self._to_amount(minor)),
                )

    def _load_expected_rows(self, inputs, outcome):
        """Load the rows as the run would write them now, by whom they were charged to since."""
        columns = SQL(", ").join(
            map(SQL.identifier, self.env["customer.cost.allocation"]._get_copy_columns())
        )
        self.env.cr.execute(SQL("DROP TABLE IF EXISTS customer_cost_expected_row"))
        self.env.cr.execute(
            SQL(
                """CREATE TEMPORARY TABLE customer_cost_expected_row ON COMMIT DROP AS
                   SELECT %s FROM customer_cost_allocation LIMIT 0""",
                columns,
            )
        )
        successors = self.env["customer.cost.succession"]._get_successors(self.computed_at)
        statement = SQL("COPY customer_cost_expected_row (%s) FROM STDIN", columns)
        for record, rule_input, step in zip(
            self.step_ids, inputs.rules, outcome.steps, strict=True
        ):
            ids = np.array([successors.get(each, each) for each in step.ids.tolist()], dtype=int)
            rows = self._get_rows(record, rule_input, replace(step, ids=ids))
            self.env.cr.copy_expert(statement.code, rows)

    def _compare_rows(self):
        """Compare stored and expected rows, those of merged customers as one."""
        self.env["customer.cost.allocation"].flush_model()
        columns = self.env["customer.cost.allocation"]._get_copy_columns()
        summed = [name for name in columns if name in ("quantity", "amount", "fixed_amount")]
        keys = [name for name in columns if name not in summed]
        # the company of a row is compared as well: a run's rows belong to its company alone
        rows = self.env.execute_query(
            SQL(
                """WITH both_sides AS (
                       SELECT TRUE AS is_stored, %(columns)s FROM customer_cost_allocation
                        WHERE step_id = ANY(%(steps)s)
                    UNION ALL
                       SELECT FALSE, %(columns)s FROM customer_cost_expected_row),
                   side AS (
                       SELECT is_stored, %(keys)s, %(sums)s FROM both_sides
                     GROUP BY is_stored, %(keys)s),
                   differing AS (
                       SELECT step_id, item_id, customer_id,
                              sum(amount) FILTER (WHERE is_stored) AS stored,
                              sum(amount) FILTER (WHERE NOT is_stored) AS expected
                         FROM side
                     GROUP BY %(keys)s, %(summed)s
                       HAVING count(*) <> 2)
                   SELECT (SELECT count(*) FROM customer_cost_allocation
                            WHERE step_id = ANY(%(steps)s)),
                          (SELECT COALESCE(sum(amount), 0) FROM customer_cost_allocation
                            WHERE step_id = ANY(%(steps)s)),
                          d.step_id, d.item_id, d.customer_id, d.stored, d.expected
                     FROM (SELECT) one
                LEFT JOIN (SELECT * FROM differing ORDER BY 1, 2, 3 LIMIT %(limit)s) d ON TRUE""",
                columns=SQL(", ").join(map(SQL.identifier, columns)),
                keys=SQL(", ").join(map(SQL.identifier, keys)),
                summed=SQL(", ").join(map(SQL.identifier, summed)),
                sums=SQL(", ").join(
                    SQL("sum(%(name)s) AS %(name)s", name=SQL.identifier(name)) for name in summed
                ),
                steps=self.step_ids.ids,
                limit=NAMED_DIFFERENCES,
            )
        )
        count, total = rows[0][:2]
        return count, float(total), [self._describe_row(*row[2:]) for row in rows if row[2]]

    def _describe_row(self, step_id, item_id, customer_id, stored, expected):
        # sudo: who proves a run reads all of its rows, whoever the customers belong to
        customer = self.env["res.partner"].sudo().browse(customer_id or []).exists()
        none = self.env._("no row")
        return self.env._(
            "%(step)s, %(item)s, %(customer)s: %(stored)s instead of %(expected)s",
            step=self.env["customer.cost.run.step"].browse(step_id).name,
            item=self.env["customer.cost.item"].browse(item_id).display_name,
            customer=customer.display_name or self.env._("no customer"),
            stored=none if stored is None else self.currency_id.format(stored),
            expected=none if expected is None else self.currency_id.format(expected),
        )
