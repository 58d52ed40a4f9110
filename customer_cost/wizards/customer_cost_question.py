from odoo import api, fields, models


class CustomerCostQuestion(models.TransientModel):
    """A reviewer's question to the author of a cost, or the author's answer."""

    _name = "customer.cost.question"
    _description = "Question on a Cost"

    entry_ids = fields.Many2many("customer.cost.entry", string="Costs")
    move_ids = fields.Many2many("account.move", string="Bills")
    act = fields.Selection(
        [("ask", "Ask"), ("answer", "Answer")], required=True, default="ask", readonly=True
    )
    asked = fields.Text(compute="_compute_asked", string="Question Asked")
    text = fields.Text(required=True)

    @api.depends("entry_ids", "move_ids", "act")
    def _compute_asked(self):
        for wizard in self:
            documents = wizard.entry_ids or wizard.move_ids
            asked = wizard.act == "answer" and documents._get_open_questions()
            wizard.asked = "\n".join(row.reason for row in asked or ())

    def action_confirm(self):
        """Ask, or answer."""
        self.ensure_one()
        for documents in filter(None, (self.entry_ids, self.move_ids)):
            if self.act == "ask":
                documents._ask(self.text)
            else:
                documents._answer(self.text)
        return {"type": "ir.actions.act_window_close"}
