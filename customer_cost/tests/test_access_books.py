from freezegun import freeze_time
from lxml import etree

from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import convert_file, mute_logger

from .common import CustomerCostCommon

READERS = ("auditor", "reader", "manager_only")
OTHERS = ("rep", "cost_user", "reviewer", "internal")
READONLY = "account.group_account_readonly"
YEAR = ("2025-01-01", "2025-12-31")


@tagged("post_install", "-at_install")
@freeze_time("2025-06-15")
class TestAccessBooks(CustomerCostCommon):
    """Accountant and auditor read the books, whether they have a role in Invoicing or not."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.users["reader"] = cls.create_user("cost_reader", "internal")
        cls.users["reader"].group_ids |= cls.env.ref("customer_cost.group_customer_cost_accountant")
        cls.users["manager_only"] = cls.create_user("cost_manager_only", "internal")
        cls.users["manager_only"].group_ids |= cls.env.ref(
            "customer_cost.group_customer_cost_manager"
        )
        cls.invoice = cls.create_sale(cls.customer_a)
        cls.direct = cls.create_bill(
            [
                (
                    cls.expense_account,
                    30.0,
                    {"cost_customer_id": cls.customer_a.id, "cost_invoice_id": cls.invoice.id},
                )
            ]
        )
        cls.indirect = cls.create_bill([(cls.other_account, 60.0, {})])
        cls.create_rule(cls.create_driver({cls.customer_a: 1}), cls.other_item)
        cls.posted_run = cls.create_run(post=True)

    # ------------------------------------------------------------
    # As the client opens it
    # ------------------------------------------------------------

    def specification(self, node):
        """What the client reads for a view: its fields, and those of the lists inside it."""
        found = {}
        for field in node.xpath(".//field"):
            inside = [
                above for above in field.iterancestors("field") if node in above.iterancestors()
            ]
            if inside:
                continue
            lists = [below for below in field if below.tag in ("list", "kanban")]
            found[field.get("name")] = {"fields": self.specification(lists[0])} if lists else {}
        return found

    def open(self, role, action):
        """Read the records of ``action`` with the view that its client would show first."""
        user, model = self.users[role], action["res_model"]
        view_type = action["view_mode"].split(",")[0]
        views = self.rpc(user, model, "get_views", [(False, view_type)])
        fields = self.specification(etree.fromstring(views["views"][view_type]["arch"]))
        fields.setdefault("display_name", {})
        if action.get("res_id"):
            rows = self.rpc(user, model, "web_read", [action["res_id"]], fields)
        else:
            domain = action["domain"]
            rows = self.rpc(user, model, "web_search_read", domain, fields)["records"]
        self.assertTrue(rows, f"{role}: nothing behind {action.get('name') or model}")
        return self.env[model].browse([row["id"] for row in rows])

    def click(self, role, records, method, *args):
        return self.open(
            role, self.rpc(self.users[role], records._name, method, records.ids, *args)
        )

    def open_entries(self, role, moves):
        for move in moves:
            opened = self.open(
                role, {"res_model": "account.move", "view_mode": "form", "res_id": move.id}
            )
            self.assertEqual(opened, move)

    # ------------------------------------------------------------
    # What they open
    # ------------------------------------------------------------

    def test_journal_items_behind_the_tie_out(self):
        for role in READERS:
            for path, moves in (
                (["accounts", self.expense_account.id, "balance"], self.direct),
                (["accounts", self.other_account.id, "balance"], self.indirect),
                (["sales", "invoice"], self.invoice),
            ):
                action = self.rpc(
                    self.users[role],
                    "customer.cost.tie.out",
                    "open_records",
                    self.company.id,
                    *YEAR,
                    path,
                )
                items = self.open(role, action)
                self.assertEqual(items.move_id, moves)
                self.open_entries(role, moves)

    def test_invoices_behind_the_profitability(self):
        for role in READERS:
            row = self.rpc(
                self.users[role],
                "customer.cost.profitability",
                "search_read",
                [("customer_id", "=", self.customer_a.id), ("company_id", "=", self.company.id)],
                ["id"],
            )[0]
            rows = self.env["customer.cost.profitability"].browse(row["id"])
            invoices = self.click(role, rows, "action_open_invoices")
            self.assertEqual(invoices, self.invoice)
            self.open_entries(role, invoices)

    def test_bill_behind_a_ledger_line(self):
        lines = self.env["customer.cost.line"].search(
            [("entry_id.source_move_id", "in", (self.direct | self.indirect).ids)]
        )
        for role in READERS:
            opened = [
                self.click(role, self.click(role, line, "action_open_entry"), "action_open_source")
                for line in lines
            ]
            self.assertCountEqual(opened, [self.direct, self.indirect])

    def test_bill_behind_an_explanation(self):
        allocation = self.env["customer.cost.allocation"].search(
            [("step_id", "in", self.posted_run.step_ids.ids)]
        )
        for role in READERS:
            self.assertEqual(self.click(role, allocation, "action_explain"), allocation)
            lines = self.click(role, allocation, "action_open_pool_lines")
            entry = self.click(role, lines, "action_open_entry")
            self.assertEqual(self.click(role, entry, "action_open_source"), self.indirect)

    def test_bill_behind_the_costs_of_an_invoice(self):
        for role in READERS:
            (row,) = self.rpc(
                self.users[role],
                "account.move",
                "read",
                self.invoice.ids,
                ["customer_cost_entry_ids", "customer_cost_attributed"],
            )
            self.assertEqual(row["customer_cost_attributed"], 30.0)
            entry = self.env["customer.cost.entry"].browse(row["customer_cost_entry_ids"])
            self.assertEqual(self.click(role, entry, "action_open_source"), self.direct)

    # ------------------------------------------------------------
    # And no further
    # ------------------------------------------------------------

    def test_no_other_role_reads_the_books(self):
        for role in OTHERS:
            user = self.users[role]
            self.assertFalse(user.has_group(READONLY), role)
            for model in ("account.move", "account.move.line", "account.payment"):
                self.assertFalse(self.env[model].with_user(user).has_access("read"), role)

    @mute_logger("odoo.addons.base.models.ir_rule")
    def test_books_of_another_company_stay_closed(self):
        other = self.setup_other_company()
        move = self.env["account.move"].create(
            {
                "move_type": "entry",
                "company_id": other["company"].id,
                "journal_id": other["default_journal_misc"].id,
                "line_ids": [
                    Command.create({"account_id": other[name].id, "balance": balance})
                    for name, balance in (
                        ("default_account_expense", 5.0),
                        ("default_account_payable", -5.0),
                    )
                ],
            }
        )
        for role in READERS:
            for records in (move, move.line_ids):
                domain = [("id", "in", records.ids)]
                found = self.rpc(self.users[role], records._name, "search", domain)
                self.assertFalse(found)
                with self.assertRaises(AccessError):
                    self.rpc(self.users[role], records._name, "read", records.ids, ["name"])

    # ------------------------------------------------------------
    # Where the right comes from
    # ------------------------------------------------------------

    def test_right_goes_with_the_role(self):
        readonly = self.env.ref(READONLY)
        for role in READERS:
            user = self.users[role]
            self.assertTrue(user.has_group(READONLY))
            self.assertNotIn(readonly, user.group_ids)
            user.group_ids = self.env.ref("base.group_user")
            self.assertFalse(user.has_group(READONLY))

    def test_users_from_before_get_it_with_the_update(self):
        readonly = self.env.ref(READONLY)
        groups = self.env.ref("customer_cost.group_customer_cost_accountant") | self.env.ref(
            "customer_cost.group_customer_cost_auditor"
        )
        groups.implied_ids -= readonly
        for role in READERS:
            self.assertFalse(self.users[role].has_group(READONLY))
        convert_file(
            self.env, "customer_cost", "security/customer_cost_groups.xml", {}, mode="update"
        )
        for role in READERS:
            self.assertTrue(self.users[role].has_group(READONLY), role)
