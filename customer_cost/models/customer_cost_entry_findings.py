from odoo import api, fields, models
from odoo.exceptions import UserError

from ..findings import EACH_ALONE, LEVELS

CHECKED_STATES = ("draft", "submitted", "refused")


class CustomerCostEntry(models.Model):
    """What policies, budgets and the customer's own limits say of a cost, from draft on."""

    _inherit = "customer.cost.entry"

    findings = fields.Json(
        compute="_compute_findings", help="Level and text of each finding, the strictest first."
    )

    @api.depends(
        "amount",
        "amount_company",
        "company_id",
        "customer_id",
        "date",
        "item_id",
        "kind",
        "override_ids",
        "payment_method",
        "service_from",
        "service_to",
        "state",
    )
    @api.depends_context("uid", "lang")
    def _compute_findings(self):
        checked = self.filtered(
            lambda entry: entry.kind != "captured" and entry.state in CHECKED_STATES
        )
        found = checked.with_context(customer_cost_findings=EACH_ALONE)._get_findings()
        for entry in self:
            findings = sorted(
                found.get(entry, ()), key=lambda finding: -LEVELS.index(finding.level)
            )
            entry.findings = [
                {"level": finding.level, "message": finding.message} for finding in findings
            ]

    def _get_findings(self):
        """What is to be said of these costs before they are approved; nothing of a reversal.

        Policies, budgets and limits add theirs by overriding; a batch costs the same queries as
        one cost. Each cost sees those before it in the batch.

        :return: dict of cost to list of :class:`~..findings.Finding`
        """
        return {}

    def _check_findings(self):
        """Refuse costs that a policy, a budget or a limit blocks.

        Of two transactions that use the rest of the same budget, one waits here and is retried.

        :raises UserError: naming the cost, the rule and the figure
        """
        self._hold_budgets()
        for entry, blocks in self._get_blocks().items():
            raise UserError("\n".join([f"{entry.display_name}:", *blocks]))

    def _get_blocks(self):
        """Dict of cost to the texts of what blocks it, costs that nothing blocks left out."""
        blocks = {
            entry: [finding.message for finding in findings if finding.level == "block"]
            for entry, findings in self._get_findings().items()
        }
        return {entry: texts for entry, texts in blocks.items() if texts}
