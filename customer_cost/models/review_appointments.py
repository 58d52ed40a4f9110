REVIEWERS = "customer_cost.group_customer_cost_reviewer"
OWN_APPROVAL = "customer_cost.group_customer_cost_own_approval"
# Who may read the books, as field groups write it.
BOOK_GROUPS = "account.group_account_readonly,account.group_account_invoice"
# Vendor documents whose lines may name a customer.
CUSTOMER_BILL_TYPES = ("in_invoice", "in_refund", "in_receipt")


class Appointments:
    """Who may decide at which stage, looked up once per call.

    A stage names persons; whoever is absent is represented by their substitute. Only reviewers of
    the company decide, on a bill only those who may read it, and never the author. Where that
    leaves nobody, the person of the escalation does, else the cost managers who are reviewers:
    no cost waits for somebody who has left.
    """

    def __init__(self, env):
        self.env = env(su=True)  # sudo: roles, absences and substitutes of colleagues
        self._eligible = {}
        self._appointed = {}

    def get_members(self, xmlid):
        return self.env.ref(xmlid).all_user_ids.filtered("active")

    def get_eligible(self, company, is_bill):
        """Reviewers of the company; of a bill those who may read the books."""
        key = (company.id, is_bill)
        if key not in self._eligible:
            users = self.get_members(REVIEWERS).filtered(
                lambda user: not user.share and company in user.company_ids
            )
            if is_bill:
                readers = self.env["res.users"].union(
                    *map(self.get_members, BOOK_GROUPS.split(","))
                )
                users &= readers
            self._eligible[key] = users
        return self._eligible[key]

    def get_appointed(self, review):
        """Users who may decide on a row of the review, four eyes but for the author's set apart."""
        return self.get_appointed_to(
            review.stage_id,
            review.company_id,
            review.author_id,
            review.customer_id.user_id,
            bool(review.move_id),
            review.escalated,
        )

    def get_appointed_to(self, stage, company, author, salesperson, is_bill, escalated=False):
        key = (stage.id, company.id, author.id, salesperson.id, is_bill, escalated)
        if key not in self._appointed:
            self._appointed[key] = self._find_appointed(
                stage.sudo(), company, author.sudo(), salesperson.sudo(), is_bill, escalated
            )
        return self._appointed[key]

    def _find_appointed(self, stage, company, author, salesperson, is_bill, escalated):
        eligible = self.get_eligible(company, is_bill)
        others = eligible - author
        if author in eligible and author in self.get_members(OWN_APPROVAL):
            others = eligible
        if not stage:
            return others
        if stage.reviewer_kind == "users":
            named = stage.user_ids
        elif stage.reviewer_kind == "manager":
            named = author._get_customer_cost_manager()
        elif stage.reviewer_kind == "salesperson":
            named = salesperson
        else:
            named = (stage.group_id or self.env.ref(REVIEWERS)).all_user_ids
        found = (named | self.represent(named)) & others
        if not found or escalated:
            found |= self.represent(stage.escalation_user_id) & others
        return found or self.get_members("customer_cost.group_customer_cost_manager") & others

    def represent(self, users):
        """The users, each absent one replaced by the substitute, or the substitute's, if any."""
        present = users.browse()
        for user in users:
            passed = users.browse()
            while user.is_out_of_office and user.customer_cost_substitute_id and user not in passed:
                passed |= user
                user = user.customer_cost_substitute_id
            present |= user
        return present
