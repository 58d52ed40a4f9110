from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import float_compare

from ..fields import Amount

# In the order in which they are worked through.
CHECKS = ("earlier_closed", "captured", "reviewed", "unknown_cost", "run_posted", "tied_out")
# What a person may sign although it is not settled, and close.
LOOKED_AT = ("earlier_closed", "unknown_cost")
WAIVABLE = ("run_posted",)


class CustomerCostPeriodCheck(models.Model):
    """One line of a closing checklist: what was found, who signed it and when.

    Captured, reviewed and tied out have to hold: there is always a way to make them. Unknown cost
    and earlier months that are open have to be looked at, and signing says that it was. A month
    whose indirect cost stays in its pool on purpose, such as those from before the first rule, is
    closed by a cost manager who says so in the note.
    """

    _name = "customer.cost.period.check"
    _description = "Line of a Closing Checklist"
    _inherit = ["customer.cost.guarded"]
    _order = "sequence, id"
    _guarded_fields = frozenset(
        {
            "active",
            "period_id",
            "closing_id",
            "code",
            "sequence",
            "verdict",
            "figure",
            "places",
            "months",
            "checked_at",
            "signed_by_id",
            "signed_at",
            "signed_figure",
        }
    )

    active = fields.Boolean(default=True, help="Not so: of a closing that was taken back.")
    period_id = fields.Many2one(
        "customer.cost.period", required=True, readonly=True, index=True, ondelete="cascade"
    )
    closing_id = fields.Many2one(
        "customer.cost.period.closing", readonly=True, index="btree_not_null", ondelete="restrict"
    )
    company_id = fields.Many2one(related="period_id.company_id", store=True, index=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    sequence = fields.Integer(readonly=True)
    code = fields.Selection(
        [
            ("earlier_closed", "Earlier months closed"),
            ("captured", "Captured"),
            ("reviewed", "Reviewed"),
            ("unknown_cost", "Unknown cost"),
            ("run_posted", "Run posted"),
            ("tied_out", "Tied out"),
        ],
        string="Check",
        required=True,
        readonly=True,
    )
    verdict = fields.Selection(
        [("passed", "Done"), ("failed", "To do"), ("none", "Not applicable")],
        string="Finding",
        readonly=True,
    )
    figure = Amount(readonly=True, help="How many, or how much, is still to do.")
    places = fields.Char(
        string="Where", readonly=True, help="The companies it concerns, where there are branches."
    )
    months = fields.Json(readonly=True, help="First days of the months it concerns.")
    finding = fields.Char(string="What Was Found", compute="_compute_finding")
    checked_at = fields.Datetime(string="As Of", readonly=True)
    signed_by_id = fields.Many2one("res.users", readonly=True)
    signed_at = fields.Datetime(readonly=True)
    signed_figure = Amount(readonly=True)
    note = fields.Char()

    @api.depends("code", "verdict", "figure", "places", "months")
    @api.depends_context("lang")
    def _compute_finding(self):
        texts = self._get_texts()
        for check in self:
            text = texts[check.code][check.verdict or "none"]
            if "%(amount)s" in text:
                text %= {"amount": check.currency_id.format(check.figure)}
            elif "%(count)s" in text:
                text %= {"count": round(check.figure)}
            elif "%(months)s" in text:
                text %= {"months": check.period_id._format_months(check.months or [])}
            check.finding = f"{text} ({check.places})" if check.places else text

    @api.model
    def _get_texts(self):
        return {
            "earlier_closed": {
                "passed": self.env._("Every earlier month is closed."),
                "failed": self.env._("Not closed: %(months)s."),
                "none": self.env._("There is no earlier month."),
            },
            "captured": {
                "passed": self.env._("The ledger holds what the posted journal items contribute."),
                "failed": self.env._("Journal items that differ from the ledger: %(count)s."),
                "none": "",
            },
            "reviewed": {
                "passed": self.env._("No cost recorded by hand waits."),
                "failed": self.env._(
                    "Costs recorded by hand, drafts or awaiting review: %(count)s."
                ),
                "none": "",
            },
            "unknown_cost": {
                "passed": "",
                "failed": self.env._("Invoice lines without a known product cost: %(count)s."),
                "none": self.env._("Every invoice line has its product cost."),
            },
            "run_posted": {
                "passed": self.env._("The month's indirect cost is in a posted run."),
                "failed": self.env._("Indirect cost of %(amount)s is in no posted run."),
                "none": self.env._("There is no indirect cost to allocate."),
            },
            "tied_out": {
                "passed": self.env._("Every account of the profit and loss is accounted for."),
                "failed": self.env._("The tie-out differs by %(amount)s."),
                "none": "",
            },
        }

    @api.model
    def _get_remedies(self):
        return {
            "earlier_closed": self.env._(
                "Close them first, or sign this line: they go on taking cost of their own."
            ),
            "captured": self.env._("Use Capture Now on this line."),
            "reviewed": self.env._("Have them approved or refused, or move them to an open month."),
            "unknown_cost": self.env._("Look at them and sign this line."),
            "run_posted": self.env._(
                "Compute and post a run of the month, or note why its cost stays in the pool: a "
                "cost manager can then sign this line."
            ),
            "tied_out": self.env._("Open the tie-out and follow the difference."),
        }

    # ------------------------------------------------------------
    # Finding
    # ------------------------------------------------------------

    def _refresh(self):
        """Look up what every line says now; a signature under something else no longer counts."""
        for check in self._unguarded():
            measured = [
                (company, *check._measure(company)) for company in check.period_id._get_companies()
            ]
            verdicts = {verdict for _company, verdict, _figure in measured}
            places = [company.name for company, verdict, _f in measured if verdict == "failed"]
            months = check._get_months()
            outdated = months != check.months
            check.write(
                {
                    "verdict": next(v for v in ("failed", "passed", "none") if v in verdicts),
                    "figure": sum(figure for _company, _verdict, figure in measured),
                    "places": ", ".join(places) if len(measured) > 1 else False,
                    "months": months,
                    "checked_at": fields.Datetime.now(),
                }
            )
            check._drop_outdated_signature(outdated)

    def _measure(self, company):
        """Return the verdict on ``company`` and how many, or how much, is still to do."""
        period = self.period_id
        measure = getattr(period, f"_measure_{self.code}")
        return measure(company, period.date_from, period.date_to)

    def _get_months(self):
        if self.code != "earlier_closed":
            return False
        months = self.period_id._find_earlier_open(self.period_id._get_companies())
        return [fields.Date.to_string(month) for month in months]

    def _drop_outdated_signature(self, outdated):
        changed = outdated or float_compare(self.figure, self.signed_figure, precision_digits=3)
        if self.signed_by_id and self.verdict == "failed" and changed:
            self.period_id.message_post(
                body=self.env._(
                    "%(check)s: %(finding)s The signature of %(user)s no longer counts.",
                    check=self._get_label(),
                    finding=self.finding,
                    user=self.signed_by_id.name,
                )
            )
            self.write({"signed_by_id": False, "signed_at": False, "signed_figure": 0.0})

    def _get_label(self):
        return dict(self._fields["code"]._description_selection(self.env))[self.code]

    # ------------------------------------------------------------
    # Signing
    # ------------------------------------------------------------

    def action_sign(self):
        """Sign lines of a checklist, after looking up again what they say.

        :raises AccessError: the user is no cost accountant, or waives without being a manager
        :raises UserError: a line fails that cannot be signed as it is, or is signed already
        """
        self.period_id._check_accountant()
        self.check_access("read")
        self.period_id._check_closing()
        # sudo: figures and signatures have no other writer
        self.sudo()._refresh()
        for check in self:
            if check.signed_by_id:
                raise UserError(
                    self.env._(
                        "%(check)s is signed already, by %(user)s.",
                        check=check._get_label(),
                        user=check.signed_by_id.name,
                    )
                )
            if check.verdict != "failed" or check.code in LOOKED_AT:
                continue
            if check.code not in WAIVABLE or not (check.note or "").strip():
                check._raise_failed()
            check._check_cost_manager(
                self.env._(
                    "Only a cost manager signs %(check)s while it fails.",
                    check=check._get_label(),
                )
            )
        self.sudo()._sign()

    def _sign(self):
        for check in self._unguarded():
            check.write(
                {
                    "signed_by_id": self.env.uid,
                    "signed_at": fields.Datetime.now(),
                    "signed_figure": check.figure,
                }
            )

    def _filter_passed(self):
        """The lines that pass and nobody signed yet."""
        return self.filtered(lambda check: check.verdict == "passed" and not check.signed_by_id)

    def _check_settled(self):
        """Raise for the first line that keeps its period from being closed.

        :raises UserError: naming period, check, figure and remedy
        """
        for check in self:
            if check.verdict == "failed" and not check.signed_by_id:
                check._raise_failed()

    def _raise_failed(self):
        raise UserError(
            self.env._(
                "%(period)s, %(check)s: %(finding)s %(remedy)s",
                period=self.period_id.display_name,
                check=self._get_label(),
                finding=self.finding,
                remedy=self._get_remedies()[self.code],
            )
        )

    def write(self, vals):
        if "note" in vals and not self._guard_is_open():
            for check in self:
                if check.signed_by_id or check.period_id.state != "closing":
                    raise UserError(
                        self.env._(
                            "%(period)s, %(check)s: the note stays as it was signed.",
                            period=check.period_id.display_name,
                            check=check._get_label(),
                        )
                    )
        return super().write(vals)

    # ------------------------------------------------------------
    # What is behind it
    # ------------------------------------------------------------

    def action_open_records(self):
        """Open the records that this line is about, as far as the reader's rights go.

        :return: action
        """
        self.ensure_one()
        self.check_access("read")
        return getattr(self.period_id, f"_open_{self.code}")()

    def action_capture(self):
        """Bring the ledger to what the month's posted journal items contribute.

        :raises UserError: the period is not being closed
        """
        self.period_id._check_accountant()
        self.check_access("read")
        self.period_id._check_closing()
        for period in self.period_id:
            for company in period._get_companies():
                # sudo: the ledger has no other writer
                self.env["customer.cost.capture"].sudo()._sync_period(
                    company, period.date_from, period.date_to
                )
        self.sudo()._refresh()  # sudo: figures have no other writer
