from fractions import Fraction

from odoo import api, fields, models, tools
from odoo.exceptions import ValidationError
from odoo.tools import formatLang

from ..engine import to_minor


class CustomerCostBudgetBand(models.Model):
    """What happens when cost passes a limit of its budget: whichever of the two is hit first."""

    _name = "customer.cost.budget.band"
    _description = "Customer Budget Limit"
    _inherit = ["customer.cost.budget.part"]
    _order = "budget_id, percentage, amount, id"
    _check_company_auto = True

    percentage = fields.Float(
        string="% of Plan",
        digits=(9, 2),
        help="Passed when actual and committed cost exceed this part of the plan, e.g. 80 or 110.",
    )
    amount = fields.Monetary(
        string="Amount Over Plan",
        help="Passed when actual and committed cost exceed the plan by more than this amount.",
    )
    action = fields.Selection(
        [("warn", "Warn"), ("review", "Ask for one more review"), ("block", "Block")],
        string="What Happens",
        required=True,
        default="warn",
    )
    stage_id = fields.Many2one(
        "customer.cost.review.stage",
        string="Review Stage",
        ondelete="restrict",
        check_company=True,
    )

    _limits_range = models.Constraint(
        "CHECK(percentage >= 0 AND percentage < 1e6 AND amount >= 0 AND amount < 1e12)",
        "A limit is not negative.",
    )

    @api.model_create_multi
    def create(self, vals_list):
        bands = super().create(vals_list)
        if any(band.action != "warn" for band in bands):
            self.env.registry.clear_cache()
        return bands

    def write(self, vals):
        if {"action", "budget_id"}.intersection(vals):
            self.env.registry.clear_cache()
        return super().write(vals)

    @api.model
    @tools.ormcache("action")
    def _get_companies(self, action):
        """Ids of the companies with a budget that may do so where a limit is passed."""
        bands = self.sudo()._read_group([("action", "=", action)], ["company_id"])  # sudo: all
        return frozenset(company.id for (company,) in bands)

    @api.depends("percentage", "amount")
    def _compute_display_name(self):
        for band in self:
            parts = []
            if band.percentage:
                parts.append(
                    self.env._(
                        "%(percentage)s %% of the plan",
                        percentage=formatLang(self.env, band.percentage, digits=0)
                        if band.percentage == int(band.percentage)
                        else formatLang(self.env, band.percentage, digits=2),
                    )
                )
            if band.amount:
                parts.append(
                    self.env._(
                        "%(amount)s over the plan",
                        amount=formatLang(self.env, band.amount, currency_obj=band.currency_id),
                    )
                )
            band.display_name = self.env._(" or ").join(parts)

    @api.constrains("percentage", "amount", "action", "stage_id")
    def _check_band(self):
        for band in self:
            if not (band.percentage or band.amount):
                raise ValidationError(
                    self.env._("A limit needs a percentage of the plan or an amount over it.")
                )
            if (band.action == "review") != bool(band.stage_id):
                raise ValidationError(
                    self.env._("A limit that asks for one more review, and no other, has a stage.")
                )

    @api.onchange("action")
    def _onchange_action(self):
        if self.action != "review":
            self.stage_id = False

    def _get_limit(self, planned, digits):
        """What may be used of ``planned``, both in minor units; exactly that much is allowed.

        :return: int or :class:`~fractions.Fraction`
        """
        self.ensure_one()
        limits = []
        if self.percentage:
            limits.append(planned * Fraction(str(self.percentage)) / 100)
        if self.amount:
            limits.append(planned + to_minor(self.amount, digits))
        return min(limits)
