from datetime import timedelta
from math import isfinite

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import format_date, formatLang

# Below it a floating-point number holds every currency to its smallest coin.
MAX_AMOUNT = 1e12


class CustomerCostEntryCheck(models.Model):
    """Bad input has a name: what keeps a manual cost from being recorded or decided on."""

    _inherit = "customer.cost.entry"

    @api.constrains(
        "amount",
        "date",
        "service_from",
        "service_to",
        "item_id",
        "customer_id",
        "contact_id",
        "currency_id",
        "company_id",
        "kind",
    )
    def _check_substance(self):
        for entry in self.filtered(lambda entry: entry.kind != "captured"):
            for problem in entry._get_problems():
                raise ValidationError(problem)

    @api.model
    def _check_new_values(self, vals):
        if not vals.get("item_id"):
            raise ValidationError(self.env._("A cost needs a cost item."))
        self._check_is_number(vals)
        self._check_manual_kind(vals)

    @api.model
    def _check_manual_kind(self, vals):
        """Captured costs are written by the capture alone."""
        if vals.get("kind") == "captured" and not self._guard_is_open():
            self._raise_guarded(["kind"])

    @api.model
    def _check_is_number(self, vals):
        """RPC carries NaN and infinity: in the ledger they would swallow every sum."""
        try:
            finite = isfinite(float(vals.get("amount") or 0.0))
        except (TypeError, ValueError):
            finite = False
        if not finite:
            raise ValidationError(self.env._("The amount is no number."))

    @api.model
    def _check_own_customer(self, vals):
        """A sales rep records costs of the customers they are the salesperson of."""
        if self.env.su or not self.env.user.has_groups(
            "customer_cost.group_customer_cost_rep,!customer_cost.group_customer_cost_user"
        ):
            return
        customer = self.env["res.partner"].browse(vals.get("customer_id") or [])
        if customer.user_id != self.env.user:
            raise ValidationError(
                self.env._("Choose one of your customers: you record costs for those only.")
            )

    def _get_problems(self):
        """Return the list of what keeps this manual cost from being recorded, each translated."""
        self.ensure_one()
        if self.reversal_of_id:
            return self._get_reversal_problems() + self._get_date_problems()
        problems = []
        company = self.company_id
        problems += self._get_amount_problems()
        if not self.item_id:
            problems.append(self.env._("A cost needs a cost item."))
        elif not self.item_id.active:
            problems.append(
                self.env._("Cost item %(item)s is archived.", item=self.item_id.display_name)
            )
        elif self.item_id.manual_kind not in (False, self.kind):
            problems.append(self._get_kind_problem())
        # sudo: who moved to another company can no longer be read by those who decide here
        for partner in (self.sudo().customer_id, self.sudo().contact_id):
            if partner.company_id and partner.company_id not in company.parent_ids:
                problems.append(
                    self.env._(
                        "%(partner)s belongs to %(other)s, the cost to %(company)s.",
                        partner=partner.display_name,
                        other=partner.company_id.name,
                        company=company.name,
                    )
                )
        contact = self.sudo().contact_id  # sudo: as above
        if contact and contact.commercial_partner_id != self.customer_id:
            problems.append(
                self.env._(
                    "%(contact)s is a contact of %(other)s, not of the customer of this cost.",
                    contact=contact.display_name,
                    other=contact.commercial_partner_id.display_name,
                )
            )
        problems += self._get_date_problems()
        service = self.env["customer.cost.capture"]._get_service_problem(
            self.service_from, self.service_to, self.date
        )
        if service:
            problems.append(f"{self.display_name}: {service}")
        if self.currency_id != company.currency_id and not self._has_rate():
            problems.append(
                self.env._(
                    "There is no %(currency)s rate on or before %(date)s. Enter one first.",
                    currency=self.currency_id.name,
                    date=format_date(self.env, self.date),
                )
            )
        return problems

    def _get_kind_problem(self):
        if self.kind == "request":
            return self.env._(
                "%(item)s is recorded as cost that is not in the books, not as a request.",
                item=self.item_id.display_name,
            )
        return self.env._(
            "%(item)s is booked: ask for it with a request, which its bill settles.",
            item=self.item_id.display_name,
        )

    def _get_amount_problems(self):
        if self.currency_id.is_zero(self.amount):
            return [self.env._("%(cost)s: the amount is zero.", cost=self.display_name)]
        if self.amount < 0:
            return [
                self.env._(
                    "%(cost)s: the amount %(amount)s is negative. To take a cost back, reverse it.",
                    cost=self.display_name,
                    amount=formatLang(self.env, self.amount, currency_obj=self.currency_id),
                )
            ]
        if max(self.amount, self.amount_company) >= MAX_AMOUNT:
            return [
                self.env._(
                    "%(cost)s: the amount %(amount)s is too large, it has to stay below %(limit)s.",
                    cost=self.display_name,
                    amount=formatLang(self.env, self.amount, currency_obj=self.currency_id),
                    limit=formatLang(self.env, MAX_AMOUNT, currency_obj=self.currency_id),
                )
            ]
        return []

    def _get_reversal_problems(self):
        """A reversal needs nothing but a cost that is not reversed yet."""
        # sudo: a reviewer decides on the reversal of a cost that they may not read
        original = self.sudo().reversal_of_id
        if original.state != "approved":
            return [self.env._("%(cost)s is reversed already.", cost=original.display_name)]
        return []

    def _get_date_problems(self):
        company = self.company_id
        problems = []
        today = fields.Date.context_today(self)
        oldest = today - timedelta(days=company.customer_cost_max_days_back)
        if self.kind == "request":
            problems += self._get_request_date_problems(today)
        elif self.date > today:
            problems.append(
                self.env._(
                    "%(date)s lies in the future: no cost has been incurred.",
                    date=format_date(self.env, self.date),
                )
            )
        if self.date < oldest and not self.reversal_of_id:
            days = {
                "date": format_date(self.env, self.date),
                "days": company.customer_cost_max_days_back,
                "oldest": format_date(self.env, oldest),
            }
            problems.append(
                self.env._(
                    "%(date)s is more than 1 day back. The oldest date allowed is %(oldest)s; a "
                    "cost manager can change it in the settings.",
                    **days,
                )
                if company.customer_cost_max_days_back == 1
                else self.env._(
                    "%(date)s is more than %(days)s days back. The oldest date allowed is "
                    "%(oldest)s; a cost manager can change it in the settings.",
                    **days,
                )
            )
        if self.env["customer.cost.period"]._is_closed(company, self.date):
            problems.append(
                self.env._(
                    "The cost period of %(date)s is closed. Take a date in an open period or ask "
                    "a cost manager to reopen it.",
                    date=format_date(self.env, self.date),
                )
            )
        violations = company._get_lock_date_violations(self.date, sale=False, purchase=False)
        if violations:
            problems.append(
                self.env._(
                    "The books of %(company)s are locked up to %(lock)s.",
                    company=company.name,
                    lock=format_date(self.env, max(lock_date for lock_date, _field in violations)),
                )
            )
        return problems

    def _get_request_date_problems(self, today):
        """A request lies no further ahead than a cost recorded by hand may lie back."""
        days = self.company_id.customer_cost_max_days_back
        last = today + timedelta(days=days)
        if self.date <= last:
            return []
        return [
            self.env._(
                "%(date)s is more than %(days)s days ahead. The last date allowed is %(last)s; a "
                "cost manager can change it in the settings.",
                date=format_date(self.env, self.date),
                days=days,
                last=format_date(self.env, last),
            )
        ]

    def _has_rate(self):
        return bool(
            # sudo: rates are shared figures; only their existence is looked at
            self.env["res.currency.rate"]
            .sudo()
            .search_count(
                [
                    ("currency_id", "=", self.currency_id.id),
                    ("company_id", "in", [False, self.company_id.root_id.id]),
                    ("name", "<=", self.date),
                ],
                limit=1,
            )
        )
