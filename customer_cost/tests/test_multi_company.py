from freezegun import freeze_time

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import tagged

from .common import CustomerCostCommon

MODELS = (
    "customer.cost.account.map",
    "customer.cost.allocation",
    "customer.cost.analysis",
    "customer.cost.driver.value",
    "customer.cost.entry",
    "customer.cost.line",
    "customer.cost.period",
    "customer.cost.profitability",
    "customer.cost.review",
    "customer.cost.rule",
    "customer.cost.rule.fixed",
    "customer.cost.run",
    "customer.cost.run.cell",
    "customer.cost.run.step",
)


@tagged("post_install", "-at_install")
@freeze_time("2025-06-15")
class TestMultiCompany(CustomerCostCommon):
    """Figures of two companies never mix; a branch uses what its company defines."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other_data = cls.setup_other_company(name="Second Cost Company")
        cls.other = cls.other_data["company"]
        cls.other.customer_cost_max_days_back = 36500
        cls.here = cls.create_figures(cls.company, 1.0, cls.company_data)
        cls.there = cls.create_figures(cls.other, 100.0, cls.other_data)
        cls.both = cls.create_user("cost_both", "manager")
        cls.both.company_ids |= cls.other

    @classmethod
    def create_figures(cls, company, factor, data):
        """One of everything in ``company``, amounts multiplied by ``factor``."""
        env = cls.env(context={"allowed_company_ids": company.ids})
        account = env["account.account"].create(
            {
                "name": "Shared cost",
                "code": "T70001",
                "account_type": "expense",
                "company_ids": [Command.set(company.ids)],
            }
        )
        env["customer.cost.account.map"].create(
            {"account_id": account.id, "item_id": cls.item.id, "company_id": company.id}
        )
        bill = env["account.move"].create(
            {
                "move_type": "in_invoice",
                "partner_id": cls.vendor.id,
                "invoice_date": "2025-03-10",
                "date": "2025-03-10",
                "invoice_line_ids": [
                    Command.create(
                        {
                            "name": "Cost",
                            "price_unit": amount * factor,
                            "account_id": account.id,
                            "tax_ids": [Command.clear()],
                            "cost_customer_id": customer,
                        }
                    )
                    for amount, customer in ((10.0, cls.customer_a.id), (40.0, False))
                ],
            }
        )
        invoice = env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": cls.customer_a.id,
                "invoice_date": "2025-03-10",
                "date": "2025-03-10",
                "invoice_line_ids": [
                    Command.create(
                        {
                            "name": "Sale",
                            "price_unit": 200.0 * factor,
                            "account_id": data["default_account_revenue"].id,
                            "tax_ids": [Command.clear()],
                        }
                    )
                ],
            }
        )
        (bill | invoice).action_post()
        entry = env["customer.cost.entry"].create(
            {
                "date": "2025-03-10",
                "item_id": cls.item.id,
                "customer_id": cls.customer_a.id,
                "amount": 5.0 * factor,
                "company_id": company.id,
                "currency_id": company.currency_id.id,
            }
        )
        entry.action_submit()
        reviewer = cls.create_user(f"cost_reviewer_{company.id}", "reviewer")
        reviewer.write({"company_ids": [Command.set(company.ids)], "company_id": company.id})
        entry.with_user(reviewer).action_approve()
        driver = cls.create_driver(code=f"T-MC-{company.id}", company_id=company.id)
        env["customer.cost.driver.value"].create(
            {
                "driver_id": driver.id,
                "customer_id": cls.customer_a.id,
                "quantity": 1,
                "date": "2025-03-31",
                "company_id": company.id,
            }
        )
        rules = env["customer.cost.rule"].create(
            [
                {
                    "name": "By driver",
                    "company_id": company.id,
                    "sender_item_ids": [Command.set(cls.item.ids)],
                    "share_pct": 50.0,
                    "method": "driver",
                    "driver_id": driver.id,
                },
                {
                    "name": "Fixed",
                    "company_id": company.id,
                    "sender_item_ids": [Command.set(cls.item.ids)],
                    "share_pct": 50.0,
                    "method": "fixed",
                    "fixed_ids": [
                        Command.create({"customer_id": cls.customer_a.id, "percentage": 100.0})
                    ],
                },
            ]
        )
        run = env["customer.cost.run"].create({"company_id": company.id, "date": "2025-03-31"})
        run.action_compute()
        run.action_post()
        return {"entry": entry, "run": run, "driver": driver, "rules": rules, "env": env}

    def one_company_users(self):
        return {role: self.users[role] for role in ("accountant", "manager", "auditor")}

    # ------------------------------------------------------------
    # Two companies
    # ------------------------------------------------------------

    def test_every_model_keeps_companies_apart(self):
        for model in MODELS:
            others = self.env[model].sudo().search([("company_id", "=", self.other.id)])
            self.assertTrue(others, f"{model} has no record of the other company")
            for role, user in self.one_company_users().items():
                with self.subTest(f"{role}: {model}"):
                    found = self.env[model].with_user(user).search([])
                    self.assertEqual(found.company_id, self.company)
                    self.assertFalse(
                        self.rpc(user, model, "search_count", [("id", "in", others.ids)])
                    )
                    with self.assertRaises(AccessError):
                        self.rpc(user, model, "read", others.ids)

    def test_other_company_in_the_context_opens_nothing(self):
        user = self.users["manager"]
        with self.assertRaises(AccessError):
            self.rpc(
                user,
                "customer.cost.profitability",
                "search_read",
                [],
                context={"allowed_company_ids": self.other.ids},
            )

    def test_sums_follow_the_companies_chosen(self):
        for companies, expected in (
            (self.company, 200.0),
            (self.other, 20000.0),
            (self.company | self.other, 20200.0),
        ):
            for model, name, amount in (
                ("customer.cost.profitability", "net_sales", expected),
                ("customer.cost.profitability", "direct_cost", expected * 15 / 200),
                ("customer.cost.profitability", "allocated_cost", expected * 40 / 200),
                ("customer.cost.allocation", "amount", expected * 40 / 200),
                ("customer.cost.line", "amount", expected * 55 / 200),
                ("customer.cost.analysis", "amount", expected * 95 / 200),
            ):
                groups = self.rpc(
                    self.both,
                    model,
                    "formatted_read_group",
                    [],
                    [],
                    [f"{name}:sum"],
                    context={"allowed_company_ids": companies.ids},
                )
                self.assertEqual(groups[0][f"{name}:sum"], amount, f"{model}.{name}")

    def test_partner_figures_follow_the_current_company(self):
        for company, other, expected in (
            (self.company, self.other, 200.0),
            (self.other, self.company, 20000.0),
        ):
            values = self.rpc(
                self.both,
                "res.partner",
                "read",
                self.customer_a.ids,
                ["customer_cost_net_sales", "customer_cost_profit", "customer_cost_figures"],
                context={"allowed_company_ids": [company.id, other.id]},
            )[0]
            self.assertEqual(values["customer_cost_net_sales"], expected)
            self.assertEqual(values["customer_cost_profit"], expected * 145 / 200)
            ladder = {
                row["key"]: row["values"][-1] for row in values["customer_cost_figures"]["rows"]
            }
            self.assertEqual(ladder["net_sales"], expected)
            self.assertEqual(ladder["profit"], expected * 145 / 200)

    def test_run_takes_the_pool_of_its_company_alone(self):
        self.assertEqual(self.here["run"].pool_total, 40.0)
        self.assertEqual(self.there["run"].pool_total, 4000.0)
        self.assertEqual(len(self.here["run"].step_ids), 2)

    def test_closing_one_company_leaves_the_other_open(self):
        self.close_period(company=self.other)
        self.assertEqual(self.create_cost(post=True).state, "approved")
        with self.assertRaisesRegex(UserError, "is closed"):
            self.there["env"]["customer.cost.entry"].create(
                {
                    "date": "2025-03-10",
                    "item_id": self.item.id,
                    "amount": 1.0,
                    "customer_id": self.customer_a.id,
                    "company_id": self.other.id,
                    "currency_id": self.other.currency_id.id,
                }
            )

    def test_activity_goes_to_a_reviewer_of_the_company(self):
        entry = self.there["env"]["customer.cost.entry"].create(
            {
                "date": "2025-03-10",
                "item_id": self.item.id,
                "amount": 1.0,
                "customer_id": self.customer_a.id,
                "company_id": self.other.id,
                "currency_id": self.other.currency_id.id,
            }
        )
        entry.action_submit()
        self.assertIn(self.other, entry.activity_ids.user_id.company_ids)

    # ------------------------------------------------------------
    # What may be combined
    # ------------------------------------------------------------

    def test_references_across_companies_are_refused(self):
        item = self.create_item("T-MC", "Only there", company_id=self.other.id)
        driver = self.there["driver"]
        account = self.env["account.account"].create(
            {
                "name": "Only there",
                "code": "T70009",
                "account_type": "expense",
                "company_ids": [Command.set(self.other.ids)],
            }
        )
        attempts = {
            "cost and item": lambda: self.create_cost(user=self.both, item_id=item.id),
            "rule and driver": lambda: self.create_rule(driver),
            "rule and item": lambda: self.create_rule(self.here["driver"], items=item),
            "map and account": lambda: self.map_account(account, self.item),
            "map and item": lambda: self.map_account(self.unmapped_account, item),
            "item and parent": lambda: self.create_item(
                "T-MCX", "Child", parent_id=item.id, company_id=self.company.id
            ),
        }
        for name, attempt in attempts.items():
            with self.subTest(name), self.assertRefused("another company"):
                attempt()

    def test_record_is_not_pushed_into_another_company(self):
        """A rule or map row there would move the figures of a company the writer may not see."""
        entry = self.create_cost()
        run = self.create_run("2025-04-30", compute=False)
        value = self.env["customer.cost.driver.value"].search(
            [("company_id", "=", self.company.id)], limit=1
        )
        rule = self.create_rule(self.create_driver({self.customer_a: 1}))
        account = self.unmapped_account
        account.sudo().with_company(self.other).code = "T60003"
        account.sudo().company_ids |= self.other
        row = self.map_account(account, self.item)
        item = self.create_item("T-PUSH", "Pushed", company_id=self.company.id)
        driver = self.create_driver(code="T-PUSH", company_id=self.company.id)
        for record in (entry, run, value, rule, row, item, driver):
            with self.subTest(record._name), self.assertRaises(UserError):
                self.rpc(
                    self.users["accountant"],
                    record._name,
                    "write",
                    record.ids,
                    {"company_id": self.other.id},
                )

    def test_previews_show_no_other_company(self):
        for model, vals in (
            (
                "customer.cost.driver.preview",
                {
                    "driver_id": self.env.ref("customer_cost.driver_net_revenue").id,
                    "date": "2025-03-31",
                },
            ),
            ("customer.cost.map.preview", {"date_from": "2025-01-01", "date_to": "2025-06-30"}),
        ):
            for company, shown in ((self.company, True), (self.other, False)):
                with self.subTest(f"{model} {company.name}"):
                    user = self.users["accountant"]
                    try:
                        preview = self.rpc(
                            user, model, "create", [{**vals, "company_id": company.id}]
                        )
                        total = self.rpc(user, model, "read", preview, ["total"])[0]["total"]
                    except AccessError:
                        total = 0.0
                    self.assertEqual(bool(total), shown)

    def test_items_and_drivers_without_company_are_shared(self):
        self.assertFalse(self.item.company_id)
        user = self.there["env"]["customer.cost.item"]
        self.assertEqual(user.search([("id", "=", self.item.id)]), self.item)
        shared = self.create_driver({self.customer_a: 1})
        for company in (self.company, self.other):
            rule = self.create_rule(shared, company_id=company.id)
            self.assertEqual(rule.driver_id.with_company(company), shared)

    def test_item_of_one_company_is_hidden_in_the_other(self):
        item = self.create_item("T-MC", "Only there", company_id=self.other.id)
        for user in self.one_company_users().values():
            self.assertFalse(self.rpc(user, "customer.cost.item", "search", [("id", "=", item.id)]))

    # ------------------------------------------------------------
    # Branches
    # ------------------------------------------------------------

    def create_branch(self):
        branch = self.env["res.company"].create(
            {"name": "Cost Branch", "parent_id": self.company.id}
        )
        branch.customer_cost_max_days_back = 36500
        self.env.user.company_ids |= branch
        return branch

    def create_branch_user(self, branch, role):
        user = self.create_user(f"cost_branch_{role}", role)
        user.write({"company_id": branch.id, "company_ids": [Command.set(branch.ids)]})
        return user

    def test_branch_reads_map_and_rules_of_its_company(self):
        user = self.create_branch_user(self.create_branch(), "accountant")
        for model in ("customer.cost.account.map", "customer.cost.rule"):
            found = self.env[model].with_user(user).search([])
            self.assertEqual(found.company_id.ids, self.company.ids, model)

    def test_branch_sees_no_figure_of_its_company(self):
        user = self.create_branch_user(self.create_branch(), "manager")
        for model in (
            "customer.cost.entry",
            "customer.cost.line",
            "customer.cost.allocation",
            "customer.cost.analysis",
            "customer.cost.profitability",
            "customer.cost.run",
        ):
            self.assertFalse(self.env[model].with_user(user).search([]), model)

    def test_branch_records_with_items_of_its_company(self):
        branch = self.create_branch()
        item = self.create_item("T-ROOT", "Of the company", company_id=self.company.id)
        user = self.create_branch_user(branch, "accountant")
        entry = self.create_cost(user=user, company_id=branch.id, item_id=item.id)
        self.assertEqual(entry.company_id, branch)

    def test_branch_rule_takes_a_driver_of_its_company(self):
        branch = self.create_branch()
        rule = self.create_rule(self.here["driver"], company_id=branch.id)
        self.assertEqual(rule.company_id, branch)

    def test_map_of_the_company_serves_its_branch(self):
        branch = self.create_branch()
        env = self.env(context={"allowed_company_ids": [branch.id, self.company.id]})
        journal = env["account.journal"].create(
            {"name": "Branch", "code": "TBR", "type": "general", "company_id": branch.id}
        )
        move = env["account.move"].create(
            {
                "move_type": "entry",
                "journal_id": journal.id,
                "company_id": branch.id,
                "date": "2025-03-10",
                "line_ids": [
                    Command.create(
                        {
                            "account_id": self.expense_account.id,
                            "balance": 12.0,
                            "cost_customer_id": self.customer_a.id,
                        }
                    ),
                    Command.create({"account_id": self.unmapped_account.id, "balance": -12.0}),
                ],
            }
        )
        move.action_post()
        entry = env["customer.cost.entry"].search([("source_move_id", "=", move.id)])
        self.assertRecordValues(
            entry, [{"company_id": branch.id, "amount_company": 12.0, "item_id": self.item.id}]
        )

    def test_period_closed_for_the_company_is_closed_for_its_branch(self):
        branch = self.create_branch()
        self.close_period()
        user = self.create_branch_user(branch, "accountant")
        with self.assertRefused("The cost period of 03/10/2025 is closed"):
            self.create_cost(user=user, company_id=branch.id)
