"""G7, G8, G9: ranking, sorted customer list, cost by item and month, refresh of one month."""

from datetime import date

from odoo.tools import SQL, date_utils

from .bench_customer_list import DOMAIN, FIGURES, PAGE, PLAIN
from .measure import Row, pairs, stopwatch

COUNT_LIMIT = 10001
RANKING = ("customer_id", "rolling_net_sales", "rolling_profit", "rolling_profit_pct")
LOSS = [("rolling_profit", "<", 0)]


def balance(stage):
    """The ranking, the sorted customer list, the cost table and the refresh."""
    size = max(stage.sizes)
    env = stage.get_volumes()[size].env
    stage.get_fresh_figures()
    return [
        *ranking(env, size, stage),
        *costs(env, stage, stage.options["ledger"]),
        *refresh(env, size, stage),
    ]


def timed(env, function):
    """Seconds of one call with cold caches of records."""

    def call():
        env.invalidate_all()
        with stopwatch() as seconds:
            function()
        return seconds[0]

    return call


def ranking(env, size, stage):
    """Lists of 80 against the plain list of customers, groups against its groups."""
    partners, summary = env["res.partner"], env["customer.cost.summary"]
    company = [("company_id", "=", env.company.id)]

    def read(model, domain, names, order=None):
        return timed(
            env,
            lambda: model.web_search_read(
                domain,
                {name: {} for name in names},
                limit=PAGE,
                order=order,
                count_limit=COUNT_LIMIT,
            ),
        )

    def group(model, domain, aggregates=()):
        return timed(
            env,
            lambda: model.web_read_group(
                domain, ["country_id"], aggregates=list(aggregates), limit=PAGE
            ),
        )

    plain, grouped = read(partners, DOMAIN, PLAIN), group(partners, DOMAIN)
    by_profit = "customer_cost_profit desc"
    sums = ("rolling_net_sales:sum", "rolling_profit:sum", "rolling_profit_pct:avg")
    plain_name, grouped_name = "the plain customer list of 80", "the plain customer list, grouped"
    rows = []
    for title, measured, floor, floor_name, limit in (
        ("Ranking sorted by profit", read(summary, company, RANKING), plain, plain_name, 1.0),
        ("Ranking, those that lose money", read(summary, company + LOSS, RANKING), plain,
            plain_name, 1.0),
        ("Ranking by country, with sums", group(summary, company, sums), grouped, grouped_name,
            1.0),
        ("Customer list sorted by profit", read(partners, DOMAIN, PLAIN + FIGURES, by_profit),
            plain, plain_name, 3.0),
        ("Customer list, those that lose money",
            read(partners, [*DOMAIN, ("customer_cost_profit", "<", 0)], PLAIN + FIGURES), plain,
            plain_name, 3.0),
    ):  # fmt: skip
        got, base = pairs(measured, floor, 2 * stage.repeats)
        rows.append(Row("G7", title, size, got, base, floor_name, limit))
    return rows


def costs(env, stage, ledger):
    """The standard cost table and a free pivot against one scan of the ledger."""
    company = [("company_id", "=", env.company.id)]

    def scan():
        env.execute_query(
            SQL(
                """SELECT count(*), sum(amount) FROM (
                          SELECT amount FROM customer_cost_line WHERE company_id = %(company)s
                    UNION ALL
                          SELECT amount FROM customer_cost_allocation
                           WHERE company_id = %(company)s) ledger""",
                company=env.company.id,
            )
        )

    def pivot(model, month):
        return timed(
            env,
            lambda: env[model]._read_group(company, ["item_id", month], ["__count", "amount:sum"]),
        )

    rows = []
    for title, measured, limit in (
        ("Cost by item and month", pivot("customer.cost.item.month", "month:month"), 0.05),
        ("Free pivot by item and month", pivot("customer.cost.analysis", "date:month"), 2.5),
    ):
        got, base = pairs(measured, timed(env, scan), stage.repeats)
        rows.append(Row("G8", title, ledger, got, base, "one scan of the ledger", limit))
    return rows


def refresh(env, size, stage):
    """One month whose rows are all missing, against all months in one statement."""
    cr, company = env.cr, env.company
    month = date_utils.start_of(date.today(), "month")
    stored, summary = env["customer.cost.balance"], env["customer.cost.summary"]
    cr.execute(
        "SELECT min(month), max(month) FROM customer_cost_balance WHERE company_id = %s",
        (company.id,),
    )
    first, last = cr.fetchone()
    for model in (stored, summary):
        cr.execute(
            SQL(
                "CREATE TABLE %s (LIKE %s INCLUDING ALL)",
                SQL.identifier(f"bench_{model._table}"),
                SQL.identifier(model._table),
            )
        )
    cr.commit()

    def prepare():
        stage.vacuum(stored._table, summary._table)
        cr.execute(
            "DELETE FROM customer_cost_balance WHERE company_id = %s AND month = %s",
            (company.id, month),
        )
        env["customer.cost.dirty"]._mark(company.id, [month])
        env.invalidate_all()
        return cr.rowcount

    def take_back(seconds):
        cr.execute("SELECT count(*) FROM customer_cost_balance WHERE month = %s", (month,))
        assert cr.fetchone()[0] > 0
        cr.rollback()
        return seconds[0]

    def one_month():
        prepare()
        with stopwatch() as seconds:
            stored._refresh_period(company.id, month)
        return take_back(seconds)

    def one_month_and_summary():
        prepare()
        with stopwatch() as seconds:
            assert stored._refresh()
        return take_back(seconds)

    def insert(model, source):
        columns = model._rollup_columns((*model._rollup_key, *model._rollup_figures))
        cr.execute(
            SQL(
                "INSERT INTO %s (%s) SELECT %s FROM (%s) found",
                SQL.identifier(f"bench_{model._table}"),
                columns,
                columns,
                source,
            )
        )

    def every_month(with_summary=False):
        with stopwatch() as seconds:
            insert(
                stored,
                env["customer.cost.profitability"]._sql_sums(
                    company.id, first, date_utils.end_of(last, "month")
                ),
            )
            if with_summary:
                everybody = SQL("t.company_id = %s", company.id)
                insert(summary, summary._get_target(company, everybody))
        cr.rollback()
        return seconds[0]

    rows = []
    for title, measured, floor, floor_name in (
        ("Refresh one month of the balance", one_month, every_month,
            "the balance of all months in one INSERT ... SELECT"),
        ("The same, and the summary of its customers", one_month_and_summary,
            lambda: every_month(with_summary=True),
            "all months and then all customers, one INSERT ... SELECT each"),
    ):  # fmt: skip
        got, base = pairs(measured, floor, stage.repeats)
        rows.append(Row("G9", title, size, got, base, floor_name, 0.15))
    for model in (stored, summary):
        cr.execute(SQL("DROP TABLE %s", SQL.identifier(f"bench_{model._table}")))
    cr.commit()
    return rows
