def migrate(cr, version):
    """Costs are captured from the month on that the first of them is in; the rest is history."""
    cr.execute(
        """UPDATE res_company co SET customer_cost_start_date = held.first
             FROM (SELECT company_id, date_trunc('month', min(origin_date))::date AS first
                     FROM customer_cost_line WHERE statistical IS NOT TRUE
                 GROUP BY company_id) held
            WHERE co.id = held.company_id AND co.customer_cost_start_date IS NULL
              AND EXISTS (SELECT FROM account_move m
                           WHERE m.company_id = co.id AND m.state = 'posted'
                             AND m.date < held.first)"""
    )
    cr.execute(
        """UPDATE res_company co
              SET customer_cost_start_date = date_trunc('month', now() AT TIME ZONE 'UTC')::date
            WHERE customer_cost_start_date IS NULL
              AND EXISTS (SELECT FROM account_move m
                           WHERE m.company_id = co.id AND m.state = 'posted')
              AND NOT EXISTS (SELECT FROM customer_cost_line l WHERE l.company_id = co.id)"""
    )
