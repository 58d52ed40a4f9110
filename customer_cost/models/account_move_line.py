from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL, format_date

from ..fields import Amount

# A change of one of these on a posted item may change what it contributes to the ledger.
CAPTURE_FIELDS = frozenset(
    {
        "account_id",
        "amount_currency",
        "analytic_distribution",
        "balance",
        "cost_customer_id",
        "cost_item_id",
        "cost_service_from",
        "cost_service_to",
        "credit",
        "currency_id",
        "debit",
        "discount",
        "display_type",
        "move_id",
        "name",
        "partner_id",
        "price_unit",
        "product_id",
        "quantity",
    }
)
LINK_FIELDS = frozenset(
    {"cost_customer_id", "cost_item_id", "cost_service_from", "cost_service_to"}
)
FROZEN_FIELDS = frozenset(
    {
        "customer_cost_amount",
        "customer_cost_source",
        "customer_cost_unit",
    }
)
COST_SOURCES = [
    ("reversed", "The line it reverses"),
    ("product", "The product's cost when posted"),
    ("unknown", "Unknown"),
]


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    cost_customer_id = fields.Many2one(
        "res.partner",
        string="Cost For Customer",
        index="btree_not_null",
        copy=True,
        check_company=True,
        tracking=True,
        help="The customer this cost serves. It is counted as a direct cost of that customer.",
    )
    cost_item_id = fields.Many2one(
        "customer.cost.item",
        index="btree_not_null",
        copy=True,
        check_company=True,
        tracking=True,
        help="Overrides the cost item that the account map finds.",
    )
    customer_cost_unit = fields.Float(
        string="Frozen Unit Cost",
        digits="Product Price",
        readonly=True,
        copy=False,
        groups="customer_cost.group_customer_cost_user,customer_cost.group_customer_cost_auditor",
        help="Cost of one unit sold, in company currency, as it stood when the invoice was posted.",
    )
    customer_cost_amount = Amount(
        string="Frozen Product Cost",
        readonly=True,
        copy=False,
        groups="customer_cost.group_customer_cost_user,customer_cost.group_customer_cost_auditor",
        help="Product cost of the line in company currency, negative on credit notes.",
    )
    customer_cost_source = fields.Selection(
        COST_SOURCES,
        string="Cost Source",
        readonly=True,
        copy=False,
        groups="customer_cost.group_customer_cost_user,customer_cost.group_customer_cost_auditor",
    )
    customer_cost_origin_line = fields.Integer(
        string="Reversed Line",
        readonly=True,
        copy=False,
        help="Id of the invoice line that this credit note line reverses; it counts only where "
        "the credit note itself reverses the invoice of that line.",
    )

    # ------------------------------------------------------------
    # Frozen product cost
    # ------------------------------------------------------------

    @api.model
    def _freeze_product_cost(self, move_ids):
        """Store unit cost, cost and source on the product lines of posted customer invoices.

        Unit cost is in company currency per unit of the line; the amount carries the invoice's
        sign, rounded to the company currency. A line whose cost nobody knows keeps it empty.
        """
        self.env["account.move"].flush_model(
            ["company_id", "move_type", "reversed_entry_id", "state"]
        )
        self.flush_model(
            [
                "customer_cost_origin_line",
                "display_type",
                "move_id",
                "product_id",
                "product_uom_id",
                "quantity",
            ]
        )
        self.env["product.product"].flush_model(["standard_price"])
        self.env["product.template"].flush_model(["uom_id"])
        self.env.cr.execute(
            SQL(
                """UPDATE account_move_line l
                      SET customer_cost_unit = found.unit,
                          customer_cost_amount = round(m.sign * l.quantity * found.unit,
                              found.digits),
                          customer_cost_source = found.source
                     FROM (SELECT id, company_id, reversed_entry_id,
                                  CASE move_type WHEN 'out_refund' THEN -1 ELSE 1 END AS sign
                             FROM account_move
                            WHERE id = ANY(%(move_ids)s) AND state = 'posted'
                              AND move_type IN ('out_invoice', 'out_refund', 'out_receipt')) m
                     JOIN account_move_line own ON own.move_id = m.id
                          AND own.display_type = 'product'
               CROSS JOIN LATERAL (%(cost)s) found
                    WHERE l.id = own.id
                      AND (l.customer_cost_unit, l.customer_cost_amount, l.customer_cost_source)
                          IS DISTINCT FROM (found.unit, round(m.sign * l.quantity * found.unit,
                              found.digits), found.source)
                RETURNING l.id""",
                move_ids=list(move_ids),
                cost=self._sql_product_cost(),
            )
        )
        self.browse([row[0] for row in self.env.cr.fetchall()]).invalidate_recordset(
            FROZEN_FIELDS, flush=False
        )

    @api.model
    def _sql_product_cost(self) -> SQL:
        """Unit cost and its source for line ``own`` of move ``m``, first known source wins."""
        return SQL(
            """SELECT COALESCE(
                          reversed.customer_cost_unit * uom.factor / reversed_uom.factor,
                          reversed.customer_cost_unit,
                          price.cost * uom.factor / product_uom.factor,
                          price.cost) AS unit,
                      CASE WHEN reversed.customer_cost_unit IS NOT NULL THEN 'reversed'
                           WHEN price.cost IS NOT NULL THEN 'product'
                           ELSE 'unknown' END AS source,
                      currency.decimal_places AS digits
                 FROM res_company co
                 JOIN res_currency currency ON currency.id = co.currency_id
            LEFT JOIN product_product pp ON pp.id = own.product_id
            LEFT JOIN product_template pt ON pt.id = pp.product_tmpl_id
            LEFT JOIN account_move_line reversed ON reversed.id = own.customer_cost_origin_line
                      AND reversed.move_id = m.reversed_entry_id
                      AND reversed.product_id = own.product_id
            LEFT JOIN uom_uom uom ON uom.id = own.product_uom_id
            LEFT JOIN uom_uom product_uom ON product_uom.id = pt.uom_id
            LEFT JOIN uom_uom reversed_uom ON reversed_uom.id = reversed.product_uom_id
            LEFT JOIN LATERAL (
                   SELECT NULLIF(COALESCE(
                       NULLIF((pp.standard_price ->> co.id::text)::numeric, 0),
                       (pp.standard_price ->> split_part(co.parent_path, '/', 1))::numeric), 0)
                       AS cost) price ON TRUE
                WHERE co.id = m.company_id"""
        )

    @api.model
    def _clear_product_cost(self, move_ids):
        """Empty the frozen cost of moves that are no longer posted."""
        self.flush_model(["move_id"])
        self.env.cr.execute(
            SQL(
                """UPDATE account_move_line
                      SET customer_cost_unit = NULL, customer_cost_amount = NULL,
                          customer_cost_source = NULL
                    WHERE move_id = ANY(%s) AND customer_cost_source IS NOT NULL
                RETURNING id""",
                list(move_ids),
            )
        )
        self.browse([row[0] for row in self.env.cr.fetchall()]).invalidate_recordset(
            FROZEN_FIELDS, flush=False
        )

    def _copy_data_extend_business_fields(self, values):
        res = super()._copy_data_extend_business_fields(values)
        values["customer_cost_origin_line"] = self.id
        return res

    # ------------------------------------------------------------
    # Capture follows every change of a posted item
    # ------------------------------------------------------------

    def _check_frozen_fields(self, names):
        if FROZEN_FIELDS.intersection(names):
            raise AccessError(
                self.env._("The product cost of an invoice line is frozen when it is posted.")
            )

    @api.model_create_multi
    def create(self, vals_list):
        self._check_frozen_fields(name.removeprefix("default_") for name in self.env.context)
        for vals in vals_list:
            self._check_frozen_fields(vals)
        lines = super().create(vals_list)
        lines.filtered(lambda line: line.parent_state == "posted").move_id._sync_customer_cost()
        return lines

    def write(self, vals):
        self._check_frozen_fields(vals)
        if not CAPTURE_FIELDS.intersection(vals):
            return super().write(vals)
        if LINK_FIELDS.intersection(vals):
            self._check_cost_period_open()
        moves = self.move_id
        res = super().write(vals)
        (moves | self.move_id).filtered(lambda move: move.state == "posted")._sync_customer_cost()
        return res

    def _check_cost_period_open(self):
        """The links of a posted item stay once its cost period is closed."""
        period = self.env["customer.cost.period"]
        for move in self.move_id.filtered(lambda move: move.state == "posted"):
            if period._is_closed(move.company_id, move.date):
                raise UserError(
                    self.env._(
                        "%(entry)s: the cost period of %(date)s is closed. Its customer, cost "
                        "item and service period can no longer be changed.",
                        entry=move.display_name,
                        date=format_date(self.env, move.date),
                    )
                )

    def unlink(self):
        moves = self.move_id.filtered(lambda move: move.state == "posted")
        res = super().unlink()
        moves._sync_customer_cost()
        return res
