from odoo import http
from odoo.http import content_disposition, request

CONTENT_TYPES = {
    "pdf": "application/pdf",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


class CustomerCostTieOutController(http.Controller):
    @http.route(
        "/customer_cost/tie_out/<int:company_id>/<string:first>/<string:last>/<any(pdf,xlsx):kind>",
        type="http",
        auth="user",
        readonly=True,
    )
    def download(self, company_id, first, last, kind):
        """The tie-out of one company and period as a file, under the rights of the screen."""
        tie_out = request.env["customer.cost.tie.out"]
        company = request.env["res.company"].browse(company_id)
        tie_out._check_company(company)
        first, last = tie_out._parse_range(first, last)
        if kind == "pdf":
            content = tie_out._get_pdf(company, first, last)
        else:
            content = tie_out._get_xlsx(tie_out._get_figures(company, first, last))
        name = tie_out._get_file_name(company, first, last, kind)
        return request.make_response(
            content,
            [
                ("Content-Type", CONTENT_TYPES[kind]),
                ("Content-Length", len(content)),
                ("Content-Disposition", content_disposition(name)),
            ],
        )
