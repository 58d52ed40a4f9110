from odoo.fields import Command
from odoo.tests import tagged

from .generated_common import DAY, GeneratedCommon
from .review_common import ReviewCommon
from .test_budget import BudgetCommon


@tagged("post_install", "-at_install")
class TestBillAnalytic(ReviewCommon, BudgetCommon, GeneratedCommon):
    """Bills whose lines name customers by analytic accounts alone, before they are captured."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        plan = cls.env["account.analytic.plan"].create({"name": "Customers"})
        cls.company.customer_cost_plan_id = plan
        cls.a, cls.b, cls.nobody = cls.env["account.analytic.account"].create(
            [
                {"name": "Analytic", "plan_id": plan.id, "partner_id": partner and partner.id}
                for partner in (cls.customer_a, cls.customer_b, False)
            ]
        )
        cls.billing = cls.create_user("cost_biller", "accountant")
        cls.clerk = cls.create_user("cost_clerk", "internal")
        cls.clerk.group_ids |= cls.env.ref("account.group_account_invoice")
        cls.reviewer.group_ids |= cls.env.ref("account.group_account_readonly")

    def share(self, a=0.0, b=0.0, nobody=0.0):
        shares = {self.a: a, self.b: b, self.nobody: nobody}
        return {str(account.id): part for account, part in shares.items() if part}

    def line(self, amount=100.0, account=None, a=0.0, b=0.0, nobody=0.0, **extra):
        distribution = self.share(a, b, nobody)
        return (
            account or self.expense_account,
            amount,
            {
                "analytic_distribution": distribution,
                **extra,
            },
        )

    def bill(self, *lines, post=False, **vals):
        return self.create_bill(list(lines) or [self.line(a=60, b=40)], post=post, **vals)

    def committed(self, moves=None):
        """Commitments of draft bills as a dict like the ledger's."""
        self.env.flush_all()
        self.env["customer.cost.commitment"].invalidate_model()
        rows = self.env["customer.cost.commitment"].search([("kind", "=", "bill")])
        self.assertEqual(len(set(rows.ids)), len(rows))
        found = {}
        for row in rows:
            key = (row.customer_id, row.item_id, row.date)
            found[key] = round(found.get(key, 0.0) + row.amount, 3)
        return found

    def approved(self, *lines, post=False, **vals):
        bill = self.bill(*lines, **vals)
        bill.with_user(self.billing).action_submit_cost_review()
        bill.with_user(self.reviewer).action_approve_cost_review()
        self.assertEqual(bill.cost_review_state, "approved")
        if post:
            bill.action_post()
        return bill

    # ------------------------------------------------------------
    # Commitments
    # ------------------------------------------------------------

    def test_a_draft_is_committed_as_it_will_be_captured(self):
        period = {"cost_service_from": "2025-03-10", "cost_service_to": "2025-05-20"}
        thirds = {"a": 33.33, "b": 33.33, "nobody": 33.34}
        bill = self.bill(
            self.line(10.01, **thirds),
            self.line(100.0, a=60, b=30),
            self.line(77.77, self.other_account, a=50, b=25, **period),
            self.line(50.0, a=100, cost_customer_id=self.customer_c.id),
            self.line(30.0, a=100, cost_item_id=self.admin_item.id),
            self.line(500.0, self.unmapped_account, a=100),
            self.line(500.0, a=80, b=30),
            self.line(500.0, nobody=100),
        )
        committed = self.committed()
        bill.action_post()
        ledger = {key: amount for key, amount in self.ledger().items() if key[0]}
        self.assertEqual(committed, ledger)
        self.assertEqual(len(ledger), 10)
        self.assertEqual(self.committed(), {})
        bill.button_draft()
        self.assertEqual(self.committed(), committed)
        bill.button_cancel()
        self.assertEqual(self.committed(), {})

    def test_what_odoo_adds_to_a_draft_is_committed_as_it_will_be_captured(self):
        own = self.create_tax(self.tax_account).ids
        base = self.create_tax(amount=7.0).ids
        request = self.create_cost(kind="request", amount=100.0, post=True)
        budget = self.create_budget(1000.0, [{"percentage": 20.0, "action": "block"}])
        bill = self.bill(
            self.line(10.01, a=33.33, b=66.67, tax_ids=own),
            self.line(30.0, self.other_account, a=100, tax_ids=own + base),
            self.line(50.0, nobody=100, tax_ids=base),
            self.line(100.0, a=100, cost_request_id=request.id, tax_ids=own),
        )
        self.assertEqual(self.report(budget), (1000.0, 0.0, 148.77, 851.23))
        self.assertFalse(bill.cost_budget_findings)
        committed = self.committed()
        bill.action_post()
        ledger = {key: amount for key, amount in self.ledger().items() if key[0]}
        committed[self.customer_a, self.item, DAY] += 100.0  # committed by the request
        self.assertEqual(committed, ledger)
        self.assertEqual(self.report(budget), (1000.0, 148.77, 0.0, 851.23))
        self.assertEqual(self.committed(), {})

    def test_a_request_without_customer_counts_with_the_customers_of_its_bills(self):
        self.company.customer_cost_budget_block_bills = True
        budget = self.create_budget(100.0)
        request = self.create_cost(kind="request", amount=500.0, customer_id=False, post=True)

        def total():
            self.env.flush_all()
            self.env["customer.cost.commitment"].invalidate_model()
            rows = self.env["customer.cost.commitment"].search([])
            return {(row.customer_id, row.kind): row.amount for row in rows}

        nobody = (self.env["res.partner"], "request")
        self.assertEqual(total(), {nobody: 500.0})
        bill = self.bill(self.line(150.0, a=60, cost_request_id=request.id))
        self.assertEqual(total(), {nobody: 410.0, (self.customer_a, "bill"): 90.0})
        self.assertEqual(self.report(budget), (100.0, 0.0, 90.0, 10.0))
        bill.action_post()
        self.assertEqual(total(), {nobody: 350.0})
        self.assertEqual(self.report(budget), (100.0, 90.0, 0.0, 10.0))
        over = self.bill(self.line(11.0, a=100, cost_request_id=request.id))
        with self.assertRefused("exceeded by.*1.00"):
            over.action_post()
        self.assertEqual(total(), {nobody: 339.0, (self.customer_a, "bill"): 11.0})

    def test_a_credit_note_commits_less_and_what_settles_a_request_nothing_more(self):
        request = self.create_cost(kind="request", amount=100.0, post=True)
        self.bill(self.line(100.0, a=100, cost_request_id=request.id))
        self.assertEqual(self.committed(), {})
        self.bill(move_type="in_refund")
        self.assertEqual(sorted(self.committed().values()), [-60.0, -40.0])

    def test_without_a_chosen_plan_nobody_is_named(self):
        self.initial.on_bills = True
        self.company.customer_cost_plan_id = False
        bill = self.bill()
        self.assertEqual(self.committed(), {})
        self.assertFalse(bill.cost_review_needed)
        bill.action_post()
        self.assertEqual(
            {customer for customer, _i, _d in self.ledger()}, {self.env["res.partner"]}
        )

    def test_a_closed_month_commits_on_the_day_that_will_count(self):
        bill = self.bill()
        self.close_period("2025-03-10")
        committed = self.committed()
        self.assertEqual({str(day) for _c, _i, day in committed}, {"2025-04-01"})
        bill.action_post()
        self.assertEqual(self.ledger(), committed)

    def test_a_rep_sees_the_share_of_own_customers_alone(self):
        self.bill()
        self.env.flush_all()
        rows = self.env["customer.cost.commitment"].with_user(self.rep).search([])
        self.assertEqual((rows.customer_id, rows.amount), (self.customer_a, 60.0))

    # ------------------------------------------------------------
    # Budgets and policies
    # ------------------------------------------------------------

    def test_a_budget_is_asked_for_the_share_of_its_customer(self):
        self.company.customer_cost_budget_block_bills = True
        budget = self.create_budget(60.0)
        bill = self.bill()
        self.assertEqual(self.report(budget), (60, 0, 60, 0))
        bill.action_post()
        self.assertEqual(self.report(budget), (60, 60, 0, 0))
        more = self.bill(self.line(0.02, a=50, b=50), ref="more")
        [finding] = more.with_user(self.users["manager"]).cost_budget_findings
        self.assertEqual(finding["level"], "block")
        with self.assertRefused("this cost of.*0.01.*exceeded by.*0.01"):
            more.action_post()
        self.assertEqual(more.state, "draft")

    def test_a_policy_of_the_month_counts_the_share(self):
        self.env["customer.cost.policy"].create({"kind": "month_limit", "amount": 100.0})
        self.bill()
        self.assertFalse(self.create_cost(amount=40.0)._get_policy_breaches())
        self.assertTrue(self.create_cost(amount=40.01)._get_policy_breaches())

    # ------------------------------------------------------------
    # Review
    # ------------------------------------------------------------

    def test_a_bill_passes_its_stages_by_share_item_and_customer(self):
        tag = self.env["res.partner.category"].create({"name": "Key account"})
        self.customer_b.category_id = tag
        for vals, needed in (
            ({"amount_from": 90.0}, True),
            ({"amount_from": 90.01}, False),
            ({"item_ids": [Command.set(self.item.ids)]}, True),
            ({"item_ids": [Command.set(self.other_item.ids)]}, False),
            ({"tag_ids": [Command.set(tag.ids)]}, True),
        ):
            self.initial.write(
                {
                    "on_bills": True,
                    "amount_from": 0.0,
                    "item_ids": [Command.clear()],
                    "tag_ids": [Command.clear()],
                    **vals,
                }
            )
            bill = self.bill(self.line(100.0, a=60, b=30))
            with self.subTest(vals):
                self.assertEqual(bool(bill.cost_review_needed), needed)
        bill = self.bill(self.line(100.0, a=100))
        self.assertFalse(bill.cost_review_needed)

    def test_shares_of_a_bill_in_another_currency_are_compared_at_company_amounts(self):
        euro = self.setup_other_currency("EUR", rates=[("2025-03-01", 2.0)])
        self.initial.write({"on_bills": True, "amount_from": 30.0})
        bill = self.bill(self.line(100.0, a=60), currency_id=euro.id)
        self.assertEqual(list(self.committed().values()), [30.0])
        self.assertTrue(bill.cost_review_needed)
        bill = self.bill(self.line(99.9, a=60), currency_id=euro.id)
        self.assertFalse(bill.cost_review_needed)

    def test_a_bill_is_posted_once_its_review_is_passed(self):
        self.initial.on_bills = True
        bill = self.bill()
        with self.assertRefused("names a customer and has to pass Initial Review"):
            bill.action_post()
        with self.assertRefused("has to pass Initial Review"):
            self.rpc(self.billing, "account.move", "write", bill.ids, {"state": "posted"})
        self.bill(self.line(nobody=100), self.line(account=self.unmapped_account, a=100), post=True)
        approved = self.approved(post=True)
        self.assertEqual(approved.state, "posted")

    def test_a_change_of_substance_restarts_the_review(self):
        self.initial.on_bills = True
        for approved in (False, True):
            for vals in (
                {"analytic_distribution": self.share(a=40, b=60)},
                {"analytic_distribution": self.share(a=60)},
                {"account_id": self.other_account.id},
                {"cost_item_id": self.other_item.id},
                {"cost_customer_id": self.customer_c.id},
                {"price_unit": 100.01},
            ):
                bill = self.bill()
                bill.with_user(self.billing).action_submit_cost_review()
                if approved:
                    bill.with_user(self.reviewer).action_approve_cost_review()
                bill.invoice_line_ids.with_user(self.billing).write(vals)
                with self.subTest(f"{approved} {vals}"):
                    self.assertIn("submit it again", bill.cost_review_needed)
                    with self.assertRefused("submit it again"):
                        bill.action_post()
                    if not approved:
                        with self.assertRefused("has to be submitted again"):
                            bill.with_user(self.reviewer).action_approve_cost_review()
                    bill.with_user(self.billing).action_submit_cost_review()
                    self.assertEqual(self.waiting(bill), ["Initial Review"])

    def test_a_changed_cost_centre_leaves_the_review_alone(self):
        self.initial.on_bills = True
        plan = self.env["account.analytic.plan"].create({"name": "Departments"})
        centre = self.env["account.analytic.account"].create({"name": "HQ", "plan_id": plan.id})
        bill = self.approved()
        bill.invoice_line_ids.analytic_distribution = {
            **self.share(a=60, b=40),
            str(centre.id): 100,
        }
        bill.action_post()
        self.assertEqual(bill.state, "posted")

    def test_who_wrote_a_shared_line_does_not_approve_it(self):
        self.initial.on_bills = True
        both = self.create_user("cost_bill_both", "accountant", "reviewer")
        bill = self.bill()
        vals = {"analytic_distribution": self.share(a=100)}
        self.rpc(both, "account.move.line", "write", bill.invoice_line_ids.ids, vals)
        self.env(user=both).flush_all()
        self.env.invalidate_all()
        bill.with_user(self.billing).action_submit_cost_review()
        with self.assertRefused("You wrote its lines yourself"):
            bill.with_user(both).action_approve_cost_review()

    def test_many_bills_cost_the_queries_of_one(self):
        self.initial.on_bills = True
        bills = self.env["account.move"].concat(
            *(self.bill(ref=f"many {number}") for number in range(8))
        )
        bills.with_user(self.billing).action_submit_cost_review()
        counts = {}
        for method in ("_get_unreviewed_reasons", "_get_cannot_approve_reasons"):
            for batch in (bills, bills[:1], bills):
                own = batch.with_user(self.reviewer)
                self.env.flush_all()
                self.env.invalidate_all()
                before = self.cr.sql_log_count
                self.assertEqual(len(getattr(own, method)()), len(batch))
                counts[len(batch)] = self.cr.sql_log_count - before
            with self.subTest(method):
                self.assertLessEqual(counts[8], counts[1])

    # ------------------------------------------------------------
    # After posting
    # ------------------------------------------------------------

    def test_what_is_named_after_posting_has_to_pass_as_at_posting(self):
        self.initial.on_bills = True
        bill = self.bill(self.line(nobody=100), post=True)
        line = bill.invoice_line_ids
        vals = {"analytic_distribution": self.share(a=100)}
        with (
            self.assertRefused("has to pass Initial Review.*Reset it to draft first"),
            self.cr.savepoint(),
        ):
            self.rpc(self.billing, "account.move.line", "write", line.ids, vals)
        self.initial.on_bills = False
        self.company.customer_cost_budget_block_bills = True
        self.create_budget(99.0)
        with self.assertRefused("exceeded by.*1.00"), self.cr.savepoint():
            self.rpc(self.billing, "account.move.line", "write", line.ids, vals)
        other = self.bill(self.line(account=self.unmapped_account, a=100), ref="two", post=True)
        vals = {"account_id": self.expense_account.id}
        with self.assertRefused("exceeded by.*1.00"), self.cr.savepoint():
            self.rpc(self.billing, "account.move.line", "write", other.invoice_line_ids.ids, vals)
        self.assertEqual(other.invoice_line_ids.account_id, self.unmapped_account)

    def test_only_a_cost_accountant_changes_what_was_reviewed(self):
        self.initial.on_bills = True
        bill = self.approved(post=True)
        line = bill.invoice_line_ids
        changes = (
            {"analytic_distribution": self.share(a=100)},
            {"account_id": self.other_account.id},
            {"cost_customer_id": self.customer_c.id},
            {"cost_item_id": self.other_item.id},
        )
        for vals in changes:
            with (
                self.subTest(vals),
                self.assertRefused(
                    f"{bill.name}.*has passed its review.*Only a cost accountant.*reset the bill"
                ),
                self.cr.savepoint(),
            ):
                self.rpc(self.clerk, "account.move.line", "write", line.ids, vals)
        self.rpc(self.clerk, "account.move.line", "write", line.ids, {"name": "Other label"})
        self.rpc(self.billing, "account.move.line", "write", line.ids, changes[0])
        self.env.invalidate_all()
        self.assertEqual(self.ledger(), {(self.customer_a, self.item, line.date): 100.0})
        [note] = bill.message_ids.filtered(lambda m: "this posted bill costs" in m.body)
        self.assertRegex(
            note.body, r"cost_biller.*Before: .*A.*60\.00, .*B.*40\.00.*Now: .*A.*100\.00"
        )
        bill.button_draft()
        bill.action_post()
        self.rpc(self.billing, "account.move.line", "write", line.ids, changes[3])
        bill.button_draft()
        line.price_unit = 101.0
        with self.assertRefused("submit it again"):
            bill.action_post()

    def test_an_approval_is_no_pass_for_what_was_posted_since(self):
        self.initial.on_bills = True
        bill = self.approved()
        line = bill.invoice_line_ids
        line.write({"price_unit": 9000.0, "analytic_distribution": self.share(nobody=100)})
        bill.action_post()
        for vals in (
            {"analytic_distribution": self.share(a=100)},
            {"cost_customer_id": self.customer_a.id},
        ):
            with self.assertRefused("submit it again.*to draft first"), self.cr.savepoint():
                self.rpc(self.billing, "account.move.line", "write", line.ids, vals)

    def test_only_a_cost_accountant_changes_what_passed_a_blocking_budget(self):
        self.company.customer_cost_budget_block_bills = True
        self.create_budget(100.0)
        tight = self.create_budget(50.0, customer_id=self.customer_b.id)
        bill = self.bill(post=True)
        line = bill.invoice_line_ids
        less, more = (
            {"analytic_distribution": self.share(**shares)}
            for shares in ({"a": 50, "b": 50}, {"a": 49, "b": 51})
        )
        with (
            self.assertRefused(f"{bill.name} has passed budgets.*Only a cost accountant"),
            self.cr.savepoint(),
        ):
            self.rpc(self.clerk, "account.move.line", "write", line.ids, less)
        with self.assertRefused("exceeded by.*1.00"), self.cr.savepoint():
            self.rpc(self.billing, "account.move.line", "write", line.ids, more)
        self.rpc(self.billing, "account.move.line", "write", line.ids, less)
        self.env.invalidate_all()
        self.assertEqual(self.report(tight), (50, 50, 0, 0))
        self.assertIn("this posted bill costs", bill.message_ids[0].body)

    def test_a_bill_that_passed_nothing_is_changed_by_who_may_change_it(self):
        bill = self.bill(post=True)
        vals = {"analytic_distribution": self.share(b=100)}
        self.rpc(self.clerk, "account.move.line", "write", bill.invoice_line_ids.ids, vals)
        self.env.invalidate_all()
        self.assertEqual([key[0] for key in self.ledger()], [self.customer_b])
        self.assertFalse(bill.message_ids.filtered(lambda m: "this posted bill" in m.body))
