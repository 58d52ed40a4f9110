from odoo import api, fields, models
from odoo.tools import date_utils, format_date, formatLang


class CustomerCostEntryContext(models.Model):
    """What the reviewer sees beside a cost that awaits them, and only then."""

    _inherit = "customer.cost.entry"

    review_context = fields.Html(
        compute="_compute_review_context",
        sanitize=False,
        groups="customer_cost.group_customer_cost_reviewer",
    )
    review_check_ids = fields.One2many(
        related="cost_review_id.check_ids", string="Checklist of the Stage"
    )

    @api.depends("cost_review_id", "customer_id", "item_id", "amount", "date")
    @api.depends_context("uid", "lang")
    def _compute_review_context(self):
        for entry in self:
            entry.review_context = entry.cost_awaits_me and self.env["ir.qweb"]._render(
                "customer_cost.review_context",
                # sudo: figures of the customer of a cost that awaits the reviewer
                entry.sudo()._prepare_review_context(),
            )

    def _prepare_review_context(self):
        """What the decision needs, formatted.

        :return: dict ``figures`` (list of name and text), ``months`` (the item's last 12 months),
            ``item_total``, ``duplicates``, ``findings``, ``standard``; amounts in company currency
        """
        self.ensure_one()
        months = self._get_item_months() if self.customer_id else []
        highest = max([amount for _month, amount in months] or [0.0])
        return {
            "entry": self,
            "standard": self.cost_review_id.stage_id.standard,
            "findings": self.findings or [],
            "figures": self._get_review_figures() if self.customer_id else [],
            "months": [
                {
                    "name": format_date(self.env, month, date_format="MMM"),
                    "text": self._format_money(amount),
                    "height": max(round(100 * amount / highest), 1) if highest > 0 else 1,
                }
                for month, amount in months
            ],
            "has_months": any(amount for _month, amount in months),
            "item_total": self._format_money(sum(amount for _month, amount in months)),
            "duplicates": [
                {
                    "name": other.description or "",
                    "number": other.name,
                    "date": format_date(self.env, other.date),
                    "amount": self._format_money(other.amount_company),
                    "author": other.create_uid.name,
                    "same_receipt": same_receipt,
                }
                for other, same_receipt in self._find_duplicates()[self]
            ],
        }

    def _format_money(self, amount):
        return formatLang(self.env, amount, currency_obj=self.company_currency_id)

    def _get_review_figures(self):
        """Name and text of the customer's figures of the last 12 months."""
        figures = self._read_customer_figures()
        sales, cost = figures["net_sales"], figures["cost_to_serve"]
        # As a percentage of sales that are not positive it would mislead.
        ratio = f"{100 * cost / sales:.1f} %" if sales > 0 else self.env._("no sales")
        rows = [
            (self.env._("Net sales"), self._format_money(sales)),
            (self.env._("Direct margin"), self._format_money(figures["direct_margin"])),
            (self.env._("Cost to serve"), self._format_money(cost)),
            (self.env._("Cost against sales"), ratio),
        ]
        left = self._get_budget_left()
        if left is not None:
            rows.append((self.env._("Budget left after commitments"), self._format_money(left)))
        return rows

    def _read_customer_figures(self):
        """Sums of the customer's last 12 months: dict of figure to company currency.

        Read where the customer form reads them, what is not yet in the balances included.
        """
        first, last = self.env["res.partner"]._get_customer_cost_rolling()
        names = ("net_sales", "direct_margin", "cost_to_serve")
        [sums] = self.env["customer.cost.profitability"]._read_group(
            [
                ("company_id", "=", self.company_id.id),
                ("customer_id", "=", self.customer_id.id),
                ("month", ">=", first),
                ("month", "<=", last),
            ],
            [],
            [f"{name}:sum" for name in names],
        )
        return dict(zip(names, (amount or 0.0 for amount in sums), strict=True))

    def _get_item_months(self):
        """Cost of this item for this customer, list of the last 12 months with their amount."""
        first, last = self.env["res.partner"]._get_customer_cost_rolling()
        sums = dict(
            self.env["customer.cost.analysis"]._read_group(
                [
                    ("company_id", "=", self.company_id.id),
                    ("customer_id", "=", self.customer_id.id),
                    ("item_id", "=", self.item_id.id),
                    ("date", ">=", first),
                    ("date", "<=", last),
                ],
                ["date:month"],
                ["amount:sum"],
            )
        )
        return [
            (month, sums.get(month, 0.0))
            for month in (date_utils.add(first, months=place) for place in range(12))
        ]
