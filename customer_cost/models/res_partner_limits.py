from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError
from odoo.tools import SQL, date_utils

from .res_partner import FIGURE_GROUPS

AMOUNT_LIMITS = ("customer_cost_limit_month", "customer_cost_limit_year")
LIMIT_FIELDS = (
    *AMOUNT_LIMITS,
    "customer_cost_limit_to_serve_pct",
    "customer_cost_limit_margin_pct",
)


class ResPartner(models.Model):
    """A customer's own limits, per company; cost accountants keep them."""

    _inherit = "res.partner"

    customer_cost_limit_month = fields.Float(
        string="Monthly Limit",
        digits=(20, 3),
        min_display_digits=2,
        company_dependent=True,
        tracking=True,
        groups=FIGURE_GROUPS,
        help="Direct and committed cost of a calendar month, company currency. 0: no limit.",
    )
    customer_cost_limit_year = fields.Float(
        string="Yearly Limit",
        digits=(20, 3),
        min_display_digits=2,
        company_dependent=True,
        tracking=True,
        groups=FIGURE_GROUPS,
        help="Direct and committed cost of a fiscal year, company currency. 0: no limit.",
    )
    customer_cost_limit_to_serve_pct = fields.Float(
        string="Cost to Serve Limit",
        digits=(9, 2),
        company_dependent=True,
        tracking=True,
        groups=FIGURE_GROUPS,
        help="Percent of net sales, of the last 12 months. 0: no limit.",
    )
    customer_cost_limit_margin_pct = fields.Float(
        string="Minimum Margin",
        digits=(9, 2),
        company_dependent=True,
        tracking=True,
        groups=FIGURE_GROUPS,
        help="Customer profit in percent of net sales, of the last 12 months. 0: no limit.",
    )
    customer_cost_month_used = fields.Float(
        string="Cost This Month",
        digits=(20, 3),
        min_display_digits=2,
        compute="_compute_customer_cost_used",
        groups=FIGURE_GROUPS,
    )
    customer_cost_year_used = fields.Float(
        string="Cost This Year",
        digits=(20, 3),
        min_display_digits=2,
        compute="_compute_customer_cost_used",
        groups=FIGURE_GROUPS,
    )

    @api.depends_context("company", "uid")
    def _compute_customer_cost_used(self):
        """As the user: what a rep may not see of a customer does not count here."""
        company, today = self.env.company, fields.Date.context_today(self)
        year = company.compute_fiscalyear_dates(today)
        month = date_utils.start_of(today, "month"), date_utils.end_of(today, "month")
        ranges = {
            "customer_cost_month_used": month,
            "customer_cost_year_used": (year["date_from"], year["date_to"]),
        }
        customers = self._origin.filtered("customer_cost_visible")
        for name, (first, last) in ranges.items():
            used = defaultdict(float)
            for model in ("customer.cost.line", "customer.cost.commitment"):
                for customer, amount in self.env[model]._read_group(
                    [
                        ("customer_id", "in", customers.ids),
                        ("company_id", "=", company.id),
                        ("date", ">=", first),
                        ("date", "<=", last),
                    ],
                    ["customer_id"],
                    ["amount:sum"],
                ):
                    used[customer.id] += amount
            for partner in self:
                partner[name] = used[partner._origin.id]

    # ------------------------------------------------------------
    # Who sets them
    # ------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        partners = super().create(vals_list)
        if any(partner.sudo()[name] for partner in partners for name in LIMIT_FIELDS):  # sudo: all
            self._check_may_limit()
        partners._check_customer_cost_limits()
        return partners

    def write(self, vals):
        limits = {name: vals[name] for name in LIMIT_FIELDS if name in vals}
        limited = any(
            (partner[name] or 0.0) != (value or 0.0)
            for partner in self.sudo()  # sudo: whether anything changes
            for name, value in limits.items()
        )
        if limited:
            self._check_may_limit()
            self._track_prepare(LIMIT_FIELDS)
        res = super().write(vals)
        if limited:
            self._check_customer_cost_limits()
        return res

    def _track_prepare(self, fields_iter):
        """Limits are read where they are asked for alone: else every posting pays a query."""
        names = set(fields_iter)
        others = names.difference(LIMIT_FIELDS)
        return super()._track_prepare(others or names)

    def action_customer_cost_limits(self):
        """Open the dialog that sets this customer's own limits in the current company.

        :raises AccessError: the user is no cost accountant
        """
        self.ensure_one()
        self._check_may_limit()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Limits of %(customer)s", customer=self.display_name),
            "res_model": "customer.cost.limits",
            "view_mode": "form",
            "target": "new",
            "context": {"default_partner_id": self.commercial_partner_id.id},
        }

    @api.model
    def _check_may_limit(self):
        """A rep who edits contacts does not raise the limits they are measured by.

        :raises AccessError: the user is no cost accountant
        """
        accountant = "customer_cost.group_customer_cost_accountant"
        if not (self.env.su or self.env.user.has_group(accountant)):
            raise AccessError(
                self.env._("Only a cost accountant changes the cost limits of a customer.")
            )

    def _check_customer_cost_limits(self):
        for partner in self.sudo():  # sudo: bad figures are refused whoever brings them
            if not all(0 <= partner[name] < 1e12 for name in LIMIT_FIELDS):
                raise ValidationError(
                    self.env._(
                        "%(customer)s: a cost limit is a number from 0, which means none.",
                        customer=partner.display_name,
                    )
                )

    def _mail_track(self, tracked_fields, initial_values):
        """A property of a company is no Monetary: its currency is kept with what is tracked."""
        amount = {"type": "monetary", "currency_field": "customer_cost_currency_id"}
        tracked_fields = {
            name: {**info, **amount} if name in AMOUNT_LIMITS else info
            for name, info in tracked_fields.items()
        }
        return super()._mail_track(tracked_fields, initial_values)

    # ------------------------------------------------------------
    # For alerts and costs
    # ------------------------------------------------------------

    @api.model
    def _get_customer_cost_limits(self, company, customers=None):
        """Limits of customers in one query.

        :param company: whose limits
        :param customers: partners to look at; None: every customer that has one
        :return: dict of partner id to dict of field name to the limit, above zero ones only:
            company currency for ``customer_cost_limit_month`` and ``_year``, percent for
            ``customer_cost_limit_to_serve_pct`` and ``customer_cost_limit_margin_pct``
        """
        self.env["res.partner"].flush_model(LIMIT_FIELDS)
        key = str(company.id)
        values = SQL(", ").join(
            SQL("(%s ->> %s)::float", SQL.identifier(name), key) for name in LIMIT_FIELDS
        )
        any_limit = SQL(" OR ").join(
            SQL("(%s ->> %s)::float > 0", SQL.identifier(name), key) for name in LIMIT_FIELDS
        )
        # Limits alone, for checks and alerts; who is shown one may read the customer's costs.
        rows = self.env.execute_query(
            SQL(
                "SELECT id, %s FROM res_partner WHERE (%s) AND %s",
                values,
                any_limit,
                SQL("TRUE") if customers is None else SQL("id = ANY(%s)", customers.ids),
            )
        )
        return {
            partner_id: {
                name: value for name, value in zip(LIMIT_FIELDS, found, strict=True) if value
            }
            for partner_id, *found in rows
        }
