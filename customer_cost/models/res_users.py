from odoo import models

from .res_partner_list import SUMMARY_COLUMNS


class ResUsers(models.Model):
    _inherit = "res.users"

    def _field_to_sql(self, alias, field_expr, query=None):
        """A user inherits the partner's figures, with the reader's rights: never as superuser."""
        if field_expr not in SUMMARY_COLUMNS or query is None:
            return super()._field_to_sql(alias, field_expr, query)
        partners, joined = self._fields["partner_id"].join(self, alias, query)
        return partners._field_to_sql(joined, field_expr, query)

    def _order_field_to_sql(self, alias, field_name, direction, nulls, query):
        if field_name not in SUMMARY_COLUMNS:
            return super()._order_field_to_sql(alias, field_name, direction, nulls, query)
        partners, joined = self._fields["partner_id"].join(self, alias, query)
        return partners._order_field_to_sql(joined, field_name, direction, nulls, query)
