"""Every neuron of the source to every neuron of the target."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from neurosim.graph.connectors.base import Connector, Pairs, autapses, blocks_of
from neurosim.graph.population import Population


@dataclass(frozen=True)
class AllToAll(Connector):
    """Connect all pairs; ``autapses=False`` leaves out each neuron's connection to itself."""

    autapses: bool = autapses()
    name = "all_to_all"

    def pairs(self, source: Population, target: Population, rng: np.random.Generator) -> Iterator[Pairs]:
        posts = np.arange(target.size)
        for rows in blocks_of(source.size, target.size):
            pre, post = np.repeat(rows, posts.size), np.tile(posts, rows.size)
            keep = pre != post if source is target and not self.autapses else slice(None)
            yield Pairs(pre[keep], post[keep])

    def expected(self, n_source: int, n_target: int, distances: Any = None) -> float:
        return float(n_source) * n_target


CONNECTOR = AllToAll
