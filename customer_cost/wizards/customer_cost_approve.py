from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import formatLang


class CustomerCostApprove(models.TransientModel):
    """Says what of the chosen costs will be approved, what is to be known of it, and what is left
    out and why; then does it.
    """

    _name = "customer.cost.approve"
    _description = "Approve Costs"
    _inherit = ["customer.cost.dialog"]

    entry_ids = fields.Many2many("customer.cost.entry", string="Costs", required=True)
    ready_ids = fields.Many2many(
        "customer.cost.entry", compute="_compute_ready_ids", string="Will Be Approved"
    )
    summary = fields.Char(compute="_compute_ready_ids")
    skipped_ids = fields.One2many(
        "customer.cost.approve.skipped", "wizard_id", string="Left Out", readonly=True
    )
    remark_ids = fields.One2many(
        "customer.cost.approve.remark", "wizard_id", string="Look At", readonly=True
    )
    remarks_summary = fields.Char(compute="_compute_remarks_summary")
    seen = fields.Json(
        string="Stages Shown",
        readonly=True,
        help="The row of its review that each cost waited for when the dialog opened.",
    )

    @api.model_create_multi
    def create(self, vals_list):
        wizards = super().create(vals_list)
        for wizard in wizards:
            wizard.seen = {entry.id: entry.cost_review_id.id for entry in wizard.entry_ids}
            wizard._find_skipped()
            wizard._find_remarks()
        return wizards

    def _find_skipped(self):
        reasons = self.entry_ids._get_bulk_reasons()
        # sudo: lines of the user's own dialog, which nobody writes otherwise
        self.env["customer.cost.approve.skipped"].sudo().create(
            [
                {"wizard_id": self.id, "entry_id": entry.id, "reason": reason}
                for entry, reason in reasons.items()
                if reason
            ]
        )

    def _find_remarks(self):
        # sudo: as in _find_skipped
        self.env["customer.cost.approve.remark"].sudo().create(
            [
                {"wizard_id": self.id, "entry_id": entry.id, "level": level, "text": text}
                for entry, remarks in self.ready_ids._get_remarks().items()
                for level, text in remarks
            ]
        )

    @api.depends("remark_ids")
    def _compute_remarks_summary(self):
        for wizard in self:
            remarks = wizard.remark_ids
            doubtful = remarks.filtered(lambda remark: remark.level == "duplicate").entry_id
            wizard.remarks_summary = bool(remarks) and self.env._(
                "Look at %(count)s of them first: possible duplicates %(duplicates)s, policy, "
                "budget or limit %(findings)s.",
                count=len(remarks.entry_id),
                duplicates=len(doubtful),
                findings=len(remarks.filtered(lambda remark: remark.level != "duplicate").entry_id),
            )

    @api.depends("entry_ids", "skipped_ids")
    def _compute_ready_ids(self):
        for wizard in self:
            reasons = wizard.entry_ids._get_bulk_reasons()
            ready = wizard.entry_ids.filtered(lambda entry, reasons=reasons: not reasons[entry])
            wizard.ready_ids = ready
            totals = [
                formatLang(self.env, sum(entries.mapped("amount_company")), currency_obj=currency)
                for currency, entries in ready.grouped("company_currency_id").items()
            ]
            wizard.summary = (
                self.env._(
                    "%(count)s of %(all)s costs will be approved: %(total)s",
                    count=len(ready),
                    all=len(wizard.entry_ids),
                    total=", ".join(totals),
                )
                if ready
                else self.env._("None of these costs can be approved by you now.")
            )

    def action_confirm(self):
        """Approve what can be approved, and go back to the list.

        :raises UserError: nothing can, or a cost changed meanwhile
        """
        self.ensure_one()
        reasons = self.entry_ids._get_bulk_reasons()
        skipped = self.skipped_ids.entry_id
        ready = self.entry_ids.filtered(lambda entry: not reasons[entry]) - skipped
        if not ready:
            raise UserError(self.env._("None of these costs can be approved by you now."))
        self._check_as_shown(ready)
        ready.action_approve()
        return {"type": "ir.actions.act_window_close"}

    def _check_as_shown(self, entries):
        """Raise where a cost was changed, or decided on, after the dialog had shown it.

        :raises UserError: naming the cost
        """
        for entry in entries:
            seen = (self.seen or {}).get(str(entry.id), -1)
            if entry.cost_review_id.id != seen:
                entry._check_undecided(seen)
