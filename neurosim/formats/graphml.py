"""GraphML, for Gephi, Cytoscape, igraph and most other graph tools."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import networkx as nx

from neurosim.errors import InvalidInput
from neurosim.formats._format import Content, Format, plain, replacing, with_numbers

if TYPE_CHECKING:
    AnyGraph = nx.Graph[Any]

# XML cannot hold most of these, and silently changes the others (a line end in an id becomes a space).
_UNFIT = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def write(content: Content, path: Path) -> list[Path]:
    """Write the graph; lossless for numbers and texts, parallel edges and autapses included."""
    graph = content.networkx
    clean: AnyGraph = graph.__class__()
    clean.add_nodes_from((_fit(plain(node)), _fitting(data)) for node, data in graph.nodes(data=True))
    if isinstance(graph, nx.MultiGraph):
        keyed = graph.edges(keys=True, data=True)
        edges: Iterable[Any] = ((u, v, _fit(plain(key)), _fitting(data)) for u, v, key, data in keyed)
    else:
        edges = ((u, v, _fitting(data)) for u, v, data in graph.edges(data=True))
    clean.add_edges_from(edges)
    with replacing(path) as file:
        nx.write_graphml_xml(clean, file)
    return [path]


def read(path: Path) -> AnyGraph:
    """Read a graph; parallel edges are kept, ids and keys that are whole numbers become such."""
    return with_numbers(nx.read_graphml(path, edge_key_type=cast("type[Any]", _key), force_multigraph=True))


def _key(text: str) -> int:
    """A key that is spelt like a whole number; others stay the texts that they are (ValueError)."""
    number = int(text)
    if str(number) != text:
        raise ValueError(text)
    return number


def _fitting(data: dict[Any, Any]) -> dict[str, Any]:
    return {_fit(str(name)): _fit(plain(value)) for name, value in data.items()}


def _fit(value: Any) -> Any:
    if isinstance(value, str) and (found := _UNFIT.search(value)):
        raise InvalidInput(f"GraphML cannot hold the character {found.group()!r} in {value!r}. Rename it.")
    if not isinstance(value, str | int | float | bool):
        raise InvalidInput(f"GraphML holds numbers and texts, not {value!r} ({type(value).__name__}).")
    return value


FORMAT = Format("GraphML", ".graphml", write, read)
