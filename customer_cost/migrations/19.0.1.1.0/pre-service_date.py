def migrate(cr, version):
    """What the ledger held so far belongs to the month it was booked in."""
    cr.execute("ALTER TABLE customer_cost_line ADD COLUMN IF NOT EXISTS service_date date")
    cr.execute(
        "UPDATE customer_cost_line SET service_date = origin_date WHERE service_date IS NULL"
    )
