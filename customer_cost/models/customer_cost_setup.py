from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL, date_utils, format_date

from ..engine import COST, COST_OF_SALES, LEFT_OUT, SALES
from ..fields import Amount
from .customer_cost_account_map import RESULT_ACCOUNT_TYPES

STEPS = [
    ("accounts", "Accounts"),
    ("months", "Months"),
    ("calculate", "Calculate"),
    ("done", "Result"),
]
ROLE_FIELDS = {
    "manager_ids": "customer_cost.group_customer_cost_manager",
    "accountant_ids": "customer_cost.group_customer_cost_accountant",
    "reviewer_ids": "customer_cost.group_customer_cost_reviewer",
}


class CustomerCostSetup(models.Model):
    """The way from posted books to the first ladder per customer, one record per company.

    It can be gone again at any time: what a person changed meanwhile stays as it is.
    """

    _name = "customer.cost.setup"
    _description = "Customer Cost Set-up"
    _inherit = ["customer.cost.guarded"]
    _guarded_fields = frozenset(
        {
            "company_id",
            "step",
            "result_total",
            "rules_made",
            "rule_id",
            "full_cost_rule_id",
            "is_running",
            "requester_id",
            "requester_lang",
            "progress_at",
            "history_id",
            "message",
            "account_ids",
            "month_ids",
        }
    )

    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    step = fields.Selection(STEPS, required=True, default="accounts", readonly=True)
    date_from = fields.Date(string="From", required=True)
    date_to = fields.Date(string="To", required=True)
    account_ids = fields.One2many("customer.cost.setup.account", "setup_id", string="All Accounts")
    posted_account_ids = fields.One2many(
        "customer.cost.setup.account",
        "setup_id",
        string="Accounts",
        domain=[("is_posted", "=", True)],
    )
    unposted_account_ids = fields.One2many(
        "customer.cost.setup.account",
        "setup_id",
        string="Without Postings",
        domain=[("is_posted", "=", False)],
    )
    sales_total = Amount(string="Sales", compute="_compute_totals")
    cost_of_sales_total = Amount(string="Cost of Sales", compute="_compute_totals")
    cost_total = Amount(
        string="Cost of Customers",
        compute="_compute_totals",
        help="What the cost items take: direct cost and the pools that the rules share out.",
    )
    left_out_total = Amount(string="Left Out", compute="_compute_totals")
    excluded_total = Amount(string="Excluded Entries", compute="_compute_totals")
    result_total = Amount(
        string="Profit and Loss",
        readonly=True,
        help="Result of every posted journal item on a profit-and-loss account in these months.",
    )
    difference = Amount(compute="_compute_totals")
    rules_made = fields.Boolean(readonly=True)
    rule_id = fields.Many2one("customer.cost.rule", readonly=True, ondelete="set null")
    full_cost_rule_id = fields.Many2one("customer.cost.rule", readonly=True, ondelete="set null")
    manager_ids = fields.Many2many(
        "res.users", string="Cost Managers", compute="_compute_role_users"
    )
    accountant_ids = fields.Many2many(
        "res.users", string="Cost Accountants", compute="_compute_role_users"
    )
    reviewer_ids = fields.Many2many("res.users", string="Reviewers", compute="_compute_role_users")
    month_ids = fields.One2many("customer.cost.setup.month", "setup_id", string="Months")

    _company_unique = models.UniqueIndex(
        "(company_id)", "This company already has a set-up: open it again."
    )
    _dates_in_order = models.Constraint(
        "CHECK(date_from <= date_to)", "The months cannot end before they begin."
    )

    @api.depends("company_id")
    def _compute_display_name(self):
        for setup in self:
            setup.display_name = self.env._("Set-up of %(company)s", company=setup.company_id.name)

    @api.depends(
        "result_total",
        "account_ids.amount",
        "account_ids.goods_amount",
        "account_ids.mapped_amount",
        "account_ids.excluded_amount",
        "account_ids.kind",
        "account_ids.status",
    )
    def _compute_totals(self):
        for setup in self:
            totals = dict.fromkeys((SALES, COST_OF_SALES, COST, LEFT_OUT), 0.0)
            for line in setup.account_ids:
                for kind, amount in line._get_parts().items():
                    totals[kind] += amount
            excluded = sum(setup.account_ids.mapped("excluded_amount"))
            rounding = setup.currency_id.round if setup.currency_id else round
            setup.sales_total = rounding(totals[SALES])
            setup.cost_of_sales_total = rounding(totals[COST_OF_SALES])
            setup.cost_total = rounding(totals[COST])
            setup.left_out_total = rounding(totals[LEFT_OUT])
            setup.excluded_total = rounding(excluded)
            setup.difference = rounding(setup.result_total - sum(totals.values()) - excluded)

    @api.depends("company_id")
    def _compute_role_users(self):
        for setup in self:
            for name, group in ROLE_FIELDS.items():
                setup[name] = self._get_users(setup.company_id, group)

    @api.model
    def _get_users(self, company, group):
        """Who has a role in ``company``, as the reader may see users."""
        # sudo: of which other companies they are, the reader need not be able to see
        users = self.env.ref(group).sudo().all_user_ids
        users = users.filtered(
            lambda user: user.active and not user.share and company in user.company_ids
        )
        return self.env["res.users"].browse(users.ids)

    # ------------------------------------------------------------
    # The record of the company
    # ------------------------------------------------------------

    @api.model
    def _get(self, company):
        """Return the set-up of ``company``, made if there is none."""
        # sudo: only this method makes the record, for a caller whose role was checked
        setups = self.sudo()
        found = setups.search([("company_id", "=", company.id)])
        if not found:
            first, last = self._get_default_range(company)
            found = setups._unguarded().create(
                {"company_id": company.id, "date_from": first, "date_to": last}
            )
        return self.browse(found.id)

    @api.model
    def _get_default_range(self, company):
        """The previous fiscal year and this one up to today, and the 24 full months before it.

        Two times twelve full months are what tells which customers are getting worse.
        """
        today = fields.Date.context_today(self)
        year = company.compute_fiscalyear_dates(today)
        before = date_utils.subtract(year["date_from"], days=1)
        two_years = date_utils.subtract(date_utils.start_of(today, "month"), months=24)
        return min(company.compute_fiscalyear_dates(before)["date_from"], two_years), today

    def write(self, vals):
        res = super().write(vals)
        if {"date_from", "date_to"}.intersection(vals):
            for setup in self:
                setup._check_not_running()
                setup._read_accounts()
                if setup.step in ("months", "calculate"):
                    setup._preview_months()
        return res

    @api.model
    def action_open(self):
        """Open the set-up of the current company where it was left.

        :return: an action
        :raises AccessError: the user is no cost manager; the message names those who are
        """
        company = self.env.company
        self._check_cost_manager(
            self.env._(
                "Only a cost manager sets up customer cost. Ask %(names)s.",
                names=", ".join(self._get_managers(company))
                or self.env._("your administrator to give somebody this role"),
            )
        )
        setup = self._get(company)
        if setup.step == "accounts":
            setup._read_accounts()
        return setup._get_form_action()

    @api.model
    def _get_status(self, company):
        """What the home screen says about the set-up of ``company``, a JSON-serialisable dict."""
        # sudo: whether the company is set up, and whom to ask for it, is no secret
        setup = self.sudo().search([("company_id", "=", company.id)])
        mapped = self.env["customer.cost.account.map"].sudo()
        labels = dict(self._fields["step"]._description_selection(self.env))
        return {
            "is_needed": not mapped.search_count(
                [("company_id", "parent_of", company.id)], limit=1
            ),
            "is_running": setup.is_running,
            "unfinished_step": setup.step != "done" and labels.get(setup.step, False),
            "progress": setup.progress,
            "can_set_up": self.env.user.has_group("customer_cost.group_customer_cost_manager"),
            "managers": self._get_managers(company),
        }

    @api.model
    def _get_managers(self, company):
        """Names of the cost managers of ``company``."""
        # sudo: whom to ask is told to everybody
        return self._get_users(company, ROLE_FIELDS["manager_ids"]).sudo().mapped("name")

    def _get_form_action(self):
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Set Up"),
            "res_model": self._name,
            "views": [(False, "form")],
            "res_id": self.id,
            "context": {"create": False},
        }

    # ------------------------------------------------------------
    # Steps
    # ------------------------------------------------------------

    def _check_may_set_up(self):
        self.ensure_one()
        self._check_cost_manager(self.env._("Only a cost manager sets up customer cost."))
        self.check_access("write")

    def _check_not_running(self):
        if self.is_running:
            raise UserError(
                self.env._("The calculation is running. Wait until it is done, or stop it first.")
            )

    def _set_step(self, step):
        # sudo: the step belongs to the methods that checked the role
        self.sudo()._unguarded().write({"step": step})

    def action_read_accounts(self):
        """Read the books again; what a person decided in the list stays."""
        self._check_may_set_up()
        self._check_not_running()
        self._read_accounts()

    def action_accept_accounts(self):
        """Write the account map as listed, where it has no row yet, and go on to the months.

        :raises UserError: the list does not add up to the profit and loss, or a line of it has
            neither a cost item nor a reason
        """
        self._check_may_set_up()
        self._check_not_running()
        self._check_adds_up()
        self.account_ids._write_map()
        self._preview_months()
        self._set_step("months")

    def action_accept_months(self):
        """Go on to the calculation with the months chosen."""
        self._check_may_set_up()
        self._check_not_running()
        if not self._get_past_months():
            raise UserError(
                self.env._(
                    "No month between %(first)s and %(last)s is over: there is nothing to "
                    "calculate. Choose an earlier first day.",
                    first=format_date(self.env, self.date_from),
                    last=format_date(self.env, self.date_to),
                )
            )
        self._set_step("calculate")

    def action_back(self):
        """Go one step back; nothing that was done is undone."""
        self._check_may_set_up()
        self._check_not_running()
        steps = [step for step, _label in STEPS]
        before = steps[max(steps.index(self.step) - 1, 0)]
        self._set_step(before)
        if before == "accounts":
            self._read_accounts()

    def action_restart(self):
        """Go through the set-up again from the accounts, up to today."""
        self._check_may_set_up()
        self._check_not_running()
        self._set_step("accounts")
        self.write({"date_to": fields.Date.context_today(self)})

    def action_show_result(self):
        """Open the overview."""
        self.ensure_one()
        return self.env["ir.actions.actions"]._for_xml_id(
            "customer_cost.customer_cost_overview_action"
        )

    def action_open_rules(self):
        """Open the allocation rules."""
        self.ensure_one()
        return self.env["ir.actions.actions"]._for_xml_id("customer_cost.customer_cost_rule_action")

    def _get_past_months(self):
        """First days of the months of the range that are over, ascending."""
        today = fields.Date.context_today(self)
        first = date_utils.start_of(self.date_from, "month")
        end = min(self.date_to, date_utils.start_of(today, "month"))
        months = []
        while first <= end and date_utils.end_of(first, "month") < today:
            months.append(first)
            first = date_utils.add(first, months=1)
        return months

    # ------------------------------------------------------------
    # Adding up
    # ------------------------------------------------------------

    def _read_result(self):
        """Result of the profit-and-loss accounts in the range, in company currency.

        Read from the journal items alone: the list of accounts is checked against it.
        """
        self.env["account.move.line"].flush_model(["balance", "date", "parent_state", "company_id"])
        self.env["account.account"].flush_model(["account_type"])
        [[result]] = self.env.execute_query(
            SQL(
                """SELECT COALESCE(-sum(l.balance), 0)
                     FROM account_move_line l JOIN account_account a ON a.id = l.account_id
                    WHERE l.company_id = %s AND l.date BETWEEN %s AND %s
                      AND l.parent_state = 'posted' AND a.account_type IN %s""",
                self.company_id.id,
                self.date_from,
                self.date_to,
                RESULT_ACCOUNT_TYPES,
            )
        )
        return float(result)

    def _check_adds_up(self):
        """The list of accounts has to be the profit and loss as the books have it now.

        :raises UserError: naming both figures and the difference
        """
        result = self._read_result()
        difference = self.difference + result - self.result_total
        if not self.currency_id.is_zero(difference):
            raise UserError(
                self.env._(
                    "The accounts listed add up to %(listed)s, the profit and loss of these months "
                    "is %(result)s: %(difference)s is missing. The books changed since the list "
                    "was read: read it again.",
                    listed=self.currency_id.format(result - difference),
                    result=self.currency_id.format(result),
                    difference=self.currency_id.format(difference),
                )
            )
