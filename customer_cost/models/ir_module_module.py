from odoo import api, models
from odoo.fields import Domain

SHIPPED_MODELS = ("customer.cost.alert.rule", "customer.cost.review.stage")


class IrModuleModule(models.Model):
    _inherit = "ir.module.module"

    @api.model
    def _load_module_terms(self, modules, langs, overwrite=False):
        """A language that comes later translates what the code made for each company as well."""
        res = super()._load_module_terms(modules, langs, overwrite=overwrite)
        if "customer_cost" in modules:
            for name in SHIPPED_MODELS:
                # sudo: records of every company; only texts that ship are replaced
                records = (
                    self.env[name].sudo().with_context(active_test=False, tracking_disable=True)
                )
                records.search(Domain.TRUE)._translate_shipped(langs)
        return res
