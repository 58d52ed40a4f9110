from freezegun import freeze_time

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .test_tie_out_books import TieOutBooks

AMOUNTS = {
    "account.move.line": "balance",
    "customer.cost.allocation": "amount",
    "customer.cost.analysis": "amount",
    "customer.cost.entry": "amount_company",
    "customer.cost.line": "amount",
    "customer.cost.profitability": "full_profit",
}
YEAR = ("2025-01-01", "2025-12-31")
COLUMNS = ("balance", "sales", "cost_of_sales", "captured", "left_out", "excluded")
# rows that a run explains as a whole, or that no single record explains
NOT_A_SUM = {"gap", "carried", "retained", "unused", "without_rule", "waiting"}


@tagged("post_install", "-at_install")
@freeze_time("2026-02-15")
class TestTieOutRecords(TieOutBooks):
    """Every figure opens the records that add up to it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for month in (3, 12):
            cls.close_month(month)

    def open(self, *path, role=None):
        return self.rpc(
            self.users[role] if role else self.env.user,
            "customer.cost.tie.out",
            "open_records",
            self.company.id,
            *YEAR,
            list(path),
        )

    def total(self, *path):
        action = self.open(*path)
        records = self.env[action["res_model"]].search(action["domain"])
        name = AMOUNTS[action["res_model"]]
        if path == ("cost_of_sales", "frozen"):
            name = "customer_cost_amount"
        amount = sum(records.mapped(name))
        if path[0] == "sales" or name == "balance" and path[0] in ("accounts", "result", "counts"):
            amount = -amount
        return round(amount, 2), len(records)

    def test_columns_of_every_account(self):
        for row in self.tie_out()["accounts"]:
            for column in COLUMNS:
                if not row[column]:
                    continue
                with self.subTest(row["name"], column=column):
                    amount, _count = self.total("accounts", row["account_id"], column)
                    self.assertEqual(abs(amount), abs(row[column]))

    def test_reasons_of_every_account(self):
        for row in self.tie_out()["accounts"]:
            for reason in row["reasons"]:
                with self.subTest(row["name"], reason=reason["label"]):
                    amount, count = self.total(
                        "accounts",
                        row["account_id"],
                        reason["kind"],
                        reason["code"],
                        reason["map_id"],
                    )
                    self.assertEqual((amount, count), (reason["amount"], reason["count"]))

    def test_rows_of_every_section(self):
        for section in self.tie_out()["sections"]:
            for side in section["sides"]:
                for row in side["rows"]:
                    if row["key"] in NOT_A_SUM or not row["amount"]:
                        continue
                    with self.subTest(section["key"], row=row["key"]):
                        amount, count = self.total(section["key"], row["key"])
                        if row["key"] == "elsewhere":
                            amount = -amount
                        self.assertEqual(abs(amount), abs(row["amount"]))
                        if row["count"] is not None:
                            self.assertEqual(count, row["count"])

    def test_counts(self):
        counts = self.tie_out()["counts"]
        amount, count = self.total("counts", "late")
        self.assertEqual((amount, count), (counts["late"]["amount"], counts["late"]["count"]))
        amount, _count = self.total("counts", "unmapped")
        self.assertEqual(amount, counts["unmapped"]["amount"])

    def test_runs_behind_what_stays_in_the_pools(self):
        for key in ("carried", "retained", "without_rule"):
            action = self.open("pools", key)
            self.assertEqual(action["res_model"], "customer.cost.run")
            self.assertEqual(len(self.env["customer.cost.run"].search(action["domain"])), 4)

    def test_rule_of_an_account(self):
        action = self.open("accounts", self.expense_account.id, "map")
        rows = self.env["customer.cost.account.map"].search(action["domain"])
        self.assertEqual(rows.account_id, self.expense_account)

    def test_items_behind_a_difference(self):
        line = self.env["customer.cost.line"].search(
            [("entry_id.source_account_id", "=", self.expense_account.id)], limit=1
        )
        item_id = line.entry_id.source_line_id
        self.env.cr.execute("DELETE FROM customer_cost_line WHERE id = %s", [line.id])
        self.env.invalidate_all()
        action = self.open("accounts", self.expense_account.id, "difference")
        items = self.env["account.move.line"].search(action["domain"])
        self.assertEqual(items.ids, [item_id])

    def test_ledger_of_deleted_items(self):
        line = self.env["customer.cost.line"].search(
            [("entry_id.source_account_id", "=", self.expense_account.id)], limit=1
        )
        self.env.flush_all()
        self.env.cr.execute(
            "DELETE FROM account_move_line WHERE id = %s", [line.entry_id.source_line_id]
        )
        self.env.invalidate_all()
        action = self.open("accounts", False, "captured")
        found = self.env["customer.cost.line"].search(action["domain"])
        self.assertEqual(found.entry_id, line.entry_id)

    def test_nothing_behind_it(self):
        for path in (("sales",), ("nowhere", "x"), ("pools", "x"), ("cost_of_sales", "gap")):
            with self.assertRaisesRegex(UserError, "No records"):
                self.open(*path)

    @mute_logger("odoo.addons.base.models.ir_model")
    def test_journal_items_need_their_own_rights(self):
        self.env.ref("customer_cost.group_customer_cost_auditor").implied_ids -= self.env.ref(
            "account.group_account_readonly"
        )
        with self.assertRaisesRegex(AccessError, "Journal Item"):
            self.open("accounts", self.expense_account.id, "balance", role="auditor")
        self.assertTrue(self.open("captured", "own", role="auditor"))
