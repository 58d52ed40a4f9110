from odoo import models
from odoo.fields import Command
from odoo.tools import date_utils

COMPANY_POLICY = "Ask before you spend. What is paid by yourself needs a receipt."
GIFT_POLICY = "Gifts for named people need their company's consent."

# item (xml id) or False, values of the policy
POLICIES = (
    (False, {"kind": "receipt", "amount": 100.0, "text": "A photo is enough."}),
    ("item_oth_gft", {"kind": "month_limit", "amount": 500.0}),
    ("item_sal_trv", {"kind": "entry_limit", "amount": 2500.0, "level": "block"}),
    (False, {"kind": "late", "days": 45}),
)

# who asks, days since approval or False, customer, item, vendor, amount, purpose, what is settled
REQUESTS = (
    (
        "accountant",
        41,
        "Metro Hotels Group",
        "item_mkt_evt",
        "Harbor Fair Services",
        1800.0,
        "Stand at the regional fair",
        650.0,
    ),
    (
        "accountant",
        12,
        "Grand Plaza Catering",
        "item_sal_trv",
        "Cascade Travel",
        940.0,
        "Two visits to the new kitchens",
        0.0,
    ),
    (
        "accountant",
        20,
        "Summit Coworking",
        "item_mkt_prt",
        "Harbor Fair Services",
        420.0,
        "Printed menus for the lounges",
        420.0,
    ),
    ("rep", False, "rep", "item_oth_evt", False, 380.0, "Tasting for the buyers", 0.0),
)


class CustomerCostDemo(models.AbstractModel):
    """Policies, a recording calendar, and requests on their way to settlement."""

    _inherit = "customer.cost.demo"

    def _create_manual_costs(self, company, users, customers, today):
        self._create_policies(company, users)
        res = super()._create_manual_costs(company, users, customers, today)
        self._create_requests(company, users, customers, today)
        return res

    def _create_policies(self, company, users):
        company.customer_cost_policy_text = COMPANY_POLICY
        self.env.ref("customer_cost.item_oth_gft").policy_text = GIFT_POLICY
        self.env["customer.cost.policy"].create(
            [
                {
                    **vals,
                    "company_id": company.id,
                    "item_id": self.env.ref(f"customer_cost.{item}").id if item else False,
                }
                for item, vals in POLICIES
            ]
        )
        self.env["customer.cost.recording"].create(
            {
                "name": "Samples and gifts",
                "company_id": company.id,
                "user_ids": [Command.set((users["rep"] | users["cost_user"]).ids)],
                "item_ids": [Command.set(self.env.ref("customer_cost.item_oth").ids)],
                "month_day": 1,
            }
        )
        self.env["customer.cost.recording"]._cron_remind()

    def _create_requests(self, company, users, customers, today):
        for who, age, name, item, vendor, amount, purpose, settled in REQUESTS:
            customer = customers.get(name) or next(
                customer for customer in customers.values() if customer.user_id == users[who]
            )
            request = (
                self.env["customer.cost.entry"]
                .with_user(users[who])
                .create(
                    {
                        "kind": "request",
                        "company_id": company.id,
                        "currency_id": company.currency_id.id,
                        "date": today,
                        "customer_id": customer.id,
                        "item_id": self.env.ref(f"customer_cost.{item}").id,
                        "vendor_id": self._get_vendor(vendor).id if vendor else False,
                        "payment_method": "company",
                        "amount": amount,
                        "description": purpose,
                    }
                )
            )
            request.action_submit()
            if age is False:
                continue
            for reviewer in ("reviewer", "manager"):
                if request.state == "submitted":
                    waiting = request.with_user(users[reviewer])
                    waiting.cost_review_id.check_ids.action_tick()
                    waiting.action_approve()
            request._unguarded().write({"approved_on": date_utils.subtract(today, days=age)})
            if settled:
                bill = self.env["account.move"].browse(request.action_create_bill()["res_id"])
                bill.invoice_date = today
                bill.invoice_line_ids.write({"price_unit": settled, "tax_ids": [Command.clear()]})
                bill.action_post()
