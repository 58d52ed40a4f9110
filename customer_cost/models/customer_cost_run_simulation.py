from dataclasses import replace

from odoo import fields, models
from odoo.fields import Command

from ..engine import overrides, to_minor
from ..engine.run_data import BY_DRIVER, MEASURED


class CustomerCostRunSimulation(models.Model):
    """A run on changed inputs: what rules, costs or customers would have made of the month."""

    _inherit = "customer.cost.run"

    override_ids = fields.One2many(
        "customer.cost.run.override",
        "run_id",
        string="Changes",
        copy=True,
        help="Made in the order shown, on what is there when the run is computed.",
    )

    def action_simulate(self):
        """Open a new simulation of the month, with the changes of this run if it has some."""
        self.ensure_one()
        simulation = self.create(
            {
                "company_id": self.company_id.id,
                "date": self.date,
                "kind": "simulation",
                "override_ids": [
                    Command.create(vals) for vals in self.override_ids.copy_data({"run_id": False})
                ],
            }
        )
        return simulation.get_formview_action()

    def _reset(self):
        """Runs whose changes are other ones now are drafts again."""
        for run in self.filtered(lambda run: run.state == "computed"):
            run._clear_results()

    def _get_inputs(self, without=()):
        inputs = super()._get_inputs(without)
        for override in self.override_ids:
            inputs = getattr(self, f"_override_{override.kind}")(inputs, override)
        return inputs

    def _override_rule_share(self, inputs, override):
        return overrides.change_rule(inputs, override.rule_id.id, share=override.value, amount=None)

    def _override_rule_off(self, inputs, override):
        return overrides.drop_rule(inputs, override.rule_id.id)

    def _override_rule_driver(self, inputs, override):
        changed, charged = override.rule_id, set()
        for rule in inputs.rules:
            if rule.key == changed.id:
                break
            charged.update(rule.receivers.ids.tolist())
        else:
            return inputs
        receivers = changed._get_driver_receivers(
            override.driver_id, self.company_id, self._get_month()[1], {}, charged
        )
        return overrides.change_rule(
            inputs,
            changed.id,
            method=rule.method if rule.method in MEASURED else BY_DRIVER,
            receivers=changed._add_receivers(receivers, rule.terms),
        )

    def _override_pool_pct(self, inputs, override):
        return overrides.scale_pools(inputs, override._get_items(), override.value)

    def _override_pool_add(self, inputs, override):
        minor = to_minor(override.value, self.currency_id.decimal_places)
        added = self._split_behaviour({override.item_id.id: {0: minor}}, 0)
        return overrides.add_to_pools(inputs, added)

    def _override_quantity(self, inputs, override):
        customer = override.customer_id.commercial_partner_id.id
        rules = {
            rule
            for rule, source in self._get_sources().items()
            if override.driver_id.id in (False, source.driver)
        }
        return overrides.scale_quantity(inputs, rules, customer, override.value)

    def _override_terms_off(self, inputs, override):
        customer = override.customer_id.commercial_partner_id.id
        return overrides.drop_terms(inputs, customer, override.rule_id.id or None)

    def _prepare_step_terms(self, rule, customers):
        for override in self.override_ids.filtered(lambda each: each.kind == "terms_off"):
            if override.rule_id in (rule, rule.browse()):
                customers = customers - {override.customer_id.commercial_partner_id.id}
        return super()._prepare_step_terms(rule, customers)

    def _get_sources(self):
        sources = super()._get_sources()
        for override in self.override_ids.filtered(lambda each: each.kind == "rule_driver"):
            rule = override.rule_id.id
            if rule in sources:
                sources[rule] = replace(sources[rule], driver=override.driver_id.id)
        return sources

    def _prepare_step_texts(self, rule):
        texts = super()._prepare_step_texts(rule)
        for override in self.override_ids.filtered(lambda each: each.rule_id == rule):
            texts["rule_text"] = self.env._(
                "%(rule)s; simulated: %(change)s",
                rule=texts["rule_text"],
                change=override._get_text(),
            )
            if override.kind == "rule_driver":
                texts |= self._prepare_driver_texts(override.driver_id)
        return texts
