import logging
from collections import defaultdict

from odoo import api, fields, models
from odoo.fields import Command
from odoo.tools import date_utils

from . import story

_logger = logging.getLogger(__name__)
MONTHS = 15
OPEN_MONTHS = 3


class CustomerCostDemo(models.AbstractModel):
    """Builds the demo company through the same doors that people use."""

    _name = "customer.cost.demo"
    _description = "Customer Cost Demo"

    @api.model
    def _load(self):
        """Create the demo company with 15 months of sales and costs, the last one unfinished."""
        company = self._create_company()
        demo = self.with_company(company).with_context(
            allowed_company_ids=company.ids, tracking_disable=True, mail_create_nolog=True
        )
        users = demo._create_users(company)
        customers = demo._create_customers(company, users)
        products = demo._create_products()
        accounts = demo._create_accounts(company)
        tickets = demo._create_drivers_and_rules(company)
        today = fields.Date.today()
        months = self._get_months()
        for back in reversed(range(months)):
            first = date_utils.start_of(date_utils.subtract(today, months=back), "month")
            demo._create_sales(customers, products, first, months - 1 - back, today)
            demo._create_purchases(company, products, first, months - 1 - back, today)
            demo._create_costs(company, customers, accounts, first, months - 1 - back, today)
            demo._create_tickets(company, tickets, customers, first, months - 1 - back)
            if back:
                demo._allocate(company, users["manager"], first, close=back >= OPEN_MONTHS)
            if back == months - 1:
                demo._analyze()
        demo._create_manual_costs(company, users, customers, today)
        demo.env["customer.cost.balance"]._refresh()
        _logger.info("Customer cost demo company %s is ready", company.name)

    @api.model
    def _get_months(self):
        return MONTHS

    def _analyze(self):
        """Tell the planner of rows that nobody but this transaction has seen yet.

        Core's statements on payments take minutes where it knows nothing of them.
        """
        self.env.flush_all()
        self.env.cr.execute(
            "ANALYZE account_move, account_move_line, account_partial_reconcile, account_payment"
        )

    # ------------------------------------------------------------
    # Masters
    # ------------------------------------------------------------

    def _create_company(self):
        # the chart is loaded once, below
        companies = self.env["res.company"].with_context(chart_template_load=True)
        company = companies.create(
            {
                "name": "Lakeside Coffee Supply",
                "currency_id": self.env.ref("base.USD").id,
                "country_id": self.env.ref("base.us").id,
            }
        )
        self.env.ref("base.user_admin").write(
            {"company_ids": [Command.link(company.id)], "company_id": company.id}
        )
        self.env["account.chart.template"]._load("generic_coa", company, install_demo=False)
        company.customer_cost_max_days_back = 550
        return company

    def _create_users(self, company):
        users = {}
        for login, name, groups in story.USERS:
            xmlids = [group if "." in group else f"customer_cost.{group}" for group in groups]
            users[login] = (
                self.env["res.users"]
                .with_context(no_reset_password=True)
                .create(
                    {
                        "name": name,
                        "login": login,
                        "password": login,
                        "email": f"{login}@lakeside.example",
                        "company_id": company.id,
                        "company_ids": [Command.set(company.ids)],
                        "group_ids": [Command.link(self.env.ref(xmlid).id) for xmlid in xmlids],
                    }
                )
            )
        return users

    def _create_customers(self, company, users):
        return {
            row[0]: self.env["res.partner"].create(
                {
                    "name": row[0],
                    "is_company": True,
                    "country_id": self.env.ref(f"base.{row[1]}").id,
                    "user_id": users[row[2]].id,
                    "company_id": company.id,
                    "email": "accounts@example.com",
                }
            )
            for row in story.CUSTOMERS
        }

    def _create_products(self):
        return {
            code: self.env["product.product"].create(
                {
                    "name": name,
                    "default_code": code,
                    "list_price": price,
                    "standard_price": cost,
                    "taxes_id": [Command.clear()],
                }
            )
            for code, (name, price, cost) in story.PRODUCTS.items()
        }

    def _create_accounts(self, company):
        accounts = {}
        for sequence, (code, name, target) in enumerate(story.ACCOUNTS):
            account = self.env["account.account"].create(
                {
                    "code": code,
                    "name": name,
                    "account_type": "expense",
                    "company_ids": [Command.set(company.ids)],
                }
            )
            accounts[code] = account
            item = self.env.ref(f"customer_cost.{target}", raise_if_not_found=False)
            self.env["customer.cost.account.map"].create(
                {
                    "company_id": company.id,
                    "sequence": sequence,
                    "account_id": account.id,
                    "item_id": item.id if item else False,
                    "left_out_reason": False if item else target,
                }
            )
        return accounts

    def _create_drivers_and_rules(self, company):
        tickets = self.env["customer.cost.driver"].create(
            {
                "name": "Support tickets",
                "code": "TCK",
                "kind": "value",
                "unit": "tickets",
                "company_id": company.id,
            }
        )
        for sequence, (name, items, driver, full_cost) in enumerate(story.RULES):
            source = tickets if driver == "tickets" else self.env.ref(f"customer_cost.{driver}")
            self.env["customer.cost.rule"].create(
                {
                    "name": name,
                    "sequence": sequence,
                    "company_id": company.id,
                    "sender_item_ids": [
                        Command.link(self.env.ref(f"customer_cost.{item}").id) for item in items
                    ],
                    "driver_id": source.id,
                    "full_cost": full_cost,
                }
            )
        return tickets

    # ------------------------------------------------------------
    # Months
    # ------------------------------------------------------------

    def _create_sales(self, customers, products, first, month, today):
        values = []
        for name, _country, _rep, count, basket, discount, *_rest, growth in story.CUSTOMERS:
            for number in range(count):
                day = date_utils.add(first, days=min(1 + number * 27 // count, 27))
                if day > today:
                    continue
                factor = (1 + growth / 100) ** month * (1 + ((month + number) % 3 - 1) / 12)
                values.append(
                    {
                        "move_type": "out_invoice",
                        "partner_id": customers[name].id,
                        "invoice_date": day,
                        "date": day,
                        "invoice_date_due": date_utils.add(day, days=30),
                        "invoice_line_ids": [
                            Command.create(
                                {
                                    "product_id": products[code].id,
                                    "quantity": max(1, round(quantity * factor)),
                                    "discount": discount,
                                }
                            )
                            for code, quantity in basket.items()
                        ],
                    }
                )
        invoices = self.env["account.move"].create(values)
        invoices.action_post()
        self._pay(invoices, today)

    def _pay(self, invoices, today):
        """Customers pay when due, or as late as they are known to."""
        lateness = {row[0]: row[6] for row in story.CUSTOMERS}
        due = defaultdict(self.env["account.move"].browse)
        for invoice in invoices:
            paid = date_utils.add(invoice.invoice_date, days=30 + lateness[invoice.partner_id.name])
            if paid <= today:
                due[paid] |= invoice
        for day, moves in sorted(due.items()):
            self.env["account.payment.register"].with_context(
                active_model="account.move", active_ids=moves.ids
            ).create({"payment_date": day, "group_payment": True}).action_create_payments()

    def _create_purchases(self, company, products, first, month, today):
        """One bill a month of roughly what was sold: goods are cost of sales, never captured."""
        account = self.env["account.account"].search(
            [("account_type", "=", "expense_direct_cost"), ("company_ids", "in", company.ids)],
            limit=1,
        )
        sold = defaultdict(int)
        for _name, _country, _rep, count, basket, *_rest in story.CUSTOMERS:
            for code, quantity in basket.items():
                sold[code] += count * quantity
        day = min(date_utils.add(first, days=4), today)
        self.env["account.move"].create(
            {
                "move_type": "in_invoice",
                "partner_id": self._get_vendor("Highland Coffee Importers").id,
                "ref": f"HC-{day:%Y%m}",
                "invoice_date": day,
                "date": day,
                "invoice_line_ids": [
                    Command.create(
                        {
                            "product_id": products[code].id,
                            "account_id": account.id,
                            "quantity": round(quantity * (1.03 + month * 0.004)),
                            "price_unit": products[code].standard_price,
                            "tax_ids": [Command.clear()],
                        }
                    )
                    for code, quantity in sorted(sold.items())
                ],
            }
        ).action_post()

    def _create_costs(self, company, customers, accounts, first, month, today):
        day = min(date_utils.add(first, days=24), today)
        self._create_pool_costs(company, accounts, day, month)
        vendor = self._get_vendor("Cascade Travel")
        lines = []
        for name, *_rest, visits, tickets, _growth in story.CUSTOMERS:
            trips = visits * (1 + (month % 4 - 1.5) / 10)
            if trips >= 0.2:
                lines.append((accounts["621300"], "Customer visits", trips * 262.35, name))
            if tickets > 5 and month % 3 == 1:
                lines.append((accounts["623200"], "Machine repair", tickets * 19.8, name))
        if month % 6 == 2:
            lines.append((accounts["622200"], "Trade fair stand", 4870.0, False))
            lines.append((accounts["624100"], "Tasting kits", 356.4, "Harbor Bakeries"))
        self.env["account.move"].create(
            {
                "move_type": "in_invoice",
                "partner_id": vendor.id,
                "ref": f"CT-{day:%Y%m}",
                "invoice_date": day,
                "date": day,
                "invoice_line_ids": [
                    Command.create(
                        {
                            "name": text,
                            "account_id": account.id,
                            "quantity": 1,
                            "price_unit": round(amount, 2),
                            "tax_ids": [Command.clear()],
                            "cost_customer_id": customers[customer].id if customer else False,
                        }
                    )
                    for account, text, amount, customer in lines
                ],
            }
        ).action_post()

    def _create_pool_costs(self, company, accounts, day, month):
        journal = self.env["account.journal"].search(
            [("company_id", "=", company.id), ("type", "=", "general")], limit=1
        )
        amounts = [
            (accounts[code], round(amount * (1 + month * 0.006), 2)) for code, amount in story.POOLS
        ]
        cash = self.env["account.journal"].search(
            [("company_id", "=", company.id), ("type", "=", "bank")], limit=1
        )
        self.env["account.move"].create(
            {
                "move_type": "entry",
                "journal_id": journal.id,
                "date": day,
                "ref": f"Payroll and overhead {day:%Y-%m}",
                "line_ids": [
                    Command.create(
                        {"account_id": account.id, "name": account.name, "balance": amount}
                    )
                    for account, amount in amounts
                ]
                + [
                    Command.create(
                        {
                            "account_id": cash.default_account_id.id,
                            "name": "Paid",
                            "balance": -sum(amount for _account, amount in amounts),
                        }
                    )
                ],
            }
        ).action_post()

    def _get_vendor(self, name):
        found = self.env["res.partner"].search([("name", "=", name)], limit=1)
        return found or self.env["res.partner"].create({"name": name, "is_company": True})

    def _create_tickets(self, company, driver, customers, first, month):
        self.env["customer.cost.driver.value"].create(
            [
                {
                    "driver_id": driver.id,
                    "company_id": company.id,
                    "date": first,
                    "customer_id": customers[name].id,
                    "quantity": max(1, tickets + (month % 3) - 1),
                }
                for name, *_rest, tickets, _growth in story.CUSTOMERS
            ]
        )

    def _allocate(self, company, manager, first, close):
        run = (
            self.env["customer.cost.run"]
            .with_user(manager)
            .create({"company_id": company.id, "date": first})
        )
        run.action_compute()
        run.action_post()
        if close:
            run.period_id.action_close()

    def _create_manual_costs(self, company, users, customers, today):
        for back, name, item, amount, text, outcome in story.MANUAL_COSTS:
            day = date_utils.subtract(today, months=back)
            if self.env["customer.cost.period"]._is_closed(company, day):
                day = date_utils.start_of(
                    date_utils.subtract(today, months=OPEN_MONTHS - 1), "month"
                )
            entry = (
                self.env["customer.cost.entry"]
                .with_user(users["accountant"])
                .create(
                    {
                        "company_id": company.id,
                        "currency_id": company.currency_id.id,
                        "date": day,
                        "customer_id": customers[name].id,
                        "item_id": self.env.ref(f"customer_cost.{item}").id,
                        "amount": amount,
                        "description": text,
                    }
                )
            )
            if outcome in ("submit", "approve"):
                entry.action_submit()
            if outcome == "approve":
                entry.with_user(users["reviewer"]).action_approve()
