from collections import defaultdict
from decimal import Decimal

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import date_utils, format_date

from ..models.customer_cost_account_map import GOODS_ACCOUNT_TYPES, SALES_ACCOUNT_TYPES

# Column of an account by its type, as far as no row of the map leaves it out.
TYPE_COLUMNS = {
    **dict.fromkeys(SALES_ACCOUNT_TYPES, "sales"),
    **dict.fromkeys(GOODS_ACCOUNT_TYPES, "cost_of_sales"),
}
# Column of what is never a customer cost because it is part of something else.
REASON_COLUMNS = {"cost_of_sales": "cost_of_sales", "sale_discount": "sales"}
COLUMNS = ("balance", "sales", "cost_of_sales", "captured", "left_out", "excluded")
ROLES = "customer_cost.group_customer_cost_accountant,customer_cost.group_customer_cost_auditor"


class CustomerCostTieOut(models.AbstractModel):
    """From every profit-and-loss account to what customers earn, with every difference named.

    Five links, each with two sides that have to be equal: accounts, sales, cost of sales, the
    ledger (costs in the books and those beside them), pools and runs; then the bridge from the
    customers' full-cost profit to the result of the books.
    """

    _name = "customer.cost.tie.out"
    _description = "Tie-out"

    @api.model
    def _check_company(self, company):
        """Only those who see all of a company's cost may see whether it adds up.

        :raises AccessError: the role is missing, or the company is not one of the chosen ones
        """
        if not self.env.user.has_groups(ROLES):
            raise AccessError(
                self.env._("Only cost accountants, cost managers and auditors see the tie-out.")
            )
        if company not in self.env.companies:
            raise AccessError(
                self.env._("Choose the company in the company menu to see its tie-out.")
            )

    @api.model
    def _get_range(self, first, last):
        """Whole months: a cost period is a calendar month."""
        return date_utils.start_of(first, "month"), date_utils.end_of(last, "month")

    @api.model
    def _parse_day(self, day):
        """:raises UserError: it is none"""
        try:
            parsed = fields.Date.to_date(day)
        except (TypeError, ValueError):
            parsed = None
        if not parsed:
            raise UserError(self.env._("Dates are written like 2025-12-31."))
        return parsed

    @api.model
    def _parse_range(self, first, last):
        """Days as a request names them, widened to whole months.

        :raises UserError: one is no day, or they come in the wrong order
        """
        first, last = self._parse_day(first), self._parse_day(last)
        if first > last:
            raise UserError(
                self.env._(
                    "The first day, %(first)s, comes after the last one, %(last)s.",
                    first=format_date(self.env, first),
                    last=format_date(self.env, last),
                )
            )
        return self._get_range(first, last)

    @api.model
    def _get_figures(self, company, first, last):
        """Tie out the months from ``first`` to ``last``, widened to whole months.

        In ``accounts``, ``sales`` and ``result`` income is positive and cost negative, as on the
        profit and loss; everywhere else cost is positive. The caller has checked the rights.

        :return: JSON-serialisable dict of ``company_id``, ``from``, ``to``, ``digits``,
            ``accounts``, ``totals`` of these, ``sections``, ``counts``, ``findings``,
            ``difference`` (the sum of all gaps without their sign) and ``is_tied``;
            amounts are floats in company currency, rounded to ``digits``. ``findings`` name
            each gap once, where it arises, with its ``difference``; those of kind ``item``, the
            first journal items, are parts of their account's
        """
        first, last = self._get_range(first, last)
        self.env.flush_all()
        window = (company, first, last)
        ledger = self._read_ledger(*window)
        customers = self._read_customers(*window)
        runs = self._read_runs(*window)
        uncaptured = self._read_uncaptured(*window)
        books = self._read_differences(*window)
        accounts = self._get_accounts(window, uncaptured, books["accounts"])
        totals = {
            name: sum((row[name] for row in accounts), Decimal(0))
            for name in (*COLUMNS, "difference")
        }
        sales = self._get_sales_section(
            totals, customers, self._read_sales(*window) + self._get_discounts(uncaptured)
        )
        goods = self._get_goods_section(totals, customers, uncaptured + self._read_goods(*window))
        captured = self._get_ledger_section(False, -totals["captured"], customers, ledger)
        manual = self._get_ledger_section(
            True, self._read_manual(*window)["amount"], customers, ledger
        )
        pools = self._get_pools_section(customers, ledger, runs)
        sections = [sales, goods, captured, manual, pools]
        sections.append(self._get_result_section(totals, customers, sections))
        findings = self._get_findings(
            accounts, books, self._read_manual_differences(*window), ledger, runs, sections
        )
        findings += self._get_moved_findings(self._read_moved(*window))
        difference = sum(row["difference"] for row in findings if row["kind"] != "item")
        differences = [difference, *(abs(section["difference"]) for section in sections)]
        return self._to_json(
            {
                "company_id": company.id,
                "company": company.name,
                "currency_id": company.currency_id.id,
                "currency": company.currency_id.name,
                "from": first,
                "to": last,
                "digits": company.currency_id.decimal_places,
                "accounts": accounts,
                "totals": totals,
                "sections": sections,
                "counts": self._get_counts(accounts, customers, self._read_late(*window)),
                "findings": findings,
                "difference": difference,
                "is_tied": company.currency_id.is_zero(float(max(differences))),
            },
            company.currency_id.decimal_places,
        )

    @api.model
    def _to_json(self, value, digits):
        if isinstance(value, dict):
            return {name: self._to_json(part, digits) for name, part in value.items()}
        if isinstance(value, list):
            return [self._to_json(part, digits) for part in value]
        if isinstance(value, Decimal):
            return float(round(value, digits)) + 0.0  # no negative zero
        return value.isoformat() if hasattr(value, "isoformat") else value

    # ------------------------------------------------------------
    # (a) Accounts
    # ------------------------------------------------------------

    @api.model
    def _get_accounts(self, window, uncaptured, books):
        """One row per account; what the ledger holds from elsewhere has a row of its own.

        Its ``gap`` is never less than its ``difference``: cost of the wrong customer or month,
        and what is missing beside what is there twice, cancel each other out in that.

        :param books: dict of account id to what its journal items differ from the ledger by
        """
        rows = defaultdict(
            lambda: (
                dict.fromkeys((*COLUMNS, "difference"), Decimal(0)) | {"count": 0, "reasons": []}
            )
        )
        for found in self._read_balances(*window):
            row = rows[found["account_id"]]
            row["count"] += found["count"]
            row["balance"] -= found["amount"]
            self._split_by_type(row, found)
        for found in uncaptured:
            kind = "left_out"
            if found["excluded"]:
                kind = REASON_COLUMNS.get(found["excluded"], "excluded")
            row = rows[found["account_id"]]
            self._add_reason(row, kind, found)
            if found["account_type"] in TYPE_COLUMNS:
                row[TYPE_COLUMNS[found["account_type"]]] += found["amount"]
        for found in self._read_captured(*window):
            rows[found["account_id"]]["captured"] -= found["amount"]
        for row in rows.values():
            row["difference"] = row["balance"] - sum(row[name] for name in COLUMNS[1:])
            row["gap"] = abs(row["difference"])
        for account_id, found in books.items():
            unexplained = rows[account_id]["difference"] + found["amount_net"]
            rows[account_id]["gap"] = found["amount_gap"] + abs(unexplained)
        return self._describe_accounts(window[0], rows)

    @api.model
    def _split_by_type(self, row, found):
        """Sales and cost-of-sales accounts are what they are, but for opening and closing.

        What a row of the map leaves out of them is taken off afterwards.
        """
        column = TYPE_COLUMNS.get(found["account_type"])
        if not column:
            return
        if found["code"]:
            reason = {"booked_by": None, "left_out_reason": None, "map_id": None}
            self._add_reason(row, "excluded", {**found, **reason, "excluded": found["code"]})
        else:
            row[column] -= found["amount"]

    @api.model
    def _add_reason(self, row, kind, found):
        row[kind] -= found["amount"]
        row["reasons"].append(
            {
                "kind": kind,
                "code": found["excluded"] or ("map" if found["map_id"] else "unmapped"),
                "label": self._get_reason_label(found),
                "map_id": found["map_id"] or False,
                "count": found["count"],
                "amount": -found["amount"],
            }
        )

    @api.model
    def _get_reason_label(self, found):
        if found["excluded"]:
            labels = self.env["customer.cost.capture"]._get_excluded_labels()
            if found["booked_by"]:
                return self._get_goods_labels()[found["booked_by"]]
            return labels.get(found["excluded"], found["excluded"])
        return found["left_out_reason"] or self.env._("No row of the map matches")

    @api.model
    def _get_discounts(self, uncaptured):
        """Parts of sales that stand on accounts of other types."""
        return [
            {"reason": "invoice_other", "count": row["count"], "amount": -row["amount"]}
            for row in uncaptured
            if row["excluded"] == "sale_discount"
        ]

    @api.model
    def _describe_accounts(self, company, rows):
        # sudo: names of accounts whose figures the reader may see
        accounts = self.env["account.account"].sudo().with_company(company)
        accounts = accounts.browse(filter(None, rows)).exists()
        types = dict(accounts._fields["account_type"]._description_selection(self.env))
        order = {name: place for place, name in enumerate(types)}
        described = [
            {
                "account_id": account.id,
                "code": account.code or "",
                "name": account.name,
                "account_type": account.account_type,
                "type_label": types[account.account_type],
                **rows[account.id],
            }
            for account in accounts
        ]
        described.sort(key=lambda row: (order[row["account_type"]], row["code"], row["name"]))
        if None in rows:
            described.append(
                {
                    "account_id": False,
                    "code": "",
                    "name": self.env._("Captured from journal items that no longer exist"),
                    "account_type": False,
                    "type_label": "",
                    **rows[None],
                }
            )
        return described

    @api.model
    def _get_counts(self, accounts, customers, late):
        """What the figures rest on: unknown cost, late costs, accounts nobody mapped."""
        unmapped = [
            reason
            for row in accounts
            for reason in row["reasons"]
            if reason["code"] == "unmapped" and reason["count"]
        ]
        return {
            "unknown_cost": {
                "count": customers["unknown_count"],
                "amount": customers["amount_unknown"],
            },
            "late": {"count": late["count"], "amount": late["amount"]},
            "unmapped": {
                "count": len(unmapped),
                "amount": sum((reason["amount"] for reason in unmapped), Decimal(0)),
            },
        }
