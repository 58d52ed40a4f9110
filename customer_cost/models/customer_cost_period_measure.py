from odoo import fields, models
from odoo.tools import SQL


class CustomerCostPeriodMeasure(models.Model):
    """What each line of the closing checklist measures, and the records behind it.

    Every ``_measure_`` returns ``(verdict, figure)`` of one company; the figure is how many, or
    how much in company currency, is still to do.
    """

    _inherit = "customer.cost.period"

    def _get_companies(self):
        """The company and its branches: closing the period closes it for all of them."""
        # sudo: branches that who closes may not see are closed as well
        return self.env["res.company"].sudo().search([("id", "child_of", self.company_id.id)])

    def _get_company_domain(self, field="company_id"):
        return [(field, "in", self._get_companies().ids)]

    # ------------------------------------------------------------
    # Earlier months closed
    # ------------------------------------------------------------

    def _find_earlier_open(self, companies):
        """First days of the earlier months in which one of ``companies`` still takes cost.

        From its first cost or customer invoice on, whether there is a period of the month or not.
        """
        return [month for month, is_open in self._find_earlier(companies) if is_open]

    def _find_earlier(self, companies):
        self._flush_beginnings()
        self.flush_model(["company_id", "date_from", "state"])
        return self.env.execute_query(
            SQL(
                """SELECT month::date, bool_or(NOT EXISTS (
                              SELECT FROM (%(closed)s) closed
                               WHERE closed.date_from = month::date))
                     FROM (%(beginnings)s) began(company_id, first)
               CROSS JOIN generate_series(date_trunc('month', began.first),
                          %(first)s::date - interval '1 month', interval '1 month') month
                 GROUP BY month ORDER BY month""",
                closed=self._sql_closed(SQL("began.company_id")),
                beginnings=self._sql_beginnings(companies),
                first=self.date_from,
            )
        )

    def _measure_earlier_closed(self, company, _first, _last):
        earlier = self._find_earlier(company)
        count = sum(is_open for _month, is_open in earlier)
        return ("failed" if count else "passed" if earlier else "none"), count

    def _open_earlier_closed(self):
        companies = self._get_companies()
        self._make_missing(companies)
        domain = [
            ("company_id", "in", companies.ids),
            ("date_from", "in", self._find_earlier_open(companies)),
            ("state", "!=", "closed"),
        ]
        return self._open_list(self._name, self.env._("Earlier Months"), domain)

    # ------------------------------------------------------------
    # Captured
    # ------------------------------------------------------------

    def _find_uncaptured(self, company):
        # sudo: the comparison covers every journal entry, whatever the user may read of them
        capture = self.env["customer.cost.capture"].sudo()
        found = capture._find_differences(company, self.date_from, self.date_to)
        return {difference["line_id"] for difference in found}

    def _measure_captured(self, company, _first, _last):
        count = len(self._find_uncaptured(company))
        return ("failed" if count else "passed"), count

    def _open_captured(self):
        ids = set().union(*(self._find_uncaptured(company) for company in self._get_companies()))
        return self._open_list(
            "account.move.line", self.env._("Differ from the Ledger"), [("id", "in", list(ids))]
        )

    # ------------------------------------------------------------
    # Reviewed
    # ------------------------------------------------------------

    def _get_waiting_domain(self, companies):
        return [
            ("company_id", "in", companies.ids),
            ("kind", "!=", "captured"),
            ("state", "in", ("draft", "submitted")),
            ("date", ">=", self.date_from),
            ("date", "<=", self.date_to),
        ]

    def _measure_reviewed(self, company, _first, _last):
        # sudo: drafts of people whose costs the user may not read count as well
        entries = self.env["customer.cost.entry"].sudo()
        count = entries.search_count(self._get_waiting_domain(company))
        return ("failed" if count else "passed"), count

    def _open_reviewed(self):
        return self._open_list(
            "customer.cost.entry",
            self.env._("Costs That Wait"),
            self._get_waiting_domain(self._get_companies()),
        )

    # ------------------------------------------------------------
    # Unknown cost
    # ------------------------------------------------------------

    def _get_unknown_cost_domain(self, companies):
        return [
            ("company_id", "in", companies.ids),
            ("parent_state", "=", "posted"),
            ("move_id.move_type", "in", ("out_invoice", "out_refund", "out_receipt")),
            ("display_type", "=", "product"),
            # Lines posted before the add-on was there have no source at all.
            ("customer_cost_source", "in", (False, "unknown")),
            ("date", ">=", self.date_from),
            ("date", "<=", self.date_to),
        ]

    def _measure_unknown_cost(self, company, _first, _last):
        # sudo: invoices the user may not read count as well
        lines = self.env["account.move.line"].sudo()
        count = lines.search_count(self._get_unknown_cost_domain(company))
        return ("failed" if count else "none"), count

    def _open_unknown_cost(self):
        return self._open_list(
            "account.move.line",
            self.env._("Unknown Product Cost"),
            self._get_unknown_cost_domain(self._get_companies()),
        )

    # ------------------------------------------------------------
    # Run posted
    # ------------------------------------------------------------

    def _measure_run_posted(self, company, first, last):
        # sudo: runs of branches that the user may not see count as well
        run = (
            self.env["customer.cost.run"]
            .sudo()
            .search(
                [
                    ("company_id", "=", company.id),
                    ("date", ">=", first),
                    ("date", "<=", last),
                    ("state", "=", "posted"),
                ]
            )
        )
        self.env["customer.cost.line"].flush_model()
        [(total, has_pool)] = self.env.execute_query(
            SQL(
                """SELECT COALESCE(sum(amount), 0), COALESCE(bool_or(amount <> 0), FALSE)
                     FROM (SELECT sum(amount) AS amount FROM customer_cost_line
                            WHERE company_id = %s AND customer_id IS NULL
                              AND date BETWEEN %s AND %s
                         GROUP BY item_id) pool""",
                company.id,
                first,
                last,
            )
        )
        left = company.currency_id.round(float(total) - run.pool_total)
        if run:
            return ("passed" if company.currency_id.is_zero(left) else "failed"), left
        return ("failed" if has_pool else "none"), left

    def _open_run_posted(self):
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "customer_cost.customer_cost_run_action"
        )
        action["domain"] = [
            *self._get_company_domain(),
            ("date", ">=", self.date_from),
            ("date", "<=", self.date_to),
        ]
        action["context"] = {"default_date": self.date_to, "default_company_id": self.company_id.id}
        return action

    # ------------------------------------------------------------
    # Tied out
    # ------------------------------------------------------------

    def _get_tie_out(self, company):
        """Return the tie-out of the month as the books and the ledger are now."""
        # sudo: the tie-out covers the whole company, whatever the user may read of it
        return (
            self.env["customer.cost.tie.out"]
            .sudo()
            ._get_figures(company, self.date_from, self.date_to)
        )

    def _measure_tied_out(self, company, _first, _last):
        figures = self._get_tie_out(company)
        return ("passed" if figures["is_tied"] else "failed"), figures["difference"]

    def _open_tied_out(self):
        return self.action_open_tie_out()

    def action_open_tie_out(self):
        """Open the tie-out of the month as it is now.

        :return: action
        """
        self.ensure_one()
        self.check_access("read")
        return {
            "type": "ir.actions.client",
            "tag": "customer_cost_tie_out",
            "name": self.env._("Tie-out"),
            "params": {
                "company_id": self.company_id.id,
                "unit": "month",
                "day": fields.Date.to_string(self.date_from),
            },
        }

    # ------------------------------------------------------------

    def _open_list(self, model, name, domain):
        return {
            "type": "ir.actions.act_window",
            "name": f"{name} · {self.name}",
            "res_model": model,
            "view_mode": "list,form",
            "views": [(False, "list"), (False, "form")],
            "domain": domain,
            "context": {"create": False},
        }
