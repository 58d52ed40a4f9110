from odoo import models
from odoo.exceptions import UserError
from odoo.fields import Command, Domain

from .customer_cost_entry_request import OPEN_STATES


class CustomerCostEntry(models.Model):
    """From an approved request to the bill that settles it."""

    _inherit = "customer.cost.entry"

    def action_create_bill(self):
        """Make a draft vendor bill of what is open and in no draft document yet.

        :return: action that opens the bill
        :raises UserError: the request cannot be settled, or draft documents ask for all of it
        """
        self.ensure_one()
        self.check_access("read")
        problem = self._get_settlement_problem()
        if problem:
            raise UserError(problem)
        if self.company_currency_id.is_zero(self._get_rest()):
            raise UserError(
                self.env._(
                    "%(request)s: draft documents already ask for %(drafted)s, nothing is left "
                    "of %(open)s.",
                    request=self.display_name,
                    drafted=self._format_company(self.drafted_amount),
                    open=self._format_company(self.open_amount),
                )
            )
        bill = (
            self.env["account.move"].with_company(self.company_id).create(self._prepare_bill_vals())
        )
        return {
            "type": "ir.actions.act_window",
            "res_model": "account.move",
            "res_id": bill.id,
            "view_mode": "form",
        }

    def _prepare_bill_vals(self):
        return {
            "move_type": "in_invoice",
            "company_id": self.company_id.id,
            "partner_id": self.vendor_id.id,
            "currency_id": self.currency_id.id,
            "invoice_line_ids": [Command.create(self._prepare_bill_line_vals(self.currency_id))],
        }

    def _prepare_bill_line_vals(self, currency, day=None):
        """Values of a bill line that settles the rest, in ``currency`` at the rate of ``day``."""
        vals = {
            "name": self.description or self.display_name,
            "quantity": 1,
            "price_unit": self._get_rest_in(currency, day),
            "cost_customer_id": self.customer_id.id,
            "cost_item_id": self.item_id.id,
            "cost_request_id": self.id,
        }
        account = self._get_bill_account()
        return {**vals, "account_id": account.id} if account else vals

    def _get_bill_account(self):
        """The first expense account that the map puts on the item, as far as one does."""
        # sudo: which account an item is booked on, no amount
        rows = self.env["customer.cost.account.map"].sudo()
        return rows.search(
            [
                ("item_id", "=", self.item_id.id),
                ("company_id", "parent_of", self.company_id.ids),
                ("account_id.account_type", "=like", "expense%"),
            ],
            limit=1,
        ).account_id

    def _get_rest(self):
        """What is open and in no draft document, company currency."""
        self.ensure_one()
        return max(self.open_amount - self.drafted_amount, 0.0)

    def _get_rest_in(self, currency, day=None):
        """The rest in ``currency``: at the request's own rate in its currency, else of ``day``."""
        rest = self._get_rest()
        if currency == self.currency_id:
            return currency.round(self.amount * rest / self.amount_company)
        return self.company_currency_id._convert(rest, currency, self.company_id, day or self.date)

    def _get_proposal_domain(self, move):
        """Open requests of the vendor that fit a line of a draft bill without a request."""
        vendor = move.commercial_partner_id
        lines = move.invoice_line_ids.filtered(
            lambda line: line.display_type == "product" and not line.cost_request_id
        )
        from_vendor = Domain("vendor_id.commercial_partner_id", "=", vendor.id)
        fits = Domain.FALSE
        for customer, item in {
            (line.cost_customer_id.commercial_partner_id, line.cost_item_id) for line in lines
        }:
            of_item = Domain("item_id", "=", item.id) if item else Domain.TRUE
            if customer:
                fits |= (
                    Domain("customer_id", "=", customer.id)
                    & of_item
                    & (from_vendor | Domain("vendor_id", "=", False))
                )
            else:
                fits |= from_vendor & of_item
        if not vendor or not lines:
            return Domain.FALSE
        return (
            Domain("company_id", "=", move.company_id.id)
            & Domain("settlement_state", "in", OPEN_STATES)
            & Domain("id", "not in", move.invoice_line_ids.cost_request_id.ids)
            & fits
        )
