from freezegun import freeze_time

from odoo.exceptions import AccessError
from odoo.fields import Command

from .common import CustomerCostCommon

LIST_FIELDS = (
    "customer_cost_net_sales",
    "customer_cost_gross_margin",
    "customer_cost_direct_margin",
    "customer_cost_profit",
    "customer_cost_to_serve_pct",
)


@freeze_time("2025-06-15")
class TestPartnerFigures(CustomerCostCommon):
    """What the customer form and list show, as the reader may see it, with nothing stored."""

    def fill(self):
        """Sales and costs of customer A in last year, last summer, this year and next month."""
        for day, quantity in (
            ("2024-03-10", 1),
            ("2024-07-01", 2),
            ("2025-02-10", 4),
            ("2025-06-30", 8),
            ("2024-06-30", 16),
        ):
            self.create_sale(self.customer_a, quantity=quantity, day=day)
        for day, amount in (("2024-03-05", 10), ("2024-12-31", 20), ("2025-02-05", 40)):
            self.create_bill(
                [(self.expense_account, amount, {"cost_customer_id": self.customer_a.id})], day
            )
        self.create_cost(post=True, date="2025-03-10", amount=8, item_id=self.other_item.id)
        administration = self.env["account.account"].create(
            {
                "name": "Administration",
                "code": "T60021",
                "account_type": "expense",
                "company_ids": [Command.set(self.company.ids)],
            }
        )
        self.map_account(administration, self.admin_item)
        self.create_entry_move(
            [(self.other_account, 100, {}), (administration, 60, {})], "2025-02-20"
        )
        driver = self.create_driver({self.customer_a: 1, self.customer_b: 3}, "2025-02-28")
        self.create_rule(driver, self.other_item)
        self.create_rule(driver, self.admin_item, full_cost=True)
        self.create_run("2025-02-28", post=True)
        self.refresh()

    def refresh(self):
        self.env.flush_all()
        self.env.invalidate_all()

    def figures(self, partner=None, user="manager"):
        self.refresh()
        partner = (partner or self.customer_a).with_user(self.users[user])
        return partner.with_company(self.company).customer_cost_figures

    def ladder(self, figures):
        return {
            row["key"]: [value if value is None else round(value, 2) for value in row["values"]]
            for row in figures["rows"]
        }

    # ------------------------------------------------------------
    # The form
    # ------------------------------------------------------------

    def test_ladder_of_this_year_last_year_and_12_months(self):
        self.fill()
        figures = self.figures()
        self.assertEqual(
            [(span["key"], span["label"], span["from"], span["to"]) for span in figures["ranges"]],
            [
                ("year", "2025", "2025-01-01", "2025-12-31"),
                ("last_year", "2024", "2024-01-01", "2024-12-31"),
                ("rolling", "Last 12 months", "2024-07-01", "2025-06-30"),
            ],
        )
        self.assertEqual(
            self.ladder(figures),
            {
                "net_sales": [1200, 1900, 1400],
                "product_cost": [480, 760, 560],
                "gross_margin": [720, 1140, 840],
                "direct_cost": [48, 30, 68],
                "statistical_cost": [8, 0, 8],
                "direct_margin": [672, 1110, 772],
                "allocated_cost": [25, 0, 25],
                "profit": [647, 1110, 747],
                "full_cost": [15, 0, 15],
                "full_profit": [632, 1110, 732],
                "cost_to_serve_pct": [6.08, 1.58, 6.64],
            },
        )
        percent = {row["key"]: row["percent"] for row in figures["rows"]}
        self.assertEqual(percent["gross_margin"], [60, 60, 60])
        self.assertEqual(percent["profit"], [53.92, 58.42, 53.36])
        self.assertEqual(figures["as_of"], "2025-06-15")
        self.assertEqual(figures["currency_id"], self.company.currency_id.id)

    def test_years_are_the_fiscal_years_of_the_company(self):
        self.company.write({"fiscalyear_last_day": 31, "fiscalyear_last_month": "3"})
        self.fill()
        figures = self.figures()
        self.assertEqual(
            [(span["label"], span["from"], span["to"]) for span in figures["ranges"]][:2],
            [("2025/26", "2025-04-01", "2026-03-31"), ("2024/25", "2024-04-01", "2025-03-31")],
        )
        self.assertEqual(self.ladder(figures)["net_sales"], [800, 2200, 1400])

    def test_composition_is_ordered_and_adds_up(self):
        self.fill()
        composition = self.figures()["composition"]
        self.assertEqual(
            [(row["label"], row["values"]) for row in composition],
            [
                ("Test travel", [40, 30, 60]),
                ("Test advertising", [33, 0, 33]),
                ("Test administration", [15, 0, 15]),
            ],
        )
        self.assertEqual(
            [row["percent"] for row in composition],
            [[45.45, 100, 55.56], [37.5, 0, 30.56], [17.05, 0, 13.89]],
        )

    def test_trend_has_twelve_months(self):
        self.fill()
        trend = self.figures()["trend"]
        self.assertEqual(
            [point["month"] for point in trend],
            [
                "2024-07",
                "2024-08",
                "2024-09",
                "2024-10",
                "2024-11",
                "2024-12",
                "2025-01",
                "2025-02",
                "2025-03",
                "2025-04",
                "2025-05",
                "2025-06",
            ],
        )
        by_month = {point.pop("month"): point for point in trend}
        self.assertEqual(by_month["2025-02"], {"net_sales": 400, "cost": 65, "profit": 175})
        self.assertEqual(by_month["2024-12"], {"net_sales": 0, "cost": 20, "profit": -20})
        self.assertEqual(by_month["2025-05"], {"net_sales": 0, "cost": 0, "profit": 0})

    def test_last_costs_are_the_latest_five(self):
        self.fill()
        costs = self.figures()["last_costs"]
        self.assertEqual(
            [(cost["date"], cost["item"], cost["layer"], cost["amount"]) for cost in costs],
            [
                ("2025-03-10", "Test advertising", "Direct", 8),
                ("2025-02-28", "Test administration", "Allocated", 15),
                ("2025-02-28", "Test advertising", "Allocated", 25),
                ("2025-02-05", "Test travel", "Direct", 40),
                ("2024-12-31", "Test travel", "Direct", 20),
            ],
        )
        self.assertEqual(costs[0]["description"], "Manual cost")
        rows = self.env["customer.cost.analysis"].browse([cost["id"] for cost in costs])
        self.assertEqual(rows.mapped("amount"), [cost["amount"] for cost in costs])

    def test_lines_with_unknown_cost_are_told(self):
        self.product.standard_price = 0
        self.create_sale(self.customer_a, day="2025-02-10")
        self.assertEqual(self.figures()["unknown_lines"], [1, 0, 1])

    def test_percentages_without_sales_are_empty(self):
        self.create_cost(post=True, amount=8)
        figures = self.figures()
        self.assertEqual(self.ladder(figures)["profit"], [-8, 0, -8])
        for row in figures["rows"]:
            self.assertIn(row["percent"], ([None, None, None], None))
        self.assertEqual(self.ladder(figures)["cost_to_serve_pct"], [None, None, None])
        self.assertEqual(figures["composition"][0]["percent"], [100, None, 100])

    def test_customer_without_anything_has_empty_figures(self):
        figures = self.figures(self.customer_c)
        self.assertEqual(self.ladder(figures)["net_sales"], [0, 0, 0])
        self.assertEqual((figures["composition"], figures["last_costs"]), ([], []))
        self.assertEqual(len(figures["trend"]), 12)

    def test_contact_has_no_figures_of_its_own(self):
        contact = self.env["res.partner"].create({"name": "Ann", "parent_id": self.customer_a.id})
        self.create_sale(contact, day="2025-02-10")
        self.assertFalse(self.figures(contact))
        self.assertEqual(self.ladder(self.figures())["net_sales"], [100, 0, 100])
        action = contact.with_user(self.users["manager"]).action_open_customer_cost()
        self.assertEqual(action["domain"], [("customer_id", "=", self.customer_a.id)])

    def test_new_customer_has_no_figures(self):
        partner = self.env["res.partner"].with_user(self.users["manager"]).new({"name": "New"})
        self.assertFalse(partner.customer_cost_figures)
        self.assertEqual(partner.customer_cost_net_sales, 0)

    # ------------------------------------------------------------
    # The list
    # ------------------------------------------------------------

    def test_list_shows_the_last_12_months(self):
        self.fill()
        customers = (self.customer_a | self.customer_b | self.customer_c).with_user(
            self.users["manager"]
        )
        rows = {row.pop("id"): row for row in customers.read(LIST_FIELDS)}
        self.assertEqual(
            [round(value, 2) for value in rows[self.customer_a.id].values()],
            [1400, 840, 772, 747, 6.64],
        )
        self.assertEqual(list(rows[self.customer_b.id].values()), [0, 0, 0, -75, False])
        self.assertEqual(list(rows[self.customer_c.id].values()), [0, 0, 0, 0, False])

    def test_tomorrow_is_another_window(self):
        self.fill()
        customer = self.customer_a.with_user(self.users["manager"])
        with freeze_time("2025-07-01"):
            self.refresh()
            self.assertEqual(customer.customer_cost_net_sales, 1200)
        with freeze_time("2024-03-31"):
            self.refresh()
            self.assertEqual(customer.customer_cost_net_sales, 100)

    def test_figures_are_those_of_the_current_company(self):
        self.fill()
        other = self.setup_other_company()["company"]
        manager = self.users["manager"]
        manager.company_ids |= other
        customer = self.customer_a.with_user(manager).with_context(
            allowed_company_ids=(other | self.company).ids
        )
        self.assertEqual(customer.customer_cost_net_sales, 0)
        self.assertEqual(self.ladder(customer.customer_cost_figures)["net_sales"], [0, 0, 0])
        self.assertEqual(customer.customer_cost_currency_id, other.currency_id)

    # ------------------------------------------------------------
    # Rights
    # ------------------------------------------------------------

    def test_rep_sees_own_customers(self):
        self.fill()
        self.assertEqual(self.ladder(self.figures(user="rep"))["profit"], [647, 1110, 747])
        stranger = self.figures(self.customer_b, user="rep")
        self.assertEqual(self.ladder(stranger)["profit"], [0, 0, 0])
        self.assertEqual(stranger["last_costs"], [])

    def test_confidential_items_are_staff_cost_for_a_rep(self):
        self.fill()
        self.item.confidential = True
        composition = self.figures(user="rep")["composition"]
        self.assertEqual(
            [(row["label"], row["values"]) for row in composition],
            [
                ("Staff cost", [40, 30, 60]),
                ("Test advertising", [33, 0, 33]),
                ("Test administration", [15, 0, 15]),
            ],
        )
        self.assertNotIn("Test travel", str(self.figures(user="rep")))
        self.assertIn("Test travel", str(self.figures(user="cost_user")))

    def test_internal_user_sees_no_figures(self):
        customer = self.customer_a.with_user(self.users["internal"])
        for name in (*LIST_FIELDS, "customer_cost_figures", "customer_cost_currency_id"):
            with self.subTest(name=name), self.assertRaises(AccessError):
                customer.read([name])

    # ------------------------------------------------------------
    # What it costs
    # ------------------------------------------------------------

    def count_queries(self, partners, name):
        self.refresh()
        partners = partners.with_user(self.users["manager"])
        # rights, groups and the like are cached by whoever comes first
        partners[:1].mapped(name)
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        partners.mapped(name)
        return self.env.cr.sql_log_count - before

    def test_number_of_queries_is_the_same_for_1_and_80_customers(self):
        customers = self.env["res.partner"].create(
            [{"name": f"Many {number}", "is_company": True} for number in range(80)]
        )
        self.create_bill(
            [
                (account, 10, {"cost_customer_id": customer.id})
                for customer in customers
                for account in (self.expense_account, self.other_account)
            ],
            "2025-05-10",
        )
        self.create_rule(
            self.create_driver(dict.fromkeys(customers, 1), "2025-05-31"), self.other_item
        )
        self.create_entry_move([(self.other_account, 100, {})], "2025-05-10")
        self.create_run("2025-05-31", post=True)
        for name in ("customer_cost_profit", "customer_cost_figures"):
            with self.subTest(name=name):
                one = self.count_queries(customers[:1], name)
                self.assertEqual(self.count_queries(customers, name), one)
                self.assertGreater(one, 0)
        figures = customers.with_user(self.users["manager"]).mapped("customer_cost_figures")
        self.assertTrue(all(len(one["last_costs"]) == 3 for one in figures))

    def test_nothing_is_stored_on_the_partner(self):
        self.env.cr.execute(
            "SELECT column_name FROM information_schema.columns"
            " WHERE table_name = 'res_partner' AND column_name LIKE '%cost%'"
            " AND column_name NOT LIKE 'customer_cost_limit_%'"  # entered, no figure
        )
        self.assertEqual(self.env.cr.fetchall(), [])
