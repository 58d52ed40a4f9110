from odoo import models
from odoo.exceptions import ValidationError


class CustomerCostCompanyMixin(models.AbstractModel):
    """Records of a company: nobody moves one to where it, or what uses it, does not belong."""

    _name = "customer.cost.company.mixin"
    _description = "Record of a Company"

    # (model, field) of what uses a record and has a company of its own
    _company_uses = ()

    def write(self, vals):
        res = super().write(vals)
        if "company_id" in vals:
            self.check_access("write")
            self._check_company_uses()
        return res

    def _check_company_uses(self):
        """Refuse a company that others' records use this one from.

        :raises ValidationError: naming the record and one such company
        """
        for record in self.filtered("company_id"):
            inside = (
                self.env["res.company"]
                .sudo()
                ._search(  # sudo: branches nobody may see
                    [("id", "child_of", record.company_id.ids)]
                )
            )
            for model, field in self._company_uses:
                # sudo: a use the user may not see counts as well
                use = (
                    self.env[model]
                    .sudo()
                    .search([(field, "in", record.ids), ("company_id", "not in", inside)], limit=1)
                )
                if use:
                    raise ValidationError(
                        self.env._(
                            "%(record)s is used by %(company)s: it cannot belong to %(own)s alone.",
                            record=record.display_name,
                            company=use.company_id.name or self.env._("all companies"),
                            own=record.company_id.name,
                        )
                    )
