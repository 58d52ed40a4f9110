import itertools

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import date_utils, format_date

from ..engine import POLICIES

POLICY_LABELS = {
    "refuse": "Refuse and name the customers",
    "zero": "Count as zero and list them",
    "absolute": "Count without sign",
    "shift": "Raise all until the lowest is zero",
}
DOCUMENT_KINDS = ("document", "time")


class CustomerCostDriver(models.Model):
    """What an indirect cost is shared out by: a quantity per customer and period."""

    _name = "customer.cost.driver"
    _description = "Cost Driver"
    _inherit = ["mail.thread", "customer.cost.company.mixin"]
    _company_uses = (
        ("customer.cost.rule", "driver_id"),
        ("customer.cost.driver.value", "driver_id"),
        ("customer.cost.driver.component", "component_id"),
    )
    _check_company_domain = models.check_company_domain_parent_of
    _order = "sequence, id"
    _rec_names_search = ("name", "code")

    name = fields.Char(required=True, translate=True, tracking=True)
    sequence = fields.Integer(default=10)
    code = fields.Char(required=True, tracking=True)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        "res.company", help="Leave empty to share the driver between all companies."
    )
    kind = fields.Selection(
        [
            ("document", "Documents"),
            ("time", "Time per document"),
            ("value", "Entered or imported values"),
            ("equal", "Active customers, equally"),
            ("margin", "Gross margin"),
            ("overdue", "Overdue days"),
            ("cost", "Cost so far"),
            ("composite", "Blend of drivers"),
        ],
        required=True,
        default="document",
        tracking=True,
    )
    window = fields.Selection(
        [
            ("period", "The period"),
            ("year", "Fiscal year to date"),
            ("rolling", "Last 12 months"),
        ],
        required=True,
        default="period",
        tracking=True,
    )
    policy = fields.Selection(
        [(policy, POLICY_LABELS[policy]) for policy in POLICIES],
        string="Negative Quantities",
        required=True,
        default="refuse",
        tracking=True,
    )
    unit = fields.Char(translate=True, help="What one quantity is, e.g. invoices, kg, hours.")
    description = fields.Text(translate=True)

    model_id = fields.Many2one(
        "ir.model",
        string="Document",
        ondelete="set null",
        tracking=True,
        domain=[("transient", "=", False), ("abstract", "=", False)],
    )
    model_name = fields.Char(
        string="Document Model",
        compute="_compute_model_name",
        store=True,
        help="Kept when the document's application is uninstalled.",
    )
    domain = fields.Char(string="Which Ones", default="[]", tracking=True)
    deduct_domain = fields.Char(
        string="Deducted Ones",
        tracking=True,
        help="Documents that count with the opposite sign, e.g. credit notes.",
    )
    customer_path = fields.Char(
        string="Path to the Customer",
        tracking=True,
        help="Fields that lead from the document to the customer, e.g. move_id.partner_id.",
    )
    date_field = fields.Char(
        tracking=True,
        help="Field, or path, of the date that puts a document into a period.",
    )
    measure = fields.Selection(
        [("count", "Count the documents"), ("sum", "Add up a field")],
        default="count",
        tracking=True,
    )
    measure_field = fields.Char(string="Field to Add Up", tracking=True)
    value_ids = fields.One2many("customer.cost.driver.value", "driver_id", string="Values")
    lasting = fields.Boolean(
        string="Valid Until Changed",
        tracking=True,
        help="A value counts in its own month and in every later one until another is entered "
        "for the customer, e.g. a headcount; 0 ends it. Otherwise it counts in its month only.",
    )
    problem = fields.Char(compute="_compute_problem")

    _code_company_unique = models.UniqueIndex(
        "(code, COALESCE(company_id, 0))", "This code is already used by another driver."
    )

    @api.depends("model_id.model")
    def _compute_model_name(self):
        for driver in self:
            driver.model_name = driver.model_id.model or driver.model_name

    def _compute_problem(self):
        for driver in self:
            driver.problem = driver._get_problem()

    # ------------------------------------------------------------
    # Who may define one
    # ------------------------------------------------------------

    def _load_records_create(self, vals_list):
        """Where a person has made a driver with a shipped code, the shipped one takes another.

        What refers to a shipped driver counts on what it measures.
        """
        if self.env.context.get("install_mode"):
            vals_list = [{**vals, "code": self._get_free_code(vals["code"])} for vals in vals_list]
        return super()._load_records_create(vals_list)

    @api.model
    def _get_free_code(self, code):
        drivers = self.with_context(active_test=False).search(
            [("code", "=like", f"{code}%"), ("company_id", "=", False)]
        )
        taken = set(drivers.mapped("code"))
        codes = itertools.chain([code], (f"{code}-{number}" for number in itertools.count(2)))
        return next(free for free in codes if free not in taken)

    @api.model_create_multi
    def create(self, vals_list):
        drivers = super().create(vals_list)
        drivers._check_document_right()
        return drivers

    def write(self, vals):
        own = [name for name in vals if not name.startswith(("message_", "website_message_"))]
        if own:
            self._check_document_right()
        res = super().write(vals)
        if own:
            self._check_document_right()
        return res

    def _check_document_right(self):
        """A document driver reads as superuser, so only a cost manager defines one."""
        if self.env.su or self.env.user.has_group("customer_cost.group_customer_cost_manager"):
            return
        for driver in self:
            if driver.kind in DOCUMENT_KINDS:
                raise AccessError(
                    self.env._(
                        "%(driver)s counts documents of all users: only a cost manager may "
                        "define such a driver.",
                        driver=driver.display_name,
                    )
                )

    @api.constrains("active")
    def _check_unused(self):
        # sudo: a rule of a company the user may not see needs its driver as well
        rules = self.env["customer.cost.rule"].sudo()
        for driver in self.filtered(lambda driver: not driver.active):
            used = rules.search([("driver_id", "=", driver.id)]).filtered(
                lambda rule: rule._uses_driver()
            )
            if used:
                raise ValidationError(
                    self.env._(
                        "%(driver)s is still used by %(rules)s. Archive or change these first.",
                        driver=driver.display_name,
                        rules=", ".join(used.mapped("name")),
                    )
                )
            blends = driver._get_blends()
            if blends:
                raise ValidationError(
                    self.env._(
                        "%(driver)s is part of %(blends)s. Archive or change these first.",
                        driver=driver.display_name,
                        blends=", ".join(blends.mapped("name")),
                    )
                )

    def _get_definition(self):
        """What decides the driver's quantities, with that of the drivers it is made of."""
        self.ensure_one()
        own = [self[name] for name in self._get_definition_fields()]
        return own + [part._get_definition() for part in self._get_parts()]

    @api.model
    def _get_definition_fields(self):
        """Fields that decide which quantities the driver yields."""
        return (
            "kind",
            "window",
            "policy",
            "lasting",
            "equation",
            "blend",
            "model_name",
            "domain",
            "deduct_domain",
            "customer_path",
            "date_field",
            "measure",
            "measure_field",
        )

    def action_preview(self):
        """Open the quantities this driver yields for a period.

        :raises UserError: the driver cannot measure anything, with the reason
        """
        self.ensure_one()
        self._check_usable()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Preview of %(driver)s", driver=self.display_name),
            "res_model": "customer.cost.driver.preview",
            "view_mode": "form",
            "target": "new",
            "context": {"default_driver_id": self.id},
        }

    def action_import_values(self):
        """Open the import of a file with values of this driver."""
        self.ensure_one()
        values = self.env["customer.cost.driver.value"]
        return values.with_context(default_driver_id=self.id).action_import()

    def action_copy_values(self):
        """Copy the company's values of the latest month that has any to the month after it.

        :raises UserError: the driver has no value in the company
        """
        self.ensure_one()
        own = Domain("driver_id", "=", self.id) & Domain("company_id", "=", self.env.company.id)
        latest = self.value_ids.search(own, order="date desc", limit=1).date
        if not latest:
            raise UserError(
                self.env._(
                    "%(driver)s has no values in %(company)s yet. Enter or import those of one "
                    "month first.",
                    driver=self.display_name,
                    company=self.env.company.display_name,
                )
            )
        month = date_utils.start_of(latest, "month")
        values = self.value_ids.search(own & Domain("date", ">=", month))
        values.create(
            [
                {
                    "driver_id": self.id,
                    "company_id": value.company_id.id,
                    "customer_id": value.customer_id.id,
                    "quantity": value.quantity,
                    "date": date_utils.add(value.date, months=1),
                }
                for value in values
            ]
        )
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self.env._(
                    "%(count)s values of %(month)s copied to the month after it.",
                    count=len(values),
                    month=format_date(self.env, month, date_format="MMMM yyyy"),
                ),
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }
