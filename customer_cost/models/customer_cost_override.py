from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command


class CustomerCostOverride(models.Model):
    """A cost or a bill that may pass the blocks of its budgets: by whom, when and why.

    It holds for the substance and the limits it was given for, and no longer once these are other
    ones. Written by ``_override_budgets`` of costs and bills alone.
    """

    _name = "customer.cost.override"
    _description = "Budget Override"
    _order = "date desc, id desc"
    _rec_name = "reason"

    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    entry_id = fields.Many2one(
        "customer.cost.entry",
        string="Cost",
        readonly=True,
        index="btree_not_null",
        ondelete="cascade",
    )
    move_id = fields.Many2one(
        "account.move", string="Bill", readonly=True, index="btree_not_null", ondelete="cascade"
    )
    user_id = fields.Many2one("res.users", string="Allowed By", required=True, readonly=True)
    date = fields.Datetime(required=True, readonly=True)
    reason = fields.Text(required=True, readonly=True)
    substance = fields.Char(required=True, readonly=True, help="What it was given for.")
    band_ids = fields.Many2many(
        "customer.cost.budget.band",
        string="Limits",
        readonly=True,
        help="The limits that may be passed, and no others.",
    )

    @api.model
    def _give(self, record, field_name, reason, findings, substance):
        """Write an override of ``record``, in its chatter too.

        :param findings: what is overridden
        :param substance: text that changes with the substance of the record
        :raises UserError: nothing blocks the record, or the reason is empty
        :raises AccessError: the user is no cost manager, or does not see the record
        """
        record.check_access("read")
        record.env["customer.cost.budget"]._check_cost_manager(
            self.env._("Only a cost manager allows what a budget blocks.")
        )
        reason = (reason or "").strip()
        if not reason:
            raise UserError(self.env._("Say why the budget may be exceeded."))
        if not findings:
            raise UserError(
                self.env._("%(record)s: no budget blocks it.", record=record.display_name)
            )
        # sudo: nobody writes overrides otherwise; the right to give one was checked
        override = self.sudo().create(
            {
                field_name: record.id,
                "company_id": record.company_id.id,
                "user_id": self.env.uid,
                "date": fields.Datetime.now(),
                "reason": reason,
                "substance": substance,
                "band_ids": [Command.set([finding.source.id for finding in findings])],
            }
        )
        budgets = ", ".join({finding.source.sudo().budget_id.display_name for finding in findings})
        # sudo: who may read a cost need not be allowed to write to its chatter
        record.sudo()._message_log(
            body=self.env._(
                "Allowed over budget %(budgets)s by %(user)s: %(reason)s",
                budgets=budgets,
                user=self.env.user.name,
                reason=reason,
            )
        )
        return override

    def _find(self, substance):
        """Those of these overrides that hold for ``substance``, the latest first."""
        return self.filtered(lambda override: override.substance == substance)

    def _allow(self, findings):
        """``findings`` with the blocks by limits that may be passed as warnings, saying by whom."""
        allowed = []
        for finding in findings:
            # sudo: which limits may be passed, and the name of who allowed it
            override = self.sudo().filtered(
                lambda given, band=finding.source: band.id in given.band_ids.ids
            )[:1]
            if finding.level == "block" and override:
                finding = finding._replace(
                    level="warn",
                    message=self.env._(
                        "%(finding)s Allowed by %(user)s: %(reason)s",
                        finding=finding.message,
                        user=override.user_id.name,
                        reason=override.reason,
                    ),
                )
            allowed.append(finding)
        return allowed
