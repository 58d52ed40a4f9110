from odoo import fields, models

from ..fields import Amount


class CustomerCostRunCell(models.Model):
    """One cost item in one step: sent = received + retained + unused."""

    _name = "customer.cost.run.cell"
    _description = "Run Step by Cost Item"
    _order = "step_id, item_id, id"

    step_id = fields.Many2one(
        "customer.cost.run.step", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="step_id.company_id", store=True, index=True)
    item_id = fields.Many2one(
        "customer.cost.item", required=True, readonly=True, index=True, ondelete="restrict"
    )
    charged_item_id = fields.Many2one(
        "customer.cost.item",
        string="Charged As",
        readonly=True,
        index="btree_not_null",
        ondelete="restrict",
        help="The item under which customers received it.",
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    sent = Amount(readonly=True)
    received = Amount(readonly=True)
    retained = Amount(readonly=True)
    unused = Amount(readonly=True, default=0.0)
    fixed_amount = Amount(
        string="Fixed Part", readonly=True, help="Fixed cost in what was received."
    )

    _conserved = models.Constraint(
        "CHECK(sent = received + retained + unused)",
        "A step has to account for every cent it sent.",
    )

    def action_open_pool(self):
        """Open the ledger lines that the pools of these cells, of one step, are made of."""
        step = self.step_id.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "customer_cost.customer_cost_line_action"
        )
        domain = [
            ("company_id", "=", step.company_id.id),
            ("customer_id", "=", False),
            ("item_id", "in", self.item_id.ids),
            ("date", ">=", step.pool_from),
            ("date", "<=", step.pool_to),
        ]
        if step.centre_ids:
            domain.append(("cost_centre_id", "in", step.centre_ids.ids))
        action["domain"] = domain
        action["context"] = {}
        action["name"] = self.env._(
            "Pool of %(item)s", item=", ".join(self.item_id.mapped("display_name"))
        )
        return action
