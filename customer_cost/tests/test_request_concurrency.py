from psycopg2.errors import SerializationFailure

from odoo import SUPERUSER_ID, api
from odoo.tests import TransactionCase, tagged
from odoo.tools import SQL, mute_logger


@tagged("post_install", "-at_install")
class TestRequestConcurrency(TransactionCase):
    """Two people who settle one request at once come one after the other.

    The request is committed, so that both transactions see it, and deleted afterwards.
    """

    def setUp(self):
        super().setUp()
        self.registry_cursor = self.env.registry.cursor
        with self.registry_cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            customer = env["res.partner"].create({"name": "Parallel customer"})
            item = env["customer.cost.item"].create({"code": "T-PARREQ", "name": "Parallel"})
            request = env["customer.cost.entry"].create(
                {
                    "kind": "request",
                    "item_id": item.id,
                    "customer_id": customer.id,
                    "amount": 500.0,
                    "company_id": env.ref("base.main_company").id,
                }
            )
            self.ids = (request.id, item.id, customer.id)
            cr.commit()  # pylint: disable=invalid-commit
        self.addCleanup(self.delete_fixtures)

    def delete_fixtures(self):
        request_id, item_id, customer_id = self.ids
        with self.registry_cursor() as cr:
            for model, res_id in (
                ("customer.cost.entry", request_id),
                ("customer.cost.item", item_id),
                ("res.partner", customer_id),
            ):
                for table, column in (("mail_message", "model"), ("mail_followers", "res_model")):
                    cr.execute(
                        SQL(
                            "DELETE FROM %s WHERE %s = %s AND res_id = %s",
                            SQL.identifier(table),
                            SQL.identifier(column),
                            model,
                            res_id,
                        )
                    )
            cr.execute("DELETE FROM customer_cost_entry WHERE id = %s", [request_id])
            cr.execute("DELETE FROM customer_cost_item WHERE id = %s", [item_id])
            cr.execute("DELETE FROM res_partner WHERE id = %s", [customer_id])
            cr.commit()  # pylint: disable=invalid-commit

    def open(self):
        cr = self.registry_cursor()
        self.addCleanup(cr.close)
        cr.execute("SET LOCAL lock_timeout = '30s'")
        env = api.Environment(cr, SUPERUSER_ID, {})
        return env["customer.cost.entry"].browse(self.ids[0])

    def test_the_second_to_settle_is_tried_again_and_sees_the_first(self):
        first, second = self.open(), self.open()
        # both transactions have begun before the first one settles
        for request in (first, second):
            request.env.cr.execute("SELECT 1 FROM customer_cost_entry LIMIT 1")
        first._hold()
        first.env.cr.commit()
        with mute_logger("odoo.sql_db"), self.assertRaises(SerializationFailure):
            second._hold()
        second.env.cr.rollback()
        second._hold()
