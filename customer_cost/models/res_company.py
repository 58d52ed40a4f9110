from odoo import api, fields, models


class ResCompany(models.Model):
    _inherit = "res.company"

    customer_cost_plan_id = fields.Many2one(
        "account.analytic.plan",
        string="Customers' Analytic Plan",
        default=lambda self: self._default_customer_cost_plan_id(),
        domain=[("parent_id", "=", False)],
        help="An analytic account of this plan that has a customer makes a cost direct.",
    )
    customer_cost_centre_plan_id = fields.Many2one(
        "account.analytic.plan",
        string="Cost Centres' Analytic Plan",
        domain=[("parent_id", "=", False)],
        help="Its accounts are the cost centres of indirect cost. Left empty, the accounts of the "
        "customers' plan that have no customer are.",
    )
    customer_cost_excluded_journal_ids = fields.Many2many(
        "account.journal",
        "customer_cost_excluded_journal_rel",
        "company_id",
        "journal_id",
        string="Journals Without Customer Cost",
        check_company=True,
        help="Nothing posted in these journals is a customer cost. A change counts from the next "
        "comparison of the books with the ledger, in the night or by the history wizard.",
    )
    customer_cost_max_days_back = fields.Integer(
        string="Days Back for Manual Costs",
        default=366,
        help="How long ago a cost recorded by hand may have been incurred.",
    )
    customer_cost_request_reminder_days = fields.Integer(
        string="Remind of Open Requests After (Days)",
        default=30,
        help="The author of an approved request that is not settled is reminded after so many "
        "days, and again after as many. Zero: never.",
    )
    customer_cost_policy_text = fields.Text(
        string="Cost Policy",
        translate=True,
        help="Stands on the form where a cost is recorded or asked for.",
    )
    customer_cost_budget_block_bills = fields.Boolean(
        string="Budgets Block Bills",
        help="A vendor bill that a budget blocks cannot be posted. Off, it waits for the review "
        "that a milder limit of the budget asks for, and passes with a note where there is none.",
    )
    customer_cost_start_date = fields.Date(
        string="Costs Captured From",
        readonly=True,
        help="Set at install: journal items dated before it are captured only in the months that "
        "the history brought in. Empty: everything is captured.",
    )

    _customer_cost_max_days_back_positive = models.Constraint(
        "CHECK(customer_cost_max_days_back >= 0)",
        "The days back for manual costs cannot be negative.",
    )
    _customer_cost_request_reminder_days_positive = models.Constraint(
        "CHECK(customer_cost_request_reminder_days >= 0)",
        "The days until a reminder cannot be negative.",
    )

    @api.model_create_multi
    def create(self, vals_list):
        companies = super().create(vals_list)
        self.env["customer.cost.review.stage"]._create_shipped(companies)
        return companies

    def write(self, vals):
        res = super().write(vals)
        if {"fiscalyear_last_day", "fiscalyear_last_month"}.intersection(vals):
            for company in self:
                self.env["customer.cost.dirty"]._mark(company.id, [None])
        return res

    def _default_customer_cost_plan_id(self):
        plan = self.env.ref("analytic.analytic_plan_projects", raise_if_not_found=False)
        return plan or self.env["account.analytic.plan"]
