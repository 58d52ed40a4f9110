"""How things are measured.

A bench is a function of the stage that returns rows, listed in inside.py::

    def reading_something(stage):
        got, floor = pairs(stage, measured, floor)
        return [Row("G5", "Reading something", 80, got, floor, "reading without it", 1.4)]
"""

import contextlib
import gc
import os
import re
import statistics
import time
from dataclasses import dataclass

import psutil

LOADED = re.compile(r"Module customer_cost loaded in ([\d.]+)s, (\d+) queries")


@dataclass
class Row:
    """One line of the table: what was measured, its floor, and what was asked for.

    ``kind`` says how ``limit`` is meant: ``ratio`` to the floor or ``difference`` from it.
    """

    goal: str
    name: str
    size: int
    got: list
    floor: list
    floor_name: str
    limit: float
    kind: str = "ratio"
    unit: str = "s"

    @property
    def comparisons(self):
        """One comparison per pair."""
        if self.kind == "difference":
            return [got - floor for got, floor in zip(self.got, self.floor, strict=True)]
        return [got / floor for got, floor in zip(self.got, self.floor, strict=True)]

    def as_dict(self):
        found = statistics.median(self.comparisons)
        return {
            "goal": self.goal,
            "name": self.name,
            "size": self.size,
            "got": statistics.median(self.got),
            "floor": statistics.median(self.floor),
            "floor_name": self.floor_name,
            "found": found,
            "low": min(self.comparisons),
            "high": max(self.comparisons),
            "limit": self.limit,
            "kind": self.kind,
            "unit": self.unit,
            "met": round(found, 9) <= self.limit,
        }


def pairs(measured, floor, count):
    """Call both ``count`` times in turns, now the one first, now the other.

    Both return what they measured; what they prepare and clear away is not part of it. A first
    call of each warms up and is not counted.

    :return: ``(list of measured, list of floor)``
    """
    measured(), floor()
    got, base = [], []
    for number in range(count):
        for function, values in ((measured, got), (floor, base))[:: -1 if number % 2 else 1]:
            values.append(function())
    return got, base


@contextlib.contextmanager
def stopwatch():
    """Wall clock of the block: a list that holds the seconds afterwards."""
    gc.collect()
    seconds = []
    start = time.perf_counter()
    yield seconds
    seconds.append(time.perf_counter() - start)


@contextlib.contextmanager
def cpu(cr):
    """CPU seconds of the block: this process and, where it can be seen, its database server's."""
    gc.collect()
    backend = _backend(cr)
    seconds = []
    start = time.process_time() + backend()
    yield seconds
    seconds.append(time.process_time() + backend() - start)


def _backend(cr):
    cr.execute("SELECT pg_backend_pid()")
    pid = cr.fetchone()[0]
    if not os.environ.get("PGHOST", "").startswith("/"):
        return lambda: 0.0
    process = psutil.Process(pid)
    return lambda: sum(process.cpu_times()[:2])


@contextlib.contextmanager
def queries(cr):
    """Number of statements of the block."""
    found = []
    start = cr.sql_log_count
    yield found
    found.append(cr.sql_log_count - start)


def read_installation(log):
    """Seconds and statements of the add-on's installation, as Odoo's log tells them."""
    seconds, statements = LOADED.search(log).groups()
    return float(seconds), int(statements)
