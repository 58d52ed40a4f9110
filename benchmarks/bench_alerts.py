"""G12: ten alert rules over all customers against one aggregate pass of the balance."""

from odoo.tools import SQL

from .measure import Row, pairs, stopwatch

# (metric, window, operator, kind of threshold, threshold)
RULES = (
    ("profit", "rolling", "below", "absolute", 0),
    ("to_serve", "rolling", "above", "absolute", 30),
    ("margin_pct", "rolling", "below", "absolute", 10),
    ("no_sales", "rolling", "above", "absolute", 0),
    ("cost", "month", "above", "absolute", 1000),
    ("cost", "last_month", "above", "average", 150),
    ("cost", "quarter", "above", "previous", 120),
    ("growth", "quarter", "above", "absolute", 50),
    ("margin", "year", "below", "absolute", 0),
    ("profit", "last_month", "below", "previous", 50),
)
FLOOR = "one aggregate per customer of 12 months, totalled"


def alerts(stage):
    """Ten alert rules over all customers, evaluated and written."""
    size = max(stage.sizes)
    env = stage.get_volumes()[size].env
    stage.get_fresh_figures()
    rules = env["customer.cost.alert.rule"].create(
        [
            {
                "name": f"Bench rule {number}",
                "company_id": env.company.id,
                "metric": metric,
                "window": window,
                "operator": operator,
                "threshold_kind": kind,
                "threshold": threshold,
            }
            for number, (metric, window, operator, kind, threshold) in enumerate(RULES)
        ]
    )
    rules._unguarded().write({"state": "on"})
    env.cr.commit()

    def floor():
        first, last = env["res.partner"]._get_customer_cost_rolling()
        with stopwatch() as seconds:
            env.execute_query(
                SQL(
                    """SELECT count(*), sum(sales), sum(product_cost), sum(cost)
                         FROM (SELECT customer_id, sum(net_sales) AS sales,
                                      sum(product_cost) AS product_cost,
                                      sum(direct_cost + allocated_cost) AS cost
                                 FROM customer_cost_balance
                                WHERE company_id = %s AND month BETWEEN %s AND %s
                             GROUP BY customer_id) customers""",
                    env.company.id,
                    first,
                    last,
                )
            )
        return seconds[0]

    def evaluate():
        env.invalidate_all()
        with stopwatch() as seconds:
            for group in rules._group_by_pass():
                group._evaluate_pass()
        assert set(rules.mapped("state")) == {"on"}, rules.mapped("error")
        env.cr.rollback()
        return seconds[0]

    first_run, floor_of_first = pairs(evaluate, floor, stage.repeats)
    for group in rules._group_by_pass():
        group._evaluate_pass()
    found = env["customer.cost.alert"].search_count([("rule_id", "in", rules.ids)])
    env.cr.commit()
    stage.vacuum("customer_cost_alert")
    again, floor_of_again = pairs(evaluate, floor, stage.repeats)
    return [
        Row("G12", f"10 alert rules, {found:,} alerts written", size, first_run,
            floor_of_first, FLOOR, 8.0),
        Row("G12", "The same again, nothing new", size, again, floor_of_again, FLOOR, 8.0),
    ]  # fmt: skip
