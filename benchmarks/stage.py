"""The databases and companies in which the benches run."""

import time
from datetime import date

import psycopg2

from odoo import SUPERUSER_ID, api
from odoo.fields import Command
from odoo.modules.registry import Registry

from . import generate

POOL = 123456.78
EXPENSE_CODE = "699001"


class Books:
    """A company with a chart, a mapped expense account, a vendor and a product."""

    def __init__(self, env, name):
        self.company = self._create_company(env, name)
        self.env = self.company.env
        self.with_addon = "customer.cost.run" in env
        self.expense = self.env["account.account"].create(
            {
                "name": "Bench travel",
                "code": EXPENSE_CODE,
                "account_type": "expense",
                "company_ids": [Command.set(self.company.ids)],
            }
        )
        self.vendor = self.env["res.partner"].create({"name": f"Vendor of {name}"})
        self.product = self.env["product.product"].create(
            {"name": f"Product of {name}", "standard_price": 60.0, "taxes_id": [Command.clear()]}
        )
        if self.with_addon:
            self.item = self.env.ref("customer_cost.item_sal_trv")
            self.env["customer.cost.account.map"].create(
                {
                    "company_id": self.company.id,
                    "account_id": self.expense.id,
                    "item_id": self.item.id,
                }
            )

    def _create_company(self, env, name):
        company = (
            env["res.company"]
            .with_context(chart_template_load=True)  # the chart is loaded below
            .create({"name": name, "country_id": env.ref("base.us").id})
        )
        env["account.chart.template"].try_loading(
            "generic_coa", company=company, install_demo=False
        )
        company.account_sale_tax_id = company.account_purchase_tax_id = False
        administrator = env.ref("base.user_admin")
        administrator.write({"company_ids": [Command.link(company.id)], "company_id": company.id})
        context = {"allowed_company_ids": company.ids}
        return company.with_env(env(user=administrator, context=context))

    def create_bills(self, count, amount, day, lines=1):
        """Draft vendor bills of ``lines`` lines on the mapped account."""
        return self.env["account.move"].create(
            [
                {
                    "move_type": "in_invoice",
                    "partner_id": self.vendor.id,
                    "ref": f"bench {number}",
                    "date": day,
                    "invoice_date": day,
                    "invoice_line_ids": [
                        Command.create(
                            {
                                "name": "Travel",
                                "account_id": self.expense.id,
                                "price_unit": amount,
                                "tax_ids": [Command.clear()],
                            }
                        )
                    ]
                    * lines,
                }
                for number in range(count)
            ]
        )

    def create_invoice(self, partner, day):
        """A posted customer invoice of one product line."""
        invoice = self.env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": partner.id,
                "date": day,
                "invoice_date": day,
                "invoice_line_ids": [
                    Command.create(
                        {
                            "product_id": self.product.id,
                            "price_unit": 100.0,
                            "tax_ids": [Command.clear()],
                        }
                    )
                ],
            }
        )
        invoice.action_post()
        return invoice


class Stage:
    """What the benches share: options, sizes, the volume, a database without the add-on."""

    def __init__(self, env, options):
        self.env = env
        self.quick = options["quick"]
        self.options = options
        self.repeats = 3 if self.quick else 5
        self.sizes = (100, 1_000, 10_000) if self.quick else (1_000, 10_000, 100_000)
        self.customers = []
        self._volumes = {}
        self._fresh = False

    def get_volumes(self):
        """A company per size with invoices of so many customers; ledger lines in the largest.

        :return: dict of number of customers to :class:`Books`
        """
        if not self._volumes:
            start = time.monotonic()
            today = date.today()
            invoices = {}
            for size in self.sizes:
                books = self._volumes[size] = Books(self.env, f"Bench {size:,}")
                invoices[size] = books.create_invoice(books.vendor, today)
                books.create_bills(1, POOL, today).action_post()
            line = self.env["customer.cost.line"].search([], order="id desc", limit=1)
            with generate.bare(self.env, generate.TABLES):
                self.customers = generate.create_customers(self.env, max(self.sizes))
                for size, invoice in invoices.items():
                    customers = self.customers[:size]
                    generate.create_invoices(invoice, customers, self.options["flat"])
                generate.create_ledger(line, self.customers, self.options["ledger"])
            self.env.cr.commit()
            self.vacuum(*generate.TABLES)
            print(f"    the volume took {time.monotonic() - start:.1f} s", flush=True)
        return self._volumes

    def get_fresh_figures(self):
        """Bring the stored figures up to date with what was copied in by SQL, once."""
        if not self._fresh:
            self._fresh = True
            start = time.monotonic()
            books = self.get_volumes()[max(self.sizes)]
            books.env["customer.cost.dirty"]._mark_everything(books.company.ids)
            books.env["customer.cost.balance"]._refresh()
            books.env.cr.commit()
            self.vacuum("customer_cost_balance", "customer_cost_summary", "customer_cost_dirty")
            print(f"    the stored figures took {time.monotonic() - start:.1f} s", flush=True)

    def open_without(self):
        """An environment in the database that does not have the add-on."""
        cr = Registry(self.options["without"]).cursor()
        return api.Environment(cr, SUPERUSER_ID, {})

    def vacuum(self, *tables, database=None):
        """Give every measurement the same tables: no dead rows of the one before."""
        connection = psycopg2.connect(dbname=database or self.env.cr.dbname)
        connection.autocommit = True
        with connection.cursor() as cr:
            for table in tables:
                cr.execute(f"VACUUM ANALYZE {table}")
        connection.close()
