from odoo.exceptions import ValidationError
from odoo.fields import Command
from odoo.tests import Form, freeze_time, tagged

from .alert_common import TODAY, AlertCommon


@tagged("post_install", "-at_install")
class TestAlertMetric(AlertCommon):
    """The figure of every metric, and what it is compared with."""

    def found(self, **vals):
        """Customers or cost items that a rule finds, with figures."""
        return self.figures(self.create_alert_rule(**vals))

    def everybody(self, metric, operator="above", threshold=-1e9, **vals):
        return self.found(metric=metric, operator=operator, threshold=threshold, **vals)

    def test_figures_of_the_balance(self):
        a, b = self.customer_a, self.customer_b
        for metric, expected in {
            "direct": {a: 200.0, b: 10.0},
            "cost": {a: 200.0, b: 10.0},
            "to_serve": {a: 200.0, b: 1.0},
            "margin": {a: 60.0, b: 600.0},
            "margin_pct": {a: 60.0, b: 60.0},
            "profit": {a: -140.0, b: 590.0},
            "profit_pct": {a: -140.0, b: 59.0},
            "no_sales": {a: 0.0, b: 0.0},
        }.items():
            with self.subTest(metric):
                self.assertEqual(self.everybody(metric), expected)

    def test_exactly_at_the_threshold_is_allowed(self):
        self.assertEqual(self.found(metric="cost", operator="above", threshold=200.0), {})
        self.assertEqual(
            self.found(metric="cost", operator="above", threshold=199.99), {self.customer_a: 200.0}
        )
        self.assertEqual(self.found(metric="profit", operator="below", threshold=-140.0), {})

    def test_windows(self):
        self.create_cost(date="2025-05-03", amount=30.0, post=True)
        self.create_cost(date="2025-03-03", amount=5.0, post=True)
        self.create_cost(date="2024-12-03", amount=1.0, post=True)
        for window, expected in {
            "month": 200.0,
            "last_month": 30.0,
            "quarter": 230.0,
            "year": 235.0,
            "rolling": 236.0,
        }.items():
            with self.subTest(window):
                found = self.everybody("cost", window=window)
                self.assertEqual(found[self.customer_a], expected)

    def test_cost_without_sales(self):
        self.create_cost(date="2025-06-03", amount=70.0, customer_id=self.customer_c.id, post=True)
        found = self.found(metric="no_sales", operator="above", threshold=0.0)
        self.assertEqual(found, {self.customer_c: 70.0})
        self.assertNotIn(self.customer_c, self.everybody("to_serve"))

    def test_growth_against_the_window_before(self):
        self.create_cost(date="2025-05-03", amount=80.0, post=True)
        found = self.everybody("growth", window="month")
        self.assertEqual(found, {self.customer_a: 150.0})

    def test_percent_of_own_average_and_of_the_period_before(self):
        self.create_cost(date="2025-05-03", amount=360.0, post=True)
        # the average of 12 months is 30.00, of May 360.00; June has 200.00
        vals = {"metric": "cost", "window": "month", "operator": "above"}
        found = self.create_alert_rule(threshold_kind="average", threshold=600.0, **vals)
        alert = self.alerts(found)
        self.assertEqual((alert.customer_id, alert.threshold), (self.customer_a, 180.0))
        self.assertFalse(self.found(threshold_kind="average", threshold=700.0, **vals))
        self.assertFalse(self.found(threshold_kind="previous", threshold=100.0, **vals))
        self.assertTrue(self.found(threshold_kind="previous", threshold=50.0, **vals))

    def test_own_limit_comes_before_the_threshold(self):
        vals = {"metric": "direct", "window": "month", "operator": "above"}
        self.assertEqual(self.found(threshold=100.0, **vals), {self.customer_a: 200.0})
        self.customer_a.customer_cost_limit_month = 500.0
        self.customer_b.customer_cost_limit_month = 5.0
        self.assertEqual(self.found(threshold=100.0, **vals), {self.customer_b: 10.0})
        rule = self.create_alert_rule(threshold_kind="limit", **vals)
        self.assertEqual(self.alerts(rule).threshold, 5.0)

    def test_own_limit_where_there_is_none_is_refused(self):
        with self.assertRaisesText(ValidationError, "no limit of their own"):
            self.create_alert_rule(metric="margin", threshold_kind="limit")
        with self.assertRaisesText(ValidationError, "own past"):
            self.create_alert_rule(metric="overdue", threshold_kind="average")

    def test_overdue_receivable_by_age(self):
        invoice = self.create_sale(
            self.customer_c, quantity=3, day="2025-03-01", invoice_date_due="2025-03-01"
        )
        self.assertEqual(invoice.invoice_date_due.isoformat(), "2025-03-01")
        vals = {"metric": "overdue", "operator": "above", "threshold": 0.0}
        self.assertEqual(self.found(days=60, **vals), {self.customer_c: 300.0})
        self.assertFalse(self.found(days=106, **vals))
        self.create_sale(
            self.customer_c,
            day="2025-03-02",
            move_type="out_refund",
            invoice_date_due="2025-03-02",
        )
        self.assertEqual(self.found(days=60, **vals), {self.customer_c: 200.0})

    def test_days_since_last_contact(self):
        self.env["customer.cost.balance"]._refresh()
        self.env.flush_all()
        customers = self.customer_a + self.customer_b
        self.env.cr.execute(
            "UPDATE res_partner SET create_date = '2025-01-01' WHERE id = ANY(%s)", (customers.ids,)
        )
        self.env.cr.execute(
            "DELETE FROM mail_message WHERE model = 'res.partner' AND res_id = ANY(%s)",
            (customers.ids,),
        )
        vals = {"metric": "contact", "operator": "above", "threshold": 90.0}
        self.assertEqual(self.found(**vals), dict.fromkeys(customers, 165.0))
        contact = self.env["res.partner"].create({"name": "Buyer", "parent_id": self.customer_a.id})
        contact._message_log(body="Not from a person")
        self.assertEqual(self.found(**vals), dict.fromkeys(customers, 165.0))
        contact.message_post(body="Called", message_type="comment")
        self.assertEqual(self.found(**vals), {self.customer_b: 165.0})

    def test_costs_recorded_late_and_without_receipt(self):
        with freeze_time("2025-06-14"):
            late = self.create_cost(date="2025-06-01", amount=5.0)
            late.action_submit()
            self.env.flush_all()
        self.env.cr.execute(
            "UPDATE customer_cost_entry SET create_date = date + 13 WHERE id = %s", (late.id,)
        )
        self.env.cr.execute(
            "UPDATE customer_cost_entry SET create_date = date WHERE id = %s", (self.cost_a.id,)
        )
        vals = {"operator": "above", "threshold": 0.0, "window": "month"}
        customers = f"[('id', '=', {self.customer_a.id})]"
        vals["customer_domain"] = customers
        self.assertEqual(self.found(metric="late", days=10, **vals), {self.customer_a: 1.0})
        self.assertFalse(self.found(metric="late", days=13, **vals))
        self.assertEqual(self.found(metric="receipt", **vals), {self.customer_a: 2.0})
        self.env["ir.attachment"].create(
            {"name": "r.txt", "raw": b"r", "res_model": late._name, "res_id": late.id}
        )
        self.assertEqual(self.found(metric="receipt", **vals), {self.customer_a: 1.0})

    def test_unsettled_requests_by_age(self):
        request = self.create_cost(kind="request", date="2025-05-01", amount=500.0)
        request.action_submit()
        vals = {"metric": "requests", "operator": "above", "threshold": 0.0}
        self.assertFalse(self.found(days=30, **vals))
        with freeze_time("2025-05-10"):
            request.with_user(self.users["reviewer"]).action_approve()
        # 36 days after the approval, 45 after the day of the cost
        self.assertEqual(self.found(days=35, **vals), {self.customer_a: 500.0})
        self.assertFalse(self.found(days=36, **vals))

    def test_unallocated_pool_per_cost_item(self):
        self.create_bill([(self.expense_account, 90.0, {})], day="2025-05-10")
        vals = {"metric": "pool", "operator": "above", "threshold": 50.0}
        rule = self.create_alert_rule(**vals)
        self.assertEqual(self.figures(rule), {self.item: 90.0})
        self.create_rule(self.create_driver({self.customer_a: 1}, day="2025-05-31"))
        self.create_run("2025-05-31", post=True)
        self.evaluate()
        self.assertEqual(self.alerts(rule).state, "resolved")

    def plan(self, planned, **vals):
        """Confirmed budget of customer A for June."""
        budget = self.env["customer.cost.budget"].create(
            {
                "name": "June",
                "company_id": self.company.id,
                "customer_id": self.customer_a.id,
                "date_from": "2025-06-01",
                "date_to": "2025-06-30",
                "line_ids": [Command.create({"month": "2025-06-01", "planned": planned})],
                **vals,
            }
        )
        budget.action_confirm()

    def test_of_several_budgets_the_one_used_most_counts(self):
        self.plan(2000.0)
        self.plan(160.0)
        vals = {"metric": "budget", "operator": "above", "window": "month"}
        self.assertEqual(self.found(threshold=100.0, **vals), {self.customer_a: 125.0})

    def test_days_until_a_budget_with_money_left_ends(self):
        vals = {"metric": "budget_end", "operator": "below"}
        self.plan(100.0)
        self.assertEqual(self.found(threshold=30.0, **vals), {})
        self.plan(400.0)
        self.plan(400.0, date_to="2025-08-31")
        self.assertEqual(self.found(threshold=15.0, **vals), {})
        self.assertEqual(self.found(threshold=16.0, **vals), {self.customer_a: 15.0})

    def test_budget_use_counts_actual_and_committed_of_confirmed_budgets(self):
        self.plan(400.0)
        self.create_cost(date="2025-06-02", amount=50.0, post=True)
        self.create_cost(date="2025-06-03", amount=100.0, kind="request", post=True)
        vals = {"metric": "budget", "operator": "above", "window": "month"}
        self.assertEqual(self.found(threshold=87.0, **vals), {self.customer_a: 87.5})
        self.assertEqual(self.found(threshold=87.5, **vals), {})

    def test_scope_leaves_out_archived_customers_and_companies_of_the_group(self):
        self.customer_a.active = False
        group = self.env["res.company"].create({"name": "Group company"}).partner_id
        self.create_cost(date="2025-06-03", amount=70.0, customer_id=group.id, post=True)
        self.assertEqual(set(self.everybody("cost")), {self.customer_b})

    def test_scope_by_conditions_on_customers(self):
        tag = self.env["res.partner.category"].create({"name": "Watched"})
        self.customer_b.category_id = [Command.link(tag.id)]
        found = self.everybody("cost", customer_domain=f"[('category_id', 'in', [{tag.id}])]")
        self.assertEqual(set(found), {self.customer_b})

    def test_conditions_are_checked_when_saved(self):
        for domain, message in {
            "[('nonsense', '=', 1)]": "no field nonsense",
            "not a list": "not a list of conditions",
            "[('user_id.password', '=', 'x')]": "cannot be used",
            "[('signup_type', '=', 'x')]": "restricted",
        }.items():
            with self.subTest(domain), self.assertRaisesText(ValidationError, message):
                self.create_alert_rule(customer_domain=domain, on=False)

    def test_form_shows_what_the_metric_needs(self):
        form = Form(self.env["customer.cost.alert.rule"].with_user(self.manager))
        form.name, form.metric = "Overdue", "overdue"
        self.assertTrue(form.has_days)
        self.assertFalse(form.has_window)
        self.assertEqual(form.save().state, "preview")

    def test_rules_of_one_pass_share_its_query(self):
        rules = self.env["customer.cost.alert.rule"]
        for metric in ("cost", "profit", "to_serve"):
            for window in ("month", "rolling"):
                rules |= self.create_alert_rule(metric=metric, window=window, on=False)
        rules |= self.create_alert_rule(metric="overdue", days=10, on=False)
        rules |= self.create_alert_rule(metric="overdue", days=20, on=False)
        self.assertEqual([len(group) for group in rules._group_by_pass()], [6, 1, 1])
        self.assertEqual(TODAY, str(rules._get_today()))
