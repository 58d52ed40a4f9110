from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL, date_utils, float_compare


class CustomerCostRunPost(models.Model):
    """Posting a computed run and taking it back: checks, and one change of state."""

    _inherit = "customer.cost.run"

    def _check_period_open(self):
        if self.kind != "actual":
            return
        if self.env["customer.cost.period"]._is_closed(self.company_id, self.date):
            raise UserError(
                self.env._("Period %(period)s is closed.", period=self.period_id.display_name)
            )

    def _lock_for_posting(self):
        """Check the rights and take the period: of two people who post, one is retried."""
        self._check_cost_manager(self.env._("Only a cost manager posts or reverses a run."))
        self.check_access("write")
        self.period_id._touch()
        self.invalidate_recordset()
        self.period_id.invalidate_recordset()

    def _check_later_runs(self):
        """A later posted run that took what this month left cannot be overtaken.

        :raises UserError: such a run exists; the same cost would be charged twice
        """
        first = date_utils.start_of(self.date, "month")
        transfers = self.transfer_ids
        items = self.step_ids.cell_ids.item_id | transfers.from_item_id | transfers.to_item_id
        later = self.env["customer.cost.run.step"].search(
            [
                ("company_id", "=", self.company_id.id),
                ("run_id.state", "=", "posted"),
                ("pool_from", "<=", first),
                ("pool_to", ">", date_utils.end_of(self.date, "month")),
                ("cell_ids.item_id", "in", items.ids),
            ],
            limit=1,
        )
        if later:
            raise UserError(
                self.env._(
                    "Posted run %(later)s already includes what this month left in the pool. "
                    "Reverse it first.",
                    later=later.run_id.display_name,
                )
            )

    def action_post(self):
        """Post a computed run; the run posted before for the period is superseded.

        :raises UserError: not an actual run, not computed, period closed, inputs changed since,
            out of balance, or the same as what is posted
        """
        self.ensure_one()
        self._lock_for_posting()
        if self.kind != "actual":
            raise UserError(
                self.env._(
                    "%(run)s is not an actual run: it is never posted. Make an actual run of the "
                    "month instead.",
                    run=self.display_name,
                )
            )
        if self.state != "computed":
            raise UserError(
                self.env._(
                    "Run %(run)s is not computed, or is posted already.", run=self.display_name
                )
            )
        self._check_period_open()
        self._check_later_runs()
        self._check_inputs_unchanged()
        self._check_balance()
        posted = self.search([("period_id", "=", self.period_id.id), ("state", "=", "posted")])
        if posted and posted.signature == self.signature:
            raise UserError(
                self.env._(
                    "Run %(run)s has the same inputs and result as the posted %(posted)s: "
                    "there is nothing to post.",
                    run=self.display_name,
                    posted=posted.display_name,
                )
            )
        posted._unguarded().write({"state": "superseded"})
        posted.flush_recordset(["state"])
        self._unguarded().write(
            {"state": "posted", "posted_at": fields.Datetime.now(), "posted_by": self.env.uid}
        )
        self.flush_recordset(["state"])

    def _check_balance(self):
        """Every step and cell has to conserve what it sent, in the rows that are stored."""
        self.env.flush_all()
        broken = self.env.execute_query(
            SQL(
                """WITH cells AS (
                       SELECT c.step_id, COALESCE(c.charged_item_id, c.item_id) AS item_id,
                              sum(c.sent) AS sent, sum(c.received) AS received,
                              sum(COALESCE(c.fixed_amount, 0)) AS fixed,
                              sum(c.received + c.retained + c.unused) AS accounted
                         FROM customer_cost_run_cell c WHERE c.step_id = ANY(%(steps)s)
                     GROUP BY 1, 2),
                   rows AS (
                       SELECT a.step_id, a.item_id, sum(a.amount) AS total,
                              sum(COALESCE(a.fixed_amount, 0)) AS total_fixed
                         FROM customer_cost_allocation a
                        WHERE a.step_id = ANY(%(steps)s) AND a.company_id = %(company)s
                          AND a.date = %(date)s
                     GROUP BY a.step_id, a.item_id),
                   both_sides AS (
                       SELECT step_id, COALESCE(sent, 0) AS sent,
                              COALESCE(accounted, 0) AS accounted,
                              COALESCE(received, 0) AS received, COALESCE(total, 0) AS total,
                              COALESCE(fixed, 0) <> COALESCE(total_fixed, 0) AS other_fixed
                         FROM cells FULL JOIN rows USING (step_id, item_id)),
                   steps AS (
                       SELECT step_id, sum(sent) AS sent, sum(accounted) AS accounted,
                              sum(total) AS total,
                              bool_or(sent <> accounted OR received <> total
                                      OR other_fixed) AS broken
                         FROM both_sides GROUP BY step_id)
                   SELECT s.id, COALESCE(t.sent, 0), COALESCE(t.accounted, 0),
                          COALESCE(t.total, 0)
                     FROM customer_cost_run_step s LEFT JOIN steps t ON t.step_id = s.id
                    WHERE s.id = ANY(%(steps)s)
                      AND (t.broken OR COALESCE(s.moved, 0) <> COALESCE((
                               SELECT sum(m.amount) FROM customer_cost_run_transfer m
                                WHERE m.step_id = s.id), 0)
                           OR s.sent <> COALESCE(t.sent, 0)
                           OR s.received <> COALESCE(t.total, 0)
                           OR s.sent <> s.received + s.retained + s.unused)
                 ORDER BY s.sequence, s.id LIMIT 1""",
                steps=self.step_ids.ids,
                company=self.company_id.id,
                date=date_utils.end_of(self.date, "month"),
            )
        )
        if broken:
            step_id, sent, accounted, allocated = broken[0]
            raise UserError(
                self.env._(
                    "Run %(run)s does not balance: step %(step)s sent %(sent)s, accounts for "
                    "%(accounted)s and its rows hold %(allocated)s. Compute it again.",
                    run=self.display_name,
                    step=self.step_ids.browse(step_id).name,
                    sent=sent,
                    accounted=accounted,
                    allocated=allocated,
                )
            )
        for name in ("sent", "received", "retained", "unused"):
            steps = sum(self.step_ids.mapped(name))
            total = self[f"{name}_total"]
            if float_compare(steps, total, precision_rounding=self.currency_id.rounding):
                raise UserError(
                    self.env._(
                        "Run %(run)s does not balance. %(what)s: %(total)s, its steps add up to "
                        "%(steps)s.",
                        run=self.display_name,
                        what=self._fields[f"{name}_total"]._description_string(self.env),
                        steps=steps,
                        total=total,
                    )
                )

    def action_reverse(self):
        """Take a posted run back: its amounts no longer count and stay readable."""
        self.ensure_one()
        self._lock_for_posting()
        if self.state != "posted":
            raise UserError(self.env._("Only a posted run can be reversed."))
        self._check_period_open()
        self._unguarded().write({"state": "reversed"})
