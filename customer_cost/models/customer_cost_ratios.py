from odoo import api, models
from odoo.tools import SQL


class CustomerCostRatios(models.AbstractModel):
    """Percentages that are sum over sum in groups, and sort last where they are empty.

    A model lists them in ``_ratios``: name of the field to the names of the two columns.
    """

    _name = "customer.cost.ratios"
    _description = "Ratios of Sums"

    _ratios = {}

    def _order_field_to_sql(self, alias, field_name, direction, nulls, query):
        if field_name in self._ratios and not nulls.code:
            nulls = SQL("NULLS LAST")
        return super()._order_field_to_sql(alias, field_name, direction, nulls, query)

    @api.model
    def _read_group_orderby(self, order, groupby_terms, query):
        """Empty ratios sort last, in either direction."""
        parts = [part.strip() for part in (order or "").split(",") if part.strip()]
        for position, part in enumerate(parts):
            if part.partition(":")[0] in self._ratios and "nulls" not in part.lower():
                parts[position] = f"{part} NULLS LAST"
        return super()._read_group_orderby(", ".join(parts), groupby_terms, query)

    @api.model
    def _read_group_select(self, aggregate_spec, query):
        """Ratios of a group are sum over sum, empty where the denominator is zero or less."""
        name, _separator, _function = aggregate_spec.partition(":")
        if name not in self._ratios:
            return super()._read_group_select(aggregate_spec, query)
        amount, base = self._ratios[name]
        return SQL(
            "CASE WHEN SUM(%(base)s) > 0 THEN 100 * SUM(%(amount)s) / SUM(%(base)s) END",
            base=self._field_to_sql(self._table, base, query),
            amount=self._field_to_sql(self._table, amount, query),
        )
