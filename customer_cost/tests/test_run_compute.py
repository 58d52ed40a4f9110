from odoo.exceptions import UserError
from odoo.fields import Command

from .common import CustomerCostCommon


class TestRunCompute(CustomerCostCommon):
    """Rules × drivers: every cent that is sent arrives, stays, or is said to stay."""

    def pool(self, amount, day="2025-03-10", account=None):
        return self.create_entry_move([(account or self.expense_account, amount, {})], day)

    def driver(self, *quantities, **vals):
        customers = (self.customer_a, self.customer_b, self.customer_c)
        return self.create_driver(dict(zip(customers, quantities, strict=False)), **vals)

    def amounts(self, run):
        received = self.received(run)
        return [
            received.get(customer, 0)
            for customer in (self.customer_a, self.customer_b, self.customer_c)
        ]

    def assertConserved(self, run):
        digits = run.currency_id.decimal_places
        for record in (*run.step_ids, *run.step_ids.cell_ids):
            self.assertEqual(
                round(record.sent, digits),
                round(record.received + record.retained + record.unused, digits),
            )
        for name in ("sent", "received", "retained"):
            total = round(run[f"{name}_total"], digits)
            self.assertEqual(total, round(sum(run.step_ids.mapped(name)), digits))
            self.assertEqual(total, round(sum(run.step_ids.cell_ids.mapped(name)), digits))
        self.assertEqual(round(run.received_total, digits), round(sum(self.amounts(run)), digits))

    # ------------------------------------------------------------
    # Conservation
    # ------------------------------------------------------------

    def test_what_is_sent_is_received(self):
        self.create_rule(self.driver(1, 1, 1), self.item | self.other_item)
        self.pool(100)
        self.pool(0.05, account=self.other_account)
        run = self.create_run()
        self.assertConserved(run)
        self.assertEqual(run.state, "computed")
        self.assertEqual(run.pool_total, 100.05)
        self.assertEqual(run.received_total, 100.05)
        self.assertEqual(run.retained_total, 0)
        self.assertEqual(run.unsent_total, 0)
        self.assertEqual(run.customer_count, 3)
        self.assertEqual(self.amounts(run), [33.36, 33.35, 33.34])

    def test_rows_carry_what_explains_them(self):
        self.create_rule(self.driver(1.5, 0, 2.5, unit="kg"))
        self.pool(80)
        run = self.create_run()
        rows = self.env["customer.cost.allocation"].search([("step_id", "in", run.step_ids.ids)])
        row = rows.filtered(lambda row: row.customer_id == self.customer_a)
        self.assertEqual(rows.customer_id, self.customer_a | self.customer_c)
        self.assertEqual(
            (row.amount, row.quantity, row.rate, row.layer, row.company_id, row.item_id),
            (30, 1.5, 20, "allocated", self.company, self.item),
        )
        self.assertEqual(str(row.date), "2025-03-31")
        self.assertEqual(
            (row.pool_amount, row.driver_total, row.share_pct, row.run_state),
            (80, 4, 37.5, "Computed"),
        )
        self.assertEqual(row.rule_name, "Test rule")

    def test_rule_as_it_was_is_kept_in_every_language(self):
        self.env["res.lang"]._activate_lang("zh_CN")
        driver = self.create_driver({self.customer_a: 1})
        driver.with_context(lang="zh_CN").name = "净收入"
        rule = self.create_rule(driver)
        rule.with_context(lang="zh_CN").name = "按收入分摊"
        self.create_bill([(self.expense_account, 100.0, {})])
        step = self.create_run().step_ids
        self.assertEqual((step.name, step.driver_name), ("Test rule", driver.display_name))
        chinese = step.with_context(lang="zh_CN")
        self.assertEqual(chinese.name, "按收入分摊")
        self.assertIn("净收入", chinese.driver_name)
        self.assertIn("净收入", chinese.rule_text)
        self.assertIn("2025/03/01", chinese.window_label)
        rows = self.env["customer.cost.allocation"].search([("step_id", "=", step.id)])
        self.assertEqual(rows.with_context(lang="zh_CN").rule_name, "按收入分摊")
        self.assertEqual(rows.rule_name, "Test rule")

    def test_shares_of_several_rules_empty_the_pool_to_the_cent(self):
        for name, share in (("One", 33.333333), ("Two", 33.333333), ("Three", 33.333334)):
            self.create_rule(self.driver(1), name=name, share_pct=share)
        self.pool(100.01)
        run = self.create_run()
        self.assertConserved(run)
        self.assertEqual(run.step_ids.mapped("sent"), [33.34, 33.33, 33.34])
        self.assertEqual(run.sent_total, 100.01)
        self.assertEqual(run.unsent_total, 0)

    def test_what_no_rule_sends_stays(self):
        self.create_rule(self.driver(1, 1), share_pct=12.5)
        self.pool(10.01)
        run = self.create_run()
        self.assertEqual((run.sent_total, run.unsent_total), (1.25, 8.76))
        self.assertConserved(run)

    def test_shares_above_100_are_refused_naming_item_and_rules(self):
        self.create_rule(self.driver(1), name="First", share_pct=60)
        self.create_rule(
            self.driver(1), self.item | self.other_item, name="Second", share_pct=40.000001
        )
        self.pool(100)
        run = self.create_run(compute=False)
        message = r"\[T-TRV\] Test travel is sent to 100 % by First, Second"
        with self.assertNothingChanged(), self.assertRaisesText(UserError, message):
            run.action_compute()
        self.assertEqual(run.state, "draft")

    def test_zero_driver_keeps_the_pool_and_says_so(self):
        self.create_rule(self.driver(0, 0))
        self.pool(70)
        run = self.create_run()
        self.assertConserved(run)
        self.assertEqual((run.sent_total, run.received_total, run.retained_total), (70, 0, 70))
        self.assertEqual(
            run.step_ids.message,
            "The driver has no quantity in the period: the pool keeps its cost.",
        )
        self.assertEqual(self.amounts(run), [0, 0, 0])
        self.assertEqual(run.customer_count, 0)

    def test_negative_pool_mirrors_the_positive_one(self):
        self.create_rule(self.driver(1, 1, 1))
        self.pool(100)
        plus = self.amounts(self.create_run())
        self.pool(-200)
        run = self.create_run()
        self.assertConserved(run)
        self.assertEqual(self.amounts(run), [-amount for amount in plus])

    def test_fixed_percentages_below_100_retain_the_rest(self):
        self.create_rule(
            fixed_ids=[
                Command.create({"customer_id": customer.id, "percentage": percentage})
                for customer, percentage in ((self.customer_b, 33.333333), (self.customer_a, 25))
            ]
        )
        self.pool(0.1)
        run = self.create_run()
        self.assertConserved(run)
        self.assertEqual(run.step_ids.retained, 0.04)
        self.assertEqual(self.amounts(run), [0.03, 0.03, 0])

    # ------------------------------------------------------------
    # Negative quantities
    # ------------------------------------------------------------

    def test_negative_quantities_are_refused_naming_the_customers(self):
        self.create_rule(self.driver(100, -90, -2.5))
        self.pool(1000)
        run = self.create_run(compute=False)
        message = r"negative for Cost Customer B \(-90\), Cost Customer C \(-2\.5\)"
        with self.assertNothingChanged(), self.assertRaisesText(UserError, message):
            run.action_compute()
        self.assertEqual(run.state, "draft")
        self.assertFalse(run.step_ids)

    def test_many_negative_customers_are_counted(self):
        customers = self.env["res.partner"].create(
            [{"name": f"Minus {number:02}"} for number in range(13)]
        )
        self.create_rule(self.create_driver(dict.fromkeys(customers, -1)))
        self.pool(10)
        run = self.create_run(compute=False)
        with self.assertRaisesText(UserError, r"Minus 00 .*Minus 09 \(-1\), and 3 more\. Choose"):
            run.action_compute()

    def test_policies_list_the_negative_customers(self):
        self.create_rule(self.driver(100, -90, policy="zero"))
        self.pool(1000)
        run = self.create_run()
        self.assertEqual(run.step_ids.message, "Negative quantities: Cost Customer B (-90).")
        self.assertEqual(self.amounts(run), [1000, 0, 0])

    def test_only_negative_quantities_counted_as_zero_keep_the_pool(self):
        self.create_rule(self.driver(-1, -90, policy="zero"))
        self.pool(1000)
        run = self.create_run()
        self.assertEqual(run.retained_total, 1000)
        self.assertIn("the pool keeps its cost", run.step_ids.message)

    # ------------------------------------------------------------
    # Full cost
    # ------------------------------------------------------------

    def test_full_cost_has_its_own_line_and_leaves_customer_profit_alone(self):
        administration = self.env["account.account"].create(
            {
                "name": "Administration",
                "code": "T60009",
                "account_type": "expense",
                "company_ids": [Command.set(self.company.ids)],
            }
        )
        self.map_account(administration, self.admin_item)
        driver = self.driver(1, 3)
        self.create_rule(driver, name="Travel")
        self.pool(40)
        self.create_run(post=True)
        profits = self.profits()
        self.create_rule(driver, self.admin_item, name="Administration", full_cost=True)
        self.pool(80, account=administration)
        run = self.create_run(post=True)
        self.assertConserved(run)
        self.assertEqual(run.step_ids.mapped("full_cost"), [False, True])
        self.assertEqual(self.profits(), profits)
        rows = (
            self.env["customer.cost.profitability"]
            .search([("customer_id", "in", (self.customer_a | self.customer_b).ids)])
            .sorted("customer_id")
        )
        self.assertEqual(rows.mapped("full_cost"), [20, 60])
        self.assertEqual(rows.mapped("allocated_cost"), [10, 30])
        self.assertEqual(rows.mapped("full_profit"), [-30, -90])

    def profits(self):
        self.env.invalidate_all()
        groups = self.env["customer.cost.profitability"]._read_group(
            [("company_id", "=", self.company.id)], ["customer_id"], ["profit:sum"]
        )
        return dict(groups)

    # ------------------------------------------------------------
    # Earlier months
    # ------------------------------------------------------------

    def test_earlier_months_are_sent_once(self):
        self.create_rule(self.driver(1, 1, day="2025-03-31"), carry_forward=True)
        self.pool(100, "2025-01-10")
        self.pool(10, "2025-02-10")
        self.pool(1, "2025-03-10")
        january = self.create_run("2025-01-31", post=True)
        self.assertEqual((january.sent_total, january.retained_total), (100, 100))
        february = self.create_run("2025-02-28", post=True)
        self.assertEqual((february.carried_total, february.sent_total), (100, 110))
        march = self.create_run("2025-03-31", post=True)
        self.assertEqual(
            (march.carried_total, march.sent_total, march.received_total), (110, 111, 111)
        )
        self.assertConserved(march)
        self.pool(5, "2025-04-10")
        april = self.create_run("2025-04-30")
        self.assertEqual((april.carried_total, april.sent_total), (0, 5))

    def test_late_cost_of_an_earlier_month_is_sent_later(self):
        driver = self.driver(1, day="2025-01-31")
        self.create_rule(driver, carry_forward=True)
        driver.value_ids.copy({"date": "2025-02-28"})
        self.pool(100, "2025-01-10")
        self.create_run("2025-01-31", post=True)
        self.pool(-30, "2025-01-20")
        february = self.create_run("2025-02-28")
        self.assertEqual((february.pool_total, february.carried_total), (0, -30))
        self.assertEqual(self.amounts(february), [-30, 0, 0])

    def test_reversed_and_computed_runs_do_not_count_as_sent(self):
        driver = self.driver(1, day="2025-01-31")
        self.create_rule(driver, carry_forward=True)
        self.pool(100, "2025-01-10")
        january = self.create_run("2025-01-31")
        self.assertEqual(self.create_run("2025-02-28").sent_total, 100)
        january.action_post()
        self.assertEqual(self.create_run("2025-02-28").sent_total, 0)
        january.action_reverse()
        self.assertEqual(self.create_run("2025-02-28").sent_total, 100)

    def test_earlier_months_end_with_the_fiscal_year(self):
        self.company.write({"fiscalyear_last_day": 28, "fiscalyear_last_month": "2"})
        self.create_rule(self.driver(1), carry_forward=True)
        self.pool(100, "2025-02-10")
        self.pool(10, "2025-03-10")
        march = self.create_run("2025-03-31")
        self.assertEqual((march.carried_total, march.sent_total), (0, 10))
        self.company.write({"fiscalyear_last_day": 31, "fiscalyear_last_month": "1"})
        march.action_compute()
        self.assertEqual((march.carried_total, march.sent_total), (100, 110))
        self.assertEqual(str(march.step_ids.pool_from), "2025-02-01")

    def test_share_of_earlier_months(self):
        driver = self.driver(1, day="2025-01-31")
        driver.value_ids.copy({"date": "2025-02-28"})
        self.create_rule(driver, name="Part", carry_forward=True, share_pct=40)
        self.pool(100, "2025-01-10")
        self.create_run("2025-01-31", post=True)
        self.pool(10, "2025-02-10")
        february = self.create_run("2025-02-28")
        self.assertEqual((february.sent_total, february.carried_total), (4, 0))
        self.assertEqual(february.unsent_total, 6)

    def test_another_rule_does_not_send_an_earlier_month_again(self):
        driver = self.driver(1, day="2025-01-31")
        driver.value_ids.copy({"date": "2025-02-28"})
        first = self.create_rule(driver, name="Until January")
        self.pool(100, "2025-01-10")
        self.create_run("2025-01-31", post=True)
        first.active = False
        self.create_rule(driver, name="From February", carry_forward=True)
        self.pool(10, "2025-02-10")
        february = self.create_run("2025-02-28")
        self.assertEqual((february.sent_total, february.carried_total), (10, 0))

    def test_month_whose_rest_was_sent_later_is_not_posted_again(self):
        self.create_rule(self.driver(1, day="2025-02-28"), carry_forward=True)
        self.pool(100, "2025-01-10")
        self.create_run("2025-01-31", post=True)
        february = self.create_run("2025-02-28", post=True)
        self.assertEqual(february.received_total, 100)
        driver = self.env["customer.cost.rule"].search([("name", "=", "Test rule")]).driver_id
        driver.value_ids.copy({"date": "2025-01-31"})
        january = self.create_run("2025-01-31")
        self.assertEqual(january.received_total, 100)
        with self.assertRaisesText(UserError, "already includes what this month left.*Reverse it"):
            january.action_post()
        self.assertEqual(january.state, "computed")
        february.action_reverse()
        january.action_post()
        self.assertEqual(self.create_run("2025-02-28").sent_total, 0)

    # ------------------------------------------------------------
    # Again
    # ------------------------------------------------------------

    def test_computing_again_replaces(self):
        rule = self.create_rule(self.driver(1, 1))
        self.pool(100)
        run = self.create_run()
        before = run.step_ids
        rule.share_pct = 50
        run.action_compute()
        self.assertFalse(before.exists())
        self.assertEqual(len(run.step_ids), 1)
        self.assertEqual(self.amounts(run), [25, 25, 0])
        self.assertEqual(run.version, 1)
        self.assertConserved(run)

    def test_same_inputs_give_the_same_result(self):
        self.create_rule(self.driver(1, 2, 4))
        self.pool(100)
        first, second = self.create_run(), self.create_run()
        self.assertEqual(self.amounts(first), self.amounts(second))
        self.assertEqual(first.signature, second.signature)
        first.action_compute()
        self.assertEqual(first.signature, second.signature)

    def test_other_quantities_give_another_signature(self):
        driver = self.driver(1, 2, 4)
        self.create_rule(driver)
        self.pool(100)
        first = self.create_run()
        driver.value_ids[0].quantity += 1
        self.assertNotEqual(self.create_run().signature, first.signature)

    def test_order_in_which_quantities_were_entered_does_not_matter(self):
        quantities = {self.customer_a: 1, self.customer_b: 1, self.customer_c: 1}
        rule = self.create_rule(self.create_driver(quantities))
        self.pool(0.05)
        forward = self.amounts(self.create_run())
        rule.driver_id = self.create_driver(dict(reversed(quantities.items())))
        self.assertEqual(self.amounts(self.create_run()), forward)
        self.assertEqual(forward, [0.02, 0.02, 0.01])

    def test_accountant_computes_without_any_other_right(self):
        user = self.users["accountant"]
        user.group_ids = self.env.ref("customer_cost.group_customer_cost_accountant")
        self.create_sale(self.customer_a, price=100)
        self.create_sale(self.customer_b, price=100)
        for driver in ("net_revenue", "gross_margin", "active_customers", "overdue_days"):
            self.create_rule(
                self.env.ref(f"customer_cost.driver_{driver}"),
                name=driver,
                share_pct=25,
                carry_forward=True,
                receiver_domain="[('is_company', '=', True)]",
            )
        self.pool(100)
        self.env.invalidate_all()
        run = (
            self.env["customer.cost.run"]
            .with_user(user)
            .create({"company_id": self.company.id, "date": "2025-03-31"})
        )
        run.action_compute()
        self.assertEqual(run.computed_by, user)
        self.assertEqual((run.received_total, run.retained_total), (75, 25))
        self.assertEqual(self.amounts(run), [37.5, 37.5, 0])
        run.action_compute()
        run.write({"date": "2025-02-28"})
        run.unlink()
        self.assertFalse(run.exists())

    def test_closed_period_is_not_computed(self):
        self.create_rule(self.driver(1))
        self.pool(100)
        run = self.create_run(compute=False)
        self.close_period(run.date)
        with self.assertRaisesText(UserError, "Period March 2025 .* is closed"):
            run.action_compute()
        self.assertEqual(run.state, "draft")

    # ------------------------------------------------------------
    # Currencies and size
    # ------------------------------------------------------------

    def compute_in(self, digits, rounding, amount):
        self.env["res.currency"].create(
            {"name": f"X{digits}X", "symbol": "x", "rounding": rounding}
        )
        company = self.setup_other_company(
            name=f"Digits {digits}",
            currency_id=self.env["res.currency"].search([("name", "=", f"X{digits}X")]).id,
        )["company"]
        company.customer_cost_max_days_back = 36500
        self.env.user.company_ids |= company
        entry = (
            self.env["customer.cost.entry"]
            .with_company(company)
            .create(
                {
                    "company_id": company.id,
                    "currency_id": company.currency_id.id,
                    "date": "2025-03-10",
                    "item_id": self.item.id,
                    "amount": amount,
                    "description": "Pool",
                }
            )
        )
        entry.action_submit()
        self.users["reviewer"].company_ids |= company
        entry.with_user(self.users["reviewer"]).with_company(company).action_approve()
        driver = self.create_driver({self.customer_a: 1, self.customer_b: 1, self.customer_c: 1})
        driver.value_ids.company_id = company
        self.env["customer.cost.rule"].create(
            {
                "name": "Thirds",
                "company_id": company.id,
                "driver_id": driver.id,
                "sender_item_ids": [Command.set(self.item.ids)],
            }
        )
        run = self.env["customer.cost.run"].create({"company_id": company.id, "date": "2025-03-31"})
        run.action_compute()
        self.assertConserved(run)
        run.action_post()
        return self.amounts(run)

    def test_currency_without_decimals(self):
        self.assertEqual(self.compute_in(0, 1.0, 100), [34, 33, 33])

    def test_currency_with_three_decimals(self):
        self.assertEqual(self.compute_in(3, 0.001, 100), [33.334, 33.333, 33.333])

    def test_number_of_queries_does_not_grow_with_the_customers(self):
        self.pool(100)
        customers = self.env["res.partner"].create(
            [{"name": f"Many {number}", "is_company": True} for number in range(200)]
        )
        few = self.create_driver(dict.fromkeys(customers[:10], 1))
        many = self.create_driver(dict.fromkeys(customers, 1))
        rule = self.create_rule(few, receiver_domain="[('is_company', '=', True)]")
        run = self.create_run()
        counts = []
        for driver in (few, few, many):
            rule.driver_id = driver
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            run.action_compute()
            self.env.flush_all()
            counts.append(self.env.cr.sql_log_count - before)
        self.assertEqual(run.customer_count, 200)
        self.assertEqual(counts[2], counts[1])
