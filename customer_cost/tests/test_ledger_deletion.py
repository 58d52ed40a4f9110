from psycopg2 import IntegrityError

from odoo.exceptions import UserError, ValidationError
from odoo.tools import mute_logger

from .common import CustomerCostCommon


class TestLedgerDeletion(CustomerCostCommon):
    """What the ledger points to cannot be deleted from under it, key or no key."""

    def test_item_of_a_cost_is_archived_not_deleted(self):
        self.create_bill([(self.expense_account, 10.0, {})])
        with self.assertRaisesRegex(ValidationError, "Test travel already carries cost"):
            self.item.unlink()

    def test_item_of_an_allocation_is_not_deleted(self):
        self.create_sale(self.customer_a)
        self.create_bill([(self.expense_account, 10.0, {})])
        self.create_rule(self.env.ref("customer_cost.driver_net_revenue"))
        self.create_run(post=True)
        with self.assertRaisesRegex(ValidationError, "already carries cost"):
            self.item.unlink()

    def test_unused_item_is_deleted(self):
        item = self.create_item("T-NEW", "Never used")
        item.unlink()
        self.assertFalse(item.exists())

    def test_customer_with_cost_is_not_deleted(self):
        self.create_bill([(self.expense_account, 10.0, {"cost_customer_id": self.customer_c.id})])
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaises(IntegrityError),
        ):
            self.customer_c.unlink()
        self.assertTrue(self.customer_c.exists())

    def test_cost_centre_of_a_pool_is_not_deleted(self):
        plan = self.company.customer_cost_plan_id
        centre, unused = self.env["account.analytic.account"].create(
            [{"name": name, "plan_id": plan.id} for name in ("Sales office", "Unused office")]
        )
        self.create_bill(
            [(self.expense_account, 10.0, {"analytic_distribution": {centre.id: 100}})]
        )
        self.assertEqual(
            self.env["customer.cost.line"].search([("item_id", "=", self.item.id)]).cost_centre_id,
            centre,
        )
        with self.assertRaisesRegex(UserError, "Sales office is the cost centre of costs"):
            centre.unlink()
        unused.unlink()
        self.assertFalse(unused.exists())
