from fractions import Fraction

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain

from ..engine import rounded

LEVELS = [
    ("unit", "Unit"),
    ("batch", "Batch"),
    ("customer", "Customer-sustaining"),
    ("channel", "Channel"),
    ("corporate", "Corporate"),
]
MANUAL_KINDS = [("request", "Request"), ("statistical", "Not in the books")]
BEHAVIOURS = [("fixed", "Fixed"), ("variable", "Variable"), ("mixed", "Mixed")]
FULL_COST_LEVELS = ("channel", "corporate")


class CustomerCostItem(models.Model):
    """The catalogue of what customers cost, a tree."""

    _name = "customer.cost.item"
    _description = "Cost Item"
    _inherit = ["mail.thread", "customer.cost.company.mixin"]
    _parent_name = "parent_id"
    _parent_store = True
    _order = "complete_code, id"
    _check_company_auto = True
    _company_uses = (
        ("customer.cost.entry", "item_id"),
        ("customer.cost.account.map", "item_id"),
        ("customer.cost.budget.line", "item_id"),
        ("customer.cost.rule", "sender_item_ids"),
        ("customer.cost.rule", "charge_item_id"),
        ("customer.cost.item", "parent_id"),
        ("customer.cost.run.cell", "item_id"),
        ("customer.cost.policy", "item_id"),
        ("customer.cost.recording", "item_ids"),
    )
    _check_company_domain = models.check_company_domain_parent_of
    _rec_names_search = ["name", "code"]

    name = fields.Char(required=True, translate=True, tracking=True)
    code = fields.Char(
        required=True,
        tracking=True,
        help="Short code that stays when the name is translated, e.g. SAL-TRV.",
    )
    complete_code = fields.Char(compute="_compute_complete_code", store=True, recursive=True)
    description = fields.Text(translate=True)
    parent_id = fields.Many2one(
        "customer.cost.item",
        string="Parent Item",
        index=True,
        ondelete="restrict",
        check_company=True,
        tracking=True,
    )
    parent_path = fields.Char(index=True)
    level = fields.Selection(
        LEVELS,
        string="Hierarchy Level",
        required=True,
        default="customer",
        tracking=True,
        help="What the cost is caused by. Unit and batch cost come off the gross margin first, "
        "customer-sustaining cost next; channel and corporate cost reach a customer only by a "
        "full-cost rule.",
    )
    behaviour = fields.Selection(
        BEHAVIOURS,
        required=True,
        default="variable",
        tracking=True,
        help="Whether the cost moves with what is sold. Rules can send fixed and variable cost "
        "apart, and customers show how much of their cost is fixed.",
    )
    fixed_amount = fields.Float(
        string="First Fixed Amount",
        digits=(20, 3),
        min_display_digits=2,
        tracking=True,
        help="So much of the month's indirect cost of this item is fixed, in company currency; "
        "the fixed % is taken of the rest.",
    )
    fixed_pct = fields.Float(
        string="Fixed %",
        digits=(9, 6),
        min_display_digits=2,
        tracking=True,
        help="Fixed part of a mixed cost. At 0 without a first amount, all of it counts as "
        "variable.",
    )
    avoidable_pct = fields.Float(
        string="Avoidable %",
        digits=(5, 2),
        default=100.0,
        tracking=True,
        help="Share of this cost that would end if the customer were lost.",
    )
    manual_kind = fields.Selection(
        MANUAL_KINDS,
        string="Recorded By Hand As",
        tracking=True,
        help="Request: money to be spent, which a bill, an expense or a journal item settles. Not "
        "in the books: cost that never has a journal item. Left empty, either can be recorded.",
    )
    confidential = fields.Boolean(
        tracking=True,
        help="Payroll and the like: sales reps see it only summed as staff cost.",
    )
    company_id = fields.Many2one(
        "res.company", help="Leave empty to share the item between all companies."
    )
    active = fields.Boolean(default=True)

    _code_company_unique = models.UniqueIndex(
        "(code, COALESCE(company_id, 0))", "This code is already used by another cost item."
    )
    _avoidable_pct_range = models.Constraint(
        "CHECK(avoidable_pct >= 0 AND avoidable_pct <= 100)",
        "The avoidable share lies between 0 and 100 %.",
    )

    _fixed_range = models.Constraint(
        "CHECK(fixed_pct >= 0 AND fixed_pct <= 100 AND fixed_amount >= 0)",
        "The fixed part lies between 0 and 100 %, the fixed amount is not negative.",
    )

    @api.depends("code", "parent_id.complete_code")
    def _compute_complete_code(self):
        for item in self:
            parent = item.parent_id.complete_code
            item.complete_code = f"{parent}/{item.code}" if parent else item.code

    @api.depends("name", "code")
    def _compute_display_name(self):
        for item in self:
            item.display_name = f"[{item.code}] {item.name}" if item.code else item.name

    @api.constrains("parent_id")
    def _check_parent(self):
        if self._has_cycle():
            raise ValidationError(self.env._("A cost item cannot be its own ancestor."))

    def _load_records_create(self, vals_list):
        """Where a person has made an item with a shipped code, theirs stands for it as it is."""
        if not self.env.context.get("install_mode"):
            return super()._load_records_create(vals_list)
        items = self.with_context(active_test=False).search(
            [
                ("code", "in", [vals.get("code") for vals in vals_list]),
                ("company_id", "=", False),
            ]
        )
        known = {item.code: item for item in items}
        missing = [vals for vals in vals_list if vals.get("code") not in known]
        created = iter(super()._load_records_create(missing))
        return self.browse().concat(
            *(known.get(vals.get("code")) or next(created) for vals in vals_list)
        )

    def write(self, vals):
        changed = self.browse()
        if "level" in vals:
            changed = self.filtered(lambda item: item.level != vals["level"])
        res = super().write(vals)
        if changed:
            # The ladder of every month shows the item on another line now.
            self.env["customer.cost.dirty"]._mark_items(changed.ids)
        return res

    @api.ondelete(at_uninstall=False)
    def _unlink_except_used(self):
        for model in ("customer.cost.entry", "customer.cost.line", "customer.cost.run.cell"):
            # sudo: a use by a customer the user may not see protects the item as well
            used = self.env[model].sudo().search([("item_id", "in", self.ids)], limit=1)
            if used:
                raise ValidationError(
                    self.env._(
                        "%(item)s already carries cost and cannot be deleted. Archive it instead.",
                        item=used.item_id.display_name,
                    )
                )

    def _split_fixed(self, minor, first):
        """Return the fixed part of the month's cost of this item.

        :param minor: int, minor units, any sign
        :param first: int, what is fixed before the percentage, in minor units
        """
        self.ensure_one()
        if self.behaviour != "mixed":
            return minor if self.behaviour == "fixed" else 0
        first = max(min(first, minor), 0)
        return first + rounded(Fraction(str(self.fixed_pct)) * (minor - first) / 100)

    def _get_available_domain(self, company):
        """Domain of the items that entries of ``company`` may use."""
        return Domain("company_id", "in", [False, *company.parent_ids.ids])
