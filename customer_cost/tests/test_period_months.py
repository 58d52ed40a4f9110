from freezegun import freeze_time

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged

from .period_common import PeriodCommon


@tagged("post_install", "-at_install")
@freeze_time("2025-06-15")
class TestPeriodMonths(PeriodCommon):
    """Which months there are, whose fiscal year they belong to, and what locks them."""

    def months(self, company=None):
        periods = self.env["customer.cost.period"].search(
            [("company_id", "=", (company or self.company).id)], order="date_from"
        )
        return [str(first)[:7] for first in periods.mapped("date_from")]

    def open_periods(self, user="auditor"):
        user = self.users[user]
        env = self.env(user=user, context={"allowed_company_ids": user.company_ids.ids})
        return env["customer.cost.period"].action_open_periods()

    def test_months_from_the_first_invoice_to_this_month(self):
        self.create_sale(self.customer_a, day="2025-03-20")
        self.create_sale(self.customer_a, day="2025-05-20")
        action = self.open_periods()
        self.assertEqual(action["res_model"], "customer.cost.period")
        self.assertEqual(self.months(), ["2025-03", "2025-04", "2025-05", "2025-06"])
        before = self.env["customer.cost.period"].search([])
        self.open_periods()
        self.assertEqual(self.env["customer.cost.period"].search([]), before)

    def test_months_from_the_first_cost(self):
        self.create_sale(self.customer_a, day="2025-05-20")
        self.create_cost(date="2025-02-28", post=True)
        self.open_periods("accountant")
        self.assertEqual(self.months(), ["2025-02", "2025-03", "2025-04", "2025-05", "2025-06"])

    def test_no_month_before_anything_is_posted(self):
        self.create_sale(self.customer_a, day="2025-03-20", post=False)
        self.create_cost()
        self.open_periods()
        self.assertEqual(self.months(), [])

    def test_months_before_the_costs_are_captured(self):
        self.create_sale(self.customer_a, day="2025-02-20")
        self.company.sudo().customer_cost_start_date = "2025-05-10"
        self.open_periods()
        self.assertEqual(self.months(), [])
        self.create_sale(self.customer_a, day="2025-05-20")
        self.open_periods()
        self.assertEqual(self.months(), ["2025-05", "2025-06"])

    def test_month_of_the_future_is_not_made(self):
        self.create_sale(self.customer_a, day="2025-08-20")
        self.open_periods()
        self.assertEqual(self.months(), [])

    def test_companies_that_are_not_chosen_get_none(self):
        other = self.setup_other_company()["company"]
        self.create_sale(self.customer_a, day="2025-05-20")
        self.open_periods()
        self.assertEqual(self.months(other), [])

    def test_menu_opens_the_list(self):
        self.create_sale(self.customer_a, day="2025-05-20")
        action = self.env.ref("customer_cost.customer_cost_period_open_action")
        env = self.env(user=self.users["auditor"])
        opened = action.with_env(env).run()
        self.assertEqual(opened["xml_id"], "customer_cost.customer_cost_period_action")
        self.assertEqual(self.months(), ["2025-05", "2025-06"])

    def test_months_are_written_as_the_reader_writes_them(self):
        self.env["res.lang"]._activate_lang("zh_CN")
        period = self.period()
        self.assertEqual(period.name, "March 2025")
        self.assertEqual(period.with_context(lang="zh_CN").name, "2025年3月")

    # ------------------------------------------------------------
    # Fiscal years
    # ------------------------------------------------------------

    def fiscal_years(self):
        groups = self.env["customer.cost.period"]._read_group(
            [("company_id", "=", self.company.id)],
            ["fiscal_year"],
            ["date_from:min", "date_from:max"],
        )
        return {year: (str(first)[:7], str(last)[:7]) for year, first, last in groups}

    def test_calendar_year(self):
        self.env["customer.cost.period"]._make(
            self.company, self.period("2024-11-01").date_from, self.period("2025-02-01").date_from
        )
        self.assertEqual(
            self.fiscal_years(), {"2024": ("2024-11", "2024-12"), "2025": ("2025-01", "2025-02")}
        )

    def test_year_that_ends_in_march(self):
        self.company.write({"fiscalyear_last_month": "3", "fiscalyear_last_day": 31})
        self.create_sale(self.customer_a, day="2024-02-20")
        self.open_periods()
        self.assertEqual(
            self.fiscal_years(),
            {
                "2023/24": ("2024-02", "2024-03"),
                "2024/25": ("2024-04", "2025-03"),
                "2025/26": ("2025-04", "2025-06"),
            },
        )
        found = self.env["customer.cost.period"].search(
            [("company_id", "=", self.company.id), ("fiscal_year", "=", "2024/25")]
        )
        self.assertEqual(len(found), 12)

    def test_fiscal_year_that_changes(self):
        period = self.period("2025-02-10")
        self.assertEqual(period.fiscal_year, "2025")
        self.company.write({"fiscalyear_last_month": "3", "fiscalyear_last_day": 31})
        self.assertEqual(period.fiscal_year, "2024/25")

    def test_earlier_months_of_the_last_fiscal_year(self):
        self.company.write({"fiscalyear_last_month": "3", "fiscalyear_last_day": 31})
        self.create_direct_bill(day="2025-02-10")
        period = self.start("2025-04-10")
        check = self.check(period, "earlier_closed")
        self.assertEqual(check.finding, "Not closed: February 2025 – March 2025.")
        self.assertEqual(period.fiscal_year, "2025/26")

    def test_figures_of_a_year_that_ends_in_march(self):
        self.company.write({"fiscalyear_last_month": "3", "fiscalyear_last_day": 31})
        for day, amount in (("2024-03-31", 1.0), ("2024-04-01", 10.0), ("2025-03-31", 100.0)):
            self.create_direct_bill(amount, day=day)
        self.create_direct_bill(1000.0, day="2025-04-01")
        figures = self.env["customer.cost.figures"]._get_figures(self.customer_a)
        figures = figures[self.customer_a.id]
        self.assertEqual([r["label"] for r in figures["ranges"][:2]], ["2025/26", "2024/25"])
        direct = next(row for row in figures["rows"] if row["key"] == "direct_cost")
        self.assertEqual([abs(amount) for amount in direct["values"][:2]], [1000.0, 110.0])

    # ------------------------------------------------------------
    # Odoo's lock dates
    # ------------------------------------------------------------

    def test_lock_date_of_the_books_is_told(self):
        period = self.period()
        self.assertIn("Does not cover the month", period.lock_info)
        self.company.sudo().fiscalyear_lock_date = "2025-03-30"
        period.invalidate_recordset()
        self.assertIn("Does not cover the month", period.lock_info)
        self.company.sudo().fiscalyear_lock_date = "2025-03-31"
        period.invalidate_recordset()
        self.assertEqual(
            period.lock_info, "Covers the month: the books are locked up to 03/31/2025."
        )

    def test_closing_leaves_the_lock_dates_alone(self):
        self.close(self.period())
        self.assertFalse(self.company.fiscalyear_lock_date or self.company.hard_lock_date)
        self.assertEqual(self.create_direct_bill(5.0).state, "posted")

    def test_books_locked_before_approval(self):
        entry = self.create_cost(date="2025-03-31")
        entry.action_submit()
        self.company.sudo().fiscalyear_lock_date = "2025-03-31"
        with self.assertRefused("The books of company_1_data are locked up to 03/31/2025"):
            entry.with_user(self.users["reviewer"]).action_approve()
        self.assertEqual(entry.state, "submitted")

    def test_capture_enters_an_open_month_whose_books_are_locked(self):
        bill = self.create_direct_bill()
        self.run_sql(
            """DELETE FROM customer_cost_line WHERE entry_id IN (
                   SELECT id FROM customer_cost_entry WHERE source_move_id = %s)""",
            bill.id,
        )
        self.company.sudo().fiscalyear_lock_date = "2025-03-31"
        period = self.start()
        self.check(period, "captured").action_capture()
        self.assertEqual(sum(self.ledger(bill).values()), 100.0)

    # ------------------------------------------------------------
    # Branches
    # ------------------------------------------------------------

    def create_branch(self):
        branch = self.env["res.company"].create({"name": "Branch", "parent_id": self.company.id})
        self.env.user.company_ids |= branch
        self.env["account.journal"].create(
            {"name": "Branch", "code": "TBR", "type": "general", "company_id": branch.id}
        )
        return branch

    def post_in(self, branch, amount=12.0):
        env = self.env(context={"allowed_company_ids": [branch.id, self.company.id]})
        journal = env["account.journal"].search([("code", "=", "TBR")])
        move = env["account.move"].create(
            {
                "move_type": "entry",
                "journal_id": journal.id,
                "company_id": branch.id,
                "date": "2025-03-10",
                "line_ids": [
                    Command.create({"account_id": account.id, "balance": balance})
                    for account, balance in (
                        (self.expense_account, amount),
                        (self.unmapped_account, -amount),
                    )
                ],
            }
        )
        move.action_post()
        return move

    def test_checklist_of_the_company_covers_its_branches(self):
        branch = self.create_branch()
        self.post_in(branch)
        period = self.start()
        check = self.check(period, "run_posted")
        self.assertEqual((check.verdict, check.figure, check.places), ("failed", 12.0, "Branch"))
        self.assertCloseRefused(period, r"Run posted: .*12.00 is in no posted run. \(Branch\)")
        check.note = "Stays with the branch"
        check.with_user(self.users["manager"]).action_sign()
        self.close(period)
        self.assertEqual(set(period.closing_id.tie_out), {str(self.company.id), str(branch.id)})
        self.assertEqual(period.closing_id.line_amount, 12.0)

    def test_month_closed_with_the_company_above(self):
        branch = self.create_branch()
        period = self.period(company=branch)
        self.assertFalse(period.closed_above_id)
        self.close(self.period())
        period.invalidate_recordset()
        self.assertEqual(period.closed_above_id, self.company)
        for method in ("action_start_closing", "action_close"):
            with self.assertRaisesRegex(
                UserError, "March 2025 · Branch is closed already, with company_1_data"
            ):
                getattr(period, method)()
        self.post_in(branch)
        line = self.env["customer.cost.line"].search([("company_id", "=", branch.id)])
        self.assertEqual((str(line.date), str(line.origin_date)), ("2025-04-01", "2025-03-10"))
        self.assertEqual(self.period().late_out, 12.0)

    def test_earlier_months_of_company_and_branch(self):
        """A branch's months are closed by itself or with the company; the company covers them."""
        branch = self.create_branch()
        self.post_in(branch)
        own, above = (
            self.check(self.start("2025-04-10", self.env.user, company), "earlier_closed")
            for company in (branch, self.company)
        )
        self.assertEqual(own.finding, "Not closed: March 2025.")
        self.assertEqual(above.finding, "Not closed: March 2025. (Branch)")
        self.close_period(company=branch)
        (own | above).sudo()._refresh()
        self.assertEqual((own | above).mapped("verdict"), ["passed", "passed"])
        self.period(company=branch).sudo()._unguarded().state = "open"
        self.close_period()
        (own | above).sudo()._refresh()
        self.assertEqual((own | above).mapped("verdict"), ["passed", "passed"])

    def test_branch_closes_its_month_alone(self):
        branch = self.create_branch()
        manager = new_test_user(
            self.env,
            login="cost_branch_manager",
            groups="customer_cost.group_customer_cost_manager",
            company_id=branch.id,
            company_ids=[Command.set(branch.ids)],
        )
        period = self.period(company=branch, user=manager)
        period.action_close()
        self.assertEqual(period.state, "closed")
        self.assertEqual(self.period().state, "open")
        self.assertTrue(self.create_cost(post=True))
