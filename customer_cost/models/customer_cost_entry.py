from odoo import api, fields, models
from odoo.exceptions import UserError

from .customer_cost_item import MANUAL_KINDS
from .customer_cost_reviewed import REVIEW_FIELDS

ENTRY_STATES = [
    ("draft", "Draft"),
    ("submitted", "Submitted"),
    ("approved", "Approved"),
    ("refused", "Refused"),
    ("reversed", "Reversed"),
    ("captured", "In the books"),
    ("withdrawn", "No longer in the books"),
]
MUTABLE_STATES = ("draft", "refused")
# A change of substance while the cost is submitted starts its review again.
EDITABLE_STATES = (*MUTABLE_STATES, "submitted")
SUBSTANCE_FIELDS = frozenset(
    {
        "amount",
        "company_id",
        "contact_id",
        "cost_centre_id",
        "currency_id",
        "customer_id",
        "date",
        "description",
        "invoice_id",
        "item_id",
        "kind",
        "payment_method",
        "service_from",
        "service_to",
        "spender_id",
        "vendor_id",
    }
)
# A reversal mirrors its cost: the rest of the substance is not the author's to change.
REVERSAL_FIELDS = frozenset({"date", "description", "spender_id"})


class CustomerCostEntry(models.Model):
    """One cost: captured from a journal item, or recorded by hand.

    A captured entry is written by the capture alone. The others go from draft over submitted to
    approved, which is final: a statistical one gets its ledger line then, a request becomes a
    commitment until journal items settle it.
    """

    _name = "customer.cost.entry"
    _description = "Customer Cost"
    _inherit = ["mail.thread.main.attachment", "mail.activity.mixin", "customer.cost.reviewed"]
    _order = "date desc, id desc"
    _check_company_auto = True
    _mail_post_access = "read"
    _guarded_fields = frozenset(
        {
            "state",
            "name",
            "amount_company",
            "source_line_id",
            "source_move_id",
            "map_id",
            "submitter_id",
            "last_editor_id",
            "reversal_of_id",
            "submitted_on",
            "approved_on",
            "released_on",
            "release_reason",
            "reminded_on",
            "submission_user_id",
            *REVIEW_FIELDS,
        }
    )
    _review_link = "entry_id"
    _review_activity = "customer_cost.mail_activity_type_review"

    name = fields.Char(string="Number", readonly=True, copy=False)
    kind = fields.Selection(
        [("captured", "In the books"), *MANUAL_KINDS],
        compute="_compute_kind",
        store=True,
        precompute=True,
        readonly=False,
        required=True,
    )
    state = fields.Selection(
        ENTRY_STATES,
        required=True,
        default="draft",
        readonly=True,
        copy=False,
        index=True,
        tracking=True,
    )
    company_id = fields.Many2one(
        "res.company",
        required=True,
        default=lambda self: self.env.company,
        index=True,
    )
    date = fields.Date(required=True, default=fields.Date.context_today, tracking=True)
    service_from = fields.Date(
        tracking=True,
        help="Spreads the cost over the months of the service period. Without one, it counts in "
        "the month of its date.",
    )
    service_to = fields.Date(string="Service Until", tracking=True)
    item_id = fields.Many2one(
        "customer.cost.item",
        string="Cost Item",
        required=True,
        index=True,
        ondelete="restrict",
        check_company=True,
        tracking=True,
    )
    currency_id = fields.Many2one(
        "res.currency",
        required=True,
        default=lambda self: self.env.company.currency_id,
    )
    company_currency_id = fields.Many2one(
        related="company_id.currency_id", string="Company Currency"
    )
    amount = fields.Monetary(required=True, tracking=True)
    amount_company = fields.Monetary(
        string="Amount in Company Currency",
        currency_field="company_currency_id",
        compute="_compute_amount_company",
        store=True,
        readonly=True,
        copy=False,
    )
    contact_id = fields.Many2one(
        "res.partner",
        check_company=True,
        help="The person or address concerned; the cost counts for the company behind it.",
    )
    customer_id = fields.Many2one(
        "res.partner",
        ondelete="restrict",
        index=True,
        check_company=True,
        tracking=True,
        help="Left empty, the cost is indirect and waits in its pool for a run.",
    )
    cost_centre_id = fields.Many2one("account.analytic.account", check_company=True)
    vendor_id = fields.Many2one("res.partner", check_company=True)
    spender_id = fields.Many2one(
        "res.users", string="Spent By", default=lambda self: self.env.user, tracking=True
    )
    payment_method = fields.Selection(
        [
            ("own", "Paid by the employee"),
            ("company", "Paid by the company"),
            ("none", "No payment"),
        ],
        default="none",
    )
    description = fields.Char()
    submitter_id = fields.Many2one("res.users", string="Submitted By", readonly=True, copy=False)
    last_editor_id = fields.Many2one(
        "res.users", string="Last Changed By", readonly=True, copy=False
    )
    review_ids = fields.One2many("customer.cost.review", "entry_id", string="Decisions")
    reversal_of_id = fields.Many2one(
        "customer.cost.entry",
        string="Reverses",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
    )
    reversal_ids = fields.One2many("customer.cost.entry", "reversal_of_id", string="Reversals")
    line_ids = fields.One2many("customer.cost.line", "entry_id", string="Ledger Lines")
    source_line_id = fields.Integer(string="Journal Item", readonly=True, copy=False)
    source_move_id = fields.Integer(string="Journal Entry", readonly=True, copy=False)
    map_id = fields.Integer(string="Account Map Row", readonly=True, copy=False)
    cannot_approve_reason = fields.Char(compute="_compute_cannot_approve_reason")
    can_edit = fields.Boolean(compute="_compute_can_edit")

    _source_unique = models.UniqueIndex(
        "(source_line_id, COALESCE(customer_id, 0), item_id) WHERE source_line_id IS NOT NULL"
    )
    _source_move_idx = models.Index("(source_move_id) WHERE source_move_id IS NOT NULL")

    # ------------------------------------------------------------
    # Computes
    # ------------------------------------------------------------

    @api.depends("name", "description", "item_id")
    def _compute_display_name(self):
        for entry in self:
            entry.display_name = entry.name or entry.description or entry.item_id.display_name or ""

    @api.depends("item_id")
    def _compute_kind(self):
        for entry in self:
            kind = entry.kind or "statistical"
            entry.kind = kind if kind == "captured" else entry.item_id.manual_kind or kind

    @api.depends("amount", "currency_id", "company_id", "date", "reversal_of_id")
    def _compute_amount_company(self):
        for entry in self.filtered(lambda entry: entry.kind != "captured"):
            if entry.reversal_of_id:
                # At another day's rate the two would not add up to zero.
                entry.amount_company = -entry.reversal_of_id.amount_company
                continue
            if not (entry.currency_id and entry.company_id and entry.date):
                entry.amount_company = entry.amount
                continue
            entry.amount_company = entry.currency_id._convert(
                entry.amount, entry.company_id.currency_id, entry.company_id, entry.date
            )

    @api.depends("state", "kind")
    @api.depends_context("uid")
    def _compute_can_edit(self):
        writable = self._origin._filtered_access("write")
        for entry in self:
            may_write = not entry._origin or entry._origin in writable
            editable = entry.kind != "captured" and entry.state in EDITABLE_STATES
            entry.can_edit = may_write and editable

    @api.depends("state", "cost_review_id", "submitter_id", "spender_id", "last_editor_id")
    @api.depends_context("uid")
    def _compute_cannot_approve_reason(self):
        reasons = self._get_cannot_approve_reasons()
        for entry in self:
            entry.cannot_approve_reason = reasons[entry]

    @api.onchange("contact_id")
    def _onchange_contact_id(self):
        if self.contact_id:
            self.customer_id = self.contact_id.commercial_partner_id

    @api.onchange("customer_id")
    def _onchange_customer_id(self):
        if self.customer_id != self.customer_id.commercial_partner_id:
            self.contact_id = self.customer_id
            self.customer_id = self.customer_id.commercial_partner_id
        elif self.contact_id.commercial_partner_id != self.customer_id:
            self.contact_id = False

    # ------------------------------------------------------------
    # Create, write, unlink
    # ------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        entries = super().create(vals_list)
        for entry in entries:
            entry._unguarded().write(
                {
                    "name": self.env["ir.sequence"]
                    .with_company(entry.company_id)
                    .next_by_code("customer.cost.entry"),
                    "last_editor_id": self.env.uid,
                }
            )
        return entries

    def _add_missing_default_values(self, values):
        values = super()._add_missing_default_values(values)
        self._check_new_values(values)
        self._normalise_customer(values)
        self._check_own_customer(values)
        return values

    def write(self, vals):
        substance = SUBSTANCE_FIELDS.intersection(vals)
        if substance and not self._guard_is_open():
            self._check_is_number(vals)
            self._check_manual_kind(vals)
            self._check_substance_editable(substance)
            self._normalise_customer(vals)
            if "customer_id" in vals:
                self._check_own_customer(vals)
        res = super().write(vals)
        if substance and not self._guard_is_open():
            # The customer or the company may be another one now.
            self.check_access("write")
            self._unguarded().write({"last_editor_id": self.env.uid})
            self.filtered(lambda entry: entry.state == "submitted")._restart_review()
        return res

    @api.model
    def _normalise_customer(self, vals):
        """The customer is the commercial partner; who was named instead stays as contact."""
        for name in ("customer_id", "contact_id"):
            partner = self.env["res.partner"].browse(vals.get(name) or [])
            commercial = partner.commercial_partner_id
            if partner and (name == "contact_id" or partner != commercial):
                vals.setdefault("contact_id", partner.id)
                if name == "customer_id" or "customer_id" not in vals:
                    vals["customer_id"] = commercial.id

    def _check_substance_editable(self, names):
        for entry in self:
            if entry.reversal_of_id and names - REVERSAL_FIELDS:
                raise UserError(
                    self.env._(
                        "%(cost)s is a reversal: it keeps the item, the customer and the amount "
                        "of the cost it reverses.",
                        cost=entry.display_name,
                    )
                )
            if entry.kind == "captured":
                raise UserError(
                    self.env._(
                        "%(cost)s comes from the books. Change its journal item instead.",
                        cost=entry.display_name,
                    )
                )
            if entry.state == "approved" and entry.kind == "request":
                raise UserError(
                    self.env._(
                        "%(cost)s is approved and can no longer be changed. Release what is open "
                        "of it and ask again.",
                        cost=entry.display_name,
                    )
                )
            if entry.state not in EDITABLE_STATES:
                raise UserError(
                    self.env._(
                        "%(cost)s is %(state)s and can no longer be changed. "
                        "An approved cost is corrected by its reversal.",
                        cost=entry.display_name,
                        state=dict(self._fields["state"]._description_selection(self.env))[
                            entry.state
                        ],
                    )
                )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_draft(self):
        for entry in self:
            decided = entry.state not in MUTABLE_STATES or entry.sudo().review_ids  # sudo: any
            if entry.kind == "captured" or decided:
                raise UserError(
                    self.env._(
                        "%(cost)s cannot be deleted: only a draft that nobody decided on can.",
                        cost=entry.display_name,
                    )
                )

    def copy_data(self, default=None):
        copied = super().copy_data({"date": fields.Date.context_today(self), **(default or {})})
        for entry, vals in zip(self, copied, strict=True):
            if entry.kind == "captured" and "kind" not in (default or {}):
                del vals["kind"]  # the copy is recorded by hand
        return copied
