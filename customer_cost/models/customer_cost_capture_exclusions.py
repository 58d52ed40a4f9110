from odoo import api, models
from odoo.tools import SQL

from .customer_cost_account_map import ACCOUNT_TYPES


class CustomerCostCapture(models.AbstractModel):
    """Posted journal items that are never a customer cost, and why."""

    _inherit = "customer.cost.capture"

    @api.model
    def _get_excluded_labels(self):
        """Why an item is never a customer cost, in the reader's language, by its code."""
        return {
            "opening": self.env._("Opening entry"),
            "closing": self.env._("Closing entry: carries the result to current year earnings"),
            "off_balance": self.env._("Off-balance account"),
            "account": self.env._("Cost of sales: it reaches customers as product cost"),
            "sale_discount": self.env._("Discount on a sale: net sales hold it already"),
            "cost_of_sales": self.env._("Cost of sales: goods and their cost entries"),
            "journal": self.env._("Journal excluded in the settings"),
            "before_start": self.env._("Before costs were captured: bring it in under History"),
        }

    @api.model
    def _sql_excluded(self, since_start) -> SQL:
        """Code of why item ``l`` of move ``m`` is never a customer cost, or NULL.

        :param since_start: also what was posted before the start and not brought in since

        Reads account ``a``, company ``co``, product template ``pt`` and the ids of ``closing`` and
        ``stock_closing``.
        """
        return SQL(
            """CASE WHEN co.account_opening_move_id = m.id THEN 'opening'
                    WHEN m.id IN (SELECT id FROM closing) THEN 'closing'
                    WHEN a.account_type = 'off_balance' THEN 'off_balance'
                    WHEN NOT a.account_type = ANY(%(account_types)s) THEN 'account'
                    WHEN %(cost_of_sales)s THEN 'cost_of_sales'
                    WHEN EXISTS (
                         SELECT FROM customer_cost_excluded_journal_rel x
                          WHERE x.journal_id = m.journal_id
                            AND x.company_id::text = ANY(string_to_array(co.parent_path, '/')))
                    THEN 'journal'
                    WHEN %(before_start)s THEN 'before_start' END""",
            account_types=list(ACCOUNT_TYPES),
            cost_of_sales=self._sql_cost_of_sales(),
            before_start=self._sql_before_start() if since_start else SQL("FALSE"),
        )

    @api.model
    def _sql_closing(self, moves) -> SQL:
        """Moves that carry the result to current year earnings: yearly, or monthly (结转损益)."""
        return SQL(
            """SELECT DISTINCT m.id
                 FROM account_move m
                 JOIN account_move_line eq ON eq.move_id = m.id
                 JOIN account_account ea ON ea.id = eq.account_id
                WHERE %s AND ea.account_type = 'equity_unaffected'""",
            moves,
        )

    @api.model
    def _has_stock_valuation(self):
        return "account_stock_variation_id" in self.env["account.account"]._fields

    @api.model
    def _sql_stock_closing(self, moves) -> SQL:
        """Moves that close the stock valuation of a company.

        Odoo remembers the ids of the last ten only; older ones are known by their journal and an
        item on a stock valuation account.
        """
        if not self._has_stock_valuation():
            return SQL("SELECT NULL::int AS id WHERE FALSE")
        return SQL(
            """SELECT m.id
                 FROM account_move m
                 JOIN res_company co ON co.id = m.company_id
            LEFT JOIN ir_config_parameter p
                      ON p.key = m.company_id || '.stock_valuation_closing_ids'
                WHERE %s AND m.move_type = 'entry'
                  AND (m.id::text = ANY(string_to_array(p.value, ','))
                    OR (m.journal_id = co.account_stock_journal_id AND EXISTS (
                        SELECT FROM account_move_line v JOIN account_account va
                               ON va.id = v.account_id
                         WHERE v.move_id = m.id
                           AND (va.id = co.account_stock_valuation_id
                             OR va.account_stock_variation_id IS NOT NULL
                             OR EXISTS (SELECT FROM product_category pc
                                WHERE pc.property_stock_valuation_account_id ->> co.id::text
                                      = va.id::text)))))""",
            moves,
        )

    @api.model
    def _sql_cost_of_sales(self) -> SQL:
        """Cost-of-sales items, goods bought and stock: they reach the customer as product cost.

        A stock variation account that the map names is an account like any other: the Chinese
        chart proposes the selling expenses for it.
        """
        is_goods = SQL("pt.type = 'consu'")
        if "is_storable" in self.env["product.template"]._fields:
            is_goods = SQL("pt.is_storable")
        variation = SQL("FALSE")
        if self._has_stock_valuation():
            variation = SQL(
                """l.cost_item_id IS NULL
                   AND EXISTS (SELECT FROM account_account va
                                WHERE va.account_stock_variation_id = l.account_id)
                   AND NOT EXISTS (
                       SELECT FROM customer_cost_account_map named
                        WHERE (named.active OR named.effective_to IS NOT NULL)
                          AND named.account_id = l.account_id
                          AND named.company_id::text
                              = ANY(string_to_array(co.parent_path, '/')))"""
            )
        return SQL(
            """l.display_type = 'cogs' OR m.id IN (SELECT id FROM stock_closing)
               OR (m.move_type IN ('in_invoice', 'in_refund', 'in_receipt')
                   AND COALESCE(%(is_goods)s, FALSE))
               OR (%(variation)s)""",
            is_goods=is_goods,
            variation=variation,
        )
