"""G5, G6: the customer list with and without figures, on the largest volume."""

from datetime import date
from functools import partial

from odoo.tools import date_utils

from .generate import MONTHS
from .measure import Row, pairs, queries, stopwatch
from .stage import POOL

PAGE = 80
PLAIN = ("name", "city", "email")
FIGURES = ("customer_cost_net_sales", "customer_cost_profit", "customer_cost_to_serve_pct")
DOMAIN = [("customer_rank", ">", 0)]


def customer_list(stage):
    """Reading the customer list of 80, with three figures and without."""
    books = stage.get_volumes()[max(stage.sizes)]
    partners = books.env["res.partner"]
    allocate_months(books)
    stage.vacuum("customer_cost_allocation")
    stage.get_fresh_figures()
    rows = read_lists(stage, partners)
    found = partners.browse(stage.customers[:500])
    one = count_queries(found[:1])
    for count in (PAGE, 500):
        rows.append(
            Row("G6", "Queries for the figures of customers", count,
                [count_queries(found[:count])], [one], "the same for one customer", 0,
                "difference", "queries")
        )  # fmt: skip
    form_one = count_queries(found[:1], ("customer_cost_figures",))
    form = count_queries(found[:PAGE], ("customer_cost_figures",))
    rows.append(
        Row("G6", "Queries for the customer tab's figures", PAGE, [form], [form_one],
            "the same for one customer", 0, "difference", "queries")
    )  # fmt: skip
    return rows


def read_lists(stage, partners, ledger=""):
    """The list of 80 with figures and without: page after page, and the page of the largest.

    :param ledger: words for the ledger behind it, put after the name
    """
    size = max(stage.sizes)
    pages = iter(range(10**6))

    def read(names, offset=None):
        if offset is None:
            # each call another page; both kinds see the same ones
            offset = next(pages) // 2 * 7919 % (size - PAGE)
        partners.env.invalidate_all()
        with stopwatch() as seconds:
            partners.web_search_read(
                DOMAIN, {name: {} for name in names}, offset=offset, limit=PAGE, count_limit=10001
            )
        return seconds[0]

    rows = []
    for name, floor_name, offset in (
        ("Customer list of 80 with three figures", "the list without the figures", None),
        ("The same, page of the 80 largest", "that page without the figures", 0),
    ):
        got, floor = pairs(
            partial(read, PLAIN + FIGURES, offset),
            partial(read, PLAIN, offset),
            3 * stage.repeats,
        )
        rows.append(Row("G5", name + ledger, size, got, floor, floor_name, 1.4))
    return rows


def allocate_months(books):
    """A posted run of each month, as a company has that allocates every month."""
    for back in reversed(range(MONTHS)):
        day = date_utils.subtract(date.today().replace(day=1), months=back)
        if back:
            books.create_bills(1, POOL, day).action_post()
        run = books.env["customer.cost.run"].create({"company_id": books.company.id, "date": day})
        run.action_compute()
        run.action_post()
        books.env.cr.commit()


def count_queries(partners, names=FIGURES):
    partners.read(list(names))  # warm: what is cached per registry is not asked again
    partners.env.invalidate_all()
    with queries(partners.env.cr) as number:
        partners.read(list(names))
    return number[0]
