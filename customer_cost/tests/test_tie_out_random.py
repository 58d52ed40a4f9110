import random
from datetime import date, timedelta

from freezegun import freeze_time

from odoo.tests import tagged
from odoo.tools import SQL

from .tie_out_common import FIRST, LAST, TieOutCommon

WALKS = 4
ACTS = 30


@tagged("post_install", "-at_install")
@freeze_time("2026-02-15")
class TestTieOutRandom(TieOutCommon):
    """Random books tie out after whatever is done to them, and one broken line shows."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sales_account = cls.company_data["default_account_revenue"]
        cls.accounts = (
            cls.expense_account
            + cls.other_account
            + cls.unmapped_account
            + cls.sales_account
            + cls.company_data["default_account_deferred_revenue"]
            + cls.env["account.account"].search(
                [
                    ("account_type", "=", "equity_unaffected"),
                    ("company_ids", "in", cls.company.ids),
                ],
                limit=1,
            )
        )
        cls.partners = cls.customer_a + cls.customer_b + cls.vendor + cls.env["res.partner"]
        cls.acts = (
            cls.add_sale,
            cls.add_bill,
            cls.add_entry,
            cls.add_cost,
            cls.change_state,
            cls.change_line,
            cls.reverse,
            cls.close_period,
            cls.change_map,
        )

    def setUp(self):
        super().setUp()
        self.moves = self.env["account.move"]

    # ------------------------------------------------------------
    # What may be done
    # ------------------------------------------------------------

    def day(self, rng):
        return FIRST + timedelta(days=rng.randrange(-20, 385))

    def amount(self, rng):
        return rng.choice((1, -1)) * rng.randrange(1, 100000) / 100

    def add_sale(self, rng):
        sale = self.create_sale(
            rng.choice((self.customer_a, self.customer_b)),
            quantity=rng.randrange(1, 9),
            price=abs(self.amount(rng)),
            day=self.day(rng),
            move_type=rng.choice(("out_invoice", "out_refund", "out_receipt")),
            post=False,
        )
        sale.invoice_line_ids.account_id = rng.choice(self.accounts[:5])
        sale.action_post()
        self.moves += sale

    def get_extra(self, rng):
        extra = {"cost_customer_id": rng.choice(self.partners).id}
        if rng.random() < 0.2:
            extra["cost_item_id"] = self.admin_item.id
        if rng.random() < 0.3:
            first = self.day(rng)
            extra["cost_service_from"] = first
            extra["cost_service_to"] = first + timedelta(days=rng.randrange(0, 200))
        return extra

    def add_bill(self, rng):
        self.moves += self.create_bill(
            [
                (rng.choice(self.accounts[:4]), abs(self.amount(rng)), self.get_extra(rng))
                for _line in range(rng.randrange(1, 4))
            ],
            day=self.day(rng),
            move_type=rng.choice(("in_invoice", "in_refund", "in_receipt")),
        )

    def add_entry(self, rng):
        self.moves += self.create_entry_move(
            [
                (rng.choice(self.accounts), self.amount(rng), self.get_extra(rng))
                for _line in range(rng.randrange(1, 4))
            ],
            day=self.day(rng),
        )

    def add_cost(self, rng):
        day = self.day(rng)
        if not self.env["customer.cost.period"]._is_closed(self.company, day):
            customer = rng.choice((self.customer_a.id, False))
            amount = self.amount(rng)
            cost = self.create_cost(post=True, date=day, amount=abs(amount), customer_id=customer)
            if amount < 0:
                reversal = self.env["customer.cost.entry"].browse(cost.action_reverse()["res_id"])
                reversal.action_submit()
                reversal.with_user(self.users["reviewer"]).action_approve()

    def change_state(self, rng):
        move = rng.choice(self.moves) if self.moves else self.moves
        if move.state == "posted":
            move.button_draft()
        elif move:
            move.action_post()

    def change_line(self, rng):
        lines = self.moves.filtered(
            lambda move: move.state == "posted" and move.move_type == "entry"
        ).line_ids.filtered(lambda line: line.name == "Cost")
        if lines:
            rng.choice(lines).account_id = rng.choice(self.accounts[:4])

    def reverse(self, rng):
        posted = self.moves.filtered(lambda move: move.state == "posted")
        if posted:
            move = rng.choice(posted)
            self.moves += move._reverse_moves([{"date": self.day(rng)}])

    def close_period(self, rng):
        period = self.env["customer.cost.period"]._get(self.company, self.day(rng))
        if period.state == "open" and rng.random() < 0.3:
            self.env.cr.execute(
                "UPDATE customer_cost_period SET state = 'closed' WHERE id = %s", [period.id]
            )
            self.env.invalidate_all()

    def change_map(self, rng):
        row = self.env["customer.cost.account.map"].search(
            [("account_id", "in", self.accounts.ids)], limit=1
        )
        row.sequence = rng.randrange(50)

    # ------------------------------------------------------------
    # What always holds
    # ------------------------------------------------------------

    def check(self, context):
        quarter = date(2025, 4, 1), date(2025, 6, 30)
        for first, last in ((FIRST, LAST), quarter, (date(2025, 2, 1), date(2025, 2, 28))):
            figures = self.tie_out(first, last)
            with self.subTest(context, first=first, last=last):
                self.assertTied(figures)
                self.assertEqual(self.get_balances(figures), self.read_balances(first, last))

    def get_balances(self, figures):
        return {row["account_id"]: row["balance"] for row in figures["accounts"]}

    def read_balances(self, first, last):
        totals = {}
        for line in self.env["account.move.line"].search(
            [
                ("company_id", "=", self.company.id),
                ("parent_state", "=", "posted"),
                ("date", ">=", first),
                ("date", "<=", last),
                ("account_id.internal_group", "in", ("income", "expense")),
            ]
        ):
            if line.balance:
                totals.setdefault(line.account_id.id, []).append(-line.balance)
        return {account: round(sum(amounts), 2) for account, amounts in totals.items()}

    def test_random_books(self):
        for seed in range(WALKS):
            rng = random.Random(seed)
            self.moves = self.env["account.move"]
            with self.env.cr.savepoint() as savepoint:
                for _act in range(ACTS):
                    rng.choice(self.acts)(self, rng)
                self.check(f"seed {seed}")
                self.run_months(rng)
                self.check(f"seed {seed}, with runs")
                self.check_break(rng)
                savepoint.rollback()
                self.env.invalidate_all()

    def run_months(self, rng):
        driver = self.create_driver(
            {self.customer_a: rng.randrange(1, 99), self.customer_b: rng.randrange(99)},
            window="year",
        )
        self.create_rule(driver, self.item, share_pct=rng.choice((100, 37.5)))
        self.create_rule(
            driver, self.other_item, full_cost=True, carry_forward=rng.choice((True, False))
        )
        for month in range(2, 8):
            day = FIRST.replace(month=month)
            if not self.env["customer.cost.period"]._is_closed(self.company, day):
                self.create_run(day=day, post=True)

    def check_break(self, rng):
        lines = self.env["customer.cost.line"].search(
            [
                ("company_id", "=", self.company.id),
                ("origin_date", ">=", FIRST),
                ("origin_date", "<=", LAST),
            ]
        )
        self.assertTrue(lines)
        line = rng.choice(lines)
        self.env.cr.execute(
            SQL("UPDATE customer_cost_line SET amount = amount + 0.01 WHERE id = %s", line.id)
        )
        self.env.invalidate_all()
        figures = self.tie_out()
        self.assertFalse(figures["is_tied"])
        self.assertTrue(figures["findings"])
