import hashlib
import json

from odoo import fields, models

from .customer_cost_review_stage import ReviewFacts


class AccountMove(models.Model):
    """What a review of a bill looks at: the lines that cost customers, and how much."""

    _inherit = "account.move"

    def _get_cost_lines(self):
        """Lines that name their customer."""
        return self.invoice_line_ids.filtered(
            lambda line: line.cost_customer_id and line.display_type == "product"
        )

    def _get_analytic_lines(self):
        """Lines whose customers, if they have any, are those of their analytic accounts."""
        # sudo: the chosen plan, of companies whose bills the user sees
        planned = self.filtered(lambda move: move.company_id.sudo().customer_cost_plan_id)
        return planned.invoice_line_ids.filtered(
            lambda line: (
                line.analytic_distribution
                and line.display_type == "product"
                and not (line.cost_customer_id or line.cost_request_id)
            )
        )

    def _read_analytic_costs(self):
        """Dict of line id to what the analytic accounts of the line cost customers, one query."""
        lines = self._get_analytic_lines()
        if not lines:
            return {}
        costs = self.env["customer.cost.capture"]._read_bill_costs(lines.move_id.ids)
        line_ids = set(lines.ids)
        by_line = {}
        for cost in (cost for own in costs.values() for cost in own):
            if cost.line_id in line_ids:
                by_line.setdefault(cost.line_id, []).append(cost)
        return by_line

    def _get_review_facts(self):
        # sudo: a stage may look at tags and items that the author does not see
        moves = self.sudo()
        items, customers = moves.env["customer.cost.item"], moves.env["res.partner"]
        costs = self.env["customer.cost.capture"]._read_bill_costs(moves.ids)
        facts = {}
        for move in moves:
            lines = move._get_cost_lines()
            own = costs.get(move.id, [])
            shared = [cost for cost in own if cost.line_id not in lines._ids]
            facts[move] = ReviewFacts(
                company=move.company_id,
                amount=sum(lines.mapped("balance")) + sum(cost.amount for cost in shared),
                items=lines.cost_item_id
                | lines.cost_request_id.item_id
                | items.browse({cost.item_id for cost in own}),
                customers=lines.cost_customer_id.commercial_partner_id
                | customers.browse({cost.customer_id for cost in shared}),
                author=self.env.user,
                is_bill=True,
            )
        return facts

    def _get_review_hands(self):
        lines = self._get_cost_lines() | self._get_analytic_lines()
        return [
            (self.create_uid, self.env._("You recorded this bill yourself")),
            (
                self.cost_review_id.author_id,
                self.env._("You submitted this bill yourself"),
            ),
            (
                lines.create_uid | lines.cost_review_editor_id,
                self.env._("You wrote its lines yourself"),
            ),
        ]

    def _get_cost_fingerprints(self):
        """What a reviewer decides on: vendor, date, currency and the lines that cost customers.

        Of the lines the company amount too: the bill's own rate can be typed. Of lines that name
        customers by analytic accounts what each of them bears.

        :return: dict of bill to a text that changes with it
        """
        shared = self._read_analytic_costs()
        return {
            move: hashlib.sha256(json.dumps(move._get_cost_substance(shared)).encode()).hexdigest()
            for move in self
        }

    def _get_cost_substance(self, shared):
        lines = self._get_cost_lines() | self._get_analytic_lines().filtered(
            lambda line: line.id in shared
        )
        return [
            self.partner_id.id,
            self.currency_id.id,
            fields.Date.to_string(self.invoice_date),
            [
                [
                    line.cost_customer_id.id,
                    line.cost_item_id.id,
                    line.account_id.id,
                    line.cost_request_id.id,
                    round(line.amount_currency, 6),
                    round(line.balance, 6),
                    *([cost.customer_id, cost.amount] for cost in shared.get(line.id, ())),
                ]
                for line in lines.sorted("id")
            ],
        ]

    def _get_changed_since_review(self):
        fingerprints = self._get_cost_fingerprints()
        return self.filtered(lambda move: move.cost_review_fingerprint != fingerprints[move])
