"""What every format module declares, and how files are written and read without surprises."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from neurosim.errors import InvalidInput, NeurosimError
from neurosim.record import GraphTables

if TYPE_CHECKING:
    AnyGraph = nx.Graph[Any]

Spikes = tuple[NDArray[np.float64], NDArray[np.uint32]]


@dataclass(frozen=True)
class Content:
    """What is exported: a graph in either form (None where none was recorded), and spikes by population."""

    graph: AnyGraph | GraphTables | None
    spikes: Mapping[str, Spikes] = field(default_factory=dict)

    @property
    def networkx(self) -> AnyGraph:
        """The graph as networkx has it."""
        if self.graph is None:
            return nx.MultiDiGraph()
        return self.graph.to_networkx() if isinstance(self.graph, GraphTables) else self.graph

    @property
    def tables(self) -> GraphTables | None:
        """The graph as tables."""
        if self.graph is None or isinstance(self.graph, GraphTables):
            return self.graph
        return GraphTables.from_networkx(self.graph)


@dataclass(frozen=True)
class Format:
    """An interchange format.

    Parameters
    ----------
    write : stores a content and returns the files it made.
    read : makes a networkx graph of a file; may raise anything, which becomes InvalidInput.
    has_spikes : whether it can hold spikes, and so is of use without a graph.
    """

    name: str
    suffix: str
    write: Callable[[Content, Path], list[Path]] | None = None
    read: Callable[[Path], AnyGraph] | None = None
    has_spikes: bool = False


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """A file that takes the place of ``path`` when it is complete; after an error all is as before."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        try:
            with draft.open("wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            os.replace(draft, path)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise NeurosimError(
            f"cannot write {path}: {error.strerror or error}. Free some space, or choose another place."
        ) from error


def number_or_text(text: str) -> int | str:
    """An id as it was before it was written: a whole number if it is spelt like one."""
    with contextlib.suppress(ValueError):
        if str(int(text)) == text:
            return int(text)
    return text


def with_numbers(graph: AnyGraph) -> AnyGraph:
    """The graph with ids that are all spelt like whole numbers turned into such."""
    names = {node: number_or_text(node) for node in graph if isinstance(node, str)}
    if len(names) < len(graph) or any(isinstance(name, str) for name in names.values()):
        return graph
    return nx.relabel_nodes(graph, names)


def plain(value: Any) -> Any:
    """Python's own number, text or truth for numpy's."""
    return value.item() if isinstance(value, np.generic) else value


def reserved(graph: AnyGraph, node: set[str], edge: set[str], name: str) -> None:
    """Refuse attributes whose names the format needs for itself, rather than lose them."""
    found = {key for _, data in graph.nodes(data=True) for key in data if key in node}
    found |= {key for *_, data in graph.edges(data=True) for key in data if key in edge}
    if found:
        raise InvalidInput(f"{name} cannot hold attributes named {', '.join(sorted(found))}. Rename them.")
