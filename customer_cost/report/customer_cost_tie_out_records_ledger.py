from odoo import api, models
from odoo.fields import Domain
from odoo.tools import SQL

from .customer_cost_tie_out_records import LINES, POOLS


class CustomerCostTieOutRecords(models.AbstractModel):
    """The records of ledger, pools and runs behind the figures of the tie-out."""

    _inherit = "customer.cost.tie.out"

    # ------------------------------------------------------------
    # Ledger
    # ------------------------------------------------------------

    @api.model
    def _find_ledger_records(self, window, key, statistical=False):
        kind = Domain("statistical", "=", statistical)
        dated = self._get_days_domain(window) & kind
        own = self._get_days_domain(window, "origin_date") & kind
        _company, first, last = window
        elsewhere = {
            name: Domain(name, "<", first.isoformat()) | Domain(name, ">", last.isoformat())
            for name in ("date", "origin_date")
        }
        domains = {
            "own": own,
            "in": dated & elsewhere["origin_date"],
            "out": own & elsewhere["date"],
            "direct": dated & Domain("customer_id", "!=", False),
            "pool": dated & Domain("customer_id", "=", False),
        }
        late = key.startswith("late_")
        if late or key in ("in", "out"):
            return self._find_moved_lines(domains[key.removeprefix("late_")], late)
        return key in domains and (LINES, domains[key])

    @api.model
    def _find_moved_lines(self, domain, late):
        """Of ledger lines dated elsewhere, those that came late or were spread over months."""
        lines = self.env[LINES].search(domain)
        rows = self.env.execute_query(
            SQL(
                """SELECT id FROM customer_cost_line WHERE id = ANY(%s)
                      AND (date_trunc('month', date) <> date_trunc('month', service_date)) = %s""",
                lines.ids,
                late,
            )
        )
        return LINES, Domain("id", "in", [line for (line,) in rows])

    @api.model
    def _find_manual_records(self, window, key):
        if key == "own":
            return (
                "customer.cost.entry",
                self._get_days_domain(window)
                & Domain("kind", "=", "statistical")
                & Domain("state", "in", ("approved", "reversed")),
            )
        return self._find_ledger_records(window, key, statistical=True)

    # ------------------------------------------------------------
    # Pools and runs
    # ------------------------------------------------------------

    @api.model
    def _find_pool_records(self, window, key):
        if key in ("books", "manual"):
            return self._find_ledger_records(window, "pool", statistical=key == "manual")
        if key in ("allocated", "full"):
            return (
                "customer.cost.analysis",
                self._get_days_domain(window)
                & Domain("layer", "in", ("allocated", "measured"))
                & Domain("customer_id", "!=", False)
                & Domain("full_cost", "=", key == "full"),
            )
        runs = self._get_days_domain(window) & Domain("state", "=", "posted")
        waiting = Domain("company_id", "=", window[0].id) & Domain("waiting", "!=", 0)
        if key == "channel":
            steps = self.env["customer.cost.run"].search(runs).step_ids
            return (
                "customer.cost.allocation",
                Domain("step_id", "in", steps.ids) & Domain("customer_id", "=", False),
            )
        if key == "without_run":
            months = self.env["customer.cost.run"].search(runs).period_id
            domain = self._get_days_domain(window) & Domain("customer_id", "=", False)
            for period in months:
                domain &= Domain("date", "<", period.date_from.isoformat()) | Domain(
                    "date", ">", period.date_to.isoformat()
                )
            return LINES, domain
        if key == "without_rule":
            return POOLS, waiting & Domain("run_id", "!=", False)
        if key == "waiting":
            return POOLS, waiting
        if key in ("carried", "retained", "unused"):
            return POOLS, Domain("company_id", "=", window[0].id) & Domain(key, "!=", 0)
        return None
