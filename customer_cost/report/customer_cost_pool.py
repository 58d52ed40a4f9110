from odoo import fields, models
from odoo.tools import SQL, date_utils

from ..fields import Amount


class CustomerCostPool(models.Model):
    """What the pools of some months held, what posted runs took of it and what waits.

    One row per month and cost item; what a run carried in from earlier months, and what its pool
    was another one by than the ledger's is now, has no item.
    """

    _name = "customer.cost.pool"
    _description = "Cost Pool"
    _auto = False
    _rec_name = "item_id"
    _order = "month, item_id, id"

    company_id = fields.Many2one("res.company", readonly=True)
    month = fields.Date(readonly=True)
    item_id = fields.Many2one("customer.cost.item", string="Cost Item", readonly=True)
    run_id = fields.Many2one("customer.cost.run", string="Posted Run", readonly=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    amount = Amount(string="In the Pool", readonly=True)
    carried = Amount(string="From Earlier Months", readonly=True)
    transferred = Amount(
        string="Charged As Another Item",
        readonly=True,
        help="What rules to cost centres charged as this item, less what they took of it.",
    )
    sent = Amount(readonly=True)
    retained = Amount(readonly=True, help="Sent by a rule whose driver had no quantity.")
    unused = Amount(string="Unused Capacity", readonly=True)
    waiting = Amount(
        readonly=True, help="In the pool, from earlier months and from other items, less sent."
    )

    _depends = {
        "customer.cost.line": ["company_id", "date", "item_id", "customer_id", "amount"],
        "customer.cost.run": ["company_id", "date", "state", "pool_total", "carried_total"],
        "customer.cost.run.step": ["run_id"],
        "customer.cost.run.cell": ["step_id", "item_id", "sent", "retained", "unused"],
        "customer.cost.run.transfer": ["run_id", "from_item_id", "to_item_id", "amount"],
    }

    @property
    def _table_query(self) -> SQL:
        company, first, last = self.env["customer.cost.tie.out"]._get_window()
        return SQL(
            """WITH line AS (
                   SELECT date_trunc('month', date)::date AS month, item_id, sum(amount) AS amount
                     FROM customer_cost_line
                    WHERE company_id = %(company)s AND customer_id IS NULL
                      AND date BETWEEN %(first)s AND %(last)s
                 GROUP BY 1, 2),
                    run AS (
                   SELECT id, date_trunc('month', date)::date AS month, pool_total, carried_total
                     FROM customer_cost_run
                    WHERE company_id = %(company)s AND state = 'posted'
                      AND date BETWEEN %(first)s AND %(last)s)
               SELECT row_number() OVER (ORDER BY month, item_id, run_id) AS id,
                      %(company)s AS company_id, month, item_id, run_id, sum(amount) AS amount,
                      sum(carried) AS carried, sum(transferred) AS transferred,
                      sum(sent) AS sent, sum(retained) AS retained, sum(unused) AS unused,
                      sum(amount + carried + transferred - sent) AS waiting
                 FROM (SELECT month, line.item_id, run.id AS run_id, line.amount, 0 AS carried,
                              0 AS transferred, 0 AS sent, 0 AS retained, 0 AS unused
                         FROM line LEFT JOIN run USING (month)
                    UNION ALL
                       SELECT run.month, c.item_id, run.id, 0, 0, 0, c.sent, c.retained, c.unused
                         FROM run
                         JOIN customer_cost_run_step s ON s.run_id = run.id
                         JOIN customer_cost_run_cell c ON c.step_id = s.id
                    UNION ALL
                       SELECT run.month, moved.item_id, run.id, 0, 0, moved.amount, 0, 0, 0
                         FROM run
                         JOIN customer_cost_run_transfer t
                              ON t.run_id = run.id AND t.from_item_id <> t.to_item_id
                   CROSS JOIN LATERAL (
                              VALUES (t.from_item_id, -t.amount), (t.to_item_id, t.amount)
                              ) moved (item_id, amount)
                    UNION ALL
                       SELECT month, NULL, id, pool_total - COALESCE((
                                  SELECT sum(amount) FROM line WHERE line.month = run.month), 0),
                              carried_total, 0, 0, 0, 0
                         FROM run) part
             GROUP BY month, item_id, run_id""",
            company=company.id,
            first=first,
            last=last,
        )

    def action_open_costs(self):
        """Open the costs that came into the pool; the run where none did."""
        self.ensure_one()
        if self.run_id and not (self.item_id and self.amount):
            return self.run_id.get_formview_action()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "customer_cost.customer_cost_line_action"
        )
        action["domain"] = [
            ("company_id", "=", self.company_id.id),
            ("customer_id", "=", False),
            ("item_id", "=", self.item_id.id),
            ("date", ">=", self.month),
            ("date", "<=", date_utils.end_of(self.month, "month")),
        ]
        action["context"] = {"create": False}
        action["name"] = self.env._("Pool of %(item)s", item=self.item_id.display_name)
        return action
