from odoo import api, fields, models

from ..findings import EACH_ALONE
from .customer_cost_budget_control import Ask
from .customer_cost_entry_findings import CHECKED_STATES


class CustomerCostEntry(models.Model):
    """What budgets say of a cost, and the right to pass them."""

    _inherit = "customer.cost.entry"

    override_ids = fields.One2many(
        "customer.cost.override", "entry_id", string="Overrides", readonly=True
    )
    over_budget = fields.Boolean(compute="_compute_over_budget")

    @api.depends("findings")
    def _compute_over_budget(self):
        breaches = self._get_budget_breaches(apart=True)
        for entry in self:
            entry.over_budget = bool(breaches.get(entry))

    def _get_findings(self):
        found = super()._get_findings()
        apart = self.env.context.get("customer_cost_findings") is EACH_ALONE
        breaches = self._get_budget_breaches(apart)
        findings = self.env["customer.cost.budget"]._prepare_findings(breaches)
        for entry, own in findings.items():
            # sudo: that a cost was allowed concerns whoever may look at it
            override = entry.sudo().override_ids._find(entry._get_budget_substance())
            found.setdefault(entry, []).extend(override._allow(own))
        return found

    def _get_budget_breaches(self, apart=False):
        """Limits of budgets that these costs pass.

        :param apart: each is looked at without the others
        :return: dict of cost to list of breaches, costs without any left out
        """
        breaches = self.env["customer.cost.budget"]._get_breaches(self._get_budget_asks(), apart)
        return {entry: found for entry, found in breaches.items() if found}

    def _get_budget_asks(self, ahead=0):
        """What these costs ask for, one :class:`Ask` per month that they serve.

        :param ahead: months by which date and service period are moved
        """
        asking = self.filtered(
            lambda entry: (
                entry.kind != "captured"
                and entry.state in CHECKED_STATES
                and not entry.reversal_of_id
                and entry.customer_id
                and entry.item_id
                and entry.company_id
                and entry.date
            )
        )
        months = asking._get_month_amounts(ahead)
        return [
            Ask(
                key=entry,
                company_id=entry.company_id.id,
                customer_id=entry.customer_id._origin.id,
                item_id=entry.item_id._origin.id,
                payment_method=entry.payment_method,
                date=day,
                amount=amount,
                counted="committed" if entry.state == "submitted" else "",
                origin_date=entry._get_dates(ahead)[0],
            )
            for entry in asking
            for day, _service_day, amount in months[entry]
        ]

    def _get_budget_left(self):
        """Company currency left of the tightest budget of this cost after all commitments.

        :return: amount, or ``None`` where no budget covers the cost
        """
        asks = self._get_budget_asks()
        return self.env["customer.cost.budget"]._get_left(asks) if asks else None

    def _hold_budgets(self):
        budgets = self.env["customer.cost.budget"]
        covering = budgets._get_covering(self._get_budget_asks())
        budgets.browse({budget for found in covering.values() for budget in found})._touch()

    def _get_budget_substance(self):
        self.ensure_one()
        service = (self.service_from, self.service_to) if self.service_from else ()
        return "|".join(
            str(value)
            for value in (
                self.company_id.id,
                self.customer_id._origin.id,
                self.item_id._origin.id,
                self.payment_method,
                self.date,
                self.company_currency_id.round(self.amount_company),
                *service,
            )
        )

    def _override_budgets(self, reason):
        """Let a cost pass the budgets that block it, for as long as its substance stays.

        :raises UserError: no budget blocks it, or the reason is empty
        :raises AccessError: the user is no cost manager
        """
        self.ensure_one()
        breaches = self._get_budget_breaches()
        findings = self.env["customer.cost.budget"]._prepare_findings(breaches).get(self, [])
        self.env["customer.cost.override"]._give(
            self,
            "entry_id",
            reason,
            [finding for finding in findings if finding.level == "block"],
            self._get_budget_substance(),
        )
        self.invalidate_recordset(["override_ids", "findings"])

    def action_open_remedies(self):
        """Open the dialog with what can be done about a cost over its budget."""
        self.ensure_one()
        self.check_access("read")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Over Budget: What Can Be Done"),
            "res_model": "customer.cost.budget.remedy",
            "view_mode": "form",
            "target": "new",
            "context": {"default_entry_id": self.id},
        }
