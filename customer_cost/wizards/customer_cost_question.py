from odoo import api, fields, models

from ..models.review_appointments import BOOK_GROUPS


class CustomerCostQuestion(models.TransientModel):
    """A reviewer's question to the author of a cost, or the author's answer."""

    _name = "customer.cost.question"
    _description = "Question on a Cost"
    _inherit = ["customer.cost.dialog"]

    entry_ids = fields.Many2many("customer.cost.entry", string="Costs")
    move_ids = fields.Many2many("account.move", string="Bills", groups=BOOK_GROUPS)
    act = fields.Selection(
        [("ask", "Ask"), ("answer", "Answer")], required=True, default="ask", readonly=True
    )
    asked = fields.Text(compute="_compute_asked", string="Question Asked")
    text = fields.Text(required=True)

    @api.depends("entry_ids", "act")
    def _compute_asked(self):
        for wizard in self:
            asked = wizard.act == "answer" and wizard._get_documents()._get_open_questions()
            wizard.asked = "\n".join(row.reason for row in asked or ())

    def _get_documents(self):
        # sudo: which bills the dialog names; the rights on them are the user's again
        documents = self.entry_ids or self.sudo().move_ids.sudo(False)
        documents.check_access("read")
        return documents

    def action_confirm(self):
        """Ask, or answer."""
        self.ensure_one()
        documents = self._get_documents()
        if self.act == "ask":
            documents._ask(self.text)
        else:
            documents._answer(self.text)
        return {"type": "ir.actions.act_window_close"}
