"""Volume by SQL: customers, posted invoices and ledger lines by the hundred thousand.

Prototypes are made through the product (one customer, one posted invoice, one posted bill); their
rows are then copied within the database with other customers, dates and amounts, so that every
column is as Odoo leaves it. Foreign keys and plain indexes are built after the load, which takes
half the time. The result does not depend on chance: "random" numbers are a hash of the row number.

* customers: companies named ``Customer 000001`` and on, shared by all volumes
* invoices: 2.5 per customer over 24 months up to this one, six product lines and the receivable;
  every customer gets one within the last 12 months, the rest go by Zipf (s = 1) or, with ``flat``,
  evenly; prices from 10.00 to 1,000.00, product cost 60 %
* ledger lines: direct cost spread over customers, cost items and 24 months, ten of each entry
"""

import contextlib
from datetime import date

from odoo.tools import SQL

TABLES = (
    "res_partner", "account_move", "account_move_line", "customer_cost_entry", "customer_cost_line",
)  # fmt: skip
MONTHS = 24
INVOICES_PER_CUSTOMER = 2.5
LINES = 6
LINES_PER_ENTRY = 10


def uniform(number):
    """SQL for something like a random number in [0, 1), always the same for ``number``."""
    return SQL("((%s)::bigint * 2654435761 %% 4294967296) / 4294967296.0", SQL(number))


def create_customers(env, count):
    """Return the ids of ``count`` customers, ascending."""
    prototype = env["res.partner"].create(
        {
            "name": "Customer 000000",
            "is_company": True,
            "customer_rank": 1,
            "city": "Springfield",
            "email": "office@customer.example",
        }
    )
    return copy_rows(
        env,
        "res_partner",
        prototype.id,
        SQL("SELECT n FROM generate_series(1, %s) n", count),
        {
            "name": SQL("'Customer ' || lpad(g.n::text, 6, '0')"),
            "complete_name": SQL("'Customer ' || lpad(g.n::text, 6, '0')"),
            "commercial_partner_id": SQL("g.id"),
        },
    )


def create_invoices(invoice, customers, flat=False):
    """Copy the posted ``invoice`` to ``customers``; see the top of this file."""
    env = invoice.env
    count = int(len(customers) * INVOICES_PER_CUSTOMER)
    first_day = date.today().replace(day=1)
    spread = (
        SQL("n %% %s", len(customers))
        if flat
        else SQL("floor(power(%s, %s))::int - 1", len(customers), uniform("n"))
    )
    partner, product_line, receivable = (
        SQL("g.partner"),
        invoice.invoice_line_ids,
        invoice.line_ids - invoice.invoice_line_ids,
    )
    env.flush_all()
    source = SQL(
        """SELECT n, (%(customers)s::int[])[1 + place] AS partner, price,
                  (%(first_day)s::date - make_interval(months => back)
                   + make_interval(days => n %% 28))::date AS day
             FROM (SELECT n, CASE WHEN n <= %(size)s THEN n - 1
                                  ELSE GREATEST(0, LEAST(%(size)s - 1, %(spread)s)) END AS place,
                          CASE WHEN n <= %(size)s THEN n %% 12 ELSE n %% %(months)s END AS back,
                          round((10 + 990 * power(%(uniform)s, 2))::numeric, 2) AS price
                     FROM generate_series(1, %(count)s) n) drawn""",
        customers=customers,
        first_day=first_day,
        size=len(customers),
        spread=spread,
        months=MONTHS,
        uniform=uniform("n + 7"),
        count=count,
    )
    total = SQL("%s * g.price", LINES)
    signed = {
        name: total
        for name in (
            "amount_untaxed", "amount_untaxed_signed", "amount_untaxed_in_currency_signed",
            "amount_total", "amount_total_signed", "amount_total_in_currency_signed",
            "amount_residual", "amount_residual_signed",
        )
    }  # fmt: skip
    dates = dict.fromkeys(("date", "invoice_date", "invoice_date_due"), SQL("g.day"))
    partners = dict.fromkeys(
        ("partner_id", "commercial_partner_id", "partner_shipping_id"), partner
    )
    moves = copy_rows(
        env,
        "account_move",
        invoice.id,
        source,
        {**signed, **dates, **partners, "name": SQL("'BENCH/' || g.n"), "access_token": None},
    )
    for prototype, sign, lines in ((receivable, 1, 1), (product_line, -1, LINES)):
        _copy_move_lines(env, prototype, moves, SQL("m.amount_untaxed"), sign, lines)


def _copy_move_lines(env, prototype, moves, total, sign, lines):
    """``lines`` copies of ``prototype`` for every move, which share out its ``total``."""
    source = SQL(
        """SELECT m.id AS move_id, m.partner_id, m.date, m.invoice_date, m.name,
                  %s / %s AS amount
             FROM account_move m CROSS JOIN generate_series(1, %s) WHERE m.id BETWEEN %s AND %s""",
        total,
        lines,
        lines,
        min(moves),
        max(moves),
    )
    balance = SQL("%s * g.amount", sign)
    values = {
        "move_id": SQL("g.move_id"),
        "move_name": SQL("g.name"),
        "partner_id": SQL("g.partner_id"),
        "date": SQL("g.date"),
        "invoice_date": SQL("g.invoice_date"),
        "balance": balance,
        "amount_currency": balance,
        "debit": SQL("g.amount") if sign > 0 else 0,
        "credit": SQL("g.amount") if sign < 0 else 0,
    }
    if prototype.display_type == "payment_term":
        values.update(
            amount_residual=balance, amount_residual_currency=balance, date_maturity=SQL("g.date")
        )
    else:
        values.update(
            dict.fromkeys(("price_unit", "price_subtotal", "price_total"), SQL("g.amount")),
            customer_cost_amount=SQL("round(0.6 * g.amount, 2)"),
        )
    copy_rows(env, "account_move_line", prototype.id, source, values)


def create_bills(bill, count):
    """Copy the posted ``bill`` of one line ``count`` times into each of the months."""
    env = bill.env
    env.flush_all()
    source = SQL(
        """SELECT n, (%(first_day)s::date - make_interval(months => n %% %(months)s)
                      + make_interval(days => n %% 28))::date AS day,
                  round((20 + 980 * %(uniform)s)::numeric, 2) AS amount
             FROM generate_series(1, %(count)s) n""",
        first_day=date.today().replace(day=1),
        months=MONTHS,
        uniform=uniform("n"),
        count=count * MONTHS,
    )
    amounts = (
        "amount_untaxed", "amount_total", "amount_residual",
    )  # fmt: skip
    signed = (
        "amount_untaxed_signed", "amount_untaxed_in_currency_signed", "amount_total_signed",
        "amount_total_in_currency_signed", "amount_residual_signed",
    )  # fmt: skip
    moves = copy_rows(
        env,
        "account_move",
        bill.id,
        source,
        {
            **dict.fromkeys(amounts, SQL("g.amount")),
            **dict.fromkeys(signed, SQL("-g.amount")),
            **dict.fromkeys(("date", "invoice_date", "invoice_date_due"), SQL("g.day")),
            "name": SQL("'BENCHBILL/' || g.n"),
            "access_token": None,
        },
    )
    for prototype, sign in (
        (bill.invoice_line_ids, 1),
        (bill.line_ids - bill.invoice_line_ids, -1),
    ):
        _copy_move_lines(env, prototype, moves, SQL("abs(m.amount_untaxed_signed)"), sign, 1)


def create_ledger(line, customers, count):
    """Copy the ledger line ``line`` ``count`` times over the customers, laid out by month."""
    env = line.env
    items = env["customer.cost.item"].search([("parent_id", "!=", False)]).ids
    entries = copy_rows(
        env,
        "customer_cost_entry",
        line.entry_id.id,
        SQL("SELECT n FROM generate_series(1, %s) n", -(-count // LINES_PER_ENTRY)),
        {"source_line_id": SQL("-g.id"), "source_move_id": SQL("-g.id")},
    )
    first_day = date.today().replace(day=1)
    source = SQL(
        """SELECT %(entry)s + n / %(lines)s AS entry,
                  (%(customers)s::int[])[1 + (n / %(months)s * 7919 + n %% %(months)s)
                      %% %(size)s] AS customer,
                  (%(items)s::int[])[1 + n %% %(item_count)s] AS item,
                  (%(first_day)s::date - make_interval(
                      months => %(months)s - 1 - (n::bigint * %(months)s / %(count)s)::int))::date
                  + (n %% 28)::int AS day,
                  round((1 + 99 * %(uniform)s)::numeric, 2) AS amount
             FROM generate_series(0, %(count)s - 1) n""",
        entry=min(entries),
        lines=LINES_PER_ENTRY,
        customers=customers,
        size=len(customers),
        items=items,
        item_count=len(items),
        first_day=first_day,
        months=MONTHS,
        count=count,
        uniform=uniform("n"),
    )
    copy_rows(
        env,
        "customer_cost_line",
        line.id,
        source,
        {
            "entry_id": SQL("g.entry"),
            "customer_id": SQL("g.customer"),
            "item_id": SQL("g.item"),
            "date": SQL("g.day"),
            "origin_date": SQL("g.day"),
            "service_date": SQL("g.day"),
            "amount": SQL("g.amount"),
        },
    )


def copy_rows(env, table, prototype, source, values):
    """Insert a copy of row ``prototype`` for every row of ``source``, with other ``values``.

    ``g`` is the row of the source in them, ``g.id`` the id of the copy.

    :return: the new ids
    """
    env.cr.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 "
        "AND NOT attisdropped AND attgenerated = '' AND attname <> 'id'",
        [table],
    )
    columns = [name for (name,) in env.cr.fetchall()]
    cells = [
        SQL("%s", values[name]) if name in values else SQL.identifier("p", name) for name in columns
    ]
    env.cr.execute(
        SQL(
            """WITH g AS MATERIALIZED (
                   SELECT nextval(pg_get_serial_sequence(%(name)s, 'id'))::int AS id, s.*
                     FROM (%(source)s) s)
               INSERT INTO %(table)s (id, %(columns)s)
               SELECT g.id, %(cells)s FROM g JOIN %(table)s p ON p.id = %(prototype)s""",
            name=table,
            source=source,
            table=SQL.identifier(table),
            columns=SQL(", ").join(map(SQL.identifier, columns)),
            cells=SQL(", ").join(cells),
            prototype=prototype,
        )
    )
    inserted = env.cr.rowcount
    env.cr.execute(SQL("SELECT max(id) FROM %s", SQL.identifier(table)))
    last = env.cr.fetchone()[0]
    return list(range(last - inserted + 1, last + 1))


@contextlib.contextmanager
def bare(env, tables):
    """Take foreign keys and plain indexes off ``tables`` for a load and build them afterwards."""
    env.flush_all()
    env.cr.execute(
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
        "WHERE conrelid = ANY(%s::regclass[]) AND contype = 'f'",
        [list(tables)],
    )
    keys = env.cr.fetchall()
    env.cr.execute(
        "SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) FROM pg_index i "
        "WHERE i.indrelid = ANY(%s::regclass[]) AND NOT i.indisunique",
        [list(tables)],
    )
    indexes = env.cr.fetchall()
    for table, key, _definition in keys:
        env.cr.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{key}"')
    for index, _definition in indexes:
        env.cr.execute(f"DROP INDEX {index}")
    yield
    for _index, definition in indexes:
        env.cr.execute(definition)
    for table, key, definition in keys:
        env.cr.execute(f'ALTER TABLE {table} ADD CONSTRAINT "{key}" {definition}')
    env.invalidate_all()
