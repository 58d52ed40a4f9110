from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ..fields import Amount


class CustomerCostPeriodChanged(models.Model):
    """What changed in a closed month although it is closed.

    Nothing that posts an invoice waits for a closing: a posting that began before the month was
    closed still finds it open and may land in it afterwards. And the books of the month, sales
    among them, stay open until Odoo's own lock date. Both are compared with what was stored.
    """

    _inherit = "customer.cost.period"

    is_changed = fields.Boolean(
        string="Changed After Closing",
        compute="_compute_is_changed",
        help="The ledger of the closed month is not the one it was closed on.",
    )
    was_reported = fields.Boolean(
        related="closing_id.reported",
        string="Changed",
        help="The nightly check found that the ledger of the closed month is another one.",
    )
    changed_count = fields.Integer(string="Lines After Closing", compute="_compute_changed")
    changed_amount = Amount(string="Amount After Closing", compute="_compute_changed")
    changed_books = fields.Char(string="Books After Closing", compute="_compute_changed")

    @api.depends("closing_id")
    def _compute_is_changed(self):
        self.env["customer.cost.line"].flush_model()
        rows = self.env.execute_query(
            SQL(
                """SELECT p.id
                     FROM customer_cost_period p
                     JOIN customer_cost_period_closing c ON c.id = p.closing_id
               CROSS JOIN LATERAL (
                          SELECT count(*) AS lines, COALESCE(sum(l.amount), 0) AS amount
                            FROM customer_cost_line l
                           WHERE l.date >= p.date_from
                             AND l.date < p.date_from + interval '1 month'
                             AND l.company_id IN (
                                 SELECT b.id FROM res_company b JOIN res_company o
                                     ON b.parent_path LIKE o.parent_path || '%%'
                                  WHERE o.id = p.company_id)) now
                    WHERE p.id = ANY(%s)
                      AND (now.lines <> c.line_count OR now.amount <> c.line_amount)""",
                self.ids,
            )
        )
        changed = {period_id for (period_id,) in rows}
        for period in self:
            period.is_changed = period._origin.id in changed

    @api.depends("closing_id")
    def _compute_changed(self):
        for period in self:
            changed = period._get_changed_after_closing()
            period.changed_count = len(changed["line_ids"])
            period.changed_amount = changed["amount"]
            accounts = changed["accounts"]
            period.changed_books = (
                ", ".join(
                    f"{account['label']}: {period.currency_id.format(account['change'])}"
                    for account in accounts[:3]
                )
                + (" …" if len(accounts) > 3 else "")
            ) or False

    def _get_changed_after_closing(self):
        """Compare a closed period with what it was closed on.

        :return: dict of ``line_ids``: ledger lines that entered the month since; ``amount``: the
            month's ledger total now less that at closing; ``accounts``: list of dicts ``label``,
            ``then``, ``now`` and ``change`` of the profit-and-loss accounts whose balance is
            another one, income positive. All empty where the period is not closed
        """
        self.ensure_one()
        closing = self.sudo().closing_id  # sudo: read by whoever may read the period
        if not closing:
            return {"line_ids": [], "amount": 0.0, "accounts": []}
        rows = self.env.execute_query(
            SQL(
                """WITH known AS (
                          SELECT generate_series((part->>0)::int, (part->>1)::int) AS id
                            FROM customer_cost_period_closing c,
                                 jsonb_array_elements(c.line_ranges) part
                           WHERE c.id = %(closing)s)
                   SELECT l.id FROM customer_cost_line l
                    WHERE l.company_id = ANY(%(companies)s)
                      AND l.date BETWEEN %(first)s AND %(last)s
                      AND NOT EXISTS (SELECT FROM known WHERE known.id = l.id)""",
                companies=self._get_companies().ids,
                first=self.date_from,
                last=self.date_to,
                closing=closing.id,
            )
        )
        _count, total, _ranges = closing._read_ledger(self)
        return {
            "line_ids": [line_id for (line_id,) in rows],
            "amount": self.currency_id.round(float(total) - closing.line_amount),
            "accounts": self._get_changed_accounts(closing),
        }

    def _get_changed_accounts(self, closing):
        changed = []
        self.env["account.move.line"].flush_model()
        for company in self._get_companies():
            then = {
                row["account_id"]: row
                for row in (closing.tie_out or {}).get(str(company.id), {}).get("accounts", [])
            }
            # sudo: balances of the whole company, for those who may read the period
            balances = (
                self.env["customer.cost.tie.out"]
                .sudo()
                ._read_balances(company, self.date_from, self.date_to)
            )
            now = {row["account_id"]: -float(row["amount"]) for row in balances}
            accounts = self.env["account.account"].sudo().with_company(company)
            for account_id in sorted(then.keys() | now.keys()):
                before = then.get(account_id, {}).get("balance", 0.0)
                change = company.currency_id.round(now.get(account_id, 0.0) - before)
                if not company.currency_id.is_zero(change):
                    account = accounts.browse(account_id).exists()
                    known = account or then[account_id]
                    changed.append(
                        {
                            "label": f"{known['code'] or ''} {known['name']}".strip(),
                            "then": before,
                            "now": now.get(account_id, 0.0),
                            "change": change,
                        }
                    )
        return changed

    def action_open_changed(self):
        """Open the ledger lines that entered the month after it was closed."""
        self.ensure_one()
        return self._open_ledger(
            self.env._("After Closing"),
            [("id", "in", self._get_changed_after_closing()["line_ids"])],
        )

    @api.model
    def _cron_check(self):
        """Make this month's periods, and tell who closed a month that its ledger changed since."""
        cron = self.env["ir.cron"]
        self._make_missing(self.env["res.company"].search(Domain.TRUE))
        closed = self.search([("state", "=", "closed"), ("closing_id.reported", "=", False)])
        changed_periods = closed.filtered("is_changed")
        cron._commit_progress(remaining=len(changed_periods))
        for period in changed_periods:
            period = period._in_readers_language(period.closing_id.closed_by_id)
            changed = period._get_changed_after_closing()
            period.message_post(
                body=period.env._(
                    "Changed after closing. Ledger lines added: %(count)s, amount: %(amount)s. "
                    "Reopen and close the month again to accept them.",
                    count=len(changed["line_ids"]),
                    amount=period.currency_id.format(changed["amount"]),
                ),
                partner_ids=period.closing_id.closed_by_id.partner_id.ids,
                subtype_xmlid="mail.mt_comment",
            )
            period.closing_id.reported = True
            if not cron._commit_progress(1):
                return
