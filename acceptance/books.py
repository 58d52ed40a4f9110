"""What was made in Odoo by the keys of the files, and the figures read back by those keys."""

from .source import YEAR


class Books:
    """What the loader makes in Odoo, by the keys of the files."""

    def __init__(self, company):
        self.company = company
        self.env = company.env
        self.customers = {}  # customer key: id
        self.products = {}  # product key: id
        self.accounts = {}  # account code: account

    @property
    def keys(self):
        return {partner: key for key, partner in self.customers.items()}

    def by_key(self, values):
        """Turn a dict by partner id into one by customer key."""
        keys = self.keys
        return {keys[partner]: value for partner, value in values.items()}


def read_profitability(books, names):
    """``{name: {customer key: amount}}`` of the year from the profitability report."""
    rows = books.env["customer.cost.profitability"]._read_group(
        [
            ("company_id", "=", books.company.id),
            ("month", ">=", f"{YEAR}-01-01"),
            ("month", "<=", f"{YEAR}-12-31"),
        ],
        ["customer_id"],
        [f"{name}:sum" for name in names],
    )
    keys = books.keys
    return {
        name: {keys[row[0].id]: row[place] for row in rows} for place, name in enumerate(names, 1)
    }


def read_allocated(books, item):
    """``{customer key: amount}`` of what customers carry of ``item``, as people read it."""
    groups = books.env["customer.cost.analysis"]._read_group(
        [
            ("company_id", "=", books.company.id),
            ("item_id", "=", item.id),
            ("customer_id", "!=", False),
        ],
        ["customer_id"],
        ["amount:sum"],
    )
    return books.by_key({customer.id: amount for customer, amount in groups})
