from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..findings import LEVELS
from .customer_cost_budget_control import Ask
from .res_partner import FIGURE_GROUPS


class AccountMove(models.Model):
    """Vendor bills that name a customer: what budgets say of them while they are drafts.

    A line that settles a customer's request is spoken for with it, as far as the request goes.
    Where the company lets bills pass, a limit that blocks asks for the stages of the milder limits
    that the bill passes as well, and warns where there are none.
    """

    _inherit = "account.move"

    cost_budget_findings = fields.Json(
        string="Customer Budgets", compute="_compute_cost_budget_findings", groups=FIGURE_GROUPS
    )
    cost_budget_blocked = fields.Boolean(
        string="Blocked by Budgets", compute="_compute_cost_budget_findings", groups=FIGURE_GROUPS
    )
    cost_override_ids = fields.One2many(
        "customer.cost.override",
        "move_id",
        string="Budget Overrides",
        readonly=True,
        groups=FIGURE_GROUPS,
    )

    @api.depends(
        "company_id",
        "date",
        "move_type",
        "state",
        "line_ids.analytic_distribution",
        "line_ids.balance",
        "line_ids.cost_customer_id",
        "line_ids.cost_item_id",
        "line_ids.cost_request_id",
        "cost_override_ids",
    )
    @api.depends_context("uid", "lang")
    def _compute_cost_budget_findings(self):
        """Of what is saved: the budgets read the journal items in the database."""
        drafts = self._origin.filtered(lambda move: move.state == "draft")
        found = drafts._get_budget_findings()
        for move in self:
            findings = sorted(
                found.get(move._origin, ()), key=lambda finding: -LEVELS.index(finding.level)
            )
            # A limit that asks for several stages says so once.
            said = dict.fromkeys((finding.level, finding.message) for finding in findings)
            move.cost_budget_findings = [
                {"level": level, "message": message} for level, message in said
            ]
            move.cost_budget_blocked = any(finding.level == "block" for finding in findings)

    def write(self, vals):
        if vals.get("state") == "posted":
            self.filtered(lambda move: move.state != "posted")._check_customer_budgets()
        return super().write(vals)

    def _check_customer_budgets(self):
        """Refuse bills that budgets block, or note it on them where their company lets them pass.

        Drafts are about to be posted; of posted bills the lines have been changed.

        :raises UserError: naming the bill, the budget and, to who may know it, the figure
        """
        companies = self.env["customer.cost.budget.band"]._get_companies("block")
        limited = self.filtered(lambda move: move.company_id.id in companies)
        limited._get_blocked_by_budgets()._hold_budgets()
        for move, findings in limited._get_budget_findings().items():
            over = [finding for finding in findings if finding.source.action == "block"]
            blocking = [finding.message for finding in over if finding.level == "block"]
            if blocking:
                raise UserError("\n".join([f"{move.display_name}:", *blocking]))
            if over and not move._get_blocked_by_budgets():
                move._note_over_budgets(over)

    def _get_blocked_by_budgets(self):
        """Those of companies whose budgets block bills."""
        # sudo: a switch of the company
        return self.filtered(lambda move: move.sudo().company_id.customer_cost_budget_block_bills)

    def _hold_budgets(self):
        """Of two transactions that use the rest of the same budget, one waits and is retried."""
        asks = self._get_budget_asks()
        budgets = self.env["customer.cost.budget"]
        covering = budgets._get_covering(asks) if asks else {}
        if covering:
            budgets.browse({budget for found in covering.values() for budget in found})._touch()

    def _note_over_budgets(self, findings):
        """Name the budgets, without a figure: whoever reads the bill reads the note."""
        budgets = {finding.source.budget_id.display_name for finding in findings}
        self._message_log(
            body=self.env._(
                "Over a limit of budget %(budgets)s. The settings of %(company)s let bills pass.",
                budgets=", ".join(sorted(budgets)),
                company=self.company_id.display_name,
            )
        )

    def _get_budget_findings(self):
        """What budgets say of draft and posted bills that name a customer.

        :return: dict of bill to list of :class:`~..findings.Finding`
        """
        asks = self._get_budget_asks()
        if not asks:
            return {}
        budgets = self.env["customer.cost.budget"]
        breaches = budgets._get_breaches(asks)
        for move, found in breaches.items():
            breaches[move] = list({breach.band: breach for breach in found}.values())
        substances = self._get_budget_substances(asks)
        blocked = self._get_blocked_by_budgets()
        found = {}
        for move, findings in budgets._prepare_findings(breaches).items():
            if move not in blocked:
                findings = [
                    milder
                    for finding, breach in zip(findings, breaches[move], strict=True)
                    for milder in self._get_milder_findings(finding, breach)
                ]
            if findings:
                # sudo: that a bill was allowed concerns whoever posts it
                overrides = move.sudo().cost_override_ids._find(substances[move])
                found[move] = overrides._allow(findings)
        return found

    @api.model
    def _get_milder_findings(self, finding, breach):
        """What a limit says of bills in a company that lets them pass."""
        if finding.level != "block":
            return [finding]
        stages = breach.milder_stages
        return [finding._replace(level="review", stage=stage) for stage in stages] or [
            finding._replace(level="warn")
        ]

    def _get_budget_asks(self):
        bills = self.filtered(lambda move: move.is_purchase_document(include_receipts=True))
        drafts = bills.filtered(lambda move: move.state == "draft")
        posted = bills.filtered(lambda move: move.state == "posted")
        return drafts._get_draft_asks() + posted._get_posted_asks()

    def _get_draft_asks(self):
        if not self:
            return []
        self.env["customer.cost.budget.report"]._flush_sources()
        # The caller reads the bills; what they ask for is shown as far as budgets are readable.
        rows = self.env.execute_query(
            SQL(
                """SELECT move_id, company_id, customer_id, item_id, payment_method, date,
                          origin_date, sum(amount)
                     FROM %(committed)s committed GROUP BY 1, 2, 3, 4, 5, 6, 7
                UNION ALL %(beyond)s
                 ORDER BY 1, 2, 3, 4, 5, 6, 7, 8""",
                committed=self.env["customer.cost.commitment"]._sql_bills_of(self.ids),
                beyond=self._sql_beyond_requests(self),
            )
        )
        return [
            Ask(self.browse(move), *values, amount, counted="committed", origin_date=origin_date)
            for move, *values, origin_date, amount in rows
        ]

    def _get_posted_asks(self):
        """What the ledger holds of posted bills, of what settles a request the excess alone."""
        if not self:
            return []
        self.env["customer.cost.budget.report"]._flush_sources()
        rows = self.env.execute_query(
            SQL(
                """SELECT e.source_move_id, l.company_id, l.customer_id, l.item_id,
                          e.payment_method, l.date, sum(l.amount)
                     FROM customer_cost_entry e
                     JOIN customer_cost_line l ON l.entry_id = e.id
                     JOIN account_move_line i ON i.id = e.source_line_id
                LEFT JOIN customer_cost_entry request ON request.id = i.cost_request_id
                    WHERE e.source_move_id = ANY(%(bills)s) AND l.customer_id IS NOT NULL
                      AND request.customer_id IS NULL
                 GROUP BY 1, 2, 3, 4, 5, 6
                   HAVING sum(l.amount) <> 0
                UNION ALL
                   SELECT bill.move_id, e.company_id, e.customer_id, e.item_id, e.payment_method,
                          bill.date, LEAST(bill.amount, documents.settled - e.amount_company)
                     FROM (SELECT move_id, cost_request_id, min(date) AS date,
                                  sum(balance) AS amount
                             FROM account_move_line
                            WHERE move_id = ANY(%(bills)s) AND cost_request_id IS NOT NULL
                         GROUP BY 1, 2) bill
                     JOIN customer_cost_entry e ON e.id = bill.cost_request_id
                      AND e.customer_id IS NOT NULL
               CROSS JOIN LATERAL (%(settlement)s) documents
                    WHERE LEAST(bill.amount, documents.settled - e.amount_company) > 0
                 ORDER BY 1, 2, 3, 4, 5, 6""",
                bills=self.ids,
                settlement=self.env["customer.cost.entry"]._sql_settlement(SQL("e.id")),
            )
        )
        return [Ask(self.browse(move), *values, counted="actual") for move, *values in rows]

    @api.model
    def _sql_beyond_requests(self, bills) -> SQL:
        """What draft bills ask of requests beyond what is open of them.

        Of several drafts of a request the earlier ones use it first: their parts add up.
        """
        requests = self.env["customer.cost.entry"]
        digits = SQL("currency.decimal_places")
        return SQL(
            """SELECT bill.move_id, e.company_id, e.customer_id, e.item_id, e.payment_method,
                      %(day)s, e.date, %(month_amount)s
                 FROM (SELECT move_id, request_id, sum(amount) AS own, sum(sum(amount)) OVER (
                              PARTITION BY request_id ORDER BY move_id) AS drawn
                         FROM (%(settling)s) d
                        WHERE state = 'draft' AND request_id IN (
                              SELECT cost_request_id FROM account_move_line
                               WHERE move_id = ANY(%(bills)s) AND cost_request_id IS NOT NULL)
                     GROUP BY 1, 2) bill
                 JOIN customer_cost_entry e ON e.id = bill.request_id
                  AND e.customer_id IS NOT NULL
                 JOIN res_company co ON co.id = e.company_id
                 JOIN res_currency currency ON currency.id = co.currency_id
           CROSS JOIN LATERAL (%(documents)s) documents
           CROSS JOIN LATERAL (
                   SELECT round(LEAST(bill.own, bill.drawn - GREATEST(
                          CASE WHEN e.released_on IS NULL
                               THEN e.amount_company - documents.settled ELSE 0 END, 0)),
                          %(digits)s) AS amount) beyond
           CROSS JOIN LATERAL (%(months)s) m
                WHERE bill.move_id = ANY(%(bills)s) AND beyond.amount > 0
                  AND %(month_amount)s <> 0""",
            settling=requests._sql_settling_documents(),
            bills=bills.ids,
            documents=requests._sql_settlement(SQL("e.id"), digits),
            digits=digits,
            **self.env["customer.cost.commitment"]._sql_month(
                SQL("e"), SQL("beyond.amount"), digits
            ),
        )

    @api.model
    def _get_budget_substances(self, asks):
        """Text per bill that changes with what it costs customers."""
        parts = defaultdict(list)
        for ask in asks:
            parts[ask.key].append("|".join(map(str, ask[1:7])))
        return {move: ";".join(sorted(own)) for move, own in parts.items()}

    def action_override_budgets(self):
        """Open the dialog that lets a draft bill pass its budgets."""
        self.ensure_one()
        self.check_access("read")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Allow Over Budget"),
            "res_model": "customer.cost.override.give",
            "view_mode": "form",
            "target": "new",
            "context": {"default_move_id": self.id},
        }

    def _override_budgets(self, reason):
        """Let a draft bill pass the budgets that block it, for as long as its costs stay.

        :raises UserError: no budget blocks it, or the reason is empty
        :raises AccessError: the user is no cost manager
        """
        self.ensure_one()
        asks = self._get_budget_asks()
        findings = self._get_budget_findings().get(self, [])
        self.env["customer.cost.override"]._give(
            self,
            "move_id",
            reason,
            [finding for finding in findings if finding.level == "block"],
            self._get_budget_substances(asks).get(self),
        )
        self.invalidate_recordset(["cost_override_ids", "cost_budget_findings"])
