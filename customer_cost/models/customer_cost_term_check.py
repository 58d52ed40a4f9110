from collections import defaultdict
from datetime import date, timedelta

from odoo import api, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import SQL, float_compare, format_date

NAMED_TERMS = 5


class CustomerCostTermCheck(models.Model):
    """Terms that cannot hold together are refused with both named, in one query for all."""

    _inherit = "customer.cost.term"

    @api.constrains(
        "company_id",
        "customer_id",
        "rule_id",
        "item_id",
        "kind",
        "amount",
        "date_from",
        "date_to",
        "active",
    )
    def _check_conflicts(self):
        pair = self._find_conflict(self.ids)
        if not pair:
            return
        # sudo: the other term may be one of a company that the user does not see
        term, other = self.sudo().browse(pair)
        raise ValidationError(
            self.env._(
                "%(term)s and %(other)s cannot hold at the same time%(reason)s. End one before "
                "the other begins, or archive it.",
                term=f"{term.display_name}: {term.value_text}",
                other=f"{other.display_name}: {other.value_text}",
                reason=term._get_conflict_reason(other),
            )
        )

    def _get_conflict_reason(self, other):
        if {self.kind, other.kind} == {"cap", "floor"}:
            return self.env._(", for the most lies below the least")
        return ""

    @api.model
    def _find_conflict(self, ids, merged=()):
        """Return the ids of two terms in force that exclude each other, or None.

        Of one customer, rule and item only a weight, a cap and a floor not above it go together.

        :param ids: terms of which one has to be in the pair
        :param merged: customers of these terms that count as one
        """
        self.flush_model()
        same = SQL("b.customer_id = a.customer_id")
        if merged:
            same = SQL("b.customer_id = ANY(%s)", list(merged))
        rows = self.env.execute_query(
            SQL(
                """SELECT a.id, b.id
                     FROM customer_cost_term a
                     JOIN customer_cost_term b
                       ON b.id <> a.id AND b.active
                      AND %(same)s
                      AND b.rule_id IS NOT DISTINCT FROM a.rule_id
                      AND b.item_id IS NOT DISTINCT FROM a.item_id
                      AND COALESCE(a.date_from, '-infinity') <= COALESCE(b.date_to, 'infinity')
                      AND COALESCE(b.date_from, '-infinity') <= COALESCE(a.date_to, 'infinity')
                      AND (a.kind = b.kind
                           OR a.kind IN ('exempt', 'fixed_pct', 'fixed_amount')
                           OR b.kind IN ('exempt', 'fixed_pct', 'fixed_amount')
                           OR a.kind = 'cap' AND b.kind = 'floor' AND a.amount < b.amount
                           OR a.kind = 'floor' AND b.kind = 'cap' AND a.amount > b.amount)
                     JOIN res_company ca ON ca.id = a.company_id
                     JOIN res_company cb ON cb.id = b.company_id
                      AND (starts_with(ca.parent_path, cb.parent_path)
                           OR starts_with(cb.parent_path, ca.parent_path))
                    WHERE a.id = ANY(%(ids)s) AND a.active
                 ORDER BY a.id, b.id LIMIT 1""",
                ids=list(ids),
                same=same,
            )
        )
        return rows[0] if rows else None

    @api.model
    def _check_terms_apart(self, customers):
        """Refuse that customers become one whose terms exclude each other.

        :raises UserError: naming two terms
        """
        # sudo: whoever merges customers need not know their terms; only the names are shown
        terms = self.sudo().search([("customer_id", "in", customers.ids)])
        pair = self._find_conflict(terms.ids, customers.ids)
        if pair:
            term, other = terms.browse(pair)
            raise UserError(
                self.env._(
                    "The contract terms %(term)s and %(other)s cannot both hold for one customer. "
                    "End or archive one of them before the customers become one.",
                    term=term.display_name,
                    other=other.display_name,
                )
            )

    # ------------------------------------------------------------
    # Fixed percentages together
    # ------------------------------------------------------------

    @api.constrains(
        "company_id",
        "customer_id",
        "rule_id",
        "item_id",
        "kind",
        "percentage",
        "date_from",
        "date_to",
        "active",
    )
    def _check_percentages(self):
        """Refuse fixed percentages of one item of one rule that pass 100 % in some month."""
        changed = self.filtered(lambda term: term.kind == "fixed_pct" and term.active)
        if not changed:
            return
        # sudo: terms of a branch that the user does not see count as well
        companies = self.env["res.company"].sudo()
        for company in companies.search([("id", "child_of", changed.company_id.ids)]):
            terms = self.sudo().search(
                [("kind", "=", "fixed_pct"), ("company_id", "parent_of", company.id)]
            )
            general = terms.filtered(lambda term: not term.rule_id)
            for rule, own in terms.grouped("rule_id").items():
                if rule in changed.rule_id or changed - changed.filtered("rule_id"):
                    self._check_percentages_of(rule, own | general, company)

    @api.model
    def _check_percentages_of(self, rule, terms, company):
        """Refuse fixed percentages of ``rule`` above 100 %; without a rule, of items alone."""
        sent = rule._get_sent_items(company).mapped("parent_path") if rule else None
        for item in sorted(terms.item_id, key=lambda item: item.id) + [terms.item_id.browse()]:
            path = item.parent_path or ""
            if sent is None and not item:
                continue
            if sent is not None and not any(below.startswith(path) for below in sent):
                continue
            covering = terms.filtered(
                lambda term, path=path: path.startswith(term.item_id.parent_path or "")
            )
            valid, day, total = covering._find_overload()
            if day:
                self._raise_percentages(valid, rule, item, day, total)

    def _find_overload(self):
        """The first day on which the percentages of these terms pass 100 %.

        :return: terms in force then, the day and the total; the day is None if there is none
        """
        events = defaultdict(list)
        for term in self:
            events[term.date_from or date.min].append((term, True))
            if term.date_to:
                events[term.date_to + timedelta(days=1)].append((term, False))
        valid, total = defaultdict(set), 0.0
        for day in sorted(events):
            for term, starts in events[day]:
                own = valid[term.customer_id]
                total -= self._get_decisive_percentage(own)
                (own.add if starts else own.discard)(term)
                total += self._get_decisive_percentage(own)
            if float_compare(total, 100, precision_digits=6) > 0:
                return self.browse(term.id for own in valid.values() for term in own), day, total
        return self.browse(), None, 0.0

    @staticmethod
    def _get_decisive_percentage(terms):
        """Percentage of the one of a customer's terms that is about the nearest item."""
        nearest = max(terms, key=lambda term: term._get_nearness(), default=None)
        return nearest.percentage if nearest else 0.0

    def _raise_percentages(self, valid, rule, item, day, total):
        terms = valid.sorted("percentage", reverse=True)
        raise ValidationError(
            self.env._(
                "The fixed percentages of %(about)s come to %(total)s %% from %(day)s on: "
                "%(terms)s. Together they cannot pass 100 %%.",
                about=" / ".join(filter(None, [rule.name, item.name])),
                total=f"{total:g}",
                day=format_date(self.env, day) if day > date.min else self.env._("the start"),
                terms=", ".join(
                    f"{term.customer_id.name} ({term.percentage:g} %)"
                    for term in terms[:NAMED_TERMS]
                )
                + (" …" if len(terms) > NAMED_TERMS else ""),
            )
        )
