from odoo import api, fields, models

ACTIVITY_TYPE = "customer_cost.mail_activity_type_rule_review"


class CustomerCostRule(models.Model):
    """Every rule has an owner, who looks at it again on a day of its own."""

    _name = "customer.cost.rule"
    _inherit = ["customer.cost.rule", "mail.activity.mixin"]

    owner_id = fields.Many2one(
        "res.users",
        default=lambda self: self.env.user.filtered("active"),
        index="btree_not_null",
        ondelete="set null",
        domain=lambda self: [
            (
                "all_group_ids",
                "in",
                self.env.ref("customer_cost.group_customer_cost_accountant").ids,
            ),
            ("company_ids", "in", self.env.companies.ids),
        ],
        tracking=True,
        help="Answers for how this cost is shared out.",
    )
    next_review_date = fields.Date(
        string="Next Review",
        copy=False,
        tracking=True,
        help="From this day on the owner has an activity to look at the rule again.",
    )

    def write(self, vals):
        res = super().write(vals)
        if "next_review_date" in vals or vals.get("active") is False:
            due = self._filter_review_due()
            (self - due).activity_feedback([ACTIVITY_TYPE])
        elif vals.get("owner_id"):
            self.activity_reschedule([ACTIVITY_TYPE], new_user_id=vals["owner_id"])
        return res

    def _filter_review_due(self):
        """Rules whose review date is here."""
        today = fields.Date.context_today(self)
        return self.filtered(
            lambda rule: rule.active and rule.next_review_date and rule.next_review_date <= today
        )

    @api.model
    def _cron_review(self):
        """Give the owner of each rule whose review date is here one activity."""
        due = self.search(
            [("next_review_date", "<=", fields.Date.context_today(self)), ("owner_id", "!=", False)]
        )
        activity_type = self.env.ref(ACTIVITY_TYPE)
        for rule in due:
            if activity_type in rule.activity_ids.activity_type_id:
                continue
            in_language = rule.with_context(lang=rule.owner_id.lang)
            rule.activity_schedule(
                ACTIVITY_TYPE,
                date_deadline=rule.next_review_date,
                summary=in_language.env._("Look at the rule again"),
                note=in_language.env._(
                    "Does its driver still explain the cost? Set the next review date when done."
                ),
                user_id=rule.owner_id.id,
            )
