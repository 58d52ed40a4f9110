"""G10: posting vendor bills with the add-on and in a database without it."""

from datetime import date

from .measure import Row, cpu, pairs, queries
from .stage import Books

LINES = 4
BILLS = 200


def posting(stage):
    """Posting 200 bills with the add-on and without."""
    count = BILLS // 10 if stage.quick else BILLS
    other = stage.open_without()
    try:
        bills, bare_bills = (
            Books(env, "Bench posting").create_bills(count, 100.0, date.today(), LINES)
            for env in (stage.env, other)
        )
        stage.env.cr.commit()
        other.cr.commit()
        got, floor = pairs(lambda: post(bills), lambda: post(bare_bills), stage.repeats)
        rows = [
            Row("G10", f"Post {count} bills of {LINES} lines, CPU", count, got, floor,
                "the same bills in a database without the add-on", 1.15)
        ]  # fmt: skip
        for part in (1, count // 4, count):
            got, floor = (post_counting(some[:part]) for some in (bills, bare_bills))
            rows.append(
                Row("G10", "Queries of one posting call", part, [got], [floor],
                    "the same bills in a database without the add-on", 3, "difference", "queries")
            )  # fmt: skip
        return rows
    finally:
        other.cr.close()


def post(bills):
    """CPU seconds of posting, which is taken back afterwards."""
    bills.env.invalidate_all()
    with cpu(bills.env.cr) as seconds:
        bills.action_post()
        bills.env.flush_all()
    check_captured(bills)
    _take_back(bills)
    return seconds[0]


def check_captured(bills):
    """The add-on has done its work where it is, and nothing is measured that was not done."""
    assert set(bills.mapped("state")) == {"posted"}
    if "customer.cost.entry" in bills.env:
        entries = bills.env["customer.cost.entry"].search_count(
            [("source_move_id", "in", bills.ids), ("state", "=", "captured")]
        )
        assert entries == len(bills.invoice_line_ids), entries


def post_counting(bills):
    bills.env.invalidate_all()
    with queries(bills.env.cr) as number:
        bills.action_post()
        bills.env.flush_all()
    _take_back(bills)
    return number[0]


def _take_back(bills):
    bills.env.cr.rollback()
    bills.env.invalidate_all(flush=False)
