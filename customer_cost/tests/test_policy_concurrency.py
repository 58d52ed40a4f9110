from odoo import SUPERUSER_ID, api
from odoo.tests import TransactionCase, tagged
from odoo.tools import SQL, mute_logger

BREACH, ENTRY = "customer.cost.policy.breach", "customer.cost.entry"


@tagged("post_install", "-at_install")
class TestPolicyConcurrency(TransactionCase):
    """Two transactions that count blocked attempts of the same cost do not stop each other.

    The records are committed, so that both transactions see them, and deleted afterwards.
    """

    def setUp(self):
        super().setUp()
        self.registry_cursor = self.env.registry.cursor
        with self.registry_cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            company = env.ref("base.main_company")
            item = env["customer.cost.item"].create({"code": "T-PARPOL", "name": "Parallel"})
            policy = env["customer.cost.policy"].create(
                {
                    "kind": "entry_limit",
                    "amount": 50.0,
                    "level": "block",
                    "company_id": company.id,
                    "item_id": item.id,
                }
            )
            entries = env[ENTRY].create(
                [{"item_id": item.id, "amount": 100.0, "company_id": company.id}] * 2
            )
            self.vals_list = entries._prepare_blocked()
            self.ids = (entries.ids, policy.ids, item.ids)
            cr.commit()  # pylint: disable=invalid-commit
        self.addCleanup(self.delete_fixtures)

    def delete_fixtures(self):
        entries, policies, items = self.ids
        with self.registry_cursor() as cr:
            for model, ids in ((ENTRY, entries), ("customer.cost.item", items)):
                for table, column in (("mail_message", "model"), ("mail_followers", "res_model")):
                    cr.execute(
                        SQL(
                            "DELETE FROM %s WHERE %s = %s AND res_id = ANY(%s)",
                            SQL.identifier(table),
                            SQL.identifier(column),
                            model,
                            ids,
                        )
                    )
            cr.execute("DELETE FROM customer_cost_entry WHERE id = ANY(%s)", [entries])
            cr.execute("DELETE FROM customer_cost_policy WHERE id = ANY(%s)", [policies])
            cr.execute("DELETE FROM customer_cost_item WHERE id = ANY(%s)", [items])
            cr.commit()  # pylint: disable=invalid-commit

    def open(self):
        """Counting of blocked attempts in a transaction that has taken its snapshot."""
        cr = self.registry_cursor()
        self.addCleanup(cr.close)
        # Whoever waits for the other fails the test instead of hanging it.
        cr.execute("SET LOCAL lock_timeout = '2s'")
        breaches = api.Environment(cr, SUPERUSER_ID, {})[BREACH]
        breaches.search_count([])
        return breaches

    def count(self, breaches, figure, vals_list):
        breaches._count_blocked([{**vals, "figure": figure} for vals in vals_list])
        breaches.env.cr.commit()

    def figures(self):
        with self.registry_cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            rows = env[BREACH].search([("entry_id", "in", self.ids[0])])
            return rows.sorted(lambda row: row.entry_id.id).mapped("figure")

    @mute_logger("odoo.sql_db")
    def test_the_attempt_that_another_transaction_counts_is_counted_once(self):
        first, second = self.open(), self.open()
        self.count(first, 60.0, self.vals_list[:1])
        self.count(second, 70.0, self.vals_list)
        self.assertEqual(self.figures(), [60.0, 70.0])
        first, second = self.open(), self.open()
        self.count(first, 80.0, self.vals_list[:1])
        self.count(second, 90.0, self.vals_list)
        self.assertEqual(self.figures(), [80.0, 90.0])
