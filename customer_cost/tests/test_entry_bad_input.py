from freezegun import freeze_time

from odoo.exceptions import AccessError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import CustomerCostCommon


@tagged("post_install", "-at_install")
@freeze_time("2025-06-15")
class TestEntryBadInput(CustomerCostCommon):
    """Bad input is refused by name, whenever it turns bad, and changes nothing."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.author = cls.users["accountant"]
        cls.reviewer = cls.users["reviewer"]
        cls.other_company = cls.env["res.company"].create({"name": "Other Cost Company"})
        cls.foreign = cls.setup_other_currency("EUR", rates=[("2025-05-01", 2.0)])

    def assertNoCreate(self, message, **vals):
        with self.assertRefused(message):
            self.create_cost(**vals)

    def assertNoWrite(self, message, **vals):
        entry = self.create_cost()
        before = entry.read(list(vals))
        with self.assertRefused(message):
            entry.write(vals)
        self.assertEqual(entry.read(list(vals)), before)

    def assertNeither(self, message, **vals):
        self.assertNoCreate(message, **vals)
        self.assertNoWrite(message, **vals)

    def assertNoSubmit(self, entry, message):
        with self.assertRefused(message):
            entry.action_submit()

    def assertNoApproval(self, entry, message):
        with self.assertRefused(message):
            entry.with_user(self.reviewer).action_approve()
        self.assertFalse(entry.review_ids.user_id, "nobody decided")

    # ------------------------------------------------------------
    # Item
    # ------------------------------------------------------------

    def test_no_item(self):
        self.assertNeither("A cost needs a cost item", item_id=False)
        with self.assertRefused("A cost needs a cost item"):
            self.rpc(
                self.author,
                "customer.cost.entry",
                "create",
                {"date": "2025-03-10", "customer_id": self.customer_a.id, "amount": 100.0},
            )

    def test_archived_item(self):
        archived = self.create_item("T-OLD", "Old item", active=False)
        self.assertNeither(r"Cost item \[T-OLD\] Old item is archived", item_id=archived.id)

    def test_item_archived_before_submission(self):
        entry = self.create_cost()
        self.item.active = False
        self.assertNoSubmit(entry, r"Cost item \[T-TRV\] Test travel is archived")

    def test_item_archived_before_approval(self):
        entry = self.create_cost()
        entry.action_submit()
        self.item.active = False
        self.assertNoApproval(entry, r"Cost item \[T-TRV\] Test travel is archived")
        self.item.active = True
        entry.with_user(self.reviewer).action_approve()
        self.assertEqual(entry.state, "approved")

    def test_item_of_another_company(self):
        item = self.create_item("T-OTH", "Other", company_id=self.other_company.id)
        self.assertNeither(r"\[T-OTH\] Other.* belongs to another company", item_id=item.id)

    # ------------------------------------------------------------
    # Amount
    # ------------------------------------------------------------

    def test_zero_amount(self):
        self.assertNeither("the amount is zero", amount=0.0)

    def test_amount_below_the_smallest_coin(self):
        self.assertNeither("the amount is zero", amount=0.004)

    def test_negative_amount(self):
        self.assertNeither(r"the amount .*5\.00 is negative.* reverse it", amount=-5.0)

    def test_amount_that_cannot_be_held_to_the_cent(self):
        self.assertNeither("is too large, it has to stay below", amount=1e12)

    def test_amount_that_is_no_number(self):
        for amount in (float("nan"), float("inf"), float("-inf")):
            with self.subTest(amount=amount):
                self.assertNeither("The amount is no number", amount=amount)

    # ------------------------------------------------------------
    # Date
    # ------------------------------------------------------------

    def test_date_in_the_future(self):
        self.assertNeither("06/16/2025 lies in the future", date="2025-06-16")

    def test_today_is_allowed(self):
        self.assertEqual(self.create_cost(date="2025-06-15", post=True).state, "approved")

    def test_date_beyond_the_setting(self):
        self.company.sudo().customer_cost_max_days_back = 100
        self.assertNeither(
            "03/06/2025 is more than 100 days back. The oldest date allowed is 03/07/2025",
            date="2025-03-06",
        )
        self.assertEqual(self.create_cost(date="2025-03-07", post=True).state, "approved")

    def test_date_that_grew_too_old_before_approval(self):
        entry = self.create_cost()
        entry.action_submit()
        self.company.sudo().customer_cost_max_days_back = 5
        self.assertNoApproval(entry, "03/10/2025 is more than 5 days back")
        self.company.sudo().customer_cost_max_days_back = 1
        self.assertNoApproval(entry, "03/10/2025 is more than 1 day back")

    def test_closed_period(self):
        self.close_period("2025-02-01")
        self.assertNeither("The cost period of 02/28/2025 is closed", date="2025-02-28")

    def test_period_closed_before_submission(self):
        entry = self.create_cost()
        self.close_period()
        self.assertNoSubmit(entry, "The cost period of 03/10/2025 is closed")

    def test_period_closed_before_approval(self):
        entry = self.create_cost()
        entry.action_submit()
        self.close_period()
        self.assertNoApproval(entry, "The cost period of 03/10/2025 is closed")

    def test_draft_of_a_closed_period_moves_to_an_open_day(self):
        entry = self.create_cost()
        self.close_period()
        entry.date = "2025-04-01"
        entry.action_submit()
        entry.with_user(self.reviewer).action_approve()
        self.assertEqual(str(entry.line_ids.date), "2025-04-01")

    def test_lock_date_of_the_books(self):
        self.company.sudo().fiscalyear_lock_date = "2025-02-28"
        self.assertNeither("are locked up to 02/28/2025", date="2025-02-28")

    def test_hard_lock_date_of_the_books(self):
        self.company.sudo().hard_lock_date = "2025-02-28"
        self.assertNeither("are locked up to 02/28/2025", date="2025-02-10")

    def test_books_locked_before_submission_and_approval(self):
        draft, submitted = self.create_cost(), self.create_cost()
        submitted.action_submit()
        self.company.sudo().fiscalyear_lock_date = "2025-03-31"
        self.assertNoSubmit(draft, "are locked up to 03/31/2025")
        self.assertNoApproval(submitted, "are locked up to 03/31/2025")

    # ------------------------------------------------------------
    # Customer
    # ------------------------------------------------------------

    def test_customer_of_another_company(self):
        stranger = self.env["res.partner"].create(
            {"name": "Stranger", "is_company": True, "company_id": self.other_company.id}
        )
        with self.assertRefused(".", AccessError):
            self.create_cost(customer_id=stranger.id)
        self.author.company_ids |= self.other_company
        self.assertNeither(
            "(Stranger.* belongs to another company|Stranger belongs to Other Cost Company)",
            customer_id=stranger.id,
        )

    def test_customer_moved_to_another_company_before_approval(self):
        customer = self.env["res.partner"].create({"name": "Mover", "is_company": True})
        entry = self.create_cost(customer_id=customer.id)
        entry.action_submit()
        customer.company_id = self.other_company
        self.assertNoApproval(entry, "Mover belongs to Other Cost Company")

    def test_vendor_of_another_company(self):
        stranger = self.env["res.partner"].create(
            {"name": "Strange Vendor", "company_id": self.other_company.id}
        )
        self.assertNeither("Strange Vendor.* belongs to another company", vendor_id=stranger.id)

    def test_contact_of_another_customer(self):
        contact = self.env["res.partner"].create(
            {"name": "Contact of B", "parent_id": self.customer_b.id}
        )
        message = "Contact of B is a contact of Cost Customer B"
        self.assertNeither(message, customer_id=self.customer_a.id, contact_id=contact.id)

    def test_contact_named_as_customer_stands_for_the_company_behind_it(self):
        contact = self.env["res.partner"].create(
            {"name": "Contact of B", "parent_id": self.customer_b.id}
        )
        entry = self.create_cost(customer_id=contact.id)
        self.assertRecordValues(
            entry, [{"customer_id": self.customer_b.id, "contact_id": contact.id}]
        )
        entry.contact_id = self.customer_a
        self.assertEqual(entry.customer_id, self.customer_a)

    # ------------------------------------------------------------
    # Currency
    # ------------------------------------------------------------

    def test_currency_without_a_rate_on_that_date(self):
        self.assertNeither(
            "There is no EUR rate on or before 04/30/2025",
            currency_id=self.foreign.id,
            date="2025-04-30",
        )

    def test_currency_is_converted_at_the_rate_of_the_date(self):
        entry = self.create_cost(currency_id=self.foreign.id, date="2025-05-01", post=True)
        self.assertEqual(entry.amount_company, 50.0)
        self.assertEqual(entry.line_ids.amount, 50.0)

    def test_rate_deleted_before_approval(self):
        entry = self.create_cost(currency_id=self.foreign.id, date="2025-05-01")
        entry.action_submit()
        self.foreign.rate_ids.unlink()
        self.assertNoApproval(entry, "There is no EUR rate on or before 05/01/2025")

    # ------------------------------------------------------------
    # Nonsense over RPC
    # ------------------------------------------------------------

    @mute_logger("odoo.sql_db")
    def test_nonsense_over_rpc(self):
        good = {
            "date": "2025-03-10",
            "item_id": self.item.id,
            "customer_id": self.customer_a.id,
            "amount": 100.0,
        }
        nonsense = {
            "amount": ["a lot", [1, 2], {"a": 1}],
            "date": ["yesterday", "2025-02-30", 20250310],
            "item_id": [-1, "item", 10**9],
            "customer_id": [10**9, "customer"],
            "currency_id": [10**9],
            "payment_method": ["barter"],
            "company_id": [10**9],
            "no_such_field": [1],
        }
        for name, values in nonsense.items():
            for value in values:
                with self.subTest(f"{name}={value!r}"), self.assertRefused(".", Exception):
                    self.rpc(self.author, "customer.cost.entry", "create", {**good, name: value})

    def test_company_of_others_over_rpc(self):
        entry = self.create_cost()
        with self.assertRefused("Customer Cost", AccessError):
            self.create_cost(company_id=self.other_company.id)
        with self.assertRefused("."):
            self.rpc(
                self.author,
                "customer.cost.entry",
                "write",
                entry.ids,
                {"company_id": self.other_company.id},
            )
        self.assertEqual(entry.company_id, self.company)

    def test_bad_line_of_an_import_stops_all_of_it(self):
        rows = [
            ["2025-03-10", "T-TRV", "Cost Customer A", "10"],
            ["2025-03-10", "T-TRV", "Cost Customer A", "0"],
        ]
        with self.assertNothingChanged():
            result = self.rpc(
                self.users["manager"],
                "customer.cost.entry",
                "load",
                ["date", "item_id", "customer_id", "amount"],
                rows,
            )
        self.assertFalse(result["ids"])
        self.assertIn("the amount is zero", result["messages"][0]["message"])

    def test_one_bad_cost_stops_the_whole_batch(self):
        entries = self.create_cost() | self.create_cost(item_id=self.other_item.id)
        self.other_item.active = False
        self.assertNoSubmit(entries, "Test advertising is archived")
        self.assertEqual(entries.mapped("state"), ["draft", "draft"])
