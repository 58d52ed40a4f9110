from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError


class AccountMoveLine(models.Model):
    """The approved request that a bill line or journal item settles."""

    _inherit = "account.move.line"

    cost_request_id = fields.Many2one(
        "customer.cost.entry",
        string="Settles Request",
        index="btree_not_null",
        copy=False,
        check_company=True,
        tracking=True,
        ondelete="restrict",
        domain="[('settlement_state', 'in', ('open', 'partly')), ('company_id', '=', company_id),"
        " ('customer_id', '=?', cost_customer_id)]",
        help="The approved request that this item settles, in whole or in part.",
    )

    @api.onchange("cost_request_id")
    def _onchange_cost_request_id(self):
        request = self.cost_request_id
        if not request:
            return
        self.cost_customer_id = request.customer_id
        self.cost_item_id = request.item_id
        if not self.name:
            self.name = request.description or request.display_name
        if self.move_id.is_purchase_document(include_receipts=True) and not self.price_unit:
            self.price_unit = request._get_rest_in(
                self.currency_id or self.move_id.currency_id, self.move_id.invoice_date
            )

    @api.model_create_multi
    def create(self, vals_list):
        vals_list = self._with_default_request(vals_list)
        requests = self._browse_requests(vals.get("cost_request_id") for vals in vals_list)
        self._check_may_name_requests(requests)
        vals_list = [self._add_request_vals(vals) for vals in vals_list]
        problems = self._get_request_problems(requests)
        lines = super().create(vals_list)
        if requests:
            lines.filtered("cost_request_id")._check_settles(problems)
        return lines

    def write(self, vals):
        if "cost_request_id" not in vals:
            return super().write(vals)
        request = self._browse_requests([vals["cost_request_id"]])
        changed = self.filtered(lambda line: line.cost_request_id != request)
        left = changed.cost_request_id
        if changed:
            self._check_may_name_requests(request)
        problems = self._get_request_problems(request)
        if not (self.cost_customer_id or "cost_customer_id" in vals):
            vals = self._add_request_vals(vals)
        res = super().write(vals)
        if request:
            changed._check_settles(problems)
        if any(line.parent_state == "posted" for line in changed):
            (left | request)._follow_settlement()
        return res

    @api.model
    def _browse_requests(self, ids):
        # sudo: whoever posts settles requests they may not read; what they may learn is checked
        return self.env["customer.cost.entry"].sudo().browse({id_ for id_ in ids if id_}).exists()

    @api.model
    def _add_request_vals(self, vals):
        """What settles a request is a cost of its customer and item, where nothing else is said."""
        request = self._browse_requests([vals.get("cost_request_id")])
        if not request:
            return vals
        return {
            "cost_customer_id": request.customer_id.id,
            "cost_item_id": request.item_id.id,
            **vals,
        }

    @api.model
    def _get_request_problems(self, requests):
        """Why these requests cannot be settled, before anything settles them here."""
        return {request: request._get_settlement_problem() for request in requests}

    def _check_settles(self, problems):
        """Refuse requests that cannot be settled; credit notes and reversals take back any."""
        for line in self:
            request = line.cost_request_id.sudo()  # sudo: as above
            problem = problems.get(request)
            if problem and not line._takes_back():
                raise UserError(
                    self.env._("%(line)s: %(problem)s", line=line.display_name, problem=problem)
                )

    @api.model
    def _with_default_request(self, vals_list):
        default = self.env.context.get("default_cost_request_id")
        return (
            [{"cost_request_id": default, **vals} for vals in vals_list] if default else vals_list
        )

    @api.model
    def _check_may_name_requests(self, requests):
        """Who may not read a request can carry it along from a document, and choose none.

        Asked before anything is said of a request.
        """
        if self.env.su:
            return
        foreign = requests - requests.sudo(False)._filtered_access("read")
        if not foreign:
            return
        carried = self.search([("cost_request_id", "in", foreign.ids)]).cost_request_id
        if foreign - carried.sudo():  # sudo: compared by id alone
            raise UserError(
                self.env._("You may not settle this request: choose another one or leave it empty.")
            )

    def _takes_back(self):
        move = self.move_id
        if move.move_type == "entry":
            return bool(move.reversed_entry_id) or self.balance < 0
        return bool(move.reversed_entry_id) or move.move_type == "in_refund"

    @api.constrains("cost_request_id", "cost_customer_id")
    def _check_request_customer(self):
        # sudo: the customer alone, of a request whose name is on the item
        for line in self.sudo().filtered("cost_request_id"):
            request = line.cost_request_id
            if line.cost_customer_id.commercial_partner_id != request.customer_id:
                raise ValidationError(
                    self.env._(
                        "%(line)s: %(request)s is for %(owner)s, the item for %(customer)s. "
                        "Choose that customer or another request.",
                        line=line.display_name,
                        request=request.display_name,
                        owner=request.customer_id.display_name or self.env._("no customer"),
                        customer=line.cost_customer_id.display_name or self.env._("no customer"),
                    )
                )

    def _copy_data_extend_business_fields(self, values):
        # Credit notes and reversals give back to the request what they take.
        res = super()._copy_data_extend_business_fields(values)
        values["cost_request_id"] = self.cost_request_id.id
        return res
