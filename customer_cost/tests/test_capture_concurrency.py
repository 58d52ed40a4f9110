from datetime import date
from unittest.mock import patch

from psycopg2.errors import LockNotAvailable

from odoo import SUPERUSER_ID, api
from odoo.tests import TransactionCase, tagged
from odoo.tools import SQL, mute_logger

DAYS = (date(2019, 3, 1), date(2019, 3, 31))


@tagged("post_install", "-at_install")
class TestCaptureConcurrency(TransactionCase):
    """The night leaves documents alone that somebody is working on; a history waits for them.

    The documents are committed, so that two transactions see them, and deleted afterwards.
    """

    def setUp(self):
        super().setUp()
        self.registry_cursor = self.env.registry.cursor
        self.addCleanup(self.delete_fixtures)
        with self.registry_cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            company = env.ref("base.main_company")
            self.journal_id = (
                env["account.journal"]
                .create(
                    {
                        "name": "Parallel",
                        "code": "TPAR",
                        "type": "general",
                        "company_id": company.id,
                    }
                )
                .id
            )
            move = env["account.move"].create({"journal_id": self.journal_id, "date": DAYS[0]})
            self.move_id = move.id
            self.follower_id = move.copy({"reversed_entry_id": move.id}).id
            cr.commit()  # pylint: disable=invalid-commit

    def delete_fixtures(self):
        with self.registry_cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            env["account.move"].browse([self.follower_id, self.move_id]).unlink()
            env["account.journal"].browse(self.journal_id).unlink()
            cr.commit()  # pylint: disable=invalid-commit

    def compared(self, cr, method="_sync_period"):
        """What a comparison of the days looks at, told that they concern two documents.

        :return: the documents, and what the comparison answers
        """
        capture = api.Environment(cr, SUPERUSER_ID, {})["customer.cost.capture"]
        deleted_id = self.move_id + 1_000_000
        calls = []
        sync = type(capture)._sync

        def spy(self, move_ids, skip_locked=False):
            calls.append(move_ids)
            return sync(self, move_ids, skip_locked)

        cr.execute("SET LOCAL lock_timeout = '200ms'")
        with (
            patch.object(type(capture), "_find_moves", lambda *args: [self.move_id, deleted_id]),
            patch.object(type(capture), "_sync", spy),
        ):
            answer = getattr(capture, method)(capture.env.ref("base.main_company"), *DAYS)
        (move_ids,) = calls
        return [("there" if move_id == self.move_id else "deleted") for move_id in move_ids], answer

    def hold(self, cr, move_id):
        cr.execute("SELECT id FROM account_move WHERE id = %s FOR NO KEY UPDATE", (move_id,))

    def test_document_in_hand_is_left_out_at_night(self):
        with self.registry_cursor() as editor, self.registry_cursor() as night:
            self.hold(editor, self.move_id)
            found = self.compared(night, "_sync_period_unlocked")
            self.assertEqual(found, (["deleted"], (0, False)))
            editor.rollback()
            found = self.compared(night, "_sync_period_unlocked")
            self.assertEqual(found, (["there", "deleted"], (0, True)))

    def test_document_made_from_another_is_left_out_at_night(self):
        with self.registry_cursor() as editor, self.registry_cursor() as night:
            self.hold(editor, self.follower_id)
            found = self.compared(night, "_sync_period_unlocked")
            self.assertEqual(found, (["there", "deleted"], (0, False)))
            editor.rollback()
            found = self.compared(night, "_sync_period_unlocked")
            self.assertEqual(found, (["there", "deleted"], (0, True)))

    def test_document_in_hand_is_waited_for_otherwise(self):
        with self.registry_cursor() as editor, self.registry_cursor() as other:
            self.hold(editor, self.move_id)
            with mute_logger("odoo.sql_db"), self.assertRaises(LockNotAvailable):
                self.compared(other)
            other.rollback()
            editor.rollback()
            self.assertEqual(self.compared(other), (["there", "deleted"], 0))

    def scope(self, cr, **options):
        """Ids that one statement compares and holds for the document."""
        env = api.Environment(cr, SUPERUSER_ID, {})
        scope = env["customer.cost.capture"]._sql_scope([self.move_id], True, **options)
        cr.execute("SET LOCAL lock_timeout = '200ms'")
        rows = env.execute_query(SQL("WITH RECURSIVE %s SELECT id FROM scope", scope))
        return {move_id for (move_id,) in rows}

    def test_statement_waits_for_what_was_made_from_a_document_but_at_night(self):
        both = {self.move_id, self.follower_id}
        with self.registry_cursor() as editor, self.registry_cursor() as other:
            self.hold(editor, self.follower_id)
            self.assertEqual(self.scope(other, skip_locked=True), {self.move_id})
            with mute_logger("odoo.sql_db"), self.assertRaises(LockNotAvailable):
                self.scope(other)
            other.rollback()
            editor.rollback()
            self.assertEqual(self.scope(other), both)
            self.assertEqual(self.scope(other, skip_locked=True), both)

    def test_paying_a_document_does_not_wait_for_the_comparison(self):
        with self.registry_cursor() as night, self.registry_cursor() as payer:
            self.compared(night)
            payer.execute("SET LOCAL lock_timeout = '200ms'")
            payer.execute(
                "SELECT id FROM account_move WHERE id = %s FOR KEY SHARE", (self.move_id,)
            )
            self.assertEqual(payer.rowcount, 1)
