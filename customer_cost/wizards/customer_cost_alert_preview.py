from odoo import api, fields, models
from odoo.tools import SQL

from ..fields import Amount

SHOWN = 1000


class CustomerCostAlertPreview(models.TransientModel):
    """What a rule would alert of today: a row per customer, pool or class budget, for a while."""

    _name = "customer.cost.alert.preview"
    _description = "Alert Preview"
    _order = "id"

    rule_id = fields.Many2one("customer.cost.alert.rule", required=True, ondelete="cascade")
    customer_id = fields.Many2one("res.partner", ondelete="cascade")
    user_id = fields.Many2one(related="customer_id.user_id", string="Salesperson")
    item_id = fields.Many2one("customer.cost.item", string="Cost Item", ondelete="cascade")
    budget_id = fields.Many2one("customer.cost.budget", string="Class Budget", ondelete="cascade")
    figure = Amount()
    threshold = Amount()
    figure_text = fields.Char(string="Found", compute="_compute_texts")
    threshold_text = fields.Char(string="Allowed", compute="_compute_texts")

    @api.depends("figure", "threshold", "rule_id")
    def _compute_texts(self):
        alerts = self.env["customer.cost.alert"]
        for row in self:
            rule = row.rule_id
            for name in ("figure", "threshold"):
                row[f"{name}_text"] = alerts._format_figure(
                    rule.metric, row[name], rule.company_id.currency_id
                )

    @api.model
    def _open(self, rule):
        """Work out whom ``rule`` would alert today, farthest from the threshold first.

        :return: action that opens the list
        """
        # sudo: the sums of their sources; who previews may see every customer
        evaluated = rule.sudo()
        self.env["customer.cost.balance"].sudo()._refresh()  # sudo: as above
        columns = evaluated._get_pass_columns()
        rows = self.env.execute_query(
            SQL(
                """SELECT customer_id, item_id, budget_id, figure::float, threshold::float,
                          count(*) OVER () FROM (%s) breach
                 ORDER BY abs(figure - threshold) DESC, customer_id, item_id, budget_id
                    LIMIT %s""",
                evaluated._sql_breaches(
                    list(columns), SQL("(%s) source", evaluated._sql_pass(columns))
                ),
                SHOWN,
            )
        )
        self.search([("rule_id", "=", rule.id), ("create_uid", "=", self.env.uid)]).unlink()
        self.create(
            [
                {
                    "rule_id": rule.id,
                    "customer_id": customer_id,
                    "item_id": item_id,
                    "budget_id": budget_id,
                    "figure": figure,
                    "threshold": threshold,
                }
                for customer_id, item_id, budget_id, figure, threshold, _count in rows
            ]
        )
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "customer_cost.customer_cost_alert_preview_action"
        )
        count = rows[0][-1] if rows else 0
        action["name"] = self.env._("%(rule)s today: %(count)s", rule=rule.name, count=count)
        action["domain"] = [("rule_id", "=", rule.id), ("create_uid", "=", self.env.uid)]
        action["context"] = {"cost_alert_metric": rule.metric}
        return action
