from collections import defaultdict

from odoo import models
from odoo.tools import SQL

from ..engine import COST, COST_OF_SALES, LEFT_OUT, SALES, propose
from .customer_cost_account_map import INVOICE_ACCOUNT_TYPES, RESULT_ACCOUNT_TYPES
from .customer_cost_setup_account import KIND_BY_TYPE

KIND_ORDER = {SALES: 1, COST_OF_SALES: 2, COST: 3, LEFT_OUT: 4}
AMOUNTS = ("amount", "goods_amount", "mapped_amount", "excluded_amount")


class CustomerCostSetupBooks(models.Model):
    """The list of accounts: what the books hold, and what is proposed for it."""

    _inherit = "customer.cost.setup"

    def _read_accounts(self):
        """Bring the list to the books and the map as they are now.

        A line that a person decided keeps the decision, one with rows in the map shows them; the
        rest is proposed afresh.
        """
        self.ensure_one()
        accounts = self._get_accounts()
        books = self._read_books()
        rows = self._read_map_rows(accounts)
        proposals = self._get_proposals(accounts, books)
        # sudo: the list belongs to this method; what it shows was read for the company
        lines = self.sudo().account_ids
        lines.filtered(lambda line: line.account_id not in accounts).unlink()
        lines = lines.exists()
        known = {line.account_id: line for line in lines}
        created = []
        for account in accounts:
            line = known.get(account, lines.browse())
            vals = self._prepare_line_vals(
                account, line, books.get(account.id), rows.get(account), proposals[account]
            )
            if line:
                line._unguarded().write(
                    {
                        name: value
                        for name, value in vals.items()
                        if line._fields[name].convert_to_write(line[name], line) != value
                    }
                )
            else:
                created.append({"setup_id": self.id, "account_id": account.id, **vals})
        lines._unguarded().create(created)
        self.sudo()._unguarded().write({"result_total": self._read_result()})
        self.invalidate_recordset()

    def _get_accounts(self):
        # sudo: which accounts the company has does not depend on who sets it up
        accounts = self.env["account.account"].sudo().with_company(self.company_id)
        return accounts.with_context(active_test=False).search(
            [
                ("company_ids", "parent_of", self.company_id.ids),
                ("account_type", "in", RESULT_ACCOUNT_TYPES),
            ]
        )

    def _prepare_line_vals(self, account, line, book, rows, proposal):
        amounts = book or dict.fromkeys(AMOUNTS, 0.0)
        vals = {
            "code": account.code or "",
            "is_posted": bool(book),
            **{name: amounts[name] for name in AMOUNTS},
        }
        if rows:
            vals.update(self._prepare_mapped_vals(rows))
        elif line.status == "chosen":
            vals.update(kind=line.kind, status="chosen")
        elif account.account_type in INVOICE_ACCOUNT_TYPES:
            vals.update({**proposal, "status": "type"})
        elif line.status in ("mapped", "deleted"):
            vals.update(
                kind=LEFT_OUT,
                item_id=False,
                left_out_reason=self.env._("Its row was deleted from the account map"),
                status="deleted",
            )
        else:
            vals.update({**proposal, "status": "proposed"})
        vals["sequence"] = KIND_ORDER[vals["kind"]]
        return vals

    def _prepare_mapped_vals(self, rows):
        active = rows.filtered("active")
        kind = COST if active.item_id else LEFT_OUT
        reason = False
        if not active:
            kind = KIND_BY_TYPE.get(rows.account_id.account_type, LEFT_OUT)
            reason = self.env._("Its row of the account map is archived")
        elif len(active) > 1:
            reason = self.env._("%(count)s rows of the account map decide", count=len(active))
        elif not active.item_id:
            reason = active.left_out_reason
        return {
            "kind": kind,
            "item_id": active.item_id.id if len(active) == 1 else False,
            "left_out_reason": reason,
            "status": "mapped",
        }

    def _read_map_rows(self, accounts):
        maps = self.env["customer.cost.account.map"].with_context(active_test=False)
        rows = maps.search(
            [
                ("company_id", "parent_of", self.company_id.ids),
                ("account_id", "in", accounts.ids),
            ]
        )
        return rows.grouped("account_id")

    def _read_books(self):
        """Posted amounts by account id: effect on the result, income above zero."""
        self.env["customer.cost.capture"]._flush_sources()
        capture = self.env["customer.cost.capture"]
        in_range = SQL(
            "m.company_id = %s AND m.date BETWEEN %s AND %s",
            self.company_id.id,
            self.date_from,
            self.date_to,
        )
        rows = self.env.execute_query_dict(
            SQL(
                """WITH candidate AS MATERIALIZED (%(candidate)s),
                        classified AS MATERIALIZED (%(classified)s)
                   SELECT account_id,
                          -COALESCE(sum(amount) FILTER (WHERE NOT is_aside), 0) AS amount,
                          -COALESCE(sum(amount) FILTER (
                              WHERE excluded = 'cost_of_sales'), 0) AS goods_amount,
                          -COALESCE(sum(amount) FILTER (
                              WHERE item_id IS NOT NULL OR excluded = 'account'), 0)
                              AS mapped_amount,
                          -COALESCE(sum(amount) FILTER (WHERE is_aside), 0) AS excluded_amount,
                          bool_and(excluded IS NOT DISTINCT FROM 'cost_of_sales') AS only_goods
                     FROM (SELECT *, COALESCE(excluded NOT IN ('account', 'cost_of_sales'), FALSE)
                                  AS is_aside
                             FROM classified) classified
                 GROUP BY account_id""",
                candidate=capture._sql_candidates(
                    in_range,
                    SQL("a.account_type IN %s", RESULT_ACCOUNT_TYPES),
                    since_start=False,
                ),
                classified=capture._sql_classified(),
            )
        )
        return {row.pop("account_id"): row for row in rows}

    # ------------------------------------------------------------
    # Proposals
    # ------------------------------------------------------------

    def _get_proposals(self, accounts, books):
        """What each account is proposed to be, a dict of account to line values."""
        names = self._read_names(accounts)
        stems = {
            account.code.rstrip("0"): names[account.id] for account in accounts if account.code
        }
        items = self._get_items()
        reasons = self._get_reasons()
        proposals = {}
        for account in accounts:
            code = account.code or ""
            stem = code.rstrip("0")
            parents = [stems.get(code[:length], []) for length in range(3, len(stem))]
            found = propose(
                account.account_type,
                code,
                names[account.id],
                [name for group in parents for name in group],
                self.company_id.root_id.chart_template or "",
            )
            kind = found.kind
            if kind in (COST, LEFT_OUT) and books.get(account.id, {}).get("only_goods"):
                kind = COST_OF_SALES
            item = items[found.item] if kind == COST else self.env["customer.cost.item"]
            proposals[account] = {
                "kind": kind if kind != COST or item else LEFT_OUT,
                "item_id": item.id,
                "left_out_reason": reasons[found.reason] if kind == LEFT_OUT else False,
            }
            if kind == COST and not item:
                proposals[account]["left_out_reason"] = self.env._(
                    "No cost item fits: choose one, or leave it out"
                )
        return proposals

    def _read_names(self, accounts):
        """The names of each account in all languages, a dict of account id to list."""
        self.env["account.account"].flush_model(["name"])
        rows = self.env.execute_query(
            SQL(
                """SELECT a.id, array_agg(DISTINCT n.value)
                     FROM account_account a CROSS JOIN LATERAL jsonb_each_text(a.name) n
                    WHERE a.id = ANY(%s) GROUP BY a.id""",
                accounts.ids,
            )
        )
        return defaultdict(list, rows)

    def _get_items(self):
        """The shipped cost items that the company may still use, by the name proposals give.

        An archived item is stood in for by the one above it.
        """
        items = defaultdict(self.env["customer.cost.item"].browse)
        data = self.env["ir.model.data"].sudo()  # sudo: names of records shipped by the add-on
        shipped = data.search(
            [("module", "=", "customer_cost"), ("model", "=", "customer.cost.item")]
        )
        available = self.env["customer.cost.item"]._get_available_domain(self.company_id)
        usable = self.env["customer.cost.item"].search(available)
        for record in shipped:
            item = self.env["customer.cost.item"].browse(record.res_id).exists()
            while item and item not in usable:
                item = item.parent_id
            items[record.name.removeprefix("item_")] = item
        return items

    def _get_reasons(self):
        return {
            "income_tax": self.env._("Income tax"),
            "exchange": self.env._("Exchange differences"),
            "cash_difference": self.env._("Cash differences"),
            "financial": self.env._("Interest and financial result"),
            "extraordinary": self.env._("Outside ordinary operations"),
            "other_income": self.env._("Other income, not from sales"),
            "imputed": self.env._("Imputed cost, not in the profit and loss"),
        }
