from odoo import fields


class Many2oneUnchecked(fields.Many2one):
    """A many2one without a database key, for columns of tables written by the million.

    Foreign keys are most of the cost of such a table; deletion of the target is refused by
    ``@api.ondelete`` on the target's model instead.
    """

    def update_db_foreign_key(self, model, column):
        return


class Ratio(fields.Float):
    """A percentage that is empty, not zero, where its denominator is zero or less."""

    def convert_to_cache(self, value, record, validate=True):
        if value is None or value is False:
            return None
        return super().convert_to_cache(value, record, validate)

    def convert_to_record(self, value, record):
        return False if value is None else value
