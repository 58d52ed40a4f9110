from collections import defaultdict
from decimal import Decimal

from odoo import api, models
from odoo.tools import format_date


class CustomerCostTieOutSections(models.AbstractModel):
    """The links of the tie-out: each section has two sides that have to be equal."""

    _inherit = "customer.cost.tie.out"

    @api.model
    def _get_section(self, key, title, left, right):
        """:param left, right: title of the side and its rows"""
        sides = [
            {
                "label": label,
                "rows": rows,
                "total": sum((row["amount"] for row in rows), Decimal(0)),
            }
            for label, rows in (left, right)
        ]
        return {
            "key": key,
            "title": title,
            "sides": sides,
            "difference": sides[0]["total"] - sides[1]["total"],
        }

    @api.model
    def _get_row(self, key, label, amount, count=None, note=""):
        """:param count: number of records behind the row where it is known"""
        return {"key": key, "label": label, "amount": amount, "count": count, "note": note}

    @api.model
    def _get_rows(self, labels, found, name):
        """Rows for those of ``labels`` that ``found`` has amounts of, under ``name``."""
        amounts, counts = defaultdict(Decimal), defaultdict(int)
        for row in found:
            amounts[row[name]] += row["amount"]
            counts[row[name]] += row["count"]
        return [
            self._get_row(key, label, amounts[key], counts[key])
            for key, label in labels.items()
            if key in amounts
        ]

    # ------------------------------------------------------------
    # (b) Sales and cost of sales
    # ------------------------------------------------------------

    @api.model
    def _get_sales_section(self, totals, customers, found):
        labels = {
            "no_customer": self.env._("Invoice lines without a customer"),
            "invoice_other": self.env._("Rounding, discounts and taxes of invoices"),
            "exchange": self.env._("Exchange differences"),
            "deferral": self.env._("Deferred to or from other periods"),
            "bank": self.env._("Bank and cash entries"),
            "bill": self.env._("Vendor bills on sales accounts"),
            "entry": self.env._("Other journal entries"),
            "elsewhere": self.env._("Taken back: invoice lines booked on other accounts"),
        }
        counts = {row["reason"]: row["count"] for row in found}
        return self._get_section(
            "sales",
            self.env._("Sales"),
            (
                self.env._("In the books"),
                [self._get_row("accounts", self.env._("Sales accounts"), totals["sales"])],
            ),
            (
                self.env._("Named"),
                [
                    self._get_row(
                        "invoice",
                        self.env._("Invoices by customer"),
                        customers["amount_net_sales"],
                        counts.get("invoice", 0) + counts.get("elsewhere", 0),
                    ),
                    *self._get_rows(labels, found, "reason"),
                ],
            ),
        )

    @api.model
    def _get_goods_labels(self):
        return {
            "invoice_entries": self.env._("Cost-of-sales entries of invoices"),
            "purchases": self.env._("Goods on vendor bills"),
            "other": self.env._("Other cost-of-sales entries"),
        }

    @api.model
    def _get_goods_section(self, totals, customers, found):
        labels = self._get_goods_labels()
        frozen = customers["amount_product_cost"]
        return self._get_section(
            "cost_of_sales",
            self.env._("Cost of sales"),
            (self.env._("In the books"), self._get_rows(labels, found, "booked_by")),
            (
                self.env._("Named"),
                [
                    self._get_row(
                        "frozen", self.env._("Product cost frozen on the invoices"), frozen
                    ),
                    self._get_row(
                        "gap",
                        self.env._("Cost-of-sales difference"),
                        -totals["cost_of_sales"] - frozen,
                        note=self.env._(
                            "Goods bought and not sold yet, sold from stock, valued otherwise, "
                            "or of unknown cost."
                        ),
                    ),
                ],
            ),
        )

    # ------------------------------------------------------------
    # (c) Ledger
    # ------------------------------------------------------------

    @api.model
    def _get_ledger_section(self, statistical, own, customers, ledger):
        """Costs by their own date, to what is dated in the range: direct and in the pools.

        :param statistical: the costs beside the books instead of those in them
        :param own: cost of the range by accounting date, or by the date of the approved cost
        """
        moved = dict.fromkeys(("in", "late_in", "out", "late_out", "pool"), Decimal(0))
        counts = dict.fromkeys(moved, 0)
        for row in ledger:
            if row["statistical"] is not statistical:
                continue
            places = []
            if row["is_in"] and not row["is_direct"]:
                places.append("pool")
            if row["is_in"] != row["is_of"]:
                late = "late_" if row["is_late"] else ""
                places.append(late + ("in" if row["is_in"] else "out"))
            for place in places:
                moved[place] += row["amount"]
                counts[place] += row["count"]
        direct = customers["amount_statistical"]
        if not statistical:
            direct = customers["amount_direct"] - direct
        titles = {
            False: (
                "captured",
                self.env._("Costs in the books"),
                self.env._("Captured, by accounting date"),
            ),
            True: (
                "manual",
                self.env._("Costs beside the books"),
                self.env._("Approved, by date"),
            ),
        }
        key, title, label = titles[statistical]
        return self._get_section(
            key,
            title,
            (
                self.env._("By their own date"),
                [
                    self._get_row("own", label, own),
                    *(
                        self._get_row(name, label, sign * moved[name], counts[name])
                        for name, label, sign in (
                            ("in", self.env._("Spread in from other periods"), 1),
                            ("late_in", self.env._("Late costs of closed periods"), 1),
                            ("out", self.env._("Spread to other periods"), -1),
                            ("late_out", self.env._("Late: taken by an open period"), -1),
                        )
                    ),
                ],
            ),
            (
                self.env._("In the ledger"),
                [
                    self._get_row("direct", self.env._("Direct, by customer"), direct),
                    self._get_row(
                        "pool",
                        self.env._("Indirect, in the pools"),
                        moved["pool"],
                        counts["pool"],
                    ),
                ],
            ),
        )

    # ------------------------------------------------------------
    # (d) Pools
    # ------------------------------------------------------------

    @api.model
    def _get_pool_by_month(self, ledger):
        pools = defaultdict(Decimal)
        for row in ledger:
            if row["is_in"] and not row["is_direct"]:
                pools[row["month"]] += row["amount"]
        return pools

    @api.model
    def _sum_runs(self, runs):
        """What the posted runs did, summed, and the pool and carried cost of each by month."""
        sums = defaultdict(Decimal)
        months = {}
        for row in runs:
            months[row["month"]] = row
            for name in ("sent", "retained", "unused", "channel"):
                sums[name] += row[f"amount_{name}"]
        for row in months.values():
            sums["pool"] += row["amount_pool"]
            sums["carried"] += row["amount_carried"]
        return sums, months

    @api.model
    def _get_pools_section(self, customers, ledger, runs):
        sums, months = self._sum_runs(runs)
        pools = self._get_pool_by_month(ledger)
        waiting = {month: amount for month, amount in pools.items() if month not in months}
        books, manual = (
            sum(
                (
                    row["amount"]
                    for row in ledger
                    if row["is_in"] and not row["is_direct"] and row["statistical"] is statistical
                ),
                Decimal(0),
            )
            for statistical in (False, True)
        )
        without_run = ", ".join(
            format_date(self.env, month, date_format="LLL y")
            for month in sorted(month for month, amount in waiting.items() if amount)
        )
        rows = [
            ("allocated", self.env._("Allocated to customers"), customers["amount_allocated"], ""),
            (
                "full",
                self.env._("Charged to customers as full cost"),
                customers["amount_full"],
                "",
            ),
            ("channel", self.env._("Charged to channels"), sums["channel"], ""),
            (
                "retained",
                self.env._("Retained"),
                sums["retained"],
                self.env._("Sent by a rule whose driver had no quantity."),
            ),
            ("unused", self.env._("Unused capacity"), sums["unused"], ""),
            (
                "without_rule",
                self.env._("Waiting without a rule"),
                sums["pool"] + sums["carried"] - sums["sent"],
                "",
            ),
            (
                "without_run",
                self.env._("Waiting without a posted run"),
                sum(waiting.values(), Decimal(0)),
                without_run,
            ),
        ]
        return self._get_section(
            "pools",
            self.env._("Pools"),
            (
                self.env._("To allocate"),
                [
                    self._get_row("books", self.env._("Indirect cost in the books"), books),
                    self._get_row("manual", self.env._("Indirect cost beside the books"), manual),
                    self._get_row(
                        "carried",
                        self.env._("Carried in from earlier months"),
                        sums["carried"],
                        note=self.env._(
                            "Month by month: what a month leaves waiting and a later one takes "
                            "stands on both sides."
                        )
                        if sums["carried"]
                        else "",
                    ),
                ],
            ),
            (
                self.env._("Where it went"),
                [
                    self._get_row(key, label, amount, note=note if amount else "")
                    for key, label, amount, note in rows
                ],
            ),
        )

    # ------------------------------------------------------------
    # (e) The result of the books
    # ------------------------------------------------------------

    @api.model
    def _get_result_labels(self):
        return {
            "profit": self.env._("Full-cost profit of all customers"),
            "sales": self.env._("Sales without customer or invoice"),
            "elsewhere": self.env._("Invoice lines booked on other accounts"),
            "gap": self.env._("Cost-of-sales difference"),
            "channel": self.env._("Cost kept at channels"),
            "retained": self.env._("Cost retained"),
            "unused": self.env._("Cost of unused capacity"),
            "waiting": self.env._("Cost waiting in the pools"),
            "carried": self.env._("Cost carried in from earlier months"),
            "manual": self.env._("Costs beside the books, taken back"),
            "in": self.env._("Costs brought in from other periods"),
            "out": self.env._("Costs that went to other periods"),
            "left_out": self.env._("Accounts left out of customer cost"),
            "excluded": self.env._("Excluded entries"),
            "books": self.env._("Result of the books"),
        }

    @api.model
    def _get_result_section(self, totals, customers, sections):
        """From what customers earn to the result of the books: income positive, cost negative."""
        amounts = {
            section["key"]: {
                row["key"]: row["amount"] for side in section["sides"] for row in side["rows"]
            }
            for section in sections
        }
        pools, captured = amounts["pools"], amounts["captured"]
        manual, sales = amounts["manual"], amounts["sales"]
        full_profit = customers["amount_net_sales"] - sum(
            customers[f"amount_{name}"] for name in ("product_cost", "direct", "allocated", "full")
        )
        elsewhere = sales.get("elsewhere", Decimal(0))
        others = sum(sales.values()) - sales["accounts"] - sales["invoice"] - elsewhere
        found = {
            "profit": full_profit,
            "sales": others,
            "elsewhere": elsewhere,
            "gap": -amounts["cost_of_sales"]["gap"],
            "channel": -pools["channel"],
            "retained": -pools["retained"],
            "unused": -pools["unused"],
            "waiting": -pools["without_rule"] - pools["without_run"],
            "carried": pools["carried"],
            "manual": manual["direct"] + manual["pool"],
            "in": captured["in"] + captured["late_in"],
            "out": captured["out"] + captured["late_out"],
            "left_out": totals["left_out"],
            "excluded": totals["excluded"],
        }
        labels = self._get_result_labels()
        return self._get_section(
            "result",
            self.env._("From customers to the result"),
            (
                self.env._("Customers and what they do not carry"),
                [self._get_row(key, labels[key], amount) for key, amount in found.items()],
            ),
            (
                self.env._("In the books"),
                [self._get_row("books", labels["books"], totals["balance"])],
            ),
        )
