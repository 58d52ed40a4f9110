from freezegun import freeze_time

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from .test_budget import BudgetCommon

BUDGET = "customer.cost.budget"
LINE = "customer.cost.budget.line"
QUIET = ("odoo.addons.base.models.ir_model", "odoo.addons.base.models.ir_rule", "odoo.sql_db")


@tagged("post_install", "-at_install")
class TestBudgetOverride(BudgetCommon):
    """A cost or bill over its budget: what can be done about it, by whom."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.budget = cls.create_budget(1200.0)
        cls.manager = cls.users["manager"]

    def remedy(self, entry, user, remedy, **vals):
        wizard = self.env["customer.cost.budget.remedy"].with_user(user)
        return wizard.create({"entry_id": entry.id, "remedy": remedy, **vals})

    def over(self, amount=1500.0, **vals):
        return self.create_cost(user=self.rep, amount=amount, **vals)

    # ------------------------------------------------------------
    # Override
    # ------------------------------------------------------------

    def test_a_manager_allows_a_blocked_cost_with_a_reason_that_is_kept(self):
        entry = self.over()
        with self.assertRefused("exceeded by.*300.00"):
            entry.action_submit()
        self.remedy(entry, self.manager, "override", reason="Key account").action_apply()
        self.assertEqual(self.levels(entry), ["warn"])
        self.assertIn("Allowed by cost_manager: Key account", entry.findings[0]["message"])
        self.assertEqual(
            (entry.override_ids.user_id, entry.override_ids.reason), (self.manager, "Key account")
        )
        self.assertIn("Allowed over budget Plan by cost_manager", entry.message_ids[0].body)
        entry.action_submit()
        self.assertEqual(entry.state, "submitted")
        entry.with_user(self.users["reviewer"]).action_approve()
        self.assertEqual(entry.state, "approved")

    def test_what_was_used_up_meanwhile_blocks_the_approval(self):
        entry = self.over(1000.0)
        entry.action_submit()
        self.create_bill([(self.expense_account, 300.0, {"cost_customer_id": self.customer_a.id})])
        reviewer = self.users["reviewer"]
        with self.assertRefused("exceeded by.*100.00"):
            entry.with_user(reviewer).action_approve()
        self.assertIn("100.00", entry.with_user(reviewer)._get_bulk_reasons()[entry])
        self.remedy(entry, self.manager, "override", reason="Key account").action_apply()
        entry.with_user(reviewer).action_approve()
        self.assertEqual(entry.state, "approved")

    def test_an_override_ends_with_the_substance_it_was_given_for(self):
        entry = self.over()
        self.remedy(entry, self.manager, "override", reason="Key account").action_apply()
        entry.amount = 1600.0
        self.assertEqual(self.levels(entry), ["block"])
        with self.assertRefused("exceeded by.*400.00"):
            entry.action_submit()

    def test_an_override_opens_no_other_budget(self):
        entry = self.over()
        self.remedy(entry, self.manager, "override", reason="Key account").action_apply()
        self.assertEqual(entry.override_ids.band_ids, self.budget.band_ids)
        other = self.create_budget(600.0, name="Second plan")
        self.assertEqual(sorted(self.levels(entry)), ["block", "warn"])
        with self.assertRefused("Second plan.*exceeded by.*900.00"):
            entry.action_submit()
        self.remedy(entry, self.manager, "override", reason="That one too").action_apply()
        self.assertIn(other.band_ids, entry.override_ids[0].band_ids)
        self.assertEqual(self.levels(entry), ["warn", "warn"])
        entry.action_submit()

    def test_nobody_else_allows_and_nobody_without_a_reason(self):
        entry = self.over()
        for role in ("rep", "cost_user", "accountant"):
            with self.assertRefused("Only a cost manager allows", AccessError):
                entry.with_user(self.users[role])._override_budgets("Because")
        with self.assertRefused("Say why the budget may be exceeded"):
            self.remedy(entry, self.manager, "override", reason=" ").action_apply()
        within = self.create_cost(amount=10.0)
        with self.assertRefused("no budget blocks it"):
            within.with_user(self.manager)._override_budgets("Because")

    @mute_logger(*QUIET)
    def test_an_override_is_written_by_its_method_alone(self):
        entry = self.over()
        values = {
            "entry_id": entry.id,
            "company_id": self.company.id,
            "user_id": self.manager.id,
            "date": "2025-03-10 08:00:00",
            "reason": "Forged",
            "substance": entry._get_budget_substance(),
        }
        given = self.remedy(entry, self.manager, "override", reason="Key account")
        for role in ("rep", "cost_user", "accountant", "manager", "reviewer", "auditor"):
            user = self.users[role]
            with self.assertRaises(AccessError):
                self.rpc(user, "customer.cost.override", "create", values)
        for role in ("rep", "accountant", "manager"):
            with self.assertRaises(AccessError):
                self.rpc(
                    self.users[role],
                    "customer.cost.entry",
                    "write",
                    entry.ids,
                    {"override_ids": [Command.create(values)]},
                )
        given.action_apply()
        with self.assertRaises(AccessError):
            self.rpc(
                self.manager,
                "customer.cost.override",
                "write",
                entry.override_ids.ids,
                {"reason": "Other"},
            )

    # ------------------------------------------------------------
    # The other remedies
    # ------------------------------------------------------------

    def test_reduce_to_what_is_available(self):
        self.create_cost(amount=200.0, post=True)
        entry = self.over()
        wizard = self.remedy(entry, self.rep, "reduce")
        self.assertEqual((wizard.room, wizard.excess), (1000.0, 500.0))
        wizard.action_apply()
        self.assertEqual((entry.amount, self.levels(entry)), (1000.0, []))
        self.create_cost(amount=1000.0, post=True)
        with self.assertRefused("nothing of it is allowed. What decides: Budget Plan"):
            self.remedy(self.over(1.0), self.rep, "reduce").action_apply()

    def test_nothing_is_reduced_of_a_cost_that_no_limit_is_passed_by(self):
        entry = self.over(100.0)
        with self.assertRefused(f"{entry.name}.*is within its budgets"):
            self.remedy(entry, self.rep, "reduce").action_apply()
        self.assertEqual(entry.amount, 100.0)

    def limit(self, kind, amount, **vals):
        policies = self.env["customer.cost.policy"].with_user(self.users["accountant"])
        return policies.create({"kind": kind, "amount": amount, **vals})

    def test_reduce_says_which_limit_decides_and_passes_all(self):
        self.create_cost(amount=200.0, post=True)
        entry = self.over()
        self.assertEqual(self.remedy(entry, self.rep, "reduce").deciding_limit, "Budget Plan")
        self.limit("month_limit", 900.0)
        wizard = self.remedy(entry, self.rep, "reduce")
        self.assertEqual(wizard.room, 700.0)
        self.assertRegex(wizard.deciding_limit, r"At most .*900\.00 per customer and month")
        self.limit("entry_limit", 650.0)
        wizard = self.remedy(entry, self.rep, "reduce")
        self.assertEqual(wizard.room, 650.0)
        self.assertRegex(wizard.deciding_limit, r"At most .*650\.00 per cost")
        wizard.action_apply()
        self.assertEqual((entry.amount, self.levels(entry)), (650.0, []))

    def test_reduce_looks_at_every_month_of_a_policy(self):
        self.limit("month_limit", 500.0)
        self.create_cost(amount=400.0, date="2025-04-10", post=True)
        period = {"service_from": "2025-03-01", "service_to": "2025-05-31"}
        entry = self.over(1500.0, **period)
        wizard = self.remedy(entry, self.rep, "reduce")
        self.assertAlmostEqual(wizard.room, 299.97, delta=0.03)
        wizard.action_apply()
        self.assertEqual(self.levels(entry), [])
        self.create_cost(amount=100.0, date="2025-04-11", post=True)
        with self.assertRefused("nothing of it is allowed. What decides: Policy At most"):
            self.remedy(self.over(1500.0, **period), self.rep, "reduce").action_apply()

    def test_reduce_a_foreign_cost_to_no_more_than_what_is_available(self):
        currency = self.env["res.currency"].create({"name": "TBC", "symbol": "T"})
        self.env["res.currency.rate"].create(
            {
                "currency_id": currency.id,
                "name": "2025-01-01",
                "rate": 1 / 7,
                "company_id": self.company.id,
            }
        )
        entry = self.over(500.0, currency_id=currency.id)
        self.remedy(entry, self.rep, "reduce").action_apply()
        self.assertEqual((entry.amount, entry.amount_company), (171.42, 1199.94))
        self.assertEqual(self.levels(entry), [])

    def test_a_cost_of_several_months_is_reduced_and_postponed_as_a_whole(self):
        self.budget.with_user(self.manager).action_close()
        self.create_budget(
            control="month",
            lines=[(None, m, 100.0) for m in (3, 4, 5)] + [(None, m, 500.0) for m in (6, 7, 8)],
        )
        period = {"service_from": "2025-03-01", "service_to": "2025-05-31"}
        entry = self.over(400.0, **period)
        wizard = self.remedy(entry, self.rep, "reduce")
        self.assertAlmostEqual(wizard.room, 299.97, delta=0.03)
        wizard.action_apply()
        self.assertEqual(self.levels(entry), [])
        entry = self.over(900.0, **period)
        wizard = self.remedy(entry, self.rep, "postpone")
        self.assertEqual(str(wizard.new_date), "2025-06-01")
        wizard.action_apply()
        self.assertEqual(
            [str(day) for day in (entry.date, entry.service_from, entry.service_to)],
            ["2025-06-01", "2025-06-01", "2025-08-31"],
        )
        self.assertEqual(self.levels(entry), [])

    def test_postpone_to_the_first_month_with_room(self):
        self.budget.with_user(self.manager).action_close()
        self.create_budget(
            control="month", lines=[(None, m, 100.0) for m in (3, 4)] + [(None, 6, 500.0)]
        )
        entry = self.over(400.0, kind="request")
        wizard = self.remedy(entry, self.rep, "postpone")
        self.assertEqual(str(wizard.new_date), "2025-06-01")
        wizard.action_apply()
        self.assertEqual((str(entry.date), self.levels(entry)), ("2025-06-01", []))

    def test_postpone_goes_by_no_month_without_budget_or_money(self):
        self.budget.with_user(self.manager).action_close()
        self.create_budget(
            control="month", lines=[(None, 3, 100.0), (None, 5, 150.0)], date_to="2025-05-31"
        )
        wizard = self.remedy(self.over(200.0), self.rep, "postpone")
        self.assertFalse(wizard.new_date)
        with self.assertRefused("in none of the next 12 months does a budget cover it"):
            wizard.action_apply()
        self.create_budget(
            control="month",
            bands=(),
            lines=[(None, 8, 199.99), (None, 9, 200.0)],
            date_from="2025-08-01",
            date_to="2025-09-30",
        )
        wizard = self.remedy(self.over(200.0), self.rep, "postpone")
        self.assertEqual(str(wizard.new_date), "2025-09-01")
        self.create_cost(amount=0.01, date="2025-09-01", post=True)
        self.assertFalse(self.remedy(self.over(200.0), self.rep, "postpone").new_date)

    def test_postpone_does_not_count_a_submitted_cost_twice(self):
        self.budget.with_user(self.manager).action_close()
        self.create_budget(
            control="to_date",
            bands=({"percentage": 100.0, "action": "warn"},),
            lines=[(None, month, 100.0) for month in (3, 4, 5)],
        )
        entry = self.over(150.0, kind="request")
        self.assertEqual(str(self.remedy(entry, self.rep, "postpone").new_date), "2025-04-01")
        entry.action_submit()
        self.assertEqual(str(self.remedy(entry, self.rep, "postpone").new_date), "2025-04-01")

    def test_move_between_lines_is_logged_and_keeps_the_total(self):
        self.budget.with_user(self.manager).action_close()
        budget = self.create_budget(
            lines=[(self.item, 3, 100.0), (self.other_item, 4, 900.0)], name="Two lines"
        )
        entry = self.over(250.0)
        source = budget.line_ids[1]
        accountant = self.users["accountant"]
        wizard = self.remedy(entry, accountant, "move", from_line_id=source.id, reason="Fair moved")
        self.assertEqual(wizard.amount, 150.0)
        wizard.action_apply()
        self.assertEqual(budget.line_ids.mapped("planned"), [250.0, 750.0])
        self.assertEqual(self.levels(entry), [])
        self.assertRegex(budget.message_ids[0].body, r"150\.00 moved from .*Fair moved")
        for user, error, message, vals in (
            (
                self.rep,
                AccessError,
                "not allowed to modify",
                {"from_line_id": source.id, "reason": "x"},
            ),
            (accountant, UserError, "Choose the line that", {"reason": "x"}),
            (accountant, UserError, "Say why", {"from_line_id": source.id}),
            (
                accountant,
                UserError,
                "cannot be moved from it",
                {"from_line_id": source.id, "reason": "x", "amount": 750.01},
            ),
        ):
            again = self.over(300.0)
            with mute_logger(*QUIET), self.assertRaisesText(error, message):
                self.remedy(again, user, "move", **vals).action_apply()
        self.assertEqual(budget.planned, 1000.0)

    def test_revise_opens_the_next_revision(self):
        action = self.remedy(self.over(), self.users["accountant"], "revise").action_apply()
        self.assertEqual(self.env[BUDGET].browse(action["res_id"]).revision_of_id, self.budget)
        with mute_logger(*QUIET), self.assertRaises(AccessError):
            self.remedy(self.over(), self.rep, "revise").action_apply()

    # ------------------------------------------------------------
    # Bills
    # ------------------------------------------------------------

    def bill(self, amount, **vals):
        extra = {"cost_customer_id": self.customer_a.id}
        return self.create_bill([(self.expense_account, amount, extra)], post=False, **vals)

    def as_user(self, record, user):
        return record.with_user(user).with_context(allowed_company_ids=self.company.ids)

    def test_a_draft_bill_warns_and_its_posting_goes_on(self):
        bill = self.bill(1300.0)
        seen = self.as_user(bill, self.manager)
        [finding] = seen.cost_budget_findings
        self.assertEqual((finding["level"], seen.cost_budget_blocked), ("warn", False))
        self.assertRegex(finding["message"], r"this cost of.*1,300\.00.*exceeded by.*100\.00")
        bill.action_post()
        self.assertEqual(self.report(self.budget)[1:3], (1300, 0))
        [note] = bill.message_ids.filtered(lambda message: "Over a limit" in message.body)
        self.assertRegex(
            note.body, "Over a limit of budget Plan. The settings of .* let bills pass"
        )
        self.assertNotRegex(note.body, r"00")
        within = self.create_bill([(self.expense_account, 5000.0, {})])
        self.assertFalse(within.message_ids.filtered(lambda m: "Over a limit" in m.body))

    def test_a_bill_let_pass_waits_for_the_stages_of_the_milder_limits_it_passes(self):
        stage = self.env["customer.cost.review.stage"].with_context(active_test=False)
        second, final = stage.search([("company_id", "=", self.company.id)])[1:]
        self.create_budget(
            600.0,
            customer_id=self.customer_b.id,
            bands=(
                {"percentage": 100.0, "action": "review", "stage_id": second.id},
                {"percentage": 110.0, "action": "block"},
                {"percentage": 200.0, "action": "review", "stage_id": final.id},
            ),
        )
        (second | final).write({"active": True, "check_ids": [Command.clear()]})
        extra = {"cost_customer_id": self.customer_b.id}
        bill = self.create_bill([(self.expense_account, 700.0, extra)], post=False)
        seen = self.as_user(bill, self.manager)
        [finding] = seen.cost_budget_findings
        self.assertEqual((finding["level"], seen.cost_budget_blocked), ("review", False))
        with self.assertRefused("has to pass Second Review:"):
            bill.action_post()
        bill.action_submit_cost_review()
        reviewer = self.users["reviewer"]
        reviewer.group_ids |= self.env.ref("account.group_account_readonly")
        bill.with_user(reviewer).action_approve_cost_review()
        bill.action_post()
        self.assertEqual(bill.state, "posted")
        self.company.customer_cost_budget_block_bills = True
        other = self.create_bill([(self.expense_account, 100.0, extra)], post=False)
        self.assertTrue(self.as_user(other, self.manager).cost_budget_blocked)
        with self.assertRefused("exceeded by"):
            other.action_post()

    def test_a_limit_that_asks_a_bill_for_several_stages_is_said_once(self):
        stage = self.env["customer.cost.review.stage"].with_context(active_test=False)
        stages = stage.search([("company_id", "=", self.company.id)])[1:]
        stages.active = True
        review = [{"action": "review", "stage_id": stage.id} for stage in stages]
        self.create_budget(
            600.0,
            customer_id=self.customer_b.id,
            bands=(
                {"percentage": 80.0, **review[0]},
                {"percentage": 90.0, **review[1]},
                {"percentage": 100.0, "action": "block"},
            ),
        )
        extra = {"cost_customer_id": self.customer_b.id}
        bill = self.create_bill([(self.expense_account, 700.0, extra)], post=False)
        [finding] = self.as_user(bill, self.manager).cost_budget_findings
        self.assertEqual(finding["level"], "review")
        self.assertIn("Second Review, Final Review", bill.cost_review_needed)

    def test_companies_with_limits_are_known_however_a_limit_is_set(self):
        bands = self.env["customer.cost.budget.band"]
        stage = self.env["customer.cost.review.stage"].search(
            [("company_id", "=", self.company.id)], limit=1
        )
        draft = self.create_budget(confirm=False)
        self.assertNotIn(self.company.id, bands._get_companies("review"))
        bands.with_context(default_action="review").create(
            {"budget_id": draft.id, "percentage": 50.0, "stage_id": stage.id}
        )
        self.assertIn(self.company.id, bands._get_companies("review"))
        other = self.env["res.company"].create({"name": "Other books"})
        plain = self.create_budget(confirm=False, bands=({"percentage": 50.0},))
        self.assertNotIn(other.id, bands._get_companies("warn"))
        plain.sudo().company_id = other
        self.assertIn(other.id, bands._get_companies("warn"))

    def test_the_switch_of_the_company_refuses_posting_by_every_door(self):
        self.company.customer_cost_budget_block_bills = True
        bill = self.bill(1300.0)
        for post in (bill.action_post, lambda: bill.write({"state": "posted"})):
            with self.assertRefused("exceeded by.*100.00"):
                post()
        self.bill(1200.0, ref="within")
        other = self.create_bill([(self.expense_account, 5000.0, {})], post=False)
        other.action_post()
        self.assertEqual(other.state, "posted")

    def test_a_clerk_without_a_cost_role_learns_no_figure(self):
        self.company.customer_cost_budget_block_bills = True
        clerk = self.create_user("cost_clerk", "internal")
        clerk.group_ids |= self.env.ref("account.group_account_invoice")
        bill = self.bill(1300.0)
        with self.assertRefused("A limit of budget Plan is exceeded. A cost manager can look"):
            self.as_user(bill, clerk).action_post()
        with mute_logger(*QUIET), self.assertRaises(AccessError):
            self.rpc(clerk, "account.move", "read", bill.ids, ["cost_budget_findings"])

    def test_a_manager_lets_a_bill_pass_until_its_cost_changes(self):
        self.company.customer_cost_budget_block_bills = True
        bill = self.bill(1300.0)
        give = self.env["customer.cost.override.give"].with_user(self.manager)
        give.create({"move_id": bill.id, "reason": "Signed contract"}).action_confirm()
        [finding] = self.as_user(bill, self.manager).cost_budget_findings
        self.assertEqual(finding["level"], "warn")
        bill.invoice_line_ids.price_unit = 1400.0
        with self.assertRefused("exceeded by.*200.00"):
            bill.action_post()
        bill.invoice_line_ids.price_unit = 1300.0
        bill.action_post()
        self.assertEqual(bill.state, "posted")

    def test_a_bill_is_asked_for_what_goes_beyond_its_request_alone(self):
        self.company.customer_cost_budget_block_bills = True
        request = self.create_cost(kind="request", amount=1200.0, post=True)
        bill = self.bill(1200.0)
        bill.invoice_line_ids.cost_request_id = request
        self.assertFalse(self.as_user(bill, self.manager).cost_budget_findings)
        bill.invoice_line_ids.price_unit = 1250.0
        [finding] = self.as_user(bill, self.manager).cost_budget_findings
        self.assertRegex(finding["message"], r"this cost of.*50\.00.*exceeded by.*50\.00")
        with self.assertRefused("exceeded by.*50.00"):
            bill.action_post()
        bill.invoice_line_ids.price_unit = 1200.0
        bill.action_post()

    def test_of_two_drafts_of_a_request_each_is_asked_for_its_own_excess(self):
        request = self.create_cost(kind="request", amount=1200.0, post=True)
        bills = self.bill(1190.0) | self.bill(30.0) | self.bill(5.0)
        bills.invoice_line_ids.cost_request_id = request
        asks = {ask.key: ask.amount for ask in bills._get_budget_asks()}
        self.assertEqual(
            {bill: float(amount) for bill, amount in asks.items()}, {bills[1]: 20.0, bills[2]: 5.0}
        )
        [finding] = self.as_user(bills[1], self.manager).cost_budget_findings
        self.assertRegex(finding["message"], r"this cost of.*20\.00.*exceeded by.*25\.00")

    def test_a_customer_named_after_posting_is_asked_for_as_well(self):
        self.company.customer_cost_budget_block_bills = True
        bill, within = (
            self.create_bill([(self.expense_account, amount, {})], ref=str(amount))
            for amount in (1300.0, 1200.0)
        )
        with self.assertRefused("this cost of.*1,300.*exceeded by.*100.00"), self.cr.savepoint():
            bill.invoice_line_ids.cost_customer_id = self.customer_a
        self.assertEqual(self.report(self.budget)[1:3], (0, 0))
        within.invoice_line_ids.cost_customer_id = self.customer_a
        self.assertEqual(self.report(self.budget)[1:3], (1200, 0))

    def test_a_request_is_settled_after_posting_within_its_amount(self):
        self.company.customer_cost_budget_block_bills = True
        request = self.create_cost(kind="request", amount=1200.0, post=True)
        bill, more = (
            self.create_bill([(self.expense_account, amount, {})], ref=str(amount))
            for amount in (1000.0, 250.0)
        )
        bill.invoice_line_ids.cost_request_id = request
        self.assertEqual(self.report(self.budget)[1:3], (1000, 200))
        with self.assertRefused("this cost of.*50.00.*exceeded by.*50.00"), self.cr.savepoint():
            more.invoice_line_ids.cost_request_id = request

    def test_a_limit_asks_for_one_more_review_of_a_bill(self):
        stage = self.env["customer.cost.review.stage"].with_context(active_test=False)
        stage = stage.search([("company_id", "=", self.company.id)])[1]
        stage.write({"active": True, "check_ids": [Command.clear()]})
        self.create_budget(
            600.0,
            customer_id=self.customer_b.id,
            bands=({"percentage": 100.0, "action": "review", "stage_id": stage.id},),
        )
        extra = {"cost_customer_id": self.customer_b.id}
        bill = self.create_bill([(self.expense_account, 601.0, extra)], post=False)
        with self.assertRefused("has to pass Second Review"):
            bill.action_post()
        bill.action_submit_cost_review()
        self.assertEqual(bill.cost_review_id.stage_id, stage)
        reviewer = self.users["reviewer"]
        reviewer.group_ids |= self.env.ref("account.group_account_readonly")
        bill.with_user(reviewer).action_approve_cost_review()
        bill.action_post()
        self.assertEqual(bill.state, "posted")

    def test_a_bill_within_its_budget_needs_no_review(self):
        stage = self.env["customer.cost.review.stage"].search([], limit=1)
        self.create_budget(
            600.0,
            customer_id=self.customer_b.id,
            bands=({"percentage": 100.0, "action": "review", "stage_id": stage.id},),
        )
        extra = {"cost_customer_id": self.customer_b.id}
        bill = self.create_bill([(self.expense_account, 600.0, extra)])
        self.assertEqual(bill.state, "posted")

    # ------------------------------------------------------------
    # Forging
    # ------------------------------------------------------------

    @mute_logger(*QUIET)
    def test_what_the_methods_own_is_not_set_over_rpc(self):
        draft = self.create_budget(5.0, confirm=False, name="Draft")
        guarded = {
            "state": "confirmed",
            "revision": 7,
            "revision_of_id": self.budget.id,
            "confirmed_by_id": self.manager.id,
            "confirmed_on": "2025-01-01 00:00:00",
            "touched": 5,
        }
        values = {
            "customer_id": self.customer_b.id,
            "name": "Forged",
            "date_from": "2025-01-01",
            "date_to": "2025-12-31",
        }
        for role in ("accountant", "manager"):
            user = self.users[role]
            for name, value in guarded.items():
                for context in ({}, {"customer_cost_guard": True}):
                    with self.subTest(f"{role} {name}"):
                        for call in (
                            ("write", draft.ids, {name: value}),
                            ("web_save", draft.ids, {name: value}, {"name": {}}),
                            ("create", {**values, name: value}),
                        ):
                            with self.assertRaises(AccessError):
                                self.rpc(user, BUDGET, *call, context=context)
                with self.assertRaises(AccessError):
                    self.rpc(user, BUDGET, "create", values, context={f"default_{name}": value})
        copied = self.env[BUDGET].browse(self.rpc(self.manager, BUDGET, "copy", self.budget.ids))
        self.assertEqual((copied.state, copied.revision), ("draft", 1))
        self.assertFalse(copied.confirmed_by_id)

    @mute_logger(*QUIET)
    def test_lines_of_a_confirmed_budget_are_not_reached_by_any_door(self):
        line = self.budget.line_ids[0]
        other = self.create_budget(5.0, confirm=False, name="Draft").line_ids[0]
        moved = {"budget_id": self.budget.id, "item_id": self.item.id}
        for user in (self.users["accountant"], self.manager):
            for model, *call in (
                (LINE, "write", line.ids, {"planned": 1.0}),
                (LINE, "unlink", line.ids),
                (LINE, "write", other.ids, moved),
                (LINE, "create", {**moved, "month": "2025-01-01", "planned": 1.0}),
                (BUDGET, "write", self.budget.ids, {"line_ids": [Command.clear()]}),
                (BUDGET, "write", self.budget.ids, {"customer_id": self.customer_b.id}),
                (BUDGET, "unlink", self.budget.ids),
            ):
                with self.subTest(f"{model} {call}"), self.assertRaises(UserError):
                    self.rpc(user, model, *call, context={"customer_cost_guard": True})
        for role in ("rep", "cost_user", "auditor"):
            with self.assertRaises(AccessError):
                self.rpc(self.users[role], LINE, "write", line.ids, {"planned": 1.0})
            with self.assertRaises(AccessError):
                self.rpc(self.users[role], BUDGET, "action_revise", self.budget.ids)
        self.assertEqual(self.budget.planned, 1200.0)


@tagged("post_install", "-at_install")
class TestCustomerLimits(BudgetCommon):
    """A customer's own limits: kept by cost accountants, warned of on costs."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.customer_a.with_company(cls.company).customer_cost_limit_month = 1000.0

    def test_a_cost_over_the_month_or_the_year_is_warned_of_and_goes_on(self):
        self.create_cost(amount=600.0, post=True)
        self.create_cost(amount=300.0).action_submit()
        self.assertEqual(self.levels(self.create_cost(amount=100.0)), [])
        entry = self.create_cost(amount=100.01)
        self.assertEqual(self.levels(entry), ["warn"])
        self.assertRegex(
            entry.findings[0]["message"],
            r"Cost Customer A costs.*1,000\.01 in March 2025. Its own limit is.*1,000\.00",
        )
        self.customer_a.with_company(self.company).customer_cost_limit_year = 950.0
        self.assertEqual(self.levels(self.create_cost(amount=60.0, date="2025-07-10")), ["warn"])
        self.assertEqual(self.levels(self.create_cost(amount=60.0, date="2024-07-10")), [])
        entry.action_submit()
        self.assertEqual(entry.state, "submitted")

    def test_a_cost_is_warned_of_in_the_months_it_serves(self):
        period = {"service_from": "2025-03-01", "service_to": "2025-08-31"}
        self.create_cost(amount=6000.0, **period).action_submit()
        self.assertEqual(self.levels(self.create_cost(amount=1000.0, date="2025-09-01")), [])
        entry = self.create_cost(amount=6.0, **period)
        self.assertRegex(entry.findings[0]["message"], r"1,001\.00 in March 2025")

    def test_limits_are_of_a_company_and_read_for_all_at_once(self):
        partners = self.env["res.partner"]
        self.customer_b.with_company(self.company).customer_cost_limit_margin_pct = 12.5
        self.assertEqual(
            partners._get_customer_cost_limits(self.company),
            {
                self.customer_a.id: {"customer_cost_limit_month": 1000.0},
                self.customer_b.id: {"customer_cost_limit_margin_pct": 12.5},
            },
        )
        other = self.setup_other_company()["company"]
        self.assertFalse(partners._get_customer_cost_limits(other))

    def test_a_changed_limit_stands_in_the_messages(self):
        customer = self.customer_a.with_company(self.company).with_context(tracking_disable=False)
        self.env.cr.precommit.run()
        before = customer.message_ids
        customer.write({"customer_cost_limit_month": 1200.0, "comment": "A note"})
        self.env.flush_all()
        self.env.cr.precommit.run()
        tracked = (customer.message_ids - before).sudo().tracking_value_ids
        [value] = tracked.filtered(lambda row: row.field_id.name == "customer_cost_limit_month")
        self.assertEqual((value.old_value_float, value.new_value_float), (1000.0, 1200.0))

    @mute_logger(*QUIET)
    def test_the_dialog_sets_limits_without_the_right_to_edit_contacts(self):
        customer = self.customer_b
        for role in ("accountant", "manager"):
            user = self.users[role]
            self.assertFalse(self.env["res.partner"].with_user(user).has_access("write"))
            action = customer.with_user(user).action_customer_cost_limits()
            dialog = (
                self.env["customer.cost.limits"]
                .with_user(user)
                .with_context(**action["context"])
                .create({"customer_cost_limit_year": 700.0})
            )
            dialog.action_save()
            self.assertEqual(customer.customer_cost_limit_year, 700.0)
            customer.customer_cost_limit_year = 0.0
        with self.assertRaisesText(AccessError, "Only a cost accountant changes"):
            customer.with_user(self.users["cost_user"]).action_customer_cost_limits()

    def test_a_changed_limit_reads_as_an_amount_to_who_sees_figures(self):
        customer = self.customer_b.with_company(self.company).with_user(self.env.user)
        customer = customer.with_context(tracking_disable=False, mail_notrack=False)
        self.env.cr.precommit.run()
        customer.customer_cost_limit_month = 700.0
        self.env.cr.precommit.run()
        tracked = customer.message_ids.sudo().tracking_value_ids
        [shown] = tracked._tracking_value_format()
        self.assertEqual(shown["fieldInfo"]["fieldType"], "monetary")
        self.assertEqual(shown["fieldInfo"]["currencyId"], self.company.currency_id.id)
        self.assertEqual(shown["newValue"], 700.0)
        hidden = tracked.with_user(self.users["internal"])._filter_has_field_access(
            self.env(user=self.users["internal"])
        )
        self.assertFalse(hidden)

    def test_only_a_cost_accountant_changes_a_limit(self):
        user = self.create_user("cost_seller", "rep")
        user.group_ids |= self.env.ref("base.group_partner_manager")
        self.customer_a.user_id = user
        write = ("write", self.customer_a.ids, {"customer_cost_limit_month": 5000.0})
        create = ("create", {"name": "New", "customer_cost_limit_month": 5.0})
        for call in (write, create):
            with self.assertRaisesText(AccessError, "Only a cost accountant changes"):
                self.rpc(user, "res.partner", *call)
        clerk = self.create_user("cost_contacts", "internal")
        clerk.group_ids |= self.env.ref("base.group_partner_manager")
        with self.assertRaises(AccessError):
            self.rpc(clerk, "res.partner", *write)
        with self.assertRaises(AccessError):
            self.rpc(
                clerk,
                "res.partner",
                "read",
                self.customer_a.ids,
                ["customer_cost_limit_month"],
            )
        accountant = self.users["accountant"]
        accountant.group_ids |= self.env.ref("base.group_partner_manager")
        self.rpc(accountant, "res.partner", *write)
        with self.assertRaisesText(ValidationError, "number from 0"):
            self.rpc(
                accountant,
                "res.partner",
                "write",
                self.customer_a.ids,
                {"customer_cost_limit_month": -1.0},
            )
        customer = self.customer_a.with_company(self.company)
        self.assertEqual(customer.customer_cost_limit_month, 5000.0)

    @freeze_time("2025-06-15")
    def test_the_customer_form_shows_use_to_who_sees_the_customer(self):
        self.create_budget(1200.0)
        self.create_cost(amount=250.0, date="2025-06-10", post=True)
        self.create_cost(amount=50.0, date="2025-05-10").action_submit()
        for role in ("rep", "cost_user", "auditor"):
            partner = self.customer_a.with_user(self.users[role]).with_company(self.company)
            used = (partner.customer_cost_month_used, partner.customer_cost_year_used)
            self.assertEqual(used, (250.0, 300.0), role)
            [bar] = partner.customer_cost_budget
            figures = [bar[name] for name in ("planned", "actual", "committed", "available")]
            self.assertEqual(figures, [1200.0, 250.0, 50.0, 900.0], role)
        self.create_budget(1200.0, customer_id=self.customer_b.id)
        other = self.customer_b.with_user(self.rep).with_company(self.company)
        self.assertFalse(other.customer_cost_budget)
        self.assertFalse(other.customer_cost_year_used)
