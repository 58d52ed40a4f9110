from odoo import SUPERUSER_ID


def post_init_hook(env):
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
