from datetime import date

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL, date_utils, format_date

# What decides which journal items a row matches, and what becomes of them.
RULE_FIELDS = (
    "account_id",
    "active",
    "analytic_account_id",
    "company_id",
    "date_from",
    "date_to",
    "item_id",
    "journal_id",
    "left_out_reason",
    "product_categ_id",
    "sequence",
    "vendor_id",
    "words",
)


class CustomerCostAccountMap(models.Model):
    """A change of the map holds from this month on; earlier months are asked for.

    When a row is made, changed, archived or deleted and months before this one hold captured
    costs, the row holds for what is dated from this month on (``effective_from``) and what held
    before is kept as an archived row of its own (``effective_to``). So what earlier months
    contribute stays the same for every door: posting, the nightly comparison, the tie-out. *Apply
    to What Is Posted* moves the change back to the open month it is asked for.
    """

    _name = "customer.cost.account.map"
    _inherit = ["customer.cost.account.map", "customer.cost.guarded"]
    _guarded_fields = frozenset({"effective_from", "effective_to", "origin_id"})

    effective_from = fields.Date(
        string="Changed From",
        readonly=True,
        copy=False,
        tracking=True,
        help="The row was changed: it holds for what is dated from this day on. Earlier items "
        "keep what held before.",
    )
    effective_to = fields.Date(
        string="Held Until",
        readonly=True,
        copy=False,
        help="What held before a row was changed or deleted, kept for earlier months.",
    )
    origin_id = fields.Integer(string="Row It Was", readonly=True, copy=False)

    # ------------------------------------------------------------
    # Changes
    # ------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        rows = super().create(vals_list)
        rows._hold_from_this_month({})
        return rows

    def write(self, vals):
        if self._guard_is_open() or not set(RULE_FIELDS).intersection(vals):
            return super().write(vals)
        self._check_not_kept()
        before = self._read_rules()
        res = super().write(vals)
        self._hold_from_this_month(before)
        return res

    def unlink(self):
        if self._guard_is_open():
            return super().unlink()
        self._check_not_kept()
        self.check_access("unlink")
        rules = self._read_rules()
        used = self._filter_used({row: [rules[row.id]] for row in self})
        month = self._get_this_month()
        kept = used.filtered(
            lambda row: row.active and not (row.effective_from and row.effective_from >= month)
        )
        # sudo: the right to delete was checked; the row stays for the months before
        kept.sudo()._unguarded().write(
            {"active": False, "effective_to": date_utils.subtract(month, days=1)}
        )
        return super(CustomerCostAccountMap, self - kept).unlink()

    def _check_not_kept(self):
        for row in self:
            if row.effective_to:
                raise UserError(
                    self.env._(
                        "%(row)s held until %(day)s and is kept for the months before. It can no "
                        "longer be changed.",
                        row=row.display_name,
                        day=format_date(self.env, row.effective_to),
                    )
                )

    def _read_rules(self):
        """Rule columns of the stored rows, by id."""
        self.flush_recordset(RULE_FIELDS)
        rows = self.env.execute_query_dict(
            SQL(
                "SELECT id, %s FROM customer_cost_account_map WHERE id = ANY(%s)",
                SQL(", ").join(map(SQL.identifier, RULE_FIELDS)),
                self.ids,
            )
        )
        return {row.pop("id"): row for row in rows}

    def _hold_from_this_month(self, before):
        """Let changed rows hold from this month on, where earlier months would change.

        :param before: rule columns before the change by row id; none of a new row
        """
        after = self._read_rules()
        changed = {
            row: [rule for rule in (before.get(row.id), after[row.id]) if rule]
            for row in self
            if before.get(row.id) != after[row.id]
        }
        month = self._get_this_month()
        for row in self._filter_used(changed):
            if row.effective_from and row.effective_from >= month:
                continue
            if before.get(row.id, {}).get("active"):
                row._insert_kept(before[row.id], date_utils.subtract(month, days=1))
            # sudo: the right to change the row was checked when it was changed
            row.sudo()._unguarded().effective_from = month

    def _insert_kept(self, rule, day):
        """Keep what held until ``day``: by SQL, as its item or account may be archived by now."""
        values = {
            **rule,
            "active": False,
            "effective_from": self.effective_from or None,
            "effective_to": day,
            "origin_id": self.id,
            "create_uid": self.env.uid,
            "create_date": self.env.cr.now(),
        }
        self.env.cr.execute(
            SQL(
                "INSERT INTO customer_cost_account_map (%s) VALUES %s",
                SQL(", ").join(map(SQL.identifier, values)),
                tuple(values.values()),
            )
        )

    @api.model
    def _get_this_month(self):
        return date_utils.start_of(fields.Date.context_today(self), "month")

    @api.model
    def _filter_used(self, rules):
        """Rows of which one of the ``rules`` concerns captured months before this one.

        A company whose earlier months hold nothing captured has nothing to keep.

        :param rules: dict of row to its rule columns, before and after
        """
        pairs = sorted({(r["account_id"], r["company_id"]) for rs in rules.values() for r in rs})
        if not pairs:
            return self.browse()
        capture = self.env["customer.cost.capture"]
        capture._flush_sources()
        found = self.env.execute_query(
            SQL(
                """SELECT pair.account_id, pair.company_id
                     FROM unnest(%(accounts)s, %(companies)s) pair(account_id, company_id)
                     JOIN res_company top ON top.id = pair.company_id
                    WHERE EXISTS (
                          SELECT FROM res_company co
                            JOIN customer_cost_line held ON held.company_id = co.id
                                 AND held.origin_date < %(month)s AND NOT held.statistical
                           WHERE starts_with(co.parent_path, top.parent_path))
                      AND EXISTS (
                          SELECT FROM account_move_line l
                            JOIN account_move m ON m.id = l.move_id AND m.state = 'posted'
                                 AND m.date < %(month)s
                            JOIN res_company co ON co.id = m.company_id
                                 AND starts_with(co.parent_path, top.parent_path)
                           WHERE l.account_id = pair.account_id AND l.balance <> 0
                             AND %(before_start)s IS NOT TRUE)""",
                accounts=[account for account, _company in pairs],
                companies=[company for _account, company in pairs],
                month=self._get_this_month(),
                before_start=capture._sql_before_start(),
            )
        )
        used = set(found)
        return self.browse(
            row.id
            for row, of_row in rules.items()
            if any((rule["account_id"], rule["company_id"]) in used for rule in of_row)
        )

    # ------------------------------------------------------------
    # In effect
    # ------------------------------------------------------------

    @api.model
    def _sql_in_effect(self, applied=None) -> SQL:
        """Condition under which row ``r`` holds on the date of candidate ``c``.

        :param applied: ``(row ids, month)``: as if changes of these rows held from that month
        """
        first, last = SQL("r.effective_from"), SQL("r.effective_to")
        if applied:
            row_ids, month = applied
            chosen = SQL("COALESCE(r.origin_id, r.id) = ANY(%s)", row_ids)
            first = SQL(
                "CASE WHEN %(chosen)s AND r.effective_to IS NULL AND r.effective_from > %(month)s "
                "THEN %(month)s ELSE r.effective_from END",
                chosen=chosen,
                month=month,
            )
            last = SQL(
                "CASE WHEN %(chosen)s THEN LEAST(r.effective_to, %(before)s::date) "
                "ELSE r.effective_to END",
                chosen=chosen,
                before=date_utils.subtract(month, days=1),
            )
        return SQL(
            """(r.active OR r.effective_to IS NOT NULL)
               AND (%(first)s IS NULL OR %(first)s <= c.date)
               AND (r.effective_to IS NULL OR %(last)s >= c.date)""",
            first=first,
            last=last,
        )

    @api.model
    def _apply_from(self, company, row_ids, month):
        """Let changes of rows hold from an earlier month on, and capture by them.

        :param company: the company of the rows; its branches follow
        :param row_ids: ids of the rows, deleted ones included
        :param month: first day of the month, later than any closed one
        :return: number of ledger lines appended
        """
        rows = self.with_context(active_test=False).search(
            [
                ("company_id", "=", company.id),
                "|",
                ("origin_id", "in", row_ids),
                ("id", "in", row_ids),
            ]
        )
        kept = rows.filtered(lambda row: row.effective_to and row.effective_to >= month)
        changed = rows.filtered(
            lambda row: not row.effective_to and row.effective_from and row.effective_from > month
        )
        # sudo: kept rows and dates are written by this model alone
        outlived = kept.filtered(lambda row: row.effective_from and row.effective_from >= month)
        outlived.sudo()._unguarded().unlink()
        (kept - outlived).sudo()._unguarded().write(
            {"effective_to": date_utils.subtract(month, days=1)}
        )
        changed.sudo()._unguarded().write({"effective_from": month})
        capture = self.env["customer.cost.capture"]
        # sudo: rows of a company serve its branches, whoever may see these
        branches = self.env["res.company"].sudo().search([("id", "child_of", company.id)])
        return sum(capture._sync_period(branch, month, date.max) for branch in branches)

    def action_apply(self):
        """Ask from which month the changes of the map hold for what is posted."""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "customer_cost.customer_cost_map_apply_action"
        )
        company = self.company_id[:1] or self.env.company.root_id
        action["context"] = {"default_row_ids": self.ids, "default_company_id": company.id}
        return action
