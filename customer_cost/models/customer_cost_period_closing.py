import json
from hashlib import sha256

from odoo import api, fields, models
from odoo.tools import SQL, formatLang

from ..fields import Amount


class CustomerCostPeriodClosing(models.Model):
    """One closing of a period: the tie-out and the ledger as they stood, kept when reopened."""

    _name = "customer.cost.period.closing"
    _description = "Closing of a Cost Period"
    _order = "id desc"

    period_id = fields.Many2one(
        "customer.cost.period", required=True, readonly=True, index=True, ondelete="restrict"
    )
    company_id = fields.Many2one(related="period_id.company_id", store=True, index=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    closed_by_id = fields.Many2one("res.users", required=True, readonly=True)
    closed_at = fields.Datetime(required=True, readonly=True)
    tie_out = fields.Json(readonly=True, help="Of the company and of each of its branches.")
    content = fields.Html(string="Tie-out at Closing", compute="_compute_content")
    fingerprint = fields.Char(
        readonly=True, help="SHA-256 of the tie-out, the ledger's lines and their sum."
    )
    line_count = fields.Integer(string="Ledger Lines", readonly=True)
    line_amount = Amount(string="Ledger Total", readonly=True)
    # ids of the month's ledger lines, as [from, to] pairs: bulk writing makes them few
    line_ranges = fields.Json(readonly=True, prefetch=False)
    check_ids = fields.One2many("customer.cost.period.check", "closing_id", string="Checklist")
    reopened_by_id = fields.Many2one("res.users", readonly=True)
    reopened_at = fields.Datetime(readonly=True)
    reopen_reason = fields.Text(string="Reason", readonly=True)
    reported = fields.Boolean(readonly=True, help="Who closed it was told that it changed since.")

    @api.depends("period_id", "closed_at")
    def _compute_display_name(self):
        for closing in self:
            closing.display_name = closing.period_id.display_name

    @api.depends("tie_out")
    @api.depends_context("lang")
    def _compute_content(self):
        for closing in self:
            closing.content = self.env["ir.qweb"]._render(
                "customer_cost.customer_cost_period_closing_content",
                {
                    "companies": list((closing.tie_out or {}).values()),
                    "columns": closing._get_columns(),
                    "changes": closing._get_changes(),
                    "format": closing._format,
                },
            )

    def _format(self, amount):
        return formatLang(self.env, amount, digits=self.currency_id.decimal_places)

    def _get_columns(self):
        return {
            "balance": self.env._("Balance"),
            "sales": self.env._("Sales"),
            "cost_of_sales": self.env._("Cost of Sales"),
            "captured": self.env._("Captured"),
            "left_out": self.env._("Left Out"),
            "excluded": self.env._("Excluded"),
            "difference": self.env._("Difference"),
        }

    def _get_changes(self):
        """Accounts whose balance is another one now; of the closing that holds, that is."""
        period = self.period_id
        return period._get_changed_accounts(self) if period.closing_id == self else []

    @api.model
    def _store(self, period):
        """Store what a period is closed on: its tie-out and which ledger lines it holds.

        :return: the closing
        """
        count, amount, ranges = self._read_ledger(period)
        tie_out = {
            str(company.id): period._get_tie_out(company) for company in period._get_companies()
        }
        content = json.dumps([tie_out, count, str(amount), ranges], sort_keys=True)
        return self.create(
            {
                "period_id": period.id,
                "closed_by_id": self.env.uid,
                "closed_at": fields.Datetime.now(),
                "tie_out": tie_out,
                "fingerprint": sha256(content.encode()).hexdigest(),
                "line_count": count,
                "line_amount": float(amount),
                "line_ranges": ranges,
            }
        )

    @api.model
    def _read_ledger(self, period):
        """Return number, sum and ids, as ranges, of the ledger lines dated in the period."""
        self.env["customer.cost.line"].flush_model()
        [row] = self.env.execute_query(
            SQL(
                """SELECT COALESCE(sum(lines), 0)::int, COALESCE(sum(amount), 0),
                          COALESCE(jsonb_agg(jsonb_build_array(low, high) ORDER BY low), '[]')
                     FROM (SELECT min(id) AS low, max(id) AS high, count(*) AS lines,
                                  sum(amount) AS amount
                             FROM (SELECT id, amount, id - row_number() OVER (ORDER BY id) AS run
                                     FROM customer_cost_line
                                    WHERE company_id = ANY(%s) AND date BETWEEN %s AND %s) numbered
                         GROUP BY run) ranges""",
                period._get_companies().ids,
                period.date_from,
                period.date_to,
            )
        )
        return row

    def action_open_tie_out(self):
        """Open the tie-out as it stood at closing."""
        self.ensure_one()
        self.check_access("read")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("As Closed"),
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "views": [(False, "form")],
        }
