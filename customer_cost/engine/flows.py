"""Pools that serve each other at once: the exact solution, and its cents."""

from collections import defaultdict
from fractions import Fraction

from .rounding import round_together, rounded


def solve(pools, edges):
    """Return what passes through every pool: its own cost and what the others give it.

    Solves ``x = own + Σ part × x`` by elimination in Fractions.

    :param pools: dict of key to minor units
    :param edges: dict of ``(rule, source, target)`` to the part of the source that goes there;
        from every pool a pool that keeps something can be reached
    :return: dict of key to Fraction
    """
    rows = defaultdict(lambda: defaultdict(Fraction))
    senders = {source for _rule, source, _target in edges}
    users = defaultdict(set)
    for (_rule, source, target), part in edges.items():
        rows[target][source] += part
        users[source].add(target)
    nodes = sorted(set(pools) | set(rows) | senders)
    own = {node: Fraction(pools.get(node, 0)) for node in nodes}
    for node in sorted(senders):
        row = rows[node]
        loop = 1 - row.pop(node, 0)
        own[node] /= loop
        for source in row:
            row[source] /= loop
        for target in users.pop(node) - {node}:
            part = rows[target].pop(node)
            own[target] += part * own[node]
            for source, share in row.items():
                rows[target][source] += part * share
                users[source].add(target)
    return own


def round_flows(pools, edges, gross):
    """Return whole minor units for every edge, so that no pool gains or loses any.

    What the pools keep is rounded together by the largest remainder; the edges are rounded each
    and put right along a tree, so that a pool's own cost and what it gets is what it gives and
    keeps.

    :param gross: dict of key to Fraction, see :func:`solve`
    :return: dict of ``(rule, source, target)`` to int
    """
    flows = {edge: rounded(gross[edge[1]] * part) for edge, part in edges.items()}
    out, excess = defaultdict(Fraction), defaultdict(int, pools)
    for edge, part in edges.items():
        _rule, source, target = edge
        out[source] += part
        excess[source] -= flows[edge]
        excess[target] += flows[edge]
    links = defaultdict(list)
    for edge in sorted(edges, key=lambda edge: (edge[1], edge[2], edge[0])):
        links[edge[1]].append((edge[2], edge))
        links[edge[2]].append((edge[1], edge))
    seen = set()
    for root in sorted(links):
        if root in seen:
            continue
        tree = _walk(root, links, seen)
        nodes = sorted(node for node, _parent, _edge in tree)
        kept = round_together([gross[node] * (1 - out[node]) for node in nodes])
        for node, minor in zip(nodes, kept, strict=True):
            excess[node] -= minor
        for node, parent, edge in reversed(tree[1:]):
            flows[edge] += excess[node] if edge[1] == node else -excess[node]
            excess[parent] += excess[node]
    return flows


def _walk(root, links, seen):
    """Nodes connected to ``root`` as ``(node, parent, edge)``, parents first."""
    tree = [(root, None, None)]
    seen.add(root)
    for node, _parent, _edge in tree:
        for other, edge in links[node]:
            if other not in seen:
                seen.add(other)
                tree.append((other, node, edge))
    return tree
