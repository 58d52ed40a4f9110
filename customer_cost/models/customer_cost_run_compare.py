from odoo import models
from odoo.exceptions import UserError


class CustomerCostRunCompare(models.Model):
    """Any two computed runs of a company, side by side."""

    _inherit = "customer.cost.run"

    def action_compare(self):
        """Open the choice of the run to compare this one with."""
        self.ensure_one()
        self._check_comparable()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Compare %(run)s", run=self.display_name),
            "res_model": "customer.cost.run.compare",
            "view_mode": "form",
            "target": "new",
            "context": {"default_run_id": self.id},
        }

    def _get_comparable(self):
        """The run to compare with first: the month's posted one, else the one made before."""
        others = self.search(
            [
                ("period_id", "=", self.period_id.id),
                ("state", "!=", "draft"),
                ("id", "!=", self.id),
            ],
            order="id desc",
        )
        earlier = others.filtered(lambda run: run.id < self.id)
        return (others.filtered(lambda run: run.state == "posted") or earlier or others)[:1]

    def _compare_with(self, other):
        """Return the comparison from run ``other`` to this one.

        :raises UserError: a run is not computed, both are one, or of different companies
        """
        (self | other).check_access("read")
        (self | other)._check_comparable()
        if self == other or self.company_id != other.company_id:
            raise UserError(
                self.env._(
                    "Choose another run of %(company)s to compare %(run)s with.",
                    company=self.company_id.name,
                    run=self.display_name,
                )
            )
        # sudo: a work table that nobody writes by hand, of two runs the user may read in full
        comparison = (
            self.env["customer.cost.run.comparison"]
            .sudo()
            .create(
                {
                    "company_id": self.company_id.id,
                    "run_id": other.id,
                    "other_run_id": self.id,
                }
            )
        )
        comparison._fill()
        return comparison.sudo(self.env.su)  # sudo: only the writing was; it is read as the user

    def _check_comparable(self):
        for run in self:
            if run.state == "draft":
                raise UserError(
                    self.env._("Run %(run)s is not computed yet.", run=run.display_name)
                )
