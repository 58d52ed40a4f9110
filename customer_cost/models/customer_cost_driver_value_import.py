from collections import defaultdict

from odoo import api, models
from odoo.fields import Domain

# in which order a text in a file names a customer
CUSTOMER_NAMES = ("ref", "vat", "company_registry", "complete_name", "name", "email")


class CustomerCostDriverValueImport(models.Model):
    """Driver values from a spreadsheet: a customer is meant exactly, or the row is refused."""

    _inherit = "customer.cost.driver.value"

    @api.model
    def get_import_templates(self):
        return [
            {
                "label": self.env._("Import Template for Driver Values"),
                "template": "/customer_cost/static/xls/driver_values_import_template.xlsx",
            }
        ]

    def action_import(self):
        """Open the import of a file."""
        return {
            "type": "ir.actions.client",
            "tag": "import",
            "name": self.env._("Import Driver Values"),
            "params": {
                "model": self._name,
                "context": {
                    key: value
                    for key, value in self.env.context.items()
                    if key == "default_driver_id"
                },
            },
        }

    @api.model
    def load(self, fields, data):
        """Find customers by what is written in the file before anything is created."""
        if "customer_id" not in fields:
            return super().load(fields, data)
        place = fields.index("customer_id")
        customers, messages = self._match_customers([row[place] for row in data])
        if messages:
            return {"ids": False, "messages": messages, "nextrow": False}
        fields = [*fields[:place], "customer_id/.id", *fields[place + 1 :]]
        data = [
            [*row[:place], customer, *row[place + 1 :]]
            for row, customer in zip(data, customers, strict=True)
        ]
        return super().load(fields, data)

    @api.model
    def _match_customers(self, texts):
        """Return the database id that each of ``texts`` names, as text, and what is wrong.

        :return: ``(ids, messages)``: ids in the order of ``texts``, empty for an empty text;
            messages as :meth:`load` returns them, one per row that names nobody or several
        """
        known = self._read_customer_names({text for text in texts if text})
        customers, messages = [], []
        for row, text in enumerate(texts):
            found = known.get(text, self.env["res.partner"])
            customers.append(str(found.id) if len(found) == 1 else "")
            if text and len(found) != 1:
                messages.append(
                    {
                        "type": "error",
                        "message": self._describe_mismatch(text, found),
                        "record": row,
                        "rows": {"from": row, "to": row},
                        "field": "customer_id",
                        "field_name": self._fields["customer_id"]._description_string(self.env),
                    }
                )
        return customers, messages

    @api.model
    def _read_customer_names(self, texts):
        """Commercial partners by text: those of the first kind of name that any has."""
        partners = self.env["res.partner"]
        named = {name: defaultdict(lambda: partners) for name in CUSTOMER_NAMES}
        domain = Domain.OR(Domain(name, "in", list(texts)) for name in CUSTOMER_NAMES)
        for partner in partners.search_fetch(
            domain, [*CUSTOMER_NAMES, "commercial_partner_id"], order="id"
        ):
            for name in CUSTOMER_NAMES:
                named[name][partner[name]] |= partner.commercial_partner_id
        return {
            text: next(named[name][text] for name in CUSTOMER_NAMES if text in named[name])
            for text in texts
            if any(text in named[name] for name in CUSTOMER_NAMES)
        }

    @api.model
    def _describe_mismatch(self, text, found):
        if not found:
            return self.env._(
                "No customer has “%(text)s” as reference, tax ID, company ID, name or e-mail. "
                "Correct the row, or name the customer by its database ID.",
                text=text,
            )
        return self.env._(
            "“%(text)s” names several customers: %(customers)s. Name the one that is meant by "
            "its reference or its database ID.",
            text=text,
            customers=", ".join(f"{partner.display_name} (ID {partner.id})" for partner in found),
        )
