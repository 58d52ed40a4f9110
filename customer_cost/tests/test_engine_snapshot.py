import struct
import zlib
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.tests import BaseCase, tagged

from ..engine.snapshot import UnreadableSnapshot, dump_snapshot, load_snapshot

PROPERTIES = settings(deadline=None, derandomize=True, database=None, max_examples=200)


@dataclass(frozen=True)
class Leaf:
    ids: np.ndarray
    weights: np.ndarray
    note: str = ""


@dataclass(frozen=True)
class Tree:
    pools: dict
    leaves: tuple
    extra: object = None


CLASSES = (Leaf, Tree)
leaves = st.builds(
    Leaf,
    st.lists(st.integers(-(2**63), 2**63 - 1), max_size=20).map(
        lambda ids: np.array(ids, dtype=np.int64)
    ),
    st.lists(st.floats(), max_size=20).map(np.array).map(lambda values: values.astype(np.float64)),
    st.text(),
)
values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**30), 10**30),
    st.floats(allow_nan=False),
    st.text(),
    st.dates(),
    st.decimals(allow_nan=False),
    st.frozensets(st.integers()),
    st.lists(st.integers()),
)
trees = st.builds(
    Tree,
    st.dictionaries(st.tuples(st.integers(), st.integers()), st.integers()),
    st.lists(leaves, max_size=4).map(tuple),
    values,
)


def bits(value):
    """What tells numbers apart bit by bit: NaN from NaN, 0.0 from -0.0, 1 from 1.0 and True."""
    if isinstance(value, float):
        return struct.pack("<d", value)
    if isinstance(value, np.ndarray):
        return (value.dtype.name, value.shape, value.tobytes())
    if isinstance(value, (Leaf, Tree)):
        return (type(value), [bits(each) for each in vars(value).values()])
    if isinstance(value, dict):
        return [(bits(key), bits(each)) for key, each in value.items()]
    if isinstance(value, (list, tuple)):
        return (type(value), [bits(each) for each in value])
    return (type(value), value)


@tagged("post_install", "-at_install")
class TestEngineSnapshot(BaseCase):
    """What a run was computed from comes back as it was."""

    @PROPERTIES
    @given(trees)
    def test_every_input_comes_back_bit_by_bit(self, tree):
        data = dump_snapshot(tree)
        self.assertEqual(bits(load_snapshot(data, CLASSES)), bits(tree))
        self.assertEqual(dump_snapshot(load_snapshot(data, CLASSES)), data)

    def test_text_dates_and_decimals_keep_their_type(self):
        tree = Tree({(1, "x"): Decimal("1.10")}, (), [date(2025, 3, 31), (1, 1.0, True, None)])
        self.assertEqual(bits(load_snapshot(dump_snapshot(tree), CLASSES)), bits(tree))

    def test_arrays_with_the_same_numbers_are_kept_once(self):
        ids = np.random.default_rng(7).integers(0, 2**62, 10_000)
        one = dump_snapshot(Tree({}, (Leaf(ids, np.zeros(0)),)))
        twenty = dump_snapshot(
            Tree({}, tuple(Leaf(ids.copy(), np.zeros(0)) for _rule in range(20)))
        )
        self.assertLess(len(twenty), len(one) + 1000)

    def test_a_loaded_array_can_be_written_to(self):
        tree = load_snapshot(dump_snapshot(Tree({}, (Leaf(np.arange(3), np.ones(3)),))), CLASSES)
        tree.leaves[0].weights[0] = 5
        self.assertEqual(tree.leaves[0].weights.tolist(), [5, 1, 1])

    def test_what_is_no_snapshot_is_refused(self):
        data = dump_snapshot(Tree({}, (Leaf(np.arange(100), np.ones(100)),)))
        other = zlib.compress(zlib.decompress(data).replace(b'"format":1', b'"format":9'))
        for broken in (b"", b"text", data[:-9], data[5:], other, zlib.compress(b"short")):
            with self.subTest(broken=broken[:9]), self.assertRaises(UnreadableSnapshot):
                load_snapshot(broken, CLASSES)

    def test_a_class_that_is_not_known_is_refused(self):
        data = dump_snapshot(Tree({}, ()))
        with self.assertRaisesRegex(UnreadableSnapshot, "class Tree"):
            load_snapshot(data, (Leaf,))

    def test_what_cannot_be_kept_is_refused(self):
        for value in (object(), np.array([None]), np.zeros(2, dtype=np.float32), {1: b"bytes"}):
            with self.subTest(value=value), self.assertRaises(TypeError):
                dump_snapshot(value)
