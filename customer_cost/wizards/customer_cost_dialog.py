from odoo import api, models


class CustomerCostDialog(models.AbstractModel):
    """A dialog about records: it names only what its user may read.

    Fields related to what it names read with the user's rights as well (``related_sudo``).
    """

    _name = "customer.cost.dialog"
    _description = "Dialog About Records"

    @api.model_create_multi
    def create(self, vals_list):
        dialogs = super().create(vals_list)
        dialogs._check_named()
        return dialogs

    def write(self, vals):
        res = super().write(vals)
        self._check_named()
        return res

    def onchange(self, values, field_names, fields_spec):
        names = self._get_naming_fields()
        given = {**self.default_get(names), **values}
        self.new({name: given[name] for name in names if name in given})._check_named()
        return super().onchange(values, field_names, fields_spec)

    @api.model
    def _get_naming_fields(self):
        return [
            name
            for name, field in self._fields.items()
            if field.type in ("many2one", "many2many")
            and field.store
            and name not in models.MAGIC_COLUMNS
        ]

    def _check_named(self):
        """Refuse records that the user may not read.

        :raises AccessError: naming the first of them
        """
        for name in self._get_naming_fields():
            # sudo: what is named, to be compared with what the user may read
            named = self.sudo()[name].sudo(self.env.su)._origin
            if named:
                named.check_access("read")
