"""Node-link JSON, as networkx and D3 have it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import networkx as nx

from neurosim.errors import InvalidInput
from neurosim.formats._format import Content, Format, plain, replacing, reserved

if TYPE_CHECKING:
    AnyGraph = nx.Graph[Any]


def write(content: Content, path: Path) -> list[Path]:
    """Write the graph; numbers come back exactly as they were."""
    graph = content.networkx
    reserved(graph, {"id"}, {"source", "target", "key"}, "node-link JSON")
    data = nx.node_link_data(graph, edges="edges")
    try:
        text = json.dumps(data, default=_plain, allow_nan=False)
    except (ValueError, TypeError) as error:
        raise InvalidInput(f"node-link JSON cannot hold this graph: {error}.") from error
    with replacing(path) as file:
        file.write(text.encode("utf-8"))
    return [path]


def read(path: Path) -> AnyGraph:
    """Read a graph whose edges stand under ``edges`` or, as older files have it, ``links``."""
    data = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(data, dict) or "nodes" not in data or not ("edges" in data or "links" in data):
        raise InvalidInput(f"{path} is not node-link JSON: it needs lists `nodes` and `edges` (or `links`).")
    return nx.node_link_graph(data, edges="edges" if "edges" in data else "links")


def _plain(value: Any) -> Any:
    python = plain(value)
    if python is value:
        raise TypeError(f"a value of type {type(value).__name__}")
    return python


FORMAT = Format("node-link JSON", ".json", write, read)
