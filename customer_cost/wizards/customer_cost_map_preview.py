from odoo import api, fields, models
from odoo.tools import SQL, date_utils

from ..fields import Amount
from ..models.customer_cost_account_map import ACCOUNT_TYPES, SALES_ACCOUNT_TYPES

EXPENSE_TYPES = (*ACCOUNT_TYPES, "expense_direct_cost")


class CustomerCostMapPreview(models.TransientModel):
    """What the account map makes of the posted books of a period; nothing is written."""

    _name = "customer.cost.map.preview"
    _description = "Account Map Preview"

    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company
    )
    date_from = fields.Date(
        string="From", required=True, default=lambda self: self._default_date_from()
    )
    date_to = fields.Date(
        string="To", required=True, default=lambda self: fields.Date.context_today(self)
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    total = Amount(
        string="Expenses in the Books",
        compute="_compute_lines",
        help="Balance of expense and other income accounts, and of sales that the map leaves out.",
    )
    mapped_total = Amount(string="Customer Cost", compute="_compute_lines")
    left_out_total = Amount(string="Left Out", compute="_compute_lines")
    line_ids = fields.One2many(
        "customer.cost.map.preview.line", "preview_id", compute="_compute_lines"
    )

    @api.model
    def _default_date_from(self):
        today = fields.Date.context_today(self)
        return date_utils.start_of(date_utils.subtract(today, months=11), "month")

    @api.depends("company_id", "date_from", "date_to")
    def _compute_lines(self):
        for preview in self:
            rows = preview._read_rows() if preview.date_from and preview.date_to else []
            preview.line_ids = [fields.Command.clear()] + [
                fields.Command.create(row) for row in rows
            ]
            mapped = sum(row["amount"] for row in rows if row["item_id"])
            left_out = sum(row["amount"] for row in rows if not row["item_id"])
            preview.mapped_total = mapped
            preview.left_out_total = left_out
            preview.total = mapped + left_out

    def _read_rows(self):
        """Posted journal items of the period by cost item, or by account and reason left out."""
        if self.company_id not in self.env.companies:
            return []
        self.env.flush_all()
        capture = self.env["customer.cost.capture"]
        # sudo: the types of accounts that the reader's own map names
        accounts = self.env["account.account"].sudo()
        accounts = accounts.browse(self.env["customer.cost.tie.out"]._find_left_out_accounts())
        sales = accounts.filtered(lambda account: account.account_type in SALES_ACCOUNT_TYPES).ids
        rows = self.env.execute_query_dict(
            SQL(
                """WITH candidate AS (%(candidate)s),
                        classified AS (%(classified)s)
                   SELECT item_id, CASE WHEN item_id IS NULL THEN account_id END AS account_id,
                          CASE WHEN excluded IS NOT NULL THEN excluded
                               WHEN item_id IS NOT NULL THEN NULL
                               ELSE COALESCE(left_out_reason, 'unmapped') END AS reason,
                          count(DISTINCT id) AS line_count, sum(amount) AS amount
                     FROM classified
                    WHERE account_id <> ALL(%(sales)s::int[]) OR excluded IS NULL
                 GROUP BY 1, 2, 3 ORDER BY 1, 3, 2""",
                candidate=capture._sql_candidates(
                    SQL(
                        "m.company_id = %s AND m.date BETWEEN %s AND %s",
                        self.company_id.id,
                        self.date_from,
                        self.date_to,
                    ),
                    SQL("(a.account_type IN %s OR a.id = ANY(%s))", EXPENSE_TYPES, sales),
                ),
                sales=sales,
                classified=capture._sql_classified(),
            )
        )
        for row in rows:
            row["reason"] = self._get_reason_label(row["reason"])
        return rows

    def _get_reason_label(self, reason):
        labels = {
            None: False,
            "unmapped": self.env._("No row of the map matches"),
            **self.env["customer.cost.capture"]._get_excluded_labels(),
        }
        return labels.get(reason, reason)


class CustomerCostMapPreviewLine(models.TransientModel):
    """One cost item, or one account left out, in a map preview."""

    _name = "customer.cost.map.preview.line"
    _description = "Account Map Preview Line"
    _inherit = ["customer.cost.account.mixin"]

    preview_id = fields.Many2one("customer.cost.map.preview", ondelete="cascade")
    company_id = fields.Many2one(related="preview_id.company_id")
    currency_id = fields.Many2one(related="preview_id.currency_id")
    item_id = fields.Many2one("customer.cost.item", string="Cost Item", readonly=True)
    account_id = fields.Many2one("account.account", readonly=True)
    reason = fields.Char(string="Left Out Because", readonly=True)
    line_count = fields.Integer(string="Journal Items", readonly=True)
    amount = Amount(readonly=True)
