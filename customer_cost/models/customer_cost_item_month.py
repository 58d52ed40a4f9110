from odoo import api, fields, models
from odoo.tools import SQL, date_utils

from ..fields import Amount, Many2oneUnchecked


class CustomerCostItemMonth(models.Model):
    """Cost by item, month and layer: what the standard cost report reads instead of the ledger."""

    _name = "customer.cost.item.month"
    _description = "Cost by Item and Month"
    _inherit = ["customer.cost.rollup"]
    _log_access = False
    _rec_name = "item_id"
    _order = "month desc, item_id, layer"

    _rollup_key = ("company_id", "month", "item_id", "layer")
    _rollup_figures = ("amount", "line_count")

    company_id = Many2oneUnchecked("res.company", required=True, readonly=True)
    month = fields.Date(required=True, readonly=True)
    item_id = Many2oneUnchecked(
        "customer.cost.item", string="Cost Item", required=True, readonly=True
    )
    layer = fields.Selection(
        [
            ("direct", "Direct"),
            ("pool", "Indirect, before allocation"),
            ("allocated", "Allocated"),
            ("measured", "Measured"),
        ],
        required=True,
        readonly=True,
    )
    amount = Amount(required=True, readonly=True)
    line_count = fields.Integer(string="Lines", required=True, readonly=True)
    currency_id = fields.Many2one(related="company_id.currency_id")

    _key_unique = models.UniqueIndex("(company_id, month, item_id, layer)")

    def action_open_costs(self):
        """Open the costs behind this row, as far as the reader's rights go."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "customer_cost.customer_cost_analysis_action"
        )
        action["domain"] = [
            ("company_id", "=", self.company_id.id),
            ("item_id", "=", self.item_id.id),
            ("layer", "=", self.layer),
            ("date", ">=", self.month),
            ("date", "<=", date_utils.end_of(self.month, "month")),
        ]
        action["context"] = {}
        return action

    @api.model
    def _refresh_period(self, company_id, month):
        """Bring the rows of one company and month to what the ledger says."""
        return self._bring_up_to_date(*self._get_target(company_id, month), "item_id")

    @api.model
    def _find_differences(self, company_id, month):
        """Rows that are not what the ledger says; see :meth:`_compare`."""
        return self._compare(*self._get_target(company_id, month))

    @api.model
    def _get_target(self, company_id, month):
        scope = {
            "company": company_id,
            "first": month,
            "last": date_utils.end_of(month, "month"),
        }
        target = SQL(
            """SELECT %(company)s AS company_id, %(first)s::date AS month, item_id, layer,
                      sum(amount) AS amount, sum(line_count)::int AS line_count
                 FROM (SELECT item_id,
                              CASE WHEN customer_id IS NULL THEN 'pool' ELSE 'direct' END AS layer,
                              sum(amount) AS amount, count(*) AS line_count
                         FROM customer_cost_line
                        WHERE company_id = %(company)s AND date BETWEEN %(first)s AND %(last)s
                     GROUP BY 1, 2
                    UNION ALL
                       SELECT a.item_id, a.layer, sum(a.amount), count(*)
                         FROM customer_cost_run r
                         JOIN customer_cost_run_step s ON s.run_id = r.id
                         JOIN customer_cost_allocation a ON a.step_id = s.id
                        WHERE r.state = 'posted' AND r.date BETWEEN %(first)s AND %(last)s
                          AND a.company_id = %(company)s
                          AND a.date BETWEEN %(first)s AND %(last)s
                     GROUP BY 1, 2) found
             GROUP BY item_id, layer""",
            **scope,
        )
        return target, SQL("t.company_id = %(company)s AND t.month = %(first)s", **scope)
