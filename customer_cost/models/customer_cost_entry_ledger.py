from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL, date_utils

from ..engine import from_minor, spread, to_minor


class CustomerCostEntryLedger(models.Model):
    """What an approved cost writes to the ledger, and its reversal."""

    _inherit = "customer.cost.entry"

    def action_reverse(self):
        """Prepare the reversal of an approved cost: the same cost, negative, to be submitted.

        :return: action that opens the reversal
        :raises UserError: the cost is not approved or is being reversed already
        """
        self.ensure_one()
        self.check_access("read")
        if self.kind == "request":
            raise UserError(
                self.env._(
                    "%(request)s is a request, which has no cost of its own: release what is open.",
                    request=self.display_name,
                )
            )
        if self.kind != "statistical" or self.state != "approved" or self.reversal_of_id:
            raise UserError(
                self.env._("Only an approved cost that reverses none itself can be reversed.")
            )
        # sudo: a reversal that another person prepared counts as well
        if self.sudo().reversal_ids.filtered(lambda entry: entry.state != "refused"):
            raise UserError(self.env._("%(cost)s has a reversal already.", cost=self.display_name))
        reversal = self._unguarded().create([self._prepare_reversal_vals()])
        return {
            "type": "ir.actions.act_window",
            "res_model": self._name,
            "res_id": reversal.id,
            "view_mode": "form",
        }

    def _prepare_reversal_vals(self):
        company = self.company_id
        closed = self.env["customer.cost.period"]._is_closed(company, self.date)
        locked = company._get_lock_date_violations(self.date, sale=False, purchase=False)
        today = fields.Date.context_today(self)
        return {
            "reversal_of_id": self.id,
            "company_id": company.id,
            "date": today if closed or locked else self.date,
            "service_from": self.service_from,
            "service_to": self.service_to,
            "item_id": self.item_id.id,
            "customer_id": self.customer_id.id,
            "contact_id": self.contact_id.id,
            "cost_centre_id": self.cost_centre_id.id,
            "vendor_id": self.vendor_id.id,
            "currency_id": self.currency_id.id,
            "amount": -self.amount,
            "description": self.env._("Reversal of %(cost)s", cost=self.display_name),
            "payment_method": self.payment_method,
        }

    def _check_reversed_once(self):
        """Two reversals of one cost may await review, when one was refused before."""
        reversals = self.filtered("reversal_of_id")
        if len(reversals.reversal_of_id) < len(reversals):
            raise UserError(self.env._("The same cost would be reversed more than once."))

    def _hold_periods(self):
        """Keep the periods of these costs from being closed until the transaction ends."""
        months = {
            (
                entry.company_id,
                date_utils.start_of(entry.date, "month"),
                date_utils.start_of(entry.service_from or entry.date, "month"),
                entry.service_to or entry.date,
            )
            for entry in self
        }
        for company, month, first, last in sorted(months, key=lambda one: (one[0].id, *one[1:])):
            self.env.cr.execute(
                SQL(
                    """SELECT id FROM customer_cost_period
                        WHERE company_id = ANY(%s)
                          AND (date_from = %s OR date_from BETWEEN %s AND %s)
                     ORDER BY id FOR SHARE""",
                    company.sudo().parent_ids.ids,  # sudo: of companies above this one
                    month,
                    first,
                    date_utils.start_of(last, "month"),
                )
            )

    def _append_to_ledger(self):
        """Write the ledger lines of approved costs that have no journal item, company currency."""
        statistical = self.filtered(lambda entry: entry.kind == "statistical")
        self.env["customer.cost.line"].sudo().create(  # sudo: the ledger has no other writer
            [vals for entry in statistical for vals in entry._prepare_lines_vals()]
        )

    def _prepare_lines_vals(self):
        """Values of one ledger line per service month; a closed month takes the first open day."""
        shared = {
            "company_id": self.company_id.id,
            "origin_date": self.date,
            "item_id": self.item_id.id,
            "customer_id": self.customer_id.id,
            "cost_centre_id": self.cost_centre_id.id,
            "entry_id": self.id,
            "statistical": True,
        }
        if not self.service_from:
            return [
                {
                    **shared,
                    "date": self.date,
                    "service_date": self.date,
                    "amount": self.amount_company,
                }
            ]
        digits = self.company_currency_id.decimal_places
        months = spread(to_minor(self.amount_company, digits), self.service_from, self.service_to)
        open_days = self._get_first_open_days([day for day, _minor in months])
        return [
            {
                **shared,
                "date": open_days[day],
                "service_date": day,
                "amount": float(from_minor(minor, digits)),
            }
            for day, minor in months
            if minor
        ]

    def _get_first_open_days(self, days):
        """Days of the company by day: itself where its period is open, else the next open one."""
        return dict(
            self.env.execute_query(
                SQL(
                    "SELECT day, %s FROM unnest(%s::date[]) AS service(day)",
                    self.env["customer.cost.period"]._sql_first_open_day(
                        SQL("%s", self.company_id.id), SQL("day")
                    ),
                    days,
                )
            )
        )

    def action_open_source(self):
        """Open the journal entry behind a captured cost, as far as the reader's rights go."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "account.move",
            "res_id": self.source_move_id,
            "view_mode": "form",
        }
