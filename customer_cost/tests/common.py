from contextlib import contextmanager
from datetime import date

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.service.model import call_kw
from odoo.tests import new_test_user, tagged
from odoo.tools import SQL

from odoo.addons.account.tests.common import AccountTestInvoicingCommon

ROLES = {
    "rep": "customer_cost.group_customer_cost_rep",
    "cost_user": "customer_cost.group_customer_cost_user",
    "accountant": "customer_cost.group_customer_cost_accountant,account.group_account_invoice",
    "manager": "customer_cost.group_customer_cost_manager,account.group_account_invoice",
    "reviewer": "customer_cost.group_customer_cost_reviewer",
    "auditor": "customer_cost.group_customer_cost_auditor",
    "internal": "base.group_user",
}


def close_unchecked(period):
    """Close a period as its button does, but for the checklist and what closing stores."""
    period._touch()
    period.sudo()._unguarded().write({"state": "closed"})


@tagged("post_install", "-at_install")
class CustomerCostCommon(AccountTestInvoicingCommon):
    """A company with its own chart, catalogue, map and a user of every role.

    Dates lie in 2025: figures that look at today are tested under ``freeze_time``.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.company_data["company"]
        cls.company.customer_cost_max_days_back = 36500
        # The tests' own user posts runs as a manager would.
        cls.env.user.group_ids |= cls.env.ref("customer_cost.group_customer_cost_manager")
        # all at once: each creation of users empties the caches of the registry
        users = cls.env["res.users"].create(
            [
                {
                    "name": f"cost_{role}",
                    "login": f"cost_{role}",
                    "password": f"cost_{role}",
                    "email": f"cost_{role}@example.com",
                    "group_ids": [
                        Command.set([cls.env.ref(group).id for group in groups.split(",")])
                    ],
                    "company_id": cls.company.id,
                    "company_ids": [Command.set(cls.company.ids)],
                }
                for role, groups in ROLES.items()
            ]
        )
        cls.users = dict(zip(ROLES, users, strict=True))
        cls.rep = cls.users["rep"]
        cls.customer_a, cls.customer_b, cls.customer_c = cls.env["res.partner"].create(
            [
                {"name": "Cost Customer A", "is_company": True, "user_id": cls.rep.id},
                {"name": "Cost Customer B", "is_company": True},
                {"name": "Cost Customer C", "is_company": True},
            ]
        )
        cls.vendor = cls.env["res.partner"].create({"name": "Cost Vendor", "is_company": True})
        cls.item = cls.create_item("T-TRV", "Test travel")
        cls.other_item = cls.create_item("T-ADV", "Test advertising")
        cls.admin_item = cls.create_item("T-ADM", "Test administration", level="corporate")
        cls.expense_account, cls.other_account, cls.unmapped_account = cls.env[
            "account.account"
        ].create(
            [
                {
                    "name": name,
                    "code": code,
                    "account_type": "expense",
                    "company_ids": [Command.set(cls.company.ids)],
                }
                for name, code in (
                    ("Travel", "T60001"),
                    ("Advertising", "T60002"),
                    ("Not mapped", "T60003"),
                )
            ]
        )
        cls.map_account(cls.expense_account, cls.item)
        cls.map_account(cls.other_account, cls.other_item)
        cls.product = cls.env["product.product"].create(
            {
                "name": "Cost product",
                "standard_price": 40.0,
                "list_price": 100.0,
                "taxes_id": [Command.clear()],
            }
        )

    # ------------------------------------------------------------
    # Builders
    # ------------------------------------------------------------

    @classmethod
    def create_item(cls, code, name, **vals):
        return cls.env["customer.cost.item"].create({"code": code, "name": name, **vals})

    @classmethod
    def map_account(cls, account, item=None, **vals):
        return cls.env["customer.cost.account.map"].create(
            {
                "account_id": account.id,
                "item_id": item.id if item else False,
                "company_id": cls.company.id,
                **vals,
            }
        )

    @classmethod
    def create_bill(cls, lines, day="2025-03-10", move_type="in_invoice", post=True, **vals):
        """Vendor bill of ``(account, amount, extra line values)`` tuples without tax."""
        bill = cls.env["account.move"].create(
            {
                "move_type": move_type,
                "partner_id": cls.vendor.id,
                "invoice_date": day,
                "date": day,
                "invoice_line_ids": [
                    Command.create(
                        {
                            "name": "Cost",
                            "quantity": 1,
                            "price_unit": amount,
                            "account_id": account.id,
                            "tax_ids": [Command.clear()],
                            **extra,
                        }
                    )
                    for account, amount, extra in lines
                ],
                **vals,
            }
        )
        if post:
            bill.action_post()
        return bill

    @classmethod
    def create_entry_move(cls, lines, day="2025-03-10", post=True, **vals):
        """Miscellaneous entry of ``(account, balance, extra line values)`` tuples."""
        move = cls.env["account.move"].create(
            {
                "move_type": "entry",
                "journal_id": cls.company_data["default_journal_misc"].id,
                "date": day,
                "line_ids": [
                    Command.create(
                        {"name": "Cost", "account_id": account.id, "balance": balance, **extra}
                    )
                    for account, balance, extra in lines
                ]
                + [
                    Command.create(
                        {
                            "name": "Counterpart",
                            "account_id": cls.company_data["default_account_payable"].id,
                            "balance": -sum(balance for _account, balance, _extra in lines),
                        }
                    )
                ],
                **vals,
            }
        )
        if post:
            move.action_post()
        return move

    @classmethod
    def create_sale(
        cls,
        customer,
        quantity=1,
        price=100.0,
        day="2025-03-10",
        product=None,
        move_type="out_invoice",
        post=True,
        **vals,
    ):
        """Customer invoice, or credit note, of one untaxed product line."""
        invoice = cls.env["account.move"].create(
            {
                "move_type": move_type,
                "partner_id": customer.id,
                "invoice_date": day,
                "date": day,
                "invoice_line_ids": [
                    Command.create(
                        {
                            "product_id": (product or cls.product).id,
                            "quantity": quantity,
                            "price_unit": price,
                            "tax_ids": [Command.clear()],
                        }
                    )
                ],
                **vals,
            }
        )
        if post:
            invoice.action_post()
        return invoice

    @classmethod
    def create_cost(cls, user=None, post=False, **vals):
        """Manual cost of 100.00 for customer A; ``post`` has it approved by the reviewer."""
        env = cls.env(user=user) if user else cls.env(user=cls.users["accountant"])
        entry = env["customer.cost.entry"].create(
            {
                "date": "2025-03-10",
                "item_id": cls.item.id,
                "customer_id": cls.customer_a.id,
                "amount": 100.0,
                "description": "Manual cost",
                "company_id": cls.company.id,
                "currency_id": cls.company.currency_id.id,
                **vals,
            }
        )
        if post:
            entry.action_submit()
            entry.with_user(cls.users["reviewer"]).action_approve()
        return entry

    @classmethod
    def create_driver(cls, quantities=None, day="2025-03-31", **vals):
        """Driver of entered values, ``quantities`` a dict of customer to number."""
        driver = cls.env["customer.cost.driver"].create(
            {
                "name": "Test driver",
                "code": f"T{cls.env['customer.cost.driver'].search_count([])}",
                "kind": "value",
                **vals,
            }
        )
        cls.env["customer.cost.driver.value"].create(
            [
                {
                    "driver_id": driver.id,
                    "customer_id": customer.id,
                    "quantity": quantity,
                    "date": day,
                    "company_id": cls.company.id,
                }
                for customer, quantity in (quantities or {}).items()
            ]
        )
        return driver

    @classmethod
    def create_rule(cls, driver=None, items=None, **vals):
        return cls.env["customer.cost.rule"].create(
            {
                "name": "Test rule",
                "company_id": cls.company.id,
                "sender_item_ids": [Command.set((items or cls.item).ids)],
                "driver_id": driver.id if driver else False,
                "method": "driver" if driver else "fixed",
                **vals,
            }
        )

    @classmethod
    def create_run(cls, day="2025-03-31", compute=True, post=False, **vals):
        run = cls.env["customer.cost.run"].create(
            {"company_id": cls.company.id, "date": day, **vals}
        )
        if compute:
            run.action_compute()
        if post:
            run.action_post()
        return run

    @classmethod
    def close_period(cls, day="2025-03-10", company=None):
        """Closed period of ``day``, without the checklist: for what a closed month does."""
        period = cls.env["customer.cost.period"]._get(company or cls.company, day)
        close_unchecked(period)
        return period

    # ------------------------------------------------------------
    # Looking
    # ------------------------------------------------------------

    def ledger(self, moves=None):
        """Ledger as a dict of (customer, item, date) to amount, zero sums left out."""
        domain = [("company_id", "=", self.company.id)]
        if moves is not None:
            domain.append(("entry_id.source_move_id", "in", moves.ids))
        groups = self.env["customer.cost.line"]._read_group(
            domain, ["customer_id", "item_id", "date:day"], ["amount:sum"]
        )
        return {
            (customer, item, day if isinstance(day, date) else day.date()): round(amount, 3)
            for customer, item, day, amount in groups
            if round(amount, 3)
        }

    def outcomes(self, moves):
        """What becomes of the profit-and-loss items: (account, item or reason) to amount."""
        capture = self.env["customer.cost.capture"]
        capture._flush_sources()
        rows = self.env.execute_query_dict(
            SQL(
                """WITH candidate AS MATERIALIZED (%s), classified AS (%s)
                   SELECT account_id, item_id, COALESCE(excluded, left_out_reason) AS reason,
                          sum(amount)::float AS amount
                     FROM classified GROUP BY 1, 2, 3""",
                capture._sql_candidates(
                    SQL("m.id = ANY(%s)", moves.ids),
                    SQL("a.account_type ~ '^(income|expense|off_balance)'"),
                ),
                capture._sql_classified(),
            )
        )
        account, item = self.env["account.account"], self.env["customer.cost.item"]
        return {
            (
                account.browse(row["account_id"]),
                item.browse(row["item_id"] or []) or row["reason"],
            ): row["amount"]
            for row in rows
        }

    def received(self, run):
        """Amounts of a run as a dict of customer to amount."""
        groups = self.env["customer.cost.allocation"]._read_group(
            [("step_id", "in", run.step_ids.ids)], ["customer_id"], ["amount:sum"]
        )
        return {customer: round(amount, 3) for customer, amount in groups}

    @contextmanager
    def assertNothingChanged(self):
        """The ledger, the allocations and the entries are the same afterwards."""
        before = self._count_records()
        yield
        self.env.invalidate_all()
        self.assertEqual(self._count_records(), before)

    def _count_records(self):
        counts = {}
        for model in ("customer.cost.line", "customer.cost.allocation"):
            rows = self.env[model].search_read([], ["amount"])
            counts[model] = sorted((row["id"], row["amount"]) for row in rows)
        counts["entries"] = sorted(
            self.env["customer.cost.entry"].search([]).mapped(lambda e: (e.id, e.state, e.amount))
        )
        return counts

    @contextmanager
    def assertRaisesText(self, exception, message):
        """``exception`` is raised with a text that matches ``message``; its changes are undone."""
        with self.assertRaises(exception) as caught:
            yield
        self.assertRegex(str(caught.exception), message)
        self.env.invalidate_all()

    # ------------------------------------------------------------
    # Roles and RPC
    # ------------------------------------------------------------

    @classmethod
    def create_user(cls, login, *roles, **vals):
        """User of the company with the groups of ``roles``."""
        return new_test_user(
            cls.env,
            login=login,
            groups=",".join(ROLES[role] for role in roles),
            company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)],
            **vals,
        )

    def rpc(self, user, model, method, *args, **kwargs):
        """Call a method as a web client of ``user`` would; ``context`` may be given."""
        self.env.flush_all()
        env = self.env(user=user, context={})
        return call_kw(env[model], method, list(args), kwargs)

    @contextmanager
    def assertRefused(self, message, exception=UserError):
        """The body raises ``exception`` with ``message``; what it did is undone and no more."""
        with self.assertNothingChanged():
            with self.assertRaises(exception) as refused:
                yield
                self.env.flush_all()
            self.assertRegex(str(refused.exception), message)

    # ------------------------------------------------------------
    # Stored figures
    # ------------------------------------------------------------

    def refresh_figures(self):
        """Work off what waits for the stored figures, as the scheduled action does."""
        self.env.flush_all()
        self.assertTrue(self.env["customer.cost.balance"].sudo()._refresh())
        self.env.invalidate_all()

    def assertStoredIsLive(self, message=None):
        """Balance and item months hold to the cent what the reports work out from the sources."""
        self.env.flush_all()
        names = self.env["customer.cost.balance"]._rollup_figures
        for stored, live, keys, figures in (
            (
                "customer_cost_balance",
                self.env["customer.cost.profitability"]._table_query,
                "company_id, customer_id, month",
                ", ".join(names),
            ),
            (
                "customer_cost_item_month",
                SQL(
                    "SELECT company_id, date_trunc('month', date)::date AS month, item_id, layer,"
                    " sum(amount) AS amount, count(*) AS line_count FROM (%s) rows"
                    " GROUP BY 1, 2, 3, 4",
                    self.env["customer.cost.analysis"]._table_query,
                ),
                "company_id, month, item_id, layer",
                "amount, line_count",
            ),
        ):
            columns = SQL(f"{keys}, {figures}")  # pylint: disable=sql-injection
            both = [
                self.env.execute_query(
                    SQL("SELECT %s FROM (%s) found ORDER BY 1, 2, 3, 4", columns, source)
                )
                for source in (SQL("SELECT * FROM %s", SQL.identifier(stored)), live)
            ]
            self.assertEqual(*both, message)
