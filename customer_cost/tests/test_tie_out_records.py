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
    "customer.cost.goods": "difference",
    "customer.cost.line": "amount",
    "customer.cost.pool": "waiting",
    "customer.cost.profitability": "full_profit",
}
YEAR = ("2025-01-01", "2025-12-31")
COLUMNS = ("balance", "sales", "cost_of_sales", "captured", "left_out", "excluded")
# figures of the same name as the column that adds up to them
OWN_COLUMN = ("carried", "retained", "unused")


@tagged("post_install", "-at_install")
@freeze_time("2026-02-15")
class TestTieOutRecords(TieOutBooks):
    """Every figure opens the records that add up to it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for month in (3, 12):
            cls.close_month(month)
        idle = cls.create_item("T-IDLE", "Sent to nobody")
        cls.create_rule(cls.create_driver(), idle)
        cls.create_bill([(cls.other_account, 50.0, {"cost_item_id": idle.id})], day="2025-07-01")
        late = cls.create_item("T-LATE", "Sent a month later")
        cls.create_rule(cls.create_driver({cls.customer_a: 1}), late, carry_forward=True)
        cls.create_bill([(cls.other_account, 40.0, {"cost_item_id": late.id})], day="2025-06-01")
        cls.create_run(day="2025-07-31", post=True)

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
        self.env.invalidate_all()
        model = self.env[action["res_model"]].with_context(**action["context"])
        records = model.search(action["domain"])
        name = path[-1] if path[-1] in OWN_COLUMN else AMOUNTS[action["res_model"]]
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
        seen = set()
        for section in self.tie_out()["sections"]:
            for side in section["sides"]:
                for row in side["rows"]:
                    if not row["amount"]:
                        continue
                    seen.add(row["key"])
                    with self.subTest(section["key"], row=row["key"]):
                        amount, count = self.total(section["key"], row["key"])
                        if row["key"] == "elsewhere":
                            amount = -amount
                        self.assertEqual(abs(amount), abs(row["amount"]))
                        if row["count"] is not None:
                            self.assertEqual(count, row["count"])
        self.assertLessEqual({"gap", "carried", "retained", "without_rule", "waiting"}, seen)

    def test_counts(self):
        counts = self.tie_out()["counts"]
        amount, count = self.total("counts", "late")
        self.assertEqual((amount, count), (counts["late"]["amount"], counts["late"]["count"]))
        amount, _count = self.total("counts", "unmapped")
        self.assertEqual(amount, counts["unmapped"]["amount"])

    def test_what_waits_is_named_by_month_and_item(self):
        action = self.open("result", "waiting")
        pools = self.env["customer.cost.pool"].with_context(**action["context"])
        rows = pools.search(action["domain"])
        lines = self.env["customer.cost.line"]
        for row in rows.filtered(lambda row: row.item_id and not row.run_id):
            opened = lines.search(row.action_open_costs()["domain"])
            self.assertAlmostEqual(sum(opened.mapped("amount")), row.waiting, 2)
        run_row = rows.filtered(lambda row: row.run_id and not row.item_id)[0]
        self.assertEqual(run_row.action_open_costs()["res_id"], run_row.run_id.id)

    def test_what_waits_adds_up_when_the_pool_changed_behind_a_run(self):
        self.create_bill([(self.other_account, 9.0, {})], day="2025-03-12")
        waiting = self.section(self.tie_out(), "result")["waiting"]
        self.assertEqual(self.total("result", "waiting")[0], -waiting)

    def test_products_behind_the_cost_of_sales_difference(self):
        action = self.open("cost_of_sales", "gap")
        self.assertTrue(action["context"]["search_default_group_product"])
        rows = self.env["customer.cost.goods"].with_context(**action["context"])
        sums = {
            product: (booked, frozen)
            for product, booked, frozen in rows._read_group(
                action["domain"], ["product_id"], ["booked:sum", "frozen:sum"]
            )
        }
        figures = self.section(self.tie_out(), "cost_of_sales")
        self.assertEqual(sums[self.product][1], figures["frozen"])
        goods = self.env["product.product"].search([("name", "=", "Goods")])
        self.assertEqual(sums[goods], (70.0, 0.0))
        invoice_row = rows.search(action["domain"] + [("product_id", "=", self.product.id)])[0]
        self.assertEqual(invoice_row.action_open_move()["res_id"], invoice_row.move_id.id)

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
        for path in (("sales",), ("nowhere", "x"), ("pools", "x")):
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
