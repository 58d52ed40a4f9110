from datetime import date

from odoo.tests import TransactionCase, freeze_time, new_test_user, tagged
from odoo.tools import convert_file, mute_logger

from odoo.addons.customer_cost.hooks import post_init_hook

ROLES = (
    "customer_cost.group_customer_cost_manager",
    "customer_cost.group_customer_cost_reviewer",
)


@tagged("post_install", "-at_install")
class TestShippedCodes(TransactionCase):
    """An update over records with shipped codes that people made themselves goes through."""

    def update(self, name):
        """Read a data file again, as an update of the add-on does."""
        convert_file(self.env, "customer_cost", f"data/{name}.xml", None, mode="update")

    def test_an_item_of_a_person_stands_for_the_shipped_one(self):
        shipped = self.env.ref("customer_cost.item_sal_trv")
        values = {"code": shipped.code, "level": "batch", "company_id": False}
        shipped.unlink()
        own = self.env["customer.cost.item"].create({"name": "Own trips", **values})
        own.active = False
        count = self.env["customer.cost.item"].with_context(active_test=False).search_count([])
        self.update("customer_cost_item")
        self.assertEqual(self.env.ref("customer_cost.item_sal_trv"), own)
        self.assertRecordValues(own, [{"name": "Own trips", "active": False, **values}])
        self.update("customer_cost_item")
        self.assertEqual(
            self.env["customer.cost.item"].with_context(active_test=False).search_count([]), count
        )

    def test_a_shipped_driver_takes_another_code(self):
        self.env.ref("customer_cost.driver_net_revenue_rolling").unlink()
        own = self.env["customer.cost.driver"].create(
            {"name": "Own", "code": "REV12", "kind": "value"}
        )
        self.update("customer_cost_driver")
        shipped = self.env.ref("customer_cost.driver_net_revenue_rolling")
        self.assertEqual((shipped.code, shipped.window), ("REV12-2", "rolling"))
        self.assertRecordValues(own, [{"name": "Own", "code": "REV12", "kind": "value"}])

    def test_a_code_of_a_company_is_no_hindrance(self):
        self.env.ref("customer_cost.item_sal_trv").unlink()
        own = self.env["customer.cost.item"].create(
            {"code": "SAL-TRV", "name": "Own", "company_id": self.env.company.id}
        )
        self.update("customer_cost_item")
        shipped = self.env.ref("customer_cost.item_sal_trv")
        self.assertEqual((shipped.code, shipped != own), ("SAL-TRV", True))

    @mute_logger("odoo.sql_db")
    def test_an_import_with_a_used_code_is_still_refused(self):
        item = self.env["customer.cost.item"]
        result = item.load(["code", "name"], [["SAL-TRV", "Again"]])
        self.assertIn("already used by another cost item", result["messages"][0]["message"])


@tagged("post_install", "-at_install")
class TestInstallHook(TransactionCase):
    """At install, accounting administrators and the installer become managers and reviewers."""

    def setUp(self):
        super().setUp()
        self.module = self.env.ref("base.module_customer_cost")
        self.users = {
            name: new_test_user(self.env, login=f"hook_{name}", groups=groups)
            for name, groups in {
                "accounting_admin": "account.group_account_manager",
                "installer": "base.group_system",
                "billing": "account.group_account_invoice",
                "internal": "base.group_user",
                "portal": "base.group_portal",
            }.items()
        }

    def roles(self, name):
        return [self.users[name].has_group(role) for role in ROLES]

    def install_as(self, user):
        self.env.cr.execute(
            "UPDATE ir_module_module SET write_uid = %s WHERE id = %s", (user.id, self.module.id)
        )
        self.module.invalidate_recordset(["write_uid"])
        post_init_hook(self.env)

    def test_accounting_administrators_and_installer_get_both_roles(self):
        self.install_as(self.users["installer"])
        self.assertEqual(self.roles("accounting_admin"), [True, True])
        self.assertEqual(self.roles("installer"), [True, True])

    def test_nobody_else_gets_a_role(self):
        self.install_as(self.users["installer"])
        for name in ("billing", "internal", "portal"):
            self.assertEqual(self.roles(name), [False, False], name)

    def test_members_of_a_group_that_implies_the_administrators_count(self):
        group = self.env["res.groups"].create(
            {
                "name": "Head of finance",
                "implied_ids": [(4, self.env.ref("account.group_account_manager").id)],
            }
        )
        self.users["internal"].group_ids |= group
        self.install_as(self.users["installer"])
        self.assertEqual(self.roles("internal"), [True, True])

    def test_installed_from_the_command_line_the_administrator_counts(self):
        admin = self.env.ref("base.user_admin")
        for role in ROLES:
            self.env.ref(role).user_ids -= admin
        self.env.ref("account.group_account_manager").user_ids -= admin
        self.install_as(self.env.ref("base.user_root"))
        for role in ROLES:
            self.assertIn(admin, self.env.ref(role).user_ids)

    def test_running_it_again_changes_nothing(self):
        self.install_as(self.users["installer"])
        before = [self.env.ref(role).user_ids for role in ROLES]
        self.install_as(self.users["installer"])
        self.assertEqual([self.env.ref(role).user_ids for role in ROLES], before)

    def test_companies_with_posted_accounting_start_with_this_month(self):
        used, captured, empty = self.env["res.company"].create(
            [{"name": "Used"}, {"name": "Captured"}, {"name": "Empty"}]
        )
        for company in (used, captured):
            env = self.env(context={"allowed_company_ids": company.ids})
            env["account.chart.template"].try_loading("generic_coa", company, install_demo=False)
            expense, payable = (
                env["account.account"].search(
                    [("account_type", "=", kind), ("company_ids", "in", company.ids)], limit=1
                )
                for kind in ("expense", "liability_payable")
            )
            if company == captured:
                item = env["customer.cost.item"].create({"code": "HOOK", "name": "Hook"})
                env["customer.cost.account.map"].create(
                    {"account_id": expense.id, "item_id": item.id, "company_id": company.id}
                )
            env["account.move"].create(
                {
                    "date": "2025-01-01",
                    "line_ids": [
                        (0, 0, {"account_id": expense.id, "balance": 10.0}),
                        (0, 0, {"account_id": payable.id, "balance": -10.0}),
                    ],
                }
            ).action_post()
        with freeze_time("2025-03-17"):
            self.install_as(self.users["installer"])
        self.assertEqual(used.customer_cost_start_date, date(2025, 3, 1))
        self.assertFalse(captured.customer_cost_start_date)
        self.assertFalse(empty.customer_cost_start_date)
        with freeze_time("2025-09-17"):
            self.install_as(self.users["installer"])
        self.assertEqual(used.customer_cost_start_date, date(2025, 3, 1))
