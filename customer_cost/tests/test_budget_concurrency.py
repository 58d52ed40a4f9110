from odoo import SUPERUSER_ID, api
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.service.model import retrying
from odoo.tests import TransactionCase, tagged
from odoo.tools import SQL, mute_logger

DAY = "2019-03-10"
# In the order in which keys between them allow deletion.
TABLES = (
    "customer_cost_dirty",
    "mail_activity",
    "customer_cost_entry",
    "customer_cost_budget_line",
    "customer_cost_budget_band",
    "customer_cost_budget",
    "customer_cost_item",
    "mail_tracking_value",
    "mail_message",
    "mail_followers",
)


@tagged("post_install", "-at_install")
class TestBudgetConcurrency(TransactionCase):
    """Two submissions at once do not use the same rest of a budget.

    The records are committed, so that two transactions see them, and deleted afterwards.
    """

    def setUp(self):
        super().setUp()
        self.addCleanup(self.delete_fixtures)
        with self.env.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            self.first_ids = {}
            for table in TABLES:
                cr.execute(SQL("SELECT COALESCE(max(id), 0) FROM %s", SQL.identifier(table)))
                self.first_ids[table] = cr.fetchone()[0]
            company = env.ref("base.main_company")
            self.days_back = company.customer_cost_max_days_back
            company.customer_cost_max_days_back = 36500
            customer = env["res.partner"].create({"name": "Parallel", "is_company": True})
            self.customer_id = customer.id
            item = env["customer.cost.item"].create({"code": "T-BUD", "name": "Parallel"})
            budget = env["customer.cost.budget"].create(
                {
                    "customer_id": customer.id,
                    "company_id": company.id,
                    "date_from": "2019-01-01",
                    "date_to": "2019-12-31",
                    "line_ids": [Command.create({"month": DAY, "planned": 100.0})],
                    "band_ids": [Command.create({"percentage": 100.0, "action": "block"})],
                }
            )
            budget.action_confirm()
            self.entry_ids = (
                env["customer.cost.entry"]
                .create(
                    [
                        {
                            "date": DAY,
                            "item_id": item.id,
                            "customer_id": customer.id,
                            "amount": 60.0,
                            "company_id": company.id,
                            "currency_id": company.currency_id.id,
                        }
                    ]
                    * 2
                )
                .ids
            )
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
            cr.execute(
                "UPDATE res_company SET customer_cost_max_days_back = %s WHERE id = %s",
                (self.days_back, self.env.ref("base.main_company").id),
            )
            cr.commit()  # pylint: disable=invalid-commit

    def open(self):
        cr = self.env.registry.cursor()
        self.addCleanup(cr.close)
        # Whoever waits for the other fails the test instead of hanging it.
        cr.execute("SET LOCAL lock_timeout = '2s'")
        return api.Environment(cr, SUPERUSER_ID, {})

    def test_the_second_of_two_submissions_is_retried_and_refused(self):
        first, second = (
            env["customer.cost.entry"].browse(entry_id)
            for env, entry_id in zip((self.open(), self.open()), self.entry_ids, strict=True)
        )
        # Both transactions have taken their snapshot: neither sees what the other does.
        self.assertFalse(first.findings)
        self.assertFalse(second.findings)
        first.action_submit()
        first.env.cr.commit()
        tries = []

        def submit():
            tries.append(1)
            second.action_submit()

        with (
            mute_logger("odoo.sql_db", "odoo.service.model"),
            self.assertRaisesRegex(UserError, "exceeded by.*20.00"),
        ):
            retrying(submit, second.env)
        self.assertEqual(len(tries), 2)
        with self.env.registry.cursor() as cr:
            cr.execute(
                "SELECT state FROM customer_cost_entry WHERE id = ANY(%s) ORDER BY id",
                (self.entry_ids,),
            )
            self.assertEqual([state for (state,) in cr.fetchall()], ["submitted", "draft"])
