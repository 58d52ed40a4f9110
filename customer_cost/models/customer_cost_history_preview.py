from odoo import api, fields, models
from odoo.tools import SQL

from ..fields import Amount
from .account_move_line_freeze import SALES_TYPES
from .customer_cost_account_map import RESULT_ACCOUNT_TYPES

KINDS = ("direct", "indirect", "captured", "closed", "left_out", "excluded")


class CustomerCostHistory(models.Model):
    """What a history would bring in, before it does."""

    _inherit = "customer.cost.history"

    line_ids = fields.One2many("customer.cost.history.line", "history_id", readonly=True)
    previewed_at = fields.Datetime(string="Previewed", readonly=True, copy=False)
    item_count = fields.Integer(string="Journal Items", readonly=True, copy=False)
    estimate_count = fields.Integer(
        string="Invoice Lines to Estimate",
        readonly=True,
        copy=False,
        help="Invoice lines whose product cost was not frozen when they were posted.",
    )
    total = Amount(
        string="Profit and Loss",
        compute="_compute_totals",
        help="Balance of every profit-and-loss account: costs less income.",
    )
    direct_total = Amount(string="Direct Cost", compute="_compute_totals")
    indirect_total = Amount(string="Indirect Cost", compute="_compute_totals")
    captured_total = Amount(string="Captured Already", compute="_compute_totals")
    closed_total = Amount(string="In Closed Periods", compute="_compute_totals")
    left_out_total = Amount(string="Left Out", compute="_compute_totals")
    excluded_total = Amount(string="No Cost to Serve", compute="_compute_totals")

    @api.depends("line_ids.amount", "line_ids.kind")
    def _compute_totals(self):
        for history in self:
            by_kind = history.line_ids.grouped("kind")
            for kind in KINDS:
                lines = by_kind.get(kind, history.line_ids.browse())
                history[f"{kind}_total"] = history.currency_id.round(sum(lines.mapped("amount")))
            history.total = history.currency_id.round(sum(history.line_ids.mapped("amount")))

    def action_preview(self):
        """Read from the books what the days would bring in, by account, cost item and reason.

        The rows add up to the profit and loss of the days. Nothing but the preview is written.
        """
        self.check_access("write")
        for history in self:
            history._check_draft(self.env._("There is nothing left to preview."))
            history._make_preview()

    def _make_preview(self):
        self._clear_preview()
        # sudo: preview rows are written by their history alone
        self.env["customer.cost.history.line"].sudo().create(self._prepare_preview())
        self._unguarded().write(
            {
                "previewed_at": fields.Datetime.now(),
                "item_count": self._count_items(),
                "estimate_count": self._count_lines_to_estimate(),
            }
        )

    def _clear_preview(self):
        # sudo: preview rows are written by their history alone
        self.sudo().line_ids.unlink()
        self._unguarded().write({"previewed_at": False, "item_count": 0, "estimate_count": 0})

    def _sql_days(self) -> SQL:
        return self.env["customer.cost.capture"]._sql_moves_of_days(
            self.company_id, self.date_from, self.date_to
        )

    def _prepare_preview(self):
        """Values of the preview rows, as if the days had been brought in.

        What the ledger holds already and what lies in a closed period stand apart: bringing in
        changes neither.
        """
        self.ensure_one()
        capture = self.env["customer.cost.capture"]
        capture._flush_sources()
        rows = self.env.execute_query_dict(
            SQL(
                """WITH candidate AS MATERIALIZED (%(candidate)s),
                        mapped AS MATERIALIZED (%(mapped)s),
                        portion AS (%(portion)s),
                        target AS MATERIALIZED (%(target)s)
                   SELECT CASE WHEN e.id IS NOT NULL THEN 'captured'
                               WHEN %(open_day)s <> t.date THEN 'closed'
                               WHEN t.customer_id IS NULL THEN 'indirect'
                               ELSE 'direct' END AS kind,
                          NULL AS reason, l.account_id, t.item_id,
                          count(DISTINCT t.id) AS line_count, sum(t.amount) AS amount
                     FROM target t JOIN account_move_line l ON l.id = t.id
                LEFT JOIN customer_cost_entry e ON e.source_line_id = t.id
                      AND COALESCE(e.customer_id, 0) = COALESCE(t.customer_id, 0)
                      AND e.item_id = t.item_id AND e.state = 'captured'
                 GROUP BY 1, 3, 4
                UNION ALL
                   SELECT CASE WHEN excluded IS NULL THEN 'left_out' ELSE 'excluded' END,
                          COALESCE(CASE WHEN excluded = 'account' AND account_type = 'income'
                                        THEN 'sales' END, excluded, left_out_reason, 'unmapped'),
                          account_id, NULL, count(DISTINCT c.id), sum(amount)
                     FROM (%(classified)s) c JOIN account_account a ON a.id = c.account_id
                    WHERE item_id IS NULL
                 GROUP BY 1, 2, 3""",
                candidate=capture._sql_candidates(
                    self._sql_days(),
                    SQL("a.account_type IN %s", RESULT_ACCOUNT_TYPES),
                    since_start=False,
                ),
                mapped=capture._sql_mapped(),
                portion=capture._sql_portions(),
                target=capture._sql_target(),
                classified=capture._sql_classified(),
                open_day=self.env["customer.cost.period"]._sql_first_open_day(
                    SQL("t.company_id"), SQL("t.date")
                ),
            )
        )
        labels = {
            **capture._get_excluded_labels(),
            "unmapped": self.env._("No row of the map matches"),
            "sales": self.env._("Sales: they reach customers by their invoices"),
        }
        kinds = {
            "captured": self.env._("By posting, or by a history"),
            "closed": self.env._("Not brought in unless the period is reopened"),
        }
        rows.sort(key=lambda row: (KINDS.index(row["kind"]), -abs(row["amount"])))
        return [
            {
                **row,
                "history_id": self.id,
                "reason": kinds.get(row["kind"]) or labels.get(row["reason"], row["reason"]),
            }
            for row in rows
        ]

    def _sql_items(self, moves) -> SQL:
        """Posted profit-and-loss items of moves ``m``."""
        return SQL(
            """account_move m JOIN account_move_line l ON l.move_id = m.id
               JOIN account_account a ON a.id = l.account_id
              WHERE %s AND m.state = 'posted' AND l.balance <> 0 AND a.account_type IN %s""",
            moves,
            RESULT_ACCOUNT_TYPES,
        )

    def _count_items(self):
        """Posted profit-and-loss items of the days."""
        ((count,),) = self.env.execute_query(
            SQL("SELECT count(*) FROM %s", self._sql_items(self._sql_days()))
        )
        return count

    def _has_postings(self):
        """Whether a profit-and-loss item is posted in the days."""
        self.ensure_one()
        self.env["customer.cost.capture"]._flush_sources()
        ((has_postings,),) = self.env.execute_query(
            SQL("SELECT EXISTS (SELECT FROM %s)", self._sql_items(self._sql_days()))
        )
        return has_postings

    def _read_posted_days(self):
        """First and last day that a profit-and-loss item of the company is posted on."""
        (days,) = self.env.execute_query(
            SQL(
                "SELECT min(m.date), max(m.date) FROM %s",
                self._sql_items(SQL("m.company_id = %s", self.company_id.id)),
            )
        )
        return days

    def _count_lines_to_estimate(self):
        """Product lines of customer invoices in open periods that no product cost is frozen on."""
        ((count,),) = self.env.execute_query(
            SQL(
                """SELECT count(*)
                     FROM account_move m JOIN account_move_line l ON l.move_id = m.id
                    WHERE %s AND m.state = 'posted' AND l.display_type = 'product'
                      AND l.product_id IS NOT NULL
                      AND COALESCE(l.customer_cost_source, 'unknown') = 'unknown'
                      AND m.move_type IN %s AND %s = m.date""",
                self._sql_days(),
                SALES_TYPES,
                self.env["customer.cost.period"]._sql_first_open_day(
                    SQL("m.company_id"), SQL("m.date")
                ),
            )
        )
        return count
