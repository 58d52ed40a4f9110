import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.tests import BaseCase, tagged

from ..engine import FormulaError, TimeLine, UnknownTime, equation_minutes, parse_formula

PROPERTIES = settings(deadline=None, derandomize=True, database=None, max_examples=300)
NAMES = ("lines", "weight", "pallets")
columns = st.fixed_dictionaries({name: st.integers(1, 1000) for name in NAMES})


LEAVES = st.one_of(
    st.integers(0, 1000).map(lambda number: (str(number), lambda _values: number)),
    st.sampled_from(NAMES).map(lambda name: (name, lambda values: values[name])),
)


def combined(parts):
    """Text and meaning of a formula made of two."""
    operation, (left, left_value), (right, right_value) = parts
    text = f"{operation}({left}, {right})" if operation in ("min", "max") else ""
    meaning = {
        "+": lambda values: left_value(values) + right_value(values),
        "-": lambda values: left_value(values) - right_value(values),
        "*": lambda values: left_value(values) * right_value(values),
        "min": lambda values: min(left_value(values), right_value(values)),
        "max": lambda values: max(left_value(values), right_value(values)),
    }[operation]
    return text or f"({left}) {operation} ({right})", meaning


def divided(pair):
    (text, value), name = pair
    return f"-({text})/{name}", lambda values: -value(values) / values[name]


FORMULAS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.tuples(st.sampled_from(["+", "-", "*", "min", "max"]), inner, inner).map(combined),
        st.tuples(inner, st.sampled_from(NAMES)).map(divided),
    ),
    max_leaves=12,
)


@tagged("post_install", "-at_install")
class TestEngineTimeEquations(BaseCase):
    def test_published_example(self):
        # WE-22: minutes = 5 + 3 x lines + 15 [new customer] + 10 [rush]
        lines = [
            TimeLine("base", 5),
            TimeLine("quantity", 3, "lines"),
            TimeLine("condition", 15, "new"),
            TimeLine("condition", 10, "rush"),
        ]
        documents = {
            "lines": np.array([1.0, 10, 4, 10]),
            "new": np.array([0.0, 1, 0, 1]),
            "rush": np.array([0.0, 0, 1, 1]),
        }
        minutes = equation_minutes(lines, documents, 4)
        self.assertEqual(minutes.tolist(), [8, 50, 27, 60])
        self.assertEqual((minutes * 0.8).round(2).tolist(), [6.4, 40, 21.6, 48])

    def test_formula_is_a_line_like_others(self):
        lines = [
            TimeLine("base", 2),
            TimeLine("formula", formula=parse_formula("max(10, 3 * lines) / 2")),
        ]
        minutes = equation_minutes(lines, {"lines": np.array([1.0, 10])}, 2)
        self.assertEqual(minutes.tolist(), [7, 17])

    def test_equation_of_no_line_or_no_document(self):
        self.assertEqual(equation_minutes([], {}, 2).tolist(), [0, 0])
        lines = [TimeLine("base", 2), TimeLine("formula", formula=parse_formula("1 / lines"))]
        self.assertEqual(equation_minutes(lines, {"lines": np.zeros(0)}, 0).tolist(), [])

    def test_precedence_signs_and_choices(self):
        for text, value in (
            ("2 + 3 * 4", 14),
            ("(2 + 3) * 4", 20),
            ("10 - 4 - 3", 3),
            ("24 / 4 / 2", 3),
            ("-2 * -3", 6),
            ("2 - -3", 5),
            ("min(3, 1, 2) + max(4)", 5),
            ("max(lines, 0.5)", 7),
            ("  lines*2 ", 14),
        ):
            with self.subTest(text=text):
                formula = parse_formula(text)
                self.assertEqual(float(formula.evaluate({"lines": 7.0})), value)

    def test_wrong_formula_says_where_and_what(self):
        for text, position, found, expected in (
            ("", 1, "", "value"),
            ("   ", 1, "", "value"),
            ("2 +", 4, "", "value"),
            ("2 2", 3, "2", "operator"),
            ("2 ** 3", 4, "*", "value"),
            ("(2", 3, "", "close"),
            ("2)", 2, ")", "operator"),
            ("min 3", 5, "3", "open"),
            ("max(1, )", 8, ")", "value"),
            ("lines.name", 6, ".", "value"),
            ("lines[0]", 6, "[", "value"),
            ("'a'", 1, "'", "value"),
            ("1_000", 2, "_000", "operator"),
            ("1e3", 2, "e3", "operator"),
            ("9" * 400, 1, "9" * 400, "value"),
            ("exec(1)", 5, "(", "operator"),
            ("(" * 60 + "1", 51, "(", "depth"),
        ):
            with self.subTest(text=text):
                with self.assertRaises(FormulaError) as caught:
                    parse_formula(text)
                error = caught.exception
                self.assertEqual(
                    (error.position, error.found, error.expected), (position, found, expected)
                )

    def test_formula_names_the_quantities_it_uses(self):
        self.assertEqual(parse_formula("min(a, b2) * _c + a - 3").names, {"a", "b2", "_c"})

    def test_division_by_zero_names_line_and_documents(self):
        lines = [TimeLine("base", 1), TimeLine("formula", formula=parse_formula("min(5, 1 / n)"))]
        with self.assertRaises(UnknownTime) as caught:
            equation_minutes(lines, {"n": np.array([1.0, 0, 2, 0])}, 4)
        self.assertEqual(caught.exception.line, 1)
        self.assertEqual(caught.exception.positions.tolist(), [1, 3])

    def test_quantity_that_is_no_number_is_not_hidden(self):
        with self.assertRaises(UnknownTime):
            equation_minutes([TimeLine("quantity", 1, "n")], {"n": np.array([np.nan])}, 1)

    @PROPERTIES
    @given(FORMULAS, columns)
    def test_formula_means_what_it_says(self, formula, values):
        text, meaning = formula
        result = parse_formula(text).evaluate(
            {name: float(value) for name, value in values.items()}
        )
        np.testing.assert_allclose(float(result), float(meaning(values)), rtol=1e-9, atol=1e-6)

    @PROPERTIES
    @given(FORMULAS, st.lists(columns, min_size=1, max_size=5))
    def test_documents_at_once_are_as_one_by_one(self, formula, documents):
        line = TimeLine("formula", formula=parse_formula(formula[0]))
        table = {name: np.array([float(row[name]) for row in documents]) for name in NAMES}
        together = equation_minutes([line], table, len(documents))
        single = [
            equation_minutes([line], {name: np.array([float(row[name])]) for name in NAMES}, 1)[0]
            for row in documents
        ]
        self.assertEqual(together.tolist(), single)

    @PROPERTIES
    @given(st.text(max_size=30))
    def test_any_text_is_read_or_refused(self, text):
        try:
            parse_formula(text)
        except FormulaError as error:
            self.assertLessEqual(error.position, len(text) + 1)
            self.assertGreaterEqual(error.position, 1)
