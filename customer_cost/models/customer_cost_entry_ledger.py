from odoo import api, fields, models
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
        return [
            {**shared, "date": day, "service_date": service_day, "amount": amount}
            for day, service_day, amount in self._get_month_amounts()[self]
        ]

    def _get_month_amounts(self, ahead=0):
        """In which months these costs count, to the cent; of all of them one query.

        A service month counts where the ledger has it: a closed one on the first open day.

        :param ahead: months by which date and service period are moved
        :return: dict of cost to list of ``(day, service day, amount)``, company currency
        """
        parts = {entry: entry._spread_amount(ahead) for entry in self}
        service = {
            (entry.company_id.id, day)
            for entry, months in parts.items()
            if entry.service_from
            for day, _amount in months
        }
        open_days = self._get_first_open_days(service)
        return {
            entry: [
                (open_days.get((entry.company_id.id, day), day), day, amount)
                for day, amount in months
            ]
            for entry, months in parts.items()
        }

    def _spread_amount(self, ahead):
        """Service days and amounts of this cost; the whole on its date while these are wrong."""
        day, first, last = self._get_dates(ahead)
        problem = self.env["customer.cost.capture"]._get_service_problem(first, last, day)
        if problem or not first:
            return [(day, self.amount_company)]
        digits = self.company_currency_id.decimal_places
        months = spread(to_minor(self.amount_company, digits), first, last)
        return [(day, float(from_minor(minor, digits))) for day, minor in months if minor]

    def _get_dates(self, ahead=0):
        """Date, first and last day of service; ``ahead`` months later, from a first of month."""
        self.ensure_one()
        if not ahead:
            return self.date, self.service_from, self.service_to
        day = date_utils.add(date_utils.start_of(self.date, "month"), months=ahead)
        first, last = (
            moved and date_utils.add(moved, months=ahead)
            for moved in (self.service_from, self.service_to)
        )
        if last and self.service_to == date_utils.end_of(self.service_to, "month"):
            last = date_utils.end_of(last, "month")
        return day, first, last

    @api.model
    def _get_first_open_days(self, days):
        """Of ``(company id, day)`` the day itself where its period is open, else the next open."""
        if not days:
            return {}
        companies, days = zip(*sorted(days), strict=True)
        return {
            (company_id, day): first
            for company_id, day, first in self.env.execute_query(
                SQL(
                    "SELECT company_id, day, %s"
                    "  FROM unnest(%s::int[], %s::date[]) AS service(company_id, day)",
                    self.env["customer.cost.period"]._sql_first_open_day(
                        SQL("service.company_id"), SQL("day")
                    ),
                    list(companies),
                    list(days),
                )
            )
        }

    def action_open_source(self):
        """Open the journal entry behind a captured cost, as far as the reader's rights go."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "account.move",
            "res_id": self.source_move_id,
            "view_mode": "form",
        }
