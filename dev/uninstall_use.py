"""Run by the uninstall check in `bin/odoo shell`: what people do with the add-ons installed."""

env = env(user=env.ref("base.user_admin").id)  # noqa: F821, PLW0127
bill = env["account.move"].search([("move_type", "=", "in_invoice")], limit=1)
invoice = env["account.move"].search([("move_type", "=", "out_invoice")], limit=1)
line = bill.invoice_line_ids
env["customer.cost.account.map"].create(
    {"account_id": line.account_id.id, "item_id": env.ref("customer_cost.item_sal_trv").id}
)
(bill | invoice).button_draft()
(bill | invoice).action_post()
history = env["customer.cost.history"].create({"date_from": bill.date, "date_to": bill.date})
history.action_start()
env["customer.cost.history"].sudo()._cron_process()  # sudo: as the scheduled action
assert history.state == "done", history.month_ids.mapped("message")
rule = env["customer.cost.rule"].create(
    {
        "name": "All by net sales",
        "driver_id": env["customer.cost.driver"].search([("kind", "=", "document")], limit=1).id,
        "method": "driver",
        "sender_item_ids": [(6, 0, env.ref("customer_cost.item_sal_trv").ids)],
    }
)
run = env["customer.cost.run"].create({"date": bill.date})
run.action_compute()
run.action_post()
assert env["customer.cost.line"].search_count([]), "nothing was captured"
assert env["customer.cost.allocation"].search_count([]), "nothing was allocated"
env.cr.commit()
