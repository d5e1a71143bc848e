"""A network as two plain tables: what exports are made from, without a Python object per synapse."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from neurosim.errors import UsageError

if TYPE_CHECKING:
    from neurosim.record.result import Result

Column = NDArray[Any]
_NODE, _EDGE = ("id",), ("key", "source", "target")  # what a table needs; the rest are attributes


@dataclass(frozen=True)
class GraphTables:
    """Neurons and synapses as columns of equal length.

    ``nodes`` has ``id`` and attributes; ``edges`` has ``key``, ``source``, ``target`` and attributes. An
    edge is known by (source, target, key). ``None`` in a column of objects, and NaN in one of numbers, mean
    that a row has no such value.
    """

    nodes: dict[str, Column]
    edges: dict[str, Column]

    @classmethod
    def from_networkx(cls, graph: nx.Graph[Any]) -> GraphTables:
        """Take the tables out of any networkx graph; an undirected edge becomes one row, a missing key 0."""
        nodes = list(graph.nodes(data=True))
        table = {
            "id": _column([node for node, _ in nodes]),
            **_attributes([data for _, data in nodes], _NODE),
        }
        if isinstance(graph, nx.MultiGraph):
            edges = list(graph.edges(keys=True, data=True))
        else:
            edges = [(u, v, 0, data) for u, v, data in graph.edges(data=True)]
        ends = {"key": 2, "source": 0, "target": 1}
        columns = {name: _column([edge[place] for edge in edges]) for name, place in ends.items()}
        return cls(table, {**columns, **_attributes([edge[3] for edge in edges], _EDGE)})

    def to_networkx(self) -> nx.MultiDiGraph[Any]:
        """Make a networkx graph of Python's own numbers and texts; absent values give no attribute."""
        graph: nx.MultiDiGraph[Any] = nx.MultiDiGraph()
        graph.add_nodes_from(zip(self.nodes["id"].tolist(), _records(self.nodes, _NODE)))
        ends = (self.edges[name].tolist() for name in ("source", "target", "key"))
        graph.add_edges_from(zip(*ends, _records(self.edges, _EDGE)))
        return graph


def from_result(result: Result, at: float) -> GraphTables:
    """The tables of a result at time ``at`` (ms)."""
    nodes = [_nodes_of(result, name, at) for name in result.populations]
    edges, seen = [], set()
    for name, about in result.projections.items():
        table = result.edges(name, at)
        pair = (about.source, about.target)
        # Ids are unique within a projection; where two join the same populations, the name tells them apart.
        key: Column = table.id
        if pair in seen:
            key = np.array([f"{name}/{synapse}" for synapse in table.id.tolist()], object)
        seen.add(pair)
        columns = {"key": key, "source": table.pre, "target": table.post, "projection": _same(name, key.size)}
        columns |= {"weight": table.weight, "delay": table.delay, "receptor": _same(about.receptor, key.size)}
        edges.append(columns | {"since": table.since, "delay_since": table.delay_since})
    empty = {name: np.empty(0, np.uint32) for name in (*_NODE, *_EDGE)}
    return GraphTables(_stacked(nodes) or {"id": empty["id"]}, _stacked(edges) or {name: empty[name] for name in _EDGE})


def _nodes_of(result: Result, population: str, at: float) -> dict[str, Column]:
    ids = result.neurons(population, at)
    known, places = result.positions(population)
    columns = {"id": ids, "population": _same(population, ids.size)}
    for axis, values in zip("xyz", places.T):
        columns[axis] = np.full(ids.size, np.nan)
        found = np.isin(ids, known)
        columns[axis][found] = values[np.searchsorted(known, ids[found])]
    return columns


def _same(value: str | None, n: int) -> Column:
    column = np.empty(n, object)
    column[:] = value
    return column


def _stacked(tables: list[dict[str, Column]]) -> dict[str, Column]:
    return {name: np.concatenate([table[name] for table in tables]) for name in tables[0]} if tables else {}


def _column(values: list[Any]) -> Column:
    """An array of numbers where all are of one kind; objects otherwise."""
    kinds = {type(value) for value in values}
    if kinds == {int} and all(-(2**63) <= value < 2**64 for value in values):
        return np.array(values, np.uint64 if min(values) >= 0 else np.int64 if max(values) < 2**63 else object)
    if kinds == {float}:
        return np.array(values, np.float64)
    column = np.empty(len(values), object)
    column[:] = values
    return column


def _attributes(rows: list[dict[str, Any]], reserved: Iterable[str]) -> dict[str, Column]:
    names = dict.fromkeys(name for row in rows for name in row)
    if clash := names.keys() & set(reserved):
        raise UsageError(f"attributes named {', '.join(sorted(clash))} cannot be kept in a table. Rename them.")
    return {str(name): _column([row.get(name) for row in rows]) for name in names}


def _records(table: dict[str, Column], reserved: Iterable[str]) -> Iterable[dict[str, Any]]:
    """One dictionary per row, without the absent values."""
    names = [name for name in table if name not in reserved]
    if not names:
        return ({} for _ in range(len(next(iter(table.values())))))
    rows = zip(*(table[name].tolist() for name in names))
    # `value == value` is False for NaN alone
    return ({n: value for n, value in zip(names, row) if value is not None and value == value} for row in rows)
