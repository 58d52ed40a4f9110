from contextlib import suppress
from datetime import date
from unittest.mock import patch

from psycopg2.errors import SerializationFailure

from odoo.exceptions import AccessError, UserError
from odoo.tests import freeze_time, tagged
from odoo.tools import mute_logger

from .common import CustomerCostCommon

QUARTER = {"date_from": "2025-01-01", "date_to": "2025-03-31"}


class HistoryCommon(CustomerCostCommon):
    """A company that captures from April 2025 and has posted since January."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.customer_cost_start_date = "2025-04-01"
        cls.bills = cls.env["account.move"].concat(
            *(
                cls.create_bill(
                    [
                        (cls.expense_account, 100.0 + month, {}),
                        (cls.other_account, 50.0, {"cost_customer_id": cls.customer_a.id}),
                    ],
                    day=f"2025-{month:02}-10",
                )
                for month in (1, 2, 3, 4)
            )
        )

    def create_history(self, role="accountant", **vals):
        return (
            self.env["customer.cost.history"]
            .with_user(self.users[role])
            .create({"company_id": self.company.id, **QUARTER, **vals})
        )

    def run_cron(self):
        with self.enter_registry_test_mode():
            self.env.ref("customer_cost.ir_cron_history").method_direct_trigger()
        self.env.invalidate_all()

    def bring_in(self, **vals):
        history = self.create_history(**vals)
        history.action_start()
        self.run_cron()
        return history

    def of_months(self, *months):
        """The ledger when just these months are captured."""
        nobody = self.env["res.partner"]
        return {
            key: amount
            for month in months
            for key, amount in (
                ((nobody, self.item, date(2025, month, 10)), 100.0 + month),
                ((self.customer_a, self.other_item, date(2025, month, 10)), 50.0),
            )
        }

    def sync_everything(self):
        self.env["customer.cost.capture"]._sync_period(
            self.company, date(2024, 1, 1), date(2026, 12, 31)
        )

    def differences(self):
        return self.env["customer.cost.capture"]._find_differences(
            self.company, date(2024, 1, 1), date(2026, 12, 31)
        )

    def close(self, day):
        period = self.env["customer.cost.period"]._get(self.company, date.fromisoformat(day))
        period.sudo()._unguarded().state = "closed"
        return period

    def states(self, history):
        return [(month.date_from.month, month.state) for month in history.month_ids]


@tagged("post_install", "-at_install")
class TestHistoryStart(HistoryCommon):
    """What was posted before the start waits outside until it is brought in."""

    def test_nothing_before_the_start_is_captured(self):
        self.assertEqual(self.ledger(), self.of_months(4))
        self.sync_everything()
        self.assertEqual(self.ledger(), self.of_months(4))
        self.assertFalse(self.differences())

    def test_posting_or_editing_an_earlier_document_does_not_pull_it_in(self):
        self.bills[0].button_draft()
        self.bills[0].action_post()
        self.bills[1].invoice_line_ids[0].cost_customer_id = self.customer_b
        self.create_bill([(self.expense_account, 9.0, {})], day="2025-03-31")
        self.assertEqual(self.ledger(), self.of_months(4))

    def test_company_without_a_start_captures_everything(self):
        self.company.customer_cost_start_date = False
        self.sync_everything()
        self.assertEqual(self.ledger(), self.of_months(1, 2, 3, 4))

    def test_map_preview_names_what_lies_before_the_start(self):
        preview = self.env["customer.cost.map.preview"].create(
            {"company_id": self.company.id, **QUARTER}
        )
        self.assertEqual(
            {(line.reason, line.amount) for line in preview.line_ids},
            {
                ("Before costs were captured: bring it in under History", 306.0),
                ("Before costs were captured: bring it in under History", 150.0),
            },
        )
        self.assertEqual(preview.total, 456.0)


@tagged("post_install", "-at_install")
class TestHistory(HistoryCommon):
    def test_every_month_is_brought_in_newest_first(self):
        history = self.create_history()
        history.action_start()
        self.assertEqual(history.state, "running")
        self.assertEqual(history.progress, 0.0)
        self.assertEqual(self.states(history), [(3, "waiting"), (2, "waiting"), (1, "waiting")])
        calls = []
        sync = type(self.env["customer.cost.capture"])._sync_period

        def spy(capture, company, first, last, **options):
            calls.append(first.month)
            return sync(capture, company, first, last, **options)

        with patch.object(type(self.env["customer.cost.capture"]), "_sync_period", spy):
            self.run_cron()
        self.assertEqual(calls, [3, 2, 1])
        self.assertEqual(self.ledger(), self.of_months(1, 2, 3, 4))
        self.assertFalse(self.differences())
        self.assertRecordValues(history, [{"state": "done", "progress": 100.0, "line_count": 6}])
        self.assertRecordValues(
            history.month_ids,
            [
                {"state": "done", "line_count": 2, "amount": 153.0},
                {"state": "done", "line_count": 2, "amount": 152.0},
                {"state": "done", "line_count": 2, "amount": 151.0},
            ],
        )

    def test_any_days(self):
        self.create_bill([(self.expense_account, 9.0, {})], day="2025-02-11")
        history = self.bring_in(date_from="2025-01-15", date_to="2025-02-10")
        self.assertEqual(
            [(month.date_from, month.date_to) for month in history.month_ids],
            [
                (date(2025, 2, 1), date(2025, 2, 10)),
                (date(2025, 1, 15), date(2025, 1, 31)),
            ],
        )
        self.assertEqual(self.ledger(), self.of_months(2, 4))
        self.assertFalse(self.differences())

    def test_what_is_posted_later_in_a_month_brought_in_is_captured(self):
        self.bring_in()
        self.bills[0].button_draft()
        self.assertEqual(self.ledger(), self.of_months(2, 3, 4))
        self.bills[0].action_post()
        self.assertEqual(self.ledger(), self.of_months(1, 2, 3, 4))

    def test_twice_gives_the_same_ledger(self):
        self.bring_in()
        again = self.bring_in()
        self.assertEqual(again.line_count, 0)
        self.assertEqual(self.ledger(), self.of_months(1, 2, 3, 4))

    def test_days_that_were_captured_when_posted_are_not_doubled(self):
        history = self.bring_in(date_to="2025-04-30")
        self.assertEqual(history.month_ids[0].line_count, 0)
        self.assertEqual(self.ledger(), self.of_months(1, 2, 3, 4))

    @freeze_time("2025-05-20")
    def test_default_days_begin_with_the_previous_fiscal_year(self):
        self.company.write({"fiscalyear_last_month": "3", "fiscalyear_last_day": 31})
        defaults = (
            self.env["customer.cost.history"]
            .with_company(self.company)
            .default_get(["date_from", "date_to", "company_id"])
        )
        self.assertEqual(
            (str(defaults["date_from"]), str(defaults["date_to"])), ("2024-04-01", "2025-05-20")
        )

    def test_year_of_monthly_closings_into_equity(self):
        equity = self.env["account.account"].search(
            [("account_type", "=", "equity_unaffected"), ("company_ids", "in", self.company.ids)],
            limit=1,
        )
        for month in (1, 2, 3):
            move = self.create_entry_move(
                [(self.expense_account, -(100.0 + month), {}), (equity, 100.0 + month, {})],
                day=f"2025-{month:02}-28",
            )
            self.assertFalse(self.ledger(move))
        self.bring_in()
        self.assertEqual(self.ledger(), self.of_months(1, 2, 3, 4))

    def create_old_sale(self, day):
        """Customer invoice whose product cost nobody froze."""
        sale = self.create_sale(self.customer_a, day=day)
        self.env.flush_all()
        self.env.cr.execute(
            """UPDATE account_move_line SET customer_cost_unit = NULL, customer_cost_amount = NULL,
                      customer_cost_source = NULL WHERE move_id = %s""",
            (sale.id,),
        )
        self.env.invalidate_all()
        return sale.invoice_line_ids

    def test_product_cost_is_filled_in_and_taken_back(self):
        old, outside = self.create_old_sale("2025-02-10"), self.create_old_sale("2024-12-31")
        frozen = self.create_sale(self.customer_a, day="2025-02-10").invoice_line_ids
        history = self.create_history()
        history.action_preview()
        self.assertEqual(history.estimate_count, 1)
        history.action_start()
        self.run_cron()
        self.assertEqual(history.month_ids.mapped("estimated_count"), [0, 1, 0])
        self.assertEqual((old.customer_cost_amount, old.customer_cost_estimated), (40.0, True))
        self.assertFalse(outside.customer_cost_source)
        history.action_undo()
        self.run_cron()
        self.assertEqual(history.month_ids.mapped("estimated_count"), [0, 0, 0])
        self.assertFalse(old.customer_cost_source)
        self.assertEqual(
            (frozen.customer_cost_amount, frozen.customer_cost_source), (40, "product")
        )

    def test_figures_follow_what_is_brought_in_and_taken_back(self):
        def months():
            marks = self.env["customer.cost.dirty"].sudo()
            marks = marks.search([("company_id", "=", self.company.id)])
            found = {(mark.month.month, tuple(mark.customer_ids or ["all"])) for mark in marks}
            marks.unlink()
            return found

        self.create_old_sale("2025-01-10")
        months()
        history = self.bring_in()
        cost = {(month, (self.customer_a.id,)) for month in (1, 2, 3)}
        self.assertEqual(months(), cost | {(1, ("all",))})
        history.action_undo()
        self.run_cron()
        self.assertEqual(months(), cost | {(1, ("all",))})

    def test_product_cost_of_days_that_stay_is_kept(self):
        days = ("2025-02-09", "2025-02-10", "2025-02-20", "2025-02-21", "2025-04-02")
        lines = [self.create_old_sale(day) for day in days]
        self.bring_in(date_from="2025-02-10", date_to="2025-02-20")
        history = self.bring_in(date_to="2025-04-30")
        history.action_undo()
        self.run_cron()
        self.assertEqual(
            [line.customer_cost_estimated for line in lines], [False, True, True, False, True]
        )

    # ------------------------------------------------------------
    # Interruption, failure, stop
    # ------------------------------------------------------------

    def interrupt(self, month, error):
        """Patch: the comparison of ``month`` raises after it has written."""
        capture = type(self.env["customer.cost.capture"])
        sync = capture._sync_period

        def broken(self, company, first, last, **options):
            appended = sync(self, company, first, last, **options)
            if first.month == month:
                raise error
            return appended

        return patch.object(capture, "_sync_period", broken)

    def test_killed_in_the_middle_and_continued(self):
        history = self.create_history()
        history.action_start()
        # assertRaises would undo what was committed before the interruption
        with self.interrupt(2, KeyboardInterrupt()), suppress(KeyboardInterrupt):
            with self.enter_registry_test_mode(), self.env.registry.cursor() as cr:
                self.env(cr=cr, su=True)["customer.cost.history"]._cron_process()
        self.env.invalidate_all()
        self.assertEqual(self.states(history), [(3, "done"), (2, "waiting"), (1, "waiting")])
        self.assertEqual(self.ledger(), self.of_months(3, 4))
        self.run_cron()
        self.assertEqual(history.state, "done")
        self.assertEqual(self.ledger(), self.of_months(1, 2, 3, 4))

    def test_failed_month_says_why_and_the_others_go_on(self):
        history = self.create_history()
        history.action_start()
        with self.interrupt(2, UserError("The account of it is broken")):
            self.run_cron()
        self.assertEqual(self.states(history), [(3, "done"), (2, "failed"), (1, "done")])
        self.assertEqual(history.month_ids[1].message, "The account of it is broken")
        self.assertRecordValues(history, [{"state": "done", "trouble_count": 1}])
        self.assertEqual(self.ledger(), self.of_months(1, 3, 4))
        history.action_start()
        self.run_cron()
        self.assertEqual(self.ledger(), self.of_months(1, 2, 3, 4))
        self.assertRecordValues(history, [{"state": "done", "trouble_count": 0}])

    def test_month_that_met_another_transaction_is_tried_again(self):
        history = self.create_history()
        history.action_start()
        with (
            self.interrupt(2, SerializationFailure()),
            patch.object(type(history), "_trigger_cron") as trigger,
        ):
            self.run_cron()
        self.assertTrue(trigger.called)
        self.assertEqual(self.states(history), [(3, "done"), (2, "waiting"), (1, "waiting")])
        self.assertEqual(self.ledger(), self.of_months(3, 4))
        self.run_cron()
        self.assertEqual(self.ledger(), self.of_months(1, 2, 3, 4))

    def test_stopped_after_the_month_in_hand_and_continued(self):
        history = self.create_history()
        history.action_start()
        process = type(history.month_ids)._process

        def stop_then(month):
            done = process(month)
            month.history_id.action_stop()
            return done

        with patch.object(type(history.month_ids), "_process", stop_then):
            self.run_cron()
        self.assertEqual(history.state, "stopped")
        self.assertEqual(self.states(history), [(3, "done"), (2, "waiting"), (1, "waiting")])
        self.run_cron()
        self.assertEqual(self.ledger(), self.of_months(3, 4))
        history.action_start()
        self.run_cron()
        self.assertEqual(self.ledger(), self.of_months(1, 2, 3, 4))

    def test_closed_period_is_not_brought_in_until_it_is_reopened(self):
        period = self.close("2025-02-01")
        history = self.bring_in()
        self.assertEqual(self.states(history), [(3, "done"), (2, "closed"), (1, "done")])
        self.assertIn("2025-02 is closed. Reopen it", history.month_ids[1].message)
        self.assertEqual(self.ledger(), self.of_months(1, 3, 4))
        self.assertFalse(self.differences())
        period.sudo()._unguarded().state = "open"
        history.action_start()
        self.run_cron()
        self.assertEqual(self.ledger(), self.of_months(1, 2, 3, 4))

    # ------------------------------------------------------------
    # Undo
    # ------------------------------------------------------------

    def test_undo_returns_to_nothing(self):
        history = self.bring_in()
        lines = self.env["customer.cost.line"].search([("company_id", "=", self.company.id)])
        history.action_undo()
        self.assertEqual(history.state, "undoing")
        self.run_cron()
        self.assertEqual(history.state, "undone")
        self.assertEqual(self.ledger(), self.of_months(4))
        self.assertEqual(lines.exists(), lines, "the ledger is append-only")
        entries = self.env["customer.cost.entry"].search(
            [("source_move_id", "in", self.bills[:3].ids)]
        )
        self.assertEqual(set(entries.mapped("state")), {"withdrawn"})

    def test_what_was_undone_is_not_pulled_in_again(self):
        history = self.bring_in()
        history.action_undo()
        self.run_cron()
        self.assertFalse(self.differences())
        self.sync_everything()
        self.bills[0].invoice_line_ids[0].cost_customer_id = self.customer_b
        self.run_cron()
        self.assertEqual(self.ledger(), self.of_months(4))

    def test_undone_and_brought_in_again(self):
        history = self.bring_in()
        history.action_undo()
        self.run_cron()
        self.bring_in()
        self.assertEqual(self.ledger(), self.of_months(1, 2, 3, 4))
        self.assertFalse(self.differences())

    def test_what_another_history_brought_in_stays(self):
        first = self.bring_in(date_from="2025-03-01")
        second = self.bring_in()
        second.action_undo()
        self.run_cron()
        self.assertEqual(self.ledger(), self.of_months(3, 4))
        first.action_undo()
        self.run_cron()
        self.assertEqual(self.ledger(), self.of_months(4))

    def test_undo_keeps_what_lies_after_the_start(self):
        history = self.bring_in(date_to="2025-04-30")
        history.action_undo()
        self.run_cron()
        self.assertEqual(self.ledger(), self.of_months(4))

    def test_undo_while_a_period_is_closed_is_refused(self):
        history = self.bring_in()
        self.close("2025-02-01")
        with self.assertRefused("These cost periods are closed: 2025-02. Reopen them"):
            history.action_undo()
        self.assertEqual(history.state, "done")

    def test_period_closed_before_its_month_was_undone(self):
        history = self.bring_in()
        history.action_undo()
        self.close("2025-02-01")
        self.run_cron()
        self.assertEqual(self.states(history), [(3, "undone"), (2, "done"), (1, "undone")])
        self.assertIn("These cost periods are closed: 2025-02", history.month_ids[1].message)
        self.assertEqual(self.ledger(), self.of_months(2, 4))

    def test_failed_undo_says_why_and_can_be_repeated(self):
        history = self.bring_in()
        history.action_undo()
        with self.interrupt(2, UserError("Not now")):
            self.run_cron()
        self.assertEqual(self.states(history), [(3, "undone"), (2, "done"), (1, "undone")])
        self.assertEqual((history.state, history.month_ids[1].message), ("done", "Not now"))
        self.assertEqual(self.ledger(), self.of_months(2, 4))
        history.action_undo()
        self.run_cron()
        self.assertEqual(history.state, "undone")
        self.assertEqual(self.ledger(), self.of_months(4))


@tagged("post_install", "-at_install")
class TestHistoryPreview(HistoryCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.left_out_account = cls.expense_account.copy({"code": "T60009", "name": "Interest"})
        cls.map_account(cls.left_out_account, left_out_reason="Interest")
        cls.create_bill(
            [(cls.unmapped_account, 7.0, {}), (cls.left_out_account, 5.0, {})], day="2025-02-02"
        )
        cls.sale = cls.create_sale(cls.customer_a, quantity=3, day="2025-02-03")

    def books(self):
        ((balance,),) = self.env["account.move.line"]._read_group(
            [
                ("parent_state", "=", "posted"),
                ("company_id", "=", self.company.id),
                ("date", ">=", QUARTER["date_from"]),
                ("date", "<=", QUARTER["date_to"]),
                ("account_id.internal_group", "in", ("expense", "income")),
            ],
            [],
            ["balance:sum"],
        )
        return round(balance, 2)

    def test_every_amount_with_its_reason(self):
        history = self.create_history()
        with self.assertNothingChanged():
            history.action_preview()
        items, accounts = self.env["customer.cost.item"], self.env["account.account"]
        self.assertEqual(
            {
                (line.kind, line.account_id, line.item_id, line.reason or ""): (
                    line.line_count,
                    line.amount,
                )
                for line in history.line_ids
            },
            {
                ("indirect", self.expense_account, self.item, ""): (3, 306.0),
                ("direct", self.other_account, self.other_item, ""): (3, 150.0),
                ("left_out", self.unmapped_account, items, "No row of the map matches"): (1, 7.0),
                ("left_out", self.left_out_account, items, "Interest"): (1, 5.0),
                (
                    "excluded",
                    self.sale.invoice_line_ids.account_id or accounts,
                    items,
                    "Sales: they reach customers by their invoices",
                ): (1, -300.0),
            },
        )
        self.assertRecordValues(
            history,
            [
                {
                    "direct_total": 150.0,
                    "indirect_total": 306.0,
                    "left_out_total": 12.0,
                    "excluded_total": -300.0,
                    "item_count": 9,
                }
            ],
        )

    def test_rows_add_up_to_the_profit_and_loss(self):
        history = self.create_history()
        history.action_preview()
        self.assertEqual(history.total, self.books())
        self.assertEqual(history.total, 168.0)

    def test_preview_is_what_is_brought_in(self):
        history = self.create_history()
        history.action_preview()
        expected = history.direct_total + history.indirect_total
        history.action_start()
        self.run_cron()
        self.assertEqual(sum(history.month_ids.mapped("amount")), expected)

    def test_invoice_lines_without_a_frozen_cost(self):
        history = self.create_history()
        history.action_preview()
        self.assertEqual(history.estimate_count, 0)
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE account_move_line SET customer_cost_source = NULL WHERE id = %s",
            (self.sale.invoice_line_ids.id,),
        )
        history.action_preview()
        self.assertEqual(history.estimate_count, 1)

    def test_preview_again_replaces_and_other_days_clear_it(self):
        history = self.create_history()
        history.action_preview()
        count = len(history.line_ids)
        history.action_preview()
        self.assertEqual(len(history.line_ids), count)
        history.date_to = "2025-01-31"
        self.assertFalse(history.line_ids)
        self.assertFalse(history.previewed_at)
        history.action_preview()
        self.assertEqual(history.total, 151.0)


@tagged("post_install", "-at_install")
class TestHistoryRights(HistoryCommon):
    def test_only_accountants_start_one(self):
        for role in ("rep", "cost_user", "reviewer", "auditor", "internal"):
            with self.subTest(role), self.assertRaises(AccessError):
                self.create_history(role)
        history = self.create_history()
        for method in ("action_preview", "action_start", "action_stop", "action_undo"):
            for role in ("rep", "cost_user", "reviewer", "auditor", "internal"):
                with self.subTest(f"{role}: {method}"), self.assertRaises(AccessError):
                    self.rpc(self.users[role], history._name, method, history.ids)
        self.rpc(self.users["manager"], history._name, "action_start", history.ids)
        self.assertEqual(history.state, "running")

    def test_state_and_rows_cannot_be_forged(self):
        forged = {"customer_cost_guard": True}
        history = self.create_history()
        history.action_start()
        user = self.users["manager"]
        month = {
            "history_id": history.id,
            "date_from": "2024-01-01",
            "date_to": "2024-12-31",
            "state": "done",
        }
        model = "customer.cost.history"
        for target, method, args in (
            (model, "write", (history.ids, {"state": "done"})),
            (model, "write", (history.ids, {"month_ids": [(0, 0, month)]})),
            (model, "create", ({**QUARTER, "state": "undone"},)),
            (model, "create", ({**QUARTER, "month_ids": [(0, 0, month)]},)),
            (f"{model}.month", "create", (month,)),
            (f"{model}.month", "write", (history.month_ids.ids, {"state": "done"})),
            (f"{model}.month", "unlink", (history.month_ids.ids,)),
            (f"{model}.line", "create", ({"history_id": history.id, "kind": "direct"},)),
        ):
            with self.subTest(f"{target}.{method}"), mute_logger("odoo.addons.base.models"):
                with self.assertRaises(AccessError):
                    self.rpc(user, target, method, *args, context=forged)
        self.env.invalidate_all()
        self.assertEqual(history.state, "running")
        self.assertEqual(set(history.month_ids.mapped("state")), {"waiting"})

    def test_default_state_of_the_context_is_refused(self):
        with self.assertRaises(AccessError):
            self.rpc(
                self.users["manager"],
                "customer.cost.history",
                "create",
                QUARTER,
                context={"default_state": "done"},
            )

    def test_another_company_is_out_of_reach(self):
        other = self.setup_other_company(name="Elsewhere")["company"]
        with self.assertRaises(AccessError):
            self.create_history(company_id=other.id)
        history = self.env["customer.cost.history"].create({"company_id": other.id, **QUARTER})
        with self.assertRaises(AccessError):
            self.rpc(self.users["manager"], history._name, "action_start", history.ids)

    def test_started_one_keeps_its_days(self):
        history = self.bring_in()
        with self.assertRefused("has been started. Its days can no longer be changed"):
            history.date_to = "2025-12-31"
        with self.assertRefused("holds the months it brought in. Undo it first"):
            history.unlink()
        with self.assertRefused("has nothing left to bring in"):
            history.action_start()
        with self.assertRefused("is not running"):
            history.action_stop()
        history.action_undo()
        self.run_cron()
        with self.assertRefused("has brought nothing in that could be undone"):
            history.action_undo()
        history.unlink()
        self.assertFalse(history.exists())

    def test_copy_starts_anew(self):
        history = self.bring_in()
        copy = history.copy()
        self.assertRecordValues(copy, [{"state": "draft", "month_ids": [], "line_ids": []}])
