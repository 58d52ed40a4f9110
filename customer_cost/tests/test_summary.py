from datetime import date, datetime

from freezegun import freeze_time

from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from .common import CustomerCostCommon

QUIET = ("odoo.addons.base.models.ir_model", "odoo.addons.base.models.ir_rule", "odoo.models")


@tagged("post_install", "-at_install")
@freeze_time("2025-06-15 10:00:00")
class TestSummary(CustomerCostCommon):
    """One row per company and customer: this fiscal year, last, the last 12 months."""

    def setUp(self):
        super().setUp()
        self.summary = self.env["customer.cost.summary"]

    def row(self, customer, company=None):
        return self.summary.search(
            [
                ("customer_id", "=", customer.id),
                ("company_id", "=", (company or self.company).id),
            ]
        )

    def fill(self):
        """Sales of 100 and product cost of 40 times 1, 2, 4, 8, 16; costs of 5, 10, 20."""
        for day, quantity in (
            ("2023-12-31", 1),
            ("2024-03-10", 2),
            ("2024-07-01", 4),
            ("2025-02-10", 8),
            ("2025-06-30", 16),
        ):
            self.create_sale(self.customer_a, quantity=quantity, day=day)
        for day, amount in (("2024-03-05", 5), ("2024-12-31", 10), ("2025-02-05", 20)):
            self.create_bill(
                [(self.expense_account, amount, {"cost_customer_id": self.customer_a.id})], day
            )
        self.create_bill(
            [(self.other_account, 100, {}), (self.unmapped_account, 7, {})], "2025-02-20"
        )
        driver = self.create_driver({self.customer_a: 1, self.customer_b: 3}, "2025-02-28")
        self.create_rule(driver, self.other_item)
        self.create_run("2025-02-28", post=True)
        self.refresh_figures()

    def values(self, row, span):
        return [
            round(row[f"{span}_{measure}"], 2)
            for measure in (
                "net_sales",
                "gross_margin",
                "direct_margin",
                "cost_to_serve",
                "profit",
                "full_profit",
            )
        ]

    def test_fiscal_years_and_12_months(self):
        self.fill()
        row = self.row(self.customer_a)
        self.assertEqual(self.values(row, "year"), [2400, 1440, 1420, 45, 1395, 1395])
        self.assertEqual(self.values(row, "last"), [600, 360, 345, 15, 345, 345])
        self.assertEqual(self.values(row, "rolling"), [2800, 1680, 1650, 55, 1625, 1625])
        self.assertEqual(round(row.rolling_profit_pct, 2), 58.04)
        self.assertEqual(round(row.rolling_cost_to_serve_pct, 2), 1.96)
        self.assertEqual(row.month, date(2025, 6, 1))
        self.assertEqual(row.as_of, datetime(2025, 6, 15, 10))

    def test_full_cost_has_its_own_figure(self):
        administration = self.expense_account.copy({"code": "T60031"})
        self.map_account(administration, self.admin_item)
        self.create_sale(self.customer_a)
        self.create_bill([(administration, 15, {})])
        self.create_rule(self.create_driver({self.customer_a: 1}), self.admin_item, full_cost=True)
        self.create_run(post=True)
        self.refresh_figures()
        self.assertEqual(
            self.values(self.row(self.customer_a), "rolling"), [100, 60, 60, 0, 60, 45]
        )

    def test_it_says_what_the_customer_form_says(self):
        self.fill()
        figures = self.customer_a.with_user(self.users["manager"]).customer_cost_figures
        ladder = {row["key"]: row["values"] for row in figures["rows"]}
        row = self.row(self.customer_a)
        for measure in ("net_sales", "gross_margin", "direct_margin", "profit", "full_profit"):
            self.assertEqual(
                [round(row[f"{span}_{measure}"], 2) for span in ("year", "last", "rolling")],
                [round(value, 2) for value in ladder[measure]],
                measure,
            )

    def test_years_are_the_fiscal_years_of_the_company(self):
        self.fill()
        self.company.write({"fiscalyear_last_day": 31, "fiscalyear_last_month": "3"})
        self.refresh_figures()
        row = self.row(self.customer_a)
        self.assertEqual(row.year_net_sales, 1600)
        self.assertEqual(row.last_net_sales, 1200)
        self.assertEqual(row.rolling_net_sales, 2800)

    def compared(self, customer):
        row = self.row(customer)
        return row.recent_profit, row.previous_profit, row.profit_change

    def sell_for_two_years(self):
        for day, quantity in (
            ("2023-06-30", 1),
            ("2024-05-31", 2),
            ("2024-06-01", 4),
            ("2025-05-31", 8),
            ("2025-06-10", 16),
        ):
            self.create_sale(self.customer_a, quantity=quantity, day=day)
        self.refresh_figures()

    def test_profit_of_full_months_is_compared(self):
        self.sell_for_two_years()
        self.assertEqual(self.compared(self.customer_a), (720, 180, 540))
        with freeze_time("2025-07-01 01:00:00"):
            self.run_cron("refresh")
            self.assertEqual(self.compared(self.customer_a), (1440, 360, 1080))

    def test_profit_is_compared_until_the_last_month_allocated(self):
        self.sell_for_two_years()
        self.create_sale(self.customer_b, day="2023-04-30")
        for day, validity in (
            ("2023-04-30", {"date_to": "2023-12-31"}),
            ("2025-04-30", {"date_from": "2024-01-01"}),
        ):
            self.create_bill([(self.other_account, 100, {})], day)
            driver = self.create_driver({self.customer_a: 1}, day)
            self.create_rule(driver, self.other_item, **validity)
            run = self.create_run(day, post=True)
        self.refresh_figures()
        self.assertEqual(self.compared(self.customer_a), (360 - 100, 60, 200))
        run.action_reverse()
        self.refresh_figures()
        self.assertEqual(self.compared(self.customer_a), (False, False, False))

    def test_profit_is_not_compared_with_months_allocated_less(self):
        self.sell_for_two_years()
        self.create_bill([(self.other_account, 100, {})], "2024-05-10")
        self.create_rule(self.create_driver({self.customer_a: 1}, "2024-05-31"), self.other_item)
        self.create_run("2024-05-31", post=True)
        self.refresh_figures()
        self.assertEqual(self.compared(self.customer_a), (False, False, False))

    def test_profit_is_not_compared_with_months_before_the_books(self):
        self.create_sale(self.customer_a, day="2023-07-01")
        self.refresh_figures()
        self.assertEqual(self.compared(self.customer_a), (False, False, False))

    def test_profit_is_compared_with_months_whose_costs_are_captured(self):
        self.company.customer_cost_start_date = "2024-01-01"
        self.sell_for_two_years()
        self.assertEqual(self.compared(self.customer_a), (False, False, False))
        history = self.env["customer.cost.history"].create(
            {"date_from": "2023-06-02", "date_to": "2023-12-31"}
        )
        history.action_start()
        self.run_cron("history")
        self.run_cron("refresh")
        self.assertEqual(self.compared(self.customer_a), (False, False, False))
        history = history.copy({"date_from": "2023-06-01"})
        history.action_start()
        self.run_cron("history")
        self.run_cron("refresh")
        self.env["customer.cost.dirty"]._mark(self.company.id, [None])
        self.refresh_figures()
        self.assertEqual(self.compared(self.customer_a), (720, 180, 540))

    def test_percentages_without_sales_are_empty(self):
        self.fill()
        row = self.row(self.customer_b)
        self.assertEqual((row.rolling_net_sales, row.rolling_profit), (0, -75))
        self.assertIs(row.rolling_profit_pct, False)
        self.assertIs(row.rolling_cost_to_serve_pct, False)
        self.create_sale(self.customer_c, move_type="out_refund")
        self.refresh_figures()
        self.assertEqual(self.row(self.customer_c).rolling_net_sales, -100)
        self.assertIs(self.row(self.customer_c).rolling_profit_pct, False)

    def test_empty_percentages_sort_last_either_way(self):
        self.fill()
        ours = [("company_id", "=", self.company.id)]
        for direction in ("asc", "desc"):
            found = self.summary.search(ours, order=f"rolling_profit_pct {direction}")
            self.assertEqual(found.customer_id.ids, (self.customer_a | self.customer_b).ids)

    def test_percentages_of_a_group_are_sum_over_sum(self):
        self.fill()
        self.create_sale(self.customer_c, price=1000.0)
        self.refresh_figures()
        [[profit, to_serve]] = self.summary._read_group(
            [("company_id", "=", self.company.id)],
            [],
            ["rolling_profit_pct:avg", "rolling_cost_to_serve_pct:avg"],
        )
        self.assertEqual(round(profit, 2), round(100 * (1625 - 75 + 960) / 3800, 2))
        self.assertEqual(round(to_serve, 2), round(100 * (55 + 75) / 3800, 2))

    def test_unknown_cost_is_counted(self):
        self.product.standard_price = 0
        self.create_sale(self.customer_a)
        self.create_sale(self.customer_a, day="2024-05-10")
        self.refresh_figures()
        self.assertEqual(self.row(self.customer_a).unknown_lines, 1)

    # ------------------------------------------------------------
    # Freshness
    # ------------------------------------------------------------

    def test_changes_since_are_told_until_they_are_in(self):
        self.fill()
        rows = self.row(self.customer_a) | self.row(self.customer_b)
        self.assertEqual(rows.mapped("pending"), [0, 0])
        self.create_sale(self.customer_a, day="2025-06-10")
        rows.invalidate_recordset()
        self.assertEqual(rows.mapped("pending"), [1, 0])
        self.assertEqual(rows[0].rolling_net_sales, 2800)
        with freeze_time("2025-06-15 11:00:00"):
            self.refresh_figures()
        self.assertEqual(rows.mapped("pending"), [0, 0])
        self.assertEqual(rows[0].rolling_net_sales, 2900)
        self.assertEqual(
            rows.mapped("as_of"), [datetime(2025, 6, 15, 11), datetime(2025, 6, 15, 10)]
        )

    def run_cron(self, name):
        with self.enter_registry_test_mode():
            self.env.ref(f"customer_cost.ir_cron_{name}").method_direct_trigger()
        self.env.invalidate_all()

    def test_windows_move_on_with_the_month_and_the_year(self):
        self.fill()
        with freeze_time("2025-07-01 01:00:00"):
            self.run_cron("refresh")
            row = self.row(self.customer_a)
            self.assertEqual(row.month, date(2025, 7, 1))
            self.assertEqual(row.rolling_net_sales, 2400)
        with freeze_time("2026-01-02 01:00:00"):
            self.run_cron("refresh")
            row = self.row(self.customer_a)
            self.assertEqual((row.year_net_sales, row.last_net_sales), (0, 2400))

    def test_customers_without_figures_in_any_window_have_no_row(self):
        self.fill()
        with freeze_time("2028-01-02 01:00:00"):
            self.run_cron("refresh")
            self.assertFalse(self.row(self.customer_a))
        self.env["customer.cost.dirty"]._mark(self.company.id, [None])
        self.refresh_figures()
        self.assertEqual(self.row(self.customer_a).rolling_net_sales, 2800)

    def test_every_row_is_computed_once_a_day(self):
        self.fill()
        with freeze_time("2025-06-16 02:10:00"):
            self.run_cron("check")
            self.run_cron("refresh")
        self.assertEqual(self.row(self.customer_a).as_of, datetime(2025, 6, 16, 2, 10))

    # ------------------------------------------------------------
    # Group companies, several companies
    # ------------------------------------------------------------

    def test_companies_of_the_group_are_flagged_and_kept(self):
        self.setup_other_company()["company"].partner_id = self.customer_b
        self.create_sale(self.customer_b)
        self.fill()
        self.assertTrue(self.row(self.customer_b).intercompany)
        self.assertFalse(self.row(self.customer_a).intercompany)

    def test_a_contact_of_a_group_company_makes_its_company_one_of_the_group(self):
        contact = self.env["res.partner"].create(
            {"name": "Branch address", "parent_id": self.customer_b.id}
        )
        self.setup_other_company()["company"].partner_id = contact
        self.create_sale(self.customer_b)
        self.fill()
        self.assertTrue(self.row(self.customer_b).intercompany)

    def test_figures_of_companies_and_currencies_never_mix(self):
        self.fill()
        euro = self.setup_other_currency("EUR")
        other_data = self.setup_other_company(currency_id=euro.id)
        other = other_data["company"]
        invoice = (
            self.env["account.move"]
            .with_company(other)
            .create(
                {
                    "move_type": "out_invoice",
                    "partner_id": self.customer_a.id,
                    "invoice_date": "2025-03-12",
                    "date": "2025-03-12",
                    "invoice_line_ids": [
                        Command.create(
                            {"name": "Sold", "price_unit": 7, "tax_ids": [Command.clear()]}
                        )
                    ],
                }
            )
        )
        invoice.action_post()
        self.refresh_figures()
        own, foreign = self.row(self.customer_a), self.row(self.customer_a, other)
        self.assertEqual((own.rolling_net_sales, own.currency_id), (2800, self.company.currency_id))
        self.assertEqual((foreign.rolling_net_sales, foreign.currency_id), (7, euro))
        manager = self.users["manager"].with_context(allowed_company_ids=self.company.ids)
        self.assertEqual(
            self.summary.with_user(manager).search([("customer_id", "=", self.customer_a.id)]), own
        )

    def test_branch_has_rows_of_its_own(self):
        branch = self.env["res.company"].create({"name": "Branch", "parent_id": self.company.id})
        self.env.user.company_ids |= branch
        self.create_sale(self.customer_a)
        invoice = self.create_sale(self.customer_a, price=7.0, post=False)
        invoice.company_id = branch
        invoice.action_post()
        self.refresh_figures()
        self.assertEqual(self.row(self.customer_a).rolling_net_sales, 100)
        self.assertEqual(self.row(self.customer_a, branch).rolling_net_sales, 7)

    # ------------------------------------------------------------
    # Who sees which rows
    # ------------------------------------------------------------

    def customers_seen(self, role, model):
        groups = self.rpc(
            self.users[role],
            model,
            "formatted_read_group",
            [("company_id", "=", self.company.id)],
            ["customer_id"],
            ["__count"],
        )
        return {group["customer_id"][0] for group in groups}

    def test_rep_sees_own_customers_the_others_all(self):
        self.fill()
        a, b = self.customer_a.id, self.customer_b.id
        for model in ("customer.cost.summary", "customer.cost.balance"):
            self.assertEqual(self.customers_seen("rep", model), {a})
            for role in ("cost_user", "accountant", "manager", "auditor"):
                self.assertEqual(self.customers_seen(role, model), {a, b}, (role, model))
            others = self.env[model].search([("customer_id", "=", b)])
            with mute_logger(*QUIET), self.assertRaises(AccessError):
                self.rpc(self.rep, model, "read", others.ids)

    def test_everybody_else_is_refused(self):
        self.fill()
        for model in (
            "customer.cost.summary",
            "customer.cost.balance",
            "customer.cost.item.month",
            "customer.cost.dirty",
        ):
            for role in ("reviewer", "internal"):
                with self.subTest(f"{role} {model}"), mute_logger(*QUIET):
                    with self.assertRaises(AccessError):
                        self.rpc(self.users[role], model, "search_read", [])

    def test_nobody_writes_stored_figures(self):
        self.fill()
        self.env["customer.cost.dirty"]._mark(self.company.id, [date(2025, 3, 1)])
        for model, vals in (
            ("customer.cost.summary", {"rolling_profit": 1.0}),
            ("customer.cost.balance", {"net_sales": 1.0}),
            ("customer.cost.item.month", {"amount": 1.0}),
            ("customer.cost.dirty", {"month": "2025-01-01"}),
        ):
            ids = self.env[model].sudo().search([], limit=1).ids
            self.assertTrue(ids, model)
            for method, args in (
                ("write", [ids, vals]),
                ("create", [vals]),
                ("unlink", [ids]),
                ("web_save", [ids, vals, {}]),
            ):
                with self.subTest(f"{model} {method}"), mute_logger(*QUIET):
                    with self.assertRaises(AccessError):
                        self.rpc(self.users["manager"], model, method, *args)

    def test_pools_are_for_the_accountant(self):
        self.fill()

        def layers(role):
            groups = self.rpc(
                self.users[role],
                "customer.cost.item.month",
                "formatted_read_group",
                [("company_id", "=", self.company.id)],
                ["layer"],
                ["amount:sum"],
            )
            return {group["layer"]: group["amount:sum"] for group in groups}

        everything = {"direct": 35, "pool": 100, "allocated": 100}
        for role in ("accountant", "manager", "auditor"):
            self.assertEqual(layers(role), everything)
        del everything["pool"]
        self.assertEqual(layers("cost_user"), everything)

    def test_user_of_another_company_sees_nothing(self):
        self.fill()
        other = self.setup_other_company()["company"]
        stranger = new_test_user(
            self.env,
            login="cost_stranger",
            groups="customer_cost.group_customer_cost_manager",
            company_id=other.id,
            company_ids=[Command.set(other.ids)],
        )
        for model in (
            "customer.cost.summary",
            "customer.cost.balance",
            "customer.cost.item.month",
        ):
            self.assertFalse(self.rpc(stranger, model, "search_count", []), model)
