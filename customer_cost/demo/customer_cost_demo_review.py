from odoo import models
from odoo.fields import Command
from odoo.tools import date_utils

CUSTOMERS = ("Metro Hotels Group", "Summit Coworking", "Grand Plaza Catering")


class CustomerCostDemoReview(models.AbstractModel):
    """A second reviewer, a stage by amount, and costs that wait at different stages."""

    _inherit = "customer.cost.demo"

    def _create_manual_costs(self, company, users, customers, today):
        self._set_stages(company, users)
        res = super()._create_manual_costs(company, users, customers, today)
        self._create_waiting_costs(company, users, customers, today)
        return res

    def _set_stages(self, company, users):
        stages = self.env["customer.cost.review.stage"].with_context(active_test=False)
        initial, _second, final = stages.search([("company_id", "=", company.id)])
        initial.write({"reminder_days": 2, "deadline_days": 4})
        final.write(
            {
                "active": True,
                "amount_from": 1000.0,
                "deadline_days": 3,
                "reviewer_kind": "users",
                "user_ids": [Command.set(users["manager"].ids)],
                "escalation_user_id": users["manager"].id,
            }
        )
        users["manager"].group_ids |= self.env.ref("customer_cost.group_customer_cost_reviewer")

    def _create_waiting_costs(self, company, users, customers, today):
        """Two that look alike, one for the final review, one with a question."""
        costs = self.env["customer.cost.entry"].with_user(users["accountant"])
        item = self.env.ref("customer_cost.item_sal_trv")
        entries = costs.create(
            [
                {
                    "company_id": company.id,
                    "currency_id": company.currency_id.id,
                    "customer_id": customers[CUSTOMERS[place]].id,
                    "date": date_utils.subtract(today, days=place),
                    "item_id": item.id,
                    "amount": amount,
                    "description": description,
                }
                for place, amount, description in (
                    (0, 85.0, "Samples for the tasting"),
                    (0, 85.0, "Samples for the tasting, second delivery"),
                    (1, 2400.0, "Own staff at the trade fair"),
                    (2, 130.0, "Gift from own stock"),
                )
            ]
        )
        entries.action_submit()
        entries[2].with_user(users["reviewer"]).action_approve()
        entries[3].with_user(users["reviewer"])._ask("Who received the gift?")
