import io
from datetime import timedelta

import numpy as np

from odoo import api, fields, models
from odoo.tools import SQL

from ..engine import RunError, compute, minor_text
from ..engine.comparison import mix

KEPT_DAYS = 7
COSTS, DRIVERS = "costs", "drivers"


class CustomerCostRunComparison(models.Model):
    """Two runs side by side, per customer and cost item, with what each difference is due to.

    The first run is computed again with the costs of the second; then with its quantities too:
    what changes is due to costs, then to drivers, and what is left to the rules. Both mixtures
    use the first run's rules, so a cost that only the second run's rules send is a rule's change.
    The three add up to the difference exactly.

    A work table: made by a button, read as a list or pivot, deleted after a week.
    """

    _name = "customer.cost.run.comparison"
    _description = "Run Comparison"
    _order = "id desc"

    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    run_id = fields.Many2one(
        "customer.cost.run",
        string="From",
        required=True,
        readonly=True,
        index=True,
        ondelete="cascade",
    )
    other_run_id = fields.Many2one(
        "customer.cost.run",
        string="To",
        required=True,
        readonly=True,
        index=True,
        ondelete="cascade",
    )
    is_split = fields.Boolean(
        readonly=True, help="Both runs keep their inputs: the difference is split."
    )

    @api.depends("run_id", "other_run_id")
    @api.depends_context("lang")
    def _compute_display_name(self):
        for comparison in self:
            comparison.display_name = " → ".join(
                (comparison.run_id.display_name, comparison.other_run_id.display_name)
            )

    # ------------------------------------------------------------
    # Computing
    # ------------------------------------------------------------

    def _fill(self):
        """Compute the mixtures and write one line per customer and cost item of either run."""
        self.ensure_one()
        self.env["customer.cost.allocation"].flush_model()
        self.env.cr.execute(
            SQL(
                """CREATE TEMPORARY TABLE IF NOT EXISTS customer_cost_mixture (
                       stage text, customer_id int, item_id int, amount numeric
                   ) ON COMMIT DROP"""
            )
        )
        self.env.cr.execute(SQL("TRUNCATE customer_cost_mixture"))
        before, after = self.run_id._load_frozen(), self.other_run_id._load_frozen()
        self.is_split = bool(before and after)
        stages = self._compute_stages(before, after) if self.is_split else {}
        for stage, outcome in stages.items():
            self._load_mixture(stage, outcome)
        self._insert_lines(stages)

    @api.model
    def _compute_stages(self, before, after):
        """Return the outcomes of the mixtures by stage.

        A mixture that cannot be computed, e.g. because rules of the first run overlap in the
        pools of the second, is left out: its change counts with the next stage.
        """
        stages = {}
        for stage, drivers in ((COSTS, before), (DRIVERS, after)):
            try:
                stages[stage] = compute(mix(after, drivers, before))
            except RunError:
                continue
        return stages

    def _load_mixture(self, stage, outcome):
        successors = self.env["customer.cost.succession"]._get_successors(
            min((self.run_id | self.other_run_id).mapped("computed_at"))
        )
        decimals = self.company_id.currency_id.decimal_places
        rows = io.StringIO()
        for step in outcome.steps:
            ids = [successors.get(customer, customer) for customer in step.ids.tolist()]
            for cell in step.cells:
                for place in np.flatnonzero(cell.shares).tolist():
                    amount = minor_text(cell.shares[place], decimals)
                    rows.write(f"{stage}\t{ids[place]}\t{cell.charged}\t{amount}\n")
        rows.seek(0)
        self.env.cr.copy_expert("COPY customer_cost_mixture FROM STDIN", rows)

    def _insert_lines(self, stages):
        costs = SQL("costs") if COSTS in stages else SQL("before")
        drivers = SQL("drivers") if DRIVERS in stages else costs
        self.env.cr.execute(
            SQL(
                """INSERT INTO customer_cost_run_comparison_line (
                          comparison_id, company_id, customer_id, item_id, before, after,
                          difference, cost_change, driver_change, rule_change)
                   SELECT %(comparison)s, %(company)s, p.id, item_id, before, after,
                          after - before, %(costs)s - before, %(drivers)s - %(costs)s,
                          after - %(drivers)s
                     FROM (SELECT customer_id, item_id,
                                  COALESCE(sum(amount) FILTER (WHERE stage = 'before'), 0)
                                      AS before,
                                  COALESCE(sum(amount) FILTER (WHERE stage = 'costs'), 0) AS costs,
                                  COALESCE(sum(amount) FILTER (WHERE stage = 'drivers'), 0)
                                      AS drivers,
                                  COALESCE(sum(amount) FILTER (WHERE stage = 'after'), 0) AS after
                             FROM (SELECT CASE s.run_id WHEN %(run)s THEN 'before' ELSE 'after' END
                                              AS stage,
                                          a.customer_id, a.item_id, a.amount
                                     FROM customer_cost_allocation a
                                     JOIN customer_cost_run_step s ON s.id = a.step_id
                                    WHERE a.step_id = ANY(%(steps)s)
                                      AND a.company_id = %(company)s
                                UNION ALL
                                   SELECT stage, customer_id, item_id, amount
                                     FROM customer_cost_mixture) part
                         GROUP BY customer_id, item_id) found
                LEFT JOIN res_partner p ON p.id = found.customer_id
                    WHERE before <> 0 OR after <> 0 OR costs <> 0 OR drivers <> 0
                 ORDER BY abs(after - before) DESC, p.id, item_id""",
                comparison=self.id,
                company=self.company_id.id,
                run=self.run_id.id,
                steps=(self.run_id | self.other_run_id).step_ids.ids,
                costs=costs,
                drivers=drivers,
            )
        )
        self.env["customer.cost.run.comparison.line"].invalidate_model(flush=False)

    # ------------------------------------------------------------
    # Reading
    # ------------------------------------------------------------

    def _open_lines(self):
        """Open the differences per customer and cost item."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "customer_cost.customer_cost_run_comparison_line_action"
        )
        action["name"] = action["display_name"] = self.display_name
        action["domain"] = [("comparison_id", "=", self.id)]
        action["context"] = {"search_default_changed": 1, "is_split": self.is_split}
        return action

    @api.autovacuum
    def _gc_comparisons(self):
        limit = fields.Datetime.now() - timedelta(days=KEPT_DAYS)
        old = self.search([("create_date", "<", limit)])
        if old:
            self.env.cr.execute(
                SQL(
                    "DELETE FROM customer_cost_run_comparison_line WHERE comparison_id = ANY(%s)",
                    old.ids,
                )
            )
            old.unlink()
