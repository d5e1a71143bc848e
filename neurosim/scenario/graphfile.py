"""Networks that come from a graph file: nodes become neurons, edges become synapses.

Whatever networkx reads: GraphML, GEXF, node-link JSON, and CSV edge lists with a header (``source,target,…``). Edges
of an undirected graph go both ways; parallel edges stay parallel synapses.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import networkx as nx
import numpy as np
import numpy.typing as npt

from neurosim.errors import InvalidInput, unknown
from neurosim.scenario.fields import Kind
from neurosim.scenario.schema_network import Projection
from neurosim.units import quantity

Array = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]


class Edges(NamedTuple):
    """Edges as positions in a list of sources and one of targets, and the values asked for (``weight``, ``delay``)."""

    pre: Indices
    post: Indices
    values: dict[str, Array]


@dataclass(frozen=True)
class GraphFile:
    """A directed multigraph from a file, its nodes in the file's order."""

    path: Path
    graph: Any

    @cached_property
    def nodes(self) -> list[Any]:
        """The node names, in the order of the file."""
        return list(self.graph.nodes)

    @cached_property
    def node_attributes(self) -> list[str]:
        """The attributes that every node has."""
        return _common(data for _, data in self.graph.nodes(data=True))

    @cached_property
    def edge_attributes(self) -> list[str]:
        """The attributes that every edge has."""
        return _common(data for _, _, data in self.graph.edges(data=True))

    def select(self, wanted: Mapping[str, Any]) -> list[Any]:
        """Return the nodes whose attributes equal ``wanted``, e.g. ``{"kind": "exc"}``; all for an empty mapping."""
        for name in wanted:
            if not any(name in data for _, data in self.graph.nodes(data=True)):
                raise unknown("node attribute", name, self.node_attributes, f"in {self.path.name}")
        chosen = [n for n, data in self.graph.nodes(data=True) if all(data.get(k) == v for k, v in wanted.items())]
        if not chosen:
            raise InvalidInput(f"no node of {self.path.name} has {dict(wanted)}")
        return chosen

    def node_values(self, nodes: list[Any], name: str, unit: str) -> Array:
        """Return attribute ``name`` of ``nodes`` in ``unit``; numbers are taken to be in it."""
        missing = next((node for node in nodes if name not in self.graph.nodes[node]), None)
        if missing is not None:
            raise InvalidInput(f"node {missing!r} of {self.path.name} has no '{name}'. {_known(self.node_attributes)}")
        return _numbers([self.graph.nodes[node][name] for node in nodes], unit, name)

    def edges(
        self, sources: list[Any], targets: list[Any], columns: Mapping[str, str], units: Mapping[str, str]
    ) -> Edges:
        """Return the edges from ``sources`` to ``targets``, in the file's order.

        ``columns`` maps what is wanted (``weight``, ``delay``) to the edge attribute that holds it.
        """
        place = {node: index for index, node in enumerate(sources)}
        target_place = {node: index for index, node in enumerate(targets)}
        found = [
            (place[a], target_place[b], data)
            for a, b, data in self.graph.edges(data=True)
            if a in place and b in target_place
        ]
        if not found:
            raise InvalidInput(f"{self.path.name} has no edges from these to those neurons")
        for name in columns.values():
            if any(name not in data for _, _, data in found):
                known = _known(self.edge_attributes)
                raise InvalidInput(f"not every edge of {self.path.name} has '{name}'. {known}")
        pre = np.array([a for a, _, _ in found], np.int64)
        post = np.array([b for _, b, _ in found], np.int64)
        values = {
            what: _numbers([data[name] for _, _, data in found], units[what], name) for what, name in columns.items()
        }
        return Edges(pre, post, values)


def read_graph(path: Path) -> GraphFile:
    """Read a graph file by its suffix.

    Raises InvalidInput if the suffix is not known, the file cannot be read, or it holds no graph.
    """
    suffix = path.suffix.lower()
    if suffix == ".h5":
        raise InvalidInput(f"{path.name}: populations from SONATA files are announced but not built yet")
    if suffix not in READERS:
        raise InvalidInput(f"{path.name}: cannot read a graph from '{suffix}'. Known: {', '.join(READERS)}")
    try:
        graph = READERS[suffix](path)
    except FileNotFoundError:
        raise InvalidInput(f"no such file: {path}") from None
    except OSError as error:
        raise InvalidInput(f"{path}: cannot be read: {error.strerror}") from None
    except InvalidInput:
        raise
    except Exception as error:  # noqa: BLE001  each of networkx's parsers fails in its own way
        raise InvalidInput(f"{path.name} is not a valid {suffix} graph file: {error}") from None
    if graph.number_of_nodes() == 0:
        raise InvalidInput(f"{path.name} holds a graph without nodes")
    return GraphFile(path, graph if graph.is_directed() else graph.to_directed())


def _json(path: Path) -> Any:
    data = json.loads(path.read_text(encoding="utf-8"))
    return nx.node_link_graph(data, edges="edges" if "edges" in data else "links")


def _csv(path: Path) -> Any:
    graph: nx.MultiDiGraph[Any] = nx.MultiDiGraph()
    with path.open(newline="", encoding="utf-8") as stream:
        rows = csv.DictReader(stream)
        columns = rows.fieldnames or []
        for column in ("source", "target"):
            if column not in columns:
                raise InvalidInput(f"{path.name}: an edge list needs a header with `source,target`, found {columns}")
        for row in rows:
            values = {key: _number_or_text(text) for key, text in row.items() if key and text not in (None, "")}
            if "source" not in values or "target" not in values:
                raise InvalidInput(f"{path.name}:{rows.line_num}: a line without source or target")
            graph.add_edge(values.pop("source"), values.pop("target"), **values)
    return graph


READERS: dict[str, Callable[[Path], Any]] = {
    ".graphml": lambda path: nx.read_graphml(path, force_multigraph=True),
    ".gexf": lambda path: nx.read_gexf(path),
    ".json": _json,
    ".csv": _csv,
}


def _number_or_text(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return text


def _numbers(values: list[Any], unit: str, what: str) -> Array:
    return np.array([quantity(value, unit, what) for value in values], np.float64)


def _common(attributes: Any) -> list[str]:
    shared: dict[str, None] | None = None
    for data in attributes:
        shared = dict.fromkeys(data if shared is None else (name for name in shared if name in data))
    return list(shared or {})


def _known(names: list[str]) -> str:
    return f"All have: {', '.join(names)}." if names else "There are no attributes that all have."


# -- how a scenario names columns -------------------------------------------------------------------------


def column_of(value: Any) -> str | None:
    """Return NAME of ``{column: NAME}``, None for anything else."""
    return str(value["column"]) if isinstance(value, Mapping) and set(value) == {"column"} else None


def graph_arguments(kind: Kind) -> dict[str, Any]:
    """Return the arguments of ``connect: {graph: FILE}`` or ``{graph: {file: FILE, weight: …, delay: …}}``."""
    if isinstance(kind.arguments, str):
        return {"file": kind.arguments}
    return dict(kind.arguments) if isinstance(kind.arguments, Mapping) else {}


def graph_columns(projection: Projection, file: GraphFile) -> dict[str, str]:
    """Return the edge attributes that give a projection its ``weight`` and ``delay``.

    Those that ``connect: {graph: …}`` names; otherwise attributes called so, unless the projection gives its own.
    """
    arguments = graph_arguments(projection.connect)
    columns: dict[str, str] = {}
    for key in ("weight", "delay"):
        if key in arguments:
            columns[key] = str(arguments[key])
        elif getattr(projection, key) is None and key in file.edge_attributes:
            columns[key] = key
    return columns


def position_columns(positions: Any, file: GraphFile | None) -> list[str]:
    """Return the node attributes that hold positions: ``{columns: [x, y, z]}``, or attributes called so."""
    if isinstance(positions, Mapping) and set(positions) == {"columns"}:
        named = positions["columns"]
        return [str(column) for column in named] if isinstance(named, list) else []
    if positions is None and file is not None and {"x", "y"} <= set(file.node_attributes):
        return [axis for axis in "xyz" if axis in file.node_attributes]
    return []
