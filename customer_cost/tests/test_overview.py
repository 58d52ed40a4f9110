from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import freeze_time, tagged
from odoo.tools import mute_logger

from .setup_common import SetupCommon

OVERVIEW = "customer.cost.overview"
# first and last month of what the last 12 months are tied out by
BEFORE, MAY, JUNE = ("24-07", "25-04"), ("25-05", "25-05"), ("25-06", "25-06")


@tagged("post_install", "-at_install")
class TestOverview(SetupCommon):
    """The home screen: the sums of the profitability report, as far as the reader's rights go."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.post_two_months()
        cls.env.flush_all()

    def overview(self, role="manager", period="rolling"):
        self.env["customer.cost.balance"]._refresh()
        return self.rpc(self.users[role], OVERVIEW, "get_overview", period)

    def values(self, overview):
        return {row["key"]: row["value"] for row in overview["rows"]}

    def test_the_ladder_is_that_of_the_profitability_report(self):
        self.calculate()
        marks = self.env["customer.cost.dirty"].sudo()
        self.assertFalse(marks.search([("company_id", "=", self.company.id)]))
        [sums] = self.env["customer.cost.profitability"].formatted_read_group(
            [("company_id", "=", self.company.id)],
            [],
            ["net_sales:sum", "product_cost:sum", "profit:sum", "full_profit:sum"],
        )
        values = self.values(self.overview())
        for name in ("net_sales", "product_cost", "profit", "full_profit"):
            self.assertAlmostEqual(values[name], sums[f"{name}:sum"], 2)
        self.assertEqual(values["net_sales"], 800.0)
        self.assertEqual(values["full_cost"], 160.0)
        self.assertEqual(
            values["profit"],
            values["net_sales"]
            - values["product_cost"]
            - values["activity_cost"]
            - values["sustaining_cost"],
        )

    def test_periods_are_fiscal_years_and_the_last_twelve_months(self):
        self.create_sale(self.customer_c, day="2024-02-05")
        ranges = self.overview()["ranges"]
        self.assertEqual(
            [(found["key"], found["from"], found["to"]) for found in ranges],
            [
                ("rolling", "2024-07-01", "2025-06-30"),
                ("year", "2025-01-01", "2025-12-31"),
                ("last_year", "2024-01-01", "2024-12-31"),
            ],
        )
        self.assertEqual(self.values(self.overview(period="last_year"))["net_sales"], 100.0)
        self.assertEqual(self.values(self.overview(period="year"))["net_sales"], 800.0)
        self.assertEqual(len(self.overview(period="year")["trend"]), 6)
        self.assertEqual(self.overview(period="forged")["period"]["key"], "rolling")

    def test_customers_are_ranked_by_profit(self):
        self.create_bill(
            [(self.travel, 900.0, {"cost_customer_id": self.customer_c.id})], day="2025-05-11"
        )
        self.calculate()
        overview = self.overview()
        self.assertEqual(
            [row["id"] for row in overview["best"]], [self.customer_a.id, self.customer_b.id]
        )
        self.assertEqual([row["id"] for row in overview["worst"]], [self.customer_c.id])
        self.assertEqual(overview["worst"][0]["profit"], -900.0)
        self.assertIsNone(overview["worst"][0]["percent"])

    def test_at_most_ten_customers_each(self):
        customers = self.env["res.partner"].create(
            [{"name": f"Many {number:02}", "is_company": True} for number in range(25)]
        )
        for place, customer in enumerate(customers, 1):
            self.create_sale(customer, quantity=1, price=1000.0 + place, day="2025-05-12")
        overview = self.overview()
        self.assertEqual((len(overview["best"]), len(overview["worst"])), (10, 10))
        self.assertFalse(
            {row["id"] for row in overview["best"]} & {row["id"] for row in overview["worst"]}
        )
        self.assertEqual(overview["best"][0]["name"], "Many 24")

    def test_companies_of_the_group_are_in_the_totals_and_not_ranked(self):
        sister = self.setup_other_company(name="Sister")["company"].partner_id
        self.create_sale(sister, price=5000.0, day="2025-05-12")
        overview = self.overview()
        self.assertEqual(self.values(overview)["net_sales"], 5800.0)
        self.assertNotIn(sister.id, [row["id"] for row in overview["best"] + overview["worst"]])

    def test_a_rep_sees_the_sums_of_their_own_customers(self):
        self.assertEqual(self.values(self.overview("rep"))["net_sales"], 600.0)
        self.assertEqual(self.values(self.overview("cost_user"))["net_sales"], 800.0)
        self.assertEqual(self.values(self.overview("auditor"))["net_sales"], 800.0)

    @mute_logger("odoo.addons.base.models.ir_model")
    def test_who_has_no_role_sees_nothing(self):
        for role in ("internal", "reviewer"):
            with self.subTest(role), self.assertRaises(AccessError):
                self.overview(role)

    def test_whether_it_ties_out_is_for_those_who_see_all_cost(self):
        self.calculate()
        for role in ("accountant", "manager", "auditor"):
            self.assertTrue(self.overview(role)["has_tie_out"])
            trust = self.rpc(self.users[role], OVERVIEW, "get_trust", "rolling")
            self.assertTrue(trust["is_tied"])
        for role in ("rep", "cost_user"):
            self.assertFalse(self.overview(role)["has_tie_out"])
            with self.assertRaises(AccessError):
                self.rpc(self.users[role], OVERVIEW, "get_trust", "rolling")

    def test_the_way_from_the_customers_leads_to_the_result(self):
        self.create_bill([(self.rent, 12.5, {})], day="2025-06-10")
        self.calculate()
        overview = self.overview()
        trust = self.rpc(self.manager, OVERVIEW, "get_trust", "rolling")
        rows = {row["key"]: row["value"] for row in trust["rows"]}
        self.assertEqual(rows["waiting"], -12.5)
        self.assertEqual(rows["left_out"], -14.0)
        result = rows.pop("books")
        self.assertAlmostEqual(self.values(overview)["full_profit"] + sum(rows.values()), result, 2)

    def trust(self, *args):
        return self.rpc(self.manager, OVERVIEW, "get_trust", *args)

    def assertTiedOutAnew(self, spans, *args):
        """Ask for the trust box: it ties out these first and last months and shows the truth."""
        tied = []
        tie_out_class = type(self.env["customer.cost.tie.out"])
        get_figures = tie_out_class._get_figures

        def record(tie_out, company, first, last):
            tied.append((first.strftime("%y-%m"), last.strftime("%y-%m")))
            return get_figures(tie_out, company, first, last)

        with patch.object(tie_out_class, "_get_figures", record):
            trust = self.trust(*args)
        self.assertEqual(sorted(tied), sorted(spans))
        first, last = (fields.Date.to_date(trust[name]) for name in ("from", "to"))
        figures = self.env["customer.cost.tie.out"]._get_figures(self.company, first, last)
        (result,) = (part for part in figures["sections"] if part["key"] == "result")
        expected = {row["key"]: row["amount"] for side in result["sides"] for row in side["rows"]}
        rows = {row["key"]: row["value"] for row in trust["rows"]}
        moved = expected.pop("in") + expected.pop("out")
        self.assertAlmostEqual(rows.pop("in", 0.0), moved, 2)
        del expected["profit"]
        self.assertEqual(
            rows, {key: value for key, value in expected.items() if value or key == "books"}
        )
        self.assertEqual(trust["is_tied"], figures["is_tied"])
        self.assertEqual(trust["difference"], figures["difference"])
        self.assertEqual(trust["unmapped"], figures["counts"]["unmapped"]["count"])
        return trust

    def test_only_months_that_changed_are_tied_out_again(self):
        self.calculate()
        nobodys = self.create_account("T69001", "Nobody mapped")
        self.create_bill([(nobodys, 5.0, {})], day="2025-05-03")
        trust = self.assertTiedOutAnew([BEFORE, MAY])
        self.assertTrue(trust["tied_at"])
        self.assertTiedOutAnew([])
        service = {"cost_service_from": "2025-05-10", "cost_service_to": "2025-07-09"}
        self.create_bill([(self.rent, 30.0, service)], day="2025-06-10")
        self.assertTiedOutAnew([MAY, JUNE])
        self.create_sale(self.customer_a, day="2025-05-12")
        self.assertTiedOutAnew([MAY])
        self.create_sale(self.customer_a, day="2025-02-12")
        self.assertTiedOutAnew([BEFORE])
        line = self.env["customer.cost.line"].search(
            [("company_id", "=", self.company.id), ("origin_date", "=", "2025-05-10")], limit=1
        )
        self.env.cr.execute("DELETE FROM customer_cost_line WHERE id = %s", [line.id])
        self.env.invalidate_all()
        self.assertFalse(self.assertTiedOutAnew([MAY])["is_tied"])
        self.assertTiedOutAnew([BEFORE, MAY, JUNE], "rolling", True)

    def test_a_fiscal_year_is_tied_out_up_to_its_end(self):
        self.calculate()
        self.create_sale(self.customer_a, day="2025-09-12")
        self.assertTiedOutAnew([("25-01", "25-04"), MAY, ("25-07", "25-12")], "year")
        self.assertTiedOutAnew([], "year")
        self.assertTiedOutAnew([], "last_year")

    def test_months_that_take_too_long_are_left_to_the_next_call(self):
        self.calculate()
        with patch("odoo.addons.customer_cost.models.customer_cost_span.SECONDS", -1):
            self.assertEqual(self.trust(), {"left": 1})
            self.assertEqual(self.trust()["left"], 0)
            self.assertEqual(self.trust("rolling", True), {"left": 1})
            self.assertTrue(self.trust()["is_tied"])

    def test_closed_months_are_tied_out_again_when_their_books_change(self):
        self.calculate()
        self.close_period("2025-04-10")
        self.assertTiedOutAnew([BEFORE, MAY])
        self.create_bill([(self.travel, 9.0, {})], day="2025-04-11")
        self.assertTiedOutAnew([BEFORE, MAY])

    def test_the_nightly_check_drops_what_nobody_asks_for_any_more(self):
        self.calculate()
        self.trust()
        spans = self.env["customer.cost.span"].sudo()
        domain = [("company_id", "=", self.company.id), ("tied_at", "!=", False)]
        tied = spans.search(domain)
        self.assertEqual(len(tied), 2)
        with freeze_time("2027-06-15"):
            spans._queue(self.company)
        self.assertFalse(spans.search(domain))
        self.assertTrue(self.trust()["is_tied"])

    def test_the_nightly_check_ties_out_what_leaves_no_trace(self):
        self.calculate()
        self.assertTrue(self.trust()["is_tied"])
        self.env.cr.execute(
            """UPDATE customer_cost_allocation SET amount = amount + 1
                WHERE id = (SELECT max(id) FROM customer_cost_allocation WHERE company_id = %s)""",
            [self.company.id],
        )
        self.env.invalidate_all()
        self.assertTrue(self.trust()["is_tied"])
        with self.enter_registry_test_mode():
            self.env.ref("customer_cost.ir_cron_check").method_direct_trigger()
        self.env.invalidate_all()
        trust = self.trust()
        self.assertEqual((trust["is_tied"], trust["difference"]), (False, 1.0))

    def test_cost_of_sales_difference_is_told(self):
        goods = self.create_account("T51001", "Goods sold", "expense_direct_cost")
        self.create_bill([(goods, 77.0, {})], day="2025-06-02")
        frozen = self.trust()["gap"]
        self.create_bill([(goods, 23.0, {})], day="2025-06-03")
        self.assertAlmostEqual(self.trust()["gap"] - frozen, 23.0, 2)

    def test_changes_that_are_not_counted_yet_are_announced(self):
        self.assertEqual(self.overview()["pending"], 0)
        self.create_sale(self.customer_a, day="2025-05-12")
        overview = self.rpc(self.users["cost_user"], OVERVIEW, "get_overview", "rolling")
        self.assertGreater(overview["pending"], 0)
        self.assertEqual(self.overview()["pending"], 0)

    def test_an_empty_company_is_told_to_set_up(self):
        self.env["account.move"].search([("company_id", "=", self.company.id)]).button_draft()
        overview = self.overview()
        self.assertTrue(overview["is_empty"])
        self.assertTrue(overview["setup"]["is_needed"])
        self.assertEqual(overview["best"] + overview["worst"], [])

    def test_the_number_of_queries_does_not_grow_with_the_customers(self):
        self.sell_to(12)
        self.count_queries()
        few = self.count_queries()
        self.sell_to(15)
        self.assertEqual(self.count_queries(), few)

    def sell_to(self, count):
        customers = self.env["res.partner"].create(
            [{"name": f"Query {number:02}", "is_company": True} for number in range(count)]
        )
        for customer in customers:
            self.create_sale(customer, day="2025-05-12")

    def count_queries(self):
        self.env["customer.cost.balance"]._refresh()
        overview = self.env[OVERVIEW].with_user(self.users["cost_user"])
        overview.get_overview()
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        overview.get_overview()
        return self.env.cr.sql_log_count - before
