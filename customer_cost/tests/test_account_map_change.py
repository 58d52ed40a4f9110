from datetime import date

from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, freeze_time, tagged

from .common import CustomerCostCommon

MONTHS = (3, 4, 5)


@tagged("post_install", "-at_install")
@freeze_time("2025-05-20")
class TestAccountMapChange(CustomerCostCommon):
    """A changed map holds from this month on; from which earlier one is asked."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.account = cls.unmapped_account
        cls.row = cls.map_account(cls.account, cls.item)
        cls.bills = {
            month: cls.create_bill([(cls.account, 10.0 * month, {})], day=f"2025-{month:02}-10")
            for month in MONTHS
        }

    def items(self):
        """Cost item of March, April and May after a comparison of everything."""
        self.env["customer.cost.capture"]._sync_period(
            self.company, date(2025, 1, 1), date(2025, 12, 31)
        )
        self.env.invalidate_all()
        items = []
        for month in MONTHS:
            found = [item for _customer, item, _day in self.ledger(self.bills[month])]
            items.append(found[0] if found else None)
            self.assertLessEqual(len(found), 1)
        self.assertFalse(
            self.env["customer.cost.capture"]._find_differences(
                self.company, date(2025, 1, 1), date(2025, 12, 31)
            )
        )
        return items

    def wizard(self, month, rows=None, role="accountant", **vals):
        rows = rows or self.env["customer.cost.account.map"]
        action = rows.with_user(self.users[role]).action_apply()
        return (
            self.env["customer.cost.map.apply"]
            .with_user(self.users[role])
            .with_context(**rows.env.context, **action["context"])
            .create({"date_from": month, **vals})
        )

    def apply(self, month, rows=None, **vals):
        self.wizard(month, rows, **vals).action_apply()

    def kept(self):
        rows = self.env["customer.cost.account.map"].with_context(active_test=False)
        return rows.search([("effective_to", "!=", False)], order="effective_to")

    def close(self, month):
        period = self.env["customer.cost.period"]._get(self.company, date(2025, month, 1))
        period.sudo()._unguarded().state = "closed"

    # ------------------------------------------------------------
    # From this month on
    # ------------------------------------------------------------

    def test_changed_item(self):
        self.row.item_id = self.other_item
        self.assertEqual(self.items(), [self.item, self.item, self.other_item])
        self.assertEqual(self.row.effective_from, date(2025, 5, 1))
        self.assertRecordValues(
            self.kept(),
            [
                {
                    "item_id": self.item.id,
                    "effective_from": False,
                    "effective_to": date(2025, 4, 30),
                    "active": False,
                }
            ],
        )

    def test_every_way_of_changing_what_a_row_matches(self):
        for vals in (
            {"active": False},
            {"words": "something else"},
            {"date_from": "2026-01-01"},
            {"vendor_id": self.customer_c.id},
            {"account_id": self.expense_account.id},
            {"item_id": False, "left_out_reason": "Internal"},
        ):
            with self.subTest(vals), self.env.cr.savepoint() as savepoint:
                self.row.write(vals)
                self.assertEqual(self.items(), [self.item, self.item, None])
                savepoint.rollback()
                self.env.invalidate_all()

    def test_deleted_row(self):
        self.row.unlink()
        self.assertEqual(self.items(), [self.item, self.item, None])
        self.assertFalse(
            self.env["customer.cost.account.map"].search([("account_id", "=", self.account.id)])
        )

    def test_new_row_before_the_others(self):
        self.map_account(self.account, self.other_item, sequence=1)
        self.assertEqual(self.items(), [self.item, self.item, self.other_item])

    def test_new_row_of_an_account_that_was_left_out(self):
        bill = self.create_bill([(self.expense_account.copy({"code": "T60077"}), 7.0, {})])
        self.map_account(bill.invoice_line_ids.account_id, self.item)
        self.items()
        self.assertFalse(self.ledger(bill))

    def test_changed_order(self):
        second = self.map_account(self.account, self.other_item, sequence=20)
        self.assertEqual(self.items(), [self.item] * 3)
        self.row.sequence = 30
        self.assertEqual(self.items(), [self.item, self.item, self.other_item])
        self.assertEqual(second.effective_from, date(2025, 5, 1))

    def test_rows_of_one_sequence_keep_their_order(self):
        self.map_account(self.account, self.admin_item)
        self.row.words = "something else"
        self.assertEqual(self.items(), [self.item, self.item, self.admin_item])

    def test_saving_the_same_values_changes_nothing(self):
        self.row.write({"item_id": self.item.id, "sequence": self.row.sequence})
        self.assertFalse(self.row.effective_from)
        self.assertFalse(self.kept())

    def test_changed_twice_in_a_month_keeps_what_held_before(self):
        self.row.item_id = self.other_item
        self.row.item_id = self.admin_item
        self.assertEqual(self.items(), [self.item, self.item, self.admin_item])
        self.assertEqual(len(self.kept()), 1)

    def test_changed_in_two_months(self):
        with freeze_time("2025-04-15"):
            self.row.item_id = self.other_item
        self.row.item_id = self.admin_item
        self.assertEqual(self.items(), [self.item, self.other_item, self.admin_item])

    def test_archived_and_brought_back(self):
        with freeze_time("2025-04-15"):
            self.row.active = False
        self.row.active = True
        self.assertEqual(self.items(), [self.item, None, self.item])

    def test_account_without_captured_months_is_changed_altogether(self):
        fresh = self.expense_account.copy({"code": "T60078"})
        row = self.map_account(fresh, self.item)
        row.item_id = self.other_item
        self.assertFalse(row.effective_from)
        row.unlink()
        self.assertFalse(row.exists())
        self.assertFalse(self.kept())

    def test_months_before_the_start_are_no_reason_to_keep(self):
        self.company.customer_cost_start_date = "2025-05-01"
        self.row.item_id = self.other_item
        self.assertFalse(self.row.effective_from)
        self.assertFalse(self.kept())

    def test_posting_again_in_an_earlier_month_takes_what_held_then(self):
        self.row.item_id = self.other_item
        self.bills[3].button_draft()
        self.bills[3].action_post()
        self.assertEqual(self.items(), [self.item, self.item, self.other_item])

    def test_what_was_kept_cannot_be_changed(self):
        self.row.item_id = self.other_item
        kept = self.kept()
        for act in (lambda: kept.write({"active": True}), kept.unlink):
            with self.assertRefused("held until 04/30/2025 and is kept"):
                act()
        for vals in (
            {"effective_from": "2025-01-01"},
            {"effective_to": "2025-12-31"},
            {"origin_id": 1},
        ):
            with self.subTest(vals), self.assertRaises(AccessError):
                self.rpc(
                    self.users["manager"],
                    "customer.cost.account.map",
                    "write",
                    self.row.ids,
                    vals,
                )

    # ------------------------------------------------------------
    # Applied to what is posted
    # ------------------------------------------------------------

    def test_applied_from_the_month_that_is_asked_for(self):
        self.row.item_id = self.other_item
        self.apply("2025-04-01", self.row)
        self.assertEqual(self.items(), [self.item, self.other_item, self.other_item])
        self.assertEqual(self.row.effective_from, date(2025, 4, 1))
        self.apply("2025-03-15")
        self.assertEqual(self.items(), [self.other_item] * 3)

    def test_ledger_follows_at_once_and_only_once(self):
        self.row.item_id = self.other_item
        self.apply("2025-03-01")
        ledger = self.ledger()
        lines = self.env["customer.cost.line"].search_count([])
        self.assertEqual(
            {(item, amount) for (_customer, item, _day), amount in ledger.items()},
            {(self.other_item, 30.0), (self.other_item, 40.0), (self.other_item, 50.0)},
        )
        self.items()
        self.assertEqual(self.env["customer.cost.line"].search_count([]), lines)

    def test_several_versions_end_where_the_change_begins(self):
        with freeze_time("2025-04-15"):
            self.row.item_id = self.other_item
        self.row.item_id = self.admin_item
        self.apply("2025-04-01")
        self.assertEqual(self.items(), [self.item, self.admin_item, self.admin_item])
        self.apply("2025-01-01")
        self.assertEqual(self.items(), [self.admin_item] * 3)

    def test_deletion_applied(self):
        self.row.unlink()
        self.apply("2025-04-01")
        self.assertEqual(self.items(), [self.item, None, None])

    def test_deletion_of_a_row_changed_this_month_applied(self):
        self.row.item_id = self.other_item
        self.row.unlink()
        self.assertEqual(self.items(), [self.item, self.item, None])
        self.apply("2025-04-01")
        self.assertEqual(self.items(), [self.item, None, None])

    def test_only_the_chosen_rows(self):
        other = self.map_account(self.other_account, self.other_item)
        bill = self.create_bill([(self.other_account, 5.0, {})])
        other.item_id = self.admin_item
        self.row.item_id = self.other_item
        self.apply("2025-03-01", self.row)
        self.assertEqual(self.items(), [self.other_item] * 3)
        self.assertIn(self.other_item, [item for _c, item, _d in self.ledger(bill)])

    def test_preview_shows_every_item_before_and_after(self):
        self.row.item_id = self.other_item
        self.items()
        with self.assertNothingChanged():
            wizard = self.wizard("2025-04-10", self.row)
            self.assertEqual(
                [(line.item_id, line.before, line.after, line.change) for line in wizard.line_ids],
                [(self.item, 40.0, 0.0, -40.0), (self.other_item, 50.0, 90.0, 40.0)],
            )
        self.assertFalse(wizard.message)
        wizard.action_apply()
        totals = {item: 0.0 for item in (self.item, self.other_item)}
        for (_customer, item, day), amount in self.ledger().items():
            if day.month >= 4:
                totals[item] += amount
        self.assertEqual(totals, {self.item: 0.0, self.other_item: 90.0})

    def test_preview_follows_the_month_on_the_form(self):
        self.row.item_id = self.other_item
        action = self.row.action_apply()
        with Form(self.env["customer.cost.map.apply"].with_context(**action["context"])) as form:
            self.assertEqual(str(form.date_from), "2025-04-01")
            self.assertEqual([line["change"] for line in form.line_ids._records], [-40.0, 40.0])
            form.date_from = "2025-03-01"
            self.assertEqual([line["change"] for line in form.line_ids._records], [-70.0, 70.0])
            form.date_from = "2025-05-01"
            self.assertFalse(form.line_ids._records)
            self.assertIn("No change of the map waits", form.message)

    def test_preview_of_a_deleted_row(self):
        self.row.unlink()
        wizard = self.wizard("2025-04-01")
        self.assertEqual(
            [(line.label, line.before, line.after) for line in wizard.line_ids],
            [("[T-TRV] Test travel", 40.0, 0.0), ("Left out", 50.0, 90.0)],
        )

    def test_closed_months_stay(self):
        self.row.item_id = self.other_item
        self.close(3)
        wizard = self.wizard("2025-03-01")
        message = "2025-03 is closed and stays as it is. The earliest month is 2025-04"
        self.assertIn(message, wizard.message)
        with self.assertRefused(message):
            wizard.action_apply()
        self.apply("2025-04-01")
        self.assertEqual(self.items(), [self.item, self.other_item, self.other_item])

    def test_month_offered_is_the_last_one_or_the_first_open(self):
        fields = ["date_from", "company_id"]
        defaults = self.env["customer.cost.map.apply"].default_get(fields)
        self.assertEqual(defaults["date_from"], date(2025, 4, 1))
        self.close(4)
        defaults = self.env["customer.cost.map.apply"].default_get(fields)
        self.assertEqual(defaults["date_from"], date(2025, 5, 1))

    def test_nothing_waits_and_the_ledger_follows_at_once(self):
        bill = self.create_bill([(self.other_account.copy({"code": "T60079"}), 7.0, {})])
        with freeze_time("2025-03-20"):
            self.map_account(bill.invoice_line_ids.account_id, self.item)
        self.assertFalse(self.ledger(bill))
        wizard = self.wizard("2025-03-01")
        self.assertIn("No change of the map waits", wizard.message)
        wizard.action_apply()
        self.assertEqual([item for _customer, item, _day in self.ledger(bill)], [self.item])

    def test_rows_of_two_companies(self):
        branch = self.env["res.company"].create({"name": "Branch", "parent_id": self.company.id})
        row = self.map_account(self.account, self.admin_item, company_id=branch.id)
        companies = self.company | branch
        self.users["accountant"].company_ids |= branch
        rows = (self.row | row).with_context(allowed_company_ids=companies.ids)
        with self.assertRefused("Rows are applied one company at a time"):
            self.wizard("2025-04-01", rows).action_apply()

    def test_branches_follow_the_rows_of_their_company(self):
        branch = self.env["res.company"].create({"name": "Branch", "parent_id": self.company.id})
        self.env.cr.precommit.run()  # load the chart
        bill = self.create_bill([(self.account, 5.0, {})], company_id=branch.id)
        self.row.item_id = self.other_item
        self.apply("2025-03-01")
        lines = self.env["customer.cost.line"].search([("entry_id.source_move_id", "=", bill.id)])
        self.assertEqual(
            sorted((line.item_id.code, line.amount) for line in lines),
            [("T-ADV", 5.0), ("T-TRV", -5.0), ("T-TRV", 5.0)],
        )

    def test_only_accountants_apply(self):
        self.row.item_id = self.other_item
        for role in ("rep", "cost_user", "reviewer", "auditor", "internal"):
            with self.subTest(role), self.assertRaises(AccessError):
                self.rpc(
                    self.users[role],
                    "customer.cost.map.apply",
                    "create",
                    {"date_from": "2025-03-01", "company_id": self.company.id},
                )
        wizard_id = self.rpc(
            self.users["manager"],
            "customer.cost.map.apply",
            "create",
            {"date_from": "2025-03-01", "company_id": self.company.id},
        )
        self.rpc(self.users["manager"], "customer.cost.map.apply", "action_apply", [wizard_id])
        self.assertEqual(self.items(), [self.other_item] * 3)

    def test_company_out_of_reach(self):
        other = self.setup_other_company(name="Elsewhere")["company"]
        wizard = self.env["customer.cost.map.apply"].create(
            {"date_from": "2025-03-01", "company_id": other.id}
        )
        with self.assertRaisesText(UserError, "not one of the companies you work in"):
            wizard.with_user(self.users["accountant"]).with_context(
                allowed_company_ids=self.company.ids
            ).sudo(False).action_apply()
