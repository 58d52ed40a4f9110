from datetime import date
from unittest.mock import patch

from psycopg2.errors import LockNotAvailable

from odoo import SUPERUSER_ID, api
from odoo.tests import TransactionCase, tagged
from odoo.tools import mute_logger

DAYS = (date(2019, 3, 1), date(2019, 3, 31))


@tagged("post_install", "-at_install")
class TestCaptureConcurrency(TransactionCase):
    """The night leaves documents alone that somebody is working on; a history waits for them.

    The document is committed, so that two transactions see it, and deleted afterwards.
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
            self.move_id = (
                env["account.move"].create({"journal_id": self.journal_id, "date": DAYS[0]}).id
            )
            cr.commit()  # pylint: disable=invalid-commit

    def delete_fixtures(self):
        with self.registry_cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            env["account.move"].browse(self.move_id).unlink()
            env["account.journal"].browse(self.journal_id).unlink()
            cr.commit()  # pylint: disable=invalid-commit

    def compared(self, cr, **options):
        """Ids that a comparison of the days looks at, told that they concern two documents."""
        capture = api.Environment(cr, SUPERUSER_ID, {})["customer.cost.capture"]
        deleted_id = self.move_id + 1_000_000
        calls = []

        def spy(self, move_ids):
            calls.append(move_ids)
            return 0

        with (
            patch.object(type(capture), "_find_moves", lambda *args: [self.move_id, deleted_id]),
            patch.object(type(capture), "_sync", spy),
        ):
            capture._sync_period(capture.env.ref("base.main_company"), *DAYS, **options)
        (move_ids,) = calls
        return [("there" if move_id == self.move_id else "deleted") for move_id in move_ids]

    def test_document_in_hand_is_left_out_at_night(self):
        with self.registry_cursor() as editor, self.registry_cursor() as night:
            editor.execute(
                "SELECT id FROM account_move WHERE id = %s FOR NO KEY UPDATE", (self.move_id,)
            )
            self.assertEqual(self.compared(night, skip_locked=True), ["deleted"])
            editor.rollback()
            self.assertEqual(self.compared(night, skip_locked=True), ["there", "deleted"])

    def test_document_in_hand_is_waited_for_otherwise(self):
        with self.registry_cursor() as editor, self.registry_cursor() as other:
            editor.execute(
                "SELECT id FROM account_move WHERE id = %s FOR NO KEY UPDATE", (self.move_id,)
            )
            other.execute("SET LOCAL lock_timeout = '200ms'")
            with mute_logger("odoo.sql_db"), self.assertRaises(LockNotAvailable):
                self.compared(other)
            other.rollback()
            editor.rollback()
            self.assertEqual(self.compared(other), ["there", "deleted"])

    def test_paying_a_document_does_not_wait_for_the_comparison(self):
        with self.registry_cursor() as night, self.registry_cursor() as payer:
            self.compared(night)
            payer.execute("SET LOCAL lock_timeout = '200ms'")
            payer.execute(
                "SELECT id FROM account_move WHERE id = %s FOR KEY SHARE", (self.move_id,)
            )
            self.assertEqual(payer.rowcount, 1)
