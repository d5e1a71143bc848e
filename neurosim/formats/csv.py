"""CSV tables: NAME.csv (edges), NAME.nodes.csv, NAME.spikes.csv."""

from __future__ import annotations

import codecs
import contextlib
import csv
from collections.abc import Iterable
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from neurosim.errors import InvalidInput
from neurosim.formats._format import Content, Format, number_or_text, replacing

if TYPE_CHECKING:
    AnyGraph = nx.Graph[Any]

Columns = dict[str, NDArray[Any]]

_TEXTS = {"population", "projection", "receptor", "label", "name"}  # never numbers, however they are spelt
_IDS = {"id", "source", "target", "key"}


def write(content: Content, path: Path) -> list[Path]:
    """Write what there is of edges, nodes and spikes; an empty cell is an absent value."""
    files: dict[Path, Columns] = {}
    if (tables := content.tables) is not None:
        first = {name: tables.edges[name] for name in ("source", "target", "key")}
        files[path] = first | tables.edges
        files[_beside(path, "nodes")] = tables.nodes
    if content.spikes:
        names = [np.full(len(ids), name, object) for name, (_, ids) in content.spikes.items()]
        times, ids = (np.concatenate(columns) for columns in zip(*content.spikes.values()))
        files[_beside(path, "spikes")] = {"population": np.concatenate(names), "time_ms": times, "id": ids}
    with contextlib.ExitStack() as all_or_none:
        for file, columns in files.items():
            _write(all_or_none.enter_context(replacing(file)), columns)
    return list(files)


def read(path: Path) -> AnyGraph:
    """Read a list of edges: columns source, target and attributes (weight, delay …), perhaps key.

    Where NAME.nodes.csv lies beside it, it gives the nodes (column id) and their attributes.
    """
    graph: nx.MultiDiGraph[Any] = nx.MultiDiGraph()
    nodes = _beside(path, "nodes")
    if nodes.exists():
        graph.add_nodes_from((row.pop("id"), row) for row in _read(nodes, ("id",)))
    for row in _read(path, ("source", "target")):
        graph.add_edge(row.pop("source"), row.pop("target"), row.pop("key", None), **row)
    return graph


def _beside(path: Path, what: str) -> Path:
    return path.with_name(f"{path.stem}.{what}{path.suffix}")


def _write(file: IO[bytes], columns: Columns) -> None:
    writer = csv.writer(codecs.getwriter("utf-8")(file), lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*(_cells(values) for values in columns.values())))


def _cells(values: NDArray[Any]) -> list[Any]:
    """Python's own numbers, whose shortest text comes back exactly; nothing for NaN."""
    if values.dtype.kind == "f" and np.isnan(values).any():
        return [None if value != value else value for value in values.tolist()]
    cells: list[Any] = values.tolist()
    return cells


def _read(path: Path, needed: tuple[str, ...]) -> Iterable[dict[str, Any]]:
    """The rows of a table, each as the cells that are not empty."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file)
        header = [name.strip() for name in next(reader, [])]
        for name in needed:
            if name not in header:
                found = ", ".join(header[:10]) or "nothing"
                raise InvalidInput(f"{path}:1: the table needs a column '{name}' (found: {found}).")
        if len(set(header)) < len(header):
            raise InvalidInput(f"{path}:1: two columns have the same name.")
        rows = []
        for row in filter(None, reader):
            if len(row) != len(header):
                raise InvalidInput(f"{path}:{reader.line_num}: {len(row)} cells under {len(header)} columns.")
            if any(not row[header.index(name)] for name in needed):
                raise InvalidInput(f"{path}:{reader.line_num}: {' and '.join(needed)} may not be empty.")
            rows.append(row)
    columns = [_typed(name, list(cells)) for name, cells in zip(header, zip(*rows))]
    return [{name: cell for name, cell in zip(header, row) if cell is not None} for row in zip(*columns)]


def _typed(name: str, cells: list[str]) -> list[Any]:
    """A column as whole numbers, else as numbers, else as texts; None for what is empty."""
    if name in _TEXTS:
        return [cell or None for cell in cells]
    if name in _IDS:
        return [number_or_text(cell) if cell else None for cell in cells]
    for kind in (int, float):
        try:
            return [kind(cell) if cell else None for cell in cells]
        except ValueError:
            continue
    return [cell or None for cell in cells]


FORMAT = Format("CSV tables", ".csv", write, read, has_spikes=True)
