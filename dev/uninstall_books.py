"""Run by the uninstall check in `bin/odoo shell` before the add-ons come: books to keep."""

from odoo.fields import Command

env = env  # noqa: F821, PLW0127
company = env.ref("base.main_company")
if not company.chart_template:
    env["account.chart.template"].try_loading("generic_coa", company=company, install_demo=False)
customer, vendor = env["res.partner"].create([{"name": "Customer"}, {"name": "Vendor"}])
product = env["product.product"].create({"name": "Product", "standard_price": 6.0})
for move_type, partner, line in (
    ("out_invoice", customer, {"product_id": product.id, "price_unit": 10.0}),
    ("in_invoice", vendor, {"name": "Travel", "price_unit": 4.0}),
):
    env["account.move"].create(
        {
            "move_type": move_type,
            "partner_id": partner.id,
            "invoice_date": "2025-03-10",
            "date": "2025-03-10",
            "invoice_line_ids": [Command.create(line)],
        }
    ).action_post()
env.cr.commit()
