from ast import literal_eval

from freezegun import freeze_time
from lxml import etree

from odoo.tests import tagged

from .common import CustomerCostCommon


@tagged("post_install", "-at_install")
@freeze_time("2025-06-15")
class TestRanking(CustomerCostCommon):
    """What the ranking, the customer list and the cost table offer on the screen."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Profit: A 500 of 1000, B -30 of 100, C -5 without sales, the group company 60 of 100.
        cls.group = cls.env["res.partner"].create({"name": "Group", "is_company": True})
        cls.setup_other_company()["company"].partner_id = cls.group
        cls.create_sale(cls.customer_a, quantity=10)
        for customer in (cls.customer_b, cls.group):
            cls.create_sale(customer)
        cls.create_sale(cls.customer_b, day="2024-05-10", quantity=2)
        cls.create_sale(cls.group, day="2023-05-10")
        for customer, amount in ((cls.customer_a, 100), (cls.customer_b, 90), (cls.customer_c, 5)):
            cls.create_bill([(cls.expense_account, amount, {"cost_customer_id": customer.id})])
        cls.env["customer.cost.balance"]._refresh()
        cls.manager = cls.users["manager"]

    def get_filters(self, model, view=False):
        """Domains of the filters of a search view, by name, as the cost manager gets it."""
        views = self.rpc(self.manager, model, "get_views", [(view, "search")])
        arch = etree.fromstring(views["views"]["search"]["arch"])
        return {
            node.get("name"): literal_eval(node.get("domain"))
            for node in arch.iter("filter")
            if (node.get("domain") or "").startswith("[") and "uid" not in node.get("domain")
        }

    def names(self, model, domain, name, **kwargs):
        rows = self.rpc(
            self.manager,
            model,
            "web_search_read",
            [*domain, ("company_id", "in", [False, self.company.id])],
            {name: {"fields": {"display_name": {}}} if name != "name" else {}},
            **kwargs,
        )["records"]
        found = [row[name]["display_name"] if name != "name" else row[name] for row in rows]
        return [one.removeprefix("Cost Customer ") for one in found]

    def test_ranked_by_profit_with_group_companies_left_out_at_first(self):
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "customer_cost.customer_cost_summary_action"
        )
        self.assertEqual(literal_eval(action["context"]), {"search_default_external": 1})
        filters = self.get_filters("customer.cost.summary")
        model, name = "customer.cost.summary", "customer_id"
        self.assertEqual(self.names(model, filters["external"], name), ["A", "C", "B"])
        self.assertEqual(self.names(model, [], name), ["A", "Group", "C", "B"])

    def test_filters_of_the_ranking(self):
        filters = self.get_filters("customer.cost.summary")
        for name, expected in (
            ("loss", ["C", "B"]),
            ("low_margin", ["B"]),
            ("lower_margin", ["B"]),
            ("high_cost", ["B"]),
            ("higher_cost", ["B"]),
            ("worse", ["C", "B"]),
            ("unknown", []),
        ):
            with self.subTest(name):
                self.assertEqual(
                    self.names("customer.cost.summary", filters[name], "customer_id"), expected
                )

    def test_filters_of_the_customer_list(self):
        filters = self.get_filters("res.partner", self.env.ref("base.view_res_partner_filter").id)
        ours = ("id", "in", (self.customer_a | self.customer_b | self.customer_c | self.group).ids)
        for name, expected in (
            ("customer_cost_loss", ["B", "C"]),
            ("customer_cost_low_margin", ["B"]),
            ("customer_cost_high_cost", ["B"]),
            ("customer_cost_worse", ["B", "C"]),
        ):
            with self.subTest(name):
                self.assertEqual(
                    self.names("res.partner", [ours, *filters[name]], "name", order="name"),
                    expected,
                )

    def test_others_do_not_get_the_filters_of_the_customer_list(self):
        view = self.env.ref("base.view_res_partner_filter").id
        views = self.rpc(self.users["internal"], "res.partner", "get_views", [(view, "search")])
        self.assertNotIn("customer_cost", views["views"]["search"]["arch"])

    def test_ranking_by_salesperson_and_country(self):
        self.customer_b.country_id = self.env.ref("base.de")
        self.customer_a.user_id = self.customer_b.user_id = self.rep
        self.refresh_figures()
        for field in ("user_id", "country_id"):
            groups = self.rpc(
                self.manager,
                "customer.cost.summary",
                "web_read_group",
                [("company_id", "=", self.company.id)],
                [field],
                aggregates=["rolling_profit:sum", "rolling_profit_pct:avg"],
            )["groups"]
            found = {
                group[field][0]: (
                    group["rolling_profit:sum"],
                    round(group["rolling_profit_pct:avg"], 2),
                )
                for group in groups
                if group[field]
            }
            expected = {
                "user_id": {self.rep.id: (470, round(100 * 470 / 1100, 2))},
                "country_id": {self.env.ref("base.de").id: (-30, -30)},
            }
            self.assertEqual(
                {key: value for key, value in found.items() if key in expected[field]},
                expected[field],
            )

    def test_row_opens_the_customer(self):
        row = self.env["customer.cost.summary"].search([("customer_id", "=", self.customer_a.id)])
        action = row.with_user(self.manager).action_open_customer()
        self.assertEqual(
            (action["res_model"], action["res_id"]), ("res.partner", self.customer_a.id)
        )

    def test_archived_customers_keep_their_figures(self):
        self.customer_a.active = False
        filters = self.get_filters("customer.cost.summary")
        self.assertEqual(
            self.names("customer.cost.summary", filters["archived"], "customer_id"), ["A"]
        )
        self.assertEqual(self.customer_a.with_user(self.manager).customer_cost_profit, 500)
        self.assertEqual(
            self.names(
                "res.partner", [("active", "=", False), ("customer_cost_profit", "=", 500)], "name"
            ),
            ["A"],
        )

    def test_buttons_of_the_ranking(self):
        for name in ("action_check", "action_rebuild"):
            result = self.rpc(self.manager, "customer.cost.summary", name, [])
            self.assertEqual(result["params"]["type"], "success")

    def test_cost_table_opens_the_costs_behind_a_row(self):
        row = self.env["customer.cost.item.month"].search(
            [("item_id", "=", self.item.id), ("layer", "=", "direct")]
        )
        action = row.with_user(self.manager).action_open_costs()
        costs = self.env[action["res_model"]].with_user(self.manager).search(action["domain"])
        self.assertEqual(sorted(costs.mapped("amount")), [5, 90, 100])
        self.assertEqual(row.amount, 195)
