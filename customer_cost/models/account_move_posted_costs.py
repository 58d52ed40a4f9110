from typing import NamedTuple

from odoo import models
from odoo.exceptions import UserError
from odoo.tools import formatLang

ACCOUNTANTS = "customer_cost.group_customer_cost_accountant"


class PostedCosts(NamedTuple):
    """What posted bills cost customers, and what they have passed with it."""

    fingerprints: dict
    texts: dict
    reviewed: models.BaseModel
    budgeted: models.BaseModel


class AccountMove(models.Model):
    """What posted bills cost customers can be put right, as far as it passed nobody's check.

    What has passed a review, or budgets that block bills, only a cost accountant changes; budgets
    are asked again, and the bill notes it. What was changed in draft after its review and posted
    since has passed none.
    """

    _inherit = "account.move"

    def _get_posted_costs(self):
        """What these posted bills are before their lines are changed."""
        fingerprints = self._get_cost_fingerprints()
        # sudo: that a bill was approved, and as what, whoever changes it
        approved = self.sudo().filtered(
            lambda move: (
                move.cost_review_state == "approved"
                and move.cost_review_fingerprint == fingerprints[move]
            )
        )
        return PostedCosts(
            fingerprints,
            self._get_posted_cost_texts(),
            approved.with_env(self.env),
            self._get_passed_budgets(),
        )

    def _get_passed_budgets(self):
        """Those whose costs a budget with a limit that blocks bills covers."""
        blocked = self._get_blocked_by_budgets()
        asks = blocked._get_posted_asks()
        budgets = self.env["customer.cost.budget"].sudo()  # sudo: which limits there are
        covering = budgets._get_covering(asks) if asks else {}
        bands = budgets.browse({budget for own in covering.values() for budget in own}).band_ids
        blocking = set(bands.filtered(lambda band: band.action == "block").budget_id.ids)
        return self.browse(
            {asks[place].key.id for place, own in covering.items() if blocking.intersection(own)}
        )

    def _get_posted_cost_texts(self):
        """Dict of bill to who bears how much of it, by the lines that name customers."""
        shared = self._read_analytic_costs()
        partners = self.env["res.partner"].sudo()  # sudo: names of customers on the bill
        texts = {}
        for move in self:
            amounts = {}
            for line in move._get_cost_lines():
                customer = line.sudo().cost_customer_id.commercial_partner_id  # sudo: as above
                amounts[customer] = amounts.get(customer, 0.0) + line.balance
            for line in move._get_analytic_lines():
                for cost in shared.get(line.id, ()):
                    customer = partners.browse(cost.customer_id)
                    amounts[customer] = amounts.get(customer, 0.0) + cost.amount
            texts[move] = ", ".join(
                f"{customer.display_name} "
                f"{formatLang(self.env, amount, currency_obj=move.company_currency_id)}"
                for customer, amount in sorted(amounts.items(), key=lambda pair: pair[0].id)
            )
        return texts

    def _check_changed_after_posting(self, before):
        """Who may change what posted bills cost customers, and what has to be passed again.

        :param before: what :meth:`_get_posted_costs` gave
        :raises UserError: the bill has passed a review or budgets and the user is no cost
            accountant, a stage asks for it now, or a budget blocks it
        """
        fingerprints = self._get_cost_fingerprints()
        changed = self.filtered(lambda move: fingerprints[move] != before.fingerprints[move])
        passed = changed & (before.reviewed | before.budgeted)
        if passed and not (self.env.su or self.env.user.has_group(ACCOUNTANTS)):
            raise UserError(passed[0]._get_only_accountants_message(passed[0] in before.reviewed))
        (changed - before.reviewed)._check_named_after_posting()
        reviewed = changed & before.reviewed
        reviewed._check_customer_budgets()
        # sudo: what was put right is what the review stands for, whoever may write it
        for move in reviewed.sudo():
            move._set_cost_review(cost_review_fingerprint=fingerprints[move])
        for move, text in passed._get_posted_cost_texts().items():
            move._message_log(
                body=self.env._(
                    "%(user)s changed what this posted bill costs customers. Before: %(before)s. "
                    "Now: %(now)s.",
                    user=self.env.user.name,
                    before=before.texts[move],
                    now=text or self.env._("nobody"),
                )
            )

    def _get_only_accountants_message(self, is_reviewed):
        if is_reviewed:
            return self.env._(
                "%(bill)s has passed its review. Only a cost accountant changes what its lines "
                "cost customers now: ask one, or reset the bill to draft and submit it again.",
                bill=self.display_name,
            )
        return self.env._(
            "%(bill)s has passed budgets that block bills. Only a cost accountant changes what its "
            "lines cost customers now: ask one, or reset the bill to draft.",
            bill=self.display_name,
        )

    def _check_named_after_posting(self):
        """What was named on posted bills afterwards has to pass what posting has to pass.

        :raises UserError: as at posting
        """
        if self:
            self._check_cost_review_passed("posted")
            self._check_customer_budgets()
