from collections import Counter, defaultdict
from datetime import date
from fractions import Fraction
from math import floor

from dateutil.relativedelta import relativedelta

from odoo.fields import Command

from ..engine import spread
from .common import CustomerCostCommon


def cents_of(amount):
    return Fraction(str(amount)) * 100


def later(day, closed):
    """The day itself when its month is open, else the first day that is."""
    while day.replace(day=1) in closed:
        day = day.replace(day=1) + relativedelta(months=1)
    return day


class CaptureOracle(CustomerCostCommon):
    """An independent calculation of what documents should have contributed."""

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

    def setUp(self):
        super().setUp()
        self.counted = defaultdict(Counter)

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
        """What the moves should have contributed: (line, customer, item, dates) to cents."""
        cents = defaultdict(int)
        for line in moves.exists().filtered(lambda move: move.state == "posted").line_ids:
            if line.account_id.account_type == "expense" and line.balance:
                for (customer, item, day), amount in self.split_line(line):
                    cents[line.id, customer, item, line.move_id.date, day] += amount
        return cents

    def count(self, moves):
        """Bring ``self.counted`` to what counts on which day, now that the moves are these.

        What did not change stays. Of what did, open months give back what they hold and the own
        month takes it; closed months keep theirs, and what is too much there is taken back in the
        first open month after them.
        """
        expected = self.target(moves)
        closed = self.closed_months()
        for key in self.counted.keys() | expected.keys():
            held, whole = self.counted[key], expected[key]
            if sum(held.values()) == whole:
                continue
            kept = {
                day: cents for day, cents in held.items() if cents and day != later(day, closed)
            }
            total = sum(kept.values())
            stays = sorted((0, whole, total))[1]
            self.counted[key] = now = Counter(kept)
            now[later(key[-1], closed)] += whole - stays
            if stays != total:
                now[max(later(day, closed) for day in kept)] += stays - total

    def closed_months(self):
        periods = self.env["customer.cost.period"].search(
            [("company_id", "=", self.company.id), ("state", "=", "closed")]
        )
        return set(periods.mapped("date_from"))

    def expected_ledger(self):
        cents = Counter()
        for (_line, customer, item, _date, _service), days in self.counted.items():
            for day, amount in days.items():
                cents[customer, item, day] += amount
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
        self.count(moves)
        self.assertEqual(self.ledger(moves), self.expected_ledger(), message)
        self.assertEqual(
            self.env["customer.cost.capture"]._sync(moves.ids), 0, f"{message}: synced twice"
        )

    def cost_lines(self, move):
        return move.line_ids.filtered(
            lambda line: line.account_id in self.accounts and line.display_type == "product"
        )
