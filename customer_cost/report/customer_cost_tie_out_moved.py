from odoo import api, models
from odoo.tools import SQL, format_date

MAX_LINES = 100


class CustomerCostTieOutMoved(models.AbstractModel):
    """Ledger lines that count in another month than their own without any closing to explain it.

    Late cost moves to the first open month; a line that moved although its own month was never
    closed was moved by something else, and both months are wrong by its amount.
    """

    _inherit = "customer.cost.tie.out"

    @api.model
    def _read_moved(self, company, first, last):
        """Ledger lines of the range, by either date, that no closing explains; the first of them.

        :return: list of dicts, amounts in company currency, positive when it costs
        """
        return self._read(
            SQL(
                """SELECT l.entry_id, l.date, l.service_date,
                          (CASE WHEN l.service_date BETWEEN %(first)s AND %(last)s
                                THEN l.amount ELSE 0 END)::text AS amount_expected,
                          (CASE WHEN l.date BETWEEN %(first)s AND %(last)s
                                THEN l.amount ELSE 0 END)::text AS amount_present,
                          abs(l.amount)::text AS amount_gap
                     FROM customer_cost_line l
                     JOIN res_company co ON co.id = l.company_id
                     JOIN customer_cost_entry e ON e.id = l.entry_id
                LEFT JOIN account_move m ON m.id = e.source_move_id
                    WHERE l.company_id = %(company)s AND l.date <> l.service_date
                      AND l.origin_date = COALESCE(m.date, e.date)
                      AND (l.date BETWEEN %(first)s AND %(last)s
                           OR l.service_date BETWEEN %(first)s AND %(last)s)
                      AND date_trunc('month', l.date) <> date_trunc('month', l.service_date)
                      AND NOT EXISTS (
                          SELECT FROM customer_cost_period p
                           WHERE p.date_from = date_trunc('month', l.service_date)::date
                             AND p.company_id = ANY(string_to_array(
                                 trim(trailing '/' from co.parent_path), '/')::int[])
                             AND (p.state = 'closed' OR EXISTS (
                                 SELECT FROM customer_cost_period_closing c
                                  WHERE c.period_id = p.id)))
                 ORDER BY l.id LIMIT %(limit)s""",
                company=company.id,
                first=first,
                last=last,
                limit=MAX_LINES,
            )
        )

    @api.model
    def _get_moved_findings(self, rows):
        # sudo: names of the company's own costs, as far as they still exist
        costs = self.env["customer.cost.entry"].sudo().browse(row["entry_id"] for row in rows)
        names = {cost.id: cost.display_name for cost in costs.exists()}
        return [
            {
                "kind": "moved",
                "entry_id": row["entry_id"] in names and row["entry_id"],
                "label": self.env._(
                    "%(cost)s belongs to %(own)s, which was never closed, and counts in %(other)s",
                    cost=names.get(row["entry_id"], self.env._("Deleted cost")),
                    own=format_date(self.env, row["service_date"], date_format="LLLL y"),
                    other=format_date(self.env, row["date"], date_format="LLLL y"),
                ),
                "expected": row["amount_expected"],
                "present": row["amount_present"],
                "difference": row["amount_gap"],
            }
            for row in rows
        ]
