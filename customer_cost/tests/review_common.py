from odoo.fields import Command

from .common import CustomerCostCommon


class ReviewCommon(CustomerCostCommon):
    """The stages of the company and reviewers to decide at them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.author = cls.users["accountant"]
        cls.reviewer = cls.users["reviewer"]
        cls.second = cls.create_user("cost_reviewer_2", "reviewer", email="two@example.com")
        cls.third = cls.create_user("cost_reviewer_3", "reviewer", email="three@example.com")
        stages = cls.env["customer.cost.review.stage"].with_context(active_test=False)
        cls.stages = stages.search([("company_id", "=", cls.company.id)])
        cls.initial, cls.middle, cls.final = cls.stages

    @classmethod
    def set_stage(cls, stage, **vals):
        """Switch a shipped stage on, without its checklist unless one is given."""
        stage.write({"active": True, "check_ids": [Command.clear()], **vals})
        return stage

    @classmethod
    def name_persons(cls, stage, *users, **vals):
        ids = [user.id for user in users]
        return cls.set_stage(stage, reviewer_kind="users", user_ids=[Command.set(ids)], **vals)

    def submit(self, **vals):
        entry = self.create_cost(**vals)
        entry.action_submit()
        return entry

    def waiting(self, entry):
        """Names of the stages that a document still passes, in order."""
        rows = self.env["customer.cost.review"].search(
            [(entry._review_link, "=", entry.id), ("decision", "=", "pending")], order="sequence"
        )
        return rows.mapped("name")

    def decisions(self, entry):
        return [(row.name, row.decision, row.user_id) for row in entry.review_ids.sorted("id")]

    def tick(self, entry, user):
        entry.cost_review_id.check_ids.with_user(user).action_tick()
