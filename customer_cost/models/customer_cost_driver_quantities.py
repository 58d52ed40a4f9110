from datetime import datetime, time, timezone
from zoneinfo import ZoneInfo

from odoo import api, models
from odoo.fields import Domain
from odoo.tools import SQL, date_utils


class CustomerCostDriverQuantities(models.Model):
    """What a driver yields per customer, by its kind and over its window."""

    _inherit = "customer.cost.driver"

    def _get_window_dates(self, company, date):
        """First and last day over which the driver is measured for the period of ``date``."""
        self.ensure_one()
        last = date_utils.end_of(date, "month")
        if self.window == "year":
            return company.compute_fiscalyear_dates(last)["date_from"], last
        if self.window == "rolling":
            return self.env["res.partner"]._get_customer_cost_rolling(last)
        return date_utils.start_of(date, "month"), last

    def _get_quantities(self, company, date):
        """Return what every customer counts in the period of ``date``.

        :return: dict of commercial partner id to quantity, of any sign; amounts are in company
            currency
        """
        self.ensure_one()
        first, last = self._get_window_dates(company, date)
        method = getattr(self, f"_get_quantities_{self.kind}")
        return {key: value for key, value in method(company, first, last).items() if key}

    def _get_quantities_document(self, company, first, last):
        # sudo: a cost manager defined the driver, its results stay within this company
        model = self.env[self.model_name].sudo().with_context(active_test=False)
        scope = self._get_document_scope(model, company, first, last)
        quantities = self._read_documents(model, scope & self._parse_domain("domain"))
        if self.deduct_domain:
            deducted = self._read_documents(model, scope & self._parse_domain("deduct_domain"))
            for customer, quantity in deducted.items():
                quantities[customer] = quantities.get(customer, 0) - quantity
        return quantities

    def _get_document_scope(self, model, company, first, last):
        scope = Domain(self._get_company_path(), "=", company.id)
        target = model
        for step in self.date_field.split("."):
            field = target._fields[step]
            target = self.env[field.comodel_name] if field.comodel_name else target
        if field.type == "date":
            return (
                scope & Domain(self.date_field, ">=", first) & Domain(self.date_field, "<=", last)
            )
        after = date_utils.add(last, days=1)
        return (
            scope
            & Domain(self.date_field, ">=", self._get_midnight(company, first))
            & Domain(self.date_field, "<", self._get_midnight(company, after))
        )

    @api.model
    def _get_midnight(self, company, day):
        """The beginning of ``day`` where the company is, in UTC as times are stored."""
        zone = ZoneInfo(company.partner_id.sudo().tz or "UTC")  # sudo: a company's address
        midnight = datetime.combine(day, time.min, tzinfo=zone)
        return midnight.astimezone(timezone.utc).replace(tzinfo=None)

    def _read_documents(self, model, domain):
        path = self.customer_path
        if not path.endswith("commercial_partner_id"):
            path += ".commercial_partner_id"
        aggregate = f"{self.measure_field}:sum" if self.measure == "sum" else "__count"
        rows = model._read_group(domain, [path], [aggregate])
        return self._give_to_commercial_partners(
            {customer.id: quantity or 0 for customer, quantity in rows}
        )

    @api.model
    def _give_to_commercial_partners(self, quantities):
        """A document may name who was a customer when it was made and belongs to another since."""
        moved = self.env.execute_query(
            SQL(
                """SELECT id, commercial_partner_id FROM res_partner
                    WHERE id = ANY(%s) AND commercial_partner_id <> id""",
                [customer for customer in quantities if customer],
            )
        )
        for customer, commercial in moved:
            quantities[commercial] = quantities.get(commercial, 0) + quantities.pop(customer)
        return quantities

    def _get_quantities_value(self, company, first, last):
        # sudo: values are read for a run whose author may compute it
        rows = (
            self.env["customer.cost.driver.value"]
            .sudo()
            ._read_group(
                [
                    ("driver_id", "=", self.id),
                    ("company_id", "=", company.id),
                    ("date", ">=", first),
                    ("date", "<=", last),
                ],
                ["customer_id"],
                ["quantity:sum"],
            )
        )
        return {customer.id: quantity for customer, quantity in rows}

    def _get_quantities_equal(self, company, first, last):
        sales = self.env["customer.cost.profitability"]._get_sales(company, first, last)
        return dict.fromkeys(sales, 1)

    def _get_quantities_margin(self, company, first, last):
        sales = self.env["customer.cost.profitability"]._get_sales(company, first, last)
        return {customer: net - cost for customer, (net, cost) in sales.items()}

    def _get_quantities_overdue(self, company, first, last):
        """Days within the window on which posted invoices were open past their due date.

        A payment term with several due dates counts each on its own. What was paid later than
        the window's end was still open in it, whenever the figure is asked for.
        """
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """SELECT p.commercial_partner_id,
                          sum(LEAST(COALESCE(paid.date, %(last)s), %(last)s)
                              - GREATEST(l.date_maturity, %(first)s - 1)) AS days
                     FROM account_move m
                     JOIN res_partner p ON p.id = m.partner_id
                     JOIN account_move_line l ON l.move_id = m.id
                          AND l.display_type = 'payment_term' AND l.balance > 0
                LEFT JOIN LATERAL (
                          SELECT max(p.max_date) AS date FROM account_partial_reconcile p
                           WHERE p.debit_move_id = l.id AND l.amount_residual = 0) paid ON TRUE
                    WHERE m.company_id = %(company)s AND m.state = 'posted'
                      AND m.move_type IN ('out_invoice', 'out_receipt')
                      AND m.date <= %(last)s AND l.date_maturity < %(last)s
                      AND COALESCE(paid.date, %(last)s) > GREATEST(l.date_maturity, %(first)s - 1)
                 GROUP BY p.commercial_partner_id""",
                company=company.id,
                first=first,
                last=last,
            )
        )
        return dict(rows)
