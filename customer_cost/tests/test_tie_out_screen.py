import io
import re
from datetime import date

import openpyxl
from freezegun import freeze_time
from lxml import html

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from .test_tie_out_books import TieOutBooks
from .tie_out_common import FIRST, LAST, TieOutCommon

SEES = ("accountant", "manager", "auditor")
SEES_NOT = ("rep", "cost_user", "reviewer", "internal")


@tagged("post_install", "-at_install")
@freeze_time("2025-06-15")
class TestTieOutScreen(TieOutCommon):
    """Periods to choose from, and who may look."""

    def screen(self, *args, role="manager"):
        return self.rpc(self.users[role], "customer.cost.tie.out", "get_tie_out", *args)

    def get_range(self, *args):
        figures = self.screen(self.company.id, *args)["figures"]
        return figures["from"], figures["to"]

    def test_units_of_a_calendar_year(self):
        self.assertEqual(self.get_range(), ("2025-01-01", "2025-12-31"))
        self.assertEqual(self.get_range("year", "2024-02-29"), ("2024-01-01", "2024-12-31"))
        self.assertEqual(self.get_range("quarter", "2025-05-31"), ("2025-04-01", "2025-06-30"))
        self.assertEqual(self.get_range("month", "2024-02-10"), ("2024-02-01", "2024-02-29"))

    def test_units_of_another_fiscal_year(self):
        self.company.write({"fiscalyear_last_month": "3", "fiscalyear_last_day": 31})
        self.assertEqual(self.get_range(), ("2025-04-01", "2026-03-31"))
        self.assertEqual(self.get_range("year", "2025-03-31"), ("2024-04-01", "2025-03-31"))
        self.assertEqual(self.get_range("quarter", "2025-02-01"), ("2025-01-01", "2025-03-31"))
        self.assertEqual(self.get_range("month", "2025-03-31"), ("2025-03-01", "2025-03-31"))

    def test_neighbours_lead_from_period_to_period(self):
        for unit, before, after in (
            ("month", ("2025-05-01", "2025-05-31"), ("2025-07-01", "2025-07-31")),
            ("quarter", ("2025-01-01", "2025-03-31"), ("2025-07-01", "2025-09-30")),
            ("year", ("2024-01-01", "2024-12-31"), ("2026-01-01", "2026-12-31")),
        ):
            screen = self.screen(self.company.id, unit)
            self.assertEqual(self.get_range(unit, screen["previous"]), before)
            self.assertEqual(self.get_range(unit, screen["next"]), after)

    def test_labels(self):
        for unit, label in (
            ("month", "June 2025"),
            ("quarter", "Apr 2025 – Jun 2025"),
            ("year", "2025"),
        ):
            self.assertEqual(self.screen(self.company.id, unit)["label"], label)

    def test_days_that_are_none(self):
        with self.assertRefused("Dates are written like", UserError):
            self.screen(self.company.id, "month", "someday")
        for days, message in (
            (("2025-12-31", "2025-01-01"), "comes after the last one"),
            (("2025-01-01", False), "Dates are written like"),
        ):
            with self.assertRefused(message, UserError):
                self.rpc(
                    self.users["manager"],
                    "customer.cost.tie.out",
                    "open_records",
                    self.company.id,
                    *days,
                    ["captured", "own"],
                )

    def test_unknown_unit(self):
        with self.assertRefused("a quarter or a year instead of week", UserError):
            self.screen(self.company.id, "week")

    def test_who_may_look(self):
        for role in SEES:
            self.assertTrue(self.screen(role=role)["figures"]["is_tied"], role)
        for role in SEES_NOT:
            for method, args in (
                ("get_tie_out", []),
                (
                    "open_records",
                    [self.company.id, "2025-01-01", "2025-12-31", ["captured", "own"]],
                ),
            ):
                with self.subTest(role=role, method=method):
                    with self.assertRefused("Only cost accountants", AccessError):
                        self.rpc(self.users[role], "customer.cost.tie.out", method, *args)

    def test_other_companies_stay_closed(self):
        other = self.setup_other_company(name="Hidden Company")["company"]
        with self.assertRefused("Choose the company", AccessError):
            self.screen(other.id)
        with self.assertRefused("Choose the company", AccessError):
            self.rpc(
                self.users["manager"],
                "customer.cost.tie.out",
                "open_records",
                other.id,
                "2025-01-01",
                "2025-12-31",
                ["captured", "own"],
            )
        self.users["manager"].company_ids = [Command.link(other.id)]
        manager = self.users["manager"]
        chosen = {"allowed_company_ids": self.company.ids}
        with self.assertRefused("Choose the company", AccessError):
            self.rpc(manager, "customer.cost.tie.out", "get_tie_out", other.id, context=chosen)
        both = {"allowed_company_ids": (self.company | other).ids}
        screen = self.rpc(manager, "customer.cost.tie.out", "get_tie_out", other.id, context=both)
        self.assertEqual(screen["figures"]["company_id"], other.id)
        self.assertEqual(len(screen["companies"]), 2)

    def test_figures_cannot_be_had_by_rpc_without_the_checks(self):
        with self.assertRaisesRegex(AccessError, "Private methods"):
            self.rpc(self.users["internal"], "customer.cost.tie.out", "_get_figures")

    @mute_logger("odoo.addons.base.models.ir_actions_report")
    def test_report_checks_the_role_itself(self):
        values = self.env["report.customer_cost.report_tie_out"].with_user(self.users["internal"])
        with self.assertRefused("Only cost accountants", AccessError):
            values._get_report_values(self.company.ids, {"from": "2025-01-01", "to": "2025-12-31"})


@tagged("post_install", "-at_install")
@freeze_time("2026-02-15")
class TestTieOutPrint(TieOutBooks, HttpCase):
    """PDF and workbook hold the figures of the screen."""

    def read_workbook(self, figures):
        content = self.env["customer.cost.tie.out"]._get_xlsx(figures)
        return openpyxl.load_workbook(io.BytesIO(content))

    def test_workbook_has_every_figure_as_a_number(self):
        figures = self.tie_out()
        book = self.read_workbook(figures)
        self.assertEqual(
            book.sheetnames,
            ["Tie-out", "Accounts", *(section["title"] for section in figures["sections"])],
        )
        sheet = book["Accounts"]
        self.assertEqual(sheet.freeze_panes, "C2")
        rows = list(sheet.iter_rows(min_row=2, values_only=True))
        self.assertEqual(len(rows), len(figures["accounts"]) + 1)
        for got, row in zip(rows, figures["accounts"], strict=False):
            self.assertEqual(got[:2], (row["code"], row["name"]))
            self.assertEqual(got[3], row["balance"])
            self.assertEqual(got[6], row["captured"])
            self.assertEqual(got[9], 0)
        self.assertEqual(rows[-1][3], figures["totals"]["balance"])
        for section in figures["sections"]:
            sheet = book[section["title"]]
            self.assertEqual(sheet.freeze_panes, "A2")
            cells = [
                (row[0], row[1])
                for row in sheet.iter_rows(min_row=2, values_only=True)
                if row[0] is not None
            ]
            for side in section["sides"]:
                for row in side["rows"]:
                    self.assertIn((row["label"], row["amount"]), cells)
                self.assertIn((side["label"], side["total"]), cells)
            self.assertEqual(cells[-1], ("Difference", 0))

    def test_workbook_names_what_differs(self):
        line = self.env["customer.cost.line"].search(
            [("entry_id.source_account_id", "=", self.expense_account.id)], limit=1
        )
        self.env.cr.execute(
            "UPDATE customer_cost_line SET amount = amount + 1 WHERE id = %s", [line.id]
        )
        self.env.invalidate_all()
        figures = self.tie_out()
        rows = list(
            self.read_workbook(figures)["Differences"].iter_rows(min_row=2, values_only=True)
        )
        self.assertEqual(len(rows), len(figures["findings"]))
        self.assertIn(self.expense_account.name, rows[0][0])
        self.assertEqual(rows[0][3], 1.0)

    def test_printed_page_has_every_figure(self):
        figures = self.tie_out()
        content, kind = self.env["ir.actions.report"]._render_qweb_html(
            "customer_cost.report_tie_out",
            self.company.ids,
            {"from": FIRST.isoformat(), "to": LAST.isoformat()},
        )
        self.assertEqual(kind, "html")
        page = html.fromstring(content)
        text = re.sub(r"\s+", " ", page.text_content())
        self.assertIn("Tied out: every profit-and-loss account", text)
        (table,) = page.xpath("//table[contains(@class, 'o_customer_cost_tie_out_accounts')]")
        rows = table.xpath(".//tbody/tr")
        self.assertEqual(len(rows), len(figures["accounts"]) + 1)
        for got, row in zip(rows, figures["accounts"], strict=False):
            cells = [cell.text_content().strip() for cell in got.xpath("td")]
            self.assertIn(row["name"], cells[0])
            self.assertEqual(cells[1], f"{row['balance']:,.2f}")
            self.assertEqual(cells[-1], "0.00")
        for section in figures["sections"]:
            (block,) = page.xpath(f"//div[contains(@class, 'tie_out_{section['key']}')]")
            for side in section["sides"]:
                for row in (row for row in side["rows"] if row["amount"]):
                    self.assertIn(row["label"], block.text_content())
                    self.assertIn(f"{row['amount']:,.2f}", block.text_content())

    def test_printed_without_days_it_is_the_fiscal_year(self):
        self.company.write({"fiscalyear_last_month": "3", "fiscalyear_last_day": 31})
        values = self.env["report.customer_cost.report_tie_out"]._get_report_values(
            self.company.ids
        )
        (figures,) = values["tie_outs"]
        self.assertEqual((figures["from"], figures["to"]), ("2025-04-01", "2026-03-31"))

    def test_downloads(self):
        self.authenticate("cost_auditor", "cost_auditor")
        path = f"/customer_cost/tie_out/{self.company.id}/2025-01-01/2025-12-31"
        answer = self.url_open(f"{path}/xlsx")
        self.assertEqual(answer.status_code, 200)
        self.assertIn("2025-01_2025-12.xlsx", answer.headers["Content-Disposition"])
        self.assertIn("company_1_data", answer.headers["Content-Disposition"])
        book = openpyxl.load_workbook(io.BytesIO(answer.content))
        self.assertEqual(book["Accounts"]["A1"].value, "Code")
        answer = self.url_open(f"{path}/pdf")
        self.assertEqual(answer.status_code, 200)
        self.assertIn("2025-01_2025-12.pdf", answer.headers["Content-Disposition"])

    @mute_logger("odoo.http")
    def test_downloads_are_refused_to_others(self):
        path = f"/customer_cost/tie_out/{self.company.id}/2025-01-01/2025-12-31"
        self.authenticate("cost_internal", "cost_internal")
        for kind in ("xlsx", "pdf"):
            answer = self.url_open(f"{path}/{kind}")
            self.assertEqual(answer.status_code, 403)

    @mute_logger("odoo.http", "odoo.addons.base.models.ir_actions_report")
    def test_downloads_of_no_range_are_refused(self):
        self.authenticate("cost_auditor", "cost_auditor")
        company_id = self.company.id
        hidden = self.setup_other_company(name="Hidden Company")["company"]
        gone = self.env["res.company"].search([], order="id desc", limit=1).id + 1
        for path, message in (
            (f"{company_id}/2025-01-01/someday", "Dates are written like"),
            (f"{company_id}/2025-02-30/2025-12-31", "Dates are written like"),
            (f"{company_id}/2025-12-31/2025-01-01", "12/31/2025, comes after the last one, 01/01"),
            (f"{gone}/2025-01-01/2025-12-31", "Choose the company"),
            (f"{hidden.id}/2025-01-01/2025-12-31", "Choose the company"),
        ):
            for kind in ("xlsx", "pdf"):
                with self.subTest(path, kind=kind):
                    answer = self.url_open(f"/customer_cost/tie_out/{path}/{kind}")
                    self.assertGreaterEqual(answer.status_code, 400)
                    self.assertIn(message, answer.text)

    def test_printing_of_no_range_is_refused(self):
        report = self.env["report.customer_cost.report_tie_out"]
        for first, last in (("2025-12-31", "2025-01-01"), ("2025-01-01", "someday")):
            with self.assertRaises(UserError):
                report._get_report_values(self.company.ids, {"from": first, "to": last})


@tagged("post_install", "-at_install")
class TestTieOutYears(TieOutCommon):
    def test_quarter_of_a_year_that_ends_within_a_month(self):
        self.company.write({"fiscalyear_last_month": "4", "fiscalyear_last_day": 5})
        tie_out = self.env["customer.cost.tie.out"]
        first, last = tie_out._get_unit_range(self.company, "year", date(2025, 6, 1))
        self.assertEqual((first, last), (date(2025, 4, 1), date(2026, 4, 30)))
        for day in (date(2025, 4, 10), date(2025, 12, 31), date(2026, 4, 2)):
            first, last = tie_out._get_unit_range(self.company, "quarter", day)
            self.assertTrue(first <= day <= last)
