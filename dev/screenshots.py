"""`make screenshots`: the documentation's pictures, taken from the running demo."""

import dataclasses
import sys

from .cdp import Browser, PageError
from .project import ROOT
from .session import Session, SessionError
from .shot import demo_record, visit

FOLDER = ROOT / "docs" / "screenshots"
FIRST_ROW = (("click", ".o_data_row .o_data_cell"), ("wait", ".o_form_view"))
FIGURES = (
    ("click", "text=Metro Hotels Group"),
    ("wait", ".o_form_view"),
    ("click", "a[name=customer_cost]"),
    ("wait", "[name=customer_cost_figures] canvas"),
    ("sleep", "1"),
)
EXPLANATION = (("click", ".o_data_row td[name=amount]"), ("wait", ".modal .o_form_view"))


@dataclasses.dataclass(frozen=True)
class Picture:
    """What to open, as whom, and what to do there before the picture is taken."""

    name: str
    url: str
    login: str = "manager"
    actions: tuple = ()
    language: str = ""
    full: bool = False


def action(name):
    return f"/odoo/action-customer_cost.{name}"


PICTURES = (
    Picture(
        "overview",
        action("customer_cost_overview_action"),
        actions=(("wait", ".o_customer_cost_trust li[data-key=tied]"), ("sleep", "1")),
    ),
    Picture("tie_out", action("customer_cost_tie_out_action"), login="auditor"),
    Picture("ranking", action("customer_cost_summary_action")),
    Picture("customers", action("res_partner_customer_action")),
    Picture("customer", action("res_partner_customer_action"), actions=FIGURES, full=True),
    Picture(
        "customer_zh_CN",
        action("res_partner_customer_action"),
        actions=FIGURES,
        language="zh_CN",
        full=True,
    ),
    Picture("profitability", action("customer_cost_profitability_recent_action")),
    Picture("entries", action("customer_cost_entry_action")),
    Picture(
        "review", action("customer_cost_entry_review_action"), login="reviewer", actions=FIRST_ROW
    ),
    Picture("budget", action("customer_cost_budget_action"), actions=FIRST_ROW),
    Picture("budget_report", action("customer_cost_budget_report_action")),
    Picture("requests", action("customer_cost_request_action"), login="rep"),
    Picture("alerts", action("customer_cost_alert_action")),
    Picture("rules", action("customer_cost_rule_action")),
    Picture("run", action("customer_cost_run_action"), actions=FIRST_ROW),
    Picture("explanation", action("customer_cost_allocation_action"), actions=EXPLANATION),
    Picture("analysis", action("customer_cost_analysis_action")),
    Picture("account_map", action("customer_cost_account_map_action")),
)


def take(picture, record):
    """Take one picture; returns what the browser's console complained about."""
    base = record["address"]
    session = Session(base, record["database"], picture.login, picture.login)
    with Browser() as browser, session.language(picture.language):
        out = FOLDER / f"{picture.name}.png"
        visit(browser, session, base, picture.url, picture.actions, out, picture.full)
        return browser.problems


def main():
    """Take all pictures, or those named; one that fails does not keep the others back."""
    wanted = sys.argv[1:]
    failed = 0
    for picture in PICTURES:
        if wanted and picture.name not in wanted:
            continue
        try:
            problems = take(picture, demo_record())
        except (PageError, SessionError) as error:
            problems = [f"error: {error}"]
        failed += bool(problems)
        print(f"{picture.name}: {'; '.join(problems) or 'taken'}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
