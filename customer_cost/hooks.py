from odoo import SUPERUSER_ID, fields
from odoo.tools import SQL, date_utils


def post_init_hook(env):
    """Give the roles, and start capturing in the current month."""
    _give_roles(env)
    _start_capture(env)


def _give_roles(env):
    """Make the installer and the accounting administrators cost managers and reviewers."""
    module = env.ref("base.module_customer_cost")
    installer = (
        module.write_uid
        if module.write_uid.id != SUPERUSER_ID
        else env.ref("base.user_admin", raise_if_not_found=False)
    )
    users = env.ref("account.group_account_manager").all_user_ids | (installer or env["res.users"])
    managers = env.ref("customer_cost.group_customer_cost_manager")
    reviewers = env.ref("customer_cost.group_customer_cost_reviewer")
    (managers | reviewers).write({"user_ids": [(4, user.id) for user in users]})


def _start_capture(env):
    """Companies with posted accounting begin with the current month; the rest is history.

    Who has nothing posted yet, or nothing but what was captured when it was posted, captures
    everything.
    """
    env.cr.execute(
        SQL(
            """UPDATE res_company co SET customer_cost_start_date = %s
                WHERE customer_cost_start_date IS NULL
                  AND EXISTS (SELECT FROM account_move m
                               WHERE m.company_id = co.id AND m.state = 'posted')
                  AND NOT EXISTS (SELECT FROM customer_cost_line l WHERE l.company_id = co.id)""",
            date_utils.start_of(fields.Date.today(), "month"),
        )
    )
    env["res.company"].invalidate_model(["customer_cost_start_date"], flush=False)
