from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from ..fields import Known, KnownAmount, Ratio

COST_READERS = "customer_cost.group_customer_cost_user,customer_cost.group_customer_cost_auditor"
COST_SOURCES = [
    ("manual", "Typed by an accountant"),
    ("allowance", "Price allowance: the goods stay with the customer"),
    ("downpayment", "Down payment: nothing is sold yet"),
    ("reversed", "The line it reverses"),
    ("hours", "No product cost: hours are measured"),
    ("none", "No product cost"),
    ("cogs", "Cost of sales in the books"),
    ("valuation", "Stock valuation when posted"),
    ("product", "The product's cost when posted"),
    ("unknown", "Unknown"),
]
FROZEN_FIELDS = frozenset(
    {
        "customer_cost_amount",
        "customer_cost_estimated",
        "customer_cost_source",
    }
)
TYPED_FIELDS = frozenset({"customer_cost_typed", "customer_cost_unit"})


class AccountMoveLine(models.Model):
    """What the goods of a customer invoice line cost: frozen when posted, or typed before."""

    _inherit = "account.move.line"

    customer_cost_unit = Known(
        string="Unit Cost",
        min_display_digits="Product Price",
        copy=False,
        groups=COST_READERS,
        help="Cost of one unit sold, in company currency. It is frozen when the invoice is posted; "
        "a cost accountant may type it before.",
    )
    customer_cost_amount = KnownAmount(
        string="Product Cost",
        readonly=True,
        copy=False,
        groups=COST_READERS,
        help="Product cost of the line in company currency, negative on credit notes. It is frozen "
        "when the invoice is posted and empty where nobody knows it.",
    )
    customer_cost_source = fields.Selection(
        COST_SOURCES, string="Cost Source", readonly=True, copy=False, groups=COST_READERS
    )
    customer_cost_estimated = fields.Boolean(
        string="Estimated Cost",
        readonly=True,
        copy=False,
        groups=COST_READERS,
        help="The cost was not frozen when the invoice was posted but filled in afterwards, "
        "from what was known then.",
    )
    customer_cost_typed = fields.Boolean(
        string="Typed Cost",
        compute="_compute_customer_cost_typed",
        readonly=False,
        groups=COST_READERS,
        help="The unit cost was typed by a cost accountant and stays as it is, zero included. "
        "Untick to take it from the books again.",
    )
    customer_cost_allowance = fields.Boolean(
        string="Price Allowance",
        copy=False,
        help="This credit note lowers the price only: the goods stay with the customer, so their "
        "cost does too.",
    )
    customer_cost_origin_line = fields.Integer(
        string="Reversed Line",
        readonly=True,
        copy=False,
        help="Id of the invoice line that this credit note line reverses; it counts only where "
        "the credit note itself reverses the invoice of that line.",
    )
    customer_cost_margin = KnownAmount(
        string="Margin",
        compute="_compute_customer_cost_margin",
        groups=COST_READERS,
        help="Net amount less product cost, in company currency; empty where the cost is unknown.",
    )
    customer_cost_margin_pct = Ratio(
        string="Margin %",
        digits=(16, 2),
        compute="_compute_customer_cost_margin",
        groups=COST_READERS,
    )

    # ------------------------------------------------------------
    # Computes
    # ------------------------------------------------------------

    @api.depends("customer_cost_source")
    def _compute_customer_cost_typed(self):
        for line in self:
            line.customer_cost_typed = line.customer_cost_source == "manual"

    @api.depends("balance", "customer_cost_amount", "customer_cost_source")
    def _compute_customer_cost_margin(self):
        """Margin in company currency, its sign that of the sale, and its share of the sale."""
        for line in self:
            cost = line.customer_cost_amount
            if cost is False:
                line.customer_cost_margin = line.customer_cost_margin_pct = False
                continue
            margin = line.company_currency_id.round(-line.balance - cost)
            line.customer_cost_margin = margin
            line.customer_cost_margin_pct = (
                100 * margin / -line.balance if line.balance < 0 else False
            )

    @api.onchange("customer_cost_unit")
    def _onchange_customer_cost_unit(self):
        if self.customer_cost_unit:
            self.customer_cost_typed = True

    @api.onchange("customer_cost_typed")
    def _onchange_customer_cost_typed(self):
        if not self.customer_cost_typed:
            self.customer_cost_unit = False
        elif self.customer_cost_unit is False:
            self.customer_cost_unit = 0.0

    # ------------------------------------------------------------
    # Typed before posting
    # ------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        self._check_cost_defaults()
        vals_list = [self.browse()._convert_typed_cost(vals) for vals in vals_list]
        lines = super().create(vals_list)
        typed = self.browse(
            line.id
            for line, vals in zip(lines, vals_list, strict=True)
            if "customer_cost_source" in vals
        )
        typed._check_typed_cost()
        typed._log_typed_cost(dict.fromkeys(typed, (False, False)))
        return lines

    def write(self, vals):
        if "customer_cost_allowance" in vals:
            self._check_allowance()
        if not (FROZEN_FIELDS | TYPED_FIELDS).intersection(vals):
            return super().write(vals)
        self._check_typed_cost()
        vals = self._convert_typed_cost(vals)
        before = {line: (line.customer_cost_unit, line.customer_cost_source) for line in self}
        res = super().write(vals)
        self._log_typed_cost(before)
        return res

    @api.model
    def _check_cost_defaults(self):
        names = {name.removeprefix("default_") for name in self.env.context}
        if names & (FROZEN_FIELDS | TYPED_FIELDS):
            self._raise_frozen()

    @api.model
    def _raise_frozen(self):
        raise AccessError(
            self.env._(
                "The product cost of an invoice line is frozen when it is posted. Before that, a "
                "cost accountant may type the unit cost of customer invoice lines."
            )
        )

    def _convert_typed_cost(self, vals):
        """Return ``vals`` with what an accountant typed as unit cost and source to store.

        A unit cost of zero counts as typed only where ``customer_cost_typed`` says so: the client
        sends a zero for every cost that nobody entered.
        """
        if FROZEN_FIELDS.intersection(vals):
            self._raise_frozen()
        if not TYPED_FIELDS.intersection(vals):
            return vals
        vals = dict(vals)
        unit = vals.pop("customer_cost_unit", None)
        typed = vals.pop("customer_cost_typed", None)
        was_typed = bool(self) and all(line.customer_cost_source == "manual" for line in self)
        if typed is None:
            typed = bool(unit) or was_typed
        if not typed and not was_typed:
            return vals
        accountant = "customer_cost.group_customer_cost_accountant"
        if not (self.env.su or self.env.user.has_group(accountant)):
            raise AccessError(
                self.env._("Only a cost accountant types the product cost of an invoice line.")
            )
        if typed:
            vals["customer_cost_source"] = "manual"
            if unit is not None or not was_typed:
                vals["customer_cost_unit"] = unit or 0.0
        else:
            vals.update(customer_cost_unit=False, customer_cost_source=False)
        return vals

    def _check_typed_cost(self):
        """A cost is typed on product lines of draft customer invoices, nowhere else."""
        for line in self:
            if not (
                line.parent_state == "draft"
                and line.display_type == "product"
                and line.move_id.is_sale_document(include_receipts=True)
            ):
                self._raise_frozen()

    def _log_typed_cost(self, before):
        """Log on the invoice what was typed; the figures show to who may read the fields."""
        names = ["customer_cost_unit", "customer_cost_source"]
        info = self.fields_get(names)
        for line in self:
            values = line._mail_track(info, dict(zip(names, before[line], strict=True)))[1]
            if values:
                line.move_id._message_log(
                    body=self.env._("Product cost of %s typed", line.display_name),
                    tracking_value_ids=values,
                )

    def _check_allowance(self):
        posted = self.filtered(lambda line: line.parent_state == "posted")
        if posted:
            raise UserError(
                self.env._(
                    "%(entry)s is posted: whether it is a price allowance can be changed on the "
                    "draft only. Reset it to draft first.",
                    entry=posted.move_id[:1].display_name,
                )
            )
