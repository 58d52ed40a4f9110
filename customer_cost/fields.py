from math import isfinite

from odoo import fields
from odoo.exceptions import ValidationError


class Many2oneUnchecked(fields.Many2one):
    """A many2one without a database key, for columns of tables written by the million.

    Foreign keys are most of the cost of such a table; deletion of the target is refused by
    ``@api.ondelete`` on the target's model instead.
    """

    def update_db_foreign_key(self, model, column):
        return


class Exact(fields.Float):
    """A float kept at its digits where Odoo's own rounding is off: by 0.001 at 10^12."""

    _min_display_digits = 2

    def convert_to_column(self, value, record, values=None, validate=True):
        return f"{self._round(value, record):.{self._digits[1]}f}"

    def convert_to_cache(self, value, record, validate=True):
        return self._round(value, record)

    def _round(self, value, record):
        number = float(value or 0.0)
        if not isfinite(number):
            raise ValidationError(
                record.env._(
                    "%(field)s: %(value)s is not a number. Enter one.",
                    field=self._description_string(record.env),
                    value=value,
                )
            )
        return round(number, self._digits[1])


class Amount(Exact):
    """Company currency in rows written or added up by the million.

    A plain number: the client would add a currency to every group of a Monetary, and its sums
    convert at today's rate. Three digits hold every currency; two are always shown.
    """

    _digits = (20, 3)


class Quantity(Exact):
    """A driver's quantity, exact to the six digits that a run shares out by."""

    _digits = (20, 6)


class Known(fields.Float):
    """A figure that is empty, not zero, where nobody knows it."""

    falsy_value = None  # conditions: what is empty is neither zero nor less than anything

    def convert_to_column(self, value, record, values=None, validate=True):
        if value is None or value is False:
            return None
        return super().convert_to_column(value, record, values, validate)

    def convert_to_cache(self, value, record, validate=True):
        if value is None or value is False:
            return None
        return super().convert_to_cache(value, record, validate)

    def convert_to_record(self, value, record):
        return False if value is None else value

    def convert_to_export(self, value, record):
        return "" if value is False else value


class KnownAmount(Known):
    """An ``Amount`` that is empty, not zero, where nobody knows it."""

    _digits = (20, 3)
    _min_display_digits = 2


class Ratio(Known):
    """A percentage that is empty, not zero, where its denominator is zero or less."""


class IntegerArray(fields.Json):
    """Ids in one column of a queue that only SQL writes and reads."""

    _column_type = ("_int4", "int4[]")
