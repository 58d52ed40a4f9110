from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import SQL

SALES_ACCOUNT_TYPES = ("income",)
GOODS_ACCOUNT_TYPES = ("expense_direct_cost",)
# Sales and cost of sales come from the customer's invoices and are never a cost to serve: a row
# can only leave them out.
INVOICE_ACCOUNT_TYPES = (*SALES_ACCOUNT_TYPES, *GOODS_ACCOUNT_TYPES)
ACCOUNT_TYPES = ("expense", "expense_depreciation", "expense_other", "income_other")
RESULT_ACCOUNT_TYPES = (*INVOICE_ACCOUNT_TYPES, *ACCOUNT_TYPES)


class CustomerCostAccountMap(models.Model):
    """Which books belong to which cost item; the first row that matches a journal item wins."""

    _name = "customer.cost.account.map"
    _description = "Account Map Row"
    _inherit = [
        "mail.thread",
        "customer.cost.company.mixin",
        "customer.cost.account.mixin",
    ]
    _order = "company_id, sequence, id"
    _check_company_auto = True

    sequence = fields.Integer(default=10, tracking=True)
    company_id = fields.Many2one(
        "res.company",
        required=True,
        default=lambda self: self.env.company.root_id,
        index=True,
        help="The row also serves the branches of this company.",
    )
    account_id = fields.Many2one(
        "account.account",
        required=True,
        index=True,
        ondelete="restrict",
        check_company=True,
        tracking=True,
        domain=[("account_type", "in", RESULT_ACCOUNT_TYPES)],
    )
    journal_id = fields.Many2one(
        "account.journal", check_company=True, tracking=True, ondelete="restrict"
    )
    product_categ_id = fields.Many2one(
        "product.category",
        string="Product Category",
        tracking=True,
        ondelete="restrict",
        help="The category of the item's product, or one of its parents.",
    )
    analytic_account_id = fields.Many2one(
        "account.analytic.account", check_company=True, tracking=True, ondelete="restrict"
    )
    vendor_id = fields.Many2one("res.partner", tracking=True, ondelete="restrict")
    words = fields.Char(
        string="Words in the Label",
        tracking=True,
        help="Separate several by commas; one of them has to stand in the label.",
    )
    date_from = fields.Date(string="Valid From", tracking=True)
    date_to = fields.Date(string="Valid Until", tracking=True)
    item_id = fields.Many2one(
        "customer.cost.item",
        string="Cost Item",
        index=True,
        ondelete="restrict",
        check_company=True,
        tracking=True,
    )
    left_out_reason = fields.Char(
        string="Left Out Because",
        tracking=True,
        help="Fill this in instead of a cost item when these journal items are no customer cost.",
    )
    active = fields.Boolean(default=True, tracking=True)

    _item_or_reason = models.Constraint(
        "CHECK((item_id IS NOT NULL) <> (COALESCE(left_out_reason, '') <> ''))",
        "A map row names either a cost item or the reason why it is left out.",
    )
    _dates_in_order = models.Constraint(
        "CHECK(date_from IS NULL OR date_to IS NULL OR date_from <= date_to)",
        "A map row cannot end before it begins.",
    )

    @api.depends("account_id", "item_id", "left_out_reason")
    def _compute_display_name(self):
        for row in self:
            target = row.item_id.display_name or row.left_out_reason or ""
            row.display_name = f"{row.account_id.display_name} → {target}"

    @api.constrains("account_id", "item_id")
    def _check_account_type(self):
        types = dict(
            self.env["account.account"]._fields["account_type"]._description_selection(self.env)
        )
        for row in self:
            account = row.account_id
            if account.account_type in ACCOUNT_TYPES:
                continue
            names = {"account": account.display_name, "type": types.get(account.account_type)}
            if account.account_type not in INVOICE_ACCOUNT_TYPES:
                raise ValidationError(
                    self.env._(
                        "Account %(account)s is of type %(type)s. Only profit-and-loss accounts "
                        "are mapped.",
                        **names,
                    )
                )
            if row.item_id:
                raise ValidationError(
                    self.env._(
                        "Account %(account)s is of type %(type)s: sales and cost of sales come "
                        "from the invoices. Leave it out with a reason, or change the type of the "
                        "account.",
                        **names,
                    )
                )

    @api.constrains("item_id")
    def _check_item_active(self):
        for row in self:
            if row.item_id and not row.item_id.active:
                raise ValidationError(
                    self.env._("Cost item %(item)s is archived.", item=row.item_id.display_name)
                )

    @api.model
    def _sql_match(self, applied=None) -> SQL:
        """Condition under which row ``r`` of this table matches candidate journal item ``c``.

        :param applied: as in ``_sql_in_effect``
        """
        return SQL(
            """%(in_effect)s AND r.account_id = c.account_id
               AND r.company_id = ANY(c.company_path)
               AND (r.journal_id IS NULL OR r.journal_id = c.journal_id)
               AND (r.product_categ_id IS NULL OR r.product_categ_id = ANY(c.categ_path))
               AND (r.vendor_id IS NULL
                    OR r.vendor_id IN (c.partner_id, c.commercial_partner_id))
               AND (r.analytic_account_id IS NULL
                    OR r.analytic_account_id::text = ANY(c.analytic_ids))
               AND (r.date_from IS NULL OR r.date_from <= c.date)
               AND (r.date_to IS NULL OR r.date_to >= c.date)
               AND (trim(COALESCE(r.words, '')) = '' OR EXISTS (
                    SELECT FROM regexp_split_to_table(r.words, '[,，、]') word
                     WHERE trim(word) <> '' AND strpos(lower(c.name), lower(trim(word))) > 0))""",
            in_effect=self._sql_in_effect(applied),
        )

    def action_preview(self):
        """Open the preview of what the map makes of the posted books."""
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Account Map Preview"),
            "res_model": "customer.cost.map.preview",
            "view_mode": "form",
            "target": "new",
        }
