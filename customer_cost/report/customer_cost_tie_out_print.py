import io

import xlsxwriter

from odoo import api, fields, models
from odoo.tools import format_date

from .customer_cost_tie_out import COLUMNS

REPORT = "customer_cost.customer_cost_tie_out_report"


class CustomerCostTieOutPrint(models.AbstractModel):
    """The tie-out as a workbook, and the names that the printed forms share."""

    _inherit = "customer.cost.tie.out"

    @api.model
    def _get_columns(self):
        titles = {
            "balance": self.env._("Balance"),
            "sales": self.env._("Sales"),
            "cost_of_sales": self.env._("Cost of Sales"),
            "captured": self.env._("Cost Captured"),
            "left_out": self.env._("Left Out"),
            "excluded": self.env._("Excluded"),
            "difference": self.env._("Difference"),
        }
        return [(name, titles[name]) for name in (*COLUMNS, "difference")]

    @api.model
    def _get_counted(self, figures):
        """The counts on top, with their names."""
        labels = {
            "unknown_cost": self.env._("Invoice lines with unknown cost, and their sales"),
            "late": self.env._("Late costs of closed months"),
            "unmapped": self.env._("Accounts without a map row, and what they leave out"),
        }
        return [{"label": label, **figures["counts"][key]} for key, label in labels.items()]

    @api.model
    def _get_label(self, figures):
        return self._get_range_label(
            fields.Date.to_date(figures["from"]), fields.Date.to_date(figures["to"])
        )

    @api.model
    def _get_file_name(self, company, first, last, extension):
        """Name of a printed tie-out: it says company and months."""
        months = "_".join(dict.fromkeys(day.strftime("%Y-%m") for day in (first, last)))
        return f"{self.env._('Tie-out')} {company.name} {months}.{extension}"

    @api.model
    def _get_pdf(self, company, first, last):
        """Printed form of the tie-out: bytes of a PDF file."""
        content, _type = self.env["ir.actions.report"]._render_qweb_pdf(
            REPORT, company.ids, {"from": first.isoformat(), "to": last.isoformat()}
        )
        return content

    # ------------------------------------------------------------
    # Workbook
    # ------------------------------------------------------------

    @api.model
    def _get_xlsx(self, figures):
        """Workbook of ``figures``, one sheet per section; amounts are numbers.

        :param figures: what :meth:`_get_figures` returned, or a stored copy of it
        :return: bytes of an XLSX file
        """
        output = io.BytesIO()
        with xlsxwriter.Workbook(output, {"in_memory": True}) as book:
            decimals = "." + "0" * figures["digits"] if figures["digits"] else ""
            styles = {
                "head": book.add_format(
                    {"bold": True, "bg_color": "#EEEEEE", "bottom": 1, "text_wrap": True}
                ),
                "bold": book.add_format({"bold": True}),
                "part": book.add_format({"indent": 2}),
                "amount": book.add_format({"num_format": f"#,##0{decimals}"}),
                "total": book.add_format(
                    {"num_format": f"#,##0{decimals}", "bold": True, "top": 1}
                ),
            }
            self._add_summary_sheet(book, styles, figures)
            self._add_accounts_sheet(book, styles, figures)
            for section in figures["sections"]:
                self._add_section_sheet(book, styles, figures, section)
            if figures["findings"]:
                self._add_findings_sheet(book, styles, figures)
        return output.getvalue()

    @api.model
    def _add_sheet(self, book, styles, title, headers, widths):
        """Sheet with a frozen header; names of sheets hold at most 31 characters."""
        sheet = book.add_worksheet(title[:31])
        for place, (header, width) in enumerate(zip(headers, widths, strict=True)):
            sheet.set_column(place, place, width)
            sheet.write_string(0, place, header, styles["head"])
        sheet.freeze_panes(1, 0)
        sheet.set_paper(9)
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(0)
        return sheet

    @api.model
    def _add_summary_sheet(self, book, styles, figures):
        headers = [self.env._("Tie-out"), self._get_label(figures), figures["currency"]]
        sheet = self._add_sheet(book, styles, self.env._("Tie-out"), headers, (60, 24, 18))
        sheet.write_string(1, 0, self.env._("Company"))
        sheet.write_string(1, 1, figures["company"])
        sheet.write_string(2, 0, self.env._("Period"))
        days = (fields.Date.to_date(figures[name]) for name in ("from", "to"))
        sheet.write_string(2, 1, " – ".join(format_date(self.env, day) for day in days))
        sheet.write_string(3, 0, self.env._("Sum of all differences"), styles["bold"])
        sheet.write_number(3, 2, figures["difference"], styles["total"])
        for place, counted in enumerate(self._get_counted(figures), 5):
            sheet.write_string(place, 0, counted["label"])
            sheet.write_number(place, 1, counted["count"])
            sheet.write_number(place, 2, counted["amount"], styles["amount"])
        for place, section in enumerate(figures["sections"], 9):
            sheet.write_string(
                place, 0, self.env._("Difference of %(section)s", section=section["title"])
            )
            sheet.write_number(place, 2, section["difference"], styles["amount"])

    @api.model
    def _add_accounts_sheet(self, book, styles, figures):
        columns = self._get_columns()
        headers = [
            self.env._("Code"),
            self.env._("Account"),
            self.env._("Type"),
            *(title for _name, title in columns),
            self.env._("Reasons"),
        ]
        widths = (12, 40, 18, *(16 for _column in columns), 60)
        sheet = self._add_sheet(book, styles, self.env._("Accounts"), headers, widths)
        sheet.freeze_panes(1, 2)
        for place, row in enumerate(figures["accounts"], 1):
            for column, name in enumerate(("code", "name", "type_label")):
                sheet.write_string(place, column, row[name])
            for column, (name, _title) in enumerate(columns, 3):
                sheet.write_number(place, column, row[name], styles["amount"])
            reasons = "; ".join(reason["label"] for reason in row["reasons"])
            sheet.write_string(place, 3 + len(columns), reasons)
        last = len(figures["accounts"]) + 1
        sheet.write_string(last, 1, self.env._("Total"), styles["bold"])
        for column, (name, _title) in enumerate(columns, 3):
            sheet.write_number(last, column, figures["totals"][name], styles["total"])

    @api.model
    def _add_section_sheet(self, book, styles, figures, section):
        headers = [section["title"], figures["currency"], self.env._("Note")]
        sheet = self._add_sheet(book, styles, section["title"], headers, (60, 18, 60))
        place = 1
        for side in section["sides"]:
            for row in side["rows"]:
                sheet.write_string(place, 0, row["label"])
                sheet.write_number(place, 1, row["amount"], styles["amount"])
                sheet.write_string(place, 2, row["note"])
                place += 1
            sheet.write_string(place, 0, side["label"], styles["bold"])
            sheet.write_number(place, 1, side["total"], styles["total"])
            place += 2
        sheet.write_string(place, 0, self.env._("Difference"), styles["bold"])
        sheet.write_number(place, 1, section["difference"], styles["total"])

    @api.model
    def _add_findings_sheet(self, book, styles, figures):
        headers = [
            self.env._("Where it differs"),
            self.env._("Expected"),
            self.env._("Present"),
            self.env._("Difference"),
        ]
        sheet = self._add_sheet(book, styles, self.env._("Differences"), headers, (60, 18, 18, 18))
        for place, row in enumerate(figures["findings"], 1):
            style = styles["part"] if row["kind"] == "item" else None
            sheet.write_string(place, 0, row["label"], style)
            for column, name in enumerate(("expected", "present", "difference"), 1):
                sheet.write_number(place, column, row[name], styles["amount"])
