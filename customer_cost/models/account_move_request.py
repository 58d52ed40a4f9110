from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command

RECORDERS = "customer_cost.group_customer_cost_rep"
# Bills that requests are proposed to; a refund takes back what it reverses.
PROPOSAL_TYPES = ("in_invoice", "in_receipt")


class AccountMove(models.Model):
    """Requests on vendor bills: those that fit are proposed, what goes beyond one is said."""

    _inherit = "account.move"

    cost_request_proposal_count = fields.Integer(
        string="Open Requests That Fit",
        compute="_compute_cost_request_proposal_count",
        groups=RECORDERS,
    )
    cost_request_warning = fields.Text(compute="_compute_cost_request_warning", groups=RECORDERS)

    @api.depends(
        "state",
        "partner_id",
        "company_id",
        "invoice_line_ids.cost_customer_id",
        "invoice_line_ids.cost_item_id",
        "invoice_line_ids.cost_request_id",
    )
    def _compute_cost_request_proposal_count(self):
        requests = self.env["customer.cost.entry"]
        for move in self:
            fits = move.state == "draft" and move.move_type in PROPOSAL_TYPES
            move.cost_request_proposal_count = (
                requests.search_count(requests._get_proposal_domain(move)) if fits else 0
            )

    @api.depends(
        "state", "line_ids.cost_request_id", "line_ids.balance", "line_ids.amount_currency"
    )
    def _compute_cost_request_warning(self):
        for move in self:
            # sudo: figures of the requests that the lines name
            lines = move.line_ids.filtered("cost_request_id")
            requests = lines.sudo().cost_request_id._origin
            # What is typed and not saved is no right to read: see _check_may_name_requests.
            saved = move._origin.line_ids.sudo().cost_request_id
            requests = (requests & saved) | (
                (requests - saved).sudo(self.env.su)._filtered_access("read").sudo()
            )
            others = requests._read_settlement(move._origin.ids, rounded=False) if requests else {}
            messages = []
            for request in requests if move.state in ("draft", "posted") else ():
                posted, drafted = others.get(request.id, (0.0, 0.0))
                own = request._get_worth(
                    lines.filtered(lambda line, r=request: line.cost_request_id._origin.id == r.id)
                )
                if move.state == "posted":
                    posted += own
                else:
                    drafted += own
                messages.append(request._get_excess_message(posted, drafted))
            move.cost_request_warning = "\n".join(filter(None, messages))

    def write(self, vals):
        if vals.get("state") != "posted":
            return super().write(vals)
        # sudo: whoever posts settles requests they may not read
        requests = self.filtered(lambda move: move.state != "posted").sudo().line_ids
        requests = requests.cost_request_id
        if requests:
            requests._hold()
        res = super().write(vals)
        requests._follow_settlement()
        return res

    def action_pick_cost_requests(self):
        """Open the dialog that assigns open requests to the lines of this draft bill.

        :raises UserError: no open request fits
        """
        self.ensure_one()
        requests = self.env["customer.cost.entry"]
        requests = requests.search(requests._get_proposal_domain(self), order="date, id", limit=80)
        if not requests:
            raise UserError(
                self.env._("No open request fits %(bill)s any more.", bill=self.display_name)
            )
        lines = self._match_cost_requests(requests)
        pick = self.env["customer.cost.request.pick"].create(
            {
                "move_id": self.id,
                "line_ids": [
                    Command.create(
                        {"request_id": request.id, "move_line_id": lines.get(request, False)}
                    )
                    for request in requests
                ],
            }
        )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Open Requests"),
            "res_model": pick._name,
            "res_id": pick.id,
            "view_mode": "form",
            "target": "new",
        }

    def _match_cost_requests(self, requests):
        """Id of the line each request fits best, every line once: the nearest amount first."""
        free = self.invoice_line_ids.filtered(
            lambda line: line.display_type == "product" and not line.cost_request_id
        )
        pairs = sorted(
            (
                (abs(request._get_worth(line) - request._get_rest()), request.id, line.id)
                for request in requests
                for line in free
                if line.cost_customer_id.commercial_partner_id
                in (request.customer_id, self.env["res.partner"])
                and line.cost_item_id in (request.item_id, request.item_id.browse())
            ),
        )
        matched = {}
        for _distance, request_id, line_id in pairs:
            if request_id not in matched and line_id not in matched.values():
                matched[request_id] = line_id
        return {requests.browse(request_id): line_id for request_id, line_id in matched.items()}
