from functools import partial

from odoo import api, fields, models
from odoo.tools.misc import formatLang


class ReportTieOut(models.AbstractModel):
    """What the printed tie-out shows; rights are checked here, whatever door it came through."""

    _name = "report.customer_cost.report_tie_out"
    _description = "Printed Tie-out"

    @api.model
    def _get_report_values(self, docids, data=None):
        """:param data: first and last day as ``from`` and ``to``; without, the fiscal year"""
        tie_out = self.env["customer.cost.tie.out"]
        days = [(data or {}).get(name) for name in ("from", "to")]
        tie_outs = []
        for company in self.env["res.company"].browse(docids):
            tie_out._check_company(company)
            if any(days):
                first, last = tie_out._parse_range(*days)
            else:
                today = fields.Date.context_today(self)
                first, last = tie_out._get_unit_range(company, "year", today)
            figures = tie_out._get_figures(company, first, last)
            tie_outs.append(
                {
                    **figures,
                    "record": company,
                    "label": tie_out._get_label(figures),
                    "columns": tie_out._get_columns(),
                    "counted": tie_out._get_counted(figures),
                    "format_amount": partial(formatLang, self.env, digits=figures["digits"]),
                }
            )
        return {"tie_outs": tie_outs}
