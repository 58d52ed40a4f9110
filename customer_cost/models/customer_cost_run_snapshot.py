import base64
from dataclasses import is_dataclass

import numpy as np

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..engine import comparison, drivers, run_data, terms
from ..engine.comparison import Frozen, Source
from ..engine.snapshot import UnreadableSnapshot, dump_snapshot, load_snapshot
from .customer_cost_allocation import DETAIL_GROUPS

# A snapshot holds plain values of the engine and nothing else.
CLASSES = tuple(
    cls
    for module in (run_data, drivers, terms, comparison)
    for cls in vars(module).values()
    if isinstance(cls, type) and is_dataclass(cls)
)


class CustomerCostRunSnapshot(models.Model):
    """What a run was computed from, frozen with it."""

    _inherit = "customer.cost.run"

    snapshot = fields.Binary(
        string="Frozen Inputs",
        readonly=True,
        copy=False,
        groups=DETAIL_GROUPS,
        help="Pools, rules and quantities as they were when the run was computed.",
    )

    has_snapshot = fields.Boolean(compute="_compute_has_snapshot")

    @api.depends("computed_at")
    def _compute_has_snapshot(self):
        # sudo: that inputs are kept is no secret, what they hold is
        kept = (
            self.env["ir.attachment"]
            .sudo()
            ._read_group(
                [
                    ("res_model", "=", self._name),
                    ("res_field", "=", "snapshot"),
                    ("res_id", "in", self.ids),
                ],
                ["res_id"],
            )
        )
        ids = {run_id for (run_id,) in kept}
        for run in self:
            run.has_snapshot = run.id in ids

    def _get_sources(self):
        """Return where the quantities of each rule come from: dict of rule id to ``Source``."""
        return {
            rule.id: Source(
                rule._get_used_driver().id,
                repr((rule.receiver_domain, rule.include_intercompany)),
            )
            for rule in self._get_rules()
        }

    def _write_outcome(self, inputs, outcome):
        res = super()._write_outcome(inputs, outcome)
        frozen = Frozen(inputs, self._get_sources(), np.array(self._get_pool_line_ids(), dtype=int))
        self._unguarded().write({"snapshot": base64.b64encode(dump_snapshot(frozen))})
        return res

    def _get_pool_line_ids(self):
        """Ids of the ledger lines of the month's pools, ascending."""
        # sudo: the run sends what is in the pools, whoever computes it
        lines = self.env["customer.cost.line"].sudo()
        return lines.search(self._get_pool_domain(), order="id").ids

    def action_open_late(self):
        """Open the costs that came into the month's pools since the run was computed.

        :raises UserError: the run keeps no inputs, or they cannot be read
        """
        self.ensure_one()
        frozen = self._load_frozen()
        if not frozen:
            self._raise_no_inputs()
        late = np.setdiff1d(self._get_pool_line_ids(), frozen.lines, assume_unique=True)
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "customer_cost.customer_cost_line_action"
        )
        action["domain"] = [("id", "in", late.tolist())]
        action["context"] = {"create": False}
        action["name"] = self.env._("Came After %(run)s", run=self.display_name)
        return action

    def _raise_no_inputs(self):
        raise UserError(
            self.env._(
                "Run %(run)s has no frozen inputs: it was not computed yet, or before inputs "
                "were kept.",
                run=self.display_name,
            )
        )

    def _clear_results(self):
        res = super()._clear_results()
        self._unguarded().write({"snapshot": False})
        return res

    def _load_frozen(self):
        """Return what the run was computed from, or ``None`` where nothing was kept.

        :raises UserError: what was kept cannot be read
        """
        self.ensure_one()
        self.check_access("read")
        snapshot = self.with_context(bin_size=False).snapshot
        if not snapshot:
            return None
        try:
            return load_snapshot(base64.b64decode(snapshot), CLASSES)
        except UnreadableSnapshot as error:
            raise UserError(
                self.env._(
                    "The frozen inputs of run %(run)s are damaged and cannot be read.",
                    run=self.display_name,
                )
            ) from error
