import ast

from odoo import api, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain

from .customer_cost_driver import DOCUMENT_KINDS

NUMBER_TYPES = ("integer", "float", "monetary")
FORBIDDEN_PREFIXES = ("ir.", "res.users", "mail.", "customer.cost.")


class CustomerCostDriverCheck(models.Model):
    """A wrong definition is refused when it is saved, and the message names the part."""

    _inherit = "customer.cost.driver"

    @api.constrains(
        "kind",
        "model_id",
        "domain",
        "deduct_domain",
        "customer_path",
        "date_field",
        "measure",
        "measure_field",
        "time_ids",
    )
    def _check_definition(self):
        for driver in self.filtered(lambda driver: driver.kind in DOCUMENT_KINDS):
            driver._check_documents()
            if driver.kind == "document":
                driver._check_measure()
            else:
                driver._check_equation()

    def _check_documents(self):
        self._check_model()
        self._check_path("customer_path", ("many2one",), "res.partner")
        self._check_path("date_field", ("date", "datetime"))
        self._check_domain("domain")
        if not self._get_company_path():
            self._raise_part(
                "model_id",
                self.env._(
                    "%(model)s does not say to which company it belongs",
                    model=self._get_model_label(),
                ),
            )

    def _check_measure(self):
        if self.measure == "sum":
            self._check_path("measure_field", NUMBER_TYPES)
        elif not self.measure:
            self._raise_part("measure", self.env._("choose to count or to add up"))
        self._check_domain("deduct_domain")

    def _get_problem(self):
        """Why the driver cannot measure anything now, or ``False``.

        A definition that was right when it was saved may refer to an application that was
        uninstalled since.
        """
        self.ensure_one()
        try:
            self._check_definition()
            self._check_parts()
        except ValidationError as error:
            return str(error)
        problems = (part._get_problem() for part in self._get_parts())
        return next((problem for problem in problems if problem), False)

    def _check_usable(self):
        """:raises UserError: the driver cannot measure anything, with the reason"""
        problem = self._get_problem()
        if problem:
            raise UserError(problem)

    def _get_company_path(self):
        """Path to the document's company: its own, or that of a document it belongs to.

        :return: path, or ``False``; a partner's company says nothing about a document
        """
        paths = [""]
        for path in (self.customer_path, self.date_field):
            steps = path.split(".")[:-1]
            paths += [".".join(steps[: place + 1]) + "." for place in range(len(steps))]
        for prefix in paths:
            model = self.env[self.model_name]
            for step in prefix.split(".")[:-1]:
                model = self.env[model._fields[step].comodel_name]
            field = model._fields.get("company_id")
            if model._name != "res.partner" and field and (field.store or field.related):
                return f"{prefix}company_id"
        return False

    def _get_model_label(self):
        return self.model_id.sudo().name  # sudo: the name of a model is no secret

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
        installed = self.model_name in self.env
        if not self.model_name or (installed and not self.model_id):
            self._raise_part("model_id", self.env._("choose which documents to count"))
        if not installed:
            self._raise_part(
                "model_id",
                self.env._(
                    "%(model)s is not installed any more; install it again, choose other "
                    "documents, or give the rules another driver",
                    model=self.model_name,
                ),
            )
        model = self.env[self.model_name]
        if self._is_forbidden(self.model_name) or model._abstract or model._transient:
            self._raise_part(
                "model_id",
                self.env._("%(model)s cannot be a cost driver", model=self._get_model_label()),
            )

    def _check_path(self, name, types, comodel=None):
        try:
            model = self.env[self.model_name]
            field = self._find_field(model, self[name], types, comodel)
            if name == "measure_field":
                self._check_number(model, field, self[name])
        except ValidationError as error:
            self._raise_part(name, str(error))

    @api.model
    def _find_field(self, model, path, types, comodel=None):
        """Return the field that ``path`` leads to from ``model``.

        :raises ValidationError: it does not exist, is not stored, restricted, of another type,
            or reached through a model that a driver may not look at; the message is a clause
        """
        if not path:
            raise ValidationError(self.env._("is missing"))
        steps = path.split(".")
        for position, step in enumerate(steps):
            field = model._fields.get(step)
            if field is None:
                raise ValidationError(
                    self.env._("%(model)s has no field %(field)s", model=model._name, field=step)
                )
            if field.groups:
                raise ValidationError(
                    self.env._("field %(field)s is restricted to a group", field=step)
                )
            if not field.store:
                raise ValidationError(self.env._("field %(field)s is not stored", field=step))
            if position < len(steps) - 1:
                if field.type != "many2one":
                    raise ValidationError(self.env._("field %(field)s leads nowhere", field=step))
                self._check_reach_model(field.comodel_name)
                model = self.env[field.comodel_name]
        if field.type not in types or (comodel and field.comodel_name != comodel):
            raise ValidationError(
                self.env._(
                    "field %(field)s is of type %(type)s, wanted: %(wanted)s",
                    field=steps[-1],
                    type=field.comodel_name or field.type,
                    wanted=comodel or ", ".join(types),
                )
            )
        return field

    @api.model
    def _check_number(self, model, field, path):
        """:raises ValidationError: the numbers of ``field`` cannot be added up"""
        if "." in path:
            raise ValidationError(self.env._("has to be a field of the document itself"))
        if field.type == "monetary" and not self._is_company_currency(
            model, field.get_currency_field(model)
        ):
            raise ValidationError(
                self.env._(
                    "field %(field)s is in the currency of the document: different currencies "
                    "cannot be added up, choose an amount in company currency",
                    field=field.name,
                )
            )

    @api.model
    def _is_company_currency(self, model, name):
        """Whether currency field ``name`` of ``model`` leads to the company's own currency."""
        field = model._fields[name]
        while field.related:
            *path, name = field.related.split(".")
            for step in path:
                model = self.env[model._fields[step].comodel_name]
            field = model._fields[name]
        return model._name == "res.company"

    def _check_domain(self, name):
        try:
            self._read_domain(self.env[self.model_name], self[name])
        except ValidationError as error:
            self._raise_part(name, str(error))

    @api.model
    def _read_domain(self, model, text):
        """Return the conditions in ``text`` on ``model``.

        :raises ValidationError: they are none, or look at what a driver may not; a clause
        """
        try:
            domain = Domain(ast.literal_eval(text or "[]"))
        except (ValueError, SyntaxError, TypeError) as error:
            raise ValidationError(self.env._("is not a list of conditions")) from error
        try:
            self._check_reach(model, domain)
            domain.validate(model)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with it is reported
            raise ValidationError(str(error)) from error
        return domain

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
