import random

from odoo.fields import Command
from odoo.tests import tagged

from .capture_oracle import CaptureOracle

DAYS = ("2025-01-15", "2025-02-03", "2025-03-10", "2025-03-31", "2025-05-01")
MONTHS = ("2024-12-01", "2025-01-01", "2025-02-01", "2025-03-01", "2025-04-01", "2025-05-01")
ACTS_PER_WALK = 40
# Late costs come and go only where months do so often.
MONTH_ACTS = (
    "act_close_month",
    "act_customer",
    "act_draft",
    "act_post",
    "act_post",
    "act_reopen_month",
)
# What a posted item of a closed month refuses.
LINKS = ("act_customer", "act_generated_links", "act_item", "act_service")
# Shares of the customers' plan: none, exact, rest indirect, above 100 %, negative.
DISTRIBUTIONS = (
    [],
    [100],
    [33.33, 33.33, 33.34],
    [33.33, 33.33, 33.33],
    [12.5, 60.01],
    [80, 30],
    [50, -10],
)
SERVICES = (
    ("2025-01-01", "2025-12-31"),
    ("2025-03-10", "2025-03-31"),
    ("2024-12-17", "2025-02-11"),
)


@tagged("post_install", "-at_install")
class TestCaptureRandomWalk(CaptureOracle):
    """Whatever is done to documents and months, each day counts what it should."""

    # ------------------------------------------------------------
    # Acts
    # ------------------------------------------------------------

    def random_values(self, rng):
        values = {
            "cost_customer_id": rng.choice(self.partners.ids + [False] * 6),
            "cost_item_id": rng.choice(self.items.ids + [False, False]),
        }
        if not values["cost_customer_id"]:
            values["analytic_distribution"] = self.random_distribution(rng)
        if rng.random() < 0.25:
            values.update(self.random_service(rng))
        return values

    def random_service(self, rng):
        first, last = rng.choice((*SERVICES, (False, False)))
        return {"cost_service_from": first, "cost_service_to": last}

    def random_extras(self, rng):
        """What makes Odoo generate lines on a bill."""
        taxes = rng.choice((self.taxes[:1], self.taxes[1:], self.taxes, self.taxes[:0]))
        return {
            "tax_ids": [Command.set(taxes.ids)],
            "discount": rng.choice((0, 0, 0, 10, 33.33, 100)),
        }

    def random_distribution(self, rng):
        shares = rng.choice(DISTRIBUTIONS)
        accounts = rng.sample(self.analytic.ids, len(shares))
        return {
            str(account): share for account, share in zip(accounts, shares, strict=True)
        } or False

    def random_document(self, rng):
        lines = [
            (rng.choice(self.accounts), rng.randint(1, 99_999) / 100, self.random_values(rng))
            for _ in range(rng.randint(1, 3))
        ]
        day = rng.choice(DAYS)
        if rng.random() < 0.4:
            return self.create_entry_move(lines, day=day, post=rng.random() < 0.5)
        move_type = rng.choice(["in_invoice", "in_refund"])
        for _account, _amount, values in lines:
            values.update(self.random_extras(rng))
        return self.create_bill(lines, day=day, move_type=move_type, post=rng.random() < 0.5)

    def generated_lines(self, move):
        return move.line_ids.filtered(lambda line: line.display_type in ("tax", "discount"))

    def act_post(self, move, rng):
        if move.state == "draft":
            move.action_post()

    def act_draft(self, move, rng):
        if move.state in ("posted", "cancel"):
            move.button_draft()

    def act_cancel(self, move, rng):
        if move.state == "draft":
            move.button_cancel()

    def act_write_state(self, move, rng):
        state = rng.choice(["draft", "posted", "cancel"])
        if state != "posted" or move.name not in (False, "/"):
            move.write({"state": state})

    def act_account(self, move, rng):
        for line in self.cost_lines(move)[:1]:
            line.account_id = rng.choice(self.accounts)

    def act_customer(self, move, rng):
        for line in self.cost_lines(move)[:1]:
            line.cost_customer_id = rng.choice(self.partners.ids + [False])

    def act_item(self, move, rng):
        self.cost_lines(move)[:2].write({"cost_item_id": rng.choice(self.items.ids + [False])})

    def act_service(self, move, rng):
        self.cost_lines(move)[:1].write(self.random_service(rng))

    def act_generated_links(self, move, rng):
        self.generated_lines(move)[:1].write(
            {
                "cost_customer_id": rng.choice(self.partners.ids + [False] * 3),
                "cost_item_id": rng.choice(self.items.ids + [False] * 3),
            }
        )

    def act_extras(self, move, rng):
        if move.state == "draft" and move.is_invoice():
            for line in self.cost_lines(move)[:2]:
                line.write(self.random_extras(rng))

    def act_distribution(self, move, rng):
        self.cost_lines(move).write({"analytic_distribution": self.random_distribution(rng)})

    def act_amount(self, move, rng):
        if move.state != "draft":
            return
        line = self.cost_lines(move)[:1]
        amount = rng.randint(1, 99_999) / 100
        if move.is_invoice():
            line.price_unit = amount
        else:
            counterpart = (move.line_ids - self.cost_lines(move))[:1]
            difference = amount - line.balance
            move.line_ids = [
                (1, line.id, {"balance": amount}),
                (1, counterpart.id, {"balance": counterpart.balance - difference}),
            ]

    def act_date(self, move, rng):
        if move.state == "draft":
            day = rng.choice(DAYS)
            own = {"invoice_date": day} if move.is_invoice() else {}
            move.write({"name": False, "date": day, **own})

    def act_delete_line(self, move, rng):
        if move.state == "draft" and move.is_invoice() and len(self.cost_lines(move)) > 1:
            self.cost_lines(move)[:1].unlink()

    def act_duplicate(self, move, rng):
        copied = move.copy({"date": move.date})
        if copied.is_invoice():
            copied.invoice_date = move.date
        copied.date = move.date
        return copied

    def act_reverse(self, move, rng):
        if move.state == "posted":
            return move._reverse_moves(
                [{"date": rng.choice(DAYS), "invoice_date": rng.choice(DAYS)}]
            )
        return None

    def act_cancel_by_reversal(self, move, rng):
        if move.state == "posted" and move.move_type == "entry":
            return move._reverse_moves([{"date": rng.choice(DAYS)}], cancel=True)
        return None

    def act_force_delete(self, move, rng):
        move.with_context(force_delete=True).unlink()

    def act_swap_account_in_sql(self, move, rng):
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE account_move_line SET account_id = %s WHERE id = ANY(%s)",
            (rng.choice(self.accounts).id, self.cost_lines(move)[:1].ids),
        )
        self.env.invalidate_all()
        self.env["customer.cost.capture"]._sync(move.ids)

    def act_close_month(self, move, rng):
        self.close_period(rng.choice((rng.choice(MONTHS), move.date)))

    def act_reopen_month(self, move, rng):
        closed = self.closed_months()
        own = {move.date.replace(day=1)} & closed
        if closed:
            month = rng.choice(sorted(own or closed))
            period = self.env["customer.cost.period"]._get(self.company, month)
            period.sudo()._unguarded().state = "open"

    def are_links_fixed(self, move):
        return move.state == "posted" and move.date.replace(day=1) in self.closed_months()

    def get_acts(self):
        acts = sorted(name for name in dir(self) if name.startswith("act_"))
        return acts + ["act_post", "act_post", "act_draft", "act_customer", "act_distribution"]

    def walk(self, seed, acts=None):
        rng = random.Random(seed)
        acts = acts or self.get_acts()
        known = self.env["account.move"]
        for _ in range(5):
            known += self.random_document(rng)
        self.assertLedgerIsTarget(known, f"seed {seed}: documents made")
        for step in range(ACTS_PER_WALK):
            moves = known.exists()
            if len(moves) < 2:
                known += self.random_document(rng)
                moves = known.exists()
            move = rng.choice(moves)
            name = rng.choice(acts)
            if name == "act_force_delete" and rng.random() < 0.6:
                name = "act_post"
            if name in LINKS and self.are_links_fixed(move):
                name = "act_draft"
            made = getattr(self, name)(move, rng)
            if made:
                known += made
            self.assertLedgerIsTarget(known, f"seed {seed}, step {step}: {name} on {move.id}")
        return known

    def test_walk_1(self):
        self.assertTrue(self.walk(1))

    def test_walk_2(self):
        self.assertTrue(self.walk(20))

    def test_walk_3(self):
        self.assertTrue(self.walk(300))

    def test_walk_4(self):
        self.assertTrue(self.walk(4000))

    def test_walk_through_months_1(self):
        self.assertTrue(self.walk(5, MONTH_ACTS))

    def test_walk_through_months_2(self):
        self.assertTrue(self.walk(60, MONTH_ACTS))
