from odoo import api, models
from odoo.tools import SQL

from .customer_cost_account_map import ACCOUNT_TYPES

# Journals in which the partner of a journal item is the customer it concerns.
CUSTOMER_JOURNAL_TYPES = ("bank", "cash", "credit", "sale", "general")


class CustomerCostCapture(models.AbstractModel):
    """Brings the ledger to what posted journal items should have contributed.

    One statement works out the target per company, journal item, cost item, customer, cost centre
    and accounting date, compares it with the ledger and appends only the difference. Posting,
    edits, drafts, reversals, cancellations and deletions are therefore one and the same call, and
    a second call adds nothing.
    """

    _name = "customer.cost.capture"
    _description = "Capture of Costs from Accounting"

    @api.model
    def _sync(self, move_ids):
        """Append to the ledger what these moves contribute now and did not before.

        :param move_ids: ids of ``account.move``, deleted ones included; the caller has written
            to them, or locked them, in this transaction
        :return: number of ledger lines appended
        """
        if not move_ids:
            return 0
        self._flush_sources()
        move_ids = list(move_ids)
        self.env.cr.execute(
            SQL(
                """WITH candidate AS MATERIALIZED (%(candidate)s),
                        mapped AS MATERIALIZED (%(mapped)s),
                        portion AS (%(portion)s),
                        target AS MATERIALIZED (%(target)s),
                        present AS MATERIALIZED (%(present)s),
                        entry AS (%(entry)s),
                        withdrawn AS (%(withdrawn)s)
                        %(append)s""",
                candidate=self._sql_candidates(self._sql_sync_scope(move_ids)),
                mapped=self._sql_mapped(),
                portion=self._sql_portions(),
                target=self._sql_target(),
                present=self._sql_present(move_ids),
                entry=self._sql_entries(),
                withdrawn=self._sql_withdrawn(move_ids),
                append=self._sql_append(move_ids),
            )
        )
        appended = self.env.cr.rowcount
        self.env["customer.cost.entry"].invalidate_model(flush=False)
        self.env["customer.cost.line"].invalidate_model(flush=False)
        return appended

    @api.model
    def _lock_moves(self, move_ids):
        """Hold the moves against a second comparison until the transaction ends."""
        if move_ids:
            self.env.cr.execute(
                SQL(
                    "SELECT id FROM account_move WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE",
                    list(move_ids),
                )
            )

    @api.model
    def _flush_sources(self):
        for model in (
            "account.move",
            "account.move.line",
            "account.account",
            "account.analytic.account",
            "customer.cost.account.map",
            "customer.cost.entry",
            "customer.cost.line",
            "customer.cost.period",
            "product.template",
            "res.company",
            "res.partner",
        ):
            self.env[model].flush_model()

    # ------------------------------------------------------------
    # Which journal items, which item
    # ------------------------------------------------------------

    @api.model
    def _sql_sync_scope(self, move_ids) -> SQL:
        return SQL(
            "l.move_id = ANY(%s) AND (l.account_id = ANY(%s) OR l.cost_item_id IS NOT NULL)",
            move_ids,
            list(self.env["customer.cost.account.map"]._get_mapped_account_ids()),
        )

    @api.model
    def _sql_candidates(self, scope) -> SQL:
        """Posted journal items in ``scope`` with what the map looks at.

        ``excluded`` says why an item is never a customer cost, or is NULL.
        """
        return SQL(
            """SELECT l.id, l.move_id, m.company_id, m.date, m.journal_id, j.type AS journal_type,
                      l.account_id, l.partner_id, l.balance, l.currency_id, l.amount_currency,
                      COALESCE(l.name, '') AS name, l.cost_customer_id, l.cost_item_id,
                      l.analytic_distribution,
                      string_to_array(trim(trailing '/' from co.parent_path), '/')::int[]
                          AS company_path,
                      string_to_array(trim(trailing '/' from categ.parent_path), '/')::int[]
                          AS categ_path,
                      string_to_array((SELECT string_agg(key, ',')
                          FROM jsonb_object_keys(l.analytic_distribution) key), ',') AS analytic_ids,
                      company_currency.decimal_places AS digits,
                      line_currency.decimal_places AS currency_digits,
                      co.currency_id AS company_currency_id,
                      co.customer_cost_plan_id AS customer_plan_id,
                      COALESCE(co.customer_cost_centre_plan_id, co.customer_cost_plan_id)
                          AS centre_plan_id,
                      CASE WHEN NOT a.account_type = ANY(%(account_types)s) THEN 'account'
                           WHEN %(cost_of_sales)s THEN 'cost_of_sales'
                           WHEN %(closing_move)s THEN 'closing' END AS excluded
                 FROM account_move_line l
                 JOIN account_move m ON m.id = l.move_id
                 JOIN account_account a ON a.id = l.account_id
                 JOIN account_journal j ON j.id = m.journal_id
                 JOIN res_company co ON co.id = m.company_id
                 JOIN res_currency company_currency ON company_currency.id = co.currency_id
                 JOIN res_currency line_currency ON line_currency.id = l.currency_id
            LEFT JOIN product_product pp ON pp.id = l.product_id
            LEFT JOIN product_template pt ON pt.id = pp.product_tmpl_id
            LEFT JOIN product_category categ ON categ.id = pt.categ_id
                WHERE %(scope)s AND m.state = 'posted' AND l.balance <> 0""",
            scope=scope,
            account_types=list(ACCOUNT_TYPES),
            cost_of_sales=self._sql_cost_of_sales(),
            closing_move=self._sql_closing_move(),
        )

    @api.model
    def _sql_cost_of_sales(self) -> SQL:
        """Cost-of-sales items and goods bought: they reach the customer as product cost."""
        is_goods = SQL("pt.type = 'consu'")
        if "is_storable" in self.env["product.template"]._fields:
            is_goods = SQL("pt.is_storable")
        return SQL(
            """l.display_type = 'cogs'
               OR (m.move_type IN ('in_invoice', 'in_refund', 'in_receipt')
                   AND COALESCE(%s, FALSE))""",
            is_goods,
        )

    @api.model
    def _sql_closing_move(self) -> SQL:
        """The opening move, and moves that close the year or month into equity."""
        return SQL(
            """co.account_opening_move_id = m.id OR EXISTS (
                   SELECT FROM account_move_line eq JOIN account_account ea ON ea.id = eq.account_id
                    WHERE eq.move_id = m.id AND ea.account_type = 'equity_unaffected')"""
        )

    @api.model
    def _sql_mapped(self) -> SQL:
        """Candidates with their cost item: the one named on them, else the first map row's."""
        return SQL(
            """SELECT * FROM (
                   SELECT DISTINCT ON (c.id) c.*, r.id AS map_id,
                          COALESCE(c.cost_item_id, r.item_id) AS item_id
                     FROM candidate c
                LEFT JOIN customer_cost_account_map r ON %s
                    WHERE c.excluded IS NULL
                 ORDER BY c.id, r.sequence, r.id) first_match
                WHERE item_id IS NOT NULL""",
            self.env["customer.cost.account.map"]._sql_match(),
        )

    # ------------------------------------------------------------
    # Whose cost it is
    # ------------------------------------------------------------

    @api.model
    def _sql_portions(self) -> SQL:
        """Customers and cost centres of each mapped item with exact weights.

        The item's own customer comes first, then the customers of the analytic accounts on the
        chosen plan in proportion, then its partner when it is a customer in a bank, sale or
        miscellaneous journal. What names no customer is indirect, by cost centre. Analytic shares
        above 100 % or below zero make the whole item indirect.
        """
        return SQL(
            """WITH share AS (
                   SELECT c.id, part.value::numeric AS pct, named.customer_id, named.centre_id
                     FROM mapped c
               CROSS JOIN LATERAL jsonb_each_text(c.analytic_distribution) part
               CROSS JOIN LATERAL (
                       SELECT min(p.commercial_partner_id)
                                  FILTER (WHERE aa.root_plan_id = c.customer_plan_id) AS customer_id,
                              min(aa.id) FILTER (WHERE aa.root_plan_id = c.centre_plan_id
                                  AND (c.centre_plan_id <> c.customer_plan_id
                                       OR aa.partner_id IS NULL)) AS centre_id
                         FROM unnest(string_to_array(part.key, ',')) account
                         JOIN account_analytic_account aa ON aa.id::text = account
                    LEFT JOIN res_partner p ON p.id = aa.partner_id) named
                    WHERE c.cost_customer_id IS NULL),
               summed AS (
                   SELECT c.id, c.cost_customer_id, c.partner_id, c.journal_type,
                          COALESCE(sum(s.pct) FILTER (WHERE s.customer_id IS NOT NULL), 0) AS pct,
                          COALESCE(sum(s.pct) FILTER (WHERE s.customer_id IS NULL
                              AND s.centre_id IS NOT NULL), 0) AS centre_pct,
                          COALESCE(min(s.pct), 0) >= 0 AS positive,
                          count(s.customer_id) AS named
                     FROM mapped c LEFT JOIN share s ON s.id = c.id
                 GROUP BY c.id, c.cost_customer_id, c.partner_id, c.journal_type),
               whole AS (
                   SELECT s.id, s.centre_pct, s.positive,
                          s.positive AND s.pct <= 100 AS by_customer,
                          CASE WHEN s.positive AND s.pct <= 100 THEN 100 - s.pct ELSE 100 END
                              AS rest,
                          CASE WHEN own.id IS NOT NULL THEN own.commercial_partner_id
                               WHEN s.named = 0 AND partner.customer_rank > 0
                                    AND s.journal_type = ANY(%(journal_types)s)
                               THEN partner.commercial_partner_id END AS customer_id
                     FROM summed s
                LEFT JOIN res_partner own ON own.id = s.cost_customer_id
                LEFT JOIN res_partner partner ON partner.id = s.partner_id),
               scaled AS (
                   SELECT *, CASE WHEN rest = 0 THEN 1 ELSE GREATEST(rest, centre_pct) END AS scale
                     FROM whole WHERE customer_id IS NULL)
               SELECT id, customer_id, NULL::int AS centre_id, 1::numeric AS weight
                 FROM whole WHERE customer_id IS NOT NULL
            UNION ALL
               SELECT s.id, s.customer_id, NULL, sum(s.pct) * min(w.scale)
                 FROM share s JOIN scaled w ON w.id = s.id
                WHERE w.by_customer AND s.customer_id IS NOT NULL
             GROUP BY s.id, s.customer_id
            UNION ALL
               SELECT s.id, NULL, s.centre_id, sum(s.pct) * min(w.rest)
                 FROM share s JOIN scaled w ON w.id = s.id
                WHERE w.positive AND s.customer_id IS NULL AND s.centre_id IS NOT NULL
             GROUP BY s.id, s.centre_id
            UNION ALL
               SELECT id, NULL, NULL,
                      rest * scale - CASE WHEN positive THEN rest * centre_pct ELSE 0 END
                 FROM scaled""",
            journal_types=list(CUSTOMER_JOURNAL_TYPES),
        )

    @api.model
    def _sql_target(self) -> SQL:
        """What each portion is worth, split by the largest remainder, ties to the lowest id."""
        return SQL(
            """WITH quotient AS (
                   SELECT c.*, p.customer_id, p.centre_id, p.weight,
                          sum(p.weight) OVER item AS total,
                          round(abs(c.balance) * 10::numeric ^ c.digits) AS minor,
                          round(abs(c.amount_currency) * 10::numeric ^ c.currency_digits)
                              AS currency_minor
                     FROM mapped c JOIN portion p ON p.id = c.id AND p.weight > 0
                   WINDOW item AS (PARTITION BY c.id)),
               ranked AS (
                   SELECT *, div(minor * weight, total) AS units,
                          div(currency_minor * weight, total) AS currency_units,
                          row_number() OVER (PARTITION BY id ORDER BY mod(minor * weight, total)
                              DESC, customer_id NULLS LAST, centre_id NULLS LAST) AS place,
                          row_number() OVER (PARTITION BY id ORDER BY
                              mod(currency_minor * weight, total) DESC,
                              customer_id NULLS LAST, centre_id NULLS LAST) AS currency_place
                     FROM quotient)
               SELECT id, move_id, company_id, company_path, company_currency_id, currency_id,
                      date, name, partner_id, map_id, item_id, customer_id, centre_id,
                      sign(balance) * (units + (place <= minor - sum(units) OVER item)::int)
                          / 10::numeric ^ digits AS amount,
                      sign(amount_currency) * (currency_units + (currency_place
                          <= currency_minor - sum(currency_units) OVER item)::int)
                          / 10::numeric ^ currency_digits AS currency_amount
                 FROM ranked WINDOW item AS (PARTITION BY id)"""
        )

    # ------------------------------------------------------------
    # Comparison with the ledger
    # ------------------------------------------------------------

    @api.model
    def _sql_present(self, move_ids) -> SQL:
        """What the ledger already holds from these moves."""
        return SQL(
            """SELECT e.source_line_id AS id, l.company_id, l.item_id, l.customer_id,
                      l.cost_centre_id AS centre_id, l.origin_date AS date, l.entry_id,
                      sum(l.amount) AS amount
                 FROM customer_cost_entry e JOIN customer_cost_line l ON l.entry_id = e.id
                WHERE e.source_move_id = ANY(%s)
             GROUP BY e.source_line_id, l.company_id, l.item_id, l.customer_id, l.cost_centre_id,
                      l.origin_date, l.entry_id
               HAVING sum(l.amount) <> 0""",
            move_ids,
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
                      min(currency_id), sum(currency_amount), sum(amount), min(partner_id),
                      min(name), id, min(move_id), min(map_id), %(uid)s, %(now)s, %(uid)s, %(now)s
                 FROM target GROUP BY id, customer_id, item_id
               ON CONFLICT (source_line_id, COALESCE(customer_id, 0), item_id)
                     WHERE source_line_id IS NOT NULL
               DO UPDATE SET state = 'captured', company_id = EXCLUDED.company_id,
                      date = EXCLUDED.date, currency_id = EXCLUDED.currency_id,
                      amount = EXCLUDED.amount, amount_company = EXCLUDED.amount_company,
                      vendor_id = EXCLUDED.vendor_id, description = EXCLUDED.description,
                      map_id = EXCLUDED.map_id, write_uid = EXCLUDED.write_uid,
                      write_date = EXCLUDED.write_date
                WHERE (e.state, e.company_id, e.date, e.currency_id, e.amount, e.amount_company,
                       e.vendor_id, e.description, e.map_id)
                      IS DISTINCT FROM ('captured', EXCLUDED.company_id, EXCLUDED.date,
                       EXCLUDED.currency_id, EXCLUDED.amount, EXCLUDED.amount_company,
                       EXCLUDED.vendor_id, EXCLUDED.description, EXCLUDED.map_id)
            RETURNING id, source_line_id, customer_id, item_id""",
            uid=self.env.uid,
            now=self.env.cr.now(),
        )

    @api.model
    def _sql_withdrawn(self, move_ids) -> SQL:
        """Entries of these moves that nothing posted stands behind any more."""
        return SQL(
            """UPDATE customer_cost_entry e
                  SET state = 'withdrawn', amount = 0, amount_company = 0,
                      write_uid = %(uid)s, write_date = %(now)s
                WHERE e.source_move_id = ANY(%(move_ids)s) AND e.state <> 'withdrawn'
                  AND NOT EXISTS (
                      SELECT FROM target t
                       WHERE t.id = e.source_line_id AND t.item_id = e.item_id
                         AND t.customer_id IS NOT DISTINCT FROM e.customer_id)
            RETURNING e.id""",
            uid=self.env.uid,
            now=self.env.cr.now(),
            move_ids=move_ids,
        )

    @api.model
    def _sql_append(self, move_ids) -> SQL:
        """Write the differences; one that belongs to a closed period takes the first open day."""
        return SQL(
            """, difference AS (
                   SELECT id, company_id, item_id, customer_id, centre_id, date,
                          max(entry_id) AS entry_id, sum(amount) AS amount
                     FROM (SELECT id, company_id, item_id, customer_id, centre_id, date,
                                  NULL::int AS entry_id, amount FROM target
                     UNION ALL SELECT id, company_id, item_id, customer_id, centre_id, date,
                                  entry_id, -amount FROM present) both_sides
                 GROUP BY id, company_id, item_id, customer_id, centre_id, date
                   HAVING sum(amount) <> 0)
               INSERT INTO customer_cost_line (company_id, date, origin_date, item_id,
                      customer_id, cost_centre_id, entry_id, statistical, amount)
               SELECT d.company_id, %(open_day)s, d.date, d.item_id, d.customer_id, d.centre_id,
                      COALESCE(d.entry_id, fresh.id, known.id), FALSE, d.amount
                 FROM difference d
            LEFT JOIN entry fresh ON fresh.source_line_id = d.id AND fresh.item_id = d.item_id
                      AND fresh.customer_id IS NOT DISTINCT FROM d.customer_id
            LEFT JOIN customer_cost_entry known ON known.source_line_id = d.id
                      AND known.source_move_id = ANY(%(move_ids)s) AND known.item_id = d.item_id
                      AND known.customer_id IS NOT DISTINCT FROM d.customer_id""",
            open_day=self.env["customer.cost.period"]._sql_first_open_day(
                SQL("d.company_id"), SQL("d.date")
            ),
            move_ids=move_ids,
        )
