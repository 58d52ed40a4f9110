from datetime import datetime, time, timezone
from math import isfinite
from zoneinfo import ZoneInfo

import numpy as np

from odoo import api, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL, date_utils

from ..engine import SO_FAR, Basis


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
            currency, a blend in parts per million over all its customers
        :raises UserError: the driver cannot measure anything, or what it measures is no number
        """
        self.ensure_one()
        self._check_usable()
        first, last = self._get_window_dates(company, date)
        method = getattr(self, f"_get_quantities_{self.kind}")
        quantities = {key: value for key, value in method(company, first, last).items() if key}
        self._check_numbers(quantities)
        return quantities

    def _check_numbers(self, quantities):
        wrong = [customer for customer, value in quantities.items() if not isfinite(value)]
        if wrong:
            raise UserError(
                self.env._(
                    "Driver %(driver)s: the quantity is not a number for %(customers)s. Correct "
                    "the records it adds up.",
                    driver=self.display_name,
                    customers=self._name_customers(wrong, [quantities[key] for key in wrong]),
                )
            )

    def _get_basis(self, company, date):
        """What the engine weighs: quantities with their policy, or the blend of several.

        :return: :class:`~..engine.Basis` or :class:`~..engine.Blend`; cost so far is marked by
            ``source``: the run adds what its earlier steps allocated
        :raises UserError: as :meth:`_get_quantities`
        """
        self.ensure_one()
        if self.kind == "composite":
            self._check_usable()
            return self._get_blend(company, date)
        found = self._get_quantities(company, date)
        ids = np.array(sorted(found), dtype=np.int64)
        quantities = np.array([float(found[customer]) for customer in ids.tolist()])
        source = SO_FAR if self.kind == "cost" else ""
        return Basis(self.id, ids, quantities, self.policy, source)

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

    def _get_commercial_path(self):
        """Path from a document to the commercial partner it counts for."""
        path = self.customer_path
        return path if path.endswith("commercial_partner_id") else f"{path}.commercial_partner_id"

    def _read_documents(self, model, domain):
        aggregate = f"{self.measure_field}:sum" if self.measure == "sum" else "__count"
        rows = model._read_group(domain, [self._get_commercial_path()], [aggregate])
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
        if self.lasting:
            return self._get_lasting_values(company, last)
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

    def _get_lasting_values(self, company, last):
        """The latest value of every customer up to ``last``; what a merge brought together adds."""
        self.env["customer.cost.driver.value"].flush_model()
        rows = self.env.execute_query(
            SQL(
                """SELECT customer_id, sum(quantity)
                     FROM (SELECT customer_id, quantity,
                                  rank() OVER (PARTITION BY customer_id
                                               ORDER BY date_trunc('month', date) DESC) AS age
                             FROM customer_cost_driver_value
                            WHERE driver_id = %s AND company_id = %s AND date <= %s) v
                    WHERE age = 1 GROUP BY customer_id""",
                self.id,
                company.id,
                last,
            )
        )
        return {customer: float(quantity) for customer, quantity in rows}

    def _get_quantities_cost(self, company, first, last):
        """Direct cost of the window and what posted runs allocated in its earlier months.

        What the run itself allocated in earlier steps is added by the engine.
        """
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """SELECT customer_id, sum(amount)
                     FROM (SELECT customer_id, amount FROM customer_cost_line
                            WHERE company_id = %(company)s AND customer_id IS NOT NULL
                              AND date BETWEEN %(first)s AND %(last)s
                        UNION ALL
                           SELECT a.customer_id, a.amount FROM customer_cost_allocation a
                             JOIN customer_cost_run_step s ON s.id = a.step_id
                             JOIN customer_cost_run r ON r.id = s.run_id AND r.state = 'posted'
                            WHERE a.company_id = %(company)s AND a.customer_id IS NOT NULL
                              AND a.date >= %(first)s AND a.date < %(month)s) cost
                 GROUP BY customer_id""",
                company=company.id,
                first=first,
                last=last,
                month=date_utils.start_of(last, "month"),
            )
        )
        return {customer: float(amount) for customer, amount in rows}

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
