from typing import NamedTuple

from odoo import api, models
from odoo.tools import SQL

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
        return SQL(
            """WITH candidate AS MATERIALIZED (%(candidates)s),
                    mapped AS MATERIALIZED (%(mapped)s),
                    portion AS (%(portion)s)
               SELECT * FROM (%(target)s) target WHERE customer_id IS NOT NULL AND amount <> 0""",
            candidates=self._sql_candidates(
                SQL("%s AND m.move_type IN %s", moves, CUSTOMER_BILL_TYPES),
                SQL(
                    """l.display_type = 'product' AND l.cost_request_id IS NULL
                       AND (l.cost_customer_id IS NOT NULL
                            OR l.analytic_distribution IS NOT NULL
                               AND co.customer_cost_plan_id IS NOT NULL)"""
                ),
                since_start=False,
                posted=False,
            ),
            mapped=self._sql_mapped(follow=False),
            portion=self._sql_portions(),
            target=self._sql_target(),
        )

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
