from collections import defaultdict
from decimal import Decimal

from odoo import api, models


class CustomerCostTieOutFindings(models.AbstractModel):
    """What lies behind the differences: accounts, journal items, sections, runs."""

    _inherit = "customer.cost.tie.out"

    @api.model
    def _get_findings(self, accounts, books, entries, ledger, runs, sections):
        """Every gap once, where it arises: on an account, a cost, a run, a section.

        A gap that other links only pass on is not named there: sections keep what none of their
        parts explains, and the bridge to the result what none of the links before it does.
        """
        own = {section["key"]: section["difference"] for section in sections}
        own["result"] += own["sales"] - own["captured"] - own["pools"]
        own["result"] += sum(row["difference"] for row in accounts)
        own["manual"] -= sum(row["amount_expected"] - row["amount_present"] for row in entries)
        run_findings, explained = self._get_run_findings(books, entries, ledger, runs)
        own["pools"] -= explained
        findings = self._get_account_findings(accounts, self._get_item_findings(books["items"]))
        findings += self._get_entry_findings(entries)
        findings += run_findings
        return findings + [
            {
                "kind": "section",
                "section": section["key"],
                "label": section["title"],
                "expected": section["sides"][0]["total"],
                "present": section["sides"][1]["total"],
                "difference": abs(own[section["key"]]),
            }
            for section in sections
            if own[section["key"]]
        ]

    @api.model
    def _get_account_findings(self, accounts, items):
        findings = []
        for row in accounts:
            if not row["gap"]:
                continue
            findings.append(
                {
                    "kind": "account",
                    "account_id": row["account_id"],
                    "label": f"{row['code']} {row['name']}".strip(),
                    "expected": row["balance"],
                    "present": row["balance"] - row["difference"],
                    "difference": row["gap"],
                }
            )
            findings += [item for item in items if item["account_id"] == row["account_id"]]
        return findings

    @api.model
    def _get_entry_findings(self, entries):
        """Costs beside the books whose ledger lines hold another amount."""
        # sudo: names of the company's own costs, as far as they still exist
        costs = self.env["customer.cost.entry"].sudo().browse(row["entry_id"] for row in entries)
        names = {cost.id: cost.display_name for cost in costs.exists()}
        return [
            {
                "kind": "entry",
                "entry_id": row["entry_id"] in names and row["entry_id"],
                "label": names.get(row["entry_id"], self.env._("Deleted cost")),
                "expected": row["amount_expected"],
                "present": row["amount_present"],
                "difference": abs(row["amount_expected"] - row["amount_present"]),
            }
            for row in entries
        ]

    @api.model
    def _get_item_findings(self, items):
        """Journal items whose ledger lines are not what the capture makes of them."""
        # sudo: names of the company's own documents, as far as they still exist
        names = {
            model: {
                record.id: record.display_name
                for record in self.env[model]
                .sudo()
                .browse({row[name] for row in items if row[name]})
                .exists()
            }
            for model, name in (
                ("account.move", "move_id"),
                ("customer.cost.item", "item_id"),
                ("res.partner", "customer_id"),
            )
        }
        return [
            {
                "kind": "item",
                **{name: row[name] or False for name in ("line_id", "move_id", "account_id")},
                "item_id": row["item_id"],
                "customer_id": row["customer_id"] or False,
                "date": row["date"],
                "label": " · ".join(
                    (
                        names["account.move"].get(row["move_id"], self.env._("Deleted document")),
                        names["customer.cost.item"][row["item_id"]],
                        names["res.partner"].get(row["customer_id"], self.env._("Indirect")),
                    )
                ),
                "expected": -row["amount_expected"],
                "present": -row["amount_present"],
                "difference": abs(row["amount_expected"] - row["amount_present"]),
            }
            for row in items
        ]

    @api.model
    def _get_run_findings(self, books, entries, ledger, runs):
        """Runs computed from another pool, and cells whose rows hold something else.

        A pool that differs because the ledger lacks a cost is that cost's gap; a run is named for
        what stays once the ledger is right.

        :return: the findings, and the difference of the pools that they and the ledger explain
        """
        missing = defaultdict(Decimal, books["pools"])
        for row in entries:
            if row["is_pool"]:
                missing[row["month"]] += row["amount_expected"] - row["amount_present"]
        pools = self._get_pool_by_month(ledger)
        _sums, months = self._sum_runs(runs)
        # sudo: names of the company's own runs and cost items
        run_model = self.env["customer.cost.run"].sudo()
        item_model = self.env["customer.cost.item"].sudo()
        findings, explained = [], Decimal(0)
        for month, row in months.items():
            change = pools[month] - row["amount_pool"]
            explained += change
            low, high = sorted((Decimal(0), change))
            own = min(max(change + missing[month], low), high)
            if own:
                findings.append(
                    {
                        "kind": "run",
                        "run_id": row["run_id"],
                        "label": self.env._(
                            "Pool of run %(run)s changed since it was posted",
                            run=run_model.browse(row["run_id"]).display_name,
                        ),
                        "expected": pools[month],
                        "present": row["amount_pool"],
                        "difference": abs(own),
                    }
                )
        for row in runs:
            charged = row["amount_charged"] + row["amount_channel"]
            change = row["amount_received"] - charged
            explained += change
            if change:
                findings.append(
                    {
                        "kind": "cell",
                        "run_id": row["run_id"],
                        "step_id": row["step_id"],
                        "item_id": row["item_id"],
                        "label": self.env._(
                            "Amounts charged by run %(run)s for %(item)s",
                            run=run_model.browse(row["run_id"]).display_name,
                            item=item_model.browse(row["item_id"]).display_name,
                        ),
                        "expected": row["amount_received"],
                        "present": charged,
                        "difference": abs(change),
                    }
                )
        return findings, explained
