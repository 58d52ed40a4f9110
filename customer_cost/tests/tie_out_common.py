from datetime import date

from .common import CustomerCostCommon

FIRST, LAST = date(2025, 1, 1), date(2025, 12, 31)


class TieOutCommon(CustomerCostCommon):
    """The tie-out of a year and what a test reads off it."""

    def tie_out(self, first=FIRST, last=LAST, company=None):
        return self.env["customer.cost.tie.out"]._get_figures(company or self.company, first, last)

    def assertTied(self, figures):
        """Every difference is 0.00; what is not is in the message."""
        differing = [row for row in figures["accounts"] if row["difference"]] + [
            section for section in figures["sections"] if section["difference"]
        ]
        self.assertEqual((differing, figures["findings"]), ([], []))
        self.assertEqual(figures["difference"], 0.0)
        self.assertTrue(figures["is_tied"])

    def account_row(self, figures, account):
        rows = [row for row in figures["accounts"] if row["account_id"] == account.id]
        self.assertEqual(len(rows), 1, f"{account.display_name} stands in one row")
        return rows[0]

    def section(self, figures, key):
        """Rows of a section as a dict of key to amount, left side first."""
        (section,) = (section for section in figures["sections"] if section["key"] == key)
        return {row["key"]: row["amount"] for side in section["sides"] for row in side["rows"]}

    def difference(self, figures, key):
        return next(row["difference"] for row in figures["sections"] if row["key"] == key)
