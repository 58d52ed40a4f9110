from odoo import api, models
from odoo.exceptions import AccessError
from odoo.tools.misc import clean_context

# Compared with `is`: no RPC caller can put this object in a context.
GUARD = object()
# What a caller may not bring along: values by default, and a way around the chatter's trail.
UNTRUSTED_KEYS = frozenset({"mail_notrack", "tracking_disable"})


class CustomerCostGuarded(models.AbstractModel):
    """Fields that only the methods of their own model may set.

    A model lists them in ``_guarded_fields``. They are refused in ``write`` and, after defaults
    and copies, on the created record, whatever the caller's rights and context say, unless the
    method that owns them works on ``self._unguarded()``.
    """

    _name = "customer.cost.guarded"
    _description = "Fields Owned by Methods"

    _guarded_fields = frozenset()

    def _unguarded(self):
        """Return ``self`` with the right to set the guarded fields.

        Defaults in the caller's context would be taken for values of the method, and a change of
        a guarded field is always tracked: both stay outside.
        """
        context = {
            key: value
            for key, value in clean_context(self.env.context).items()
            if key not in UNTRUSTED_KEYS
        }
        return self.with_context(context, customer_cost_guard=GUARD)

    def _guard_is_open(self):
        return self.env.context.get("customer_cost_guard") is GUARD

    def _check_cost_manager(self, message):
        """Raise ``message`` unless the user is a cost manager.

        :raises AccessError: the user is not
        """
        manager = "customer_cost.group_customer_cost_manager"
        if not (self.env.su or self.env.user.has_group(manager)):
            raise AccessError(message)

    def _raise_guarded(self, names):
        labels = ", ".join(self._fields[name]._description_string(self.env) for name in names)
        raise AccessError(
            self.env._(
                "%(model)s: %(fields)s cannot be set directly. "
                "Use the buttons of the record instead.",
                model=self.env["ir.model"]._get(self._name).name,
                fields=labels,
            )
        )

    @api.model_create_multi
    def create(self, vals_list):
        if self._guard_is_open():
            return super().create(vals_list)
        computed = {name for name in self._guarded_fields if self._fields[name].compute}
        given = set().union(
            (name.removeprefix("default_") for name in self.env.context), *vals_list
        )
        if computed & given:
            self._raise_guarded(sorted(computed & given))
        records = super().create(vals_list)
        touched = [
            name
            for name in sorted(self._guarded_fields - computed)
            if any(record._is_guarded_value_set(name) for record in records)
        ]
        if touched:
            self._raise_guarded(touched)
        return records

    def write(self, vals):
        touched = sorted(self._guarded_fields.intersection(vals))
        if touched and not self._guard_is_open():
            self._raise_guarded(touched)
        return super().write(vals)

    def _is_guarded_value_set(self, name):
        """Whether a guarded field of this record differs from its class default."""
        field = self._fields[name]
        initial = field.default(self) if field.default else False
        value = self[name].ids if field.relational else self[name]
        return (value or False) != (initial or False)
