from odoo import api, models
from odoo.tools import SQL

from .customer_cost_account_map import ACCOUNT_TYPES

# Kinds of journal items that Odoo writes itself, from the product lines of the same document.
GENERATED_TYPES = (
    "discount",
    "epd",
    "non_deductible_product",
    "non_deductible_product_total",
    "non_deductible_tax",
    "rounding",
    "tax",
)
# A reversal of a cut-off of a bill's tax is as far as anybody goes.
MAX_HOPS = 4


class CustomerCostCapture(models.AbstractModel):
    """Journal items that Odoo generates follow the items they come from.

    A tax, discount, rounding or non-deductible part follows the product lines of its document; a
    reversal, a cut-off or deferral entry, a cash basis entry and the early payment discount of a
    bill follow the document they were made from. What comes from several items is divided in
    proportion.
    """

    _inherit = "customer.cost.capture"

    @api.model
    def _sql_may_follow(self) -> SQL:
        """Whether item ``l`` of move ``m`` may follow others, though its account is not mapped."""
        return SQL(
            """((l.display_type IN %(types)s OR EXISTS (%(origins)s))
                AND EXISTS (SELECT FROM account_account ga
                             WHERE ga.id = l.account_id AND ga.account_type IN %(accounts)s))""",
            types=GENERATED_TYPES,
            origins=self._sql_origins(SQL("m.id")),
            accounts=ACCOUNT_TYPES,
        )

    @api.model
    def _get_adjusting_relations(self):
        """Relations between an entry and the moves it defers: table, its column, their column."""
        names = ("adjusting_entry_origin_move_ids", "deferred_original_move_ids")
        found = (self.env["account.move"]._fields.get(name) for name in names)
        return [(field.relation, field.column1, field.column2) for field in found if field]

    @api.model
    def _sql_origins(self, move_id) -> SQL:
        """Posted moves that ``move_id`` was made from, and how."""
        adjusting = SQL(" UNION ALL ").join(
            SQL(
                "SELECT a.%s, 'deferral' FROM %s a WHERE a.%s = %s",
                SQL.identifier(theirs),
                SQL.identifier(table),
                SQL.identifier(own),
                move_id,
            )
            for table, own, theirs in self._get_adjusting_relations()
        )
        return SQL(
            """SELECT o.id AS origin_id, found.kind
                 FROM (SELECT r.reversed_entry_id, 'reversal' FROM account_move r
                        WHERE r.id = %(move)s AND r.reversed_entry_id IS NOT NULL
                     UNION ALL
                       SELECT r.tax_cash_basis_origin_move_id, 'cash_basis' FROM account_move r
                        WHERE r.id = %(move)s AND r.tax_cash_basis_origin_move_id IS NOT NULL
                     UNION ALL
                       SELECT p.invoice_id, 'payment' FROM account_move r
                         JOIN account_move__account_payment p ON p.payment_id = r.origin_payment_id
                        WHERE r.id = %(move)s
                     UNION ALL %(adjusting)s) found(id, kind)
                 JOIN account_move o ON o.id = found.id AND o.state = 'posted'
                WHERE o.id <> %(move)s
                  AND (found.kind <> 'payment' OR o.move_type LIKE 'in_%%')""",
            move=move_id,
            adjusting=adjusting,
        )

    @api.model
    def _sql_followers(self, move_id) -> SQL:
        """Moves that were made from ``move_id``."""
        return SQL(
            """SELECT r.id FROM account_move r WHERE r.reversed_entry_id = %(move)s
            UNION ALL
               SELECT r.id FROM account_move r WHERE r.tax_cash_basis_origin_move_id = %(move)s
            UNION ALL
               SELECT r.id FROM account_move__account_payment p
                 JOIN account_move r ON r.origin_payment_id = p.payment_id
                WHERE p.invoice_id = %(move)s
            UNION ALL %(adjusting)s""",
            move=move_id,
            adjusting=SQL(" UNION ALL ").join(
                SQL(
                    "SELECT a.%s FROM %s a WHERE a.%s = %s",
                    SQL.identifier(own),
                    SQL.identifier(table),
                    SQL.identifier(theirs),
                    move_id,
                )
                for table, own, theirs in self._get_adjusting_relations()
            ),
        )

    @api.model
    def _sql_reach(self, move_ids) -> SQL:
        """The moves and those made from them, whatever the number of steps."""
        return SQL(
            """SELECT unnest(%s::int[]) AS id, 0 AS hops
                UNION
               SELECT f.id, reach.hops + 1
                 FROM reach CROSS JOIN LATERAL (%s) f
                WHERE reach.hops < %s""",
            move_ids,
            self._sql_followers(SQL("reach.id")),
            MAX_HOPS,
        )

    @api.model
    def _is_followed(self, move_ids):
        """Whether an item of these moves follows others, or another move one of these.

        Most documents have neither, and the statement that knows of neither is planned in half
        the time.
        """
        adjusting = SQL(" OR ").join(
            SQL(
                "EXISTS (SELECT FROM %s a WHERE a.%s = ANY(%s) OR a.%s = ANY(%s))",
                SQL.identifier(table),
                SQL.identifier(own),
                move_ids,
                SQL.identifier(theirs),
                move_ids,
            )
            for table, own, theirs in self._get_adjusting_relations()
        )
        ((followed,),) = self.env.execute_query(
            SQL(
                """SELECT EXISTS (SELECT FROM account_move_line l
                                    JOIN account_account a ON a.id = l.account_id
                                   WHERE l.move_id = ANY(%(ids)s) AND l.display_type IN %(types)s
                                     AND a.account_type IN %(accounts)s)
                       OR EXISTS (SELECT FROM account_move m
                                   WHERE m.id = ANY(%(ids)s)
                                     AND COALESCE(m.reversed_entry_id, m.origin_payment_id,
                                         m.tax_cash_basis_origin_move_id) IS NOT NULL)
                       OR EXISTS (SELECT FROM account_move m
                                   WHERE m.reversed_entry_id = ANY(%(ids)s))
                       OR EXISTS (SELECT FROM account_move m
                                   WHERE m.tax_cash_basis_origin_move_id = ANY(%(ids)s))
                       OR EXISTS (SELECT FROM account_move__account_payment p
                                   WHERE p.invoice_id = ANY(%(ids)s))
                       OR %(adjusting)s""",
                ids=move_ids,
                types=GENERATED_TYPES,
                accounts=ACCOUNT_TYPES,
                adjusting=adjusting,
            )
        )
        return followed

    @api.model
    def _sql_scope(self, move_ids, follow, skip_locked=False) -> SQL:
        """Common table expressions up to ``scope``: the moves and, locked, those made from them."""
        if not follow:
            return SQL("scope AS MATERIALIZED (SELECT unnest(%s::int[]) AS id)", move_ids)
        return SQL(
            """reach AS (%(reach)s),
                        follower AS MATERIALIZED (
                   SELECT m.id FROM account_move m
                    WHERE m.id = ANY(ARRAY(SELECT id FROM reach WHERE hops > 0))
                      AND NOT m.id = ANY(%(move_ids)s)
                 ORDER BY m.id FOR NO KEY UPDATE %(skip)s),
                        scope AS MATERIALIZED (
                   SELECT unnest(%(move_ids)s::int[]) AS id UNION ALL SELECT id FROM follower)""",
            reach=self._sql_reach(move_ids),
            move_ids=move_ids,
            skip=SQL("SKIP LOCKED" if skip_locked else ""),
        )

    @api.model
    def _find_followers(self, move_ids):
        """Ids of the moves made from ``move_ids``."""
        if not move_ids:
            return []
        rows = self.env.execute_query(
            SQL(
                """WITH RECURSIVE reach AS (%s)
                   SELECT DISTINCT id FROM reach WHERE NOT id = ANY(%s)""",
                self._sql_reach(list(move_ids)),
                list(move_ids),
            )
        )
        return [move_id for (move_id,) in rows]

    # ------------------------------------------------------------
    # From which items an item comes
    # ------------------------------------------------------------

    @api.model
    def _sql_lineage(self) -> SQL:
        """Common table expressions from ``candidate`` to ``leaf``.

        A row of ``leaf`` says which ``share`` of candidate ``id`` comes from ``source_id``, the
        customer, item and service period that were named on the way, and nothing else: an item
        that follows no other is its own source.
        """
        return SQL(
            """hop AS (
                   SELECT move_id, move_id AS origin_id, ''::text AS kind, 0 AS hops
                     FROM (SELECT move_id, bool_or(display_type IN %(types)s) AS generated
                             FROM candidate GROUP BY move_id) c
                    WHERE generated OR EXISTS (%(first_origins)s)
                    UNION
                   SELECT hop.origin_id, o.origin_id, o.kind, hop.hops + 1
                     FROM hop CROSS JOIN LATERAL (%(origins)s) o
                    WHERE hop.hops < %(max_hops)s),
               line AS MATERIALIZED (
                   SELECT l.id, l.move_id, l.display_type, l.account_id, l.partner_id,
                          l.balance, l.analytic_distribution, l.cost_customer_id, l.cost_item_id,
                          l.tax_line_id, l.group_tax_id, l.tax_repartition_line_id, l.discount,
                          l.balance * (100 - COALESCE(l.deductible_amount, 100))::numeric
                              AS private,
                          l.quantity * l.price_unit * l.discount AS discounted, %(service)s
                     FROM account_move_line l
                    WHERE l.account_id IS NOT NULL AND l.move_id IN (SELECT origin_id FROM hop)),
               follower AS (
                   SELECT * FROM line
                    WHERE (cost_customer_id IS NULL OR cost_item_id IS NULL)
                      AND (display_type IN %(types)s
                           OR move_id IN (SELECT move_id FROM hop WHERE kind <> ''))),
               pair AS (%(document)s UNION ALL %(origin)s),
               nearest AS (
                   SELECT *, min(level) OVER (PARTITION BY id) AS first FROM pair
                    WHERE weight <> 0),
               basis AS MATERIALIZED (
                   SELECT id, base_id, in_document,
                          weight * 1.000000000000000000000000000000 / total AS share
                     FROM (SELECT *, sum(weight) OVER (PARTITION BY id) AS total FROM nearest
                            WHERE level = first) whole
                    WHERE total <> 0),
               path AS (
                   SELECT id, id AS source_id, 1::numeric AS share, cost_customer_id, cost_item_id,
                          service_from, service_to, TRUE AS in_document, 0 AS hops
                     FROM candidate
                UNION ALL
                   SELECT p.id, b.base_id, p.share * b.share,
                          COALESCE(p.cost_customer_id, s.cost_customer_id),
                          COALESCE(p.cost_item_id, s.cost_item_id),
                          CASE WHEN p.in_document AND b.in_document
                               THEN COALESCE(p.service_from, s.service_from)
                               ELSE p.service_from END,
                          CASE WHEN p.in_document AND b.in_document
                               THEN COALESCE(p.service_to, s.service_to) ELSE p.service_to END,
                          p.in_document AND b.in_document, p.hops + 1
                     FROM path p JOIN basis b ON b.id = p.source_id JOIN line s ON s.id = b.base_id
                    WHERE p.hops < %(max_hops)s
                      AND (p.cost_customer_id IS NULL OR p.cost_item_id IS NULL)),
               leaf AS MATERIALIZED (
                   SELECT id, source_id, cost_customer_id, cost_item_id, service_from, service_to,
                          sum(share) AS share
                     FROM path p
                    WHERE hops = %(max_hops)s
                       OR (cost_customer_id IS NOT NULL AND cost_item_id IS NOT NULL)
                       OR NOT EXISTS (SELECT FROM basis b WHERE b.id = p.source_id)
                 GROUP BY 1, 2, 3, 4, 5, 6)""",
            origins=self._sql_origins(SQL("hop.origin_id")),
            first_origins=self._sql_origins(SQL("c.move_id")),
            max_hops=MAX_HOPS,
            types=GENERATED_TYPES,
            service=self._sql_service(),
            document=self._sql_document_pairs(),
            origin=self._sql_origin_pairs(),
        )

    @api.model
    def _sql_document_pairs(self) -> SQL:
        """Generated items and the product lines of their own document.

        The nearest level counts: the same account, where a tax or discount has none of its own,
        and the same analytic distribution, since Odoo groups what it generates by them.
        """
        return SQL(
            """SELECT g.id, b.id AS base_id, TRUE AS in_document,
                      CASE WHEN g.display_type LIKE 'non_deductible%%' THEN b.private
                           WHEN g.display_type = 'discount' THEN b.discounted
                           WHEN g.display_type = 'rounding' AND g.tax_line_id IS NULL
                           THEN abs(b.balance) ELSE b.balance END AS weight,
                      (g.account_id <> b.account_id AND (g.display_type = 'discount'
                       OR g.display_type = 'tax' AND rep.account_id IS NULL))::int
                      + 2 * (g.display_type IN ('tax', 'epd') AND g.analytic_distribution
                             IS DISTINCT FROM b.analytic_distribution)::int AS level
                 FROM follower g
            LEFT JOIN account_tax_repartition_line rep ON rep.id = g.tax_repartition_line_id
                 JOIN line b ON b.move_id = g.move_id AND b.display_type = 'product'
                WHERE CASE g.display_type
                           WHEN 'epd' THEN b.account_id = g.account_id
                           WHEN 'discount' THEN b.discount <> 0
                           WHEN 'non_deductible_product' THEN b.account_id = g.account_id
                           WHEN 'non_deductible_product_total' THEN b.private <> 0
                           WHEN 'non_deductible_tax' THEN EXISTS (
                                SELECT FROM account_move_line_account_tax_rel t
                                 WHERE t.account_move_line_id = b.id)
                           ELSE g.display_type IN ('tax', 'rounding') AND (
                                g.tax_line_id IS NULL AND g.display_type = 'rounding'
                                OR EXISTS (
                                SELECT FROM account_move_line_account_tax_rel t
                                 WHERE t.account_move_line_id = b.id
                                   AND t.account_tax_id IN (g.tax_line_id, g.group_tax_id))) END"""
        )

    @api.model
    def _sql_origin_pairs(self) -> SQL:
        """Items and those of the move that theirs was made from.

        A cash basis entry comes before its own document: its items are copies of the origin's. A
        reversal copies customer and distribution as well: where it has one, that one counts.
        """
        return SQL(
            """SELECT g.id, b.id, h.kind = 'reversal', abs(b.balance),
                      CASE WHEN h.kind = 'cash_basis' THEN -100 ELSE 100 END
                      + (abs(b.balance) <> abs(g.balance))::int
                      + 2 * (g.analytic_distribution IS DISTINCT FROM b.analytic_distribution)::int
                      + 4 * (g.partner_id IS DISTINCT FROM b.partner_id)::int
                      + 8 * (b.display_type <> 'product')::int
                 FROM follower g
                 JOIN (SELECT DISTINCT move_id, origin_id, kind FROM hop WHERE kind <> '') h
                      ON h.move_id = g.move_id
                 JOIN account_move m ON m.id = g.move_id
                 JOIN res_company co ON co.id = m.company_id
                 JOIN line b ON b.move_id = h.origin_id
                WHERE CASE h.kind
                           WHEN 'payment' THEN b.display_type = 'product' AND g.account_id IN (
                                co.account_journal_early_pay_discount_gain_account_id,
                                co.account_journal_early_pay_discount_loss_account_id)
                           WHEN 'reversal' THEN b.account_id = g.account_id
                                AND g.analytic_distribution IS NULL
                           WHEN 'cash_basis' THEN CASE WHEN g.tax_line_id IS NULL
                                THEN b.account_id = g.account_id
                                ELSE b.display_type = 'product' AND EXISTS (
                                     SELECT FROM account_move_line_account_tax_rel t
                                      WHERE t.account_move_line_id = b.id
                                        AND t.account_tax_id IN (g.tax_line_id, g.group_tax_id))
                                END
                           ELSE b.account_id = g.account_id END"""
        )
