from odoo.tests import tagged

from .test_term import TermCommon


@tagged("post_install", "-at_install")
class TestTermRun(TermCommon):
    """Contract terms through rules and runs; each customer counts the same by the driver."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.book(600, cls.expense_account)
        cls.book(300, cls.other_account)

    @classmethod
    def book(cls, amount, account, day="2025-03-10"):
        move_type = "in_invoice" if amount > 0 else "in_refund"
        return cls.create_bill([(account, abs(amount), {})], day=day, move_type=move_type)

    def assertCharged(self, a, b, c, retained=0.0, run=None):
        run = run or self.create_run()
        received = self.received(run)
        customers = self.customer_a, self.customer_b, self.customer_c
        self.assertEqual([received.get(customer, 0.0) for customer in customers], [a, b, c])
        self.assertEqual(run.retained_total, retained)
        for cell in run.step_ids.cell_ids:
            self.assertEqual(cell.sent, cell.received + cell.retained + cell.unused)
        return run

    def row(self, run, customer, item=None):
        rows = self.env["customer.cost.allocation"]
        return rows.search(
            [
                ("step_id", "in", run.step_ids.ids),
                ("customer_id", "=", customer.id),
                ("item_id", "=", (item or self.item).id),
            ]
        )

    # ------------------------------------------------------------
    # Each kind
    # ------------------------------------------------------------

    def test_an_exempt_customer_is_charged_nothing(self):
        self.create_term()
        self.assertCharged(0.0, 450.0, 450.0)

    def test_a_weight_counts_the_quantity_more(self):
        self.create_term("weight", 2.0)
        self.assertCharged(450.0, 225.0, 225.0)

    def test_a_fixed_percentage_comes_first(self):
        self.create_term("fixed_pct", 10.0)
        self.assertCharged(90.0, 405.0, 405.0)

    def test_a_fixed_amount_is_paid_once_a_month_for_all_items(self):
        self.create_term("fixed_amount", 90.0)
        run = self.assertCharged(90.0, 405.0, 405.0)
        self.assertEqual(self.row(run, self.customer_a).amount, 60.0)
        self.assertEqual(self.row(run, self.customer_a, self.other_item).amount, 30.0)

    def test_what_a_cap_cuts_goes_to_the_others(self):
        self.create_term("cap", 100.0)
        self.create_term("cap", 350.0, customer_id=self.customer_b.id)
        self.assertCharged(100.0, 350.0, 450.0)

    def test_what_a_cap_cuts_stays_in_the_pool_where_the_rule_says_so(self):
        self.rule.term_spill = "pool"
        self.create_term("cap", 100.0)
        self.assertCharged(100.0, 300.0, 300.0, retained=200.0)

    def test_a_floor_is_borne_by_the_others(self):
        self.create_term("floor", 500.0)
        self.assertCharged(500.0, 200.0, 200.0)

    def test_refunds_mirror_charges(self):
        self.book(-1800, self.expense_account)
        self.create_term("cap", 100.0)
        self.create_term("fixed_amount", 50.0, customer_id=self.customer_b.id)
        self.assertCharged(-100.0, -50.0, -750.0)

    def test_a_customer_without_a_quantity_pays_what_it_agreed_on(self):
        other = self.env["res.partner"].create({"name": "No quantity", "is_company": True})
        self.create_term("floor", 90.0, customer_id=other.id)
        run = self.assertCharged(270.0, 270.0, 270.0)
        self.assertEqual(self.row(run, other).amount, 60.0)
        self.rule.receiver_domain = [("name", "like", "Cost Customer")]
        self.assertCharged(300.0, 300.0, 300.0, run=self.create_run())

    # ------------------------------------------------------------
    # Scope and time
    # ------------------------------------------------------------

    def test_a_term_of_an_item_concerns_what_is_below_it_in_every_rule(self):
        above = self.item.parent_id = self.create_item("T-ABOVE", "Test mobility")
        self.create_term(rule_id=False, item_id=above.id)
        self.assertCharged(100.0, 400.0, 400.0)

    def test_the_term_that_names_the_rule_comes_before_the_general_one(self):
        self.create_term(rule_id=False, item_id=self.item.id)
        self.create_term("cap", 90.0, item_id=self.item.id)
        self.assertCharged(190.0, 355.0, 355.0)

    def test_of_items_above_each_other_the_term_of_the_nearest_decides(self):
        above = self.item.parent_id = self.create_item("T-ABOVE", "Test mobility")
        self.create_term(item_id=above.id)
        self.create_term("cap", 90.0, rule_id=False, item_id=self.item.id)
        self.assertCharged(190.0, 355.0, 355.0)
        self.create_term("weight", 4.0, item_id=above.id, customer_id=self.customer_b.id)
        self.create_term("weight", 2.0, item_id=self.item.id, customer_id=self.customer_b.id)
        self.assertCharged(190.0, 440.0, 270.0)

    def test_a_term_holds_for_months_that_end_within_it(self):
        self.book(900, self.expense_account, day="2025-04-10")
        self.env["customer.cost.driver.value"].search([])[-3:].copy({"date": "2025-04-30"})
        self.create_term(date_from="2025-03-31", date_to="2025-04-29")
        self.assertCharged(0.0, 450.0, 450.0)
        april = self.create_run("2025-04-30")
        self.assertCharged(*[300.0] * 3, run=april)

    def test_an_archived_term_does_not_count(self):
        self.create_term().active = False
        self.assertCharged(300.0, 300.0, 300.0)

    # ------------------------------------------------------------
    # Other methods
    # ------------------------------------------------------------

    def test_fixed_percentages_leave_the_part_of_an_exempt_customer_to_others_and_pool(self):
        lines = [(self.customer_a, 20.0), (self.customer_b, 40.0), (self.customer_c, 20.0)]
        self.rule.write(
            {
                "method": "fixed",
                "fixed_ids": [
                    (0, 0, {"customer_id": customer.id, "percentage": percentage})
                    for customer, percentage in lines
                ],
            }
        )
        self.create_term()
        self.assertCharged(0.0, 450.0, 225.0, retained=225.0)

    def test_by_a_rate_the_others_pay_no_more_for_an_exempt_customer(self):
        self.rule.write(
            {
                "method": "rate",
                "capacity_ids": [(0, 0, {"capacity": 6.0})],
            }
        )
        self.create_term()
        run = self.assertCharged(0.0, 150.0, 150.0, retained=150.0)
        self.assertEqual(run.unused_total, 450.0)

    # ------------------------------------------------------------
    # Refused, and kept
    # ------------------------------------------------------------

    def test_terms_above_the_amount_are_refused_with_customers_and_figures(self):
        self.create_term("fixed_amount", 500.0)
        self.create_term("floor", 400.01, customer_id=self.customer_b.id)
        run = self.create_run(compute=False)
        with self.assertRefused(
            r"Test rule has \$\s400.00 to charge, but contract terms claim \$\s400.01 of it: Cost "
            r"Customer B \(At least an amount a month: \$\s400.01\). Lower or end"
        ):
            run.action_compute()
        self.assertEqual(run.state, "draft")

    def test_a_changed_term_asks_for_a_new_computation(self):
        term = self.create_term("cap", 100.0)
        run = self.create_run()
        self.create_term("cap", 50.0, customer_id=self.customer_b.id, date_from="2025-04-30")
        run._check_inputs_unchanged()
        term.amount = 90.0
        with self.assertRefused("Costs or rules changed since run"):
            run.action_post()
        term.amount = 100.0
        self.rule.term_spill = "pool"
        with self.assertRefused("Costs or rules changed since run"):
            run.action_post()

    def test_an_amount_says_which_term_applied_as_it_was(self):
        term = self.create_term("cap", 100.0, reference="K-1")
        self.create_term("weight", 3.0, item_id=self.other_item.id)
        run = self.create_run()
        term.write({"amount": 5.0, "reference": "K-2"})
        row = self.row(run, self.customer_a)
        self.assertEqual(row.term_text, "At most $\xa0100.00 a month (K-1)")
        other = self.row(run, self.customer_a, self.other_item)
        self.assertIn("Quantity × 3", other.term_text)
        self.create_term("cap", 90.0, item_id=self.other_item.id)
        other = self.row(self.create_run(), self.customer_a, self.other_item)
        self.assertEqual(
            set(other.term_text.split("; ")), {"Quantity × 3", "At most $\xa090.00 a month"}
        )
        nobodys = self.row(run, self.customer_b)
        self.assertEqual((nobodys.term_text, nobodys.has_terms), ("", True))

    def test_a_rep_sees_the_term_behind_an_amount_of_an_own_customer(self):
        self.create_term("cap", 100.0, reference="K-1")
        row = self.row(self.create_run(post=True), self.customer_a)
        self.assertEqual(row.with_user(self.rep).term_text, "At most $\xa0100.00 a month (K-1)")

    def test_a_rep_cannot_work_out_the_pool_from_a_percentage(self):
        self.create_term("fixed_pct", 10.0)
        row = self.row(self.create_run(post=True), self.customer_a)
        self.assertEqual(row.with_user(self.rep).term_text, "Fixed percentage")
        self.assertEqual(row.with_user(self.users["auditor"]).term_text, "10 % fixed")

    def test_the_same_inputs_give_the_same_rows(self):
        self.create_term("cap", 100.0)
        self.create_term("floor", 333.33, customer_id=self.customer_b.id)
        run = self.create_run()
        before, signature = self.received(run), run.signature
        run.action_compute()
        self.assertEqual((self.received(run), run.signature), (before, signature))
