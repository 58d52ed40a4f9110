from freezegun import freeze_time

from odoo import Command
from odoo.tests import tagged

from .tie_out_common import TieOutCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-02-15")
class TestTieOutCompanies(TieOutCommon):
    """Each company, and each branch, ties out by itself."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other_data = cls.setup_other_company(
            name="Yen Company", currency_id=cls.env.ref("base.JPY").id
        )
        cls.other = cls.other_data["company"]
        cls.branch = cls.env["res.company"].create(
            {"name": "Branch", "parent_id": cls.company.id, "country_id": cls.company.country_id.id}
        )
        cls.env.user.company_ids |= cls.other | cls.branch
        (cls.customer_a | cls.vendor).with_company(cls.branch).write(
            {
                "property_account_receivable_id": cls.company_data["default_account_receivable"].id,
                "property_account_payable_id": cls.company_data["default_account_payable"].id,
            }
        )
        cls.create_books(cls.company, 1.0)
        cls.create_books(cls.branch, 10.0)
        cls.create_books(cls.other, 100.0)

    @classmethod
    def create_books(cls, company, factor):
        """A sale, a direct, an indirect and an unmapped cost, in round amounts of the company."""
        here = cls.env["account.move"].with_context(allowed_company_ids=company.ids)
        if company == cls.other:
            accounts = cls.create_other_accounts()
            sales = cls.other_data["default_account_revenue"]
        else:
            accounts = cls.expense_account, cls.other_account, cls.unmapped_account
            sales = cls.company_data["default_account_revenue"]

        def create(move_type, partner, *lines):
            here.create(
                {
                    "move_type": move_type,
                    "company_id": company.id,
                    "partner_id": partner.id,
                    "invoice_date": "2025-03-10",
                    "date": "2025-03-10",
                    "invoice_line_ids": [
                        Command.create(
                            {
                                "name": "Line",
                                "price_unit": amount * factor,
                                "account_id": account.id,
                                "tax_ids": [Command.clear()],
                                **extra,
                            }
                        )
                        for account, amount, extra in lines
                    ],
                }
            ).action_post()

        create("out_invoice", cls.customer_a, (sales, 1000.0, {}))
        create(
            "in_invoice",
            cls.vendor,
            (accounts[0], 100.0, {"cost_customer_id": cls.customer_a.id}),
            (accounts[1], 50.0, {}),
            (accounts[2], 7.0, {}),
        )

    @classmethod
    def create_other_accounts(cls):
        accounts = (
            cls.env["account.account"]
            .with_company(cls.other)
            .create(
                [
                    {
                        "code": f"T6900{place}",
                        "name": f"Cost {place}",
                        "account_type": "expense",
                        "company_ids": [Command.set(cls.other.ids)],
                    }
                    for place in range(3)
                ]
            )
        )
        for account in accounts[:2]:
            cls.map_account(account, cls.item, company_id=cls.other.id)
        return tuple(accounts)

    def test_each_company_by_itself(self):
        for company, factor in ((self.company, 1.0), (self.branch, 10.0), (self.other, 100.0)):
            with self.subTest(company.name):
                figures = self.tie_out(company=company)
                self.assertTied(figures)
                totals = figures["totals"]
                self.assertEqual(totals["sales"], 1000.0 * factor)
                self.assertEqual(totals["captured"], -150.0 * factor)
                self.assertEqual(totals["left_out"], -7.0 * factor)
                pools = self.section(figures, "pools")
                self.assertEqual(pools["without_run"], 50.0 * factor)
                codes = [row["code"] for row in figures["accounts"]]
                self.assertTrue(all(codes), codes)

    def test_currency_without_decimals(self):
        figures = self.tie_out(company=self.other)
        self.assertEqual((figures["digits"], figures["currency"]), (0, "JPY"))
        self.assertEqual(figures["totals"]["balance"], 84300.0)

    def test_difference_in_one_company_is_none_of_the_other(self):
        self.env.cr.execute(
            "UPDATE customer_cost_line SET amount = amount + 1 WHERE company_id = %s",
            [self.other.id],
        )
        self.env.invalidate_all()
        self.assertFalse(self.tie_out(company=self.other)["is_tied"])
        self.assertTied(self.tie_out())
        self.assertTied(self.tie_out(company=self.branch))

    def test_run_of_a_branch(self):
        driver = self.create_driver({self.customer_a: 1})
        driver.value_ids.copy({"company_id": self.branch.id})
        self.create_rule(driver, self.other_item)
        for company in (self.company, self.branch):
            run = self.env["customer.cost.run"].create(
                {"company_id": company.id, "date": "2025-03-31"}
            )
            run.action_compute()
            run.action_post()
            figures = self.tie_out(company=company)
            self.assertTied(figures)
            self.assertEqual(
                self.section(figures, "pools")["allocated"], run.received_total, company.name
            )
            self.assertTrue(run.received_total)

    def test_number_of_queries_does_not_depend_on_the_books(self):
        def count():
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.tie_out()
            return self.env.cr.sql_log_count - before

        count()
        small = count()
        self.create_rule(self.create_driver({self.customer_a: 1}), self.other_item)
        for day in ("2025-01-05", "2025-02-05", "2025-04-05", "2025-05-05"):
            for customer in (self.customer_a, self.customer_b, self.customer_c):
                self.create_sale(customer, day=day)
                self.create_bill([(self.expense_account, 9.0, {})], day=day)
            self.create_bill([(self.other_account, 9.0, {})], day=day)
            self.create_run(day=day, post=True)
        self.assertEqual(count(), small)
