from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain

from ..fields import Quantity

# Which fields a change names, in the order in which they are filled in.
NAMED = {
    "rule_share": ("rule_id", "value"),
    "rule_off": ("rule_id",),
    "rule_driver": ("rule_id", "driver_id"),
    "pool_pct": ("item_id", "value"),
    "pool_add": ("item_id", "value"),
    "quantity": ("customer_id", "value"),
    "terms_off": ("customer_id",),
}


class CustomerCostRunOverride(models.Model):
    """One thing that a simulation or plan changes; the real rule, driver or cost stays as it is."""

    _name = "customer.cost.run.override"
    _description = "Simulated Change"
    _order = "run_id, sequence, id"
    _check_company_auto = True

    run_id = fields.Many2one("customer.cost.run", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="run_id.company_id", store=True, index=True)
    sequence = fields.Integer(default=10)
    kind = fields.Selection(
        [
            ("rule_share", "Share of a rule: %"),
            ("rule_off", "Rule left out"),
            ("rule_driver", "Driver of a rule"),
            ("pool_pct", "Pool changed by %"),
            ("pool_add", "Amount added to a pool"),
            ("quantity", "Quantity of a customer: times"),
            ("terms_off", "Terms of a customer left out"),
        ],
        string="Change",
        required=True,
    )
    rule_id = fields.Many2one(
        "customer.cost.rule",
        ondelete="cascade",
        domain="[('company_id', 'parent_of', company_id)]",
        help="With the terms of a customer: those with this rule. Empty: all of its terms.",
    )
    driver_id = fields.Many2one(
        "customer.cost.driver",
        ondelete="cascade",
        check_company=True,
        help="With the quantity of a customer: the driver that counts it. Empty: every driver.",
    )
    item_id = fields.Many2one(
        "customer.cost.item",
        string="Cost Item",
        ondelete="cascade",
        check_company=True,
        help="Its sub-items change with it, in proportion.",
    )
    customer_id = fields.Many2one("res.partner", ondelete="cascade", check_company=True)
    value = Quantity(
        help="A share in %, a change in % (negative: less), an amount in company currency, or a "
        "factor: 2 for twice as much.",
    )

    @api.depends("kind", "rule_id", "driver_id", "item_id", "customer_id", "value")
    @api.depends_context("lang")
    def _compute_display_name(self):
        for override in self:
            override.display_name = override._get_text() if override.kind else ""

    def _get_text(self):
        """The change in words."""
        self.ensure_one()
        texts = {
            "rule_share": self.env._("%(rule)s sends %(value)s %%"),
            "rule_off": self.env._("%(rule)s is left out"),
            "rule_driver": self.env._("%(rule)s goes by %(driver)s"),
            "pool_pct": self.env._("%(item)s changes by %(value)s %%"),
            "pool_add": self.env._("%(value)s is added to %(item)s"),
            "quantity": self.env._("%(customer)s counts %(value)s times"),
            "terms_off": self.env._("The terms of %(customer)s are left out"),
        }
        return texts[self.kind] % {
            "rule": self.rule_id.name,
            "driver": self.driver_id.display_name,
            "item": self.item_id.display_name,
            "customer": self.customer_id.display_name,
            "value": f"{self.value:+g}" if self.kind == "pool_pct" else f"{self.value:g}",
        }

    @api.constrains("kind", "rule_id", "driver_id", "item_id", "customer_id", "value")
    def _check_values(self):
        kinds = dict(self._fields["kind"]._description_selection(self.env))
        for override in self:
            for name in NAMED[override.kind]:
                if name != "value" and not override[name]:
                    raise ValidationError(
                        self.env._(
                            "%(change)s: choose %(field)s.",
                            change=kinds[override.kind],
                            field=self._fields[name]._description_string(self.env),
                        )
                    )
            if override.kind == "rule_share" and not 0 < override.value <= 100:
                raise ValidationError(
                    self.env._(
                        "%(change)s: the share of %(rule)s lies above 0 and not above 100 %%.",
                        change=kinds[override.kind],
                        rule=override.rule_id.name,
                    )
                )
            if override.kind == "quantity" and override.value < 0:
                raise ValidationError(
                    self.env._(
                        "%(change)s: the factor of %(customer)s is not below 0.",
                        change=kinds[override.kind],
                        customer=override.customer_id.display_name,
                    )
                )

    @api.constrains("rule_id", "run_id")
    def _check_rule(self):
        for override in self:
            # sudo: a rule of a parent company holds for its branches, whoever simulates one
            if override.rule_id.company_id - override.company_id.sudo().parent_ids:
                raise ValidationError(
                    self.env._(
                        "Rule %(rule)s does not apply to %(company)s.",
                        rule=override.rule_id.name,
                        company=override.company_id.name,
                    )
                )

    @api.constrains("run_id")
    def _check_run(self):
        for override in self:
            if override.run_id.kind == "actual":
                raise ValidationError(
                    self.env._(
                        "%(run)s is an actual run: it is computed from what is there. Make a "
                        "simulation to change something.",
                        run=override.run_id.display_name,
                    )
                )

    # ------------------------------------------------------------
    # A computed run never shows other changes than it was computed with
    # ------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        overrides = super().create(vals_list)
        overrides.run_id._reset()
        return overrides

    def write(self, vals):
        runs = self.run_id
        res = super().write(vals)
        (runs | self.run_id)._reset()
        return res

    def unlink(self):
        runs = self.run_id
        res = super().unlink()
        runs._reset()
        return res

    def _get_items(self):
        """Ids of the item and of all below it."""
        # sudo: what lies below an item does not depend on who simulates
        items = self.env["customer.cost.item"].sudo().with_context(active_test=False)
        return set(items.search(Domain("id", "child_of", self.item_id.ids)).ids)
