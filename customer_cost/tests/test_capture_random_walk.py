import random
from collections import defaultdict
from datetime import date
from fractions import Fraction
from math import floor

from odoo.fields import Command
from odoo.tests import tagged

from ..engine import spread
from .common import CustomerCostCommon

DAYS = ("2025-01-15", "2025-02-03", "2025-03-10", "2025-03-31", "2025-05-01")
ACTS_PER_WALK = 40
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


def cents_of(amount):
    return Fraction(str(amount)) * 100


@tagged("post_install", "-at_install")
class TestCaptureRandomWalk(CustomerCostCommon):
    """Whatever is done to documents, the ledger is what they should have contributed."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.plan = cls.env["account.analytic.plan"].create({"name": "Customers"})
        cls.company.customer_cost_plan_id = cls.plan
        cls.contact = cls.env["res.partner"].create(
            {"name": "Buyer of A", "parent_id": cls.customer_a.id}
        )
        cls.analytic = cls.env["account.analytic.account"].create(
            [
                {"name": "Account", "plan_id": cls.plan.id, "partner_id": partner.id}
                for partner in (cls.customer_a, cls.customer_b, cls.customer_c)
            ]
        )
        cls.accounts = cls.expense_account + cls.other_account + cls.unmapped_account
        cls.partners = cls.customer_a + cls.contact + cls.customer_b + cls.env["res.partner"]
        cls.items = cls.admin_item + cls.item + cls.env["customer.cost.item"]

        cls.tax_account, cls.discount_account = cls.env["account.account"].create(
            [
                {
                    "name": name,
                    "code": code,
                    "account_type": "expense",
                    "company_ids": [Command.set(cls.company.ids)],
                }
                for name, code in (("Tax not recovered", "T60012"), ("Discounts", "T60013"))
            ]
        )
        cls.company.account_discount_income_allocation_id = cls.discount_account
        cls.taxes = cls.create_tax(cls.tax_account) + cls.create_tax(cls.env["account.account"])

    @classmethod
    def create_tax(cls, account):
        repartition = [
            Command.clear(),
            Command.create({"repartition_type": "base"}),
            Command.create({"repartition_type": "tax", "account_id": account.id}),
        ]
        return cls.env["account.tax"].create(
            {
                "name": f"Tax {account.code or 'of its base'}",
                "amount": 7.0,
                "type_tax_use": "purchase",
                "company_id": cls.company.id,
                "invoice_repartition_line_ids": repartition,
                "refund_repartition_line_ids": repartition,
            }
        )

    # ------------------------------------------------------------
    # Oracle: an independent calculation of the ledger
    # ------------------------------------------------------------

    def target(self, moves):
        """What the moves should have contributed: (customer, item, date) to amount."""
        cents = defaultdict(int)
        for line in moves.exists().filtered(lambda move: move.state == "posted").line_ids:
            if line.account_id.account_type == "expense" and line.balance:
                for key, amount in self.split_line(line):
                    cents[key] += amount
        return {key: amount / 100 for key, amount in cents.items() if amount}

    def split_line(self, line):
        """Yield ((customer, item, date), cents) of one journal item."""
        by_item = defaultdict(Fraction)
        by_owner = defaultdict(lambda: defaultdict(Fraction))
        for share, source, customer, item, service in self.leaves(line):
            item = item or self.map_of(source) or self.map_of(line)
            by_item[item] += share
            for owner, part in self.owners(source, customer):
                by_owner[item][owner, service] += share * part
        sign = 1 if line.balance > 0 else -1
        whole = round(abs(line.balance) * 100)
        items = sorted(by_item, key=lambda item: item.id or float("inf"))
        cents = self.largest_remainder([whole * by_item[item] for item in items], whole)
        for item, units in zip(items, cents, strict=True):
            if not item:
                continue
            owners = sorted(
                by_owner[item],
                key=lambda key: (key[0].id or float("inf"), key[1] or (date.max, date.max)),
            )
            quotas = [whole * by_owner[item][owner] for owner in owners]
            shares = self.largest_remainder(quotas, units)
            for (customer, service), share in zip(owners, shares, strict=True):
                if not service:
                    yield (customer, item, line.move_id.date), sign * share
                    continue
                for day, minor in spread(sign * share, *service):
                    yield (customer, item, day), minor

    def largest_remainder(self, quotas, total):
        shares = [floor(quota) for quota in quotas]
        order = sorted(range(len(quotas)), key=lambda i: (shares[i] - quotas[i], i))
        for place in order[: total - sum(shares)]:
            shares[place] += 1
        self.assertEqual(sum(shares), total)
        return shares

    def map_of(self, line):
        by_account = {self.expense_account: self.item, self.other_account: self.other_item}
        return by_account.get(line.account_id, self.env["customer.cost.item"])

    def owners(self, source, customer):
        if customer:
            return [(customer.commercial_partner_id, Fraction(1))]
        pool = self.env["res.partner"]
        percentages = defaultdict(Fraction)
        for key, percentage in (source.analytic_distribution or {}).items():
            partner = self.env["account.analytic.account"].browse(int(key)).partner_id
            percentages[partner.commercial_partner_id] += Fraction(str(percentage))
        total = sum(percentages.values())
        if total > 100 or any(share < 0 for share in percentages.values()):
            return [(pool, Fraction(1))]
        percentages[pool] += 100 - total
        return [(partner, share / 100) for partner, share in percentages.items() if share]

    def leaves(self, line):
        """Whom an item comes from: (share, source, own customer, own item, service period)."""
        own = (
            line.cost_customer_id,
            line.cost_item_id,
            line.cost_service_from and (line.cost_service_from, line.cost_service_to) or None,
        )
        bases = [] if own[0] and own[1] else self.bases(line)
        total = sum(weight for _base, weight in bases)
        if not total:
            return [(Fraction(1), line, *own)]
        found = []
        for base, weight in bases:
            for share, source, customer, item, service in self.leaves(base):
                found.append(
                    (
                        share * weight / total,
                        source,
                        own[0] or customer,
                        own[1] or item,
                        own[2] or service,
                    )
                )
        return found

    def bases(self, line):
        products = line.move_id.line_ids.filtered(
            lambda base: base.display_type == "product" and base.account_id
        )
        ranked = []
        if line.display_type == "tax":
            for base in products.filtered(lambda base: line.tax_line_id in base.tax_ids):
                level = 2 * (
                    (base.analytic_distribution or {}) != (line.analytic_distribution or {})
                )
                if not line.tax_repartition_line_id.account_id:
                    level += base.account_id != line.account_id
                ranked.append((level, base, cents_of(base.balance)))
        elif line.display_type == "discount":
            for base in products:
                weight = Fraction(str(base.quantity)) * cents_of(base.price_unit)
                weight *= Fraction(str(base.discount))
                ranked.append((base.account_id != line.account_id, base, weight))
        ranked = [(level, base, weight) for level, base, weight in ranked if weight]
        origin = line.move_id.reversed_entry_id
        if not ranked and origin.state == "posted" and not line.analytic_distribution:
            for base in origin.line_ids.filtered(lambda base: base.account_id == line.account_id):
                level = (
                    8 * (base.display_type != "product")
                    + 4 * (base.partner_id != line.partner_id)
                    + 2 * bool(base.analytic_distribution)
                    + (abs(base.balance) != abs(line.balance))
                )
                if base.balance:
                    ranked.append((level, base, abs(cents_of(base.balance))))
        nearest = min((level for level, _base, _weight in ranked), default=0)
        return [(base, weight) for level, base, weight in ranked if level == nearest]

    def assertLedgerIsTarget(self, moves, message):
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertEqual(self.ledger(moves), self.target(moves), message)
        self.assertEqual(
            self.env["customer.cost.capture"]._sync(moves.ids), 0, f"{message}: synced twice"
        )

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

    def cost_lines(self, move):
        return move.line_ids.filtered(
            lambda line: line.account_id in self.accounts and line.display_type == "product"
        )

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
            move.write({"date": day, **({"invoice_date": day} if move.is_invoice() else {})})

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

    def walk(self, seed):
        rng = random.Random(seed)
        acts = sorted(name for name in dir(self) if name.startswith("act_"))
        acts += ["act_post", "act_post", "act_draft", "act_customer", "act_distribution"]
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

    # ------------------------------------------------------------
    # What no hook sees is healed by the next comparison
    # ------------------------------------------------------------

    def test_accounts_merged_in_sql_are_healed(self):
        bill = self.create_bill([(self.unmapped_account, 100.0, {})])
        self.assertFalse(self.ledger(bill))
        self.env["account.merge.wizard"]._action_merge(self.expense_account | self.unmapped_account)
        self.assertEqual(self.env["customer.cost.capture"]._sync(bill.ids), 1)
        self.assertLedgerIsTarget(bill, "merged")
        self.assertEqual(
            self.ledger(bill), {(self.env["res.partner"], self.item, date(2025, 3, 10)): 100.0}
        )

    def test_a_line_deleted_in_sql_is_healed(self):
        move = self.create_entry_move(
            [(self.expense_account, 100.0, {}), (self.other_account, 50.0, {})]
        )
        self.env.cr.execute(
            "DELETE FROM account_move_line WHERE id = %s", (self.cost_lines(move)[0].id,)
        )
        self.env.invalidate_all()
        self.env["customer.cost.capture"]._sync(move.ids)
        self.assertLedgerIsTarget(move, "deleted")

    def test_a_line_moved_to_another_document_is_counted_once(self):
        source = self.create_entry_move(
            [(self.expense_account, 100.0, {}), (self.other_account, 50.0, {})]
        )
        target = self.create_entry_move([(self.expense_account, 7.0, {})], day="2025-05-01")
        self.env.cr.execute(
            "UPDATE account_move_line SET move_id = %s WHERE id = %s",
            (target.id, self.cost_lines(source)[0].id),
        )
        self.env.invalidate_all()
        for move in (target, source, target):
            self.env["customer.cost.capture"]._sync(move.ids)
        self.assertLedgerIsTarget(source | target, "moved")

    def test_a_customer_that_moves_below_a_parent_is_healed(self):
        bill = self.create_bill(
            [(self.expense_account, 100.0, {"cost_customer_id": self.customer_b.id})]
        )
        self.customer_b.write({"is_company": False, "parent_id": self.customer_c.id})
        self.env["customer.cost.capture"]._sync(bill.ids)
        self.assertLedgerIsTarget(bill, "parent")
        self.assertEqual(
            self.ledger(bill), {(self.customer_c, self.item, date(2025, 3, 10)): 100.0}
        )

    def test_date_of_a_posted_document_changed(self):
        move = self.create_entry_move([(self.expense_account, 100.0, {})], day="2025-03-10")
        move.with_context(skip_readonly_check=True).date = "2025-03-20"
        self.assertLedgerIsTarget(move, "date")
        bill = self.create_bill([(self.expense_account, 100.0, {})], day="2025-03-10")
        bill.with_context(skip_readonly_check=True).invoice_date = "2025-03-21"
        self.assertEqual(bill.date, date(2025, 3, 31))
        self.assertLedgerIsTarget(bill, "invoice date")

    def test_a_line_added_to_a_posted_document(self):
        move = self.create_entry_move([(self.expense_account, 100.0, {})])
        move.with_context(skip_readonly_check=True).line_ids = [
            (0, 0, {"account_id": self.other_account.id, "balance": 30.0}),
            (0, 0, {"account_id": self.expense_account.id, "balance": -30.0}),
        ]
        self.assertLedgerIsTarget(move, "added")

    def test_a_line_deleted_from_a_posted_document(self):
        move = self.create_entry_move(
            [(self.expense_account, 100.0, {}), (self.other_account, 50.0, {})]
        )
        line = self.cost_lines(move).filtered(lambda line: line.balance == 50.0)
        counterpart = move.line_ids - self.cost_lines(move)
        move.with_context(force_delete=True, skip_readonly_check=True).line_ids = [
            (2, line.id, 0),
            (1, counterpart.id, {"balance": -100.0}),
        ]
        self.assertLedgerIsTarget(move, "deleted")
