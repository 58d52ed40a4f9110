from odoo import models

from ..engine import TermsUnfit, from_minor

NAMED_TERMS = 10


class CustomerCostRunTerms(models.Model):
    """Contract terms in a run: kept on its steps as they were, and what is wrong with them."""

    _inherit = "customer.cost.run"

    def _prepare_step_vals(self, rule, rule_input, step):
        vals = super()._prepare_step_vals(rule, rule_input, step)
        if rule_input.terms:
            vals["terms"] = self._prepare_step_terms(rule, set(step.ids.tolist()))
        return vals

    def _prepare_step_terms(self, rule, customers):
        """Terms of the receivers by customer id, each as kind, figure, contract and item id."""
        found = {}
        for term, _items in rule._read_terms(self.company_id, self._get_month()[1]):
            if term.customer_id.id in customers:
                found.setdefault(str(term.customer_id.id), []).append(
                    [term.kind, term._get_value(), term.reference or "", term.item_id.id]
                )
        return found

    def _describe_problem(self, error):
        if not isinstance(error, TermsUnfit):
            return super()._describe_problem(error)
        term = self.env["customer.cost.term"]
        kinds = dict(term._fields["kind"]._description_selection(self.env))
        # sudo: named for the accountant who computes the run
        partners = self.env["res.partner"].sudo()
        claims = [
            self.env._(
                "%(customer)s (%(kind)s: %(amount)s)",
                customer=partners.browse(customer).display_name,
                kind=kinds[kind],
                amount=self._format_minor(minor),
            )
            for customer, kind, minor in error.claims[:NAMED_TERMS]
        ]
        more = len(error.claims) - len(claims)
        if more > 0:
            claims.append(self.env._("and %(count)s more", count=more))
        return self.env._(
            "Rule %(rule)s has %(available)s to charge, but contract terms claim %(claimed)s of "
            "it: %(claims)s. Lower or end one of these terms.",
            rule=self.env["customer.cost.rule"].browse(error.rules).name,
            available=self._format_minor(error.available),
            claimed=self._format_minor(sum(minor for _customer, _kind, minor in error.claims)),
            claims=", ".join(claims),
        )

    def _format_minor(self, minor):
        return self.currency_id.format(float(from_minor(minor, self.currency_id.decimal_places)))
