def migrate(cr, version):
    """The change of profit compares full months: have every summary computed anew."""
    cr.execute(
        """INSERT INTO customer_cost_dirty (company_id)
           SELECT DISTINCT company_id FROM customer_cost_summary"""
    )
