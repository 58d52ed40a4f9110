from odoo.exceptions import AccessError, UserError
from odoo.tools import mute_logger

from .common import CustomerCostCommon


class TestRunPosting(CustomerCostCommon):
    """A period has one posted run; what was posted stays readable as it was."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.driver = cls.create_driver({cls.customer_a: 1, cls.customer_b: 3}, code="T-POST")
        cls.rule = cls.create_rule(cls.driver)
        cls.create_entry_move([(cls.expense_account, 100, {})])

    def allocated(self):
        """What the customers of this test carry in the analysis people read."""
        self.env.invalidate_all()
        groups = self.env["customer.cost.analysis"]._read_group(
            [("company_id", "=", self.company.id), ("layer", "=", "allocated")],
            ["customer_id"],
            ["amount:sum"],
        )
        return dict(groups)

    def rows(self, run):
        return self.env["customer.cost.allocation"].search(
            [("step_id", "in", run.step_ids.ids)], order="id"
        )

    def sql(self, statement, *params):
        self.env.flush_all()
        self.env.cr.execute(statement, params)
        self.env.invalidate_all()

    def assertPostingRefused(self, run, message):
        before = self.allocated()
        with self.assertNothingChanged(), self.assertRaisesText(UserError, message):
            run.action_post()
        self.assertEqual(run.state, "computed")
        self.assertEqual(self.allocated(), before)

    # ------------------------------------------------------------
    # Who and when
    # ------------------------------------------------------------

    def test_posted_run_counts_and_computed_does_not(self):
        run = self.create_run()
        self.assertEqual(self.allocated(), {})
        run.with_user(self.users["manager"]).action_post()
        self.assertEqual(run.state, "posted")
        self.assertEqual(run.posted_by, self.users["manager"])
        self.assertTrue(run.posted_at)
        self.assertEqual(self.allocated(), {self.customer_a: 25, self.customer_b: 75})

    def test_only_a_cost_manager_posts(self):
        run = self.create_run()
        for role in ("accountant", "cost_user", "rep", "reviewer", "auditor", "internal"):
            with (
                self.subTest(role=role),
                self.assertRaisesText(AccessError, "Only a cost manager posts or reverses a run"),
            ):
                run.with_user(self.users[role]).action_post()
            self.assertEqual(run.state, "computed")

    def test_only_a_cost_manager_reverses(self):
        run = self.create_run(post=True)
        with self.assertRaisesText(AccessError, "Only a cost manager posts or reverses a run"):
            run.with_user(self.users["accountant"]).action_reverse()
        self.assertEqual(run.state, "posted")

    def test_manager_of_another_company_does_not_post(self):
        other = self.env["res.company"].create({"name": "Elsewhere"})
        manager = self.users["manager"]
        manager.write({"company_ids": [(6, 0, other.ids)], "company_id": other.id})
        run = self.create_run()
        with self.assertRaises(AccessError):
            run.with_user(manager).with_context(allowed_company_ids=other.ids).action_post()
        self.env.invalidate_all()
        self.assertEqual(run.state, "computed")

    def test_draft_run_is_not_posted(self):
        run = self.create_run(compute=False)
        with self.assertRaisesText(UserError, "is not computed, or is posted already"):
            run.action_post()
        self.assertEqual(run.state, "draft")

    def test_posting_twice_is_refused(self):
        run = self.create_run(post=True)
        with (
            self.assertNothingChanged(),
            self.assertRaisesText(UserError, "is not computed, or is posted already"),
        ):
            run.action_post()
        self.assertEqual(run.state, "posted")

    def test_posted_run_is_not_computed_again(self):
        run = self.create_run(post=True)
        with (
            self.assertNothingChanged(),
            self.assertRaisesText(UserError, "is Posted. Make a new run of the month instead"),
        ):
            run.action_compute()

    def test_database_holds_one_posted_run_of_a_period(self):
        self.create_run(post=True)
        second = self.create_run()
        with mute_logger("odoo.sql_db"), self.assertRaises(Exception) as caught:
            self.sql("UPDATE customer_cost_run SET state = 'posted' WHERE id = %s", second.id)
        self.assertIn("customer_cost_run_posted_unique", str(caught.exception))

    # ------------------------------------------------------------
    # Versions
    # ------------------------------------------------------------

    def test_same_inputs_are_not_posted_again(self):
        first = self.create_run(post=True)
        second = self.create_run()
        self.assertPostingRefused(second, "has the same inputs and result as the posted")
        self.assertEqual(first.state, "posted")

    def test_other_inputs_make_a_new_version(self):
        first = self.create_run(post=True)
        first_rows = self.rows(first).read(["customer_id", "amount"])
        self.driver.value_ids[0].quantity = 4
        self.create_entry_move([(self.expense_account, 40, {})])
        second = self.create_run(post=True)
        self.assertEqual((first.state, first.version), ("superseded", 1))
        self.assertEqual((second.state, second.version), ("posted", 2))
        self.assertEqual(self.allocated(), {self.customer_a: 80, self.customer_b: 60})
        self.assertEqual(self.rows(first).read(["customer_id", "amount"]), first_rows)
        self.assertEqual(self.received(first), {self.customer_a: 25, self.customer_b: 75})
        self.assertIn("v2", second.display_name)

    def test_superseded_run_is_not_posted_again(self):
        first = self.create_run(post=True)
        self.driver.value_ids[0].quantity = 4
        self.create_run(post=True)
        with self.assertRaisesText(UserError, "is not computed, or is posted already"):
            first.action_post()

    def test_reversed_run_no_longer_counts(self):
        run = self.create_run(post=True)
        run.with_user(self.users["manager"]).action_reverse()
        self.assertEqual(run.state, "reversed")
        self.assertEqual(self.allocated(), {})
        self.assertEqual(self.received(run), {self.customer_a: 25, self.customer_b: 75})
        with self.assertRaisesText(UserError, "Only a posted run can be reversed"):
            run.action_reverse()
        again = self.create_run(post=True)
        self.assertEqual(again.version, 2)
        self.assertEqual(self.allocated(), {self.customer_a: 25, self.customer_b: 75})

    def test_versions_are_counted_per_month(self):
        self.create_run()
        self.assertEqual(self.create_run("2025-03-01").version, 2)
        self.assertEqual(self.create_run("2025-04-30").version, 1)

    # ------------------------------------------------------------
    # Changed since
    # ------------------------------------------------------------

    def test_cost_added_after_computing_is_refused_until_computed_again(self):
        run = self.create_run()
        self.create_entry_move([(self.expense_account, 60, {})])
        message = "Costs or rules changed since run .* was computed. Compute it again"
        self.assertPostingRefused(run, message)
        run.action_compute()
        run.action_post()
        self.assertEqual(self.allocated(), {self.customer_a: 40, self.customer_b: 120})

    def test_cost_no_rule_sends_is_a_change_as_well(self):
        run = self.create_run()
        self.create_entry_move([(self.other_account, 60, {})])
        self.assertPostingRefused(run, "Costs or rules changed since run")

    def test_rule_changed_after_computing_is_refused(self):
        self.rule.fixed_ids.create(
            {"rule_id": self.rule.id, "customer_id": self.customer_a.id, "percentage": 10}
        )
        run = self.create_run()
        for vals in (
            {"share_pct": 50},
            {"active": False},
            {"date_to": "2025-03-01"},
            {"full_cost": True},
            {"carry_forward": True},
            {"method": "fixed"},
            {"receiver_domain": str([("id", "=", self.customer_a.id)])},
            {"driver_id": self.create_driver({self.customer_a: 1}).id},
            {"sender_item_ids": [(4, self.other_item.id)]},
        ):
            saved = self.rule.copy_data()[0]
            with self.subTest(vals=vals):
                self.rule.write(vals)
                self.assertPostingRefused(run, "Costs or rules changed since run")
            self.rule.write(
                {name: saved.get(name, True if name == "active" else False) for name in vals}
            )
        run.action_post()
        self.assertEqual(run.state, "posted")

    def test_driver_changed_after_computing_is_refused(self):
        run = self.create_run()
        self.driver.policy = "zero"
        self.assertPostingRefused(run, "Costs or rules changed since run")

    def test_rule_renamed_after_computing_is_no_change(self):
        run = self.create_run()
        self.rule.name = "Another name"
        run.action_post()
        self.assertEqual(run.step_ids.name, "Test rule")

    def test_rule_deleted_after_computing_is_refused(self):
        run = self.create_run()
        self.rule.unlink()
        self.assertPostingRefused(run, "Costs or rules changed since run")

    # ------------------------------------------------------------
    # Tampered
    # ------------------------------------------------------------

    def test_changed_row_is_refused(self):
        run = self.create_run()
        self.sql(
            "UPDATE customer_cost_allocation SET amount = amount + 0.01 WHERE id = %s",
            self.rows(run)[0].id,
        )
        self.assertPostingRefused(
            run, r"does not balance: step Test rule sent 100\S*, .* rows hold 100\.01\S*\. Compute"
        )

    def test_deleted_row_is_refused(self):
        run = self.create_run()
        self.sql("DELETE FROM customer_cost_allocation WHERE id = %s", self.rows(run)[0].id)
        self.assertPostingRefused(run, "does not balance: step Test rule")

    def test_deleted_rows_are_refused(self):
        run = self.create_run()
        self.sql("DELETE FROM customer_cost_allocation WHERE step_id = %s", run.step_ids.id)
        self.assertPostingRefused(run, "does not balance: step Test rule")

    def test_row_of_another_item_or_month_or_company_is_refused(self):
        other = self.env["res.company"].create({"name": "Elsewhere"})
        for column, value in (
            ("item_id", self.other_item.id),
            ("date", "2025-04-30"),
            ("company_id", other.id),
        ):
            with self.subTest(column=column):
                run = self.create_run()
                self.sql(
                    f"UPDATE customer_cost_allocation SET {column} = %s WHERE id = %s",
                    value,
                    self.rows(run)[0].id,
                )
                self.assertPostingRefused(run, "does not balance: step Test rule")

    def test_added_row_without_a_cell_is_refused(self):
        run = self.create_run()
        self.sql(
            "INSERT INTO customer_cost_allocation (step_id, company_id, item_id, date,"
            " customer_id, layer, quantity, amount)"
            " VALUES (%s, %s, %s, '2025-03-31', %s, 'allocated', 1, 5)",
            run.step_ids.id,
            self.company.id,
            self.other_item.id,
            self.customer_c.id,
        )
        self.assertPostingRefused(run, "does not balance: step Test rule")

    def test_changed_cell_or_step_or_total_is_refused(self):
        for table, statement in (
            (
                "cell",
                "UPDATE customer_cost_run_cell SET sent = sent + 1, retained = retained + 1"
                " WHERE step_id IN (SELECT id FROM customer_cost_run_step WHERE run_id = %s)",
            ),
            ("step", "UPDATE customer_cost_run_step SET received = received - 1 WHERE run_id = %s"),
            (
                "run",
                "UPDATE customer_cost_run SET received_total = received_total + 1 WHERE id = %s",
            ),
        ):
            with self.subTest(table=table):
                run = self.create_run()
                self.sql(statement, run.id)
                before = self.allocated()
                with self.assertRaisesText(UserError, "does not balance|Costs or rules changed"):
                    run.action_post()
                self.assertEqual(run.state, "computed")
                self.assertEqual(self.allocated(), before)

    # ------------------------------------------------------------
    # Closed, deleted, moved
    # ------------------------------------------------------------

    def test_closed_period_takes_no_posting_and_no_reversal(self):
        posted = self.create_run(post=True)
        self.driver.value_ids[0].quantity = 4
        run = self.create_run()
        self.close_period(run.date)
        self.assertPostingRefused(run, "Period March 2025 .* is closed")
        with self.assertRaisesText(UserError, "Period March 2025 .* is closed"):
            posted.action_reverse()
        self.assertEqual(posted.state, "posted")

    def test_period_closed_in_the_root_company_is_closed_in_its_branch(self):
        branch = self.env["res.company"].create({"name": "Branch", "parent_id": self.company.id})
        self.env.user.company_ids |= branch
        run = self.env["customer.cost.run"].create({"company_id": branch.id, "date": "2025-03-31"})
        run.action_compute()
        self.close_period(run.date)
        with self.assertRaisesText(UserError, "is closed"):
            run.action_post()
        with self.assertRaisesText(UserError, "is closed"):
            run.action_compute()

    def test_run_that_was_posted_is_not_deleted(self):
        first = self.create_run(post=True)
        message = "has been posted and stays readable"
        with self.assertNothingChanged(), self.assertRaisesText(UserError, message):
            first.unlink()
        self.driver.value_ids[0].quantity = 4
        second = self.create_run(post=True)
        with self.assertRaisesText(UserError, message):
            first.unlink()
        second.action_reverse()
        with self.assertRaisesText(UserError, message):
            second.unlink()

    def test_computed_run_is_deleted_with_its_rows(self):
        run = self.create_run()
        rows = self.rows(run)
        self.assertTrue(rows)
        run.unlink()
        self.assertFalse(rows.exists())

    def test_another_date_resets_a_computed_run(self):
        run = self.create_run()
        rows = self.rows(run)
        run.date = "2025-04-15"
        self.assertEqual((run.state, run.version), ("draft", 1))
        self.assertEqual(run.period_id.date_from.isoformat(), "2025-04-01")
        self.assertFalse(run.step_ids)
        self.assertFalse(rows.exists())
        self.assertEqual(
            (run.pool_total, run.sent_total, run.received_total, run.customer_count), (0, 0, 0, 0)
        )
        self.assertFalse(run.signature or run.computed_by)

    def test_another_company_resets_a_computed_run(self):
        other = self.env["res.company"].create({"name": "Other company"})
        self.env.user.company_ids |= other
        run = self.create_run()
        run.company_id = other
        self.assertEqual(run.state, "draft")
        self.assertEqual(run.period_id.company_id, other)
        self.assertFalse(run.step_ids)

    def test_posted_run_keeps_its_month_and_company(self):
        run = self.create_run(post=True)
        for vals in (
            {"date": "2025-04-30"},
            {"company_id": self.env["res.company"].create({"name": "Other company"}).id},
        ):
            with self.subTest(vals=vals), self.assertRaisesText(UserError, "is Posted"):
                run.write(vals)
        self.assertEqual(run.date.isoformat(), "2025-03-31")

    # ------------------------------------------------------------
    # The explanation stays
    # ------------------------------------------------------------

    def explanation(self, run):
        self.env.invalidate_all()
        return (
            self.rows(run)
            .with_user(self.users["accountant"])
            .read(
                [
                    "rule_name",
                    "driver_name",
                    "window_label",
                    "rule_text",
                    "rate",
                    "pool_amount",
                    "driver_total",
                    "share_pct",
                    "quantity",
                    "amount",
                    "run_name",
                    "run_state",
                ]
            )
        )

    def test_explanation_survives_the_change_of_its_rule(self):
        run = self.create_run(post=True)
        before = self.explanation(run)
        self.assertIn("Sends 100 % of [T-TRV] Test travel; by Test driver", before[0]["rule_text"])
        self.rule.write(
            {"name": "Changed", "share_pct": 1, "sender_item_ids": [(6, 0, self.other_item.ids)]}
        )
        self.driver.write({"name": "Changed", "window": "year", "policy": "zero"})
        self.driver.value_ids.quantity = 7
        self.assertEqual(self.explanation(run), before)

    def test_explanation_survives_the_deletion_of_its_rule(self):
        run = self.create_run(post=True)
        before = self.explanation(run)
        self.rule.unlink()
        self.driver.unlink()
        self.assertEqual(self.explanation(run), before)
        self.assertEqual(run.state, "posted")

    def test_explanation_obeys_the_readers_rights(self):
        run = self.create_run(post=True)
        row = self.rows(run).filtered(lambda row: row.customer_id == self.customer_a)
        rep = row.with_user(self.rep)
        self.assertEqual(
            (rep.quantity, rep.rate, rep.amount, rep.rule_name), (1, 25, 25, "Test rule")
        )
        self.assertEqual(rep.action_explain()["res_id"], row.id)
        for name in ("pool_amount", "driver_total", "share_pct", "rule_text"):
            with self.subTest(name=name), self.assertRaises(AccessError):
                rep.read([name])
        with self.assertRaises(AccessError):
            rep.action_open_pool_lines()
        with self.assertRaises(AccessError):
            (self.rows(run) - row).with_user(self.rep).read(["amount"])

    def test_pool_opens_what_was_sent(self):
        run = self.create_run(post=True)
        action = self.rows(run)[0].with_user(self.users["accountant"]).action_open_pool_lines()
        lines = self.env["customer.cost.line"].search(action["domain"])
        self.assertEqual(sum(lines.mapped("amount")), 100)
        action = run.with_user(self.users["accountant"]).action_open_customers()
        rows = self.env["customer.cost.allocation"].search(action["domain"])
        self.assertEqual(rows, self.rows(run).sorted("id", reverse=True))
