from freezegun import freeze_time

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import tagged

from .common import CustomerCostCommon


class BudgetCommon(CustomerCostCommon):
    """Budgets of 2025, planned by the accountant and confirmed by the manager."""

    @classmethod
    def create_budget(
        cls,
        planned=1200.0,
        bands=({"percentage": 100.0, "action": "block"},),
        lines=None,
        confirm=True,
        year=2025,
        **vals,
    ):
        """``planned`` spread over the year, or ``lines`` of ``(item, month, amount)``."""
        env = cls.env(user=cls.users["accountant"])
        if not {"customer_id", "category_id"} & set(vals):
            vals["customer_id"] = cls.customer_a.id
        budget = env["customer.cost.budget"].create(
            {
                "name": "Plan",
                "company_id": cls.company.id,
                "date_from": "2025-01-01",
                "date_to": "2025-12-31",
                "band_ids": [Command.create(band) for band in bands],
                **vals,
            }
        )
        if lines is None:
            env["customer.cost.budget.fill"].create(
                {"budget_id": budget.id, "amount": planned}
            ).action_apply()
        else:
            budget.line_ids = [
                Command.create(
                    {
                        "item_id": item and item.id,
                        "month": f"{year}-{month:02}-01",
                        "planned": amount,
                    }
                )
                for item, month, amount in lines
            ]
        if confirm:
            budget.with_user(cls.users["manager"]).action_confirm()
        return budget

    def levels(self, entry):
        entry.invalidate_recordset(["findings"])
        return [finding["level"] for finding in entry.findings or []]

    def report(self, budget):
        """Planned, actual, committed and available of a budget."""
        self.env.flush_all()
        [row] = self.env["customer.cost.budget.report"]._read_group(
            [("budget_id", "=", budget.id)],
            [],
            ["planned:sum", "actual:sum", "committed:sum", "available:sum"],
        )
        return tuple(round(amount, 2) for amount in row)


@tagged("post_install", "-at_install")
class TestBudgetControl(BudgetCommon):
    """What a budget says of a cost, from draft on, and what counts against it."""

    def test_exactly_at_a_limit_is_allowed_and_a_cent_more_is_not(self):
        self.create_budget(1200.0, [{"percentage": 110.0, "action": "block"}])
        self.assertEqual(self.levels(self.create_cost(amount=1320.0)), [])
        self.assertEqual(self.levels(self.create_cost(amount=1320.01)), ["block"])

    def test_we_50_threshold_of_110_percent(self):
        self.create_budget(100000.0, [{"percentage": 110.0, "action": "block"}])
        for amount, levels in ((105000, []), (109000, []), (110000, []), (111000, ["block"])):
            self.assertEqual(self.levels(self.create_cost(amount=amount)), levels, amount)

    def test_we_51_warning_second_warning_and_refusal(self):
        stage = self.env["customer.cost.review.stage"].create(
            {"name": "Budget review", "company_id": self.company.id}
        )
        self.create_budget(
            100000.0,
            [
                {"percentage": 80.0, "action": "warn"},
                {"amount": 1000.0, "action": "review", "stage_id": stage.id},
                {"percentage": 110.0, "action": "block"},
            ],
        )
        for amount, levels in (
            (80000, []),
            (80001, ["warn"]),
            (101000, ["warn"]),
            (101001, ["review"]),
            (110000, ["review"]),
            (110001, ["block"]),
        ):
            entry = self.create_cost(amount=amount)
            self.assertEqual(self.levels(entry), levels, amount)
            findings = entry._get_findings().get(entry, [])
            stages = [finding.stage for finding in findings if finding.stage]
            self.assertEqual(stages, [stage] if levels == ["review"] else [])

    def test_of_percentage_and_amount_the_first_to_be_hit_fires(self):
        self.create_budget(1000.0, [{"percentage": 120.0, "amount": 50.0, "action": "block"}])
        self.assertEqual(self.levels(self.create_cost(amount=1050.0)), [])
        self.assertEqual(self.levels(self.create_cost(amount=1050.01)), ["block"])

    def test_a_block_refuses_submission_with_every_figure(self):
        self.create_cost(amount=700.0, post=True)
        self.create_cost(amount=200.0, post=False).action_submit()
        self.create_budget(1000.0)
        entry = self.create_cost(amount=150.0)
        with self.assertRefused(
            r"planned.*1,000\.00, actual.*700\.00, committed.*200\.00. With this cost of.*150\.00,"
            r".*-.*50\.00 would be left. The limit is.*1,000\.00 \(100 % of the plan\), exceeded "
            r"by.*50\.00"
        ):
            entry.action_submit()
        self.assertEqual(entry.state, "draft")

    def test_the_rest_is_used_and_nothing_is_counted_twice_along_a_chain(self):
        budget = self.create_budget(1000.0)
        request = self.create_cost(kind="request", amount=600.0)
        self.assertEqual(self.report(budget), (1000, 0, 0, 1000))
        request.action_submit()
        self.assertEqual(self.report(budget), (1000, 0, 600, 400))
        self.assertEqual(self.levels(request), [])
        request.with_user(self.users["reviewer"]).action_approve()
        self.assertEqual(self.report(budget), (1000, 0, 600, 400))
        bill = self.create_bill(
            [
                (
                    self.expense_account,
                    600.0,
                    {"cost_customer_id": self.customer_a.id, "cost_request_id": request.id},
                )
            ],
            post=False,
        )
        self.assertEqual(self.report(budget), (1000, 0, 600, 400))
        self.assertFalse(bill.cost_budget_findings)
        bill.action_post()
        self.assertEqual(self.report(budget), (1000, 600, 0, 400))

    def test_the_reviewer_sees_what_the_tightest_budget_has_left(self):
        self.create_budget(1200.0, bands=())
        self.create_budget(600.0, bands=())
        entry = self.create_cost(amount=100.0)
        entry.action_submit()
        self.assertEqual(entry._get_budget_left(), 500.0)
        texts = dict(entry.sudo()._get_review_figures())
        self.assertIn("500.00", texts["Budget left after commitments"])
        other = self.create_cost(customer_id=self.customer_b.id)
        self.assertIsNone(other._get_budget_left())

    def test_costs_of_one_batch_see_each_other(self):
        self.create_budget(1000.0)
        entries = self.create_cost(amount=600.0) | self.create_cost(amount=600.0)
        self.assertEqual([self.levels(entry) for entry in entries], [[], []])
        with self.assertRefused("exceeded by.*200.00"):
            entries.action_submit()
        entries[0].action_submit()
        self.assertEqual(self.levels(entries[1]), ["block"])

    def test_no_context_of_a_caller_hides_a_batch_from_itself(self):
        self.create_budget(1000.0)
        entries = self.create_cost(amount=600.0) | self.create_cost(amount=600.0)
        with self.assertRefused("exceeded by.*200.00"):
            self.rpc(
                self.users["accountant"],
                "customer.cost.entry",
                "action_submit",
                entries.ids,
                context={"customer_cost_findings": True},
            )

    def test_a_batch_costs_the_queries_of_one(self):
        customers = self.customer_a | self.customer_b | self.customer_c
        for customer in customers:
            self.create_budget(1000.0, customer_id=customer.id)
            customer.with_company(self.company).customer_cost_limit_month = 500.0
        entries = self.env["customer.cost.entry"].concat(
            *(self.create_cost(amount=1100.0, customer_id=c.id) for c in customers for _n in "ab")
        )

        def count(records):
            self.env.flush_all()
            self.env.invalidate_all()
            records.mapped("amount_company"), records.mapped("item_id.parent_path")
            start = self.env.cr.sql_log_count
            records._get_findings()
            return self.env.cr.sql_log_count - start

        count(entries)
        self.assertEqual(count(entries), count(entries[:1]))
        entries.write({"service_from": "2025-02-10", "service_to": "2025-12-20"})
        count(entries)
        self.assertEqual(count(entries), count(entries[:1]))

    def test_a_cost_takes_the_most_specific_line(self):
        child = self.create_item("T-TRV-AIR", "Air travel", parent_id=self.item.id)
        budget = self.create_budget(
            lines=[(self.item, 3, 500.0), (child, 3, 100.0), (None, 3, 50.0)]
        )
        for item, amount in ((self.item, 400.0), (child, 90.0), (self.other_item, 40.0)):
            self.create_cost(item_id=item.id, amount=amount, post=True)
        self.env.flush_all()
        rows = self.env["customer.cost.budget.report"].search([("budget_id", "=", budget.id)])
        self.assertEqual(
            {row.item_id: (row.planned, row.actual) for row in rows},
            {
                self.item: (500.0, 400.0),
                child: (100.0, 90.0),
                self.env["customer.cost.item"]: (50.0, 40.0),
            },
        )
        self.assertEqual(self.levels(self.create_cost(item_id=child.id, amount=11.0)), ["block"])
        self.assertEqual(self.levels(self.create_cost(amount=100.0)), [])

    def test_a_line_of_a_payment_method_takes_only_what_is_paid_so(self):
        budget = self.create_budget(
            lines=[(self.item, 3, 500.0)],
            bands=[{"percentage": 100.0, "action": "warn"}],
            confirm=False,
        )
        budget.line_ids = [
            Command.create(
                {
                    "item_id": self.item.id,
                    "month": "2025-03-01",
                    "planned": 100.0,
                    "payment_method": "own",
                }
            )
        ]
        budget.with_user(self.users["manager"]).action_confirm()
        self.create_cost(amount=80.0, payment_method="own", post=True)
        self.create_cost(amount=300.0, post=True)
        self.assertEqual(self.levels(self.create_cost(amount=30.0, payment_method="own")), ["warn"])
        self.assertEqual(self.levels(self.create_cost(amount=200.0)), [])

    def test_control_by_month_to_date_and_whole_period(self):
        lines = [(None, month, 100.0) for month in range(1, 13)]
        for control, allowed, refused in (
            ("month", 100.0, 100.01),
            ("to_date", 300.0, 300.01),
            ("whole", 1200.0, 1200.01),
        ):
            budget = self.create_budget(lines=lines, control=control)
            self.assertEqual(self.levels(self.create_cost(amount=allowed)), [], control)
            self.assertEqual(self.levels(self.create_cost(amount=refused)), ["block"], control)
            budget.with_user(self.users["manager"]).action_close()

    def serve(self, first, last, **vals):
        return self.create_cost(service_from=first, service_to=last, **vals)

    def test_a_cost_asks_each_month_it_serves_for_its_share(self):
        self.create_budget(lines=[(None, month, 100.0) for month in range(1, 13)], control="month")
        entry = self.serve("2025-03-01", "2025-08-31", amount=600.0)
        self.assertEqual(self.levels(entry), [])
        entry.action_submit()
        more = self.serve("2025-08-01", "2025-09-30", amount=100.0)
        self.assertEqual(self.levels(more), ["block"])
        self.assertRegex(more.findings[0]["message"], r"Aug 2025: .*exceeded by.*50\.00")
        self.assertEqual(self.levels(self.serve("2025-09-01", "2025-09-30")), [])

    def test_costs_of_other_days_that_serve_one_month_share_its_budget(self):
        self.create_budget(lines=[(None, month, 100.0) for month in range(1, 13)], control="month")
        may = ("2025-05-01", "2025-05-31")
        self.serve(*may, date="2025-06-10").action_submit()
        late = self.serve(*may, date="2025-07-10")
        self.assertEqual(self.levels(late), ["block"])
        self.assertRegex(late.findings[0]["message"], r"May 2025: planned.*exceeded by.*100\.00")
        with self.assertRefused("May 2025"):
            late.action_submit()

    def test_the_months_of_a_cost_add_up_under_control_of_the_whole_period(self):
        self.create_budget(600.0, control="whole")
        self.assertEqual(self.levels(self.serve("2025-03-01", "2025-08-31", amount=600.0)), [])
        over = self.serve("2025-03-01", "2025-08-31", amount=600.01)
        self.assertEqual(self.levels(over), ["block"])
        with self.assertRefused(r"exceeded by.*0\.01"):
            over.action_submit()

    def test_a_closed_service_month_counts_where_the_ledger_has_it(self):
        budget = self.create_budget(
            lines=[(None, month, 100.0) for month in range(1, 13)], control="month"
        )
        entry = self.serve("2025-02-01", "2025-03-31", amount=100.0)
        self.close_period("2025-02-10")
        self.assertEqual(self.levels(entry), [])
        entry.amount = 100.01
        self.assertRegex(entry.findings[0]["message"], "Mar 2025: .*exceeded by")
        entry.amount = 100.0
        entry.action_submit()
        self.env.flush_all()
        for column in ("committed", "actual"):
            rows = self.env["customer.cost.budget.report"].search(
                [("budget_id", "=", budget.id), (column, "!=", 0)]
            )
            self.assertEqual([(str(r.month), r[column]) for r in rows], [("2025-03-01", 100.0)])
            if entry.state == "submitted":
                entry.with_user(self.users["reviewer"]).action_approve()
                self.env.flush_all()
                self.env.invalidate_all()

    def test_a_back_dated_cost_is_seen_by_the_months_after_it(self):
        self.create_budget(lines=[(None, m, 100.0) for m in (1, 2, 3)], control="to_date")
        self.create_cost(amount=250.0, date="2025-03-10", post=True)
        self.assertEqual(self.levels(self.create_cost(amount=50.0, date="2025-01-10")), [])
        self.assertEqual(self.levels(self.create_cost(amount=50.01, date="2025-01-10")), ["block"])

    def test_a_row_opens_the_costs_and_commitments_it_counts(self):
        budget = self.create_budget(lines=[(self.item, 3, 500.0), (None, 3, 500.0)])
        counted = self.create_cost(amount=30.0, post=True)
        self.create_cost(amount=50.0, item_id=self.other_item.id, post=True)
        self.create_cost(amount=70.0, date="2025-04-10", post=True)
        waiting = self.create_cost(amount=20.0)
        waiting.action_submit()
        self.env.flush_all()
        rows = self.env["customer.cost.budget.report"].search(
            [("budget_id", "=", budget.id), ("item_id", "=", self.item.id), ("actual", "=", 30)]
        )
        costs = rows.action_open_costs()
        self.assertEqual(self.env[costs["res_model"]].search(costs["domain"]).entry_id, counted)
        commitments = rows.action_open_commitments()
        self.assertEqual(
            self.env[commitments["res_model"]].search(commitments["domain"]).entry_id, waiting
        )

    def test_full_cost_counts_posted_allocations_and_direct_cost_does_not(self):
        direct = self.create_budget(1000.0)
        full = self.create_budget(1000.0, basis="full", name="Full")
        self.create_cost(customer_id=False, amount=400.0, post=True)
        self.create_rule(self.create_driver({self.customer_a: 1, self.customer_b: 3}))
        run = self.create_run()
        self.assertEqual(self.report(full), (1000, 0, 0, 1000))
        run.action_post()
        self.assertEqual(self.report(full), (1000, 100, 0, 900))
        self.assertEqual(self.report(direct), (1000, 0, 0, 1000))

    def test_of_several_budgets_the_strictest_answer_wins_and_each_says_the_other(self):
        wide = self.create_budget(5000.0, [{"percentage": 10.0, "action": "warn"}], name="Wide")
        tight = self.create_budget(1000.0, name="Tight")
        entry = self.create_cost(amount=1001.0)
        self.assertEqual(self.levels(entry), ["block", "warn"])
        self.assertEqual(tight.overlap_note, "Wide")
        self.assertEqual(wide.overlap_note, "Tight")

    def test_a_foreign_cost_is_compared_after_conversion(self):
        currency = self.env["res.currency"].create({"name": "TBC", "symbol": "T"})
        self.env["res.currency.rate"].create(
            {
                "currency_id": currency.id,
                "name": "2025-01-01",
                "rate": 1 / 80,
                "company_id": self.company.id,
            }
        )
        self.create_budget(10000.0)
        entry = self.create_cost(amount=125.0, currency_id=currency.id)
        self.assertEqual(self.levels(entry), [])
        entry = self.create_cost(amount=126.0, currency_id=currency.id)
        with self.assertRefused(r"this cost of.*10,080\.00.*exceeded by.*80\.00"):
            entry.action_submit()

    def test_a_draft_or_closed_budget_and_one_without_limits_control_nothing(self):
        self.create_budget(100.0, confirm=False, name="Draft")
        self.create_budget(100.0, bands=(), name="Free")
        self.create_budget(100.0, name="Closed").with_user(self.users["manager"]).action_close()
        self.assertEqual(self.levels(self.create_cost(amount=1000.0)), [])

    def test_other_companies_customers_and_reversals_are_none_of_its_business(self):
        budget = self.create_budget(100.0)
        self.assertEqual(
            self.levels(self.create_cost(amount=1000.0, customer_id=self.customer_b.id)), []
        )
        other = self.setup_other_company()["company"]
        self.env.user.company_ids |= other
        other.customer_cost_max_days_back = 36500
        entry = self.env["customer.cost.entry"].create(
            {
                "company_id": other.id,
                "currency_id": other.currency_id.id,
                "date": "2025-03-10",
                "item_id": self.item.id,
                "customer_id": self.customer_a.id,
                "amount": 1000.0,
            }
        )
        self.assertEqual(self.levels(entry), [])
        self.assertEqual(self.report(budget)[1:3], (0, 0))
        cost = self.create_cost(amount=100.0, post=True)
        cost.with_user(self.users["accountant"]).action_reverse()
        self.assertEqual(self.levels(cost.reversal_ids), [])

    def test_findings_show_while_a_new_cost_is_typed(self):
        self.create_budget(100.0)
        entry = (
            self.env["customer.cost.entry"]
            .with_user(self.rep)
            .new(
                {
                    "company_id": self.company.id,
                    "currency_id": self.company.currency_id.id,
                    "date": "2025-03-10",
                    "item_id": self.item.id,
                    "customer_id": self.customer_a.id,
                    "amount": 101.0,
                }
            )
        )
        self.assertEqual([finding["level"] for finding in entry.findings], ["block"])
        self.assertTrue(entry.over_budget)


@tagged("post_install", "-at_install")
@freeze_time("2025-06-15")
class TestBudgetClass(BudgetCommon):
    """A budget of a class counts a cost when its customer had the tag on the day of the cost."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.tag, cls.other_tag = cls.env["res.partner.category"].create(
            [{"name": "Class one"}, {"name": "Class two"}]
        )

    def actual(self, budget):
        return self.report(budget)[1]

    def test_a_tag_held_from_the_start_covers_every_day(self):
        partner = self.env["res.partner"].create(
            {"name": "Tagged", "is_company": True, "category_id": [Command.set(self.tag.ids)]}
        )
        budget = self.create_budget(1000.0, category_id=self.tag.id)
        self.create_cost(customer_id=partner.id, amount=50.0, post=True)
        self.create_cost(amount=70.0, post=True)
        self.assertEqual(self.actual(budget), 50)

    def test_a_tag_gained_or_lost_counts_from_its_day(self):
        budget = self.create_budget(1000.0, category_id=self.tag.id)
        self.customer_a.category_id = self.tag
        self.create_cost(amount=10.0, date="2025-06-14", post=True)
        self.create_cost(amount=20.0, date="2025-06-15", post=True)
        self.assertEqual(self.actual(budget), 20)
        with freeze_time("2025-06-20"):
            self.customer_a.category_id = False
            self.create_cost(amount=40.0, date="2025-06-19", post=True)
            self.create_cost(amount=80.0, date="2025-06-20", post=True)
        self.assertEqual(self.actual(budget), 60)

    def test_a_tag_held_always_and_removed_keeps_its_past(self):
        self.env.cr.execute(
            "INSERT INTO res_partner_res_partner_category_rel (partner_id, category_id) "
            "VALUES (%s, %s)",
            (self.customer_a.id, self.tag.id),
        )
        self.env.invalidate_all()
        budget = self.create_budget(1000.0, category_id=self.tag.id)
        self.create_cost(amount=10.0, post=True)
        self.tag.partner_ids = [Command.unlink(self.customer_a.id)]
        self.create_cost(amount=20.0, date="2025-06-15", post=True)
        self.assertEqual(self.actual(budget), 10)

    def test_a_tag_gained_and_lost_on_one_day_was_held_that_day(self):
        self.customer_a.category_id = self.tag
        self.customer_a.category_id = False
        member = self.env["customer.cost.class.member"].search(
            [("customer_id", "=", self.customer_a.id)]
        )
        self.assertEqual(len(member), 1)
        budget = self.create_budget(1000.0, category_id=self.tag.id)
        self.create_cost(amount=10.0, post=True)
        self.assertEqual(self.actual(budget), 0)

    def test_a_class_holds_the_tags_below_it_and_counts_a_customer_once(self):
        below = self.env["res.partner.category"].create({"name": "Below", "parent_id": self.tag.id})
        partner = self.env["res.partner"].create(
            {
                "name": "Twice tagged",
                "is_company": True,
                "category_id": [Command.set((self.tag | below).ids)],
            }
        )
        budget = self.create_budget(1000.0, category_id=self.tag.id)
        self.create_cost(customer_id=partner.id, amount=50.0, post=True)
        self.assertEqual(self.actual(budget), 50)
        entry = self.create_cost(customer_id=partner.id, amount=951.0)
        self.assertEqual(self.levels(entry), ["block"])

    def test_merged_customers_keep_the_classes_they_had(self):
        partner = self.env["res.partner"].create(
            {"name": "Tagged", "is_company": True, "category_id": [Command.set(self.tag.ids)]}
        )
        budget = self.create_budget(1000.0, category_id=self.tag.id)
        self.create_cost(customer_id=partner.id, amount=50.0, post=True)
        self.env["base.partner.merge.automatic.wizard"]._merge(
            [partner.id, self.customer_b.id], self.customer_b
        )
        self.assertEqual(self.actual(budget), 50)

    def test_a_budget_follows_its_customer_into_a_merge_and_two_stop_it(self):
        budget = self.create_budget(1000.0, name="Plan A")
        self.create_cost(amount=50.0, post=True)
        merge = self.env["base.partner.merge.automatic.wizard"]
        merge._merge([self.customer_a.id, self.customer_c.id], self.customer_c)
        self.assertEqual(budget.customer_id, self.customer_c)
        self.assertEqual(self.actual(budget), 50)
        self.create_budget(500.0, customer_id=self.customer_b.id, name="Plan B")
        with self.assertRaisesText(UserError, "Plan A and Plan B cover the same months"):
            merge._merge([self.customer_b.id, self.customer_c.id], self.customer_b)

    def test_a_rep_learns_of_a_class_budget_no_more_than_the_excess(self):
        self.customer_a.category_id = self.tag
        self.create_budget(1000.0, category_id=self.tag.id)
        self.create_cost(customer_id=self.customer_a.id, amount=900.0, date="2025-06-15", post=True)
        entry = self.create_cost(user=self.rep, amount=150.0, date="2025-06-15")
        [finding] = entry.findings
        self.assertRegex(finding["message"], r"^A limit of budget Plan is exceeded by.*50\.00\.$")
        [finding] = entry.with_user(self.users["manager"]).findings
        self.assertIn("900.00", finding["message"])


@tagged("post_install", "-at_install")
class TestBudgetPlan(BudgetCommon):
    """Filling, confirming, revising and closing a budget."""

    def fill(self, budget, **vals):
        wizard = self.env["customer.cost.budget.fill"].with_user(self.users["accountant"])
        return wizard.create({"budget_id": budget.id, **vals})

    def test_we_52_even_spread_is_exact_to_the_cent(self):
        budget = self.create_budget(120000.0, confirm=False)
        self.assertEqual(budget.line_ids.mapped("planned"), [10000.0] * 12)
        self.fill(budget, amount=100000.0).action_apply()
        amounts = budget.line_ids.mapped("planned")
        self.assertEqual(amounts, [8333.34] * 4 + [8333.33] * 8)
        self.assertEqual(budget.planned, 100000.0)

    def test_the_preview_shows_what_is_filled_in(self):
        budget = self.create_budget(100.0, confirm=False)
        wizard = self.fill(budget, amount=70.0, item_id=self.item.id)
        self.assertEqual((len(wizard.line_ids), wizard.total), (12, 70.0))
        wizard.action_apply()
        self.assertEqual(budget.planned, 170.0)
        with self.assertRefused("nothing to fill in"):
            self.fill(budget, amount=0.0).action_apply()

    def test_copy_of_last_years_budget_with_a_change(self):
        before = self.create_budget(
            lines=[(self.item, 2, 100.05), (None, 5, 10.0)], date_from="2025-01-01"
        )
        budget = self.create_budget(
            lines=(), confirm=False, date_from="2026-01-01", date_to="2026-12-31"
        )
        wizard = self.fill(budget, method="budget", change_pct=10.0)
        self.assertEqual(wizard.source_id, before)
        wizard.action_apply()
        self.assertEqual(
            {(line.item_id, str(line.month)): line.planned for line in budget.line_ids},
            {
                (self.item, "2026-02-01"): 110.06,
                (self.env["customer.cost.item"], "2026-05-01"): 11.0,
            },
        )

    def test_copy_of_last_years_actual_cost(self):
        self.create_cost(amount=100.0, date="2025-03-10", post=True)
        self.create_cost(amount=50.0, date="2025-12-31", post=True)
        self.create_cost(amount=70.0, customer_id=self.customer_b.id, post=True)
        budget = self.create_budget(
            lines=(), confirm=False, date_from="2026-01-01", date_to="2026-12-31"
        )
        self.fill(budget, method="actual", change_pct=-10.0).action_apply()
        self.assertEqual(
            [(line.item_id, str(line.month), line.planned) for line in budget.line_ids],
            [(self.item, "2026-03-01", 90.0), (self.item, "2026-12-01", 45.0)],
        )

    def test_plan_runs_fill_the_months_and_items_that_they_charge(self):
        driver = self.create_driver({self.customer_a: 1, self.customer_b: 2}, day="2025-01-31")
        self.create_rule(driver, items=self.item)
        driver.value_ids.copy({"date": "2025-02-28"})
        for day in ("2025-01-10", "2025-02-10"):
            self.create_entry_move([(self.expense_account, 100.0, {})], day=day)
        january, older, february = (
            self.create_run(day, kind="plan") for day in ("2025-01-31", "2025-02-28", "2025-02-28")
        )
        self.create_run("2025-03-31", kind="plan", compute=False)
        budget = self.create_budget(
            confirm=False,
            basis="full",
            lines=[
                (self.item, 1, 7.0),
                (self.other_item, 1, 8.0),
                (None, 2, 9.0),
                (self.item, 3, 10.0),
            ],
        )
        wizard = self.fill(budget, method="plan")
        self.assertEqual(wizard.run_ids, january | february)
        self.assertEqual(wizard.line_ids.mapped("planned"), [33.33, 33.33])
        self.assertTrue(wizard.unplanned_note.startswith("Mar 2025, Apr 2025"))
        wizard.action_apply()
        before = self.plan(budget)
        self.assertEqual(
            before,
            {
                (self.item, 1): 33.33,
                (self.other_item, 1): 8.0,
                (self.item, 2): 33.33,
                (self.env["customer.cost.item"], 2): 9.0,
                (self.item, 3): 10.0,
            },
        )
        for runs, text in (
            (january | older | february, "are of the same month: keep one of them"),
            (self.create_run("2025-01-31", kind="simulation"), "is no computed plan run"),
        ):
            with self.assertRefused(text):
                self.fill(budget, method="plan", run_ids=runs.ids).action_apply()
        self.assertEqual(self.plan(budget), before)
        # what the items of the run charge to nobody of the budget any more gives way as well
        budget.customer_id = self.customer_b
        self.fill(budget, method="plan", run_ids=older.ids).action_apply()
        self.assertEqual(self.plan(budget)[self.item, 2], 66.67)
        with self.assertRaises(AccessError):
            wizard.with_user(self.users["reviewer"]).action_apply()

    def plan(self, budget):
        return {(line.item_id, line.month.month): line.planned for line in budget.line_ids}

    def test_lines_are_imported_by_code_and_month(self):
        budget = self.create_budget(lines=(), confirm=False)
        lines = self.env["customer.cost.budget.line"].with_user(self.users["accountant"])
        result = lines.with_context(default_budget_id=budget.id).load(
            ["item_id", "payment_method", "month", "planned"],
            [["T-TRV", "", "2025-01-15", "10.5"], ["", "Paid by the employee", "2025-02-01", "3"]],
        )
        self.assertFalse(result["messages"], result)
        self.assertEqual(budget.line_ids.mapped("planned"), [10.5, 3.0])
        self.assertEqual(str(budget.line_ids[0].month), "2025-01-01")

    def test_bad_plans_are_refused_with_their_reason(self):
        with self.assertRaisesText(ValidationError, "either a customer or a customer class"):
            self.create_budget(category_id=False, customer_id=False)
        with self.assertRaisesText(ValidationError, "of whole months"):
            self.create_budget(date_to="2025-12-30")
        with self.assertRaisesText(ValidationError, "lies outside Plan"):
            self.create_budget(lines=[(None, 3, 1.0)], date_from="2025-04-01")
        with self.assertRaisesText(ValidationError, "needs a percentage"):
            self.create_budget(bands=[{"action": "warn"}])
        with self.assertRaisesText(ValidationError, "has a stage"):
            self.create_budget(bands=[{"percentage": 5, "action": "review"}])
        with self.assertRaisesText(UserError, "plans nothing"):
            self.create_budget(lines=())

    def test_a_confirmed_budget_changes_by_revision_alone(self):
        budget = self.create_budget(1200.0)
        line = budget.line_ids[0]
        for change in (
            lambda: budget.write({"control": "month"}),
            lambda: line.write({"planned": 5.0}),
            lambda: line.unlink(),
            lambda: budget.band_ids.unlink(),
            lambda: budget.write({"line_ids": [Command.delete(line.id)]}),
            lambda: line.copy({"month": "2025-02-01", "item_id": self.item.id}),
            lambda: budget.unlink(),
        ):
            with self.assertRaisesText(UserError, "Plan is confirmed"):
                change()
        self.assertEqual(budget.planned, 1200.0)

    def test_a_revision_keeps_the_earlier_version_and_shows_the_difference(self):
        budget = self.create_budget(1200.0)
        revision = self.env["customer.cost.budget"].browse(budget.action_revise()["res_id"])
        self.assertEqual(revision.revision, 2)
        self.assertEqual(budget.action_revise()["res_id"], revision.id)
        line = revision.line_ids[0]
        line.with_user(self.users["accountant"]).planned = 150.0
        self.assertEqual((line.earlier_planned, line.difference), (100.0, 50.0))
        self.assertEqual(self.levels(self.create_cost(amount=1210.0)), ["block"])
        revision.with_user(self.users["manager"]).action_confirm()
        self.assertEqual((budget.state, revision.state), ("superseded", "confirmed"))
        self.assertEqual(budget.planned, 1200.0)
        self.assertEqual(self.levels(self.create_cost(amount=1210.0)), [])
        with self.assertRefused("only a confirmed budget is revised"):
            budget.action_revise()

    def test_a_revision_names_the_lines_that_it_drops(self):
        budget = self.create_budget(lines=[(self.item, 3, 70.0), (None, 4, 30.0)])
        revision = self.env["customer.cost.budget"].browse(budget.action_revise()["res_id"])
        self.assertFalse(revision.removed_note)
        revision.line_ids[0].unlink()
        self.assertRegex(revision.removed_note, r"Test travel, Mar 2025: .*70\.00")

    def test_the_plan_of_a_closed_month_stays(self):
        budget = self.create_budget(1200.0)
        self.close_period("2025-03-10")
        revision = self.env["customer.cost.budget"].browse(budget.action_revise()["res_id"])
        march = revision.line_ids.filtered(lambda line: line.month.month == 3)
        march.planned = 1.0
        with self.assertRaisesText(UserError, "period of March 2025 is closed"):
            revision.with_user(self.users["manager"]).action_confirm()
        march.planned = 100.0
        revision.line_ids[-1].planned = 1.0
        revision.with_user(self.users["manager"]).action_confirm()

    def test_only_a_manager_confirms_and_closes(self):
        budget = self.create_budget(100.0, confirm=False)
        accountant = budget.with_user(self.users["accountant"])
        with self.assertRaisesText(AccessError, "Only a cost manager confirms"):
            accountant.action_confirm()
        budget.with_user(self.users["manager"]).action_confirm()
        with self.assertRaisesText(AccessError, "Only a cost manager closes"):
            accountant.action_close()

    def test_a_budget_of_another_company_is_out_of_reach(self):
        other = self.setup_other_company()["company"]
        budget = (
            self.env["customer.cost.budget"]
            .sudo()
            .create(
                {
                    "customer_id": self.customer_a.id,
                    "company_id": other.id,
                    "date_from": "2025-01-01",
                    "date_to": "2025-12-31",
                    "line_ids": [Command.create({"month": "2025-01-01", "planned": 1.0})],
                }
            )
        )
        for role in ("rep", "cost_user", "accountant", "manager", "auditor"):
            for model, records in (
                ("customer.cost.budget", budget),
                ("customer.cost.budget.line", budget.line_ids),
            ):
                found = self.env[model].with_user(self.users[role]).search([])
                self.assertFalse(found & records, role)
        with self.assertRaises(AccessError):
            budget.with_user(self.users["manager"]).action_confirm()

    def test_a_customer_that_becomes_a_contact_takes_its_budget_along(self):
        budget = self.create_budget(100.0)
        self.customer_a.write({"parent_id": self.customer_b.id, "is_company": False})
        self.assertEqual(budget.customer_id, self.customer_b)

    def test_who_reads_budgets(self):
        own = self.create_budget(100.0)
        other = self.create_budget(100.0, customer_id=self.customer_b.id)
        self.env.flush_all()
        for role, count in (("rep", 1), ("cost_user", 2), ("accountant", 2), ("auditor", 2)):
            user = self.users[role]
            found = self.env["customer.cost.budget"].with_user(user).search([])
            self.assertEqual(len(found & (own | other)), count, role)
            rows = self.env["customer.cost.budget.report"].with_user(user).search([])
            self.assertEqual(len(rows.budget_id & (own | other)), count, role)
        for role in ("reviewer", "internal"):
            with self.assertRaises(AccessError):
                self.env["customer.cost.budget"].with_user(self.users[role]).search([])
