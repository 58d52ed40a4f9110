from dataclasses import replace

from odoo import fields, models
from odoo.fields import Domain

from ..engine import Term

# A customer with one of these is charged without any quantity of the driver.
CHARGED_ANYWAY = ("fixed_pct", "fixed_amount", "floor")


class CustomerCostRuleTerms(models.Model):
    """What customers of a rule agreed on, as the engine takes it."""

    _inherit = "customer.cost.rule"
    _check_company_domain = models.check_company_domain_parent_of

    term_spill = fields.Selection(
        [("others", "Is charged to the others"), ("pool", "Stays in the pool")],
        string="What a Cap Cuts",
        required=True,
        default="others",
        tracking=True,
        help="Caps are contract terms of customers. Fixed amounts and floors are always borne by "
        "the others.",
    )
    term_ids = fields.One2many("customer.cost.term", "rule_id", string="Own Contract Terms")
    term_count = fields.Integer(string="Contract Terms", compute="_compute_term_count")

    def _compute_term_count(self):
        terms = self.env["customer.cost.term"]
        for rule in self:
            rule.term_count = terms.search_count(rule._get_terms_domain())

    def _get_terms_domain(self, company=None):
        """Terms of this rule, and those of every rule about what it sends of ``company``."""
        self.ensure_one()
        return Domain("rule_id", "=", self.id) | (
            Domain("rule_id", "=", False)
            & Domain("item_id", "parent_of", self._get_sent_items(company).ids)
        )

    def action_open_terms(self):
        """Open the contract terms that concern this rule."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "customer_cost.customer_cost_term_action"
        )
        return {
            **action,
            "domain": list(self._get_terms_domain()),
            "context": {"default_rule_id": self.id, "default_company_id": self.company_id.id},
        }

    def _read_terms(self, company, date):
        """Terms that concern this rule in the month of ``company`` ending on ``date``.

        Of a customer's terms about the same of these items those of the nearest item come first,
        then those that name the rule; a weight goes beside the others.

        :return: list of ``(term, items)``, items a frozenset of ids or None for everything sent
        """
        self.ensure_one()
        # sudo: what customers agreed on holds whoever computes the run
        terms = self.env["customer.cost.term"].sudo()
        terms = terms.search(
            terms._get_valid_domain(company, date) & self._get_terms_domain(company)
        )
        paths = {item.id: item.parent_path for item in self._get_sent_items(company)}
        covered = {
            item: frozenset(
                sent for sent, path in paths.items() if path.startswith(item.parent_path)
            )
            for item in terms.item_id
        }
        found = [(term, covered.get(term.item_id)) for term in terms]
        found = [(term, items) for term, items in found if items is None or items]
        nearest = {}
        for term, items in found:
            nearest.setdefault(self._get_scope(term, items), set()).add(term._get_nearness())
        return [
            (term, items)
            for term, items in found
            if term._get_nearness() == max(nearest[self._get_scope(term, items)])
        ]

    @staticmethod
    def _get_scope(term, items):
        return term.customer_id.id, term.kind == "weight", items

    def _get_terms(self, company, date):
        """Return the engine's terms of the month of ``company`` ending on ``date``."""
        decimals = company.currency_id.decimal_places
        return tuple(
            Term(
                term.customer_id.id,
                term.kind,
                term._get_engine_value(decimals),
                items,
                self.term_spill,
            )
            for term, items in self._read_terms(company, date)
        )

    def _get_definition(self, company, date):
        terms = [
            (term.customer, term.kind, term.value, term.items and sorted(term.items))
            for term in self._get_terms(company, date)
        ]
        return (*super()._get_definition(company, date), self.term_spill, terms)

    def _get_text(self, date):
        text = super()._get_text(date)
        if self.term_spill == "pool":
            text = "; ".join([text, self.env._("what a cap cuts stays in the pool")])
        return text

    def _get_input(self, company, date, settled, bases, charged):
        rule_input = super()._get_input(company, date, settled, bases, charged)
        if rule_input.to_pools:
            return rule_input
        terms = self._get_terms(company, date)
        return replace(
            rule_input, terms=terms, receivers=self._add_receivers(rule_input.receivers, terms)
        )

    def _add_receivers(self, receivers, terms):
        """Let customers take part that are charged without any quantity."""
        anyway = {term.customer for term in terms if term.kind in CHARGED_ANYWAY}
        more = self._filter_receivers(anyway.difference(receivers.ids.tolist()))
        return receivers.with_more(more) if more else receivers
