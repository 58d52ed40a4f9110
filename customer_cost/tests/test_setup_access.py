from odoo.exceptions import AccessError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .setup_common import SetupCommon

OTHERS = ("rep", "cost_user", "accountant", "reviewer", "auditor", "internal")
SETUP = "customer.cost.setup"
ACCOUNT = "customer.cost.setup.account"
MONTH = "customer.cost.setup.month"


@tagged("post_install", "-at_install")
class TestSetupAccess(SetupCommon):
    """Only a cost manager sets up, through the buttons, and in their own company."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.post_two_months()

    @mute_logger("odoo.addons.base.models.ir_model")
    def test_others_are_told_whom_to_ask(self):
        for role in OTHERS:
            with self.subTest(role), self.assertRaises(AccessError) as refused:
                self.rpc(self.users[role], SETUP, "action_open")
            self.assertIn("Only a cost manager", str(refused.exception))
            self.assertIn(self.manager.name, str(refused.exception))
        self.assertFalse(self.env[SETUP].search([]))

    @mute_logger("odoo.addons.base.models.ir_model")
    def test_no_button_works_for_others(self):
        setup = self.open_setup()
        for role in OTHERS:
            for method in (
                "action_read_accounts",
                "action_accept_accounts",
                "action_accept_months",
                "action_calculate",
                "action_continue",
                "action_stop",
                "action_back",
                "action_restart",
            ):
                with self.subTest(f"{role}: {method}"), self.assertRaises(AccessError):
                    self.rpc(self.users[role], SETUP, method, setup.ids)
        self.assertEqual(setup.step, "accounts")
        self.assertFalse(self.map_rows(self.travel))

    @mute_logger("odoo.addons.base.models.ir_model", "odoo.addons.base.models.ir_rule")
    def test_the_set_up_of_another_company_is_out_of_reach(self):
        other = self.setup_other_company(name="Other Books")["company"]
        foreign = self.env[SETUP]._get(other)
        with self.assertRaises(AccessError):
            self.rpc(self.manager, SETUP, "action_accept_accounts", foreign.ids)
        with self.assertRaises(AccessError):
            self.rpc(self.manager, SETUP, "write", foreign.ids, {"date_from": "2025-01-01"})

    @mute_logger("odoo.addons.base.models.ir_model")
    def test_nothing_of_the_methods_is_written_over_rpc(self):
        setup = self.open_setup()
        line = self.line(setup, self.travel)
        forged = {"context": {"customer_cost_guard": True}}
        for vals in (
            {"step": "done"},
            {"result_total": 1.0},
            {"is_running": True},
            {"rules_made": True},
            {"requester_id": self.users["rep"].id},
            {"company_id": self.company.id},
        ):
            with self.subTest(vals), self.assertRaises(AccessError):
                self.rpc(self.manager, SETUP, "write", setup.ids, vals, **forged)
        for vals in ({"amount": 1.0}, {"status": "mapped"}, {"account_id": self.rent.id}):
            with self.subTest(vals), self.assertRaises(AccessError):
                self.rpc(self.manager, ACCOUNT, "write", line.ids, vals, **forged)
        with self.assertRaises(AccessError):
            self.rpc(self.manager, SETUP, "create", [{"company_id": self.company.id}], **forged)
        with self.assertRaises(AccessError):
            self.rpc(self.manager, ACCOUNT, "unlink", line.ids)
        with self.assertRaises(AccessError):
            self.rpc(
                self.manager,
                SETUP,
                "web_save",
                setup.ids,
                {"month_ids": [(0, 0, {"date": "2025-01-01", "state": "done"})]},
                {},
            )

    def test_the_status_tells_everybody_whom_to_ask(self):
        status = self.env[SETUP].with_user(self.users["cost_user"])._get_status(self.company)
        self.assertTrue(status["is_needed"])
        self.assertFalse(status["can_set_up"])
        self.assertIn(self.manager.name, status["managers"])
        self.assertFalse(status["unfinished_step"])
        setup = self.open_setup()
        setup.action_accept_accounts()
        status = self.env[SETUP]._get_status(self.company)
        self.assertEqual((status["is_needed"], status["unfinished_step"]), (False, "Months"))
        setup._set_step("done")
        self.assertFalse(self.env[SETUP]._get_status(self.company)["unfinished_step"])

    def test_the_people_of_each_role_are_shown(self):
        setup = self.open_setup()
        self.assertIn(self.manager, setup.manager_ids)
        self.assertIn(self.users["reviewer"], setup.reviewer_ids)
        self.assertNotIn(self.users["rep"], setup.accountant_ids)
