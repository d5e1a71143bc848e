"""Every target neuron receives the same number of synapses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from neurosim.graph.checks import whole
from neurosim.graph.connectors.base import Connector, Pairs, blocks_of, partners
from neurosim.graph.population import Population


@dataclass(frozen=True)
class FixedIndegree(Connector):
    """Give each target neuron ``n`` presynaptic partners, drawn uniformly."""

    n: int
    autapses: bool = True
    multapses: bool = True
    name = "fixed_indegree"

    def __post_init__(self) -> None:
        whole(self.n, "fixed_indegree.n")

    def pairs(self, source: Population, target: Population, rng: np.random.Generator) -> Iterator[Pairs]:
        skip_self = source is target and not self.autapses
        for posts in blocks_of(target.size, self.n):
            pre = partners(rng, posts, int(self.n), source.size, skip_self=skip_self, multapses=self.multapses)
            yield Pairs(pre.ravel(), np.repeat(posts, int(self.n)))

    def expected(self, n_source: int, n_target: int) -> float:
        return float(self.n) * n_target


CONNECTOR = FixedIndegree
