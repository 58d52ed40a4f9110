from threading import Thread

from psycopg2.errors import SerializationFailure

from odoo import SUPERUSER_ID, api
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.service.model import retrying
from odoo.tests import TransactionCase, new_test_user, tagged
from odoo.tools import SQL, mute_logger

from .common import close_unchecked

MONTH = "2019-03"
# In the order in which keys between them allow deletion.
TABLES = (
    "customer_cost_allocation",
    "customer_cost_run_cell",
    "customer_cost_run_step",
    "customer_cost_run",
    "customer_cost_period_check",
    "customer_cost_period_closing",
    "customer_cost_period",
    "customer_cost_line",
    "customer_cost_review",
    "customer_cost_entry",
    "customer_cost_driver_value",
    "customer_cost_rule",
    "customer_cost_driver",
    "customer_cost_item",
)
THREADED = ("mail_message", "mail_followers", "mail_activity")


@tagged("post_install", "-at_install")
class TestRunConcurrency(TransactionCase):
    """Two people who post or approve at once: one succeeds, the other is told.

    The records are committed, so that several transactions see them, and deleted afterwards.
    """

    def setUp(self):
        super().setUp()
        self.registry_cursor = self.env.registry.cursor
        self.addCleanup(self.delete_fixtures)
        with self.registry_cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            self.first_ids = self.read_last_ids(cr)
            self.create_fixtures(env)
            cr.commit()  # pylint: disable=invalid-commit

    def create_fixtures(self, env):
        self.company_id = env.ref("base.main_company").id
        company = env["res.company"].browse(self.company_id)
        self.days_back = company.customer_cost_max_days_back
        company.customer_cost_max_days_back = 36500
        roles = "customer_cost.group_customer_cost_manager"
        reviewer = "customer_cost.group_customer_cost_reviewer"
        users = [
            new_test_user(
                env,
                login=f"cost_parallel_{name}",
                groups=groups,
                company_id=company.id,
                company_ids=[Command.set(company.ids)],
            )
            for name, groups in (("a", roles), ("b", roles), ("c", reviewer), ("d", reviewer))
        ]
        self.user_ids = [user.id for user in users]
        self.managers, self.reviewers = self.user_ids[:2], self.user_ids[2:]
        customer = env["res.partner"].create({"name": "Parallel customer", "is_company": True})
        self.customer_id = customer.id
        item = env["customer.cost.item"].create({"code": "T-PAR", "name": "Parallel"})
        driver = env["customer.cost.driver"].create(
            {"name": "Parallel", "code": "T-PAR", "kind": "value"}
        )
        env["customer.cost.driver.value"].create(
            {
                "driver_id": driver.id,
                "customer_id": customer.id,
                "quantity": 1.0,
                "date": f"{MONTH}-15",
                "company_id": company.id,
            }
        )
        env["customer.cost.rule"].create(
            {
                "name": "Parallel",
                "company_id": company.id,
                "driver_id": driver.id,
                "sender_item_ids": [Command.set(item.ids)],
                "date_to": f"{MONTH}-31",
            }
        )
        pool, direct = env["customer.cost.entry"].create(
            [
                {
                    "date": f"{MONTH}-10",
                    "item_id": item.id,
                    "amount": 90.0,
                    "company_id": company.id,
                    "customer_id": customer_id,
                    "currency_id": company.currency_id.id,
                }
                for customer_id in (False, customer.id)
            ]
        )
        (pool | direct).action_submit()
        pool.with_user(self.reviewers[0]).action_approve()
        runs = env["customer.cost.run"].create(
            [{"company_id": company.id, "date": f"{MONTH}-31"} for _version in range(2)]
        )
        runs.action_compute()
        self.run_ids, self.entry_id, self.item_id = runs.ids, direct.id, item.id
        self.period_id = runs.period_id.id

    def read_last_ids(self, cr):
        last = {}
        for table in (*TABLES, *THREADED):
            cr.execute(SQL("SELECT COALESCE(max(id), 0) FROM %s", SQL.identifier(table)))
            last[table] = cr.fetchone()[0]
        return last

    def delete_fixtures(self):
        with self.registry_cursor() as cr:
            for table in (*THREADED, *TABLES):
                cr.execute(
                    SQL(
                        "DELETE FROM %s WHERE id > %s", SQL.identifier(table), self.first_ids[table]
                    )
                )
            env = api.Environment(cr, SUPERUSER_ID, {})
            company = env["res.company"].browse(self.company_id)
            company.customer_cost_max_days_back = self.days_back
            users = env["res.users"].browse(self.user_ids)
            partners = users.partner_id | env["res.partner"].browse(self.customer_id)
            users.unlink()
            partners.unlink()
            cr.commit()  # pylint: disable=invalid-commit

    # ------------------------------------------------------------
    # Two transactions
    # ------------------------------------------------------------

    def open(self, user_id):
        cr = self.registry_cursor()
        self.addCleanup(cr.close)
        # A lock that is never given up fails the test instead of hanging it.
        cr.execute("SET LOCAL lock_timeout = '30s'")
        return api.Environment(cr, user_id, {})

    def race(self, users, *calls):
        """Both transactions have begun before the first one commits its call.

        :return: the error of the second call, and what it says when Odoo tries it again
        """
        first, second = (self.open(user) for user in users)
        second.cr.execute("SELECT 1 FROM customer_cost_period LIMIT 1")
        calls[0](first)
        first.cr.commit()
        with mute_logger("odoo.sql_db"), self.assertRaises(SerializationFailure) as lost:
            calls[1](second)
            second.flush_all()
        second.cr.rollback()
        with mute_logger("odoo.service.model"), self.assertRaises(UserError) as told:
            retrying(lambda: calls[1](second), second)
        return lost.exception, str(told.exception)

    def read_committed(self, query, *parameters):
        with self.registry_cursor() as cr:
            cr.execute(query, parameters)
            return cr.fetchall()

    def run_states(self):
        return sorted(
            state
            for (state,) in self.read_committed(
                "SELECT state FROM customer_cost_run WHERE id = ANY(%s)", self.run_ids
            )
        )

    def post(self, place):
        return lambda env: env["customer.cost.run"].browse(self.run_ids[place]).action_post()

    def approve(self, env):
        env["customer.cost.entry"].browse(self.entry_id).action_approve()

    def approve_next(self, env):
        env["customer.cost.entry"].browse(self.entry_id).action_approve_next()

    def close(self, env):
        close_unchecked(env["customer.cost.period"].browse(self.period_id))

    def close_by_checklist(self, env):
        env["customer.cost.period"].browse(self.period_id).action_close()

    def prepare_checklist(self):
        """Nothing waits, and the pool stays on purpose: the period can be closed."""
        with self.registry_cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            env["customer.cost.entry"].browse(self.entry_id).action_withdraw()
            env["customer.cost.entry"].browse(self.entry_id).unlink()
            period = env["customer.cost.period"].browse(self.period_id)
            period.action_start_closing()
            check = period.check_ids.filtered(lambda check: check.code == "run_posted")
            check.note = "Stays in the pool"
            check.with_user(self.managers[0]).action_sign()
            cr.commit()  # pylint: disable=invalid-commit

    def direct_lines(self):
        return self.read_committed(
            "SELECT amount FROM customer_cost_line WHERE entry_id = %s", self.entry_id
        )

    # ------------------------------------------------------------
    # Runs
    # ------------------------------------------------------------

    def test_two_runs_of_a_period_posted_at_once(self):
        _lost, told = self.race(self.managers, self.post(0), self.post(1))
        self.assertIn("there is nothing to post", told)
        self.assertEqual(self.run_states(), ["computed", "posted"])

    def test_the_same_run_posted_twice_at_once(self):
        _lost, told = self.race(self.managers, self.post(0), self.post(0))
        self.assertIn("is posted already", told)
        self.assertEqual(self.run_states(), ["computed", "posted"])

    def test_posting_while_the_period_is_closed(self):
        _lost, told = self.race(self.managers, self.close, self.post(0))
        self.assertIn("is closed", told)
        self.assertEqual(self.run_states(), ["computed", "computed"])

    def test_posting_that_waits_for_another_posting(self):
        """The second is held by the first one's lock, then loses."""
        first, second = (self.open(user) for user in self.managers)
        errors = []

        def post_second():
            try:
                self.post(1)(second)
            except Exception as error:  # noqa: BLE001 - looked at below
                errors.append(error)

        second.cr.execute("SELECT 1 FROM customer_cost_period LIMIT 1")
        self.post(0)(first)
        waiting = Thread(target=post_second)
        with mute_logger("odoo.sql_db"):
            waiting.start()
            waiting.join(0.5)
            self.assertTrue(waiting.is_alive(), "the second posting does not wait")
            first.cr.commit()
            waiting.join(30)
        self.assertFalse(waiting.is_alive())
        self.assertIsInstance(errors[0], SerializationFailure)
        second.cr.rollback()
        self.assertEqual(self.run_states(), ["computed", "posted"])

    # ------------------------------------------------------------
    # Closing
    # ------------------------------------------------------------

    def closings(self):
        return self.read_committed(
            """SELECT p.state, c.closed_by_id FROM customer_cost_period p
                 JOIN customer_cost_period_closing c ON c.period_id = p.id WHERE p.id = %s""",
            self.period_id,
        )

    def test_two_managers_close_at_once(self):
        self.prepare_checklist()
        _lost, told = self.race(self.managers, self.close_by_checklist, self.close_by_checklist)
        self.assertIn("is closed already", told)
        self.assertEqual(self.closings(), [("closed", self.managers[0])])

    def test_posting_a_run_while_the_checklist_closes_the_period(self):
        self.prepare_checklist()
        _lost, told = self.race(self.managers, self.close_by_checklist, self.post(0))
        self.assertIn("is closed", told)
        self.assertEqual(self.run_states(), ["computed", "computed"])

    def test_closing_while_a_run_is_posted(self):
        """The one that closes is tried again and finds the run posted."""
        self.prepare_checklist()
        first, second = (self.open(user) for user in self.managers)
        second.cr.execute("SELECT 1 FROM customer_cost_period LIMIT 1")
        self.post(0)(first)
        first.cr.commit()
        with mute_logger("odoo.sql_db"), self.assertRaises(SerializationFailure):
            self.close_by_checklist(second)
            second.flush_all()
        second.cr.rollback()
        self.close_by_checklist(second)
        second.cr.commit()
        self.assertEqual(self.closings(), [("closed", self.managers[1])])
        self.assertEqual(
            self.read_committed(
                """SELECT verdict FROM customer_cost_period_check
                    WHERE period_id = %s AND code = 'run_posted'""",
                self.period_id,
            ),
            [("passed",)],
        )

    def test_ledger_line_of_a_posting_that_began_before_the_closing(self):
        """No posting waits for a closing: the month says afterwards that it changed."""
        self.prepare_checklist()
        first, second = self.open(self.managers[0]), self.open(SUPERUSER_ID)
        second.cr.execute("SELECT 1 FROM customer_cost_period LIMIT 1")
        self.close_by_checklist(first)
        first.cr.commit()
        period = second["customer.cost.period"]
        second.cr.execute(
            SQL(
                """INSERT INTO customer_cost_line (company_id, date, origin_date,
                          service_date, item_id, entry_id, statistical, amount)
                   SELECT company_id, %s, origin_date, service_date, item_id, entry_id,
                          statistical, 5.0
                     FROM customer_cost_line l WHERE item_id = %s""",
                period._sql_first_open_day(SQL("l.company_id"), SQL("l.service_date")),
                self.item_id,
            )
        )
        second.cr.commit()
        period = self.open(self.managers[1])["customer.cost.period"].browse(self.period_id)
        self.assertTrue(period.is_changed)
        self.assertEqual((period.changed_count, period.changed_amount), (1, 5.0))

    # ------------------------------------------------------------
    # Costs
    # ------------------------------------------------------------

    def test_two_reviewers_approve_at_once(self):
        _lost, told = self.race(self.reviewers, self.approve, self.approve)
        self.assertIn("does not await review any more: cost_parallel", told)
        self.assertEqual([float(amount) for (amount,) in self.direct_lines()], [90.0])

    def read_decisions(self):
        return self.read_committed(
            "SELECT decision, user_id FROM customer_cost_review WHERE entry_id = %s ORDER BY id",
            self.entry_id,
        )

    def test_one_approves_while_the_other_refuses(self):
        def refuse(env):
            env["customer.cost.entry"].browse(self.entry_id)._refuse("No receipt")

        first, second = self.reviewers
        _lost, told = self.race([first, second], refuse, self.approve)
        self.assertIn("does not await review any more: cost_parallel", told)
        self.assertFalse(self.direct_lines())
        self.assertEqual(self.read_decisions(), [("refused", first)])

    def test_approval_while_the_author_changes_the_cost(self):
        """Who approves is tried again and decides on the stage of what it is now."""

        def change(env):
            env["customer.cost.entry"].browse(self.entry_id).amount = 80.0

        first, second = self.open(SUPERUSER_ID), self.open(self.reviewers[0])
        second.cr.execute("SELECT 1 FROM customer_cost_period LIMIT 1")
        seen = second["customer.cost.entry"].sudo().browse(self.entry_id).cost_review_id.id
        change(first)
        first.flush_all()
        first.cr.commit()
        with mute_logger("odoo.sql_db"), self.assertRaises(SerializationFailure):
            self.approve(second)
            second.flush_all()
        second.cr.rollback()
        second.transaction.reset()
        shown = second(context={"cost_review_seen": seen})
        with self.assertRaises(UserError) as told:
            self.approve_next(shown)
        self.assertIn("was changed or taken back after you opened it", str(told.exception))
        self.assertFalse(self.direct_lines())

    def test_two_approvers_of_two_stages_pass_one_each(self):
        """Both click at the first stage: the second click does not pass the second stage."""
        with self.registry_cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            stages = env["customer.cost.review.stage"].with_context(active_test=False)
            second_stage = stages.search(
                [("company_id", "=", self.company_id), ("active", "=", False)], limit=1
            )
            points = second_stage.check_ids.mapped("name")
            second_stage.write({"active": True, "check_ids": [Command.clear()]})
            entry = env["customer.cost.entry"].browse(self.entry_id)
            entry.action_withdraw()
            entry.action_submit()
            seen = entry.cost_review_id.id
            second_stage.write(
                {
                    "active": False,
                    "check_ids": [Command.create({"name": name}) for name in points],
                }
            )
            cr.commit()  # pylint: disable=invalid-commit

        def approve(env):
            self.approve_next(env(context={"cost_review_seen": seen}))

        _lost, told = self.race(self.reviewers, approve, approve)
        self.assertIn("has moved on: cost_parallel", told)
        self.assertEqual(
            self.read_decisions(), [("approved", self.reviewers[0]), ("pending", None)]
        )

    def test_approval_while_the_author_takes_it_back(self):
        def withdraw(env):
            env["customer.cost.entry"].browse(self.entry_id).action_withdraw()

        self.race([SUPERUSER_ID, self.reviewers[0]], withdraw, self.approve)
        self.assertFalse(self.direct_lines())

    def test_approval_while_the_period_is_closed(self):
        _lost, told = self.race([self.managers[0], self.reviewers[0]], self.close, self.approve)
        self.assertIn("is closed", told)
        self.assertFalse(self.direct_lines())
