import ast
from collections import defaultdict
from decimal import Decimal

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain
from odoo.tools import float_compare

from .customer_cost_item import FULL_COST_LEVELS


class CustomerCostRule(models.Model):
    """Who sends which part of what indirect cost to which customers, and by what."""

    _name = "customer.cost.rule"
    _description = "Allocation Rule"
    _inherit = ["mail.thread", "customer.cost.company.mixin"]
    _order = "sequence, id"
    _check_company_auto = True

    name = fields.Char(required=True, translate=True, tracking=True)
    sequence = fields.Integer(default=10, tracking=True)
    active = fields.Boolean(default=True, tracking=True)
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company, index=True
    )
    date_from = fields.Date(string="Valid From", tracking=True)
    date_to = fields.Date(string="Valid Until", tracking=True)
    sender_item_ids = fields.Many2many(
        "customer.cost.item",
        "customer_cost_rule_item_rel",
        "rule_id",
        "item_id",
        string="Cost Items",
        check_company=True,
        help="Their sub-items are sent as well.",
    )
    sender_centre_ids = fields.Many2many(
        "account.analytic.account",
        "customer_cost_rule_centre_rel",
        "rule_id",
        "account_id",
        string="Cost Centres",
        check_company=True,
        help="Left empty, the cost of every centre and of none is sent.",
    )
    share_pct = fields.Float(
        string="Share %",
        digits=(9, 6),
        min_display_digits=2,
        default=100.0,
        tracking=True,
        help="Part of the pool that this rule sends.",
    )
    carry_forward = fields.Boolean(
        string="Include Earlier Months",
        tracking=True,
        help="Also sends what earlier months of the fiscal year left in the pool.",
    )
    method = fields.Selection(
        [
            ("driver", "By a driver"),
            ("fixed", "By fixed percentages"),
            ("equal", "Equally"),
            ("rate", "Quantity × rate by practical capacity"),
            ("predetermined", "Quantity × fixed rate"),
        ],
        required=True,
        default="driver",
        tracking=True,
    )
    driver_id = fields.Many2one(
        "customer.cost.driver",
        index=True,
        ondelete="restrict",
        check_company=True,
        tracking=True,
    )
    fixed_ids = fields.One2many(
        "customer.cost.rule.fixed", "rule_id", string="Fixed Percentages", copy=True
    )
    receiver_domain = fields.Char(
        string="Receivers",
        default="[]",
        tracking=True,
        help="Customers that take part; companies of the group only if they are included.",
    )
    include_intercompany = fields.Boolean(
        string="Include Group Companies",
        tracking=True,
        help="Also charges customers that are companies of the group.",
    )
    full_cost = fields.Boolean(
        tracking=True,
        help="The result is a line of its own below customer profit and never changes it.",
    )
    note = fields.Text(help="Why this cost is shared out this way.")

    _share_range = models.Constraint(
        "CHECK(share_pct > 0 AND share_pct <= 100)",
        "The share lies above 0 and not above 100 %.",
    )
    _dates_in_order = models.Constraint(
        "CHECK(date_from IS NULL OR date_to IS NULL OR date_from <= date_to)",
        "A rule cannot end before it begins.",
    )

    @api.constrains("method", "driver_id", "fixed_ids", "receiver_kind")
    def _check_method(self):
        for rule in self.filtered(lambda rule: rule.receiver_kind == "customers"):
            if rule._uses_driver() and not rule.driver_id:
                raise ValidationError(self.env._("Rule %(rule)s needs a driver.", rule=rule.name))
            if rule.method == "fixed":
                total = sum(rule.fixed_ids.mapped("percentage"))
                if not rule.fixed_ids or float_compare(total, 100, precision_digits=6) > 0:
                    raise ValidationError(
                        self.env._(
                            "Rule %(rule)s: the fixed percentages add up to %(total)s %%. "
                            "They have to lie above 0 and not above 100 %%.",
                            rule=rule.name,
                            total=f"{total:g}",
                        )
                    )

    @api.constrains("sender_item_ids", "full_cost", "receiver_kind")
    def _check_senders(self):
        for rule in self:
            if not rule.sender_item_ids:
                raise ValidationError(
                    self.env._("Rule %(rule)s sends no cost item.", rule=rule.name)
                )
            if rule.full_cost or rule.receiver_kind == "centres":
                continue
            for item in rule._get_sent_items():
                if item.level in FULL_COST_LEVELS:
                    raise ValidationError(
                        self.env._(
                            "Rule %(rule)s: %(item)s is %(level)s cost. It reaches customers "
                            "only by a rule marked Full Cost.",
                            rule=rule.name,
                            item=item.display_name,
                            level=dict(item._fields["level"]._description_selection(self.env))[
                                item.level
                            ],
                        )
                    )

    @api.constrains("receiver_domain")
    def _check_receiver_domain(self):
        for rule in self:
            try:
                domain = rule._get_receiver_domain()
                self.env["customer.cost.driver"]._check_reach(self.env["res.partner"], domain)
                domain.validate(self.env["res.partner"])
            except Exception as error:  # noqa: BLE001 - whatever is wrong with it is reported
                rule._raise_receivers(error)

    def _raise_receivers(self, problem):
        raise ValidationError(
            self.env._("Rule %(rule)s, receivers: %(error)s", rule=self.name, error=problem)
        )

    def _get_receiver_domain(self):
        try:
            conditions = ast.literal_eval(self.receiver_domain or "[]")
        except (ValueError, SyntaxError) as error:
            raise ValidationError(self.env._("this is not a list of conditions")) from error
        return Domain(conditions)

    def _get_sent_items(self, company=None):
        """Items this rule sends of ``company``: those named on it and all below them."""
        # sudo: which items belong to a company does not depend on who computes its run
        items = self.env["customer.cost.item"].sudo().with_context(active_test=False)
        return items.search(
            Domain("id", "child_of", self.sender_item_ids.ids)
            & items._get_available_domain(company or self.company_id)
        )

    @api.model
    def _get_valid_rules(self, company, date):
        """Rules that apply to the period ending on ``date``, in their order."""
        return self.search(
            [
                ("company_id", "parent_of", company.id),
                "|",
                ("date_from", "=", False),
                ("date_from", "<=", date),
                "|",
                ("date_to", "=", False),
                ("date_to", ">=", date),
            ]
        )

    def _filter_receivers(self, customer_ids):
        """Return which of ``customer_ids`` take part, ascending.

        :param customer_ids: iterable of commercial partner ids
        :return: list of ids; companies of the group are left out unless the rule includes them
        """
        self.ensure_one()
        # sudo: the rule's author may not see every customer, the cost is shared over all
        partners = self.env["res.partner"].sudo().with_context(active_test=False)
        ids = set(customer_ids)
        if not self.include_intercompany:
            group = partners.search([("ref_company_ids", "!=", False)]).commercial_partner_id
            ids.difference_update(group.ids)
        domain = self._get_receiver_domain()
        if not domain.is_true():
            ids &= set(partners.search(domain, order="id").ids)
        return sorted(ids)

    def _get_fixed_percentages(self):
        """Fixed percentages as a dict of commercial partner id to percentage, ids ascending."""
        self.ensure_one()
        percentages = defaultdict(Decimal)
        for line in self.fixed_ids:
            customer = line.customer_id.commercial_partner_id.id
            percentages[customer] += Decimal(str(line.percentage))
        return dict(sorted(percentages.items()))

    def _get_definition(self, company, date):
        """Everything on the rule and its driver that decides the month ending on ``date``."""
        self.ensure_one()
        driver = self._get_used_driver()
        return (
            self.id,
            self.method,
            self.share_pct,
            self.carry_forward,
            self.full_cost,
            self.receiver_domain,
            self.include_intercompany,
            sorted(self._get_sent_items(company).ids),
            sorted(self.sender_centre_ids.ids),
            list(self._get_fixed_percentages().items()) if self.method == "fixed" else [],
            driver.id,
            driver._get_definition() if driver else [],
            self._get_method_definition(date),
        )

    def _get_text(self, date):
        """The rule in words, as it stands on the steps of the month ending on ``date``."""
        self.ensure_one()
        items = ", ".join(self.sender_item_ids.mapped("display_name"))
        if self.send_kind == "amount":
            sent = self.env._(
                "Sends %(amount)s of %(items)s",
                amount=self.currency_id.format(self.send_amount),
                items=items,
            )
        else:
            sent = self.env._(
                "Sends %(share)s %% of %(items)s", share=f"{self.share_pct:g}", items=items
            )
        parts = [sent]
        if self.behaviour != "all":
            parts.append(
                dict(self._fields["behaviour"]._description_selection(self.env))[self.behaviour]
            )
        if self.sender_centre_ids:
            parts.append(
                self.env._(
                    "of cost centres %(centres)s",
                    centres=", ".join(self.sender_centre_ids.mapped("display_name")),
                )
            )
        if self.carry_forward:
            parts.append(self.env._("with what earlier months of the fiscal year left"))
        parts.append(self._get_method_text(date))
        if self.charge_item_id:
            parts.append(self.env._("charged as %(item)s", item=self.charge_item_id.display_name))
        if not self._get_receiver_domain().is_true():
            parts.append(self.env._("receivers: %(domain)s", domain=self.receiver_domain))
        if self.include_intercompany:
            parts.append(self.env._("companies of the group included"))
        if self.full_cost:
            parts.append(self.env._("as full cost"))
        return "; ".join(parts)
