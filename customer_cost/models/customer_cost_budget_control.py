from collections import defaultdict
from datetime import date
from fractions import Fraction
from typing import NamedTuple

from odoo import api, models
from odoo.tools import SQL, formatLang

from ..engine import from_minor, to_minor
from ..findings import LEVELS, Finding


class Ask(NamedTuple):
    """A cost that a budget is asked about, or what of it serves one month."""

    key: object
    """What the answers are returned by."""
    company_id: int
    customer_id: int
    item_id: int
    payment_method: str | bool
    date: date
    amount: float
    """Company currency."""
    counted: str = ""
    """``committed`` or ``actual`` where the commitments or the ledger hold it already."""
    origin_date: date | None = None
    """The cost's own day, which class membership is asked for; ``date`` where it is empty."""


class Breach(NamedTuple):
    """A limit that a cost passes; amounts in minor units of the company currency."""

    band: models.BaseModel
    item_id: int | bool
    payment_method: str | bool
    months: tuple
    planned: int
    actual: int
    committed: int
    amount: int
    limit: object

    @property
    def excess(self):
        """What the cost is too much by, in whole minor units."""
        return -int(-(self.actual + self.committed + self.amount - self.limit) // 1)

    @property
    def room(self):
        """What of the cost would be allowed, in whole minor units."""
        return max(self.amount - self.excess, 0)

    @property
    def milder_stages(self):
        """Stages that limits of the same budget ask for which the cost passes as well."""
        used = self.actual + self.committed + self.amount
        digits = self.band.currency_id.decimal_places
        return self.band.budget_id.band_ids.filtered(
            lambda band: band.action == "review" and used > band._get_limit(self.planned, digits)
        ).stage_id


class CustomerCostBudget(models.Model):
    """The control: what confirmed budgets say of costs that are not in the ledger yet."""

    _inherit = "customer.cost.budget"

    @api.model
    def _get_breaches(self, asks, apart=False, released=()):
        """Limits that these costs pass, in a number of queries that does not depend on theirs.

        :param asks: list of :class:`Ask`, those of one key together: they are one cost. Each cost
            sees what is in ledger and commitments, and those before it in the list
        :param apart: each cost sees nothing of the others
        :param released: asks that are committed and would not be any more
        :return: dict of key to list of :class:`Breach`, per budget those of its strictest level
        """
        covering = self._get_covering(asks)
        budgets = self.browse({budget for found in covering.values() for budget in found})
        if not budgets:
            return {}
        # sudo: a budget holds whoever may read it; messages say what the user may know
        budgets = budgets.sudo()
        usage = self.env["customer.cost.budget.report"]._read_usage(budgets)
        counted = {ask.key: ask.counted for ask in asks}
        earlier = budgets._get_released(released, usage)
        breaches = defaultdict(list)
        for key, parts in budgets._split_by_line(asks, covering, usage).items():
            for (budget, scope), own in parts.items():
                before = earlier[budget, scope]
                breaches[key] += budget._check_cost(
                    own, counted[key], scope, usage[budget.id][scope], before
                )
                if not (apart or counted[key]):
                    for month, minor in own.items():
                        before[month] += minor
        return breaches

    def _split_by_line(self, asks, covering, usage):
        """What each cost asks of the lines that cover it, in minor units of their currency.

        :return: dict of key to dict of ``(budget, scope)`` to dict of month to amount
        """
        by_id = {budget.id: budget for budget in self}
        ancestors = self._get_ancestors({ask.item_id for ask in asks})
        split = defaultdict(lambda: defaultdict(lambda: defaultdict(int)))
        for position, ask in enumerate(asks):
            for budget in filter(None, map(by_id.get, covering.get(position, ()))):
                scope = budget._choose_scope(usage[budget.id], ask, ancestors)
                if scope is not None:
                    minor = to_minor(ask.amount, budget.currency_id.decimal_places)
                    split[ask.key][budget, scope][ask.date.replace(day=1)] += minor
        return split

    def _get_released(self, asks, usage):
        """What these asks hold committed, negative: dict of ``(budget, scope)`` to months."""
        released = defaultdict(lambda: defaultdict(int))
        committed = [ask for ask in asks if ask.counted == "committed"]
        if not committed:
            return released
        covering = self._get_covering(committed, limited=False)
        for parts in self._split_by_line(committed, covering, usage).values():
            for line, own in parts.items():
                for month, minor in own.items():
                    released[line][month] -= minor
        return released

    @api.model
    def _get_covering(self, asks, limited=True):
        """Confirmed budgets that cover each cost, those with limits or all.

        :return: dict of position in ``asks`` to list of budget ids
        """
        members = self.env["customer.cost.class.member"]
        members._flush_held()
        self.flush_model()
        self.env["customer.cost.budget.band"].flush_model(["budget_id"])
        rows = self.env.execute_query(
            SQL(
                """WITH ask AS MATERIALIZED (
                       SELECT * FROM unnest(%(positions)s::int[], %(companies)s::int[],
                                            %(customers)s::int[], %(dates)s::date[],
                                            %(days)s::date[])
                              AS ask(position, company_id, customer_id, date, day))
                   SELECT ask.position, array_agg(b.id ORDER BY b.id)
                     FROM ask
                     JOIN customer_cost_budget b ON b.company_id = ask.company_id
                      AND b.state = 'confirmed' AND ask.date BETWEEN b.date_from AND b.date_to
                      AND (b.customer_id = ask.customer_id OR b.category_id IS NOT NULL AND EXISTS (
                           SELECT FROM (%(held)s) held
                             JOIN res_partner_category c ON c.id = held.category_id
                             JOIN res_partner_category top ON top.id = b.category_id
                            WHERE held.customer_id = ask.customer_id
                              AND c.parent_path LIKE top.parent_path || '%%'
                              AND ask.day >= COALESCE(held.date_from, '-infinity')
                              AND ask.day <= COALESCE(held.date_to, 'infinity')))
                    WHERE %(unlimited)s
                       OR EXISTS (SELECT FROM customer_cost_budget_band l WHERE l.budget_id = b.id)
                 GROUP BY 1""",
                positions=list(range(len(asks))),
                companies=[ask.company_id for ask in asks],
                customers=[ask.customer_id for ask in asks],
                dates=[ask.date for ask in asks],
                days=[ask.origin_date or ask.date for ask in asks],
                held=members._sql_held(),
                unlimited=not limited,
            )
        )
        return dict(rows)

    @api.model
    def _get_ancestors(self, item_ids):
        """Each item with those above it, the nearest first, and False for all cost."""
        # sudo: where an item stands in the tree is asked for whoever records a cost of it
        items = self.env["customer.cost.item"].sudo().browse(item_ids)
        return {
            item.id: [*map(int, reversed(item.parent_path.split("/")[:-1])), False]
            for item in items
        }

    @api.model
    def _choose_scope(self, scopes, ask, ancestors):
        """The most specific item and payment method that has lines for this cost, or None."""
        for item_id in ancestors[ask.item_id]:
            for method in (ask.payment_method, False) if ask.payment_method else (False,):
                if (item_id, method) in scopes:
                    return item_id, method
        return None

    def _check_cost(self, own, counted, scope, months, before):
        """Breaches of this budget's strictest level by one cost; of several, by stage the last.

        Of several months those of the one that allows the least of the cost.

        :param own: dict of month to what the cost asks of it
        :param counted: as in :class:`Ask`
        :param months: dict of month to planned, actual and committed
        :param before: dict of month to what costs before this one ask for
        """
        self.ensure_one()
        digits = self.currency_id.decimal_places
        worst, worst_rank = [], None
        for window in self._get_windows(sorted(own), months):
            amount = sum(own.get(month, 0) for month in window)
            if amount <= 0:
                continue
            rows = [months.get(month, (0, 0, 0)) for month in window]
            planned, actual, committed = (sum(row[i] for row in rows) for i in range(3))
            committed += sum(before.get(month, 0) for month in window)
            if counted == "committed":
                committed -= amount
            elif counted:
                actual -= amount
            found = [
                Breach(band, *scope, window, planned, actual, committed, amount, limit)
                for band in self.band_ids
                if actual + committed + amount > (limit := band._get_limit(planned, digits))
            ]
            if not found:
                continue
            strictest = max(LEVELS.index(breach.band.action) for breach in found)
            found = [breach for breach in found if LEVELS.index(breach.band.action) == strictest]
            room = min(breach.room for breach in found)
            rank = (strictest, -Fraction(room, amount))
            if worst_rank is None or rank > worst_rank:
                worst, worst_rank = found, rank
        last = {
            breach.band.stage_id: breach
            for breach in sorted(worst, key=lambda breach: breach.limit)
        }
        return list(last.values())

    def _get_windows(self, own, months):
        """Tuples of months over which plan and use are added up for a cost of months ``own``."""
        if self.control == "month":
            return [(month,) for month in own]
        every = self._get_months()
        if self.control == "whole":
            return [tuple(every)]
        last_days = [
            day
            for day in every
            if day in own or day > own[0] and any(months.get(day, (0, 0, 0))[1:])
        ]
        return [tuple(day for day in every if day <= last) for last in last_days]

    # ------------------------------------------------------------
    # What is said of it
    # ------------------------------------------------------------

    @api.model
    def _prepare_findings(self, breaches):
        """Findings of these breaches; amounts appear to who may read the budget, or reviews.

        :param breaches: as :meth:`_get_breaches` returns them
        :return: dict of key to list of :class:`~..findings.Finding`
        """
        budgets = self.browse(
            {breach.band.budget_id.id for found in breaches.values() for breach in found}
        )
        readable = budgets
        if not self.env.user.has_group("customer_cost.group_customer_cost_reviewer"):
            readable = budgets.sudo(False)._filtered_access("read")
        return {
            key: [
                Finding(
                    breach.band.action,
                    self._get_breach_message(breach)
                    if breach.band.budget_id in readable
                    else self._get_reserved_message(breach),
                    breach.band,
                    breach.band.stage_id if breach.band.action == "review" else None,
                )
                for breach in found
            ]
            for key, found in breaches.items()
        }

    @api.model
    def _get_breach_message(self, breach):
        budget = breach.band.budget_id
        used = breach.actual + breach.committed + breach.amount

        def money(minor):
            digits = budget.currency_id.decimal_places
            value = float(from_minor(int(minor), digits))
            return formatLang(self.env, value, currency_obj=budget.currency_id)

        return self.env._(
            "Budget %(budget)s, %(line)s, %(months)s: planned %(planned)s, actual %(actual)s, "
            "committed %(committed)s. With this cost of %(amount)s, %(available)s would be left. "
            "The limit is %(limit)s (%(band)s), exceeded by %(excess)s.",
            budget=budget.display_name,
            line=budget._get_scope_label(breach.item_id, breach.payment_method),
            months=budget._get_window_label(breach.months),
            planned=money(breach.planned),
            actual=money(breach.actual),
            committed=money(breach.committed),
            amount=money(breach.amount),
            available=money(breach.planned - used),
            limit=money(breach.limit),
            band=breach.band.display_name,
            excess=money(breach.excess),
        )

    @api.model
    def _get_reserved_message(self, breach):
        """Of a budget that is not the user's to read, no more than what has to be mended."""
        budget = breach.band.budget_id
        if not self.env.user.has_group("customer_cost.group_customer_cost_rep"):
            return self.env._(
                "A limit of budget %(budget)s is exceeded. A cost manager can look at it.",
                budget=budget.display_name,
            )
        digits = budget.currency_id.decimal_places
        return self.env._(
            "A limit of budget %(budget)s is exceeded by %(excess)s.",
            budget=budget.display_name,
            excess=formatLang(
                self.env,
                float(from_minor(breach.excess, digits)),
                currency_obj=budget.currency_id,
            ),
        )

    def _get_scope_label(self, item_id, method):
        # sudo: the name of the item of a line that the reader may see
        item = self.env["customer.cost.item"].sudo().browse(item_id or [])
        label = item.display_name or self.env._("all cost")
        methods = dict(self.env["customer.cost.budget.line"]._get_payment_methods())
        return f"{label} ({methods[method].lower()})" if method else label

    def _get_window_label(self, months):
        first, last = self._get_month_label(months[0]), self._get_month_label(months[-1])
        return first if first == last else f"{first} - {last}"

    def _get_bar(self, lines):
        """Totals of this budget for a bar: what is planned, used, committed and left.

        :param lines: as of :meth:`_read_usage` of the report
        :return: dict for the client; amounts in the company currency, parts in percent of the
            plan or, where that is more, of what is used and committed
        """
        self.ensure_one()
        rows = [row for months in lines.values() for row in months.values()]
        planned, actual, committed = (sum(row[i] for row in rows) for i in range(3))
        whole = max(planned, actual + committed, 1)
        digits = self.currency_id.decimal_places
        return {
            "id": self.id,
            "name": self.display_name,
            "currency_id": self.currency_id.id,
            "planned": float(from_minor(planned, digits)),
            "actual": float(from_minor(actual, digits)),
            "committed": float(from_minor(committed, digits)),
            "available": float(from_minor(planned - actual - committed, digits)),
            "actual_part": round(100 * max(actual, 0) / whole, 1),
            "committed_part": round(100 * max(committed, 0) / whole, 1),
        }
