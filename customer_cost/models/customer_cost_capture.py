from odoo import api, models
from odoo.tools import SQL

from .account_move import SALES_TYPES

# What the statement reads: only these are recomputed and flushed before it.
SOURCE_FIELDS = {
    "account.account": ["account_type"],
    "account.analytic.account": ["partner_id", "root_plan_id"],
    "account.journal": ["type"],
    "account.move": [
        "company_id",
        "date",
        "journal_id",
        "move_type",
        "origin_payment_id",
        "partner_id",
        "reversed_entry_id",
        "state",
        "tax_cash_basis_origin_move_id",
    ],
    "account.move.line": [
        "account_id",
        "amount_currency",
        "analytic_distribution",
        "balance",
        "cost_customer_id",
        "cost_item_id",
        "cost_service_from",
        "cost_service_to",
        "currency_id",
        "deductible_amount",
        "discount",
        "display_type",
        "group_tax_id",
        "move_id",
        "name",
        "partner_id",
        "price_unit",
        "product_id",
        "quantity",
        "tax_ids",
        "tax_line_id",
        "tax_repartition_line_id",
    ],
    "account.tax.repartition.line": ["account_id"],
    "customer.cost.account.map": None,
    "customer.cost.entry": ["customer_id", "item_id", "state"],
    "customer.cost.history.month": ["company_id", "date_from", "date_to", "state"],
    "customer.cost.period": ["company_id", "date_from", "state"],
    "product.product": ["product_tmpl_id"],
    "product.template": ["categ_id", "type"],
    "res.company": [
        "account_journal_early_pay_discount_gain_account_id",
        "account_journal_early_pay_discount_loss_account_id",
        "account_opening_move_id",
        "currency_id",
        "customer_cost_centre_plan_id",
        "customer_cost_plan_id",
        "customer_cost_start_date",
    ],
    "res.currency": ["decimal_places"],
    "res.partner": ["commercial_partner_id", "company_id", "customer_rank"],
}


class CustomerCostCapture(models.AbstractModel):
    """Brings the ledger to what posted journal items should have contributed.

    One statement works out the target per company, journal item, cost item, customer, cost centre,
    accounting date and service month, compares it with the ledger and appends only the difference.
    Posting, edits, drafts, reversals, cancellations and deletions are therefore one and the same
    call, and a second call adds nothing. Moves made from the given ones are compared with them.
    """

    _name = "customer.cost.capture"
    _description = "Capture of Costs from Accounting"

    @api.model
    def _sync(self, move_ids, skip_locked=False):
        """Append to the ledger what these moves contribute now and did not before.

        :param move_ids: ids of ``account.move``, deleted ones included; the caller has written
            to them, or locked them, in this transaction
        :param skip_locked: of the moves made from them leave out those that another transaction
            holds, instead of waiting
        :return: number of ledger lines appended
        """
        if not move_ids:
            return 0
        self._flush_sources()
        move_ids = list(move_ids)
        follow = self._is_followed(move_ids)
        self.env.cr.execute(
            SQL(
                """WITH RECURSIVE %(scope)s,
                        candidate AS MATERIALIZED (%(candidate)s),
                        mapped AS MATERIALIZED (%(mapped)s),
                        portion AS (%(portion)s),
                        target AS MATERIALIZED (%(target)s),
                        present AS MATERIALIZED (%(present)s),
                        entry AS (%(entry)s),
                        withdrawn AS (%(withdrawn)s),
                        difference AS (%(difference)s),
                        dated AS (%(dated)s),
                        appended AS (%(append)s),
                        marked AS (%(mark)s)
                        SELECT count(*) FROM appended""",
                scope=self._sql_scope(move_ids, follow, skip_locked),
                candidate=self._sql_candidates(
                    SQL("m.id = ANY(ARRAY(SELECT id FROM scope))"),
                    self._sql_may_be_mapped(follow),
                ),
                mapped=self._sql_mapped(follow),
                portion=self._sql_portions(),
                target=self._sql_target(),
                present=self._sql_present(),
                entry=self._sql_entries(),
                withdrawn=self._sql_withdrawn(),
                difference=self._sql_difference(),
                dated=self._sql_dated(),
                append=self._sql_append(),
                mark=self._sql_mark(move_ids),
            )
        )
        [[appended]] = self.env.cr.fetchall()
        self.env["customer.cost.entry"].invalidate_model(flush=False)
        self.env["customer.cost.line"].invalidate_model(flush=False)
        return appended

    @api.model
    def _lock_moves(self, move_ids, skip_locked=False):
        """Hold the moves against a second comparison until the transaction ends.

        :param skip_locked: leave out the moves another transaction holds, instead of waiting
        :return: ids of the moves held
        """
        if not move_ids:
            return []
        rows = self.env.execute_query(
            SQL(
                "SELECT id FROM account_move WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE %s",
                list(move_ids),
                SQL("SKIP LOCKED" if skip_locked else ""),
            )
        )
        return [move_id for (move_id,) in rows]

    @api.model
    def _flush_sources(self):
        for model, names in SOURCE_FIELDS.items():
            self.env[model].flush_model(names)

    # ------------------------------------------------------------
    # Comparison with the ledger
    # ------------------------------------------------------------

    @api.model
    def _sql_present(self) -> SQL:
        """What the ledger already holds from these moves, by the day it counts on."""
        return SQL(
            """SELECT e.source_line_id AS id, l.company_id, l.item_id, l.customer_id,
                      l.cost_centre_id AS centre_id, l.origin_date AS date, l.service_date,
                      l.date AS day, l.entry_id, sum(l.amount) AS amount
                 FROM customer_cost_entry e JOIN customer_cost_line l ON l.entry_id = e.id
                WHERE e.source_move_id = ANY(ARRAY(SELECT id FROM scope))
                   OR e.source_line_id = ANY(ARRAY(SELECT id FROM target))
             GROUP BY e.source_line_id, l.company_id, l.item_id, l.customer_id, l.cost_centre_id,
                      l.origin_date, l.service_date, l.date, l.entry_id
               HAVING sum(l.amount) <> 0"""
        )

    @api.model
    def _sql_entries(self) -> SQL:
        """Insert or refresh the captured entry of every journal item, customer and item."""
        return SQL(
            """INSERT INTO customer_cost_entry AS e (
                      kind, state, company_id, date, item_id, customer_id, currency_id, amount,
                      amount_company, vendor_id, description, source_line_id, source_move_id,
                      map_id, create_uid, create_date, write_uid, write_date)
               SELECT 'captured', 'captured', min(company_id), min(date), item_id, customer_id,
                      min(currency_id), sum(currency_amount), sum(amount),
                      NULLIF(min(partner_id), customer_id), NULLIF(min(name), ''), id,
                      min(move_id), min(map_id), %(uid)s, %(now)s, %(uid)s, %(now)s
                 FROM target GROUP BY id, customer_id, item_id
               ON CONFLICT (source_line_id, COALESCE(customer_id, 0), item_id)
                     WHERE source_line_id IS NOT NULL
               DO UPDATE SET state = 'captured', company_id = EXCLUDED.company_id,
                      date = EXCLUDED.date, currency_id = EXCLUDED.currency_id,
                      amount = EXCLUDED.amount, amount_company = EXCLUDED.amount_company,
                      vendor_id = EXCLUDED.vendor_id, description = EXCLUDED.description,
                      source_move_id = EXCLUDED.source_move_id, map_id = EXCLUDED.map_id,
                      write_uid = EXCLUDED.write_uid, write_date = EXCLUDED.write_date
                WHERE (e.state, e.company_id, e.date, e.currency_id, e.amount, e.amount_company,
                       e.vendor_id, e.description, e.source_move_id, e.map_id)
                      IS DISTINCT FROM ('captured', EXCLUDED.company_id, EXCLUDED.date,
                       EXCLUDED.currency_id, EXCLUDED.amount, EXCLUDED.amount_company,
                       EXCLUDED.vendor_id, EXCLUDED.description, EXCLUDED.source_move_id,
                       EXCLUDED.map_id)
            RETURNING id, source_line_id, customer_id, item_id""",
            uid=self.env.uid,
            now=self.env.cr.now(),
        )

    @api.model
    def _sql_withdrawn(self) -> SQL:
        """Entries of these moves that nothing posted stands behind any more."""
        return SQL(
            """UPDATE customer_cost_entry e
                  SET state = 'withdrawn', amount = 0, amount_company = 0,
                      write_uid = %(uid)s, write_date = %(now)s
                WHERE e.source_move_id = ANY(ARRAY(SELECT id FROM scope))
                  AND e.state <> 'withdrawn'
                  AND NOT EXISTS (
                      SELECT FROM target t
                       WHERE t.id = e.source_line_id AND t.item_id = e.item_id
                         AND t.customer_id IS NOT DISTINCT FROM e.customer_id)
            RETURNING e.id""",
            uid=self.env.uid,
            now=self.env.cr.now(),
        )

    @api.model
    def _sql_difference(self) -> SQL:
        """What should be there and is not: the whole of it, and what is there by day."""
        return SQL(
            """SELECT id, company_id, item_id, customer_id, centre_id, date, service_date,
                      max(entry_id) AS entry_id, sum(expected) AS expected,
                      array_agg(day) FILTER (WHERE day IS NOT NULL) AS days,
                      array_agg(present) FILTER (WHERE day IS NOT NULL) AS amounts
                 FROM (SELECT id, company_id, item_id, customer_id, centre_id, date,
                              service_date, NULL::int AS entry_id, NULL::date AS day,
                              amount AS expected, 0 AS present FROM target
                 UNION ALL SELECT id, company_id, item_id, customer_id, centre_id, date,
                              service_date, entry_id, day, 0, amount FROM present) both_sides
             GROUP BY id, company_id, item_id, customer_id, centre_id, date, service_date
               HAVING sum(expected) <> sum(present)"""
        )

    @api.model
    def _sql_dated(self) -> SQL:
        """On which day each difference counts.

        What counts in open months is taken back there, late cost included, and what should be
        there takes the first open day of its own month. What counts in closed months stays: where
        it is too much, the rest takes the first day that is open after them.
        """
        first_open_day = self.env["customer.cost.period"]._sql_first_open_day
        return SQL(
            """SELECT d.id, d.company_id, d.item_id, d.customer_id, d.centre_id, d.date,
                      d.service_date, d.entry_id, place.day, sum(place.amount) AS amount
                 FROM difference d
           CROSS JOIN LATERAL (
                   WITH held AS (
                       SELECT h.day, h.amount, %(held_day)s AS open_day
                         FROM unnest(d.days, d.amounts) h(day, amount)),
                   closed AS (
                       SELECT COALESCE(sum(amount), 0) AS amount, max(open_day) AS open_day
                         FROM held WHERE day <> open_day),
                   kept AS (
                       SELECT *, LEAST(GREATEST(d.expected, LEAST(amount, 0)), GREATEST(amount, 0))
                              AS stays
                         FROM closed)
                   SELECT day, -amount FROM held WHERE day = open_day
                UNION ALL SELECT open_day, stays - amount FROM kept
                UNION ALL SELECT %(own_day)s, d.expected - stays FROM kept) place(day, amount)
             GROUP BY d.id, d.company_id, d.item_id, d.customer_id, d.centre_id, d.date,
                      d.service_date, d.entry_id, place.day
               HAVING sum(place.amount) <> 0""",
            held_day=first_open_day(SQL("d.company_id"), SQL("h.day")),
            own_day=first_open_day(SQL("d.company_id"), SQL("d.service_date")),
        )

    @api.model
    def _sql_append(self) -> SQL:
        return SQL(
            """INSERT INTO customer_cost_line (company_id, date, origin_date, service_date,
                      item_id, customer_id, cost_centre_id, entry_id, statistical, amount)
               SELECT d.company_id, d.day, d.date, d.service_date, d.item_id,
                      d.customer_id, d.centre_id, COALESCE(d.entry_id, fresh.id, known.id),
                      FALSE, d.amount
                 FROM dated d
            LEFT JOIN entry fresh ON fresh.source_line_id = d.id AND fresh.item_id = d.item_id
                      AND fresh.customer_id IS NOT DISTINCT FROM d.customer_id
            LEFT JOIN customer_cost_entry known ON known.source_line_id = d.id
                      AND COALESCE(known.customer_id, 0) = COALESCE(d.customer_id, 0)
                      AND known.item_id = d.item_id
            RETURNING company_id, date, customer_id"""
        )

    @api.model
    def _sql_mark(self, move_ids) -> SQL:
        """Have the figures refreshed that the appended lines, or these moves' sales, change."""
        return SQL(
            """INSERT INTO customer_cost_dirty (company_id, month, customer_ids)
               SELECT company_id, date_trunc('month', date)::date,
                      COALESCE(array_agg(DISTINCT customer_id)
                          FILTER (WHERE customer_id IS NOT NULL), '{}')
                 FROM (SELECT company_id, date, customer_id FROM appended
                 UNION ALL SELECT m.company_id, m.date, p.commercial_partner_id
                         FROM account_move m JOIN res_partner p ON p.id = m.partner_id
                        WHERE m.id = ANY(%(move_ids)s) AND m.move_type IN %(sales)s) changed
             GROUP BY 1, 2""",
            move_ids=move_ids,
            sales=SALES_TYPES,
        )
