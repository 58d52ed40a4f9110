from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date


class CustomerCostBudget(models.Model):
    """From draft to confirmed, revised and closed."""

    _inherit = "customer.cost.budget"

    def action_confirm(self):
        """Put drafts in force; a revision takes the place of what it revises.

        :raises AccessError: the user is no cost manager
        :raises UserError: a budget is no draft, has no line or changes the plan of a closed month
        """
        self.check_access("write")
        self._check_cost_manager(self.env._("Only a cost manager confirms a budget."))
        for budget in self:
            if budget.state != "draft":
                raise UserError(self.env._("%(budget)s is no draft.", budget=budget.display_name))
            if not budget.line_ids:
                raise UserError(
                    self.env._(
                        "%(budget)s plans nothing: fill its lines first.",
                        budget=budget.display_name,
                    )
                )
            budget._check_revision()
        self.revision_of_id._touch()
        self.revision_of_id._unguarded().write({"state": "superseded"})
        self._unguarded().write(
            {
                "state": "confirmed",
                "confirmed_by_id": self.env.uid,
                "confirmed_on": fields.Datetime.now(),
            }
        )

    def _check_revision(self):
        """A revision replaces a budget in force and leaves the plan of closed months as it was."""
        earlier = self.revision_of_id
        if not earlier:
            return
        if earlier.state != "confirmed":
            raise UserError(
                self.env._(
                    "%(budget)s revises a budget that is %(state)s.",
                    budget=self.display_name,
                    state=earlier._get_state_label(),
                )
            )
        period = self.env["customer.cost.period"]
        changed = {month for _item, _method, month, was, now in self._get_changes() if was != now}
        for month in sorted(changed):
            if period._is_closed(self.company_id, month):
                raise UserError(
                    self.env._(
                        "%(budget)s: the cost period of %(month)s is closed, its plan stays as it "
                        "was.",
                        budget=self.display_name,
                        month=format_date(self.env, month, date_format="MMMM y"),
                    )
                )

    def _get_changes(self):
        """Planned amounts beside those of the version that this one revises.

        :return: list of ``(item, payment method, month, before, now)``, company currency
        """
        self.ensure_one()
        before, now = (
            {
                (line.item_id, line.payment_method, line.month): line.planned
                for line in budget.line_ids
            }
            for budget in (self.revision_of_id, self)
        )
        keys = sorted(
            before | now, key=lambda key: (key[0].complete_code or "", key[1] or "", key[2])
        )
        return [(*key, before.get(key, 0.0), now.get(key, 0.0)) for key in keys]

    def action_revise(self):
        """Open a draft of the next revision of this confirmed budget, or the one there is.

        :return: action that opens the draft
        :raises UserError: the budget is not confirmed
        """
        self.ensure_one()
        self.check_access("write")
        if self.state != "confirmed":
            raise UserError(
                self.env._(
                    "%(budget)s is %(state)s: only a confirmed budget is revised.",
                    budget=self.display_name,
                    state=self._get_state_label(),
                )
            )
        revision = self.revision_ids.filtered(lambda budget: budget.state == "draft")[:1]
        if not revision:
            revision = self._unguarded().copy(
                {"name": self.name, "revision": self.revision + 1, "revision_of_id": self.id}
            )
        return {
            "type": "ir.actions.act_window",
            "res_model": self._name,
            "res_id": revision.id,
            "view_mode": "form",
        }

    def action_close(self):
        """End the control by confirmed budgets; they stay readable.

        :raises AccessError: the user is no cost manager
        :raises UserError: a budget is not confirmed
        """
        self.check_access("write")
        self._check_cost_manager(self.env._("Only a cost manager closes a budget."))
        for budget in self:
            if budget.state != "confirmed":
                raise UserError(
                    self.env._("%(budget)s is not confirmed.", budget=budget.display_name)
                )
        self._unguarded().write({"state": "closed"})

    def action_open_report(self):
        """Open plan, actual, committed and available of this budget, by line and month."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "customer_cost.customer_cost_budget_report_action"
        )
        return {**action, "domain": [("budget_id", "=", self.id)], "context": {}}

    def action_open_lines(self):
        """Open the lines of this budget as a list, to be edited, exported or imported."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "customer_cost.customer_cost_budget_line_action"
        )
        return {
            **action,
            "domain": [("budget_id", "=", self.id)],
            "context": {
                "default_budget_id": self.id,
                "create": self.state == "draft",
                "edit": self.state == "draft",
                "delete": self.state == "draft",
            },
        }

    def action_fill(self):
        """Open the dialog that fills the lines of this draft."""
        self.ensure_one()
        self._check_draft()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Fill the Lines"),
            "res_model": "customer.cost.budget.fill",
            "view_mode": "form",
            "target": "new",
            "context": {"default_budget_id": self.id},
        }
