from freezegun import freeze_time

from odoo.tests import tagged

from .period_common import PeriodCommon


@tagged("post_install", "-at_install")
@freeze_time("2025-06-15")
class TestPeriodChanged(PeriodCommon):
    """A closed month that is no longer what it was closed on says so."""

    def setUp(self):
        super().setUp()
        self.bill = self.create_direct_bill()
        self.march = self.period()
        self.close(self.march)

    def slip_in(self, amount=25.0):
        """A ledger line that a posting begun before the closing leaves behind it."""
        self.run_sql(
            """INSERT INTO customer_cost_line
               SELECT (x).* FROM (
                   SELECT jsonb_populate_record(l, jsonb_build_object(
                              'id', nextval('customer_cost_line_id_seq'), 'amount', %s)) AS x
                     FROM customer_cost_line l WHERE l.company_id = %s
                 ORDER BY l.id LIMIT 1) made""",
            amount,
            self.company.id,
        )
        return self.env["customer.cost.line"].search([], limit=1)

    def test_a_month_as_it_was_closed(self):
        self.assertFalse(self.march.is_changed)
        self.assertEqual(
            self.march._get_changed_after_closing(), {"line_ids": [], "amount": 0.0, "accounts": []}
        )
        self.assertFalse(self.march.changed_books)

    def test_an_open_month_has_not_changed(self):
        april = self.period("2025-04-10")
        self.create_direct_bill(day="2025-04-10")
        self.assertFalse(april.is_changed)
        self.assertEqual((april.changed_count, april.changed_amount), (0, 0.0))

    def test_line_that_slipped_in(self):
        line = self.slip_in()
        self.assertTrue(self.march.is_changed)
        self.assertEqual((self.march.changed_count, self.march.changed_amount), (1, 25.0))
        found = self.env["customer.cost.line"].search(self.march.action_open_changed()["domain"])
        self.assertEqual(found, line)

    def test_line_with_a_number_from_before_the_closing(self):
        """Numbers are drawn before the commit: a later line may have a lower one."""
        line = self.slip_in()
        self.run_sql("UPDATE customer_cost_line SET id = -1 WHERE id = %s", line.id)
        self.assertEqual((self.march.changed_count, self.march.changed_amount), (1, 25.0))

    def test_lines_that_cancel_out(self):
        self.slip_in(25.0)
        self.slip_in(-25.0)
        self.assertTrue(self.march.is_changed)
        self.assertEqual((self.march.changed_count, self.march.changed_amount), (2, 0.0))

    def test_amount_changed_by_another_door(self):
        self.run_sql(
            "UPDATE customer_cost_line SET amount = 90 WHERE company_id = %s", self.company.id
        )
        self.assertTrue(self.march.is_changed)
        self.assertEqual((self.march.changed_count, self.march.changed_amount), (0, -10.0))

    def test_line_deleted_by_another_door(self):
        self.run_sql("DELETE FROM customer_cost_line WHERE company_id = %s", self.company.id)
        self.assertTrue(self.march.is_changed)
        self.assertEqual((self.march.changed_count, self.march.changed_amount), (0, -100.0))

    def test_late_cost_does_not_change_the_closed_ledger_but_its_books(self):
        self.create_direct_bill(30.0)
        self.assertFalse(self.march.is_changed)
        self.assertEqual(self.march.changed_count, 0)
        accounts = self.march._get_changed_after_closing()["accounts"]
        self.assertEqual(
            [(row["then"], row["now"], row["change"]) for row in accounts],
            [(-100.0, -130.0, -30.0)],
        )
        self.assertRegex(self.march.changed_books, r"^T60001 Travel: .*-.*30\.00$")

    def test_sale_posted_into_a_closed_month(self):
        self.create_sale(self.customer_a, price=500.0)
        accounts = self.march._get_changed_after_closing()["accounts"]
        self.assertEqual([row["change"] for row in accounts], [500.0])

    def test_books_that_are_as_they_were_again(self):
        bill = self.create_direct_bill(30.0)
        bill.button_draft()
        self.assertFalse(self.march.changed_books)

    def test_closing_again_accepts_it(self):
        self.slip_in()
        self.run_sql("DELETE FROM customer_cost_line WHERE amount = 25.0")
        line = self.slip_in(0.0)
        self.assertTrue(self.march.is_changed)
        self.march._reopen("A line slipped in")
        self.close(self.march)
        self.assertFalse(self.march.is_changed)
        self.assertEqual(self.march.changed_count, 0)
        self.assertTrue(line.exists())

    def test_who_closed_it_is_told_once(self):
        cron = self.env.ref("customer_cost.customer_cost_period_cron")
        count = len(self.march.message_ids)
        self.run_cron(cron)
        self.assertEqual(len(self.march.message_ids), count, "nothing changed yet")
        self.assertFalse(self.march.was_reported)
        self.slip_in()
        self.run_cron(cron)
        self.run_cron(cron)
        told = self.march.message_ids[: len(self.march.message_ids) - count]
        self.assertEqual(len(told), 1)
        self.assertIn("Ledger lines added: 1", told.body)
        self.assertIn("25.00", told.body)
        self.assertTrue(self.march.was_reported)
        self.assertEqual(told.partner_ids, self.users["manager"].partner_id)

    def test_it_is_told_in_the_language_of_the_company_else_of_who_closed_it(self):
        cron = self.env.ref("customer_cost.customer_cost_period_cron")
        self.env["res.lang"]._activate_lang("zh_CN")
        for company_lang, closer_lang in (("zh_CN", "en_US"), (False, "zh_CN")):
            self.company.partner_id.lang = company_lang
            self.users["manager"].lang = closer_lang
            self.slip_in()
            self.march.closing_id.sudo().reported = False
            self.run_cron(cron)
            self.assertIn("关闭后已变更", self.march.message_ids[0].body)

    def run_cron(self, cron):
        with self.enter_registry_test_mode():
            cron.method_direct_trigger()
        self.env.invalidate_all()
