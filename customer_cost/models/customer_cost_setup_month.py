from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import date_utils, format_date


class CustomerCostSetupMonth(models.Model):
    """One month that the set-up calculates: what became of it, or why it was left as it was."""

    _name = "customer.cost.setup.month"
    _description = "Month in the Set-up"
    _inherit = ["customer.cost.guarded"]
    _order = "date, id"
    _guarded_fields = frozenset({"setup_id", "date", "state", "message", "run_id"})

    setup_id = fields.Many2one("customer.cost.setup", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="setup_id.company_id", store=True, index=True)
    date = fields.Date(string="Month", required=True, readonly=True)
    state = fields.Selection(
        [
            ("waiting", "Waiting"),
            ("done", "Posted"),
            ("kept", "Left as it was"),
            ("failed", "Failed"),
        ],
        required=True,
        default="waiting",
        readonly=True,
    )
    message = fields.Char(readonly=True)
    run_id = fields.Many2one("customer.cost.run", readonly=True, ondelete="set null")
    currency_id = fields.Many2one(related="company_id.currency_id")
    sent_total = fields.Float(related="run_id.sent_total")
    retained_total = fields.Float(related="run_id.retained_total")

    _month_unique = models.UniqueIndex("(setup_id, date)")

    @api.depends("date")
    @api.depends_context("lang")
    def _compute_display_name(self):
        for month in self:
            month.display_name = format_date(self.env, month.date, date_format="LLLL y")

    def _calculate(self):
        """Compute and post the month's run, unless the month has one, is closed or has no pool.

        :raises UserError: what the run says when it cannot be computed or posted
        """
        self.ensure_one()
        kept, run = self._get_reason_to_keep()
        if kept:
            return self._set_state("kept", kept, run)
        run = self.env["customer.cost.run"].create(
            {
                "company_id": self.company_id.id,
                "date": date_utils.end_of(self.date, "month"),
            }
        )
        run.action_compute()
        run.action_post()
        return self._set_state("done", False, run)

    def _get_reason_to_keep(self):
        """Why nothing is to be done for the month, or an empty text, and its posted run."""
        of_month = [
            ("company_id", "=", self.company_id.id),
            ("date", ">=", self.date),
            ("date", "<=", date_utils.end_of(self.date, "month")),
        ]
        run = self.env["customer.cost.run"].search([*of_month, ("state", "=", "posted")], limit=1)
        if self.env["customer.cost.period"]._is_closed(self.company_id, self.date):
            return self.env._("The period is closed"), run
        if run:
            return self.env._("It has a posted run"), run
        pool = self.env["customer.cost.line"].search_count(
            [*of_month, ("customer_id", "=", False)], limit=1
        )
        return "" if pool else self.env._("No indirect cost"), run

    def _set_state(self, state, message, run=None):
        # sudo: the state belongs to the set-up, whose methods checked the role
        self.sudo()._unguarded().write(
            {"state": state, "message": message, "run_id": run.id if run else False}
        )

    def _fail(self, error):
        text = str(error) if isinstance(error, UserError) else f"{type(error).__name__}: {error}"
        self._set_state("failed", text)

    def action_open_run(self):
        """Open the run of the month."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "customer.cost.run",
            "view_mode": "form",
            "res_id": self.run_id.id,
        }
