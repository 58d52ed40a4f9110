from odoo import api, models
from odoo.tools import SQL, split_every

MOVES_PER_STATEMENT = 5000


class CustomerCostCapture(models.AbstractModel):
    """The same comparison by days instead of documents: for history, for the night, to check."""

    _inherit = "customer.cost.capture"

    @api.model
    def _sync_period(self, company, first, last):
        """Bring the ledger up to date for a range of accounting dates.

        Compared are the posted moves of the range and every move the ledger holds something of in
        it: deleted ones, and those that were moved to another day. A difference that belongs to a
        closed period takes the first open day and keeps its accounting date, as it does when a
        move is posted late; who must leave closed periods alone asks for open days only.

        :param company: one ``res.company``, without its branches
        :param first: first accounting date
        :param last: last accounting date
        :return: number of ledger lines appended
        """
        appended = 0
        for move_ids in self._split_moves(company, first, last):
            held = set(self._lock_moves(move_ids))
            if len(held) < len(move_ids):
                held |= self._find_deleted_moves(move_ids)
            appended += self._sync(sorted(held))
        return appended

    @api.model
    def _sync_period_unlocked(self, company, first, last):
        """Do as :meth:`_sync_period`, but leave out the moves that somebody is working on.

        :return: number of ledger lines appended, and whether no move was left out
        """
        appended, complete = 0, True
        for move_ids in self._split_moves(company, first, last):
            deleted = self._find_deleted_moves(move_ids)
            concerned = {*move_ids, *self._find_followers(move_ids)} - deleted
            held = set(self._lock_moves(concerned, skip_locked=True))
            complete = complete and held == concerned
            appended += self._sync(
                [move_id for move_id in move_ids if move_id in held | deleted], skip_locked=True
            )
        return appended, complete

    @api.model
    def _split_moves(self, company, first, last):
        self._flush_sources()
        return split_every(MOVES_PER_STATEMENT, self._find_moves(company, first, last), list)

    @api.model
    def _find_moves(self, company, first, last):
        """Ids of the moves, deleted ones included, that concern the ledger of these days."""
        rows = self.env.execute_query(
            SQL(
                """SELECT m.id FROM account_move m
                    WHERE %(moves)s AND m.state = 'posted' AND EXISTS (
                          SELECT FROM account_move_line l
                           WHERE l.move_id = m.id AND %(lines)s)
                    UNION
                   SELECT e.source_move_id
                     FROM customer_cost_line l JOIN customer_cost_entry e ON e.id = l.entry_id
                    WHERE %(held)s
                 ORDER BY 1""",
                moves=self._sql_moves_of_days(company, first, last),
                lines=self._sql_may_be_mapped(),
                held=self._sql_held_of_days(company, first, last),
            )
        )
        return [move_id for (move_id,) in rows]

    @api.model
    def _find_deleted_moves(self, move_ids):
        rows = self.env.execute_query(
            SQL(
                """SELECT id FROM unnest(%s) AS held(id)
                    WHERE NOT EXISTS (SELECT FROM account_move m WHERE m.id = held.id)""",
                move_ids,
            )
        )
        return {move_id for (move_id,) in rows}

    @api.model
    def _sql_before_start(self) -> SQL:
        """Whether move ``m`` of company ``co`` lies before the start and was not brought in.

        What was in the books before the add-on came is not captured until the history brings its
        month in, and no longer once that is undone, by whatever door its items are changed.
        """
        return SQL(
            """(m.date < co.customer_cost_start_date AND NOT EXISTS (
                    SELECT FROM customer_cost_history_month h
                     WHERE h.company_id = m.company_id AND h.state IN ('done', 'undoing')
                       AND m.date BETWEEN h.date_from AND h.date_to))"""
        )

    @api.model
    def _sql_moves_of_days(self, company, first, last) -> SQL:
        return SQL("m.company_id = %s AND m.date BETWEEN %s AND %s", company.id, first, last)

    @api.model
    def _sql_held_of_days(self, company, first, last) -> SQL:
        """Condition on ledger line ``l`` and its entry ``e``: captured, of these days."""
        return SQL(
            """l.company_id = %s AND l.origin_date BETWEEN %s AND %s
               AND e.source_move_id IS NOT NULL""",
            company.id,
            first,
            last,
        )

    @api.model
    def _find_differences(self, company, first, last, limit=None):
        """Compare the ledger with the posted items of a range of accounting dates; reads only.

        :param company: one ``res.company``, without its branches
        :param first: first accounting date
        :param last: last accounting date
        :param limit: at most so many differences
        :return: list of dicts, one per journal item, cost item, customer, cost centre,
            accounting date and service month where the two differ: ``line_id``, ``move_id``,
            ``account_id`` (``None`` when the journal item is gone), ``item_id``, ``customer_id``
            and ``centre_id`` (``None`` without), ``date``, ``service_date``, ``expected`` and
            ``present``: what the posted item contributes and what the ledger holds, in company
            currency, positive when it costs
        """
        self._flush_sources()
        return self.env.execute_query_dict(
            SQL(
                """%s ORDER BY date, move_id, line_id, item_id, customer_id, centre_id,
                               service_date
                    LIMIT %s""",
                self._sql_differences(company, first, last),
                limit,
            )
        )

    @api.model
    def _sql_differences(self, company, first, last) -> SQL:
        """The statement of :meth:`_find_differences`, in no order."""
        return SQL(
            """WITH candidate AS MATERIALIZED (%(candidate)s),
                    mapped AS MATERIALIZED (%(mapped)s),
                    portion AS (%(portion)s),
                    target AS MATERIALIZED (%(target)s),
                    present AS (%(present)s),
                    difference AS (
               SELECT id, item_id, customer_id, centre_id, date, service_date,
                      max(move_id) AS move_id, sum(expected) AS expected,
                      sum(present) AS present
                 FROM (SELECT id, move_id, item_id, customer_id, centre_id, date,
                              service_date, amount AS expected, 0 AS present FROM target
                 UNION ALL SELECT id, move_id, item_id, customer_id, centre_id, date,
                              service_date, 0, amount FROM present) both_sides
             GROUP BY id, item_id, customer_id, centre_id, date, service_date
               HAVING sum(expected) <> sum(present))
               SELECT d.id AS line_id, COALESCE(l.move_id, d.move_id) AS move_id,
                      l.account_id, d.item_id, d.customer_id, d.centre_id, d.date,
                      d.service_date, d.expected, d.present
                 FROM difference d LEFT JOIN account_move_line l ON l.id = d.id""",
            candidate=self._sql_candidates(
                self._sql_moves_of_days(company, first, last), self._sql_may_be_mapped()
            ),
            mapped=self._sql_mapped(),
            portion=self._sql_portions(),
            target=self._sql_target(),
            present=self._sql_held(company, first, last),
        )

    @api.model
    def _sql_held(self, company, first, last) -> SQL:
        """What the ledger holds as captured in these days, whatever became of the documents."""
        return SQL(
            """SELECT e.source_line_id AS id, e.source_move_id AS move_id, l.item_id,
                      l.customer_id, l.cost_centre_id AS centre_id, l.origin_date AS date,
                      l.service_date, l.amount
                 FROM customer_cost_line l JOIN customer_cost_entry e ON e.id = l.entry_id
                WHERE %s""",
            self._sql_held_of_days(company, first, last),
        )
