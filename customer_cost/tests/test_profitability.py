from odoo.fields import Command
from odoo.tools import SQL

from .common import CustomerCostCommon

MEASURES = (
    "gross_sales",
    "discount",
    "net_sales",
    "product_cost",
    "gross_margin",
    "activity_cost",
    "contribution",
    "sustaining_cost",
    "direct_cost",
    "statistical_cost",
    "direct_margin",
    "allocated_cost",
    "cost_to_serve",
    "profit",
    "full_cost",
    "full_profit",
)


class TestProfitability(CustomerCostCommon):
    """The margin ladder per customer and month against figures worked out by hand."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.report = cls.env["customer.cost.profitability"]
        cls.batch_item = cls.create_item("T-FRT", "Test freight", level="batch")
        cls.freight, cls.administration = cls.env["account.account"].create(
            [
                {
                    "name": name,
                    "code": code,
                    "account_type": "expense",
                    "company_ids": [Command.set(cls.company.ids)],
                }
                for name, code in (("Freight", "T60011"), ("Administration", "T60012"))
            ]
        )
        cls.map_account(cls.freight, cls.batch_item)
        cls.map_account(cls.administration, cls.admin_item)
        cls.domain = [("company_id", "=", cls.company.id)]

    def row(self, customer=None, month="2025-03-01"):
        self.env.flush_all()
        self.env.invalidate_all()
        return self.report.search(
            [
                *self.domain,
                ("customer_id", "=", (customer or self.customer_a).id),
                ("month", "=", month),
            ]
        )

    def assertLadder(self, row, **expected):
        self.assertEqual(len(row), 1)
        found = {name: round(row[name], 3) for name in expected}
        self.assertEqual(found, expected)

    def sell(self, price=100.0, quantity=1, discount=0.0, taxes=None, customer=None, **vals):
        """Posted invoice of one product line with a discount and taxes."""
        line = Command.create(
            {
                "product_id": self.product.id,
                "quantity": quantity,
                "price_unit": price,
                "discount": discount,
                "tax_ids": [Command.set(taxes.ids if taxes else [])],
            }
        )
        return self.create_sale(customer or self.customer_a, invoice_line_ids=[line], **vals)

    def create_tax(self, amount=21.0, **vals):
        return (
            self.env["account.tax"]
            .with_company(self.company)
            .create(
                {
                    "name": f"Included {amount}",
                    "amount": amount,
                    "type_tax_use": "sale",
                    "price_include_override": "tax_included",
                    "company_id": self.company.id,
                    **vals,
                }
            )
        )

    # ------------------------------------------------------------
    # The whole ladder
    # ------------------------------------------------------------

    def test_ladder_of_a_customer_and_month(self):
        self.sell(price=100, quantity=10, discount=10)
        self.sell(price=100, quantity=1, move_type="out_refund")
        self.create_bill(
            [
                (self.expense_account, 70, {"cost_customer_id": self.customer_a.id}),
                (self.freight, 30, {"cost_customer_id": self.customer_a.id}),
            ]
        )
        self.create_cost(post=True, amount=15)
        self.create_entry_move(
            [(self.expense_account, 100, {}), (self.freight, 40, {}), (self.administration, 60, {})]
        )
        driver = self.create_driver({self.customer_a: 1, self.customer_b: 3})
        self.create_rule(driver, self.item | self.batch_item, name="Sales cost")
        self.create_rule(driver, self.admin_item, name="Administration", full_cost=True)
        self.create_run(post=True)
        row = self.row()
        self.assertLadder(
            row,
            gross_sales=900,
            discount=100,
            net_sales=800,
            product_cost=360,
            gross_margin=440,
            activity_cost=40,
            contribution=400,
            sustaining_cost=110,
            direct_cost=115,
            statistical_cost=15,
            direct_margin=325,
            allocated_cost=35,
            cost_to_serve=150,
            profit=290,
            full_cost=15,
            full_profit=275,
            gross_margin_pct=55,
            direct_margin_pct=40.625,
            profit_pct=36.25,
            full_profit_pct=34.375,
            cost_to_serve_pct=18.75,
        )
        self.assertEqual(row.currency_id, self.company.currency_id)
        self.assertLadder(
            self.row(self.customer_b),
            net_sales=0,
            activity_cost=30,
            sustaining_cost=75,
            direct_cost=0,
            allocated_cost=105,
            profit=-105,
            full_cost=45,
            full_profit=-150,
        )

    def test_each_month_has_its_own_row(self):
        self.sell(day="2025-02-28")
        self.sell(day="2025-03-01", price=50)
        self.sell(day="2025-03-31", price=25)
        self.assertLadder(self.row(month="2025-02-01"), net_sales=100)
        self.assertLadder(self.row(month="2025-03-01"), net_sales=75)
        self.assertFalse(self.row(month="2025-04-01"))

    def test_contact_counts_for_its_company(self):
        contact = self.env["res.partner"].create({"name": "Ann", "parent_id": self.customer_a.id})
        self.sell(customer=contact)
        self.sell()
        self.assertLadder(self.row(), net_sales=200)
        self.assertFalse(self.row(contact))

    def test_drafts_and_cancelled_invoices_do_not_count(self):
        self.sell(post=False)
        reset = self.sell()
        reset.button_draft()
        reset.button_cancel()
        self.assertFalse(self.row())

    def test_vendor_bills_and_entries_are_no_sales(self):
        self.create_bill([(self.unmapped_account, 50, {})], partner_id=self.customer_a.id)
        self.assertFalse(self.row())

    def test_receipt_counts_as_sale(self):
        self.sell(move_type="out_receipt")
        self.assertLadder(self.row(), net_sales=100)

    # ------------------------------------------------------------
    # Gross sales and discounts
    # ------------------------------------------------------------

    def test_discount_is_exact_for_large_amounts(self):
        self.sell(price=1234567.89, discount=99)
        self.assertLadder(
            self.row(), gross_sales=1234567.89, discount=1222222.21, net_sales=12345.68
        )

    def test_full_discount_keeps_the_gross_sale_and_the_product_cost(self):
        self.sell(price=50, quantity=2, discount=100)
        self.assertLadder(
            self.row(),
            gross_sales=100,
            discount=100,
            net_sales=0,
            product_cost=80,
            gross_margin=-80,
        )

    def test_surcharge_is_a_negative_discount(self):
        self.sell(price=100, discount=-10)
        self.assertLadder(self.row(), gross_sales=100, discount=-10, net_sales=110)

    def test_tax_included_in_the_price_is_no_sale(self):
        tax = self.create_tax()
        self.sell(price=121, taxes=tax)
        self.assertLadder(self.row(), gross_sales=100, discount=0, net_sales=100)
        self.sell(price=242, discount=10, taxes=tax)
        self.assertLadder(self.row(), gross_sales=300, discount=20, net_sales=280)
        self.sell(price=60.5, discount=100, taxes=tax)
        self.assertLadder(self.row(), gross_sales=350, discount=70, net_sales=280)

    def test_tax_included_by_the_company_setting(self):
        self.company.account_price_include = "tax_included"
        tax = self.create_tax(price_include_override=False)
        self.sell(price=121, discount=100, taxes=tax)
        self.assertLadder(self.row(), gross_sales=100, net_sales=0)

    def test_tax_on_top_leaves_the_price_alone(self):
        tax = self.create_tax(price_include_override="tax_excluded")
        self.sell(price=100, discount=25, taxes=tax)
        self.assertLadder(self.row(), gross_sales=100, discount=25, net_sales=75)

    def test_fixed_tax_in_a_discounted_price(self):
        self.sell(price=110, discount=50, taxes=self.create_tax(10, amount_type="fixed"))
        self.assertLadder(self.row(), gross_sales=90, discount=45, net_sales=45)

    def test_foreign_currency_at_the_rate_of_the_invoice(self):
        currency = self.setup_other_currency(
            "CHF", rates=[("2025-01-01", 4.0), ("2025-03-20", 5.0)]
        )
        self.sell(price=100, quantity=2, discount=20, currency_id=currency.id)
        self.assertLadder(self.row(), gross_sales=50, discount=10, net_sales=40, product_cost=80)
        self.sell(price=100, discount=100, currency_id=currency.id)
        self.assertLadder(self.row(), gross_sales=75, discount=35, net_sales=40)

    def test_credit_note_of_a_discounted_invoice_takes_everything_back(self):
        invoice = self.sell(price=100, quantity=3, discount=10)
        free = self.sell(price=80, discount=100)
        (invoice | free)._reverse_moves(
            [{"date": "2025-03-20", "invoice_date": "2025-03-20"}] * 2
        ).action_post()
        self.assertLadder(self.row(), **dict.fromkeys(MEASURES, 0))

    # ------------------------------------------------------------
    # Product cost
    # ------------------------------------------------------------

    def test_unknown_product_cost_is_counted(self):
        service = self.env["product.product"].create(
            {"name": "Service", "type": "service", "taxes_id": [Command.clear()]}
        )
        self.create_sale(self.customer_a, product=service)
        self.create_sale(self.customer_a)
        row = self.row()
        self.assertEqual(row.unknown_lines, 1)
        self.assertLadder(row, net_sales=200, product_cost=40)

    def test_product_cost_of_later_does_not_change_the_past(self):
        self.sell()
        self.product.standard_price = 99
        self.assertLadder(self.row(), product_cost=40)

    # ------------------------------------------------------------
    # Runs
    # ------------------------------------------------------------

    def test_only_the_posted_run_counts(self):
        driver = self.create_driver({self.customer_a: 1})
        self.create_rule(driver)
        self.create_entry_move([(self.expense_account, 100, {})])
        first = self.create_run()
        self.assertFalse(self.row())
        first.action_post()
        self.assertLadder(self.row(), allocated_cost=100)
        self.create_entry_move([(self.expense_account, 11, {})])
        second = self.create_run(post=True)
        self.assertLadder(self.row(), allocated_cost=111)
        second.action_reverse()
        self.assertFalse(self.row())

    def test_pools_are_of_no_customer(self):
        self.create_entry_move([(self.expense_account, 100, {})])
        self.assertFalse(self.report.search(self.domain))

    # ------------------------------------------------------------
    # Ratios
    # ------------------------------------------------------------

    def sell_at_every_margin(self):
        """A earns 60 %, B loses 300 %, C has only cost, the vendor only a credit note."""
        self.sell(price=100)
        self.sell(price=10, customer=self.customer_b)
        self.create_cost(post=True, customer_id=self.customer_c.id, amount=5)
        self.sell(price=20, customer=self.vendor, move_type="out_refund")

    def test_ratio_of_a_row_is_empty_without_sales(self):
        self.sell_at_every_margin()
        self.assertEqual(self.row().profit_pct, 60)
        self.assertEqual(self.row(self.customer_b).profit_pct, -300)
        for customer in (self.customer_c, self.vendor):
            row = self.row(customer)
            for name in (
                "gross_margin_pct",
                "direct_margin_pct",
                "profit_pct",
                "full_profit_pct",
                "cost_to_serve_pct",
            ):
                with self.subTest(customer=customer.name, name=name):
                    self.assertIs(row[name], False)
                    self.assertIs(row.read([name])[0][name], False)
                    self.assertIs(row.web_read({name: {}})[0][name], False)
                    found = self.report.search_read([("id", "=", row.id)], [name])
                    self.assertIs(found[0][name], False)
                    self.env.invalidate_all()

    def test_ratio_of_a_margin_of_zero_is_zero(self):
        self.sell(price=40)
        row = self.row()
        self.assertEqual(row.read(["profit_pct"])[0]["profit_pct"], 0)
        self.assertIsNot(row.profit_pct, False)

    def test_ratio_of_a_group_is_sum_over_sum(self):
        self.sell_at_every_margin()
        groups = self.report._read_group(
            self.domain, [], ["net_sales:sum", "profit:sum", "profit_pct:avg"]
        )
        net, profit, ratio = groups[0]
        self.assertEqual((net, profit), (90, 60 - 30 - 5 + 20))
        self.assertAlmostEqual(ratio, 100 * 45 / 90)

    def test_ratio_of_a_group_without_sales_is_empty(self):
        self.sell_at_every_margin()
        expected = {
            self.customer_a.id: 60,
            self.customer_b.id: -300,
            self.customer_c.id: False,
            self.vendor.id: False,
        }
        groups = self.report._read_group(self.domain, ["customer_id"], ["profit_pct:avg"])
        self.assertEqual({customer.id: ratio for customer, ratio in groups}, expected)
        groups = self.report.formatted_read_group(self.domain, ["customer_id"], ["profit_pct:avg"])
        self.assertEqual(
            {group["customer_id"][0]: group["profit_pct:avg"] for group in groups}, expected
        )
        groups = self.report.web_read_group(self.domain, ["customer_id"], ["profit_pct:avg"])[
            "groups"
        ]
        self.assertEqual(
            {group["customer_id"][0]: group["profit_pct:avg"] for group in groups}, expected
        )
        empty = [group["profit_pct:avg"] for group in groups if not group["profit_pct:avg"]]
        self.assertEqual([ratio is False for ratio in empty], [True, True])

    def test_pivot_sums_ratios_in_every_grouping_set(self):
        self.sell_at_every_margin()
        sets = self.report.formatted_read_grouping_sets(
            self.domain, [[], ["customer_id"], ["month:month"]], ["profit_pct:avg"]
        )
        self.assertEqual([group["profit_pct:avg"] for group in sets[0]], [50])
        self.assertEqual([group["profit_pct:avg"] for group in sets[2]], [50])
        self.assertEqual(
            {group["customer_id"][0]: group["profit_pct:avg"] for group in sets[1]},
            {
                self.customer_a.id: 60,
                self.customer_b.id: -300,
                self.customer_c.id: False,
                self.vendor.id: False,
            },
        )

    def test_empty_ratios_sort_last(self):
        self.sell_at_every_margin()
        empty = [self.customer_c, self.vendor]
        for direction, first in (
            ("asc", [self.customer_b, self.customer_a]),
            ("desc", [self.customer_a, self.customer_b]),
        ):
            with self.subTest(direction=direction):
                rows = self.report.search(
                    self.domain, order=f"profit_pct {direction}, customer_id.id"
                )
                self.assertEqual(list(rows.customer_id), first + empty)
                rows = self.report.web_search_read(
                    self.domain, {"customer_id": {}}, order=f"profit_pct {direction}, id"
                )["records"]
                self.assertEqual(
                    [row["customer_id"] for row in rows], [p.id for p in first + empty]
                )
                groups = self.report._read_group(
                    self.domain,
                    ["customer_id"],
                    ["profit_pct:avg"],
                    order=f"profit_pct:avg {direction}",
                )
                self.assertEqual([group[0] for group in groups][:2], first)
                groups = self.report.web_read_group(
                    self.domain,
                    ["customer_id"],
                    ["profit_pct:avg"],
                    order=f"profit_pct:avg {direction}",
                )["groups"]
                self.assertEqual(
                    [group["customer_id"][0] for group in groups][:2], [p.id for p in first]
                )

    def test_groups_are_filtered_by_their_own_ratio(self):
        self.sell_at_every_margin()
        self.sell(price=50, customer=self.customer_b, day="2025-04-10")
        groups = self.report._read_group(
            self.domain,
            ["customer_id"],
            ["profit_pct:avg"],
            having=[("profit_pct:avg", "<", 0)],
        )
        self.assertEqual(groups, [(self.customer_b, -100 * 20 / 60)])
        groups = self.report._read_group(
            self.domain,
            ["customer_id"],
            ["profit_pct:avg"],
            having=[("profit_pct:avg", ">=", 60)],
        )
        self.assertEqual(groups, [(self.customer_a, 60)])

    # ------------------------------------------------------------
    # Totals, rights, drilling
    # ------------------------------------------------------------

    def fill(self):
        self.sell(price=33.33, quantity=3, discount=5)
        self.sell(price=71.1, customer=self.customer_b, day="2025-02-11")
        self.sell(price=12.5, customer=self.customer_b, move_type="out_refund")
        self.create_bill([(self.expense_account, 17.17, {"cost_customer_id": self.customer_b.id})])
        self.create_cost(post=True, amount=3.33)
        self.create_entry_move([(self.expense_account, 100, {}), (self.administration, 50.01, {})])
        driver = self.create_driver({self.customer_a: 1, self.customer_b: 1, self.customer_c: 1})
        self.create_rule(driver)
        self.create_rule(driver, self.admin_item, full_cost=True)
        self.create_run(post=True)
        self.env.flush_all()
        self.env.invalidate_all()

    def test_totals_are_those_of_the_sources(self):
        self.fill()
        totals = self.report._read_group(
            self.domain,
            [],
            [
                "net_sales:sum",
                "product_cost:sum",
                "direct_cost:sum",
                "allocated_cost:sum",
                "full_cost:sum",
            ],
        )[0]
        invoices = self.env["account.move"].search(
            [
                *self.domain,
                ("move_type", "in", ("out_invoice", "out_refund")),
                ("state", "=", "posted"),
            ]
        )
        lines = self.env["customer.cost.line"].search([*self.domain, ("customer_id", "!=", False)])
        allocations = self.env["customer.cost.allocation"].search(self.domain)
        self.assertEqual(
            [round(total, 2) for total in totals[:3]],
            [
                round(sum(invoices.mapped("amount_untaxed_signed")), 2),
                round(sum(invoices.line_ids.mapped("customer_cost_amount")), 2),
                round(sum(lines.mapped("amount")), 2),
            ],
        )
        self.assertEqual(
            round(totals[3] + totals[4], 2), round(sum(allocations.mapped("amount")), 2)
        )
        self.assertEqual((round(totals[3], 2), round(totals[4], 2)), (100, 50.01))

    def test_drilling_leads_to_the_same_totals(self):
        self.fill()
        rows = self.report.search(self.domain)
        self.assertEqual(len(rows), 4)
        for row in rows:
            with self.subTest(row=row.id):
                costs = self.env["customer.cost.analysis"].search(row.action_open_costs()["domain"])
                self.assertAlmostEqual(
                    sum(costs.mapped("amount")), row.cost_to_serve + row.full_cost, 3
                )
                invoices = self.env["account.move"].search(row.action_open_invoices()["domain"])
                self.assertAlmostEqual(
                    sum(invoices.mapped("amount_untaxed_signed")), row.net_sales, 3
                )

    def test_analysis_rows_open_what_is_behind_them(self):
        self.fill()
        rows = self.env["customer.cost.analysis"].search(self.domain)
        self.assertEqual(set(rows.mapped("layer")), {"direct", "pool", "allocated"})
        for row in rows:
            action = row.action_open_source()
            source = self.env[action["res_model"]].browse(action["res_id"])
            with self.subTest(layer=row.layer):
                self.assertEqual(source.item_id, row.item_id)
                self.assertEqual(source.customer_id, row.customer_id)

    def test_ids_are_unique_and_find_their_row_again(self):
        self.fill()
        other = self.setup_other_company()["company"]
        self.env.user.company_ids |= other
        self.env["account.move"].with_company(other).create(
            {
                "move_type": "out_invoice",
                "company_id": other.id,
                "partner_id": self.customer_a.id,
                "invoice_date": "2025-03-10",
                "invoice_line_ids": [
                    Command.create({"name": "x", "price_unit": 7, "tax_ids": [Command.clear()]})
                ],
            }
        ).action_post()
        for model in ("customer.cost.profitability", "customer.cost.analysis"):
            rows = (
                self.env[model]
                .with_context(allowed_company_ids=(self.company | other).ids)
                .search([("company_id", "in", (self.company | other).ids)])
            )
            with self.subTest(model=model):
                self.assertEqual(len(set(rows.ids)), len(rows))
                keys = {row.id: (row.company_id, row.customer_id) for row in rows}
                self.env.invalidate_all()
                for row in rows:
                    found = rows.search([("id", "=", row.id)])
                    self.assertEqual(found, row)
                    self.assertEqual((found.company_id, found.customer_id), keys[row.id])
                self.assertEqual(
                    rows.search(
                        [("id", "not in", rows[1:].ids), ("company_id", "in", rows.company_id.ids)]
                    ),
                    rows[:1],
                )
                self.assertEqual(rows.exists(), rows)

    def test_groups_by_salesperson_country_and_year(self):
        self.fill()
        self.customer_b.country_id = self.env.ref("base.be")
        for user in (self.users["manager"], self.users["auditor"], self.users["cost_user"]):
            report = self.report.with_user(user)
            with self.subTest(user=user.login):
                groups = dict(report._read_group(self.domain, ["user_id"], ["net_sales:sum"]))
                self.assertEqual(round(groups[self.rep], 2), 94.99)
                groups = dict(report._read_group(self.domain, ["country_id"], ["net_sales:sum"]))
                self.assertEqual(round(groups[self.env.ref("base.be")], 2), 58.6)
                groups = report.formatted_read_group(
                    self.domain, ["month:year", "customer_id"], ["profit:sum"]
                )
                self.assertEqual(len(groups), 3)

    def test_rep_sees_own_customers_only(self):
        self.fill()
        report = self.report.with_user(self.rep)
        self.assertEqual(report.search([]).customer_id, self.customer_a)
        groups = report._read_group([], ["user_id"], ["net_sales:sum", "profit_pct:avg"])
        self.assertEqual(
            [(user, round(net, 2)) for user, net, _ratio in groups], [(self.rep, 94.99)]
        )
        row = report.search([])
        self.assertEqual(
            row.read(["net_sales", "customer_id", "profit_pct"])[0]["net_sales"], 94.99
        )
        costs = self.env["customer.cost.analysis"].with_user(self.rep).search([])
        self.assertEqual(costs.customer_id, self.customer_a)

    def test_filter_on_a_customer_reaches_the_sources(self):
        """Invoices, ledger and allocations are each filtered before anything is added up."""
        self.fill()
        customer = self.customer_a.id
        for domain in (
            [("customer_id", "=", customer)],
            [("id", "in", self.row().ids)],
        ):
            query = self.report._search(domain)
            plan = [
                row[0]
                for row in self.env.execute_query(SQL("EXPLAIN (COSTS OFF) %s", query.select()))
            ]
            with self.subTest(domain=domain):
                conditions = [line for line in plan if "Cond:" in line or "Filter:" in line]
                sales = [
                    line for line in conditions if f"commercial_partner_id = {customer})" in line
                ]
                costs = [line for line in conditions if f"(customer_id = {customer})" in line]
                self.assertTrue(sales, plan)
                self.assertGreaterEqual(len(costs), 2, plan)
