from odoo import api, models
from odoo.tools import SQL


class CustomerCostRollup(models.AbstractModel):
    """Sums stored beside their sources: brought to what those say, and compared with them.

    A model lists the columns of its unique index in ``_rollup_key`` and what it sums in
    ``_rollup_figures``. Both statements take the target, a query of all these columns, and a
    condition on the stored rows ``t`` that the target covers.
    """

    _name = "customer.cost.rollup"
    _description = "Stored Sums"

    _rollup_key = ()
    _rollup_figures = ()

    @api.model
    def _rollup_columns(self, names, alias=None) -> SQL:
        return SQL(", ").join(
            SQL.identifier(alias, name) if alias else SQL.identifier(name) for name in names
        )

    @api.model
    def _bring_up_to_date(self, target, covered, returned):
        """Insert, change and delete rows until they are the target; rows that are stay untouched.

        :return: values of the column ``returned`` in the rows that changed
        """
        names = (*self._rollup_key, *self._rollup_figures)
        found = self.env.execute_query(
            SQL(
                """WITH target AS MATERIALIZED (%(target)s),
                        kept AS (
                   INSERT INTO %(table)s AS t (%(names)s)
                   SELECT %(names)s FROM target
                       ON CONFLICT (%(key)s) DO UPDATE SET (%(figures)s) = ROW(%(excluded)s)
                    WHERE (%(stored)s) IS DISTINCT FROM (%(excluded)s)
                RETURNING t.%(returned)s),
                        gone AS (
                   DELETE FROM %(table)s t
                    WHERE %(covered)s AND NOT EXISTS (
                          SELECT FROM target WHERE (%(target_key)s) = (%(own_key)s))
                RETURNING t.%(returned)s)
                   SELECT %(returned)s FROM kept UNION ALL SELECT %(returned)s FROM gone""",
                table=SQL.identifier(self._table),
                target=target,
                covered=covered,
                returned=SQL.identifier(returned),
                names=self._rollup_columns(names),
                key=self._rollup_columns(self._rollup_key),
                figures=self._rollup_columns(self._rollup_figures),
                stored=self._rollup_columns(self._rollup_figures, "t"),
                excluded=self._rollup_columns(self._rollup_figures, "excluded"),
                target_key=self._rollup_columns(self._rollup_key, "target"),
                own_key=self._rollup_columns(self._rollup_key, "t"),
            )
        )
        self.invalidate_model(flush=False)
        return [value for (value,) in found]

    @api.model
    def _compare(self, target, covered):
        """Name every figure in which the stored rows differ from the target.

        :return: list of dicts: the key, ``figure``, ``stored`` and ``expected``
        """
        both = SQL(", ").join(
            SQL(
                "(%s, COALESCE(t.%s, 0)::numeric, COALESCE(target.%s, 0)::numeric)",
                name,
                SQL.identifier(name),
                SQL.identifier(name),
            )
            for name in self._rollup_figures
        )
        key = self._rollup_columns(self._rollup_key)
        return self.env.execute_query_dict(
            SQL(
                """SELECT %(key)s, f.figure, f.stored, f.expected
                     FROM (SELECT * FROM %(table)s t WHERE %(covered)s) t
                FULL JOIN (%(target)s) target USING (%(key)s)
               CROSS JOIN LATERAL (VALUES %(both)s) f (figure, stored, expected)
                    WHERE f.stored <> f.expected
                 ORDER BY %(key)s, f.figure""",
                key=key,
                table=SQL.identifier(self._table),
                covered=covered,
                target=target,
                both=both,
            )
        )
