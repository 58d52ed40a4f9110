from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import float_compare, format_date

from ..engine import BY_CAPACITY, BY_FIXED_RATE, MEASURED, PARTS
from ..fields import Quantity
from .customer_cost_item import FULL_COST_LEVELS

DRIVER_METHODS = ("driver", *MEASURED)


class CustomerCostRuleMethod(models.Model):
    """How a rule shares out what it sends: each method has its own fields."""

    _inherit = "customer.cost.rule"

    currency_id = fields.Many2one(related="company_id.currency_id")
    receiver_kind = fields.Selection(
        [("customers", "Customers"), ("centres", "Cost centres")],
        string="Sends To",
        required=True,
        default="customers",
        tracking=True,
        help="Rules to cost centres come first: centres serve each other, then the rules to "
        "customers send what the centres hold.",
    )
    send_kind = fields.Selection(
        [("share", "A share of the pool"), ("amount", "A fixed amount a month")],
        string="What It Sends",
        required=True,
        default="share",
        tracking=True,
    )
    send_amount = fields.Monetary(
        string="Amount a Month",
        tracking=True,
        help="Sent every month as far as the pool holds it; the rest goes on to later rules.",
    )
    behaviour = fields.Selection(
        [
            ("all", "Fixed and variable cost"),
            ("fixed", "Fixed cost only"),
            ("variable", "Variable cost only"),
        ],
        string="Part of It",
        required=True,
        default="all",
        tracking=True,
    )
    charge_item_id = fields.Many2one(
        "customer.cost.item",
        string="Charge As",
        index="btree_not_null",
        ondelete="restrict",
        check_company=True,
        tracking=True,
        help="The receivers are charged this cost item. Left empty, they see the items that were "
        "sent.",
    )
    centre_ids = fields.One2many(
        "customer.cost.rule.centre", "rule_id", string="Receiving Centres", copy=True
    )
    capacity_ids = fields.One2many(
        "customer.cost.rule.capacity", "rule_id", string="Practical Capacity", copy=True
    )
    standard_quantity = Quantity(
        string="Standard per Unit",
        default=1.0,
        tracking=True,
        help="What one unit of the driver needs of the capacity, e.g. minutes per order.",
    )
    unit_rate = fields.Float(
        string="Rate per Unit",
        digits=(20, 6),
        min_display_digits=2,
        tracking=True,
        help="Charged for every unit of the driver, in company currency.",
    )
    rest = fields.Selection(
        [
            ("keep", "Stays on a line of its own"),
            ("onward", "Goes on to later rules"),
            ("charge", "Is charged by the driver as well"),
        ],
        string="What Is Left",
        required=True,
        default="keep",
        tracking=True,
        help="What the quantities do not use. When they use more than there is, it is negative.",
    )

    @api.constrains(
        "receiver_kind", "centre_ids", "sender_centre_ids", "carry_forward", "send_kind"
    )
    def _check_centres(self):
        for rule in self.filtered(lambda rule: rule.receiver_kind == "centres"):
            if not rule.sender_centre_ids or not rule.centre_ids:
                raise ValidationError(
                    self.env._(
                        "Rule %(rule)s sends from cost centres to cost centres: name both.",
                        rule=rule.name,
                    )
                )
            both = rule.sender_centre_ids & rule.centre_ids.centre_id
            if both:
                raise ValidationError(
                    self.env._(
                        "Rule %(rule)s sends from %(centre)s to itself. Take it out of the senders "
                        "or of the receivers.",
                        rule=rule.name,
                        centre=both[0].display_name,
                    )
                )
            if rule.carry_forward or rule.send_kind == "amount":
                raise ValidationError(
                    self.env._(
                        "Rule %(rule)s: cost centres get a share of the month's pool, neither a "
                        "fixed amount nor what earlier months left.",
                        rule=rule.name,
                    )
                )

    @api.constrains("send_kind", "send_amount", "method", "carry_forward", "behaviour")
    def _check_sending(self):
        for rule in self:
            if rule.send_kind == "amount":
                digits = rule.currency_id.decimal_places
                if float_compare(rule.send_amount, 0, precision_digits=digits) <= 0:
                    raise ValidationError(
                        self.env._(
                            "Rule %(rule)s: the amount a month lies above 0.", rule=rule.name
                        )
                    )
                if rule.method in MEASURED:
                    raise ValidationError(
                        self.env._(
                            "Rule %(rule)s charges by a rate: it sends a share of the pool, not a "
                            "fixed amount.",
                            rule=rule.name,
                        )
                    )
            if rule.carry_forward and (
                rule.send_kind == "amount" or rule.method in MEASURED or rule.behaviour != "all"
            ):
                raise ValidationError(
                    self.env._(
                        "Rule %(rule)s: what earlier months left can be sent only by a share of "
                        "fixed and variable cost together, and not by a rate.",
                        rule=rule.name,
                    )
                )

    @api.constrains("method", "capacity_ids", "standard_quantity", "unit_rate", "rest")
    def _check_rate(self):
        for rule in self:
            if rule.method == BY_CAPACITY and not rule.capacity_ids:
                raise ValidationError(
                    self.env._("Rule %(rule)s needs a practical capacity.", rule=rule.name)
                )
            if (
                rule.method == BY_CAPACITY
                and float_compare(rule.standard_quantity, 0, precision_digits=6) <= 0
            ):
                raise ValidationError(
                    self.env._(
                        "Rule %(rule)s: what one unit of the driver needs of the capacity lies "
                        "above 0.",
                        rule=rule.name,
                    )
                )
            if rule.method != BY_FIXED_RATE:
                continue
            if float_compare(rule.unit_rate, 0, precision_digits=6) <= 0:
                raise ValidationError(
                    self.env._("Rule %(rule)s: the rate per unit lies above 0.", rule=rule.name)
                )
            if rule.rest == "charge":
                raise ValidationError(
                    self.env._(
                        "Rule %(rule)s: what a fixed rate leaves stays or goes on to later rules. "
                        "To charge everything, send by the driver.",
                        rule=rule.name,
                    )
                )

    @api.constrains("method", "driver_id", "receiver_kind")
    def _check_counted(self):
        for rule in self.filtered(lambda rule: rule.method in MEASURED):
            driver = rule._get_used_driver()
            if driver.kind == "composite":
                raise ValidationError(
                    self.env._(
                        "Rule %(rule)s charges by a rate: %(driver)s is a blend, which gives parts "
                        "per million and no quantity. Choose a driver that counts.",
                        rule=rule.name,
                        driver=driver.display_name,
                    )
                )

    @api.constrains("method", "receiver_domain", "receiver_kind")
    def _check_equal(self):
        for rule in self:
            if rule.method != "equal" or rule.receiver_kind != "customers":
                continue
            if rule._get_receiver_domain().is_true():
                raise ValidationError(
                    self.env._(
                        "Rule %(rule)s shares out equally: say among which customers. For all "
                        "active customers take the driver of that name.",
                        rule=rule.name,
                    )
                )

    @api.constrains("charge_item_id", "sender_item_ids", "full_cost", "receiver_kind")
    def _check_charge_item(self):
        for rule in self.filtered("charge_item_id"):
            level = rule.charge_item_id.level
            hidden = level not in FULL_COST_LEVELS and any(
                item.level in FULL_COST_LEVELS for item in rule._get_sent_items()
            )
            if rule.receiver_kind == "centres" and hidden:
                raise ValidationError(
                    self.env._(
                        "Rule %(rule)s sends channel or corporate cost: %(item)s, which it is "
                        "charged as, has to be such a cost as well.",
                        rule=rule.name,
                        item=rule.charge_item_id.display_name,
                    )
                )
            if (
                rule.receiver_kind == "customers"
                and level in FULL_COST_LEVELS
                and not rule.full_cost
            ):
                raise ValidationError(
                    self.env._(
                        "Rule %(rule)s charges %(item)s, which reaches customers only by a rule "
                        "marked Full Cost.",
                        rule=rule.name,
                        item=rule.charge_item_id.display_name,
                    )
                )

    # ------------------------------------------------------------
    # What holds in a month
    # ------------------------------------------------------------

    def _get_parts(self):
        """Parts of the pools that are sent, as the engine numbers them."""
        variable, fixed = PARTS
        return {"all": PARTS, "fixed": (fixed,), "variable": (variable,)}[self.behaviour]

    def _get_capacity(self, date):
        """Practical capacity of the month ending on ``date``, 0 where none is given."""
        self.ensure_one()
        valid = self.capacity_ids.filtered(lambda line: line._is_valid(date))
        return valid[:1].capacity

    def _get_centre_weights(self, date):
        """Receiving centres of the month ending on ``date`` as tuple of ``(id, weight)``."""
        self.ensure_one()
        valid = self.centre_ids.filtered(lambda line: line._is_valid(date))
        return tuple(sorted((line.centre_id.id, line.weight) for line in valid))

    def _uses_driver(self):
        """Whether quantities of a driver decide what the receivers get."""
        self.ensure_one()
        return self.receiver_kind == "customers" and self.method in DRIVER_METHODS

    def _get_used_driver(self):
        """The driver that decides, or none."""
        self.ensure_one()
        return self.driver_id if self._uses_driver() else self.driver_id.browse()

    def _get_method_definition(self, date):
        """What the method reads from the rule for the month ending on ``date``."""
        self.ensure_one()
        return (
            self.receiver_kind,
            self.send_kind,
            self.send_amount if self.send_kind == "amount" else 0,
            self.behaviour,
            self.charge_item_id.id,
            self._get_centre_weights(date),
            self._get_capacity(date),
            self.standard_quantity,
            self.unit_rate,
            self.rest,
        )

    def _get_method_label(self):
        """What stands for the driver on a step that has none."""
        self.ensure_one()
        if self.receiver_kind == "centres":
            return self.env._("Centre weights")
        return {"fixed": self.env._("Fixed percentages"), "equal": self.env._("Equally")}[
            self.method
        ]

    def _get_method_text(self, date):
        """The method in words, for the steps of the month ending on ``date``."""
        self.ensure_one()
        if self.receiver_kind == "centres":
            centres = self.env["account.analytic.account"]
            return self.env._(
                "to cost centres: %(centres)s",
                centres=", ".join(
                    f"{centres.browse(centre).display_name} {weight:g}"
                    for centre, weight in self._get_centre_weights(date)
                ),
            )
        if self.method == "fixed":
            return self.env._("by fixed percentages")
        if self.method == "equal":
            return self.env._("equally")
        driver = self.driver_id
        window = dict(driver._fields["window"]._description_selection(self.env))
        policy = dict(driver._fields["policy"]._description_selection(self.env))
        text = self.env._(
            "by %(driver)s over: %(window)s; negative quantities: %(policy)s",
            driver=driver.display_name,
            window=window[driver.window],
            policy=policy[driver.policy],
        )
        if self.method == BY_CAPACITY:
            text = self.env._(
                "%(driver)s; each needs %(standard)s of a capacity of %(capacity)s; the rest: "
                "%(rest)s",
                driver=text,
                standard=f"{self.standard_quantity:g}",
                capacity=f"{self._get_capacity(date):g}",
                rest=self._get_rest_label(),
            )
        elif self.method == BY_FIXED_RATE:
            text = self.env._(
                "%(driver)s; %(rate)s each; the rest: %(rest)s",
                driver=text,
                rate=f"{self.unit_rate:g}",
                rest=self._get_rest_label(),
            )
        return text

    def _get_rest_label(self):
        return dict(self._fields["rest"]._description_selection(self.env))[self.rest]

    def _check_lines_apart(self, lines, what):
        """Refuse two dated lines for the same that hold on the same day.

        :raises ValidationError: naming the rule, what it is and the days
        """
        for number, line in enumerate(lines):
            for other in lines[number + 1 :]:
                if line._overlaps(other):
                    raise ValidationError(
                        self.env._(
                            "Rule %(rule)s: %(what)s is given twice for the days from %(day)s. "
                            "End one before the other begins.",
                            rule=self.name,
                            what=what,
                            day=format_date(self.env, max(line._get_start(), other._get_start())),
                        )
                    )
