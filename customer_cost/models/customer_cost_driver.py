import ast

from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError
from odoo.fields import Domain
from odoo.tools import date_utils

from ..engine import POLICIES

FORBIDDEN_PREFIXES = ("ir.", "res.users", "mail.", "customer.cost.")
POLICY_LABELS = {
    "refuse": "Refuse and name the customers",
    "zero": "Count as zero and list them",
    "absolute": "Count without sign",
    "shift": "Raise all until the lowest is zero",
}


class CustomerCostDriver(models.Model):
    """What an indirect cost is shared out by: a quantity per customer and period."""

    _name = "customer.cost.driver"
    _description = "Cost Driver"
    _inherit = ["mail.thread"]
    _order = "sequence, id"

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
            ("value", "Entered or imported values"),
            ("equal", "Active customers, equally"),
            ("margin", "Gross margin"),
            ("overdue", "Overdue days"),
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
        ondelete="cascade",
        tracking=True,
        domain=[("transient", "=", False), ("abstract", "=", False)],
    )
    model_name = fields.Char(related="model_id.model", string="Document Model")
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
        string="Date Field",
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

    _code_company_unique = models.UniqueIndex(
        "(code, COALESCE(company_id, 0))", "This code is already used by another driver."
    )

    # ------------------------------------------------------------
    # A wrong definition is refused when it is saved
    # ------------------------------------------------------------

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
            if driver.kind == "document":
                raise AccessError(
                    self.env._(
                        "%(driver)s counts documents of all users: only a cost manager may "
                        "define such a driver.",
                        driver=driver.display_name,
                    )
                )

    @api.constrains(
        "kind",
        "model_id",
        "domain",
        "deduct_domain",
        "customer_path",
        "date_field",
        "measure",
        "measure_field",
    )
    def _check_definition(self):
        for driver in self.filtered(lambda driver: driver.kind == "document"):
            driver._check_model()
            driver._check_path("customer_path", ("many2one",), "res.partner")
            driver._check_path("date_field", ("date", "datetime"))
            if driver.measure == "sum":
                driver._check_path("measure_field", ("integer", "float", "monetary"))
            elif not driver.measure:
                driver._raise_part("measure", self.env._("choose to count or to add up"))
            for name in ("domain", "deduct_domain"):
                driver._check_domain(name)

    def _raise_part(self, name, problem):
        raise ValidationError(
            self.env._(
                "Driver %(driver)s, %(part)s: %(problem)s.",
                driver=self.name,
                part=self._fields[name]._description_string(self.env),
                problem=problem,
            )
        )

    def _check_model(self):
        model_name = self.model_name
        if not model_name or model_name not in self.env:
            self._raise_part("model_id", self.env._("choose which documents to count"))
        model = self.env[model_name]
        if model_name.startswith(FORBIDDEN_PREFIXES) or model._abstract or model._transient:
            self._raise_part(
                "model_id",
                self.env._("%(model)s cannot be a cost driver", model=self.model_id.sudo().name),
            )

    def _check_path(self, name, types, comodel=None):
        path = self[name]
        if not path:
            self._raise_part(name, self.env._("is missing"))
        model = self.env[self.model_name]
        steps = path.split(".")
        for position, step in enumerate(steps):
            field = model._fields.get(step)
            if field is None:
                self._raise_part(
                    name,
                    self.env._("%(model)s has no field %(field)s", model=model._name, field=step),
                )
            if field.groups:
                self._raise_part(
                    name, self.env._("field %(field)s is restricted to a group", field=step)
                )
            if not field.store:
                self._raise_part(name, self.env._("field %(field)s is not stored", field=step))
            if position < len(steps) - 1:
                if field.type != "many2one":
                    self._raise_part(name, self.env._("field %(field)s leads nowhere", field=step))
                model = self.env[field.comodel_name]
                if model._name.startswith(FORBIDDEN_PREFIXES):
                    self._raise_part(
                        name, self.env._("%(model)s cannot be used", model=model._name)
                    )
        if field.type not in types or (comodel and field.comodel_name != comodel):
            self._raise_part(
                name,
                self.env._(
                    "field %(field)s is of type %(type)s, wanted: %(wanted)s",
                    field=steps[-1],
                    type=field.comodel_name or field.type,
                    wanted=comodel or ", ".join(types),
                ),
            )
        if name == "measure_field" and len(steps) > 1:
            self._raise_part(name, self.env._("has to be a field of the document itself"))

    def _check_domain(self, name):
        try:
            domain = self._parse_domain(name)
        except (ValueError, SyntaxError, TypeError) as error:
            self._raise_part(name, self.env._("is not a domain (%(error)s)", error=error))
        model = self.env[self.model_name]
        try:
            self._check_reach(model, domain)
            domain.validate(model)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with it is reported
            self._raise_part(name, str(error))

    @api.model
    def _check_reach(self, model, domain):
        """Refuse a domain that looks at more than a search as superuser may reveal.

        :raises ValidationError: a path or sub-domain reaches a forbidden model, a field with
            groups, or a field that does not exist
        """
        for condition in domain.iter_conditions():
            comodel = self._check_reach_path(model, condition.field_expr)
            if comodel and condition.operator.removeprefix("not ").startswith("any"):
                self._check_reach_model(comodel)
                self._check_reach(self.env[comodel], Domain(condition.value))
            elif self._is_forbidden(comodel) and self._holds_text(condition.value):
                self._check_reach_model(comodel)

    @api.model
    def _check_reach_path(self, model, path):
        """Check every field of ``path`` and return the model the last one points to, if any."""
        comodel = None
        for step in path.split("."):
            if comodel:
                self._check_reach_model(comodel)
                model = self.env[comodel]
            field = model._fields.get(step)
            if field is None:
                raise ValidationError(
                    self.env._("%(model)s has no field %(field)s", model=model._name, field=step)
                )
            if field.groups:
                raise ValidationError(
                    self.env._("field %(field)s is restricted to a group", field=step)
                )
            if not field.comodel_name:
                return None
            comodel = field.comodel_name
        return comodel

    @api.model
    def _check_reach_model(self, model_name):
        if self._is_forbidden(model_name):
            raise ValidationError(self.env._("%(model)s cannot be used", model=model_name))

    @api.model
    def _is_forbidden(self, model_name):
        return bool(model_name) and model_name.startswith(FORBIDDEN_PREFIXES)

    @api.model
    def _holds_text(self, value):
        values = value if isinstance(value, (list, tuple, set, frozenset)) else [value]
        return any(isinstance(item, str) for item in values)

    def _parse_domain(self, name):
        return Domain(ast.literal_eval(self[name] or "[]"))

    @api.model
    def _get_definition_fields(self):
        """Fields that decide which quantities the driver yields."""
        return (
            "kind",
            "window",
            "policy",
            "model_name",
            "domain",
            "deduct_domain",
            "customer_path",
            "date_field",
            "measure",
            "measure_field",
        )

    # ------------------------------------------------------------
    # Quantities
    # ------------------------------------------------------------

    def _get_window_dates(self, company, date):
        """First and last day over which the driver is measured for the period of ``date``."""
        self.ensure_one()
        last = date_utils.end_of(date, "month")
        if self.window == "year":
            return company.compute_fiscalyear_dates(last)["date_from"], last
        if self.window == "rolling":
            return date_utils.start_of(date_utils.subtract(last, months=11), "month"), last
        return date_utils.start_of(date, "month"), last

    def _get_quantities(self, company, date):
        """Return what every customer counts in the period of ``date``.

        :return: dict of commercial partner id to quantity, of any sign; amounts are in company
            currency
        """
        self.ensure_one()
        first, last = self._get_window_dates(company, date)
        method = getattr(self, f"_get_quantities_{self.kind}")
        return {key: value for key, value in method(company, first, last).items() if key}

    def _get_quantities_document(self, company, first, last):
        # sudo: a cost manager defined the driver, its results stay within this company
        model = self.env[self.model_name].sudo().with_context(active_test=False)
        scope = self._get_document_scope(model, company, first, last)
        quantities = self._read_documents(model, scope & self._parse_domain("domain"))
        if self.deduct_domain:
            deducted = self._read_documents(model, scope & self._parse_domain("deduct_domain"))
            for customer, quantity in deducted.items():
                quantities[customer] = quantities.get(customer, 0) - quantity
        return quantities

    def _get_document_scope(self, model, company, first, last):
        date_field = model
        for step in self.date_field.split("."):
            field = date_field._fields[step]
            date_field = self.env[field.comodel_name] if field.comodel_name else date_field
        upper = date_utils.add(last, days=1) if field.type == "datetime" else last
        scope = Domain(self.date_field, ">=", first) & Domain(
            self.date_field, "<" if field.type == "datetime" else "<=", upper
        )
        if "company_id" in model._fields:
            scope &= Domain("company_id", "=", company.id)
        return scope

    def _read_documents(self, model, domain):
        path = self.customer_path
        if not path.endswith("commercial_partner_id"):
            path += ".commercial_partner_id"
        aggregate = f"{self.measure_field}:sum" if self.measure == "sum" else "__count"
        rows = model._read_group(domain, [path], [aggregate])
        return {customer.id: quantity or 0 for customer, quantity in rows}

    def _get_quantities_value(self, company, first, last):
        # sudo: values are read for a run whose author may compute it
        rows = (
            self.env["customer.cost.driver.value"]
            .sudo()
            ._read_group(
                [
                    ("driver_id", "=", self.id),
                    ("company_id", "=", company.id),
                    ("date", ">=", first),
                    ("date", "<=", last),
                ],
                ["customer_id"],
                ["quantity:sum"],
            )
        )
        return {customer.id: quantity for customer, quantity in rows}

    def _get_quantities_equal(self, company, first, last):
        sales = self.env["customer.cost.profitability"]._get_sales(company, first, last)
        return dict.fromkeys(sales, 1)

    def _get_quantities_margin(self, company, first, last):
        sales = self.env["customer.cost.profitability"]._get_sales(company, first, last)
        return {customer: net - cost for customer, (net, cost) in sales.items()}

    def action_preview(self):
        """Open the quantities this driver yields for a period."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Preview of %(driver)s", driver=self.display_name),
            "res_model": "customer.cost.driver.preview",
            "view_mode": "form",
            "target": "new",
            "context": {"default_driver_id": self.id},
        }
