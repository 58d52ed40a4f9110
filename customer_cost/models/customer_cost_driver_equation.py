import numpy as np

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..engine import UnknownTime, equation_minutes


class CustomerCostDriverEquation(models.Model):
    """Drivers that count the minutes documents take, by a time equation (WE-22)."""

    _inherit = "customer.cost.driver"

    time_ids = fields.One2many(
        "customer.cost.driver.time", "driver_id", string="Time Equation", copy=True
    )
    equation = fields.Char(
        string="Minutes per Document", compute="_compute_equation", store=True, tracking=True
    )

    @api.depends(
        "time_ids.sequence",
        "time_ids.kind",
        "time_ids.minutes",
        "time_ids.field_name",
        "time_ids.domain",
        "time_ids.formula",
    )
    def _compute_equation(self):
        for driver in self:
            driver.equation = " + ".join(driver.time_ids.sorted().mapped("text"))

    def _check_equation(self):
        if not self.time_ids:
            self._raise_part("time_ids", self.env._("say what takes how many minutes"))
        self.time_ids._check_line()

    def _get_quantities_time(self, company, first, last):
        """Minutes per customer: one query, documents that take the same time counted together.

        :raises UserError: a line has no result for a document, e.g. it divides by zero
        """
        # sudo: a cost manager defined the driver, its results stay within this company
        model = self.env[self.model_name].sudo().with_context(active_test=False)
        scope = self._get_document_scope(model, company, first, last)
        scope &= self._parse_domain("domain")
        query = model._search(scope)
        customer = model._read_group_groupby(model._table, self._get_commercial_path(), query)
        columns = {}
        for line in self.time_ids:
            columns.update(line._get_columns(model, query, scope))
        # by place: customer and columns follow the count and the example
        query.groupby = SQL(", ".join(str(place) for place in range(3, 4 + len(columns))))
        rows = self.env.execute_query(
            query.select(
                SQL("count(*)"),
                SQL("min(%s)", SQL.identifier(model._table, "id")),
                customer,
                *columns.values(),
            )
        )
        rows = [row for row in rows if row[2]]
        if not rows:
            return {}
        table = np.array(rows, dtype=np.float64)
        counts, examples, customers = table[:, :3].T
        quantities = {name: table[:, 3 + place] for place, name in enumerate(columns)}
        minutes = counts * self._get_minutes(model, examples, quantities)
        ids, places = np.unique(customers.astype(np.int64), return_inverse=True)
        totals = np.bincount(places, weights=minutes)
        return self._give_to_commercial_partners(
            dict(zip(ids.tolist(), totals.tolist(), strict=True))
        )

    def _get_minutes(self, model, examples, quantities):
        lines = self.time_ids.sorted()
        try:
            return equation_minutes(
                [line._get_time_line() for line in lines], quantities, len(examples)
            )
        except UnknownTime as error:
            document = model.browse(int(examples[error.positions[0]]))
            raise UserError(
                self.env._(
                    "Driver %(driver)s, time of “%(line)s”: %(document)s divides by zero or "
                    "holds no number. Leave such documents out, or let the formula keep the "
                    "divisor above zero, e.g. by max(1, ...).",
                    driver=self.display_name,
                    line=lines[error.line].name,
                    document=document.display_name,
                )
            ) from error
