from odoo import api, fields, models
from odoo.fields import Domain


class CustomerCostAccountMixin(models.AbstractModel):
    """Records of an account: they show its code in their own company, not in the reader's."""

    _name = "customer.cost.account.mixin"
    _description = "Record of an Account"

    company_id = fields.Many2one("res.company")
    account_id = fields.Many2one("account.account")
    account_code = fields.Char(
        string="Code", compute="_compute_account_code", search="_search_account_code"
    )
    account_name = fields.Char(string="Account Name", related="account_id.name")

    @api.depends("account_id", "company_id")
    def _compute_account_code(self):
        for company, records in self.grouped("company_id").items():
            for record in records:
                # sudo: the company of a record that can be read need not be one of the user's
                account = record.account_id.sudo().with_company(company)
                record.account_code = account.code

    @api.model
    def _search_account_code(self, operator, value):
        # sudo: which records are found, the reader's rights decide
        accounts = self.env["account.account"].sudo()
        companies = self.env.companies.sudo().root_id
        return Domain.OR(
            Domain("company_id", "child_of", company.id)
            & Domain(
                "account_id",
                "in",
                accounts.with_company(company)._search([("code", operator, value)]),
            )
            for company in companies
        )
