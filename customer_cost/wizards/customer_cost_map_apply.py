from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL, date_utils, format_date

from ..fields import Amount


class CustomerCostMapApply(models.TransientModel):
    """Applies changes of the account map to what is posted, from the month that is asked for."""

    _name = "customer.cost.map.apply"
    _description = "Apply the Account Map to What Is Posted"

    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company.root_id
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    row_ids = fields.Many2many(
        "customer.cost.account.map",
        string="Rows",
        help="The chosen rows; without any, every row that was changed.",
    )
    date_from = fields.Date(
        string="From the Month Of", required=True, default=lambda self: self._default_date_from()
    )
    message = fields.Char(compute="_compute_lines")
    line_ids = fields.One2many("customer.cost.map.apply.line", "apply_id", compute="_compute_lines")

    @api.model
    def _default_date_from(self):
        this_month = self.env["customer.cost.account.map"]._get_this_month()
        last_month = date_utils.subtract(this_month, months=1)
        company_id = self.env.context.get("default_company_id") or self.env.company.root_id.id
        earliest = self._get_earliest_month(self.env["res.company"].browse(company_id))
        return max(last_month, earliest or last_month)

    @api.model
    def _get_earliest_month(self, company):
        """First month after the last closed one of the company, those above and its branches."""
        # sudo: a closed month of a branch counts whoever asks
        companies = self.env["res.company"].sudo().search([("id", "child_of", company.id)])
        closed = (
            self.env["customer.cost.period"]
            .sudo()
            .search(
                [
                    ("company_id", "in", (companies | company.parent_ids).ids),
                    ("state", "=", "closed"),
                ],
                order="date_from desc",
                limit=1,
            )
        )
        return closed and date_utils.add(closed.date_from, months=1)

    def _get_row_ids(self):
        """Ids of the rows to apply, deleted ones included."""
        rows = self.row_ids._origin or self.env["customer.cost.account.map"].with_context(
            active_test=False
        ).search([("company_id", "=", self.company_id.id)])
        changed = rows.filtered(lambda row: row.effective_from or row.effective_to)
        return sorted({row.origin_id or row.id for row in changed})

    def _get_problem(self, month):
        """Why rows cannot be applied from ``month``, or ``None``."""
        earliest = self._get_earliest_month(self.company_id)
        if earliest and month < earliest:
            return self.env._(
                "%(last)s is closed and stays as it is. The earliest month is %(first)s.",
                last=self._format(date_utils.subtract(earliest, months=1)),
                first=self._format(earliest),
            )
        if self.row_ids._origin.company_id - self.company_id:
            return self.env._("Rows are applied one company at a time: choose one of them.")
        return None

    def _format(self, month):
        return format_date(self.env, month, date_format="yyyy-MM")

    @api.depends("company_id", "date_from", "row_ids")
    def _compute_lines(self):
        for wizard in self:
            wizard.line_ids = [fields.Command.clear()]
            wizard.message = False
            if not wizard.date_from or wizard.company_id not in self.env.companies:
                continue
            row_ids, month = wizard._get_row_ids(), date_utils.start_of(wizard.date_from, "month")
            wizard.message = wizard._get_problem(month)
            if wizard.message:
                continue
            changes = wizard._read_changes(row_ids, month)
            wizard.line_ids = [fields.Command.create(change) for change in changes]
            if not changes:
                wizard.message = self.env._(
                    "No change of the map waits for what is posted from %(month)s on. Apply "
                    "compares the ledger with the books all the same.",
                    month=wizard._format(month),
                )

    def _read_changes(self, row_ids, month):
        """What every cost item holds of the posted items now, and would hold."""
        capture = self.env["customer.cost.capture"]
        capture._flush_sources()
        return self.env.execute_query_dict(
            SQL(
                """WITH candidate AS MATERIALIZED (%(candidate)s),
                        now AS (%(now)s), applied AS (%(applied)s)
                   SELECT item_id, sum(before) AS before, sum(after) AS after,
                          sum(after) - sum(before) AS change
                     FROM (SELECT item_id, amount AS before, 0 AS after FROM now
                            WHERE excluded IS NULL
                     UNION ALL SELECT item_id, 0, amount FROM applied
                            WHERE excluded IS NULL) both_sides
                 GROUP BY item_id HAVING sum(before) <> sum(after)
                 ORDER BY item_id NULLS LAST""",
                candidate=capture._sql_candidates(
                    SQL(
                        """m.date >= %s AND m.company_id IN (
                               SELECT b.id FROM res_company b JOIN res_company o ON o.id = %s
                                WHERE starts_with(b.parent_path, o.parent_path))""",
                        month,
                        self.company_id.id,
                    ),
                    capture._sql_may_be_mapped(),
                ),
                now=capture._sql_classified(),
                applied=capture._sql_classified((row_ids, month)),
            )
        )

    def action_apply(self):
        """Let the changed rows hold from the month on, and bring the ledger to it at once.

        :raises UserError: the month is closed, or the rows belong to several companies
        """
        self.ensure_one()
        row_ids, month = self._get_row_ids(), date_utils.start_of(self.date_from, "month")
        maps = self.env["customer.cost.account.map"]
        maps.check_access("write")
        if self.company_id not in self.env.companies:
            raise UserError(
                self.env._(
                    "%(company)s is not one of the companies you work in.",
                    company=self.company_id.name,
                )
            )
        problem = self._get_problem(month)
        if problem:
            raise UserError(problem)
        count = maps._apply_from(self.company_id, row_ids, month)
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self.env._(
                    "Applied from %(month)s on. Ledger lines written: %(count)s.",
                    month=self._format(month),
                    count=count,
                ),
                "next": {"type": "ir.actions.act_window_close"},
            },
        }


class CustomerCostMapApplyLine(models.TransientModel):
    """What one cost item gains or loses by a changed map."""

    _name = "customer.cost.map.apply.line"
    _description = "Change by the Account Map"

    apply_id = fields.Many2one("customer.cost.map.apply", ondelete="cascade")
    currency_id = fields.Many2one(related="apply_id.currency_id")
    item_id = fields.Many2one("customer.cost.item", string="Cost Item", readonly=True)
    label = fields.Char(string="Posted Items Are", compute="_compute_label")
    before = Amount(string="Now", readonly=True)
    after = Amount(string="Applied", readonly=True)
    change = Amount(readonly=True)

    @api.depends("item_id")
    def _compute_label(self):
        for line in self:
            line.label = line.item_id.display_name or self.env._("Left out")
