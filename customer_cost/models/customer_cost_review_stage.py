from typing import NamedTuple

from odoo import api, fields, models, tools
from odoo.exceptions import ValidationError

REVIEWER_KINDS = [
    ("group", "Everybody of a group"),
    ("users", "Named persons"),
    ("manager", "The author's manager"),
    ("salesperson", "The customer's salesperson"),
]


class ReviewFacts(NamedTuple):
    """What of a document decides which stages it passes."""

    company: models.BaseModel
    amount: float
    """Company currency; the sign does not matter."""
    items: models.BaseModel
    customers: models.BaseModel
    author: models.BaseModel
    is_bill: bool = False


class CustomerCostReviewStage(models.Model):
    """A step of the review: initial, second, final.

    Which stages a cost passes is settled when it is submitted; who may decide at a stage is looked
    up when somebody decides.
    """

    _name = "customer.cost.review.stage"
    _description = "Review Stage"
    _inherit = ["mail.thread", "customer.cost.shipped"]
    _order = "sequence, id"
    _check_company_auto = True

    name = fields.Char(required=True, translate=True, tracking=True)
    sequence = fields.Integer(default=10)
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company, index=True
    )
    active = fields.Boolean(default=True, tracking=True)
    standard = fields.Text(
        string="What to Look At",
        translate=True,
        help="Shown to the reviewer beside the cost.",
    )
    check_ids = fields.One2many(
        "customer.cost.review.stage.check",
        "stage_id",
        string="Checklist",
        copy=True,
        help="Each point has to be ticked before the stage can be passed.",
    )
    on_costs = fields.Boolean(string="Requests and Manual Costs", default=True, tracking=True)
    on_bills = fields.Boolean(
        string="Vendor Bills That Name a Customer",
        tracking=True,
        help="Such a bill cannot be posted before it has passed the stage.",
    )
    company_currency_id = fields.Many2one(
        related="company_id.currency_id", string="Company Currency"
    )
    amount_from = fields.Monetary(
        string="From",
        currency_field="company_currency_id",
        tracking=True,
        help="Smaller amounts pass without this stage. An amount in another currency is compared "
        "at its company amount.",
    )
    amount_to = fields.Monetary(
        string="Up To",
        currency_field="company_currency_id",
        tracking=True,
        help="Larger amounts pass without this stage; 0 is no limit.",
    )
    item_ids = fields.Many2many(
        "customer.cost.item",
        string="Cost Items",
        check_company=True,
        help="Only costs of these items and the items below them; empty: of all items.",
    )
    tag_ids = fields.Many2many(
        "res.partner.category",
        string="Customer Tags",
        help="Only costs of customers with one of these tags; empty: of all customers.",
    )
    reviewer_kind = fields.Selection(
        REVIEWER_KINDS, string="Reviewer", required=True, default="group", tracking=True
    )
    group_id = fields.Many2one(
        "res.groups",
        default=lambda self: self.env.ref("customer_cost.group_customer_cost_reviewer", False),
        help="Its members who are reviewers decide.",
    )
    user_ids = fields.Many2many(
        "res.users",
        "customer_cost_review_stage_user_rel",
        string="Persons",
        domain="[('share', '=', False), ('company_ids', 'in', company_id)]",
    )
    missing_role = fields.Char(compute="_compute_missing_role")
    reminder_days = fields.Integer(
        string="Remind After", help="Days until the reviewer is reminded; 0: never."
    )
    deadline_days = fields.Integer(
        string="Deadline", help="Days until the decision is due; 0: no deadline."
    )
    escalation_user_id = fields.Many2one(
        "res.users",
        string="Escalate To",
        domain="[('share', '=', False), ('company_ids', 'in', company_id)]",
        help="Is told when the deadline has passed, and decides where nobody appointed can.",
    )

    _amounts_in_order = models.Constraint(
        "CHECK(amount_from >= 0 AND (amount_to = 0 OR amount_to >= amount_from))",
        "An amount band starts at 0 or above and does not end below its start.",
    )
    _days_positive = models.Constraint(
        "CHECK(reminder_days >= 0 AND deadline_days >= 0)", "Days cannot be negative."
    )

    @api.depends("reviewer_kind", "user_ids", "escalation_user_id", "company_id")
    def _compute_missing_role(self):
        group = self.env.ref("customer_cost.group_customer_cost_reviewer")
        reviewers = group.sudo().all_user_ids  # sudo: who reviews is no secret
        for stage in self:
            named = stage.user_ids if stage.reviewer_kind == "users" else stage.user_ids.browse()
            missing = (named | stage.escalation_user_id) - reviewers
            stage.missing_role = bool(missing) and self.env._(
                "Without the role of a reviewer, these persons cannot decide: %(names)s",
                names=", ".join(missing.mapped("name")),
            )

    @api.constrains("reviewer_kind", "user_ids")
    def _check_reviewers(self):
        for stage in self:
            if stage.reviewer_kind == "users" and not stage.user_ids:
                raise ValidationError(
                    self.env._("%(stage)s: name the persons who decide.", stage=stage.name)
                )

    @api.model_create_multi
    def create(self, vals_list):
        self.env.registry.clear_cache()
        return super().create(vals_list)

    def write(self, vals):
        self.env.registry.clear_cache()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_used(self):
        # sudo: a decision on a cost that the user may not see keeps the stage as well
        used = self.env["customer.cost.review"].sudo().search([("stage_id", "in", self.ids)])
        for stage in used.stage_id:
            raise ValidationError(
                self.env._(
                    "%(stage)s has been used and cannot be deleted. Archive it instead.",
                    stage=stage.name,
                )
            )
        self.env.registry.clear_cache()

    # ------------------------------------------------------------
    # Which stages apply
    # ------------------------------------------------------------

    @api.model
    def _get_of_company(self, company, active=True):
        # sudo: the author may not read stages, or not those of this company
        domain = [("company_id", "=", company.id), ("active", "in", [True, active])]
        return self.sudo().with_context(active_test=False).search(domain)

    def _applies(self, facts):
        self.ensure_one()
        if not (self.on_bills if facts.is_bill else self.on_costs):
            return False
        currency, amount = self.company_id.currency_id, abs(facts.amount)
        if currency.compare_amounts(amount, self.amount_from) < 0:
            return False
        if self.amount_to and currency.compare_amounts(amount, self.amount_to) > 0:
            return False
        return self._covers(self.item_ids, facts.items) and self._covers(
            self.tag_ids, facts.customers.category_id
        )

    @api.model
    def _covers(self, chosen, records):
        """Whether one of ``records`` is chosen or lies below what is chosen; empty is all."""
        roots = set(chosen.ids)
        return not roots or any(
            roots.intersection(map(int, filter(None, (record.parent_path or "").split("/"))))
            for record in records
        )

    @api.model
    @tools.ormcache()
    def _get_bill_companies(self):
        """Ids of the companies where a stage or a budget may ask for a review of bills."""
        stages = self.sudo().search([("on_bills", "=", True)])  # sudo: of every company
        asking = self.env["customer.cost.budget.band"]._get_companies("review")
        return asking.union(stages.company_id.ids)

    # ------------------------------------------------------------
    # The stages that ship
    # ------------------------------------------------------------

    @api.model
    def _start(self):
        """Give each company without stages the three that ship; what was submitted waits."""
        stages = self.sudo().with_context(active_test=False)  # sudo: of every company
        have = [company.id for (company,) in stages._read_group([], ["company_id"])]
        companies = self.env["res.company"].sudo().with_context(active_test=False)
        companies = companies.search([("id", "not in", have)])
        self._create_shipped(companies)
        entries = self.env["customer.cost.entry"].sudo()
        waiting = entries.search([("state", "=", "submitted"), ("cost_review_id", "=", False)])
        waiting._close_review_activities()
        waiting._start_review()

    @api.model
    def _create_shipped(self, companies):
        """Three stages per company: initial, and second and final inactive."""
        stages = self.sudo().with_context(lang="en_US")  # sudo: whoever makes a company
        stages.create(
            [
                {**vals, "company_id": company.id}
                for company in companies
                for vals in stages._prepare_shipped()
            ]
        )._translate_shipped()

    @api.model
    def _get_shipped_texts(self):
        return [
            text
            for vals in self._prepare_shipped()
            for text in (
                vals["name"],
                vals["standard"],
                *(values["name"] for _command, _id, values in vals["check_ids"]),
            )
        ]

    def _get_shipped_fields(self):
        return [(self, "name"), (self, "standard"), (self.check_ids, "name")]

    @api.model
    def _prepare_shipped(self):
        def checks(*names):
            return [
                fields.Command.create({"name": name, "sequence": place})
                for place, name in enumerate(names)
            ]

        return [
            {
                "name": self.env._("Initial Review"),
                "sequence": 10,
                "standard": self.env._(
                    "Is it complete: customer, cost item, date, amount and receipt? "
                    "Is it no duplicate?"
                ),
                "check_ids": [],
            },
            {
                "name": self.env._("Second Review"),
                "sequence": 20,
                "active": False,
                "standard": self.env._("Does it keep to the policy, and is there budget for it?"),
                "check_ids": checks(
                    self.env._("It keeps to the policy of its cost item."),
                    self.env._("The budget covers it, or the excess is justified."),
                ),
            },
            {
                "name": self.env._("Final Review"),
                "sequence": 30,
                "active": False,
                "standard": self.env._(
                    "Is it worth its money, and within the authority by amount?"
                ),
                "check_ids": checks(
                    self.env._("What the customer earns justifies the cost."),
                ),
            },
        ]
