"""GEXF, Gephi's own format: read only."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import networkx as nx

from neurosim.formats._format import Format, with_numbers

if TYPE_CHECKING:
    AnyGraph = nx.Graph[Any]


def read(path: Path) -> AnyGraph:
    """Read a graph; ids that are whole numbers become such."""
    return with_numbers(nx.read_gexf(path))


FORMAT = Format("GEXF", ".gexf", read=read)
