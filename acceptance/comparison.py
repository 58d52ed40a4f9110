"""Expected against got: every value exactly, to the last digit that either side has."""

from decimal import Decimal

import pandas as pd

TOP = 10


def exact(value):
    """The decimal a float stands for; six digits are more than any figure here has."""
    return value if isinstance(value, Decimal) else Decimal(f"{float(value):.6f}").normalize()


def text(value, digits=2):
    """A figure with at least ``digits`` decimals, more where it has more; words as they are."""
    if not isinstance(value, Decimal):
        return str(value)
    return f"{value:,.{max(digits, -value.normalize().as_tuple().exponent)}f}"


class Comparison:
    """Collects what was compared and prints it."""

    def __init__(self):
        self.figures = []  # (title, frame of expected and got, decimals)
        self.customers = []  # those of them that are by customer key
        self.examples = []  # (example, what, expected, got)
        self.tie_out = None
        self.names = {}
        self.order = []

    def add_customers(self, title, expected, got, digits=2):
        """Compare a figure of every customer; one that stands on a single side differs.

        :param expected: series of Decimal by customer key
        :param got: dict of customer key to number
        """
        frame = pd.DataFrame(
            {
                "expected": expected,
                "got": pd.Series({key: exact(value) for key, value in got.items()}, dtype=object),
            }
        )
        self.figures.append((title, frame, digits))
        self.customers.append((title, frame, digits))

    def add_total(self, title, expected, got):
        frame = pd.DataFrame({"expected": [Decimal(expected)], "got": [exact(got)]})
        self.figures.append((title, frame, 2))

    def add_example(self, example, what, expected, got):
        """Compare one published result, an amount or a word."""
        self.examples.append((example, what, expected, got))

    @staticmethod
    def _differing(frame):
        same = (frame.expected == frame.got) & frame.notna().all(axis=1)
        return frame[~same]

    @property
    def compared(self):
        return sum(len(frame) for _title, frame, _digits in self.figures) + len(self.examples)

    @property
    def differing(self):
        figures = sum(len(self._differing(frame)) for _title, frame, _digits in self.figures)
        return figures + sum(1 for _, _, expected, got in self.examples if expected != got)

    # ------------------------------------------------------------
    # Printing
    # ------------------------------------------------------------

    def print_figures(self):
        print()
        print(f"{'AdventureWorks, 2012':44}{'compared':>9}{'differ':>8}", end="")
        print(f"{'sum expected':>18}{'sum got':>18}")
        for title, frame, digits in self.figures:
            differing = self._differing(frame)
            expected, got = (
                text(sum(frame[side].dropna(), Decimal(0)), digits) for side in ("expected", "got")
            )
            print(f"{title:44}{len(frame):>9}{len(differing):>8}{expected:>18}{got:>18}")
            for key, row in differing.head(TOP).iterrows():
                print(f"    {self.names.get(key, key)}: expected {row.expected}, got {row.got}")

    def print_customers(self):
        """The customers with the largest revenue, expected above got."""
        titles = [title for title, _frame, _digits in self.customers]
        print()
        print(f"The {TOP} customers with the largest revenue, expected above got")
        print(f"{'':33}" + "".join(f"{title.split(', ')[0][:15]:>16}" for title in titles))
        for key in self.order[:TOP]:
            for side, label in (("expected", f"#{key} {self.names[key]}"), ("got", "")):
                cells = "".join(
                    f"{text(frame[side].get(key, '-'), digits):>16}"
                    for _title, frame, digits in self.customers
                )
                print(f"{label[:32]:33}{cells}")

    def print_tie_out(self):
        """From what customers earn to the result of the books, and every link's difference."""
        print()
        print(f"Tie-out of AdventureWorks, {self.tie_out['from']} to {self.tie_out['to']}")
        for section in self.tie_out["sections"]:
            rows = [row for side in section["sides"] for row in side["rows"] if row["amount"]]
            figures = [(row["label"], row["amount"]) for row in rows]
            for label, amount in (*figures, ("Difference", section["difference"])):
                print(f"    {section['title'][:28]:30}{label[:44]:46}{amount:>18,.2f}")

    def print_examples(self):
        print()
        print(f"{'Worked examples':10}{'':52}{'expected':>14}{'got':>14}")
        for example, what, expected, got in self.examples:
            mark = "" if expected == got else "  differs"
            print(f"{example:8}{what:54}{text(expected):>14}{text(got):>14}{mark}")
        print()
