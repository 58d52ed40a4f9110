from odoo import fields


class Many2oneUnchecked(fields.Many2one):
    """A many2one without a database key, for columns of tables written by the million.

    Foreign keys are most of the cost of such a table; deletion of the target is refused by
    ``@api.ondelete`` on the target's model instead.
    """

    def update_db_foreign_key(self, model, column):
        return
