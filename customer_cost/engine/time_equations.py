"""Time equations: minutes that a document takes (worked example WE-22).

minutes = base + sum of coefficient × quantity + sum of minutes of the conditions that hold. One
line may be a formula, in a grammar of its own that is read here and never executed as code::

    formula := product (("+" | "-") product)*
    product := signed (("*" | "/") signed)*
    signed  := "-" signed | primary
    primary := number | name | "(" formula ")" | ("min" | "max") "(" formula ("," formula)* ")"
"""

import re
from dataclasses import dataclass
from functools import reduce

import numpy as np

BASE = "base"
QUANTITY = "quantity"
CONDITION = "condition"
FORMULA = "formula"

MAX_DEPTH = 50
TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?)|(?P<name>[A-Za-z_]\w*)|(?P<sign>[-+*/(),]))", re.ASCII
)
CHOICES = {"min": np.minimum, "max": np.maximum}


class FormulaError(ValueError):
    """A formula that cannot be read.

    ``position`` counts characters from 1, ``found`` is the text there (empty at the end),
    ``expected`` one of ``value``, ``operator``, ``open``, ``close``, ``depth``.
    """

    def __init__(self, position, found, expected):
        super().__init__(f"position {position}: expected {expected}, found {found!r}")
        self.position = position
        self.found = found
        self.expected = expected


class UnknownTime(ArithmeticError):
    """A line has no result, e.g. it divides by zero: ``line`` and ``positions`` say where."""

    def __init__(self, line, positions):
        super().__init__(f"line {line} has no result")
        self.line = line
        self.positions = positions


@dataclass(frozen=True)
class Formula:
    """A formula that was read: steps for a stack, each an operation and its argument."""

    steps: tuple

    @property
    def names(self):
        """Names of the quantities the formula uses."""
        return frozenset(argument for operation, argument in self.steps if operation == "name")

    def evaluate(self, columns):
        """Return the formula's value; a division by zero is not a number.

        :param columns: dict of name to number or array
        """
        stack = []
        for operation, argument in self.steps:
            if operation == "number":
                stack.append(argument)
            elif operation == "name":
                stack.append(columns[argument])
            elif operation == "negative":
                stack.append(-stack.pop())
            elif operation in CHOICES:
                values = [stack.pop() for _count in range(argument)]
                stack.append(reduce(CHOICES[operation], values))
            else:
                right, left = stack.pop(), stack.pop()
                stack.append(_calculate(operation, left, right))
        return stack.pop()


@dataclass(frozen=True)
class TimeLine:
    """One line of an equation.

    :param kind: :data:`BASE`, :data:`QUANTITY`, :data:`CONDITION` or :data:`FORMULA`
    :param minutes: minutes, per unit of ``column`` if there is one
    :param column: the quantity, or 1 and 0 of a condition
    :param formula: :class:`Formula` of that kind
    """

    kind: str
    minutes: float = 0.0
    column: str = ""
    formula: Formula | None = None


def equation_minutes(lines, columns, size):
    """Return the minutes of every document.

    :param lines: iterable of :class:`TimeLine`
    :param columns: dict of name to float64 array of ``size`` documents
    :return: float64 array, of any sign
    :raises UnknownTime: a line has no result for some documents
    """
    total = np.zeros(size)
    with np.errstate(all="ignore"):
        for place, line in enumerate(lines):
            if line.kind == FORMULA:
                value = line.formula.evaluate(columns)
            elif line.kind == BASE:
                value = line.minutes
            else:
                value = line.minutes * columns[line.column]
            value = np.broadcast_to(value, size)
            unknown = np.flatnonzero(~np.isfinite(value))
            if len(unknown):
                raise UnknownTime(place, unknown)
            total += value
    return total


def parse_formula(text):
    """Read a formula.

    :param text: the formula, see the grammar above
    :return: :class:`Formula`
    :raises FormulaError: saying where and what was expected
    """
    return _Parser(text).parse()


def _calculate(operation, left, right):
    if operation == "+":
        return left + right
    if operation == "-":
        return left - right
    if operation == "*":
        return left * right
    left, right = np.broadcast_arrays(np.asarray(left, float), np.asarray(right, float))
    return np.divide(left, right, out=np.full(left.shape, np.nan), where=right != 0)


class _Parser:
    def __init__(self, text):
        self.text = text
        self.tokens = list(self._tokenize())
        self.place = 0
        self.depth = 0
        self.steps = []

    def _tokenize(self):
        position, end = 0, len(self.text.rstrip())
        while position < end:
            match = TOKEN.match(self.text, position)
            if not match:
                rest = self.text[position:].lstrip()
                raise FormulaError(len(self.text) - len(rest) + 1, rest[0], "value")
            yield match.lastgroup, match[match.lastgroup], match.start(match.lastgroup) + 1
            position = match.end()
        yield "end", "", end + 1

    def parse(self):
        self._read_formula()
        if self._kind != "end":
            self._fail("operator")
        return Formula(tuple(self.steps))

    @property
    def _kind(self):
        return self.tokens[self.place][0]

    @property
    def _text(self):
        return self.tokens[self.place][1]

    def _fail(self, expected):
        _kind, text, position = self.tokens[self.place]
        raise FormulaError(position, text, expected)

    def _take(self, *signs):
        """Step over one of ``signs`` and return it, if it is next."""
        if self._kind == "sign" and self._text in signs:
            self.place += 1
            return self.tokens[self.place - 1][1]
        return None

    def _require(self, sign, expected):
        if not self._take(sign):
            self._fail(expected)

    def _read_formula(self):
        self._read_operations(self._read_product, "+", "-")

    def _read_product(self):
        self._read_operations(self._read_signed, "*", "/")

    def _read_operations(self, read, *signs):
        read()
        while sign := self._take(*signs):
            read()
            self.steps.append((sign, None))

    def _read_signed(self):
        self.depth += 1
        if self.depth > MAX_DEPTH:
            self._fail("depth")
        if self._take("-"):
            self._read_signed()
            self.steps.append(("negative", None))
        else:
            self._read_primary()
        self.depth -= 1

    def _read_primary(self):
        kind, text, _position = self.tokens[self.place]
        if kind == "number" and np.isfinite(float(text)):
            self.place += 1
            self.steps.append(("number", float(text)))
        elif kind == "name":
            self.place += 1
            if text in CHOICES:
                self._read_choice(text)
            else:
                self.steps.append(("name", text))
        elif self._take("("):
            self._read_formula()
            self._require(")", "close")
        else:
            self._fail("value")

    def _read_choice(self, name):
        self._require("(", "open")
        self._read_formula()
        count = 1
        while self._take(","):
            self._read_formula()
            count += 1
        self._require(")", "close")
        self.steps.append((name, count))
