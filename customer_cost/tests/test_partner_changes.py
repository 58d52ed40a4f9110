from freezegun import freeze_time

from odoo.fields import Command
from odoo.tests import tagged

from .common import CustomerCostCommon


@tagged("post_install", "-at_install")
@freeze_time("2025-06-15")
class TestPartnerChanges(CustomerCostCommon):
    """Customers merge, move, become contacts or companies: every figure follows."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.plan = cls.env["account.analytic.plan"].create({"name": "Customers"})
        cls.company.customer_cost_plan_id = cls.plan
        cls.contact = cls.env["res.partner"].create({"name": "Ann", "parent_id": cls.customer_a.id})
        cls.other_contact = cls.env["res.partner"].create(
            {"name": "Bob", "parent_id": cls.customer_a.id}
        )
        cls.analytic = cls.env["account.analytic.account"].create(
            [
                {"name": partner.name, "plan_id": cls.plan.id, "partner_id": partner.id}
                for partner in (cls.customer_a, cls.contact, cls.customer_b)
            ]
        )

    def fill(self):
        """Sales and costs, direct and charged, of A (10 s), its contact Ann (100 s), B (1000 s)."""
        for partner, factor in ((self.customer_a, 1), (self.contact, 10), (self.customer_b, 100)):
            self.create_sale(partner, quantity=factor)
            self.create_sale(partner, quantity=factor, day="2025-04-10")
            self.create_bill(
                [(self.expense_account, 10 * factor, {"cost_customer_id": partner.id})]
            )
            self.create_cost(post=True, amount=2 * factor, customer_id=partner.id)
        account_a, account_ann, account_b = (str(account.id) for account in self.analytic)
        self.create_bill(
            [
                (
                    self.other_account,
                    100,
                    {"analytic_distribution": {account_a: 50, account_ann: 20, account_b: 30}},
                )
            ]
        )
        self.create_bill([(self.other_account, 90, {})])
        self.driver = self.create_driver({self.customer_a: 1, self.customer_b: 2})
        self.create_rule(self.driver, self.other_item)
        self.create_run(post=True)
        self.refresh_figures()

    def moves(self):
        return self.env["account.move"].search([("company_id", "=", self.company.id)])

    def figures(self, *partners):
        """Net sales, direct and charged cost as the report has them."""
        self.env.flush_all()
        self.env.invalidate_all()
        rows = self.env["customer.cost.profitability"]._read_group(
            [("customer_id", "in", [partner.id for partner in partners])],
            ["customer_id"],
            ["net_sales:sum", "direct_cost:sum", "allocated_cost:sum"],
        )
        found = {customer: tuple(values) for customer, *values in rows}
        return [found.get(partner) for partner in partners]

    def assertFollowed(self, **expected):
        """Report, list, ledger, balance and ranking agree, and capture has nothing to add."""
        customers = [getattr(self, name) for name in expected]
        self.assertEqual(self.figures(*customers), list(expected.values()))
        partners = self.env["res.partner"].with_user(self.users["manager"])
        for customer, values in zip(customers, expected.values(), strict=True):
            profit = 0.6 * values[0] - values[1] - values[2] if values else 0
            shown = partners.browse(customer.id).customer_cost_profit
            self.assertEqual(round(shown, 2), round(profit, 2), customer.name)
        self.assertEqual(self.env["customer.cost.capture"]._sync(self.moves().ids), 0)
        self.refresh_figures()
        self.assertStoredIsLive()
        ranked = self.env["customer.cost.summary"].search([("company_id", "=", self.company.id)])
        self.assertEqual(
            {row.customer_id: row.rolling_net_sales for row in ranked},
            {
                customer: values[0]
                for customer, values in zip(customers, expected.values(), strict=True)
                if values
            },
        )
        for customer, values in zip(customers, expected.values(), strict=True):
            lines = self.env["customer.cost.line"].search([("customer_id", "=", customer.id)])
            self.assertEqual(
                round(sum(lines.mapped("amount")), 2), round(values[1], 2) if values else 0
            )

    def test_before_any_change(self):
        self.fill()
        self.assertFollowed(customer_a=(2200, 202, 30), customer_b=(20000, 1230, 60), contact=None)

    # ------------------------------------------------------------
    # Merge
    # ------------------------------------------------------------

    def merge(self, *partners, into):
        self.env["base.partner.merge.automatic.wizard"]._merge(
            [partner.id for partner in (*partners, into)], into
        )

    def test_two_customers_are_merged(self):
        self.fill()
        self.merge(self.customer_a, into=self.customer_b)
        self.assertFalse(self.customer_a.exists())
        # at once, before any refresh
        self.assertStoredIsLive()
        self.assertFollowed(customer_b=(22200, 1432, 90))
        quantities = self.env["customer.cost.driver.value"].search(
            [("driver_id", "=", self.driver.id)]
        )
        self.assertEqual(quantities.customer_id, self.customer_b)
        self.assertEqual(sum(quantities.mapped("quantity")), 3)

    def test_a_contact_is_merged_into_the_contact_of_another_customer(self):
        mine, theirs = self.env["res.partner"].create(
            [
                {"name": "Contact of A", "parent_id": self.customer_a.id},
                {"name": "Contact of B", "parent_id": self.customer_b.id},
            ]
        )
        self.create_sale(mine, quantity=2)
        self.create_bill([(self.expense_account, 70.0, {"cost_customer_id": mine.id})])
        self.env["customer.cost.balance"]._refresh()
        self.merge(mine, into=theirs)
        self.env["customer.cost.balance"]._refresh()
        self.assertStoredIsLive()
        groups = self.env["customer.cost.profitability"]._read_group(
            [("company_id", "=", self.company.id)],
            ["customer_id"],
            ["net_sales:sum", "direct_cost:sum"],
        )
        self.assertEqual(groups, [(self.customer_b, 200.0, 70.0)])

    def test_a_customer_is_merged_into_the_contact_of_another(self):
        theirs = self.env["res.partner"].create(
            {"name": "Contact of B", "parent_id": self.customer_b.id}
        )
        self.create_sale(self.customer_a, quantity=2)
        self.create_bill([(self.expense_account, 70.0, {"cost_customer_id": self.customer_a.id})])
        self.create_cost(post=True, amount=5.0)
        self.env["customer.cost.balance"]._refresh()
        self.merge(self.customer_a, into=theirs)
        self.env["customer.cost.balance"]._refresh()
        self.assertStoredIsLive()
        groups = self.env["customer.cost.profitability"]._read_group(
            [("company_id", "=", self.company.id)],
            ["customer_id"],
            ["net_sales:sum", "direct_cost:sum"],
        )
        # the contact took over that it is a company
        self.assertEqual(theirs.commercial_partner_id, theirs)
        self.assertEqual(groups, [(theirs, 200.0, 75.0)])

    def test_merge_while_changes_are_pending(self):
        self.fill()
        self.create_sale(self.customer_a, day="2025-05-10")
        self.merge(self.customer_a, into=self.customer_b)
        self.assertFollowed(customer_b=(22300, 1432, 90))

    def test_merge_of_customers_with_fixed_percentages(self):
        rule = self.env["customer.cost.rule"].create(
            {
                "name": "Fixed",
                "company_id": self.company.id,
                "method": "fixed",
                "sender_item_ids": [Command.set(self.item.ids)],
                "fixed_ids": [
                    Command.create({"customer_id": customer.id, "percentage": share})
                    for customer, share in ((self.customer_a, 30), (self.customer_b, 20))
                ],
            }
        )
        self.merge(self.customer_a, into=self.customer_b)
        self.assertEqual(rule._get_fixed_percentages(), {self.customer_b.id: 50})

    # ------------------------------------------------------------
    # A customer becomes a contact, a contact a customer
    # ------------------------------------------------------------

    def test_a_company_becomes_a_contact_of_another(self):
        self.fill()
        self.customer_a.write({"is_company": False, "parent_id": self.customer_b.id})
        self.assertEqual(self.contact.commercial_partner_id, self.customer_b)
        # at once, before any refresh
        self.assertStoredIsLive()
        self.assertFollowed(customer_b=(22200, 1432, 90), customer_a=None, contact=None)

    def test_a_company_below_another_is_no_company_any_more(self):
        """Core leaves the entries with the old commercial partner; the figures follow."""
        self.customer_a.parent_id = self.customer_b
        self.fill()
        self.assertFollowed(customer_a=(2200, 202, 30), customer_b=(20000, 1230, 60))
        self.customer_a.is_company = False
        self.assertFollowed(customer_b=(22200, 1432, 90), customer_a=None)
        sale = self.moves().filtered(lambda move: move.partner_id == self.customer_a)[:1]
        self.assertEqual(sale.commercial_partner_id, self.customer_a)

    def test_a_contact_becomes_a_company(self):
        self.fill()
        self.contact.is_company = True
        self.assertFollowed(
            contact=(2000, 140, 0), customer_a=(200, 62, 30), customer_b=(20000, 1230, 60)
        )
        self.contact.is_company = False
        self.assertFollowed(customer_a=(2200, 202, 30), customer_b=(20000, 1230, 60), contact=None)

    def test_a_contact_leaves_its_company(self):
        self.fill()
        self.contact.parent_id = False
        self.assertFollowed(
            contact=(2000, 140, 0), customer_a=(200, 62, 30), customer_b=(20000, 1230, 60)
        )

    def test_a_contact_moves_to_another_company_and_back(self):
        self.fill()
        self.contact.parent_id = self.customer_b
        self.assertFollowed(customer_a=(200, 62, 30), customer_b=(22000, 1370, 60), contact=None)
        self.contact.parent_id = self.customer_a
        self.assertFollowed(customer_a=(2200, 202, 30), customer_b=(20000, 1230, 60), contact=None)

    def test_a_company_becomes_a_contact_and_a_company_again(self):
        """What names it comes back; what runs charged stays with the company it belonged to."""
        self.fill()
        self.customer_a.write({"is_company": False, "parent_id": self.customer_b.id})
        self.refresh_figures()
        self.customer_a.write({"is_company": True, "parent_id": False})
        self.assertFollowed(customer_a=(2200, 202, 0), customer_b=(20000, 1230, 90), contact=None)

    def test_what_does_not_change_the_customer_touches_nothing(self):
        self.fill()
        self.contact.parent_id = self.other_contact
        self.env.flush_all()
        self.env.cr.execute("SELECT count(*) FROM customer_cost_dirty")
        self.assertEqual(self.env.cr.fetchall(), [(0,)])

    def test_closed_months_follow_in_place(self):
        self.fill()
        lines = self.env["customer.cost.line"].search([("customer_id", "=", self.customer_a.id)])
        self.env["customer.cost.period"]._get(self.company, "2025-03-01").action_close()
        self.customer_a.write({"is_company": False, "parent_id": self.customer_b.id})
        self.assertEqual(set(lines.mapped("date")), set(lines.mapped("origin_date")))
        self.assertFollowed(customer_b=(22200, 1432, 90), customer_a=None)

    def test_next_run_charges_the_new_customer(self):
        self.fill()
        self.customer_a.write({"is_company": False, "parent_id": self.customer_b.id})
        self.create_bill([(self.other_account, 60, {})], "2025-04-10")
        self.driver.window = "year"
        run = self.create_run("2025-04-30")
        self.assertEqual(self.received(run), {self.customer_b: 60})

    def test_document_drivers_charge_the_new_customer(self):
        self.customer_a.parent_id = self.customer_b
        self.fill()
        self.customer_a.is_company = False
        driver = self.env.ref("customer_cost.driver_invoice_count")
        quantities = driver._get_quantities(self.company, self.moves()[:1].date)
        self.assertNotIn(self.customer_a.id, quantities)
        self.assertTrue(quantities[self.customer_b.id])

    def test_two_customers_of_one_shared_journal_item(self):
        """A captured cost of each on the same line becomes one."""
        account_a, _ann, account_b = (str(account.id) for account in self.analytic)
        self.create_bill(
            [
                (
                    self.other_account,
                    100,
                    {"analytic_distribution": {account_a: 50, account_b: 30}},
                )
            ]
        )
        self.refresh_figures()
        self.customer_a.write({"is_company": False, "parent_id": self.customer_b.id})
        self.assertFollowed(customer_b=(0, 80, 0))

    def test_the_change_is_on_the_chatter(self):
        self.fill()
        self.contact.parent_id = self.customer_b
        self.assertIn(
            "Its sales and costs count for Cost Customer B now.",
            " ".join(self.contact.message_ids.mapped("body")),
        )

    def test_a_user_who_sees_few_customers_moves_all_figures(self):
        self.fill()
        clerk = self.create_user("cost_clerk", "internal")
        clerk.group_ids |= self.env.ref("base.group_partner_manager")
        self.contact.with_user(clerk).write({"is_company": True})
        self.assertFollowed(
            contact=(2000, 140, 0), customer_a=(200, 62, 30), customer_b=(20000, 1230, 60)
        )

    # ------------------------------------------------------------
    # Archived, deleted
    # ------------------------------------------------------------

    def test_archived_customers_keep_every_figure(self):
        self.fill()
        self.customer_a.active = False
        self.assertFollowed(customer_a=(2200, 202, 30), customer_b=(20000, 1230, 60))

    def test_deleted_customers_leave_no_row(self):
        passing = self.env["res.partner"].create({"name": "Passing", "is_company": True})
        invoice = self.create_sale(passing)
        self.refresh_figures()
        self.assertTrue(
            self.env["customer.cost.summary"].search([("customer_id", "=", passing.id)])
        )
        invoice.button_draft()
        invoice.with_context(force_delete=True).unlink()
        passing.unlink()
        for model in ("customer.cost.balance", "customer.cost.summary"):
            self.env[model].invalidate_model()
            self.env[model].search([]).mapped("customer_id.name")
        self.refresh_figures()
        self.assertStoredIsLive()
