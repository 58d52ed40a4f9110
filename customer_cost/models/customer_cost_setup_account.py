from odoo import api, fields, models
from odoo.exceptions import UserError

from ..engine import COST, COST_OF_SALES, LEFT_OUT, SALES
from ..fields import Amount
from .customer_cost_account_map import INVOICE_ACCOUNT_TYPES, SALES_ACCOUNT_TYPES

KINDS = [
    (SALES, "Sales"),
    (COST_OF_SALES, "Cost of sales"),
    (COST, "Cost of customers"),
    (LEFT_OUT, "Left out"),
]
KIND_BY_TYPE = {"income": SALES, "expense_direct_cost": COST_OF_SALES}
PERSONS_FIELDS = frozenset({"kind", "item_id", "left_out_reason"})


class CustomerCostSetupAccount(models.Model):
    """What becomes of one profit-and-loss account: as the map has it, else as proposed."""

    _name = "customer.cost.setup.account"
    _description = "Account in the Set-up"
    _inherit = ["customer.cost.guarded"]
    _order = "sequence, code, id"
    _guarded_fields = frozenset(
        {
            "setup_id",
            "account_id",
            "code",
            "sequence",
            "status",
            "is_posted",
            "amount",
            "goods_amount",
            "mapped_amount",
            "excluded_amount",
        }
    )

    setup_id = fields.Many2one("customer.cost.setup", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="setup_id.company_id", store=True, index=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    account_id = fields.Many2one("account.account", required=True, index=True, ondelete="cascade")
    account_name = fields.Char(string="Account Name", related="account_id.name")
    account_type = fields.Selection(related="account_id.account_type")
    code = fields.Char(readonly=True)
    sequence = fields.Integer(readonly=True)
    kind = fields.Selection(KINDS, string="Counts As", required=True)
    item_id = fields.Many2one("customer.cost.item", string="Cost Item", ondelete="set null")
    left_out_reason = fields.Char(string="Left Out Because")
    status = fields.Selection(
        [
            ("type", "By account type"),
            ("proposed", "Proposed"),
            ("chosen", "Chosen here"),
            ("mapped", "In the map"),
            ("deleted", "Deleted from the map"),
        ],
        string="Decided",
        required=True,
        readonly=True,
        default="proposed",
    )
    is_posted = fields.Boolean(readonly=True)
    amount = Amount(
        readonly=True,
        help="Effect on the result: income above zero, expense below. "
        "Without excluded entries: opening, closing, excluded journals.",
    )
    goods_amount = Amount(
        string="Of Which Goods",
        readonly=True,
        help="Goods bought and their cost entries: they reach customers as product cost.",
    )
    mapped_amount = Amount(readonly=True)
    excluded_amount = Amount(readonly=True)
    is_locked = fields.Boolean(compute="_compute_is_locked")

    _account_unique = models.UniqueIndex("(setup_id, account_id)")

    @api.depends("code", "account_name")
    def _compute_display_name(self):
        for line in self:
            line.display_name = f"{line.code or ''} {line.account_name}".strip()

    @api.depends("status")
    def _compute_is_locked(self):
        for line in self:
            line.is_locked = line.status == "mapped"

    @api.onchange("item_id")
    def _onchange_item_id(self):
        if self.item_id:
            self.kind = COST
            self.left_out_reason = False

    @api.onchange("left_out_reason")
    def _onchange_left_out_reason(self):
        if self.left_out_reason:
            self.kind = LEFT_OUT
            self.item_id = False

    @api.onchange("kind")
    def _onchange_kind(self):
        if self.kind != COST:
            self.item_id = False
        if self.kind != LEFT_OUT:
            self.left_out_reason = False

    def write(self, vals):
        if self._guard_is_open() or not PERSONS_FIELDS.intersection(vals):
            return super().write(vals)
        for line in self:
            if line.is_locked:
                raise UserError(
                    self.env._(
                        "%(account)s is decided already by the account map. Change it there.",
                        account=line.display_name,
                    )
                )
        res = super().write(vals)
        # sudo: the mark that a person decided belongs to this method
        self.sudo()._unguarded().write({"status": "chosen"})
        return res

    def _get_parts(self):
        """The account's amount by what it counts as, a dict of kind to amount."""
        self.ensure_one()
        if self.kind in (SALES, COST_OF_SALES):
            return {self.kind: self.amount}
        kind = KIND_BY_TYPE.get(self.account_type)
        if kind:
            kept = self.mapped_amount if self.status == "mapped" else 0.0
            return {kind: kept, self.kind: self.amount - kept}
        rest = self.amount - self.goods_amount
        cost = rest if self.kind == COST and self.status != "mapped" else self.mapped_amount
        return {COST_OF_SALES: self.goods_amount, COST: cost, LEFT_OUT: rest - cost}

    def _write_map(self):
        """Write the map rows of accounts that have none; no existing row is touched.

        :raises UserError: a line without a cost item or reason
        """
        self.env.flush_all()
        known = self._get_mapped_accounts()
        lines = self.filtered(
            lambda line: (
                line.status in ("proposed", "chosen")
                and line.kind != KIND_BY_TYPE.get(line.account_type)
                and line.account_id not in known
            )
        )
        self.env["customer.cost.account.map"].create([line._prepare_map_vals() for line in lines])
        for line in lines:
            mapped = line.mapped_amount
            if line.account_type in INVOICE_ACCOUNT_TYPES:
                mapped = 0.0
            elif line.kind == COST:
                mapped = line.amount - line.goods_amount
            # sudo: the mark that the map decides now belongs to this method
            line.sudo()._unguarded().write({"status": "mapped", "mapped_amount": mapped})

    def _get_mapped_accounts(self):
        """Accounts with a row of the map for the company, archived ones and parents' included."""
        maps = self.env["customer.cost.account.map"].with_context(active_test=False)
        rows = maps.search(
            [
                ("company_id", "parent_of", self.company_id.ids),
                ("account_id", "in", self.account_id.ids),
            ]
        )
        return rows.account_id

    def _prepare_map_vals(self):
        if (self.kind == COST and not self.item_id) or (
            self.kind == LEFT_OUT and not self.left_out_reason
        ):
            raise UserError(
                self.env._(
                    "%(account)s has neither a cost item nor a reason to leave it out. "
                    "Choose one of them.",
                    account=self.display_name,
                )
            )
        if self.kind == COST and self.account_type in INVOICE_ACCOUNT_TYPES:
            raise UserError(
                self.env._(
                    "%(account)s cannot be a cost item: it is of type Income or Cost of Revenue. "
                    "Change the type of the account, or leave it out with a reason.",
                    account=self.display_name,
                )
            )
        if self.kind == COST_OF_SALES and self.account_type in SALES_ACCOUNT_TYPES:
            raise UserError(
                self.env._(
                    "%(account)s cannot count as cost of sales: it is of type Income. Change the "
                    "type of the account, or leave it out with a reason.",
                    account=self.display_name,
                )
            )
        if self.kind == SALES:
            raise UserError(
                self.env._(
                    "%(account)s cannot count as sales: sales are accounts of type Income. Change "
                    "the type of the account, or leave it out with a reason.",
                    account=self.display_name,
                )
            )
        reason = self.left_out_reason
        if self.kind == COST_OF_SALES:
            reason = self.env._("Cost of sales: it reaches customers as product cost")
        return {
            "account_id": self.account_id.id,
            "company_id": self.company_id.root_id.id,
            "item_id": self.item_id.id,
            "left_out_reason": reason if self.kind != COST else False,
        }
