from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

from ..models.customer_cost_account_map import (
    ACCOUNT_TYPES,
    INVOICE_ACCOUNT_TYPES,
    RESULT_ACCOUNT_TYPES,
    SALES_ACCOUNT_TYPES,
)
from .customer_cost_profitability import SALES_TYPES

ITEMS = "account.move.line"
LINES = "customer.cost.line"
POOLS = "customer.cost.pool"
# Key of the context: company and range that a list is made for, and how such lists open.
WINDOW = "customer_cost_window"
WINDOWED = {"customer.cost.goods": {"search_default_group_product": 1}, POOLS: {}}
ACTIONS = {
    "account.move.line": "account.action_account_moves_all",
    "customer.cost.account.map": "customer_cost.customer_cost_account_map_action",
    "customer.cost.allocation": "customer_cost.customer_cost_allocation_action",
    "customer.cost.analysis": "customer_cost.customer_cost_analysis_action",
    "customer.cost.entry": "customer_cost.customer_cost_entry_action",
    "customer.cost.goods": "customer_cost.customer_cost_goods_action",
    "customer.cost.line": "customer_cost.customer_cost_line_action",
    "customer.cost.pool": "customer_cost.customer_cost_pool_action",
    "customer.cost.profitability": "customer_cost.customer_cost_profitability_action",
}


class CustomerCostTieOutRecords(models.AbstractModel):
    """The records behind every figure of the tie-out."""

    _inherit = "customer.cost.tie.out"

    @api.model
    @api.readonly
    def open_records(self, company_id, date_from, date_to, path, name=""):
        """Open the records that make up one figure.

        :param path: ``["accounts", account id, column]``, with the code of a reason and its map
            row behind the column to open that reason alone; ``["accounts", account id, "map"]``
            for the rule; ``[section, row]``; or ``["counts", name]``
        :param name: title of the list
        :return: action that lists them as far as the reader's own rights go
        :raises AccessError: as for :meth:`get_tie_out`
        :raises UserError: no records stand behind what was asked for
        """
        company = self.env["res.company"].browse(company_id)
        self._check_company(company)
        window = (company, *self._parse_range(date_from, date_to))
        section, *place = path or [None]
        finder = {
            "accounts": self._find_account_records,
            "sales": self._find_sales_records,
            "cost_of_sales": self._find_goods_records,
            "captured": self._find_ledger_records,
            "manual": self._find_manual_records,
            "pools": self._find_pool_records,
            "result": self._find_result_records,
            "counts": self._find_counted_records,
        }.get(section)
        found = finder and place and finder(window, *place)
        if not found:
            raise UserError(self.env._("No records stand behind this figure."))
        model, domain = found
        self.env[model].check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id(ACTIONS[model])
        return {
            **action,
            "name": name or action["name"],
            "display_name": name or action["name"],
            "domain": list(domain),
            "context": {"create": False, **self._get_list_context(model, window)},
        }

    @api.model
    def _get_list_context(self, model, window):
        """What lists that are made for one company and range have to know."""
        company, first, last = window
        days = [first.isoformat(), last.isoformat()]
        return {WINDOW: [company.id, *days], **WINDOWED[model]} if model in WINDOWED else {}

    @api.model
    def _get_window(self):
        """Company and range that a list was opened for; without, the fiscal year."""
        company_id, *days = self.env.context.get(WINDOW) or [self.env.company.id]
        company = self.env["res.company"].browse(company_id)
        if days:
            return company, *self._parse_range(*days)
        return company, *self._get_unit_range(company, "year", fields.Date.context_today(self))

    @api.model
    def _get_days_domain(self, window, name="date"):
        company, first, last = window
        return (
            Domain("company_id", "=", company.id)
            & Domain(name, ">=", first.isoformat())
            & Domain(name, "<=", last.isoformat())
        )

    @api.model
    def _get_items_domain(self, window):
        return (
            self._get_days_domain(window)
            & Domain("parent_state", "=", "posted")
            & Domain("balance", "!=", 0)
        )

    @api.model
    def _find_ids(self, query, condition=None):
        """Journal items by what only a statement can say."""
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL("SELECT DISTINCT id FROM (%s) item WHERE %s", query, condition or SQL("TRUE"))
        )
        return ITEMS, Domain("id", "in", [item for (item,) in rows])

    # ------------------------------------------------------------
    # Accounts
    # ------------------------------------------------------------

    @api.model
    def _find_account_records(self, window, account_id, column, code=None, map_id=None):
        account = Domain("account_id", "=", account_id)
        if column == "map":
            return "customer.cost.account.map", account & Domain(
                "company_id", "parent_of", window[0].id
            )
        if column == "captured":
            return LINES, self._get_captured_domain(window) & Domain(
                "entry_id.source_account_id", "=", account_id
            )
        if column == "balance":
            return ITEMS, self._get_items_domain(window) & account
        if column == "difference":
            differing = self.env["customer.cost.capture"]._find_differences(*window)
            ids = {
                row["line_id"] for row in differing if (row["account_id"] or False) == account_id
            }
            return ITEMS, Domain("id", "in", sorted(ids))
        account_type = self.env["account.account"].browse(account_id).account_type
        if account_type in INVOICE_ACCOUNT_TYPES and column != "left_out":
            part = Domain("move_id", "in", self._find_closing_moves(window, code))
            if column != "excluded":
                part = ~part & self._get_kept_domain(window, account_id)
            return ITEMS, self._get_items_domain(window) & account & part
        return self._find_ids(
            self._sql_uncaptured(*window), self._sql_reason(account_id, column, code, map_id)
        )

    @api.model
    def _get_captured_domain(self, window):
        return self._get_days_domain(window, "origin_date") & Domain("statistical", "=", False)

    @api.model
    def _find_closing_moves(self, window, code=None):
        rows = self.env.execute_query(self._sql_closing(*window))
        return [move for move, found in rows if code in (None, found)]

    @api.model
    def _sql_reason(self, account_id, column, code, map_id) -> SQL:
        """Condition on items of ``_sql_uncaptured``: the account, column and reason."""
        kinds = {
            "sales": SQL("excluded = 'sale_discount'"),
            "cost_of_sales": SQL("excluded = 'cost_of_sales'"),
            "excluded": SQL("excluded NOT IN ('sale_discount', 'cost_of_sales')"),
            "left_out": SQL("excluded IS NULL"),
        }
        conditions = [kinds.get(column, SQL("FALSE"))]
        if account_id:
            conditions.append(SQL("account_id = %s", account_id))
        if code and code not in ("map", "unmapped"):
            conditions.append(SQL("excluded = %s", code))
        if code == "unmapped":
            conditions.append(SQL("map_id IS NULL"))
        if code == "map":
            conditions.append(
                SQL(
                    """left_out_reason IS NOT DISTINCT FROM (
                       SELECT left_out_reason FROM customer_cost_account_map WHERE id = %s)""",
                    map_id,
                )
            )
        return SQL(" AND ").join(conditions)

    # ------------------------------------------------------------
    # Sales and cost of sales
    # ------------------------------------------------------------

    @api.model
    def _find_sales_records(self, window, key):
        items = self._get_items_domain(window)
        if key == "accounts":
            return ITEMS, (
                items
                & Domain("account_id.account_type", "in", SALES_ACCOUNT_TYPES)
                & ~Domain("move_id", "in", self._find_closing_moves(window))
                & self._get_kept_domain(window)
            )
        if key == "invoice":
            return ITEMS, items & self._get_invoice_lines_domain()
        return self._find_ids(self._sql_all_sales(window), SQL("reason = %s", key))

    @api.model
    def _sql_all_sales(self, window) -> SQL:
        return SQL(
            """SELECT id, reason FROM (%s) on_account UNION ALL
               SELECT id, 'invoice_other' FROM (%s) other WHERE excluded = 'sale_discount'""",
            self._sql_sales_items(*window),
            self._sql_uncaptured(*window),
        )

    @api.model
    def _get_invoice_lines_domain(self):
        return (
            Domain("move_id.move_type", "in", SALES_TYPES)
            & Domain("display_type", "=", "product")
            & Domain("move_id.commercial_partner_id", "!=", False)
        )

    @api.model
    def _find_goods_records(self, window, key):
        if key == "frozen":
            return (
                ITEMS,
                self._get_days_domain(window)
                & Domain("parent_state", "=", "posted")
                & self._get_invoice_lines_domain()
                & Domain("customer_cost_amount", "!=", 0),
            )
        if key == "gap":
            return "customer.cost.goods", Domain("company_id", "=", window[0].id)
        return self._find_ids(
            SQL(
                "SELECT id, booked_by FROM (%s) a UNION ALL SELECT id, booked_by FROM (%s) b",
                self._sql_uncaptured(*window),
                self._sql_goods_items(*window),
            ),
            SQL("booked_by = %s", key),
        )

    # ------------------------------------------------------------
    # Result and counts
    # ------------------------------------------------------------

    @api.model
    def _find_result_records(self, window, key):
        if key == "profit":
            return "customer.cost.profitability", self._get_days_domain(window, "month")
        if key == "sales":
            return self._find_ids(
                self._sql_all_sales(window), SQL("reason NOT IN ('invoice', 'elsewhere')")
            )
        if key == "elsewhere":
            return self._find_sales_records(window, key)
        if key == "gap":
            return self._find_goods_records(window, key)
        if key in ("channel", "retained", "unused", "carried", "waiting"):
            return self._find_pool_records(window, key)
        if key == "manual":
            return LINES, self._get_days_domain(window) & Domain("statistical", "=", True)
        if key in ("in", "out"):
            spread, late = (
                self._find_ledger_records(window, name)[1] for name in (key, f"late_{key}")
            )
            return LINES, spread | late
        result_accounts = self._get_items_domain(window) & Domain(
            "account_id.account_type", "in", RESULT_ACCOUNT_TYPES
        )
        if key == "books":
            return ITEMS, result_accounts
        if key == "left_out":
            return self._find_ids(
                self._sql_uncaptured(*window), self._sql_reason(None, key, None, None)
            )
        if key == "excluded":
            _model, others = self._find_ids(
                self._sql_uncaptured(*window), self._sql_reason(None, key, None, None)
            )
            closing = Domain("move_id", "in", self._find_closing_moves(window))
            return ITEMS, others | (
                result_accounts
                & closing
                & Domain("account_id.account_type", "not in", ACCOUNT_TYPES)
            )
        return None

    @api.model
    def _find_counted_records(self, window, key):
        if key == "unknown_cost":
            return (
                ITEMS,
                self._get_days_domain(window)
                & Domain("parent_state", "=", "posted")
                & self._get_invoice_lines_domain()
                & Domain("customer_cost_source", "in", (False, "unknown")),
            )
        if key == "unmapped":
            return self._find_ids(
                self._sql_uncaptured(*window), self._sql_reason(None, "left_out", key, None)
            )
        if key == "late":
            rows = self.env.execute_query(
                SQL("SELECT l.id FROM customer_cost_line l WHERE %s", self._sql_late(*window))
            )
            return LINES, Domain("id", "in", [line for (line,) in rows])
        return None
