"""Approving many costs at once, against writing the same rows in three statements."""

from datetime import date

from odoo.fields import Command
from odoo.tests import new_test_user
from odoo.tools import SQL

from .measure import Row, cpu, pairs, queries, stopwatch
from .stage import Books

COUNT = 1000
BATCH = 500
QUEUE = 10_000


def review(stage):
    """Approving 1,000 costs at their last stage in one call."""
    count = COUNT // 10 if stage.quick else COUNT
    books = Books(stage.env, "Bench review")
    entries = submit_costs(books, count)
    reviewer = new_test_user(
        stage.env,
        login="bench_reviewer",
        groups="customer_cost.group_customer_cost_reviewer",
        company_id=books.company.id,
        company_ids=[Command.set(books.company.ids)],
    )
    stage.env.cr.commit()
    waiting = entries.with_user(reviewer)
    got, floor = pairs(
        lambda: approve(waiting), lambda: approve_bare(entries, reviewer), stage.repeats
    )
    rows = [
        Row("Bulk", f"Approve {count} costs at once, CPU and database", count, got, floor,
            "two UPDATE and two INSERT ... SELECT of the same rows", 15)
    ]  # fmt: skip
    for part in (10, count):
        rows.append(
            Row("Bulk", "Queries of one approval", part, [count_queries(waiting[:part])], [0],
                "none: the number must not grow with the costs", 100, "difference", "queries")
        )  # fmt: skip
    return rows


def submission(stage):
    """Submitting 10,000 costs at once: the button, and the work in the background."""
    count = QUEUE // 2 if stage.quick else QUEUE
    books = Books(stage.env, "Bench submission")
    _button, floor = submit_queue(books, count // 10)
    button, seconds = submit_queue(books, count)
    return [
        Row("Bulk", "Submit at once, the button", count, [button], [seconds],
            "submitting them in the background", 0.1),
        Row("Bulk", "Submit at once, in the background", count, [seconds], [floor],
            "submitting a tenth of them", 12),
    ]  # fmt: skip


def submit_queue(books, count):
    """Seconds of the button and of the background for ``count`` new costs, all submitted."""
    entries = create_costs(books, count)
    books.env.cr.commit()
    books.env.invalidate_all()
    with stopwatch() as button:
        entries.action_submit()
        books.env.cr.commit()
    books.env.invalidate_all()
    with stopwatch() as background:
        # sudo: as the scheduled action runs
        books.env["customer.cost.entry"].sudo()._cron_submit()
    assert set(entries.mapped("state")) == {"submitted"}
    return button[0], background[0]


def submit_costs(books, count):
    """Submitted costs of the company's own customers."""
    entries = create_costs(books, count)
    for start in range(0, count, BATCH):
        entries[start : start + BATCH].action_submit()
    return entries


def create_costs(books, count):
    """Drafts of the company's own customers."""
    customers = books.env["res.partner"].create(
        [{"name": f"Bench customer {number}", "is_company": True} for number in range(20)]
    )
    item = books.env["customer.cost.item"].create(
        {
            "code": f"BENCH-REV-{count}-{books.company.id}",
            "name": "Bench samples",
            "manual_kind": "statistical",
        }
    )
    return books.env["customer.cost.entry"].create(
        [
            {
                "date": date.today(),
                "item_id": item.id,
                "customer_id": customers[number % 20].id,
                "amount": 10.0 + number,
                "company_id": books.company.id,
                "currency_id": books.company.currency_id.id,
            }
            for number in range(count)
        ]
    )


def approve(entries):
    """Seconds of the approval, which is taken back afterwards."""
    entries.env.invalidate_all()
    with cpu(entries.env.cr) as seconds:
        entries.action_approve()
        entries.env.flush_all()
        entries.env.cr.precommit.run()
        entries.env.flush_all()
    assert set(entries.sudo().mapped("state")) == {"approved"}
    assert len(entries.sudo().line_ids) == len(entries)
    take_back(entries)
    return seconds[0]


def approve_bare(entries, reviewer):
    """The rows that an approval changes and makes, written without asking anything."""
    cr = entries.env.cr
    ids = entries.ids
    with cpu(cr) as seconds:
        cr.execute(
            SQL(
                """UPDATE customer_cost_entry SET state = 'approved', cost_review_id = NULL,
                          write_uid = %s, write_date = now() WHERE id = ANY(%s)""",
                reviewer.id,
                ids,
            )
        )
        cr.execute(
            SQL(
                """UPDATE customer_cost_review SET decision = 'approved', user_id = %s,
                          date = now() WHERE entry_id = ANY(%s)""",
                reviewer.id,
                ids,
            )
        )
        cr.execute(
            SQL(
                """INSERT INTO customer_cost_line (company_id, date, origin_date, service_date,
                          item_id, customer_id, entry_id, statistical, amount)
                   SELECT company_id, date, date, date, item_id, customer_id, id, true,
                          amount_company
                     FROM customer_cost_entry WHERE id = ANY(%s)""",
                ids,
            )
        )
        cr.execute(
            SQL(
                """INSERT INTO mail_message (model, res_id, message_type, author_id, date,
                          create_uid, create_date)
                   SELECT 'customer.cost.entry', id, 'notification', %s, now(), %s, now()
                     FROM customer_cost_entry WHERE id = ANY(%s)""",
                reviewer.partner_id.id,
                reviewer.id,
                ids,
            )
        )
    take_back(entries)
    return seconds[0]


def count_queries(entries):
    entries.env.invalidate_all()
    with queries(entries.env.cr) as number:
        entries.action_approve()
        entries.env.flush_all()
    take_back(entries)
    return number[0]


def take_back(entries):
    entries.env.cr.rollback()
    entries.env.invalidate_all(flush=False)
