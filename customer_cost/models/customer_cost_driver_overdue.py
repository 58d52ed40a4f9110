from odoo import models
from odoo.tools import SQL


class CustomerCostDriverOverdue(models.Model):
    """Quantities of the driver "overdue days"."""

    _inherit = "customer.cost.driver"

    def _get_quantities_overdue(self, company, first, last):
        """Days within the window on which posted invoices were open past their due date.

        A payment term with several due dates counts each on its own. What was paid later than
        the window's end was still open in it, whenever the figure is asked for.
        """
        self.env["account.move"].flush_model(["state", "move_type", "commercial_partner_id"])
        self.env["account.move.line"].flush_model(
            ["date_maturity", "display_type", "amount_residual"]
        )
        self.env["account.partial.reconcile"].flush_model(["debit_move_id", "max_date"])
        rows = self.env.execute_query(
            SQL(
                """SELECT m.commercial_partner_id,
                          sum(LEAST(COALESCE(paid.date, %(last)s), %(last)s)
                              - GREATEST(l.date_maturity, %(first)s - 1)) AS days
                     FROM account_move m
                     JOIN account_move_line l ON l.move_id = m.id
                          AND l.display_type = 'payment_term' AND l.balance > 0
                LEFT JOIN LATERAL (
                          SELECT max(p.max_date) AS date FROM account_partial_reconcile p
                           WHERE p.debit_move_id = l.id AND l.amount_residual = 0) paid ON TRUE
                    WHERE m.company_id = %(company)s AND m.state = 'posted'
                      AND m.move_type IN ('out_invoice', 'out_receipt')
                      AND m.date <= %(last)s AND l.date_maturity < %(last)s
                      AND COALESCE(paid.date, %(last)s) > GREATEST(l.date_maturity, %(first)s - 1)
                 GROUP BY m.commercial_partner_id""",
                company=company.id,
                first=first,
                last=last,
            )
        )
        return dict(rows)
