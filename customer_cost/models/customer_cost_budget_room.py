from odoo import api, models

from ..engine import from_minor


class CustomerCostBudget(models.Model):
    """What confirmed budgets have left, whether they have limits or not."""

    _inherit = "customer.cost.budget"

    @api.model
    def _get_left(self, asks):
        """What the tightest confirmed budget of a cost has left after everything committed.

        :param asks: list of :class:`~.customer_cost_budget_control.Ask` of the cost
        :return: amount in company currency, negative where more is used than planned, or ``None``
            where no budget covers the cost
        """
        lefts = [
            float(from_minor(left, budget.currency_id.decimal_places))
            for lines in self._read_lines_left(asks).values()
            for budget, _own, windows in lines
            for _asked, left in windows
        ]
        return min(lefts, default=None)

    @api.model
    def _get_fitting(self, asks, released=()):
        """The costs that fit, each for itself, into what the lines that cover them have left.

        :param asks: list of :class:`~.customer_cost_budget_control.Ask`, one per month of a cost
        :param released: asks that are committed and would not be any more
        :return: set of keys; a cost that serves a month without any line is not among them
        """
        lines_left = self._read_lines_left(asks, released)
        months = {}
        for ask in asks:
            months.setdefault(ask.key, set()).add(ask.date.replace(day=1))
        return {
            key
            for key, lines in lines_left.items()
            if months[key] == set().union(*(own for _budget, own, _windows in lines))
            and all(asked <= left for *_line, windows in lines for asked, left in windows)
        }

    @api.model
    def _read_lines_left(self, asks, released=()):
        """What the lines that cover each cost have left over the months that are added up.

        :return: dict of key to list of ``(budget, months asked, windows)``, a window being
            ``(asked, left)`` in minor units of the budget's currency
        """
        covering = self._get_covering(asks, limited=False)
        # sudo: as in _get_breaches; the caller shows it to who records or decides on the cost
        budgets = self.browse({budget for found in covering.values() for budget in found}).sudo()
        usage = self.env["customer.cost.budget.report"]._read_usage(budgets)
        freed = budgets._get_released(released, usage)
        return {
            key: [
                (
                    budget,
                    set(own),
                    budget._get_windows_left(own, usage[budget.id][scope], freed[budget, scope]),
                )
                for (budget, scope), own in parts.items()
            ]
            for key, parts in budgets._split_by_line(asks, covering, usage).items()
        }

    def _get_windows_left(self, own, months, freed):
        windows = []
        for window in self._get_windows(sorted(own), months):
            rows = [months.get(month, (0, 0, 0)) for month in window]
            left = sum(planned - actual - committed for planned, actual, committed in rows)
            left -= sum(freed.get(month, 0) for month in window)
            windows.append((sum(own.get(month, 0) for month in window), left))
        return windows
