from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tools import mute_logger

from .common import CustomerCostCommon


class TestEntryReceipts(CustomerCostCommon):
    """Receipts come with the cost and stay once it has been submitted."""

    def attach(self, entry):
        return self.env(user=self.users["accountant"])["ir.attachment"].create(
            {
                "name": "receipt.txt",
                "raw": b"Taxi 100.00",
                "res_model": entry._name,
                "res_id": entry.id,
            }
        )

    def test_draft_takes_and_gives_back_a_receipt(self):
        receipt = self.attach(self.create_cost())
        receipt.write({"raw": b"Taxi 101.00"})
        receipt.unlink()
        self.assertFalse(receipt.exists())

    def test_refused_cost_gives_back_a_receipt(self):
        entry = self.create_cost()
        receipt = self.attach(entry)
        entry.action_submit()
        entry.with_user(self.users["reviewer"])._refuse("Wrong receipt")
        receipt.unlink()
        self.assertFalse(receipt.exists())

    def test_submitted_and_approved_cost_keeps_its_receipts(self):
        entry = self.create_cost()
        receipt = self.attach(entry)
        entry.action_submit()
        for decide in (lambda: None, entry.with_user(self.users["reviewer"]).action_approve):
            decide()
            with self.assertRaisesRegex(UserError, "its receipts cannot be removed or changed"):
                receipt.unlink()
            with self.assertRaisesRegex(UserError, "its receipts cannot be removed or changed"):
                receipt.write({"raw": b"Taxi 900.00"})
            with self.assertRaisesRegex(UserError, "its receipts cannot be removed or changed"):
                receipt.write({"res_id": self.create_cost().id})
        self.assertEqual(receipt.raw, b"Taxi 100.00")

    def test_receipt_can_be_added_after_submission(self):
        entry = self.create_cost()
        entry.action_submit()
        self.assertEqual(self.attach(entry).res_id, entry.id)

    def test_the_form_attaches_and_removes_receipts(self):
        attachments = self.env["ir.attachment"].with_user(self.users["accountant"])
        upload = attachments.create(
            {"name": "offer.txt", "raw": b"Offer", "res_model": "customer.cost.entry"}
        )
        entry = self.create_cost(receipt_ids=[Command.link(upload.id)])
        self.assertEqual((upload.res_model, upload.res_id), (entry._name, entry.id))
        self.assertEqual(entry.receipt_ids, upload)
        entry.receipt_ids = [Command.unlink(upload.id)]
        self.assertFalse(upload.exists())

    def test_nobody_attaches_the_file_of_another_or_removes_a_submitted_receipt(self):
        entry = self.create_cost()
        foreign = self.env["ir.attachment"].create({"name": "secret.txt", "raw": b"Secret"})
        with self.assertRefused(".", AccessError), mute_logger("odoo.addons.base.models.ir_rule"):
            self.rpc(
                self.users["accountant"],
                entry._name,
                "write",
                entry.ids,
                {"receipt_ids": [Command.link(foreign.id)]},
            )
        self.assertFalse(foreign.res_id)
        receipt = self.attach(entry)
        entry.action_submit()
        with self.assertRefused("its receipts cannot be removed"):
            entry.receipt_ids = [Command.unlink(receipt.id)]
