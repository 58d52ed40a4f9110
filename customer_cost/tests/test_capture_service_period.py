import random
from datetime import date, timedelta
from importlib.util import module_from_spec, spec_from_file_location
from unittest.mock import patch

from odoo.exceptions import UserError, ValidationError
from odoo.tools import file_path

from ..engine import spread, to_minor
from .common import CustomerCostCommon


class TestCaptureServicePeriod(CustomerCostCommon):
    """A service period spreads a cost over its months to the cent."""

    def lines(self, moves):
        lines = self.env["customer.cost.line"].search(
            [("entry_id.source_move_id", "in", moves.ids)], order="service_date, id"
        )
        return [(line.service_date, line.amount) for line in lines]

    def period(self, first, last):
        return {"cost_service_from": first, "cost_service_to": last}

    def year_bill(self, amount=1200.0, **vals):
        return self.create_bill(
            [(self.expense_account, amount, {**self.period("2025-01-01", "2025-12-31"), **vals})]
        )

    # ------------------------------------------------------------
    # The months
    # ------------------------------------------------------------

    def test_without_a_service_period_the_accounting_date_is_the_service_date(self):
        bill = self.create_bill([(self.expense_account, 100.0, {})])
        self.assertEqual(self.lines(bill), [(date(2025, 3, 10), 100.0)])

    def test_a_year_is_spread_over_twelve_months(self):
        bill = self.year_bill(cost_customer_id=self.customer_a.id)
        self.assertEqual(
            self.lines(bill), [(date(2025, month, 1), 100.0) for month in range(1, 13)]
        )
        self.assertEqual(
            self.ledger(bill),
            {(self.customer_a, self.item, date(2025, month, 1)): 100.0 for month in range(1, 13)},
        )
        entry = self.env["customer.cost.entry"].search([("source_move_id", "=", bill.id)])
        self.assertEqual((entry.amount, entry.date), (1200.0, date(2025, 3, 10)))
        self.assertEqual(set(entry.line_ids.mapped("origin_date")), {date(2025, 3, 10)})

    def test_months_that_have_not_come_yet(self):
        bill = self.create_bill(
            [(self.expense_account, 300.0, self.period("2031-01-01", "2031-03-31"))]
        )
        self.assertEqual(self.lines(bill), [(date(2031, month, 1), 100.0) for month in (1, 2, 3)])

    def test_partial_months_weigh_their_days(self):
        bill = self.create_bill(
            [(self.expense_account, 1100.0, self.period("2025-02-15", "2025-04-10"))]
        )
        self.assertEqual(
            self.lines(bill),
            [(date(2025, 2, 15), 300.0), (date(2025, 3, 1), 600.0), (date(2025, 4, 1), 200.0)],
        )

    def test_customers_of_an_analytic_distribution_each_add_up(self):
        plan = self.env["account.analytic.plan"].create({"name": "Customers"})
        self.company.customer_cost_plan_id = plan
        accounts = self.env["account.analytic.account"].create(
            [
                {"name": "Account", "plan_id": plan.id, "partner_id": partner.id}
                for partner in (self.customer_a, self.customer_b)
            ]
        )
        bill = self.create_bill(
            [
                (
                    self.expense_account,
                    100.0,
                    {
                        **self.period("2025-01-01", "2025-03-31"),
                        "analytic_distribution": {
                            str(accounts[0].id): 33.33,
                            str(accounts[1].id): 50,
                        },
                    },
                )
            ]
        )
        sums = {}
        for (customer, _item, _day), amount in self.ledger(bill).items():
            sums[customer] = round(sums.get(customer, 0) + amount, 2)
        self.assertEqual(
            sums, {self.customer_a: 33.33, self.customer_b: 50.0, self.env["res.partner"]: 16.67}
        )
        self.assertEqual(len(self.ledger(bill)), 9)

    def test_reversal_takes_back_every_month(self):
        bill = self.year_bill(1000.0)
        refund = bill._reverse_moves([{"invoice_date": "2025-05-10", "date": "2025-05-10"}])
        refund.action_post()
        self.assertEqual(self.lines(refund), [(day, -amount) for day, amount in self.lines(bill)])
        self.assertEqual(self.ledger(bill | refund), {})

    def test_copy_is_another_service(self):
        copied = self.year_bill().copy()
        self.assertFalse(copied.invoice_line_ids.cost_service_from)
        self.assertFalse(copied.invoice_line_ids.cost_service_to)

    def test_changed_and_removed_period_moves_the_cost(self):
        bill = self.year_bill()
        bill.invoice_line_ids.write(self.period("2025-03-01", "2025-04-30"))
        self.assertEqual(
            self.ledger(bill),
            {
                (self.env["res.partner"], self.item, date(2025, month, 1)): amount
                for month, amount in ((3, 600.0), (4, 600.0))
            },
        )
        bill.invoice_line_ids.write(self.period(False, False))
        self.assertEqual(
            self.ledger(bill), {(self.env["res.partner"], self.item, date(2025, 3, 10)): 1200.0}
        )
        bill.button_draft()
        self.assertEqual(self.ledger(bill), {})

    def test_deferral_entries_spread_the_cost_themselves(self):
        capture_class = type(self.env["customer.cost.capture"])
        self.env.cr.execute("ALTER TABLE account_move_line ADD COLUMN deferred_start_date date")
        bills = self.year_bill() | self.year_bill()
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE account_move_line SET deferred_start_date = '2025-01-01' WHERE id = %s",
            bills[0].invoice_line_ids.ids,
        )
        with patch.object(capture_class, "_has_deferral", lambda self: True):
            self.env["customer.cost.capture"]._sync(bills.ids)
        self.assertEqual(
            self.ledger(bills[0]),
            {(self.env["res.partner"], self.item, date(2025, 3, 10)): 1200.0},
        )
        self.assertEqual(len(self.ledger(bills[1])), 12)

    # ------------------------------------------------------------
    # To the unit, in every currency
    # ------------------------------------------------------------

    def test_statement_and_engine_agree_on_random_periods(self):
        rng = random.Random(7)
        for code, digits in (("USD", 2), ("JPY", 0), ("KWD", 3)):
            self.use_currency(code, digits)
            for _ in range(12):
                first = date(2023, 1, 1) + timedelta(days=rng.randrange(900))
                last = first + timedelta(days=rng.randrange(1100))
                amount = rng.randint(1, 10**6) * rng.choice([1, -1]) / 10**digits
                move = self.create_entry_move(
                    [(self.expense_account, amount, self.period(first, last))]
                )
                expected = [
                    (day, minor / 10**digits)
                    for day, minor in spread(to_minor(amount, digits), first, last)
                    if minor
                ]
                self.assertEqual(self.lines(move), expected, (code, amount, first, last))

    def use_currency(self, code, digits):
        currency = (
            self.env["res.currency"].with_context(active_test=False).search([("name", "=", code)])
        )
        currency.write({"active": True, "rounding": 10**-digits})
        self.assertEqual(currency.decimal_places, digits)
        self.env.flush_all()
        # A company with entries keeps its currency: the tests only need its precision.
        self.env.cr.execute(
            "UPDATE res_company SET currency_id = %s WHERE id = %s", (currency.id, self.company.id)
        )
        self.env.invalidate_all()

    def test_document_amounts_are_whole_on_the_entry(self):
        foreign = self.setup_other_currency("CHF", rates=[("2025-01-01", 3.0)])
        bill = self.create_bill(
            [(self.expense_account, 100.0, self.period("2025-01-01", "2025-07-31"))],
            currency_id=foreign.id,
        )
        entry = self.env["customer.cost.entry"].search([("source_move_id", "=", bill.id)])
        self.assertEqual((entry.amount, entry.amount_company), (100.0, 33.33))
        self.assertEqual(round(sum(amount for _day, amount in self.lines(bill)), 2), 33.33)

    # ------------------------------------------------------------
    # Closed periods
    # ------------------------------------------------------------

    def close(self, *months):
        for month in months:
            self.close_period(month)

    def test_closed_service_months_take_the_first_open_day(self):
        self.close("2025-01-01", "2025-02-01")
        bill = self.create_bill(
            [(self.expense_account, 400.0, self.period("2025-01-01", "2025-04-30"))]
        )
        pool = self.env["res.partner"]
        self.assertEqual(
            self.ledger(bill),
            {
                (pool, self.item, date(2025, 3, 1)): 300.0,
                (pool, self.item, date(2025, 4, 1)): 100.0,
            },
        )
        self.assertEqual(
            self.lines(bill), [(date(2025, month, 1), 100.0) for month in (1, 2, 3, 4)]
        )
        self.assertEqual(self.env["customer.cost.capture"]._sync(bill.ids), 0)

    def test_closed_period_keeps_the_service_period(self):
        bill = self.year_bill()
        self.close("2025-03-01")
        with self.assertNothingChanged(), self.assertRaisesRegex(UserError, "service period"):
            bill.invoice_line_ids.write(self.period("2025-03-01", "2025-04-30"))

    # ------------------------------------------------------------
    # Bad input
    # ------------------------------------------------------------

    def test_half_a_period_is_refused(self):
        bill = self.create_bill([(self.expense_account, 10.0, {})])
        for vals in (self.period("2025-01-01", False), self.period(False, "2025-01-01")):
            with self.assertRefused("first and its last day", ValidationError):
                bill.invoice_line_ids.write(vals)

    def test_period_that_ends_before_it_begins_is_refused(self):
        bill = self.create_bill([(self.expense_account, 10.0, {})])
        with self.assertRefused("ends on .*, before it begins", ValidationError):
            bill.invoice_line_ids.write(self.period("2025-02-01", "2025-01-31"))

    def test_a_mistyped_year_is_refused(self):
        bill = self.create_bill([(self.expense_account, 10.0, {})])
        bill.invoice_line_ids.write(self.period("2025-01-01", "2034-12-31"))
        with self.assertRefused("covers 121 months", ValidationError):
            bill.invoice_line_ids.write(self.period("2025-01-01", "2035-01-01"))

    def test_change_leaves_a_trace(self):
        bill = self.create_bill([(self.expense_account, 10.0, {})])
        line = bill.invoice_line_ids.with_context(tracking_disable=False)
        line.write(self.period("2025-01-01", "2025-01-31"))
        tracked = bill.message_ids.sudo().tracking_value_ids
        self.assertIn("cost_service_from", tracked.field_id.mapped("name"))

    # ------------------------------------------------------------
    # Ledgers of earlier versions
    # ------------------------------------------------------------

    def test_update_fills_the_service_date_of_what_the_ledger_held(self):
        bill = self.create_bill([(self.expense_account, 100.0, {})])
        self.env.flush_all()
        self.env.cr.execute("ALTER TABLE customer_cost_line DROP COLUMN service_date")
        path = file_path("customer_cost/migrations/19.0.1.1.0/pre-service_date.py")
        spec = spec_from_file_location("pre_service_date", path)
        script = module_from_spec(spec)
        spec.loader.exec_module(script)
        script.migrate(self.env.cr, "19.0.1.0.0")
        self.env.invalidate_all()
        self.assertEqual(self.lines(bill), [(date(2025, 3, 10), 100.0)])


class TestEntryServicePeriod(CustomerCostCommon):
    """A cost recorded by hand spreads over its service period as well."""

    def lines(self, entry):
        return [
            (line.service_date, line.date, line.amount)
            for line in entry.line_ids.sorted("service_date")
        ]

    def create_yearly(self, **vals):
        return self.create_cost(
            post=True, service_from="2025-01-01", service_to="2025-12-31", **vals
        )

    def test_months_add_up_to_the_amount(self):
        entry = self.create_yearly()
        self.assertEqual(len(entry.line_ids), 12)
        self.assertEqual(round(sum(entry.line_ids.mapped("amount")), 2), 100.0)
        self.assertEqual(self.lines(entry)[0], (date(2025, 1, 1), date(2025, 1, 1), 8.33))
        self.assertEqual(set(entry.line_ids.mapped("origin_date")), {date(2025, 3, 10)})

    def test_closed_months_take_the_first_open_day(self):
        for month in ("2025-01-01", "2025-02-01"):
            self.close_period(month)
        days = [day for _service, day, _amount in self.lines(self.create_yearly())]
        self.assertEqual(days[:3], [date(2025, 3, 1)] * 3)
        self.assertEqual(days[3], date(2025, 4, 1))

    def test_reversal_reverses_every_month(self):
        entry = self.create_yearly()
        reversal = self.env["customer.cost.entry"].browse(
            entry.with_user(self.users["accountant"]).action_reverse()["res_id"]
        )
        reversal.with_user(self.users["accountant"]).action_submit()
        reversal.with_user(self.users["reviewer"]).action_approve()
        self.assertEqual(
            self.lines(reversal),
            [(service, day, -amount) for service, day, amount in self.lines(entry)],
        )

    def test_approved_cost_keeps_its_service_period(self):
        entry = self.create_yearly()
        with self.assertRefused("can no longer be changed"):
            entry.with_user(self.users["accountant"]).service_to = "2026-12-31"

    def test_reversal_keeps_the_service_period_of_its_cost(self):
        entry = self.create_yearly()
        action = entry.with_user(self.users["accountant"]).action_reverse()
        reversal = entry.with_user(self.users["accountant"]).browse(action["res_id"])
        with self.assertRefused("is a reversal"):
            reversal.service_to = "2025-11-30"

    def test_bad_periods_are_refused(self):
        for vals, message in (
            ({"service_from": "2025-01-01"}, "first and its last day"),
            ({"service_from": "2025-02-01", "service_to": "2025-01-01"}, "before it begins"),
            ({"service_from": "2025-01-01", "service_to": "2055-01-01"}, "covers 361 months"),
        ):
            with self.assertRefused(message, ValidationError):
                self.create_cost(**vals)
