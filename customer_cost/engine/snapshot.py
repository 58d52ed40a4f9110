"""Inputs as bytes and back, exactly; nothing in the bytes can run code.

A snapshot is a JSON tree followed by the numbers of its arrays, compressed together. The tree
holds dataclasses by name, numbers as Python writes them (floats come back bit by bit) and arrays
by type, shape and place; arrays with the same numbers are kept once.
"""

import json
import zlib
from dataclasses import fields, is_dataclass
from datetime import date
from decimal import Decimal
from hashlib import sha256

import numpy as np

FORMAT = 1
ARRAY_TYPES = ("bool", "int64", "float64")
LENGTH_BYTES = 8


class UnreadableSnapshot(ValueError):
    """Bytes that are no snapshot, or one of classes that are not known."""


def dump_snapshot(inputs):
    """Return the bytes of ``inputs``.

    :param inputs: dataclasses, dicts, lists, tuples and sets of numbers, text, dates, decimals,
        ``None`` and numpy arrays of booleans, int64 or float64
    :raises TypeError: something else is among them
    """
    blobs, places = [], {}
    tree = json.dumps(
        {"format": FORMAT, "inputs": _pack(inputs, blobs, places)},
        separators=(",", ":"),
        ensure_ascii=False,
        allow_nan=False,
    ).encode()
    return zlib.compress(b"".join([len(tree).to_bytes(LENGTH_BYTES, "big"), tree, *blobs]), 1)


def load_snapshot(data, classes):
    """Return the inputs that :func:`dump_snapshot` made ``data`` of.

    :param classes: the dataclasses that may stand in it
    :raises UnreadableSnapshot: ``data`` is damaged, or of another format or class
    """
    known = {cls.__name__: cls for cls in classes}
    try:
        content = memoryview(zlib.decompress(data))
        start = LENGTH_BYTES + int.from_bytes(content[:LENGTH_BYTES], "big")
        document = json.loads(bytes(content[LENGTH_BYTES:start]))
        if document["format"] != FORMAT:
            raise UnreadableSnapshot(f"format {document['format']}")
        return _unpack(document["inputs"], content[start:], known)
    except (zlib.error, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UnreadableSnapshot(str(error)) from error


def _pack(value, blobs, places):
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return {"f": value.hex()}
    if isinstance(value, np.generic):
        return _pack(value.item(), blobs, places)
    if isinstance(value, np.ndarray):
        return {"a": _pack_array(value, blobs, places)}
    if isinstance(value, Decimal):
        return {"d": str(value)}
    if isinstance(value, date):
        return {"t": value.isoformat()}
    if is_dataclass(value):
        members = {
            field.name: _pack(getattr(value, field.name), blobs, places) for field in fields(value)
        }
        return {"c": [type(value).__name__, members]}
    if isinstance(value, dict):
        return {"m": [[_pack(each, blobs, places) for each in pair] for pair in value.items()]}
    if isinstance(value, (set, frozenset)):
        return {"s": [_pack(each, blobs, places) for each in sorted(value)]}
    if isinstance(value, tuple):
        return {"u": [_pack(each, blobs, places) for each in value]}
    if isinstance(value, list):
        return [_pack(each, blobs, places) for each in value]
    raise TypeError(f"a snapshot cannot hold {type(value).__name__}")


def _pack_array(value, blobs, places):
    if value.dtype.name not in ARRAY_TYPES:
        raise TypeError(f"a snapshot cannot hold an array of {value.dtype.name}")
    content = np.ascontiguousarray(value).astype(value.dtype.newbyteorder("<")).tobytes()
    key = sha256(content).digest()
    if key not in places:
        places[key] = sum(map(len, blobs))
        blobs.append(content)
    return [value.dtype.name, list(value.shape), places[key]]


def _unpack(value, content, known):
    if isinstance(value, list):
        return [_unpack(each, content, known) for each in value]
    if not isinstance(value, dict):
        return value
    [(tag, packed)] = value.items()
    return UNPACKERS[tag](packed, content, known)


def _unpack_array(packed, content, _known):
    name, shape, start = packed
    if name not in ARRAY_TYPES:
        raise UnreadableSnapshot(f"array of {name}")
    dtype = np.dtype(name).newbyteorder("<")
    count = int(np.prod(shape, dtype=np.int64))
    values = np.frombuffer(content, dtype, count, start) if count else np.zeros(0, dtype)
    return values.astype(name).reshape(shape)


def _unpack_class(packed, content, known):
    name, members = packed
    if name not in known:
        raise UnreadableSnapshot(f"class {name}")
    return known[name](**{key: _unpack(each, content, known) for key, each in members.items()})


def _unpack_each(packed, content, known):
    return [_unpack(each, content, known) for each in packed]


UNPACKERS = {
    "a": _unpack_array,
    "c": _unpack_class,
    "d": lambda packed, _content, _known: Decimal(packed),
    "f": lambda packed, _content, _known: float.fromhex(packed),
    "m": lambda packed, content, known: dict(_unpack_each(packed, content, known)),
    "s": lambda packed, content, known: frozenset(_unpack_each(packed, content, known)),
    "t": lambda packed, _content, _known: date.fromisoformat(packed),
    "u": lambda packed, content, known: tuple(_unpack_each(packed, content, known)),
}
