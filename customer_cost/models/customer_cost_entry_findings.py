from odoo import api, fields, models
from odoo.exceptions import UserError

CHECKED_STATES = ("draft", "submitted", "refused")


class CustomerCostEntry(models.Model):
    """What policies, budgets and the customer's own limits say of a cost, from draft on."""

    _inherit = "customer.cost.entry"

    findings = fields.Json(
        compute="_compute_findings", help="Level and text of each finding, the strictest first."
    )

    @api.depends(
        "amount", "currency_id", "company_id", "customer_id", "date", "item_id", "kind", "state"
    )
    def _compute_findings(self):
        checked = self.filtered(
            lambda entry: entry.kind != "captured" and entry.state in CHECKED_STATES
        )
        found = checked._get_findings()
        for entry in self:
            entry.findings = [
                {"level": finding.level, "message": finding.message}
                for finding in found.get(entry, ())
            ]

    def _get_findings(self):
        """What is to be said of these costs before they are approved; nothing of a reversal.

        Policies, budgets and limits add theirs by overriding; a batch costs the same queries as
        one cost.

        :return: dict of cost to list of :class:`~..findings.Finding`
        """
        return {}

    def _check_findings(self):
        """Refuse costs that a policy, a budget or a limit blocks.

        :raises UserError: naming the cost, the rule and the figure
        """
        for entry, findings in self._get_findings().items():
            blocking = [finding.message for finding in findings if finding.level == "block"]
            if blocking:
                raise UserError("\n".join([f"{entry.display_name}:", *blocking]))
