import ast

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain
from odoo.tools import SQL

from ..engine import FormulaError, TimeLine, parse_formula
from ..fields import Quantity
from .customer_cost_driver_check import NUMBER_TYPES

QUANTITY_TYPES = (*NUMBER_TYPES, "one2many")


class CustomerCostDriverTime(models.Model):
    """One line of a time equation: what makes a document take how many minutes."""

    _name = "customer.cost.driver.time"
    _description = "Time Equation Line"
    _order = "driver_id, sequence, id"

    driver_id = fields.Many2one(
        "customer.cost.driver", required=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="driver_id.company_id", store=True, index=True)
    model_name = fields.Char(related="driver_id.model_name")
    sequence = fields.Integer(default=10)
    name = fields.Char(string="What Takes the Time", required=True, translate=True)
    kind = fields.Selection(
        [
            ("base", "Every document"),
            ("quantity", "Per unit of a quantity"),
            ("condition", "When conditions hold"),
            ("formula", "By a formula"),
        ],
        required=True,
        default="base",
    )
    minutes = Quantity(help="For a quantity: minutes for each unit of it.")
    field_name = fields.Char(
        string="Quantity",
        help="A number on the document, or a list of lines: these are counted.",
    )
    domain = fields.Char(string="Conditions")
    domain_model = fields.Char(compute="_compute_domain_model")
    formula = fields.Char(
        help="Minutes from numbers, fields of the document (lists of lines count), + - * / ( ), "
        "min and max, e.g. max(10, 2 * invoice_line_ids)."
    )
    text = fields.Char(string="Minutes as Written", compute="_compute_text")

    @api.depends("kind", "field_name", "model_name")
    def _compute_domain_model(self):
        for line in self:
            field = line._get_lines_field()
            line.domain_model = field.comodel_name if field else line.model_name

    @api.depends("kind", "minutes", "field_name", "domain", "formula")
    def _compute_text(self):
        for line in self:
            minutes = f"{line.minutes:.6f}".rstrip("0").rstrip(".")
            line.text = {
                "base": minutes,
                "quantity": f"{minutes} × {line.field_name}",
                "condition": minutes,
                "formula": line.formula or "",
            }[line.kind or "base"]
            if line._has_conditions():
                line.text += f" {line.domain}"

    # ------------------------------------------------------------
    # Who may define one, and what is refused
    # ------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        lines.driver_id._check_document_right()
        return lines

    def write(self, vals):
        self.driver_id._check_document_right()
        res = super().write(vals)
        self.driver_id._check_document_right()
        return res

    @api.ondelete(at_uninstall=False)
    def _unlink_if_allowed(self):
        self.driver_id._check_document_right()

    @api.constrains("driver_id", "kind", "field_name", "domain", "formula")
    def _check_line(self):
        for line in self.filtered(lambda line: line.driver_id.kind == "time"):
            if line.kind != "base":
                getattr(line, f"_check_{line.kind}")()

    def _check_quantity(self):
        try:
            self._check_column(self.field_name)
        except ValidationError as error:
            self._raise_part("field_name", str(error))
        if self._get_lines_field():
            self._check_conditions()

    def _check_condition(self):
        if self._check_conditions().is_true():
            self._raise_part("domain", self.env._("is missing"))

    def _check_conditions(self):
        try:
            return self.driver_id._read_domain(self.env[self.domain_model], self.domain)
        except ValidationError as error:
            self._raise_part("domain", str(error))

    def _check_formula(self):
        if not self.formula:
            self._raise_part("formula", self.env._("is missing"))
        try:
            for name in sorted(parse_formula(self.formula).names):
                self._check_column(name)
        except FormulaError as error:
            self._raise_part("formula", self._describe_formula_error(error))
        except ValidationError as error:
            self._raise_part("formula", str(error))

    def _check_column(self, name):
        """:raises ValidationError: field ``name`` gives no quantity of a document; a clause"""
        driver = self.driver_id
        model = self.env[driver.model_name]
        field = driver._find_field(model, name, QUANTITY_TYPES)
        driver._check_number(model, field, name)
        if field.type == "one2many":
            driver._check_reach_model(field.comodel_name)
            inverse = self.env[field.comodel_name]._fields.get(field.inverse_name)
            if not inverse or not inverse.store or inverse.type != "many2one":
                raise ValidationError(
                    self.env._("the lines of field %(field)s cannot be counted", field=name)
                )

    def _describe_formula_error(self, error):
        expected = {
            "value": self.env._("a number, a field, “(”, min or max"),
            "operator": self.env._("+, -, *, / or the end"),
            "open": self.env._("“(”"),
            "close": self.env._("“)” or an operator"),
            "depth": self.env._("less nesting"),
        }[error.expected]
        return self.env._(
            "at character %(position)s, expected %(expected)s, found %(found)s",
            position=error.position,
            expected=expected,
            found=f"“{error.found[:20]}”" if error.found else self.env._("the end"),
        )

    def _raise_part(self, name, problem):
        raise ValidationError(
            self.env._(
                "Driver %(driver)s, time of “%(line)s”, %(part)s: %(problem)s.",
                driver=self.driver_id.name,
                line=self.name,
                part=self._fields[name]._description_string(self.env),
                problem=problem,
            )
        )

    # ------------------------------------------------------------
    # What the engine needs
    # ------------------------------------------------------------

    def _get_lines_field(self):
        """The list of lines that is counted, if the quantity is one."""
        if self.kind != "quantity" or self.model_name not in self.env:
            return None
        field = self.env[self.model_name]._fields.get(self.field_name)
        return field if field is not None and field.type == "one2many" else None

    def _has_conditions(self):
        """Whether conditions are part of the line: on the document, or on the lines counted."""
        takes_them = self.kind == "condition" or self._get_lines_field()
        return bool(takes_them and self.domain and self.domain != "[]")

    def _get_column(self):
        """Name of the line's quantity: of the field, or its own where conditions narrow it."""
        return str(self.id) if self._has_conditions() else self.field_name or ""

    def _get_time_line(self):
        """The line as the engine computes it."""
        self.ensure_one()
        formula = parse_formula(self.formula) if self.kind == "formula" else None
        return TimeLine(self.kind, self.minutes, self._get_column(), formula)

    def _get_columns(self, model, query, scope):
        """SQL of the quantities that the line needs.

        :param model: the documents, as superuser
        :param query: the documents of ``scope``, to which joins are added
        :return: dict of column name to SQL that yields a float8
        """
        self.ensure_one()
        if self.kind == "formula":
            names = sorted(parse_formula(self.formula).names)
            return {name: self._sql_quantity(model, query, scope, name) for name in names}
        if self.kind == "quantity":
            domain = self.domain if self._has_conditions() else "[]"
            quantity = self._sql_quantity(model, query, scope, self.field_name, domain)
            return {self._get_column(): quantity}
        if self.kind == "condition":
            documents = model._search(scope & Domain(ast.literal_eval(self.domain)))
            condition = SQL(
                "(%s IN %s)::int::float8",
                SQL.identifier(model._table, "id"),
                documents.subselect(),
            )
            return {self._get_column(): condition}
        return {}

    def _sql_quantity(self, model, query, scope, name, domain="[]"):
        """SQL of a number of the document, or of how many of its lines ``domain`` meets."""
        field = model._fields[name]
        if field.type != "one2many":
            value = model._field_to_sql(model._table, name, query)
            return SQL("COALESCE(%s, 0)::float8", value)
        # lines of the equation that count the same share one join
        link = name if domain == "[]" else f"{name}_{self.id}"
        alias = query.make_alias(model._table, link)
        query.add_join(
            "LEFT JOIN",
            alias,
            self._sql_line_counts(model, field, scope, domain),
            SQL(
                "%s = %s",
                SQL.identifier(alias, "document"),
                SQL.identifier(model._table, "id"),
            ),
        )
        return SQL("COALESCE(%s, 0)::float8", SQL.identifier(alias, "lines"))

    def _sql_line_counts(self, model, field, scope, domain):
        """Table of document and number of its lines."""
        lines = model.env[field.comodel_name].with_context(active_test=False)
        query = lines._search(
            Domain(field.inverse_name, "any", scope)
            & field.get_comodel_domain(model)
            & Domain(ast.literal_eval(domain))
        )
        document = lines._field_to_sql(lines._table, field.inverse_name, query)
        query.groupby = document
        return SQL("(%s)", query.select(SQL("%s AS document", document), SQL("count(*) AS lines")))
