from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain

from ..engine import to_minor

TERM_KINDS = [
    ("exempt", "Exempt"),
    ("weight", "Weight of the quantity"),
    ("fixed_pct", "Fixed percentage"),
    ("fixed_amount", "Fixed amount a month"),
    ("cap", "At most an amount a month"),
    ("floor", "At least an amount a month"),
]
AMOUNT_KINDS = ("fixed_amount", "cap", "floor")


class CustomerCostTerm(models.Model):
    """What a customer agreed on about the indirect cost it is charged.

    A term is about what one rule sends, about a cost item whichever rule sends it, or about that
    item of that rule. Amounts hold per month and rule. Of several terms of a customer the one of
    the nearest item decides, of those the one that names the rule; the wider one holds for the
    rest. It holds for the months whose last day lies within its validity, as a rule does.
    """

    _name = "customer.cost.term"
    _description = "Contract Term"
    _inherit = ["mail.thread"]
    _order = "customer_id, rule_id, item_id, date_from, id"
    _check_company_auto = True

    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company, index=True
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    customer_id = fields.Many2one(
        "res.partner",
        required=True,
        index=True,
        ondelete="restrict",
        check_company=True,
        tracking=True,
        domain="[('parent_id', '=', False)]",
    )
    rule_id = fields.Many2one(
        "customer.cost.rule",
        string="Allocation Rule",
        index="btree_not_null",
        ondelete="restrict",
        check_company=True,
        tracking=True,
        help="Left empty, the term holds for every rule that sends the cost item.",
    )
    item_id = fields.Many2one(
        "customer.cost.item",
        string="Cost Item",
        index="btree_not_null",
        ondelete="restrict",
        check_company=True,
        tracking=True,
        help="The term holds for this item and what is below it. Left empty, it holds for "
        "everything the rule sends.",
    )
    kind = fields.Selection(TERM_KINDS, required=True, default="exempt", tracking=True)
    factor = fields.Float(
        string="Weight",
        digits=(9, 6),
        min_display_digits=2,
        default=1.0,
        tracking=True,
        help="How many times the customer's quantity of the driver counts: 1.5 for a customer that "
        "takes half as much again.",
    )
    percentage = fields.Float(
        string="%",
        digits=(9, 6),
        min_display_digits=2,
        tracking=True,
        help="Part of what the rule sends that the customer is charged, whatever its quantity.",
    )
    amount = fields.Monetary(
        tracking=True, help="In company currency, for each month and rule; a refund mirrors it."
    )
    value_text = fields.Char(string="Agreed", compute="_compute_value_text")
    date_from = fields.Date(string="Valid From", tracking=True)
    date_to = fields.Date(string="Valid Until", tracking=True)
    reference = fields.Char(string="Contract", tracking=True)
    note = fields.Text()
    active = fields.Boolean(default=True, tracking=True)

    _scope_named = models.Constraint(
        "CHECK(rule_id IS NOT NULL OR item_id IS NOT NULL)",
        "A contract term names an allocation rule, a cost item, or both.",
    )
    _dates_in_order = models.Constraint(
        "CHECK(date_from IS NULL OR date_to IS NULL OR date_from <= date_to)",
        "A contract term cannot end before it begins.",
    )
    _factor_positive = models.Constraint(
        "CHECK(kind <> 'weight' OR factor > 0)",
        "The weight of a quantity lies above 0. Exempt the customer to count nothing.",
    )
    _percentage_range = models.Constraint(
        "CHECK(kind <> 'fixed_pct' OR percentage > 0 AND percentage <= 100)",
        "A fixed percentage lies above 0 and not above 100 %.",
    )
    _amount_positive = models.Constraint(
        "CHECK(kind NOT IN ('fixed_amount', 'cap', 'floor') OR amount > 0)",
        "The amount of a contract term lies above 0. Exempt the customer to charge nothing.",
    )

    @api.depends("customer_id", "rule_id", "item_id", "reference", "kind")
    def _compute_display_name(self):
        kinds = dict(self._fields["kind"]._description_selection(self.env))
        for term in self:
            about = " / ".join(filter(None, [term.rule_id.name, term.item_id.name]))
            name = f"{term.customer_id.name or ''}: {kinds.get(term.kind, '')}, {about}"
            term.display_name = f"{name} ({term.reference})" if term.reference else name

    @api.depends("kind", "factor", "percentage", "amount", "currency_id")
    @api.depends_context("lang")
    def _compute_value_text(self):
        for term in self:
            term.value_text = self._describe(term.kind, term._get_value(), term.currency_id)

    def _get_value(self):
        """The figure of the term: a factor, per cent, or an amount in company currency."""
        self.ensure_one()
        if self.kind in AMOUNT_KINDS:
            return self.amount
        return {"weight": self.factor, "fixed_pct": self.percentage}.get(self.kind, 0.0)

    def _get_engine_value(self, decimals):
        """The same with amounts in minor units."""
        value = self._get_value()
        return to_minor(value, decimals) if self.kind in AMOUNT_KINDS else value

    def _get_nearness(self):
        """Of a customer's terms about an item the one of the greatest nearness decides."""
        self.ensure_one()
        return len(self.item_id.parent_path or ""), bool(self.rule_id)

    @api.model
    def _describe(self, kind, value, currency):
        """What a term of ``kind`` with this figure says, in the language of the context."""
        value = currency.format(value) if kind in AMOUNT_KINDS else f"{value:g}"
        if kind == "exempt":
            return self.env._("Exempt")
        if kind == "weight":
            return self.env._("Quantity × %(factor)s", factor=value)
        if kind == "fixed_pct":
            return self.env._("%(percentage)s %% fixed", percentage=value)
        if kind == "fixed_amount":
            return self.env._("%(amount)s a month, fixed", amount=value)
        if kind == "cap":
            return self.env._("At most %(amount)s a month", amount=value)
        return self.env._("At least %(amount)s a month", amount=value)

    # ------------------------------------------------------------
    # Checks
    # ------------------------------------------------------------

    @api.constrains("customer_id")
    def _check_customer(self):
        # Not in the database: a merge of customers deletes rows that break a rule there.
        for term in self:
            customer = term.customer_id.commercial_partner_id
            if term.customer_id != customer:
                raise ValidationError(
                    self.env._(
                        "%(term)s: %(contact)s is a contact of %(customer)s. A contract term "
                        "belongs to the customer.",
                        term=term.display_name,
                        contact=term.customer_id.display_name,
                        customer=customer.display_name,
                    )
                )

    @api.constrains("rule_id", "item_id")
    def _check_scope(self):
        for rule, terms in self.grouped("rule_id").items():
            if rule.receiver_kind == "centres":
                raise ValidationError(
                    self.env._(
                        "Rule %(rule)s sends to cost centres: no customer has a term there.",
                        rule=rule.name,
                    )
                )
            sent = rule._get_sent_items() if rule else None
            for item in terms.item_id if rule else ():
                if not any(below.parent_path.startswith(item.parent_path) for below in sent):
                    term = terms.filtered(lambda term, item=item: term.item_id == item)[:1]
                    raise ValidationError(
                        self.env._(
                            "Rule %(rule)s does not send %(item)s: the contract term of "
                            "%(customer)s would never hold.",
                            rule=rule.name,
                            item=item.display_name,
                            customer=term.customer_id.display_name,
                        )
                    )

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            if vals.get("customer_id"):
                customer = self.env["res.partner"].browse(vals["customer_id"])
                vals["customer_id"] = customer.commercial_partner_id.id
        return super().create(vals_list)

    @api.model
    def get_import_templates(self):
        return [
            {
                "label": self.env._("Template for Contract Terms"),
                "template": "/customer_cost/static/import/contract_terms.csv",
            }
        ]

    @api.model
    def _get_valid_domain(self, company, date):
        """Terms that hold for the month of ``company`` ending on ``date``."""
        return (
            Domain("company_id", "parent_of", company.id)
            & (Domain("date_from", "=", False) | Domain("date_from", "<=", date))
            & (Domain("date_to", "=", False) | Domain("date_to", ">=", date))
        )
