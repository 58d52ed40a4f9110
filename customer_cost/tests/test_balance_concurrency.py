from freezegun import freeze_time

from odoo import SUPERUSER_ID, api
from odoo.tests import TransactionCase, tagged
from odoo.tools import SQL

DAY = "2019-03-10"
# In the order in which keys between them allow deletion.
TABLES = (
    "customer_cost_dirty",
    "customer_cost_balance",
    "customer_cost_summary",
    "customer_cost_item_month",
    "customer_cost_line",
    "customer_cost_entry",
    "customer_cost_item",
    "mail_message",
    "mail_followers",
)


@tagged("post_install", "-at_install")
@freeze_time("2019-03-15")
class TestBalanceConcurrency(TransactionCase):
    """The refresh and those who post never wait for each other, and nothing is lost between them.

    The records are committed, so that several transactions see them, and deleted afterwards.
    """

    def setUp(self):
        super().setUp()
        self.addCleanup(self.delete_fixtures)
        with self.env.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            env["customer.cost.balance"]._refresh()
            self.first_ids = {}
            for table in TABLES:
                cr.execute(SQL("SELECT COALESCE(max(id), 0) FROM %s", SQL.identifier(table)))
                self.first_ids[table] = cr.fetchone()[0]
            self.company_id = env.ref("base.main_company").id
            customer = env["res.partner"].create({"name": "Parallel", "is_company": True})
            self.customer_id = customer.id
            item = env["customer.cost.item"].create({"code": "T-BAL", "name": "Parallel"})
            self.item_id = item.id
            cr.commit()  # pylint: disable=invalid-commit

    def delete_fixtures(self):
        with self.env.registry.cursor() as cr:
            for table in TABLES:
                cr.execute(
                    SQL(
                        "DELETE FROM %s WHERE id > %s", SQL.identifier(table), self.first_ids[table]
                    )
                )
            cr.execute("DELETE FROM res_partner WHERE id = %s", (self.customer_id,))
            cr.commit()  # pylint: disable=invalid-commit

    def open(self):
        cr = self.env.registry.cursor()
        self.addCleanup(cr.close)
        # Whoever waits for the other fails the test instead of hanging it.
        cr.execute("SET LOCAL lock_timeout = '2s'")
        return api.Environment(cr, SUPERUSER_ID, {})

    def add_cost(self, env, amount):
        """An approved cost, as approval leaves it."""
        entry = env["customer.cost.entry"].create(
            {
                "date": DAY,
                "item_id": self.item_id,
                "customer_id": self.customer_id,
                "amount": amount,
                "company_id": self.company_id,
            }
        )
        entry._unguarded().write({"state": "approved"})
        entry._append_to_ledger()
        env.flush_all()

    def read_balance(self, query):
        with self.env.registry.cursor() as cr:
            cr.execute(query, (self.customer_id,))
            return [float(value) for (value,) in cr.fetchall()]

    def stored(self):
        return self.read_balance(
            "SELECT direct_cost FROM customer_cost_balance WHERE customer_id = %s"
        )

    def marks(self):
        return self.read_balance(
            "SELECT id FROM customer_cost_dirty WHERE %s = ANY(customer_ids) AND month IS NOT NULL"
        )

    def refresh(self, env):
        return env["customer.cost.balance"]._refresh()

    def commit(self, *envs):
        for env in envs:
            env.cr.commit()

    def add_committed_cost(self, amount):
        env = self.open()
        self.add_cost(env, amount)
        self.commit(env)

    # ------------------------------------------------------------

    def test_cost_approved_while_the_refresh_is_at_work(self):
        self.add_committed_cost(10)
        refreshing, posting = self.open(), self.open()
        self.assertTrue(self.refresh(refreshing))
        # same customer, same month: neither waits
        self.add_cost(posting, 5)
        self.commit(posting, refreshing)
        self.assertEqual(self.stored(), [10])
        self.assertEqual(len(self.marks()), 1)
        later = self.open()
        self.assertTrue(self.refresh(later))
        self.commit(later)
        self.assertEqual((self.stored(), self.marks()), ([15], []))

    def test_cost_committed_after_the_refresh_took_its_snapshot(self):
        refreshing = self.open()
        refreshing.cr.execute("SELECT count(*) FROM customer_cost_dirty")
        self.add_committed_cost(10)
        self.assertTrue(self.refresh(refreshing))
        self.commit(refreshing)
        self.assertEqual((self.stored(), len(self.marks())), ([], 1))
        later = self.open()
        self.refresh(later)
        self.commit(later)
        self.assertEqual((self.stored(), self.marks()), ([10], []))

    def test_refresh_while_a_cost_is_being_approved(self):
        posting, refreshing = self.open(), self.open()
        self.add_cost(posting, 10)
        self.assertTrue(self.refresh(refreshing))
        self.commit(refreshing, posting)
        self.assertEqual((self.stored(), len(self.marks())), ([], 1))

    def test_two_costs_of_a_month_at_once(self):
        """Marks have no key to collide on."""
        first, second = self.open(), self.open()
        second.cr.execute("SELECT count(*) FROM customer_cost_dirty")
        self.add_cost(first, 10)
        self.add_cost(second, 5)
        self.commit(first, second)
        later = self.open()
        self.refresh(later)
        self.commit(later)
        self.assertEqual(self.stored(), [15])

    def test_second_refresh_leaves_the_first_alone(self):
        self.add_committed_cost(10)
        first, second = self.open(), self.open()
        self.assertTrue(self.refresh(first))
        self.assertFalse(self.refresh(second))
        self.commit(first)
        third = self.open()
        self.assertTrue(self.refresh(third))
        self.commit(third)
        self.assertEqual(self.stored(), [10])

    def test_refresh_that_fails_leaves_its_marks(self):
        self.add_committed_cost(10)
        failing = self.open()
        self.refresh(failing)
        failing.cr.rollback()
        self.assertEqual((self.stored(), len(self.marks())), ([], 1))

    def test_customer_changed_while_the_refresh_is_at_work(self):
        """The database checks no key to the customer: who sells is not held up, nor undone."""
        self.add_committed_cost(10)
        refreshing, selling = self.open(), self.open()
        refreshing.cr.execute("SELECT count(*) FROM customer_cost_dirty")
        selling["res.partner"].browse(self.customer_id).write({"name": "Renamed"})
        self.commit(selling)
        self.assertTrue(self.refresh(refreshing))
        again = self.open()
        again["res.partner"].browse(self.customer_id).write({"name": "Renamed twice"})
        self.commit(again, refreshing)
        self.assertEqual(self.stored(), [10])
