from typing import NamedTuple

from odoo import api, models
from odoo.tools import SQL

from .customer_cost_capture_generated import GENERATED_TYPES
from .review_appointments import CUSTOMER_BILL_TYPES


class BillCost(NamedTuple):
    """What a line of a vendor bill costs one customer."""

    line_id: int
    customer_id: int
    item_id: int
    amount: float
    """Company currency, signed as the line."""


class CustomerCostCapture(models.AbstractModel):
    """What vendor bills cost customers, before and after they are captured."""

    _inherit = "customer.cost.capture"

    @api.model
    def _sql_bill_costs(self, moves) -> SQL:
        """Product lines of vendor bills with a customer, their own or their analytic accounts'.

        One row per line, customer and service month, as :meth:`_sql_target` has it. What settles a
        request is left out: it is spoken for with the request.

        :param moves: condition on the journal entry ``m``
        """
        lines = SQL(
            "l.display_type = 'product' AND l.cost_request_id IS NULL AND %s",
            self._sql_names_customer(SQL("l")),
        )
        return self._sql_customer_costs(moves, lines, follow=False)

    @api.model
    def _sql_draft_costs(self, moves, follow=True) -> SQL:
        """What capture will make of draft vendor bills for customers when they are posted.

        As :meth:`_sql_bill_costs`, with what Odoo generates from the product lines, such as tax
        that is not recovered, and with what settles a request that has no customer itself.

        :param moves: condition on the journal entry ``m``, beside being a draft
        :param follow: whether the bills may hold journal items that follow others
        """
        product = SQL("l.display_type = 'product' AND %s", self._sql_names_customer(SQL("l")))
        generated = SQL(
            """l.display_type IN %s AND EXISTS (
                   SELECT FROM account_move_line named WHERE named.move_id = m.id AND %s)""",
            GENERATED_TYPES,
            self._sql_names_customer(SQL("named")),
        )
        lines = SQL(
            """(l.cost_request_id IS NULL OR EXISTS (
                   SELECT FROM customer_cost_entry request
                    WHERE request.id = l.cost_request_id AND request.customer_id IS NULL))
               AND (%s)""",
            SQL("%s OR %s", product, generated) if follow else product,
        )
        return self._sql_customer_costs(SQL("m.state = 'draft' AND %s", moves), lines, follow)

    @api.model
    def _sql_names_customer(self, line) -> SQL:
        """Whether a journal item may name customers, itself or by its analytic accounts."""
        return SQL(
            """(%(line)s.cost_customer_id IS NOT NULL
                OR %(line)s.analytic_distribution IS NOT NULL
                   AND co.customer_cost_plan_id IS NOT NULL)""",
            line=line,
        )

    @api.model
    def _sql_customer_costs(self, moves, lines, follow) -> SQL:
        return SQL(
            """WITH candidate AS MATERIALIZED (%(candidates)s),
                    mapped AS MATERIALIZED (%(mapped)s),
                    portion AS (%(portion)s)
               SELECT * FROM (%(target)s) target WHERE customer_id IS NOT NULL AND amount <> 0""",
            candidates=self._sql_candidates(
                SQL("%s AND m.move_type IN %s", moves, CUSTOMER_BILL_TYPES),
                lines,
                since_start=False,
                posted=False,
            ),
            mapped=self._sql_mapped(follow=follow),
            portion=self._sql_portions(),
            target=self._sql_target(),
        )

    @api.model
    def _find_draft_bills(self, company_ids, customer_ids):
        """Ids of the draft vendor bills of these companies that may cost these customers."""
        draft = SQL(
            "m.state = 'draft' AND m.move_type IN %s AND m.company_id = ANY(%s)",
            CUSTOMER_BILL_TYPES,
            list(company_ids),
        )
        rows = self.env.execute_query(
            SQL(
                """SELECT l.move_id
                     FROM res_partner p
                     JOIN account_move_line l ON l.cost_customer_id = p.id
                     JOIN account_move m ON m.id = l.move_id
                    WHERE p.commercial_partner_id = ANY(%(customers)s) AND %(draft)s
                UNION
                   SELECT l.move_id
                     FROM account_move_line l
                     JOIN account_move m ON m.id = l.move_id
                    WHERE %(accounts)s && ARRAY(
                          SELECT aa.id::text
                            FROM account_analytic_account aa
                            JOIN res_partner p ON p.id = aa.partner_id
                           WHERE p.commercial_partner_id = ANY(%(customers)s)) AND %(draft)s""",
                customers=list(customer_ids),
                draft=draft,
                accounts=self.env["account.move.line"]._query_analytic_accounts("l"),
            )
        )
        return [move_id for (move_id,) in rows]

    @api.model
    def _read_bill_costs(self, move_ids):
        """What the lines of these vendor bills cost customers, whoever asks.

        :return: dict of move id to list of :class:`BillCost`, by line and customer
        """
        self._flush_sources()
        self.env["account.move.line"].flush_model(["cost_request_id"])
        costs = {}
        for move_id, *cost in self.env.execute_query(
            SQL(
                """SELECT move_id, id, customer_id, item_id, sum(amount)::float
                     FROM (%s) cost GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3""",
                self._sql_bill_costs(SQL("m.id = ANY(%s)", list(move_ids))),
            )
        ):
            costs.setdefault(move_id, []).append(BillCost(*cost))
        return costs
