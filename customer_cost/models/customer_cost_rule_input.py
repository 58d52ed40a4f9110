import numpy as np

from odoo import models
from odoo.fields import Domain

from ..engine import MEASURED, Blend, Receivers, RuleInput, SoFar, no_receivers, to_minor


class CustomerCostRuleInput(models.Model):
    """A rule as the engine takes it, for one month of one company."""

    _inherit = "customer.cost.rule"

    def _get_input(self, company, date, settled, bases, charged):
        """Return the :class:`RuleInput` of the month ending on ``date``.

        :param settled: dict of item id to minor units, what this rule gave to customers in earlier
            posted runs of the fiscal year
        :param bases: dict that keeps what drivers count, for the next rule
        :param charged: ids of the customers that rules before this one can charge
        """
        self.ensure_one()
        to_centres = self.receiver_kind == "centres"
        by_amount = self.send_kind == "amount" and not to_centres
        return RuleInput(
            key=self.id,
            items=frozenset(self._get_sent_items(company).ids),
            method="driver" if to_centres else self.method,
            centres=frozenset(self.sender_centre_ids.ids),
            parts=self._get_parts(),
            share=self.share_pct,
            amount=to_minor(self.send_amount, company.currency_id.decimal_places)
            if by_amount
            else None,
            charge_item=self.charge_item_id.id or None,
            full_cost=self.full_cost,
            carry=self.carry_forward,
            settled=settled,
            receivers=no_receivers()
            if to_centres
            else self._get_receivers(company, date, bases, charged),
            centres_to=self._get_centre_weights(date) if to_centres else None,
            standard=self.standard_quantity,
            capacity=self._get_capacity(date),
            rate=self.unit_rate,
            rest=self.rest if self.method in MEASURED else "keep",
        )

    def _get_receivers(self, company, date, bases, charged):
        """Customers of the rule with what each counts, in ascending id."""
        if self.method == "fixed":
            return self._make_receivers(self._get_fixed_percentages())
        if self.method == "equal":
            return self._make_receivers(dict.fromkeys(self._search_receivers(company), 1))
        return self._get_driver_receivers(self.driver_id, company, date, bases, charged)

    def _get_driver_receivers(self, driver, company, date, bases, charged):
        """Customers of the rule with what each counts by ``driver``."""
        if driver not in bases:
            bases[driver] = driver._get_basis(company, date)
        basis = bases[driver]
        so_far = basis.counts_so_far
        candidates = basis.customers.tolist()
        ids = self._filter_receivers([*candidates, *charged] if so_far else candidates)
        ids = np.array(ids, dtype=np.int64)
        if isinstance(basis, Blend):
            given = {"quantities": np.ones(len(ids)), "blend": basis}
        else:
            given = {"quantities": basis.align(ids), "policy": basis.policy}
        return Receivers(ids, so_far=SoFar() if so_far else None, **given)

    def _make_receivers(self, found):
        return Receivers(
            np.fromiter(found, dtype=np.int64, count=len(found)),
            np.fromiter(map(float, found.values()), dtype=np.float64, count=len(found)),
        )

    def _search_receivers(self, company):
        """Customers that the rule's domain describes, ascending."""
        # sudo: the rule's author may not see every customer, the cost is shared over all
        partners = (
            self.env["res.partner"]
            .sudo()
            .search(
                self._get_receiver_domain()
                & Domain(self.env["res.partner"]._check_company_domain(company.parent_ids))
            )
        )
        return self._filter_receivers(partners.commercial_partner_id.ids)
