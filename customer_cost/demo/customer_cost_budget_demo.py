from odoo import api, fields, models
from odoo.fields import Command
from odoo.tools import date_utils

# customer, planned per year, cost of a request that waits as a draft
BUDGETS = (("Metro Hotels Group", 60000.0, 900.0), ("Harbor Bakeries", 6000.0, 9000.0))


class CustomerCostDemo(models.AbstractModel):
    """Budgets of this year, and drafts of which one is within its budget and one is over it."""

    _inherit = "customer.cost.demo"

    @api.model
    def _load_budgets(self):
        company = self.env["res.company"].search([("name", "=", "Lakeside Coffee Supply")], limit=1)
        demo = self.with_company(company).with_context(allowed_company_ids=company.ids)
        accountant = demo.env["res.users"].search([("login", "=", "accountant")], limit=1)
        manager = demo.env["res.users"].search([("login", "=", "manager")], limit=1)
        today = fields.Date.today()
        item = demo.env.ref("customer_cost.item_sal_trv")
        for name, planned, amount in BUDGETS:
            customer = demo.env["res.partner"].search([("name", "=", name)], limit=1)
            customer.customer_cost_limit_month = planned / 6
            budget = (
                demo.env["customer.cost.budget"]
                .with_user(accountant)
                .create(
                    {
                        "customer_id": customer.id,
                        "company_id": company.id,
                        "date_from": date_utils.start_of(today, "year"),
                        "date_to": date_utils.end_of(today, "year"),
                        "band_ids": [
                            Command.create({"percentage": 80.0, "action": "warn"}),
                            Command.create({"percentage": 110.0, "action": "block"}),
                        ],
                    }
                )
            )
            fill = demo.env["customer.cost.budget.fill"].with_user(accountant)
            fill.create({"budget_id": budget.id, "amount": planned}).action_apply()
            budget.with_user(manager).action_confirm()
            demo.env["customer.cost.entry"].with_user(accountant).create(
                {
                    "company_id": company.id,
                    "currency_id": company.currency_id.id,
                    "date": today,
                    "customer_id": customer.id,
                    "item_id": item.id,
                    "amount": amount,
                    "kind": "request",
                    "description": demo.env._("Visit with samples"),
                }
            )
