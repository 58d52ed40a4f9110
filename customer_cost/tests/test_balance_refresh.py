import random
from datetime import date

from freezegun import freeze_time

from odoo.fields import Command
from odoo.tests import tagged

from .common import CustomerCostCommon

DAYS = ("2024-12-30", "2025-01-15", "2025-03-10", "2025-03-31", "2025-05-01")
ACTS_PER_WALK = 40
MARCH, APRIL = date(2025, 3, 1), date(2025, 4, 1)


@tagged("post_install", "-at_install")
@freeze_time("2025-06-15")
class TestBalanceRefresh(CustomerCostCommon):
    """The stored balance is refreshed for what changed, and for nothing else."""

    def setUp(self):
        super().setUp()
        self.balance = self.env["customer.cost.balance"]
        self.refresh_figures()

    def marks(self):
        """What waits: (month, customer ids), ``None`` for all customers."""
        self.env.flush_all()
        self.env.cr.execute(
            "SELECT month, customer_ids FROM customer_cost_dirty WHERE company_id = %s ORDER BY id",
            (self.company.id,),
        )
        return [(month, ids and sorted(ids)) for month, ids in self.env.cr.fetchall()]

    def assertMarked(self, *expected):
        self.assertEqual(
            [(month, ids) for month, ids in self.marks() if month],
            [(month, ids if ids is None else sorted(ids)) for month, ids in expected],
        )
        self.refresh_figures()
        self.assertFalse(self.marks())
        self.assertStoredIsLive()

    def row(self, customer, month=MARCH):
        return self.balance.search(
            [
                ("customer_id", "=", customer.id),
                ("month", "=", month),
                ("company_id", "=", self.company.id),
            ]
        )

    # ------------------------------------------------------------
    # What leaves a mark, and that its figures follow
    # ------------------------------------------------------------

    def test_posted_invoice(self):
        invoice = self.create_sale(self.customer_a)
        self.assertMarked((MARCH, self.customer_a.ids))
        row = self.row(self.customer_a)
        self.assertEqual((row.net_sales, row.product_cost, row.gross_sales), (100, 40, 100))
        invoice.button_draft()
        self.assertMarked((MARCH, self.customer_a.ids))
        self.assertFalse(self.row(self.customer_a))

    def test_invoice_of_a_contact_counts_for_the_company(self):
        contact = self.env["res.partner"].create({"name": "Ann", "parent_id": self.customer_a.id})
        self.create_sale(contact)
        self.assertMarked((MARCH, self.customer_a.ids))

    def test_several_invoices_at_once_leave_one_mark_a_month(self):
        invoices = self.create_sale(self.customer_a, post=False)
        invoices += self.create_sale(self.customer_b, post=False)
        invoices += self.create_sale(self.customer_c, day="2025-04-10", post=False)
        invoices.action_post()
        self.assertMarked(
            (MARCH, (self.customer_a | self.customer_b).ids), (APRIL, self.customer_c.ids)
        )

    def test_date_of_a_posted_invoice(self):
        invoice = self.create_sale(self.customer_a)
        self.refresh_figures()
        invoice.with_context(skip_readonly_check=True).date = "2025-04-10"
        self.assertEqual({month for month, _ids in self.marks()}, {MARCH, APRIL})
        self.refresh_figures()
        self.assertStoredIsLive()
        self.assertFalse(self.row(self.customer_a))
        self.assertEqual(self.row(self.customer_a, APRIL).net_sales, 100)

    def test_customer_of_a_posted_invoice(self):
        invoice = self.create_sale(self.customer_a)
        self.refresh_figures()
        invoice.with_context(skip_readonly_check=True).partner_id = self.customer_b
        self.refresh_figures()
        self.assertStoredIsLive()
        self.assertFalse(self.row(self.customer_a))
        self.assertEqual(self.row(self.customer_b).net_sales, 100)

    def test_deleted_invoice(self):
        invoice = self.create_sale(self.customer_a)
        self.refresh_figures()
        invoice.with_context(force_delete=True).unlink()
        self.refresh_figures()
        self.assertStoredIsLive()
        self.assertFalse(self.row(self.customer_a))

    def test_captured_cost(self):
        self.create_bill(
            [
                (self.expense_account, 10, {"cost_customer_id": self.customer_a.id}),
                (self.expense_account, 20, {"cost_customer_id": self.customer_b.id}),
                (self.other_account, 40, {}),
            ]
        )
        self.assertMarked((MARCH, (self.customer_a | self.customer_b).ids))
        self.assertEqual(self.row(self.customer_b).direct_cost, 20)

    def test_pool_cost_concerns_no_customer(self):
        self.create_bill([(self.other_account, 40, {})])
        self.assertMarked((MARCH, []))
        rows = self.env["customer.cost.item.month"].search([("item_id", "=", self.other_item.id)])
        self.assertEqual(
            [(row.month, row.layer, row.amount, row.line_count) for row in rows],
            [(MARCH, "pool", 40, 1)],
        )

    def test_bill_of_nothing_mapped_leaves_none(self):
        self.create_bill([(self.unmapped_account, 40, {})])
        self.assertMarked()

    def test_approved_cost_and_its_reversal(self):
        entry = self.create_cost()
        entry.action_submit()
        self.assertMarked()
        entry.with_user(self.users["reviewer"]).action_approve()
        self.assertMarked((MARCH, self.customer_a.ids))
        row = self.row(self.customer_a)
        self.assertEqual((row.direct_cost, row.statistical_cost), (100, 100))
        reversal = self.env["customer.cost.entry"].browse(entry.action_reverse()["res_id"])
        reversal.with_user(self.users["accountant"]).action_submit()
        reversal.with_user(self.create_user("another_reviewer", "reviewer")).action_approve()
        self.assertMarked((MARCH, self.customer_a.ids))
        self.assertEqual(self.row(self.customer_a).direct_cost, 0)

    def test_posted_superseded_and_reversed_run(self):
        self.create_bill([(self.expense_account, 90, {})])
        driver = self.create_driver({self.customer_a: 1, self.customer_b: 2})
        rule = self.create_rule(driver)
        self.refresh_figures()
        first = self.create_run()
        self.assertMarked()
        first.action_post()
        self.assertMarked((MARCH, None))
        self.assertEqual(self.row(self.customer_b).allocated_cost, 60)
        rule.share_pct = 50
        second = self.create_run(post=True)
        self.assertEqual(first.state, "superseded")
        self.assertMarked((MARCH, None), (MARCH, None))
        self.assertEqual(self.row(self.customer_b).allocated_cost, 30)
        second.action_reverse()
        self.assertMarked((MARCH, None))
        self.assertFalse(self.row(self.customer_b))

    def test_posting_a_run_wakes_the_refresh(self):
        self.create_bill([(self.expense_account, 90, {})])
        self.create_rule(self.create_driver({self.customer_a: 1}))
        run = self.create_run()
        cron = self.env.ref("customer_cost.ir_cron_refresh")
        triggers = self.env["ir.cron.trigger"].search_count([("cron_id", "=", cron.id)])
        run.action_post()
        self.assertEqual(
            self.env["ir.cron.trigger"].search_count([("cron_id", "=", cron.id)]), triggers + 1
        )

    def test_level_of_an_item(self):
        self.create_bill([(self.expense_account, 10, {"cost_customer_id": self.customer_a.id})])
        self.refresh_figures()
        self.assertEqual(self.row(self.customer_a).sustaining_cost, 10)
        self.item.name = "Renamed"
        self.assertMarked()
        self.item.level = "batch"
        self.assertMarked((MARCH, None))
        row = self.row(self.customer_a)
        self.assertEqual((row.activity_cost, row.sustaining_cost), (10, 0))

    def test_what_is_rolled_back_leaves_no_mark(self):
        with self.assertRaises(ZeroDivisionError), self.env.cr.savepoint():
            self.create_sale(self.customer_a)
            raise ZeroDivisionError
        self.assertMarked()

    # ------------------------------------------------------------
    # Nothing else is touched
    # ------------------------------------------------------------

    def test_only_marked_customers_and_months_are_recomputed(self):
        for customer in (self.customer_a, self.customer_b):
            for day in ("2025-03-10", "2025-04-10"):
                self.create_sale(customer, day=day)
        self.refresh_figures()
        self.env.cr.execute(
            "UPDATE customer_cost_balance SET net_sales = 5 WHERE company_id = %s",
            (self.company.id,),
        )
        self.env.invalidate_all()
        self.env["customer.cost.dirty"]._mark(self.company.id, [MARCH], self.customer_a.ids)
        self.refresh_figures()
        self.assertEqual(
            [
                self.row(customer, month).net_sales
                for customer in (self.customer_a, self.customer_b)
                for month in (MARCH, APRIL)
            ],
            [100, 5, 5, 5],
        )
        self.env["customer.cost.dirty"]._mark(self.company.id, [APRIL])
        self.refresh_figures()
        self.assertEqual(self.row(self.customer_b, APRIL).net_sales, 100)
        self.assertEqual(self.row(self.customer_b).net_sales, 5)

    def test_rows_that_are_right_are_not_rewritten(self):
        for customer in (self.customer_a, self.customer_b):
            self.create_sale(customer)
        self.refresh_figures()

        def versions():
            self.env.cr.execute(
                "SELECT customer_id, ctid::text FROM customer_cost_balance WHERE company_id = %s",
                (self.company.id,),
            )
            return dict(self.env.cr.fetchall())

        before = versions()
        self.create_sale(self.customer_a)
        self.env["customer.cost.dirty"]._mark(self.company.id, [MARCH])
        self.refresh_figures()
        after = versions()
        self.assertNotEqual(after[self.customer_a.id], before[self.customer_a.id])
        self.assertEqual(after[self.customer_b.id], before[self.customer_b.id])

    def test_refresh_without_marks_asks_two_questions(self):
        self.env.flush_all()
        with self.assertQueryCount(3):
            self.balance._refresh()

    def test_number_of_queries_does_not_depend_on_the_number_of_customers(self):
        customers = self.env["res.partner"].create(
            [{"name": f"Many {number}", "is_company": True} for number in range(30)]
        )

        def count(partners):
            self.create_bill(
                [
                    (self.expense_account, 10, {"cost_customer_id": partner.id})
                    for partner in partners
                ]
            )
            self.env.flush_all()
            before = self.env.cr.sql_log_count
            self.balance._refresh()
            return self.env.cr.sql_log_count - before

        self.assertEqual(count(customers[:1]), count(customers))

    # ------------------------------------------------------------
    # The scheduled action
    # ------------------------------------------------------------

    def test_scheduled_action_works_off_everything(self):
        for day in DAYS:
            self.create_sale(self.customer_a, day=day)
        with self.enter_registry_test_mode():
            self.env.ref("customer_cost.ir_cron_refresh").method_direct_trigger()
        self.assertFalse(self.marks())
        self.assertStoredIsLive()
        summary = self.env["customer.cost.summary"].search(
            [("customer_id", "=", self.customer_a.id)]
        )
        self.assertEqual(summary.rolling_net_sales, 500)

    def test_everything_of_an_empty_balance_is_marked_at_install_and_update(self):
        self.create_sale(self.customer_a)
        self.create_bill([(self.other_account, 40, {})], "2025-04-10")
        self.refresh_figures()
        self.balance._start()
        self.assertFalse(self.marks())
        self.env.cr.execute("DELETE FROM customer_cost_balance")
        self.env.invalidate_all()
        self.balance._start()
        self.assertEqual(sorted(self.marks()), [(MARCH, None), (APRIL, None)])
        self.refresh_figures()
        self.assertStoredIsLive()

    # ------------------------------------------------------------
    # Whatever happens
    # ------------------------------------------------------------

    def random_document(self, rng):
        customers = self.customer_a + self.customer_b + self.customer_c
        kind = rng.choice(("sale", "refund", "bill", "entry", "cost"))
        day, amount = rng.choice(DAYS), rng.randint(1, 99999) / 100
        if kind in ("sale", "refund"):
            return self.create_sale(
                rng.choice(customers),
                price=amount,
                quantity=rng.randint(1, 3),
                day=day,
                product=rng.choice(self.products),
                move_type="out_invoice" if kind == "sale" else "out_refund",
                post=rng.random() < 0.8,
            )
        lines = [
            (
                rng.choice(self.expense_account + self.other_account + self.unmapped_account),
                rng.randint(-9999, 99999) / 100 or 1.0,
                {"cost_customer_id": rng.choice(customers + self.env["res.partner"]).id},
            )
            for _line in range(rng.randint(1, 3))
        ]
        if kind == "bill":
            lines = [(account, abs(amount), extra) for account, amount, extra in lines]
            return self.create_bill(lines, day)
        if kind == "entry":
            return self.create_entry_move(lines, day)
        self.create_cost(post=True, date=day, amount=amount, customer_id=rng.choice(customers).id)
        return self.env["account.move"]

    def act(self, rng, moves):
        move = rng.choice(moves)
        kind = rng.choice(("post", "draft", "cancel", "reverse", "customer", "run", "unrun", "new"))
        if kind == "post" and move.state == "draft":
            move.action_post()
        elif kind == "draft" and move.state != "draft":
            move.button_draft()
        elif kind == "cancel" and move.state == "draft":
            move.button_cancel()
        elif kind == "reverse" and move.state == "posted":
            day = rng.choice(DAYS)
            reversal = move._reverse_moves([{"date": day, "invoice_date": day}])
            reversal.action_post()
            return reversal
        elif kind == "customer" and move.state == "posted":
            lines = move.line_ids.filtered(lambda line: line.account_id.account_type == "expense")
            lines[:1].cost_customer_id = rng.choice(self.customer_a + self.customer_b)
        elif kind == "run":
            run = self.create_run(rng.choice(DAYS))
            posted = self.env["customer.cost.run"].search(
                [("period_id", "=", run.period_id.id), ("state", "=", "posted")]
            )
            if posted.signature != run.signature:
                run.action_post()
        elif kind == "unrun":
            posted = self.env["customer.cost.run"].search(
                [("company_id", "=", self.company.id), ("state", "=", "posted")]
            )
            if posted:
                rng.choice(posted).action_reverse()
        elif kind == "new":
            return self.random_document(rng)
        return self.env["account.move"]

    def walk(self, seed):
        rng = random.Random(seed)
        self.products = self.product + self.product.copy({"standard_price": 0.0})
        driver = self.env.ref("customer_cost.driver_net_revenue").copy(
            {"code": "T-WALK", "policy": "zero"}
        )
        self.create_rule(driver, self.item | self.other_item)
        moves = self.env["account.move"]
        for _document in range(6):
            moves += self.random_document(rng)
        for step in range(ACTS_PER_WALK):
            moves += self.act(rng, moves)
            if rng.random() < 0.3:
                self.refresh_figures()
                self.assertStoredIsLive(f"seed {seed}, step {step}")
        self.refresh_figures()
        self.assertStoredIsLive(f"seed {seed}, end")
        self.assertTrue(self.balance.search_count([("company_id", "=", self.company.id)], limit=1))

    def test_walk_1(self):
        self.walk(7)

    def test_walk_2(self):
        self.walk(70)

    def test_walk_3(self):
        self.walk(700)

    # ------------------------------------------------------------
    # Companies
    # ------------------------------------------------------------

    def test_shared_customer_has_a_row_per_company(self):
        other = self.setup_other_company()["company"]
        self.create_sale(self.customer_a)
        journal = self.env["account.journal"].search(
            [("company_id", "=", other.id), ("type", "=", "sale")], limit=1
        )
        invoice = (
            self.env["account.move"]
            .with_company(other)
            .create(
                {
                    "move_type": "out_invoice",
                    "journal_id": journal.id,
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
        self.assertStoredIsLive()
        rows = self.balance.search([("customer_id", "=", self.customer_a.id)])
        self.assertEqual(
            {row.company_id: row.net_sales for row in rows}, {self.company: 100, other: 7}
        )
