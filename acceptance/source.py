"""The files of AdventureWorks, read where they are."""

from decimal import Decimal

import pandas as pd

YEAR = "2012"
OPERATING_EXPENSES = ("6000", "6999")


def item_code(code):
    """The cost item of an account of AdventureWorks' ledger."""
    if code == "6100":
        return "SAL-COM"
    if "6200" <= code <= "6299":
        return "SAL-TRV"
    return "MKT" if "6300" <= code <= "6399" else "ADM"


class Source:
    """The files, with amounts as exact decimals."""

    def __init__(self, folder):
        self.customers = self._read(folder / "customers.csv")
        self.products = self._read(folder / "products.csv")
        self.accounts = self._read(folder / "gl_accounts.csv")
        sales = self._read(folder / "sales_lines.csv")
        self.sales = sales[sales.order_date.str.startswith(YEAR)]
        ledger = self._read(folder / "gl_lines.csv").merge(
            self.accounts[["account_key", "account_code"]], on="account_key"
        )
        self.ledger = ledger[
            ledger.date.str.startswith(YEAR)
            & (ledger.scenario == "Actual")
            & ledger.account_code.between(*OPERATING_EXPENSES)
        ]
        reference = self._read(folder / "reference/customers.csv")
        self.reference = reference[reference.y2012_orders != ""]
        self.reference.index = self.reference.customer_key.astype(int)

    @staticmethod
    def _read(path):
        return pd.read_csv(path, dtype=str, keep_default_na=False)

    def expected(self, column):
        """Series of Decimal by customer key."""
        return self.reference[column].map(Decimal)
