"""GML, an older text format that networkx and igraph write: read only."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import networkx as nx

from neurosim.formats._format import Format

if TYPE_CHECKING:
    AnyGraph = nx.Graph[Any]


def read(path: Path) -> AnyGraph:
    """Read a graph; nodes are known by their ids, labels become attributes."""
    return nx.read_gml(path, label="id")


FORMAT = Format("GML", ".gml", read=read)
