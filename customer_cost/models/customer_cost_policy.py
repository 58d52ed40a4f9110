from typing import NamedTuple

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import format_date, formatLang

from ..engine import from_minor, to_minor, whole_within

POLICY_KINDS = [
    ("receipt", "Receipt required above an amount"),
    ("entry_limit", "Limit per cost"),
    ("month_limit", "Limit per customer and month"),
    ("payment", "Allowed payment methods"),
    ("tag", "Allowed customer tags"),
    ("late", "Late after days"),
]
POLICY_LEVELS = [("warn", "Warns"), ("block", "Blocks")]
AMOUNT_KINDS = ("receipt", "entry_limit", "month_limit")


class Breach(NamedTuple):
    """A policy that a cost does not keep: figure and limit as the policy counts them."""

    policy: models.BaseModel
    figure: float
    limit: float
    message: str


class CustomerCostPolicy(models.Model):
    """One rule that costs recorded by hand have to keep."""

    _name = "customer.cost.policy"
    _description = "Cost Policy"
    _inherit = ["mail.thread"]
    _order = "item_id, kind, id"
    _check_company_auto = True

    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company, index=True
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    item_id = fields.Many2one(
        "customer.cost.item",
        string="Cost Item",
        index=True,
        ondelete="restrict",
        check_company=True,
        tracking=True,
        help="The rule holds for this item and what is below it. Empty: for every item.",
    )
    kind = fields.Selection(
        POLICY_KINDS, string="Rule", required=True, default="receipt", tracking=True
    )
    amount = fields.Monetary(
        tracking=True,
        help="In company currency. A cost of exactly this amount keeps the rule.",
    )
    days = fields.Integer(
        tracking=True, help="Days from the date of a cost to its submission that keep the rule."
    )
    allow_own = fields.Boolean(string="Paid by the Employee", tracking=True)
    allow_company = fields.Boolean(string="Paid by the Company", tracking=True)
    allow_none = fields.Boolean(string="No Payment", tracking=True)
    tag_ids = fields.Many2many("res.partner.category", string="Customer Tags")
    level = fields.Selection(
        POLICY_LEVELS,
        string="A Breach",
        required=True,
        default="warn",
        tracking=True,
        help="A warning is counted and lets the cost pass; a block refuses its submission.",
    )
    text = fields.Char(
        string="Policy Text",
        translate=True,
        help="Stands on the form where the cost is recorded, beside the rule.",
    )
    active = fields.Boolean(default=True, tracking=True)
    breach_count = fields.Integer(compute="_compute_breach_count")

    _figures_positive = models.Constraint(
        "CHECK(amount >= 0 AND days >= 0)", "Amount and days of a policy cannot be negative."
    )

    @api.depends("kind", "amount", "days", "allow_own", "allow_company", "allow_none", "tag_ids")
    @api.depends("item_id")
    def _compute_display_name(self):
        for policy in self:
            text = policy._get_rule_text()
            item = policy.item_id.name
            policy.display_name = f"{item}: {text}" if item else text

    def _compute_breach_count(self):
        groups = self.env["customer.cost.policy.breach"]._read_group(
            [("policy_id", "in", self.ids)], ["policy_id"], ["__count"]
        )
        counts = {policy.id: count for policy, count in groups}
        for policy in self:
            policy.breach_count = counts.get(policy.id, 0)

    @api.constrains("kind", "amount", "allow_own", "allow_company", "allow_none", "tag_ids")
    def _check_rule(self):
        for policy in self:
            if policy.kind in ("entry_limit", "month_limit") and not policy.amount:
                raise ValidationError(self.env._("Say the amount of the limit."))
            if policy.kind == "payment" and not policy._get_allowed_methods():
                raise ValidationError(self.env._("Allow at least one payment method."))
            if policy.kind == "tag" and not policy.tag_ids:
                raise ValidationError(self.env._("Choose the customer tags that are allowed."))

    @api.ondelete(at_uninstall=False)
    def _unlink_except_breached(self):
        # sudo: a breach that the user may not see protects its policy as well
        breach = self.env["customer.cost.policy.breach"].sudo()
        breach = breach.search([("policy_id", "in", self.ids)], limit=1)
        if breach:
            raise UserError(
                self.env._(
                    "%(policy)s was breached and is part of the report. Archive it instead.",
                    policy=breach.policy_id.display_name,
                )
            )

    def action_open_breaches(self):
        """Open the breaches of this policy."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "customer_cost.customer_cost_policy_breach_action"
        )
        return {**action, "domain": [("policy_id", "=", self.id)], "context": {}}

    # ------------------------------------------------------------
    # The rule in words
    # ------------------------------------------------------------

    def _format(self, amount):
        return formatLang(self.env, amount, currency_obj=self.currency_id)

    def _get_allowed_methods(self):
        return [name for name in ("own", "company", "none") if self[f"allow_{name}"]]

    def _get_rule_text(self):
        """The rule with its figure, translated."""
        self.ensure_one()
        if self.kind == "receipt":
            return self.env._(
                "A receipt is required above %(limit)s", limit=self._format(self.amount)
            )
        if self.kind == "entry_limit":
            return self.env._("At most %(limit)s per cost", limit=self._format(self.amount))
        if self.kind == "month_limit":
            return self.env._(
                "At most %(limit)s per customer and month", limit=self._format(self.amount)
            )
        if self.kind == "payment":
            methods = dict(
                self.env["customer.cost.entry"]
                ._fields["payment_method"]
                ._description_selection(self.env)
            )
            return self.env._(
                "Payment only: %(methods)s",
                methods=", ".join(methods[name] for name in self._get_allowed_methods()),
            )
        if self.kind == "tag":
            return self.env._(
                "Only for customers with tag: %(tags)s",
                tags=", ".join(self.tag_ids.mapped("name")),
            )
        return self.env._("Submitted within %(days)s days", days=self.days)

    # ------------------------------------------------------------
    # Checks
    # ------------------------------------------------------------

    def _applies_to(self, entry):
        """Whether the rule holds for the company and the item of a cost."""
        return self.company_id in entry.company_id.parent_ids and (
            not self.item_id
            or (entry.item_id.parent_path or "").startswith(self.item_id.parent_path)
        )

    def _get_breach(self, entry, month_total):
        """What this policy says of a cost it applies to.

        :param month_total: month and cost of the customer and the policy's items in it, this one
            included, company currency
        :return: a :class:`Breach`, or ``None``
        """
        return getattr(self, f"_get_breach_{self.kind}")(entry, month_total)

    def _make_breach(self, figure, limit, message):
        return Breach(self, figure, limit, f"{self.display_name}: {message}")

    def _is_above(self, amount):
        return self.currency_id.compare_amounts(amount, self.amount) > 0

    def _get_breach_receipt(self, entry, month_total):
        if not self._is_above(entry.amount_company) or entry.receipt_ids:
            return None
        return self._make_breach(
            entry.amount_company,
            self.amount,
            self.env._(
                "this cost is %(amount)s and has none.", amount=self._format(entry.amount_company)
            ),
        )

    def _get_breach_entry_limit(self, entry, month_total):
        if not self._is_above(entry.amount_company):
            return None
        return self._make_breach(
            entry.amount_company,
            self.amount,
            self.env._("this cost is %(amount)s.", amount=self._format(entry.amount_company)),
        )

    def _get_breach_month_limit(self, entry, month_total):
        month, total = month_total
        if not entry.customer_id or not self._is_above(total):
            return None
        return self._make_breach(
            total,
            self.amount,
            self.env._(
                "with this cost, %(month)s comes to %(total)s for %(customer)s.",
                month=format_date(self.env, month, date_format="MMMM y"),
                total=self._format(total),
                customer=entry.customer_id.display_name,
            ),
        )

    def _get_room(self, amount, months):
        """What of a cost leaves every month that it serves within this limit.

        :param amount: the whole cost, company currency
        :param months: pairs of what it asks of a month and what that month comes to with it
        """
        digits = self.currency_id.decimal_places
        whole = to_minor(amount, digits)
        rooms = [
            whole_within(whole, to_minor(own, digits), to_minor(self.amount - total + own, digits))
            for own, total in months
        ]
        return float(from_minor(min(rooms), digits))

    def _get_breach_payment(self, entry, month_total):
        if not entry.payment_method or entry.payment_method in self._get_allowed_methods():
            return None
        methods = dict(entry._fields["payment_method"]._description_selection(self.env))
        return self._make_breach(
            0.0, 0.0, self.env._("this cost is: %(method)s.", method=methods[entry.payment_method])
        )

    def _get_breach_tag(self, entry, month_total):
        if not entry.customer_id or entry.customer_id.category_id & self.tag_ids:
            return None
        return self._make_breach(
            0.0,
            0.0,
            self.env._("%(customer)s has none.", customer=entry.customer_id.display_name),
        )

    def _get_breach_late(self, entry, month_total):
        age = (entry._get_submission_day() - entry.date).days
        if age <= self.days:
            return None
        return self._make_breach(
            age, self.days, self.env._("this cost is %(days)s days old.", days=age)
        )
