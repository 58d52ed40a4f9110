from decimal import Decimal

from odoo import api, models


class CustomerCostTieOutFindings(models.AbstractModel):
    """What lies behind the differences: accounts, journal items, sections, runs."""

    _inherit = "customer.cost.tie.out"

    @api.model
    def _get_findings(self, accounts, items, ledger, runs, sections):
        """Every difference with what it lies on: account, journal item, section, run."""
        findings = [
            {
                "kind": "account",
                "account_id": row["account_id"],
                "label": f"{row['code']} {row['name']}".strip(),
                "expected": row["balance"],
                "present": row["balance"] - row["difference"],
            }
            for row in accounts
            if row["difference"]
        ]
        findings += self._get_item_findings(items)
        findings += [
            {
                "kind": "section",
                "section": section["key"],
                "label": section["title"],
                "expected": section["sides"][0]["total"],
                "present": section["sides"][1]["total"],
            }
            for section in sections
            if section["difference"]
        ]
        return findings + self._get_run_findings(ledger, runs)

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
                "expected": -Decimal(str(row["expected"])),
                "present": -Decimal(str(row["present"])),
            }
            for row in items
        ]

    @api.model
    def _get_run_findings(self, ledger, runs):
        """Runs computed from another pool, and cells whose rows hold something else."""
        pools = self._get_pool_by_month(ledger)
        _sums, months = self._sum_runs(runs)
        # sudo: names of the company's own runs and cost items
        run_model = self.env["customer.cost.run"].sudo()
        item_model = self.env["customer.cost.item"].sudo()
        findings = [
            {
                "kind": "run",
                "run_id": row["run_id"],
                "label": self.env._(
                    "Pool of run %(run)s changed since it was posted",
                    run=run_model.browse(row["run_id"]).display_name,
                ),
                "expected": pools[month],
                "present": row["amount_pool"],
            }
            for month, row in months.items()
            if pools[month] != row["amount_pool"]
        ]
        findings += [
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
                "present": row["amount_charged"] + row["amount_channel"],
            }
            for row in runs
            if row["amount_received"] != row["amount_charged"] + row["amount_channel"]
        ]
        return findings
