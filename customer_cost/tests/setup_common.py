from odoo.tests import freeze_time

from .common import CustomerCostCommon

TODAY = "2025-06-15"


class SetupCommon(CustomerCostCommon):
    """A company that starts from nothing: accounts with telling names, no map, no rule."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.startClassPatcher(freeze_time(TODAY))
        cls.env["customer.cost.account.map"].search([]).unlink()
        cls.company.customer_cost_start_date = "2025-07-01"
        cls.travel, cls.wages, cls.interest, cls.rent = (
            cls.create_account(code, name)
            for code, name in (
                ("T61001", "差旅费"),
                ("T61002", "Wages"),
                ("T61003", "Interest on loans"),
                ("T61004", "Office rent"),
            )
        )
        cls.manager = cls.users["manager"]

    @classmethod
    def create_account(cls, code, name, account_type="expense"):
        return cls.env["account.account"].create(
            {
                "code": code,
                "name": name,
                "account_type": account_type,
                "company_ids": [(6, 0, cls.company.ids)],
            }
        )

    @classmethod
    def post_two_months(cls):
        """April and May 2025: sales to two customers, direct and indirect cost, interest."""
        for month in ("2025-04", "2025-05"):
            cls.create_sale(cls.customer_a, quantity=3, day=f"{month}-05")
            cls.create_sale(cls.customer_b, quantity=1, day=f"{month}-06")
            cls.create_bill(
                [
                    (cls.travel, 10.01, {}),
                    (cls.travel, 20.0, {"cost_customer_id": cls.customer_a.id}),
                    (cls.wages, 80.0, {}),
                    (cls.interest, 7.0, {}),
                ],
                day=f"{month}-10",
            )

    def open_setup(self, role="manager"):
        setups = self.env["customer.cost.setup"].with_user(self.users[role])
        action = setups.action_open()
        return setups.browse(action["res_id"])

    def calculate(self, role="manager"):
        """Go all the way as a person does, one click after the other."""
        setup = self.open_setup(role)
        setup.action_accept_accounts()
        setup.action_accept_months()
        setup.action_calculate()
        self.run_cron()
        return setup

    def run_cron(self):
        with self.enter_registry_test_mode():
            self.env.ref("customer_cost.ir_cron_setup").method_direct_trigger()
        self.env.invalidate_all()

    def line(self, setup, account):
        return setup.account_ids.filtered(lambda line: line.account_id == account)

    def map_rows(self, *accounts):
        rows = self.env["customer.cost.account.map"].with_context(active_test=False)
        return rows.search([("account_id", "in", [account.id for account in accounts])])
