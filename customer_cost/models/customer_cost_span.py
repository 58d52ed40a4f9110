import time

from odoo import api, fields, models
from odoo.tools import SQL, date_utils

SECONDS = 10


class CustomerCostSpan(models.Model):
    """Months of a company as they were checked: what their tie-out found, and what is to check.

    A tie-out reads everything of its months. What it found holds until something changed that it
    reads: number, sums and last change of journal items, entries, ledger lines, costs and runs
    are its fingerprint, which one pass over them tells. What leaves no such trace is found by the
    nightly check, which ties out anew. This month and the last one, in which things change, are
    tied out each by itself, the months before them together.
    """

    _name = "customer.cost.span"
    _description = "Checked Months"
    _log_access = False
    _rec_name = "date_from"
    _order = "date_from desc, date_to, company_id"

    company_id = fields.Many2one("res.company", required=True, readonly=True, ondelete="cascade")
    date_from = fields.Date(required=True, readonly=True)
    date_to = fields.Date(required=True, readonly=True)
    to_check = fields.Boolean(readonly=True)
    tie_out = fields.Json(readonly=True)
    tied_at = fields.Datetime(readonly=True)
    fingerprint = fields.Char(readonly=True)

    _key_unique = models.UniqueIndex("(company_id, date_from, date_to)")

    # ------------------------------------------------------------
    # Tie-out
    # ------------------------------------------------------------

    @api.model
    def _get_tie_outs(self, company, first, last, anew=False):
        """Tie out the months of a range that hold something; what did not change is kept.

        The caller has checked the rights. What takes longer than a request may is left to the
        next call.

        :param anew: tie out what did not change as well
        :return: the spans, and how many of them are left
        """
        deadline = time.monotonic() + SECONDS
        found = self._read_fingerprints(company, first, last)
        fingerprints = {
            span: self._join_fingerprints(found, *span) for span in self._split(first, last)
        }
        # sudo: nobody writes what was found, and who asks may see all of it
        spans = self.sudo()._make(company, [span for span in fingerprints if fingerprints[span]])
        if anew:
            spans.fingerprint = False
        stale = spans.filtered(
            lambda span: span.fingerprint != fingerprints[span.date_from, span.date_to]
        )
        for done, span in enumerate(stale, 1):
            span._tie_out(fingerprints[span.date_from, span.date_to])
            if time.monotonic() > deadline:
                return spans, len(stale) - done
        return spans, 0

    @api.model
    def _split(self, first, last):
        """First and last days of what a range is tied out by."""
        this_month = date_utils.start_of(fields.Date.context_today(self), "month")
        recent = date_utils.subtract(this_month, months=1)
        spans = []
        if first < recent:
            spans.append((first, min(last, date_utils.subtract(recent, days=1))))
        for month in (recent, this_month):
            if first <= month <= last:
                spans.append((month, date_utils.end_of(month, "month")))
        following = date_utils.add(this_month, months=1)
        if last >= following:
            spans.append((max(first, following), last))
        return spans

    @api.model
    def _make(self, company, days):
        self.env.cr.execute(
            SQL(
                """INSERT INTO customer_cost_span (company_id, date_from, date_to)
                   SELECT %s, unnest(%s::date[]), unnest(%s::date[])
                   ON CONFLICT (company_id, date_from, date_to) DO NOTHING""",
                company.id,
                [first for first, _last in days],
                [last for _first, last in days],
            )
        )
        spans = self.search(
            [("company_id", "=", company.id), ("date_from", "in", [first for first, _last in days])]
        )
        return spans.filtered(lambda span: (span.date_from, span.date_to) in days)

    def _tie_out(self, fingerprint):
        self.ensure_one()
        figures = self.env["customer.cost.tie.out"]._get_figures(
            self.company_id, self.date_from, self.date_to
        )
        result = next(section for section in figures["sections"] if section["key"] == "result")
        self.write(
            {
                "tie_out": {
                    "is_tied": figures["is_tied"],
                    "difference": figures["difference"],
                    "rows": {
                        row["key"]: row["amount"]
                        for side in result["sides"]
                        for row in side["rows"]
                    },
                    "unmapped": [
                        row["account_id"]
                        for row in figures["accounts"]
                        if any(reason["code"] == "unmapped" for reason in row["reasons"])
                    ],
                },
                "tied_at": fields.Datetime.now(),
                "fingerprint": fingerprint,
            }
        )

    @api.model
    def _join_fingerprints(self, found, first, last):
        return " ".join(found[month] for month in sorted(found) if first <= month <= last)

    @api.model
    def _read_fingerprints(self, company, first, last):
        """Return what identifies what a tie-out reads, by the months that hold something."""
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """WITH setting AS (
                       SELECT concat_ws(' ', co.write_date, co.account_opening_move_id,
                                  (SELECT concat_ws(' ', count(*), max(write_date))
                                     FROM customer_cost_account_map),
                                  (SELECT concat_ws(' ', count(*), max(write_date))
                                     FROM account_account),
                                  (SELECT max(write_date) FROM account_journal),
                                  (SELECT max(write_date) FROM product_category)) AS part
                         FROM res_company co WHERE co.id = %(company)s)
                   SELECT month, md5(string_agg(found.part, ' | ' ORDER BY kind)
                                     || (SELECT part FROM setting))
                     FROM (SELECT 'items' AS kind, date_trunc('month', date)::date AS month,
                                  concat_ws(' ', count(*), sum(balance), sum(abs(balance)),
                                      count(customer_cost_amount), sum(customer_cost_amount),
                                      max(write_date)) AS part
                             FROM account_move_line
                            WHERE company_id = %(company)s AND parent_state = 'posted'
                              AND date BETWEEN %(first)s AND %(last)s
                         GROUP BY 2
                    UNION ALL
                       SELECT 'moves', date_trunc('month', date)::date,
                              concat_ws(' ', count(*), max(write_date))
                         FROM account_move
                        WHERE company_id = %(company)s AND state = 'posted'
                          AND date BETWEEN %(first)s AND %(last)s
                     GROUP BY 2
                    UNION ALL
                       SELECT 'ledger', date_trunc('month', date)::date,
                              concat_ws(' ', count(*), count(customer_id), sum(amount),
                                  sum(abs(amount)), max(id))
                         FROM customer_cost_line
                        WHERE company_id = %(company)s AND date BETWEEN %(first)s AND %(last)s
                     GROUP BY 2
                    UNION ALL
                       SELECT 'origin', date_trunc('month', origin_date)::date,
                              concat_ws(' ', count(*), sum(amount), max(id))
                         FROM customer_cost_line
                        WHERE company_id = %(company)s
                          AND origin_date BETWEEN %(first)s AND %(last)s
                     GROUP BY 2
                    UNION ALL
                       SELECT 'costs', date_trunc('month', date)::date,
                              concat_ws(' ', count(*), sum(amount_company))
                         FROM customer_cost_entry
                        WHERE company_id = %(company)s AND kind = 'statistical'
                          AND state IN ('approved', 'reversed')
                          AND date BETWEEN %(first)s AND %(last)s
                     GROUP BY 2
                    UNION ALL
                       SELECT 'runs', date_trunc('month', date)::date,
                              string_agg(concat_ws(' ', id, write_date), ',' ORDER BY id)
                         FROM customer_cost_run
                        WHERE company_id = %(company)s AND state = 'posted'
                          AND date BETWEEN %(first)s AND %(last)s
                     GROUP BY 2) found
                 GROUP BY month""",
                company=company.id,
                first=first,
                last=last,
            )
        )
        return dict(rows)

    # ------------------------------------------------------------
    # The nightly check
    # ------------------------------------------------------------

    @api.model
    def _queue(self, companies):
        """Have every month checked that holds a figure, stored or not, and every tie-out redone.

        :return: what is to check
        """
        for company in companies:
            self._drop_tie_outs(company)
        self.env.cr.execute(
            SQL(
                """INSERT INTO customer_cost_span (company_id, date_from, date_to, to_check)
                   SELECT company_id, month, (month + interval '1 month - 1 day')::date, TRUE
                     FROM (%s) found
                   ON CONFLICT (company_id, date_from, date_to) DO UPDATE SET to_check = TRUE""",
                self.env["customer.cost.dirty"]._sql_months(companies.ids),
            )
        )
        self.invalidate_model(["to_check"])
        self.search([("tied_at", "!=", False)]).to_check = True
        return self._get_queue()

    @api.model
    def _drop_tie_outs(self, company):
        """Drop what no period of the overview asks for any more."""
        ranges = self.env["customer.cost.overview"].with_company(company)._get_ranges()
        asked = {
            span
            for row in ranges
            for span in self._split(
                *self.env["customer.cost.tie.out"]._parse_range(row["from"], row["to"])
            )
        }
        spans = self.search([("company_id", "=", company.id), ("tied_at", "!=", False)])
        spans.filtered(lambda span: (span.date_from, span.date_to) not in asked).unlink()

    @api.model
    def _get_queue(self):
        return self.search([("to_check", "=", True)])

    def _check(self):
        """Compare a month's stored figures with their sources, and redo what was tied out.

        :return: list of texts, one per figure that differs
        """
        self.ensure_one()
        if self.tied_at:
            found = self._read_fingerprints(self.company_id, self.date_from, self.date_to)
            self._tie_out(self._join_fingerprints(found, self.date_from, self.date_to))
        if self.date_to != date_utils.end_of(self.date_from, "month"):
            return []
        return self.env["customer.cost.balance"]._check_period(self.company_id.id, self.date_from)
