from datetime import date

from freezegun import freeze_time

from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from ..models.res_partner_list import SUMMARY_COLUMNS
from .common import CustomerCostCommon

QUIET = (
    "odoo.addons.base.models.ir_model",
    "odoo.addons.base.models.ir_rule",
    "odoo.domains",
    "odoo.models",
)
FIGURES = tuple(SUMMARY_COLUMNS)


@tagged("post_install", "-at_install")
@freeze_time("2025-06-15")
class TestPartnerList(CustomerCostCommon):
    """Figures on the customer list: exact, searched, sorted and summed, as the user may see."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # A: sales 1000, costs 400 + 100. B: sales 100, costs 40 + 90. C: cost 5, no sales.
        cls.create_sale(cls.customer_a, quantity=10)
        cls.create_sale(cls.customer_a, day="2024-04-10", quantity=2)
        cls.create_sale(cls.customer_a, day="2023-05-10")
        cls.create_sale(cls.customer_b)
        for customer, amount in ((cls.customer_a, 100), (cls.customer_b, 90), (cls.customer_c, 5)):
            cls.create_bill([(cls.expense_account, amount, {"cost_customer_id": customer.id})])
        cls.quiet = cls.env["res.partner"].create({"name": "Cost Customer D", "is_company": True})
        cls.ours = cls.customer_a | cls.customer_b | cls.customer_c | cls.quiet
        cls.env["customer.cost.balance"]._refresh()
        cls.manager = cls.users["manager"]

    def find(self, *conditions, user=None, model="res.partner", order="id"):
        partners = self.env[model].with_user(user or self.manager)
        found = partners.search(
            [("id" if model == "res.partner" else "partner_id", "in", self.ours.ids), *conditions],
            order=order,
        )
        names = found.mapped("name")
        return "".join(name.removeprefix("Cost Customer ") for name in names)

    def read_figures(self, customer, user=None):
        self.env.flush_all()
        self.env.invalidate_all()
        return {
            name: round(value, 2) if value else value
            for name, value in customer.with_user(user or self.manager).read(FIGURES)[0].items()
            if name != "id"
        }

    # ------------------------------------------------------------
    # Reading
    # ------------------------------------------------------------

    def test_figures_of_the_summary(self):
        self.assertEqual(
            self.read_figures(self.customer_a),
            {
                "customer_cost_net_sales": 1000,
                "customer_cost_gross_margin": 600,
                "customer_cost_direct_margin": 500,
                "customer_cost_profit": 500,
                "customer_cost_profit_pct": 50,
                "customer_cost_to_serve_pct": 10,
                "customer_cost_profit_change": 500 - 120,
            },
        )
        self.assertIs(self.read_figures(self.customer_c)["customer_cost_profit_pct"], False)
        self.assertIs(self.read_figures(self.customer_c)["customer_cost_to_serve_pct"], False)
        self.assertEqual(self.read_figures(self.customer_c)["customer_cost_profit"], -5)
        self.assertEqual(set(self.read_figures(self.quiet).values()), {0.0})

    def test_they_are_read_from_the_summary(self):
        self.env.cr.execute("UPDATE customer_cost_summary SET rolling_profit = 7")
        self.assertEqual(self.read_figures(self.customer_a)["customer_cost_profit"], 7)

    def test_customers_with_changes_pending_are_worked_out_live(self):
        self.env.cr.execute("UPDATE customer_cost_summary SET rolling_profit = 7")
        self.create_sale(self.customer_a)
        figures = self.read_figures(self.customer_a)
        self.assertEqual(figures["customer_cost_net_sales"], 1100)
        self.assertEqual(figures["customer_cost_profit"], 560)
        self.assertEqual(figures["customer_cost_profit_change"], 440)
        self.assertEqual(self.read_figures(self.customer_b)["customer_cost_profit"], 7)
        self.refresh_figures()
        self.assertEqual(self.read_figures(self.customer_a), figures)

    def test_whole_month_pending_and_no_row_yet(self):
        self.env.cr.execute("DELETE FROM customer_cost_summary")
        self.assertEqual(self.read_figures(self.customer_a)["customer_cost_profit"], 0)
        self.env["customer.cost.dirty"]._mark(self.company.id, [date(2025, 3, 1)])
        self.assertEqual(self.read_figures(self.customer_a)["customer_cost_profit"], 500)
        self.assertEqual(self.read_figures(self.quiet)["customer_cost_profit"], 0)

    def test_change_of_long_ago_leaves_the_list_as_it_is(self):
        self.env.cr.execute("UPDATE customer_cost_summary SET rolling_profit = 7")
        self.create_sale(self.customer_a, day="2022-03-10")
        self.assertEqual(self.read_figures(self.customer_a)["customer_cost_profit"], 7)

    def test_row_whose_window_has_moved_on_is_worked_out_live(self):
        with freeze_time("2026-02-15"):
            self.assertEqual(self.read_figures(self.customer_a)["customer_cost_profit"], 500)
        with freeze_time("2026-04-15"):
            figures = self.read_figures(self.customer_a)
            self.assertEqual(figures["customer_cost_profit"], 0)
            self.assertEqual(figures["customer_cost_profit_change"], -500 - 120)

    def test_pending_in_another_company_is_its_own(self):
        other = self.setup_other_company()["company"]
        self.env.cr.execute("UPDATE customer_cost_summary SET rolling_profit = 7")
        self.env["customer.cost.dirty"]._mark(other.id, [date(2025, 3, 1)])
        self.assertEqual(self.read_figures(self.customer_a)["customer_cost_profit"], 7)

    def count_queries(self, partners):
        self.env.flush_all()
        partners = partners.with_user(self.manager)
        partners[:1].read(FIGURES)
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        partners.read(FIGURES)
        return self.env.cr.sql_log_count - before

    def test_number_of_queries_is_the_same_for_1_80_and_500(self):
        customers = self.env["res.partner"].create(
            [{"name": f"Many {number}", "is_company": True} for number in range(500)]
        )
        self.create_bill(
            [(self.expense_account, 10, {"cost_customer_id": one.id}) for one in customers]
        )
        waiting = [self.count_queries(customers[:count]) for count in (1, 80, 500)]
        self.refresh_figures()
        fresh = [self.count_queries(customers[:count]) for count in (1, 80, 500)]
        self.assertEqual(len(set(waiting)), 1, waiting)
        self.assertEqual(len(set(fresh)), 1, fresh)
        # the live figures: twice 12 months for the change of profit, once for the others
        self.assertLess(fresh[0], waiting[0])

    # ------------------------------------------------------------
    # Search
    # ------------------------------------------------------------

    def test_search_by_amount(self):
        for condition, expected in (
            (("customer_cost_profit", "<", 0), "BC"),
            (("customer_cost_profit", "<=", 0), "BCD"),
            (("customer_cost_profit", ">", 0), "A"),
            (("customer_cost_profit", ">=", 0), "AD"),
            (("customer_cost_profit", "=", 0), "D"),
            (("customer_cost_profit", "=", False), "D"),
            (("customer_cost_profit", "!=", 0), "ABC"),
            (("customer_cost_profit", "=", -5), "C"),
            (("customer_cost_profit", "!=", -5), "ABD"),
            (("customer_cost_profit", "in", [500, 0]), "AD"),
            (("customer_cost_profit", "not in", [500, 0]), "BC"),
            (("customer_cost_net_sales", ">=", 100), "AB"),
            (("customer_cost_gross_margin", ">", 60), "A"),
            (("customer_cost_direct_margin", "<", -5), "B"),
            (("customer_cost_profit_change", "<", 0), "BC"),
        ):
            with self.subTest(condition):
                self.assertEqual(self.find(condition), expected)

    def test_search_by_a_figure_that_can_be_empty_leaves_the_empty_ones_out(self):
        for condition, expected in (
            (("customer_cost_profit_pct", "<", 10), "B"),
            (("customer_cost_profit_pct", ">=", -1000), "AB"),
            (("customer_cost_to_serve_pct", ">", 20), "B"),
            (("customer_cost_to_serve_pct", "<", 20), "A"),
            (("customer_cost_to_serve_pct", "=", False), "CD"),
            (("customer_cost_to_serve_pct", "!=", False), "AB"),
            (("customer_cost_to_serve_pct", "=", 10), "A"),
            (("customer_cost_to_serve_pct", "=", 0), ""),
            (("customer_cost_to_serve_pct", "!=", 10), "BCD"),
            (("customer_cost_profit_change", "<=", 0), "BC"),
            (("customer_cost_profit_change", "=", False), "D"),
        ):
            with self.subTest(condition):
                self.assertEqual(self.find(condition), expected)

    def test_search_agrees_with_what_is_shown(self):
        rows = {one.name[-1]: self.read_figures(one) for one in self.ours}
        for name in FIGURES:
            for limit in (-30, -5, 0, 10, 50, 90, 1000):
                for operator, holds in (
                    ("<", lambda figure, limit: figure < limit),
                    (">=", lambda figure, limit: figure >= limit),
                ):
                    expected = "".join(
                        letter
                        for letter, figures in rows.items()
                        if figures[name] is not False and holds(figures[name], limit)
                    )
                    with self.subTest(f"{name} {operator} {limit}"):
                        self.assertEqual(self.find((name, operator, limit)), expected)

    def test_search_with_or_not_and_through_relations(self):
        loss, big = ("customer_cost_profit", "<", 0), ("customer_cost_net_sales", ">", 500)
        self.assertEqual(self.find("|", loss, big), "ABC")
        self.assertEqual(self.find("!", loss), "AD")
        contact = self.env["res.partner"].create({"name": "Ann", "parent_id": self.customer_b.id})
        found = (
            self.env["res.partner"]
            .with_user(self.manager)
            .search([("parent_id.customer_cost_profit", "<", 0)])
        )
        self.assertEqual(found, contact)

    def test_figures_are_filtered_in_memory_as_well(self):
        ours = self.ours.with_user(self.manager)
        self.assertEqual(
            ours.filtered_domain([("customer_cost_profit", "<", 0)]),
            (self.customer_b | self.customer_c).with_user(self.manager),
        )

    # ------------------------------------------------------------
    # Order and groups
    # ------------------------------------------------------------

    def test_sorted_with_customers_without_figures_last(self):
        self.assertEqual(self.find(order="customer_cost_profit desc, id"), "ACBD")
        self.assertEqual(self.find(order="customer_cost_profit, id"), "BCAD")
        self.assertEqual(self.find(order="customer_cost_to_serve_pct, id"), "ABCD")
        self.assertEqual(self.find(order="customer_cost_to_serve_pct desc, id"), "BACD")
        self.assertEqual(
            self.find(("customer_cost_profit", "<", 0), order="customer_cost_net_sales desc"), "BC"
        )

    def test_pages_by_profit_are_those_of_the_whole_order(self):
        """The first pages come by another way than those behind them."""
        for direction in ("desc", "asc"):
            order = f"customer_cost_profit {direction}, name desc"
            partners = self.env["res.partner"].with_user(self.manager)
            ours = [("id", "in", self.ours.ids)]
            everybody = partners.search(ours, order=order)
            self.assertEqual(everybody[-1:].name, "Cost Customer D")
            for limit in (1, 2, 3, 4, 5):
                for offset in range(4):
                    page = partners.search(ours, order=order, limit=limit, offset=offset)
                    self.assertEqual(page, everybody[offset : offset + limit])

    def test_no_client_leaves_out_customers_without_figures(self):
        for forged in (True, 1, "RANKED"):
            found = self.rpc(
                self.manager,
                "res.partner",
                "search",
                [("id", "in", self.ours.ids)],
                order="customer_cost_profit",
                context={"customer_cost_ranked": forged},
            )
            self.assertEqual(len(found), 4)

    def test_the_list_view_may_sort_and_sum(self):
        fields = self.rpc(self.manager, "res.partner", "fields_get", list(FIGURES))
        for name in FIGURES:
            self.assertTrue(fields[name]["sortable"], name)
            self.assertTrue(fields[name]["searchable"], name)
            self.assertTrue(fields[name]["aggregator"], name)

    def test_sums_of_groups(self):
        self.customer_b.user_id = self.rep
        groups = self.rpc(
            self.manager,
            "res.partner",
            "formatted_read_group",
            [("id", "in", self.ours.ids)],
            ["user_id"],
            ["customer_cost_profit:sum", "customer_cost_to_serve_pct:avg"],
        )
        found = {
            group["user_id"] and group["user_id"][0]: (
                group["customer_cost_profit:sum"],
                group["customer_cost_to_serve_pct:avg"]
                and round(group["customer_cost_to_serve_pct:avg"], 2),
            )
            for group in groups
        }
        self.assertEqual(
            found, {self.rep.id: (470, round(100 * 190 / 1100, 2)), False: (-5, False)}
        )

    def test_group_of_a_web_list(self):
        result = self.rpc(
            self.manager,
            "res.partner",
            "web_read_group",
            [("id", "in", self.ours.ids)],
            ["user_id"],
            aggregates=["customer_cost_net_sales:sum"],
            order="customer_cost_net_sales:sum desc",
        )
        self.assertEqual(
            [group["customer_cost_net_sales:sum"] for group in result["groups"]], [1000, 100]
        )

    # ------------------------------------------------------------
    # Companies
    # ------------------------------------------------------------

    def test_search_and_order_are_those_of_the_current_company(self):
        other = self.setup_other_company()["company"]
        self.manager.company_ids |= other
        partners = self.env["res.partner"].with_user(self.manager).with_company(other)
        ours = [("id", "in", self.ours.ids)]
        self.assertFalse(partners.search([*ours, ("customer_cost_profit", "!=", 0)]))
        self.assertEqual(
            partners.search(ours, order="customer_cost_profit, id"), self.ours.sorted("id")
        )

    # ------------------------------------------------------------
    # Rights
    # ------------------------------------------------------------

    def test_rep_finds_sorts_and_sums_own_customers_only(self):
        self.assertEqual(self.find(("customer_cost_profit", "!=", 0), user=self.rep), "A")
        self.assertEqual(self.find(("customer_cost_profit", "<", 0), user=self.rep), "")
        self.assertEqual(self.find(("customer_cost_profit", "=", 0), user=self.rep), "BCD")
        self.assertEqual(self.find(("customer_cost_to_serve_pct", ">", 20), user=self.rep), "")
        for direction in ("", " desc"):
            self.assertEqual(
                self.find(user=self.rep, order=f"customer_cost_profit{direction}, id"), "ABCD"
            )
        [group] = self.rpc(
            self.rep,
            "res.partner",
            "formatted_read_group",
            [("id", "in", self.ours.ids)],
            [],
            ["customer_cost_net_sales:sum", "customer_cost_to_serve_pct:avg"],
        )
        self.assertEqual(group["customer_cost_net_sales:sum"], 1000)
        self.assertEqual(group["customer_cost_to_serve_pct:avg"], 10)

    def create_curious(self):
        return new_test_user(
            self.env,
            login="cost_curious",
            groups="base.group_user,base.group_allow_export,base.group_partner_manager",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )

    def get_own_ids(self, user, model):
        return user.ids if model == "res.users" else user.partner_id.ids

    def test_curious_employee_is_refused_by_every_door(self):
        reviewer = self.users["reviewer"]
        reviewer.group_ids |= self.env.ref("base.group_allow_export")
        for user, names in ((self.create_curious(), FIGURES), (reviewer, FIGURES[-2:])):
            for model in ("res.partner", "res.users"):
                for name in names:
                    for method, args, kwargs in (
                        ("search", [[(name, ">", 0)]], {}),
                        ("search", [[(name, "=", False)]], {}),
                        ("search", [[("id", ">", 0), "!", (name, "<", 5)]], {}),
                        ("search_count", [[(name, "in", [1, 2])]], {}),
                        ("search", [[]], {"order": name}),
                        ("search", [[]], {"order": f"{name} desc, id"}),
                        ("search_read", [[], [name]], {}),
                        ("web_search_read", [[], {"display_name": {}}], {"order": name}),
                        ("formatted_read_group", [[], [], [f"{name}:sum"]], {}),
                        ("formatted_read_group", [[], [], [f"{name}:max"]], {}),
                        ("formatted_read_group", [[], [name], ["__count"]], {}),
                        ("web_read_group", [[], ["company_id"]], {"aggregates": [f"{name}:sum"]}),
                        (
                            "formatted_read_group",
                            [[], ["company_id"], ["__count"]],
                            {"having": [(f"{name}:sum", ">", 0)]},
                        ),
                        ("export_data", [self.get_own_ids(user, model), [name]], {}),
                    ):
                        with self.subTest(f"{user.login} {model}.{method} {args} {kwargs}"):
                            with mute_logger(*QUIET), self.assertRaises(AccessError):
                                self.rpc(user, model, method, *args, **kwargs)

    def test_curious_employee_is_refused_through_relations(self):
        curious = self.create_curious()
        for model, path in (
            ("res.partner", "parent_id"),
            ("res.partner", "child_ids"),
            ("res.partner", "user_ids.partner_id"),
            ("res.partner.bank", "partner_id"),
            ("res.company", "partner_id"),
        ):
            for domain in (
                [(f"{path}.customer_cost_profit", "<", 0)],
                [(path, "any", [("customer_cost_profit", "<", 0)])],
                [(path, "not any", [("customer_cost_to_serve_pct", ">", 5)])],
            ):
                with self.subTest(f"{model} {domain}"):
                    with mute_logger(*QUIET), self.assertRaises(AccessError):
                        self.rpc(curious, model, "search", domain)

    def test_users_sort_by_their_partner_s_figures_for_those_who_may(self):
        people = [
            new_test_user(
                self.env,
                login=f"cost_person_{customer.id}",
                partner_id=customer.id,
                company_id=self.company.id,
                company_ids=[Command.set(self.company.ids)],
            )
            for customer in (self.customer_b, self.customer_a, self.quiet)
        ]
        ids = [person.id for person in people]
        for direction, expected in (("", ids), (" desc", [ids[1], ids[0], ids[2]])):
            found = self.rpc(
                self.manager,
                "res.users",
                "search_read",
                [("id", "in", ids)],
                ["name"],
                order=f"customer_cost_profit{direction}",
            )
            self.assertEqual([row["id"] for row in found], expected)
        loss = [("id", "in", ids), ("customer_cost_profit", "<", 0)]
        self.assertEqual(self.rpc(self.manager, "res.users", "search", loss), ids[:1])
        self.assertEqual(self.rpc(self.rep, "res.users", "search", loss), [])
        found = self.rpc(
            self.rep,
            "res.users",
            "search",
            [("id", "in", ids)],
            order="customer_cost_profit, id",
        )
        self.assertEqual(found, [ids[1], ids[0], ids[2]])

    def test_superuser_sees_all(self):
        partners = self.env["res.partner"].sudo()
        self.assertEqual(
            partners.search([("id", "in", self.ours.ids), ("customer_cost_profit", "<", 0)]),
            self.customer_b | self.customer_c,
        )
