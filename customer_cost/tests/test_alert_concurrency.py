from psycopg2.errors import SerializationFailure

from odoo import SUPERUSER_ID, api
from odoo.exceptions import UserError
from odoo.tests import TransactionCase, freeze_time, tagged
from odoo.tools import SQL, mute_logger

# In the order in which keys between them allow deletion.
TABLES = (
    "mail_activity",
    "customer_cost_alert",
    "customer_cost_alert_rule",
    "customer_cost_balance",
    "mail_message",
    "mail_followers",
)


@tagged("post_install", "-at_install")
@freeze_time("2019-03-15")
class TestAlertConcurrency(TransactionCase):
    """Two evaluations at once find one alert per breach, and none is lost.

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
            company = env.ref("base.main_company")
            customer = env["res.partner"].create({"name": "Parallel", "is_company": True})
            self.customer_id = customer.id
            cr.execute(
                """INSERT INTO customer_cost_balance (
                          company_id, customer_id, month, gross_sales, net_sales, product_cost,
                          activity_cost, sustaining_cost, direct_cost, statistical_cost,
                          allocated_cost, full_cost, unknown_lines)
                   VALUES (%s, %s, '2019-03-01', 0, 0, 0, 0, 7, 7, 0, 0, 0, 0)""",
                (company.id, customer.id),
            )
            rule = env["customer.cost.alert.rule"].create(
                {
                    "name": "Parallel",
                    "company_id": company.id,
                    "metric": "cost",
                    "operator": "above",
                    "threshold": 1.0,
                    "customer_domain": f"[('id', '=', {customer.id})]",
                }
            )
            rule._unguarded().write({"state": "on"})
            self.rule_id = rule.id
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
        env = api.Environment(cr, SUPERUSER_ID, {})
        return env["customer.cost.alert.rule"].browse(self.rule_id)

    def commit(self, rule):
        rule.env.cr.commit()

    def count_alerts(self):
        with self.env.registry.cursor() as cr:
            cr.execute(
                "SELECT count(*) FROM customer_cost_alert WHERE rule_id = %s", (self.rule_id,)
            )
            return cr.fetchone()[0]

    def test_second_evaluation_is_refused_while_the_first_is_at_work(self):
        first, second = self.open(), self.open()
        first._check_rules()
        with self.assertRaisesRegex(UserError, "Another evaluation"):
            second._check_rules()
        self.commit(first)
        self.assertEqual(self.count_alerts(), 1)

    def test_second_evaluation_with_an_older_view_does_not_repeat_the_alert(self):
        first, second = self.open(), self.open()
        second.env.cr.execute("SELECT count(*) FROM customer_cost_alert")
        first._check_rules()
        self.commit(first)
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaises(SerializationFailure),
        ):
            second._check_rules()
        second.env.cr.rollback()
        self.assertEqual(self.count_alerts(), 1)
        third = self.open()
        third._check_rules()
        self.commit(third)
        self.assertEqual(self.count_alerts(), 1)
