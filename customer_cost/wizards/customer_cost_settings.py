from odoo import api, fields, models
from odoo.exceptions import AccessError

from ..models.res_company_service import SERVICE_METHODS


class CustomerCostSettings(models.TransientModel):
    """The settings of a company that its cost manager keeps, no system administrator needed."""

    _name = "customer.cost.settings"
    _description = "Customer Cost Settings"
    _check_company_auto = True

    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, default=lambda self: self.env.company
    )
    plan_id = fields.Many2one(
        "account.analytic.plan",
        string="Customers' Analytic Plan",
        domain=[("parent_id", "=", False)],
        default=lambda self: self.env.company.customer_cost_plan_id,
        help="An analytic account of this plan that has a customer makes a cost direct.",
    )
    centre_plan_id = fields.Many2one(
        "account.analytic.plan",
        string="Cost Centres' Analytic Plan",
        domain=[("parent_id", "=", False)],
        default=lambda self: self.env.company.customer_cost_centre_plan_id,
        help="Its accounts are the cost centres of indirect cost. Left empty, the accounts of the "
        "customers' plan that have no customer are.",
    )
    service_method = fields.Selection(
        SERVICE_METHODS,
        string="Cost Centres Serve Each Other",
        required=True,
        default=lambda self: self.env.company.customer_cost_service_method,
        help="What becomes of cost that a serving cost centre sends to another serving one. "
        "A change counts from the next run that is computed.",
    )
    excluded_journal_ids = fields.Many2many(
        "account.journal",
        string="Journals Without Customer Cost",
        check_company=True,
        default=lambda self: self.env.company.customer_cost_excluded_journal_ids,
        help="Nothing posted in these journals is a customer cost. A change counts from the next "
        "comparison of the books with the ledger, in the night or by the history wizard.",
    )
    max_days_back = fields.Integer(
        string="Days Back for Manual Costs",
        default=lambda self: self.env.company.customer_cost_max_days_back,
        help="How long ago a cost recorded by hand may have been incurred.",
    )
    request_reminder_days = fields.Integer(
        string="Remind of Open Requests After",
        default=lambda self: self.env.company.customer_cost_request_reminder_days,
        help="The author of an approved request that is not settled is reminded after so many "
        "days, and again after as many. Zero: never.",
    )
    policy_text = fields.Text(
        string="Cost Policy",
        default=lambda self: self.env.company.customer_cost_policy_text,
        help="Stands on the form where a cost is recorded or asked for.",
    )
    budget_block_bills = fields.Boolean(
        string="Budgets Block Bills",
        default=lambda self: self.env.company.customer_cost_budget_block_bills,
        help="A vendor bill that a budget blocks cannot be posted. Off, it waits for the review "
        "that a milder limit of the budget asks for, and passes with a note where there is none.",
    )

    def action_save(self):
        """Store the settings on the company.

        :raises AccessError: the user is no cost manager of the company
        """
        self.ensure_one()
        manager = self.env.user.has_group("customer_cost.group_customer_cost_manager")
        if not manager or self.company_id not in self.env.companies:
            raise AccessError(self.env._("Only a cost manager changes these settings."))
        # sudo: the role was checked, and only the product's own fields are written
        self.company_id.sudo().write(self._prepare_company_vals())
        return {"type": "ir.actions.act_window_close"}

    @api.model
    def _get_company_fields(self):
        """Field here by field of the company."""
        return {
            "customer_cost_plan_id": "plan_id",
            "customer_cost_centre_plan_id": "centre_plan_id",
            "customer_cost_service_method": "service_method",
            "customer_cost_excluded_journal_ids": "excluded_journal_ids",
            "customer_cost_max_days_back": "max_days_back",
            "customer_cost_request_reminder_days": "request_reminder_days",
            "customer_cost_policy_text": "policy_text",
            "customer_cost_budget_block_bills": "budget_block_bills",
        }

    def _prepare_company_vals(self):
        names = self._get_company_fields()
        return {
            name: self._fields[own].convert_to_write(self[own], self) for name, own in names.items()
        }
