"""Progress on the screen, and the company in which things are replayed."""

import contextlib
import time

from odoo.fields import Command


@contextlib.contextmanager
def step(env, title):
    """Announce what is done, keep it when it is done, and say how long it took."""
    print(f"==> {title}", flush=True)
    start = time.monotonic()
    yield
    env.cr.commit()
    print(f"    done in {time.monotonic() - start:.1f} s", flush=True)


def create_company(env, name):
    """A company in USD with the generic chart; returns it in the administrator's environment.

    The administrator, not the superuser: rights and rules apply to all that follows.
    """
    company = (
        env["res.company"]
        .with_context(chart_template_load=True)  # the chart is loaded below
        .create(
            {
                "name": name,
                "currency_id": env.ref("base.USD").id,
                "country_id": env.ref("base.us").id,
            }
        )
    )
    env["account.chart.template"].try_loading("generic_coa", company=company, install_demo=False)
    company.account_sale_tax_id = company.account_purchase_tax_id = False
    administrator = env.ref("base.user_admin")
    administrator.write({"company_ids": [Command.link(company.id)], "company_id": company.id})
    context = {"allowed_company_ids": company.ids, "tracking_disable": True}
    return company.with_env(env(user=administrator, context=context))


def create_account(company, code, name, account_type="expense"):
    return company.env["account.account"].create(
        {
            "code": code,
            "name": name,
            "account_type": account_type,
            "company_ids": [Command.set(company.ids)],
        }
    )


def map_account(company, account, item):
    company.env["customer.cost.account.map"].create(
        {"company_id": company.id, "account_id": account.id, "item_id": item.id}
    )


def post_entries(company, counterpart, entries):
    """Post miscellaneous entries, each ``(date, reference, [(account, label, amount)])``."""
    env = company.env
    journal = env["account.journal"].search(
        [("company_id", "=", company.id), ("type", "=", "general")], limit=1
    )
    moves = env["account.move"].create(
        [
            {
                "move_type": "entry",
                "journal_id": journal.id,
                "date": date,
                "ref": reference,
                "line_ids": [
                    Command.create({"account_id": account.id, "name": label, "balance": amount})
                    for account, label, amount in lines
                ]
                + [
                    Command.create(
                        {
                            "account_id": counterpart.id,
                            "name": reference,
                            "balance": -sum(amount for _account, _label, amount in lines),
                        }
                    )
                ],
            }
            for date, reference, lines in entries
        ]
    )
    moves.action_post()
    return moves


def post_run(company, date):
    """Compute and post the run of the month of ``date``."""
    run = company.env["customer.cost.run"].create({"company_id": company.id, "date": date})
    run.action_compute()
    run.action_post()
    return run
