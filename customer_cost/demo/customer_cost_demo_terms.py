from odoo import api, fields, models
from odoo.tools import date_utils

# customer, rule or None, cost item or None, kind, value, contract
TERMS = (
    ("Metro Hotels Group", "Sales team by invoices", None, "cap", {"amount": 900.0}, "2026-017"),
    ("Harbor Bakeries", None, "item_sup", "weight", {"factor": 1.5}, "2026-021"),
)


class CustomerCostDemo(models.AbstractModel):
    """Contract terms in force since last month."""

    _inherit = "customer.cost.demo"

    @api.model
    def _create_drivers_and_rules(self, company):
        tickets = super()._create_drivers_and_rules(company)
        last_month = date_utils.subtract(fields.Date.today(), months=1)
        partners, rules = self.env["res.partner"], self.env["customer.cost.rule"]
        for customer, rule, item, kind, value, reference in TERMS:
            self.env["customer.cost.term"].create(
                {
                    "company_id": company.id,
                    "customer_id": partners.search([("name", "=", customer)], limit=1).id,
                    "rule_id": rule and rules.search([("name", "=", rule)], limit=1).id,
                    "item_id": item and self.env.ref(f"customer_cost.{item}").id,
                    "kind": kind,
                    "date_from": date_utils.start_of(last_month, "month"),
                    "reference": reference,
                    **value,
                }
            )
        return tickets
