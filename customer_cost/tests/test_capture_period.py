from datetime import date
from unittest.mock import patch

from odoo.fields import Command
from odoo.sql_db import Cursor
from odoo.tests import tagged

from .common import CustomerCostCommon

MARCH = (date(2025, 3, 1), date(2025, 3, 31))


class CapturePeriodCommon(CustomerCostCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.capture = cls.env["customer.cost.capture"]
        cls.bill = cls.create_bill(
            [
                (cls.expense_account, 100.0, {"cost_customer_id": cls.customer_a.id}),
                (cls.other_account, 50.0, {}),
            ]
        )
        cls.travel, cls.advertising = cls.bill.invoice_line_ids

    def sync(self, days=MARCH, **options):
        appended = self.capture._sync_period(self.company, *days, **options)
        self.env.invalidate_all()
        return appended

    def differences(self, days=MARCH, **options):
        return self.capture._find_differences(self.company, *days, **options)

    def execute(self, query, *params):
        """Change the database as another program would: Odoo does not see it."""
        self.env.flush_all()
        self.env.cr.execute(query, params)
        self.env.invalidate_all()

    def ledger_of(self, line):
        return self.env["customer.cost.line"].search([("entry_id.source_line_id", "=", line.id)])

    def day(self, line, customer=None, item=None, month=3):
        partner = customer or self.env["res.partner"]
        return (partner, item or self.item, date(2025, month, 10))

    def assertHealed(self, expected, days=MARCH):
        """One call leaves no difference and the ledger ``expected``; a second adds nothing."""
        self.assertTrue(self.differences(days))
        self.assertGreater(self.sync(days), 0)
        self.assertFalse(self.differences(days))
        self.assertEqual(self.ledger(), expected)
        self.assertEqual(self.sync(days), 0)

    @property
    def right(self):
        return {
            self.day(self.travel, self.customer_a): 100.0,
            self.day(self.advertising, item=self.other_item): 50.0,
        }


@tagged("post_install", "-at_install")
class TestCapturePeriodHeals(CapturePeriodCommon):
    """The comparison by days brings the ledger to what the posted books say."""

    def test_nothing_to_do(self):
        self.assertEqual(self.ledger(), self.right)
        self.assertFalse(self.differences())
        self.assertEqual(self.sync(), 0)

    def test_document_that_was_never_captured(self):
        self.execute("DELETE FROM customer_cost_line WHERE company_id = %s", self.company.id)
        self.execute("DELETE FROM customer_cost_entry WHERE company_id = %s", self.company.id)
        self.assertFalse(self.ledger())
        self.assertHealed(self.right)

    def test_line_captured_twice(self):
        self.execute(
            """INSERT INTO customer_cost_line (company_id, date, origin_date, service_date, item_id,
                      customer_id, entry_id, statistical, amount)
               SELECT company_id, date, origin_date, service_date, item_id, customer_id, entry_id,
                      statistical, amount FROM customer_cost_line WHERE id = %s""",
            self.ledger_of(self.travel).id,
        )
        (found,) = self.differences()
        self.assertEqual((found["expected"], found["present"]), (100.0, 200.0))
        self.assertHealed(self.right)

    def test_line_with_the_wrong_sign(self):
        self.execute(
            "UPDATE customer_cost_line SET amount = -amount WHERE id = %s",
            self.ledger_of(self.travel).id,
        )
        (found,) = self.differences()
        self.assertEqual((found["expected"], found["present"]), (100.0, -100.0))
        self.assertHealed(self.right)

    def test_ledger_line_given_to_another_customer(self):
        self.execute(
            "UPDATE customer_cost_line SET customer_id = %s WHERE id = %s",
            self.customer_b.id,
            self.ledger_of(self.travel).id,
        )
        self.assertEqual(
            {(row["customer_id"], row["expected"], row["present"]) for row in self.differences()},
            {(self.customer_a.id, 100.0, 0.0), (self.customer_b.id, 0.0, 100.0)},
        )
        self.assertHealed(self.right)

    def test_journal_item_edited_in_the_database(self):
        self.execute(
            "UPDATE account_move_line SET balance = 70, debit = 70, amount_currency = 70 "
            "WHERE id = %s",
            self.travel.id,
        )
        self.assertHealed({**self.right, self.day(self.travel, self.customer_a): 70.0})

    def test_distribution_changed_in_the_database(self):
        plan = self.env["account.analytic.plan"].create({"name": "Customers"})
        self.company.customer_cost_plan_id = plan
        account = self.env["account.analytic.account"].create(
            {"name": "B", "plan_id": plan.id, "partner_id": self.customer_b.id}
        )
        self.execute(
            "UPDATE account_move_line SET analytic_distribution = jsonb_build_object(%s::text, 40)"
            "WHERE id = %s",
            str(account.id),
            self.advertising.id,
        )
        self.assertHealed(
            {
                self.day(self.travel, self.customer_a): 100.0,
                self.day(self.advertising, self.customer_b, self.other_item): 20.0,
                self.day(self.advertising, item=self.other_item): 30.0,
            }
        )

    def test_accounts_merged_in_the_database(self):
        merged = self.unmapped_account
        self.map_account(merged, self.admin_item)
        self.execute(
            "UPDATE account_move_line SET account_id = %s WHERE account_id = %s",
            merged.id,
            self.expense_account.id,
        )
        found = self.differences()
        self.assertEqual({row["account_id"] for row in found}, {merged.id})
        self.assertHealed(
            {
                self.day(self.travel, self.customer_a, self.admin_item): 100.0,
                self.day(self.advertising, item=self.other_item): 50.0,
            }
        )

    def test_items_created_anew_with_other_ids(self):
        self.execute(
            "UPDATE account_move_line SET id = nextval('account_move_line_id_seq') WHERE id = %s",
            self.travel.id,
        )
        found = self.differences()
        self.assertEqual({row["move_id"] for row in found}, {self.bill.id})
        self.assertEqual({row["account_id"] for row in found}, {self.expense_account.id, None})
        self.assertHealed(self.right)

    def test_document_deleted_in_the_database(self):
        self.execute("DELETE FROM account_move WHERE id = %s", self.bill.id)
        found = self.differences()
        self.assertEqual([row["expected"] for row in found], [0.0, 0.0])
        self.assertEqual({row["account_id"] for row in found}, {None})
        self.assertHealed({})
        states = self.env["customer.cost.entry"].search([("source_move_id", "=", self.bill.id)])
        self.assertEqual(set(states.mapped("state")), {"withdrawn"})

    def test_document_set_to_draft_in_the_database(self):
        self.execute("UPDATE account_move SET state = 'draft' WHERE id = %s", self.bill.id)
        self.assertHealed({})

    def test_document_moved_to_another_day_in_the_database(self):
        self.execute("UPDATE account_move SET date = '2025-05-10' WHERE id = %s", self.bill.id)
        self.assertHealed(
            {
                (self.customer_a, self.item, date(2025, 5, 10)): 100.0,
                (self.env["res.partner"], self.other_item, date(2025, 5, 10)): 50.0,
            }
        )
        self.assertFalse(self.differences((date(2025, 5, 1), date(2025, 5, 31))))

    def test_journal_item_moved_to_another_document_in_the_database(self):
        other = self.create_bill([(self.expense_account, 10.0, {})])
        self.execute(
            "UPDATE account_move_line SET move_id = %s WHERE id = %s", other.id, self.travel.id
        )
        self.sync()
        self.assertFalse(self.differences())
        self.assertEqual(self.ledger(), {**self.right, self.day(self.travel): 10.0})
        entry = self.ledger_of(self.travel).entry_id
        self.assertEqual((entry.source_move_id, entry.state), (other.id, "captured"))

    def test_other_days_and_companies_are_left_alone(self):
        april = self.create_bill([(self.expense_account, 7.0, {})], day="2025-04-01")
        other = self.setup_other_company(name="Elsewhere")["company"]
        self.execute("DELETE FROM customer_cost_line WHERE company_id = %s", self.company.id)
        self.assertFalse(self.capture._find_differences(other, *MARCH))
        self.assertEqual(self.capture._sync_period(other, *MARCH), 0)
        self.sync()
        self.assertFalse(self.ledger(april))
        self.assertEqual(self.ledger(), self.right)

    def test_difference_of_a_closed_month_is_counted_late(self):
        period = self.env["customer.cost.period"]._get(self.company, MARCH[0])
        self.execute("UPDATE customer_cost_period SET state = 'closed' WHERE id = %s", period.id)
        self.execute(
            "UPDATE account_move_line SET balance = 70, debit = 70, amount_currency = 70 "
            "WHERE id = %s",
            self.travel.id,
        )
        self.sync()
        late = self.ledger_of(self.travel) - self.ledger_of(self.travel).filtered(
            lambda line: line.amount == 100.0
        )
        self.assertEqual(
            (late.amount, late.date, late.origin_date),
            (-30.0, date(2025, 4, 1), date(2025, 3, 10)),
        )
        self.assertFalse(self.differences())

    def test_costs_recorded_by_hand_are_no_difference(self):
        self.create_cost(post=True)
        self.assertFalse(self.differences())
        self.assertEqual(self.sync(), 0)

    def test_differences_are_read_in_order_up_to_a_limit(self):
        self.create_bill([(self.expense_account, 7.0, {})], day="2025-03-02")
        self.execute("DELETE FROM customer_cost_line WHERE company_id = %s", self.company.id)
        found = self.differences()
        self.assertEqual([row["expected"] for row in found], [7.0, 100.0, 50.0])
        self.assertEqual(found[1]["line_id"], self.travel.id)
        self.assertEqual(found[1]["item_id"], self.item.id)
        self.assertEqual(found[1]["date"], date(2025, 3, 10))
        self.assertEqual(self.differences(limit=1), found[:1])


@tagged("post_install", "-at_install")
class TestCapturePeriodBatches(CapturePeriodCommon):
    """Many documents are compared in few statements."""

    def queries(self):
        count = 0
        execute = Cursor.execute

        def spy(cursor, query, params=None, log_exceptions=True):
            nonlocal count
            count += 1
            return execute(cursor, query, params, log_exceptions)

        self.env.flush_all()
        with patch.object(Cursor, "execute", spy):
            self.sync()
        return count

    def test_queries_do_not_grow_with_the_documents(self):
        self.sync()
        one = self.queries()
        for _ in range(10):
            self.create_bill([(self.expense_account, 7.0, {})] * 3)
        self.execute("DELETE FROM customer_cost_line WHERE company_id = %s", self.company.id)
        self.assertEqual(self.queries(), one)
        self.assertGreater(one, 0)

    def test_small_batches_give_the_same_ledger(self):
        for _ in range(4):
            self.create_bill([(self.expense_account, 7.0, {})])
        before = self.ledger()
        self.execute("DELETE FROM customer_cost_line WHERE company_id = %s", self.company.id)
        path = "odoo.addons.customer_cost.models.customer_cost_capture_period.MOVES_PER_STATEMENT"
        with patch(path, 2):
            self.assertEqual(self.sync(), 6)
        self.assertEqual(self.ledger(), before)

    def test_year_of_entries_that_close_into_equity(self):
        equity = self.env["account.account"].search(
            [("account_type", "=", "equity_unaffected"), ("company_ids", "in", self.company.ids)],
            limit=1,
        )
        for month in range(1, 13):
            self.create_bill([(self.expense_account, 10.0, {})], day=f"2025-{month:02}-05")
            self.env["account.move"].create(
                {
                    "journal_id": self.company_data["default_journal_misc"].id,
                    "date": f"2025-{month:02}-28",
                    "line_ids": [
                        Command.create({"account_id": self.expense_account.id, "balance": -10.0}),
                        Command.create({"account_id": equity.id, "balance": 10.0}),
                    ],
                }
            ).action_post()
        self.execute("DELETE FROM customer_cost_line WHERE company_id = %s", self.company.id)
        year = (date(2025, 1, 1), date(2025, 12, 31))
        self.sync(year)
        self.assertEqual(
            self.ledger(),
            {
                **self.right,
                **{
                    (self.env["res.partner"], self.item, date(2025, month, 5)): 10.0
                    for month in range(1, 13)
                },
            },
        )
        self.assertFalse(self.differences(year))
