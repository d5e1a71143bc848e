"""The edges of a networkx graph."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from neurosim.errors import InvalidInput, UsageError
from neurosim.graph.connectors.base import Connector, Pairs, weight_unit
from neurosim.graph.population import Population
from neurosim.units import quantity


@dataclass(frozen=True, eq=False)
class GraphEdges(Connector):
    """Connect as the edges of a networkx ``graph`` say: its k-th node stands for the k-th neuron of either population.

    ``weight`` and ``delay`` name edge attributes (a number, or a text with a unit); where no edge has one, or its
    name is None, the projection's value serves. An undirected edge becomes two synapses; parallel edges stay parallel.
    """

    graph: Any
    weight: str | None = "weight"
    delay: str | None = "delay"
    name = "graph"

    def __post_init__(self) -> None:
        if not (hasattr(self.graph, "nodes") and hasattr(self.graph, "is_directed")):
            raise UsageError(f"connector graph wants a networkx graph; found {self.graph!r:.80}.")

    def weights(self) -> Any:
        found = [data[self.weight] for _, _, data in self.graph.edges(data=True) if self.weight in data]
        return found or None

    def pairs(self, source: Population, target: Population, rng: np.random.Generator) -> Iterator[Pairs]:
        nodes = {node: k for k, node in enumerate(self.graph.nodes)}
        if not len(nodes) == source.size == target.size:
            raise UsageError(
                f"the graph has {len(nodes)} nodes, but '{source.name}' has {source.size} neurons and "
                f"'{target.name}' has {target.size}."
            )
        edges = [(nodes[a], nodes[b], data) for a, b, data in self.graph.edges(data=True)]
        if not self.graph.is_directed():
            edges += [(b, a, data) for a, b, data in edges if a != b]
        if not edges:
            return
        pre, post = (np.array([edge[k] for edge in edges], np.int64) for k in (0, 1))
        weight = self._attribute(edges, self.weight, target, "weight")
        yield Pairs(pre, post, weight, self._attribute(edges, self.delay, target, "delay"))

    def _attribute(self, edges: list[Any], name: str | None, target: Population, what: str) -> np.ndarray | None:
        """Values of an edge attribute, or None when no edge has it."""
        if name is None or not any(name in data for _, _, data in edges):
            return None
        unit = "ms" if what == "delay" else weight_unit(target)
        values = np.empty(len(edges))
        names = list(self.graph.nodes)
        for k, (pre, post, data) in enumerate(edges):
            edge = f"edge {names[pre]} → {names[post]}"
            if name not in data:
                raise InvalidInput(f"{edge} of the graph has no '{name}', but other edges do.")
            values[k] = quantity(data[name], unit, f"'{name}' of {edge}")
        return values

    def expected(self, n_source: int, n_target: int, distances: Any = None) -> float:
        return float(self.graph.number_of_edges() * (1 if self.graph.is_directed() else 2))


CONNECTOR = GraphEdges
