"""Every target neuron receives the same number of synapses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from neurosim.graph.connectors.base import Connector, Pairs, autapses, blocks_of, multapses, partners
from neurosim.graph.kinds import count
from neurosim.graph.population import Population


@dataclass(frozen=True)
class FixedIndegree(Connector):
    """Give each target neuron ``n`` presynaptic partners, drawn uniformly."""

    n: int = count("synapses onto each target")
    autapses: bool = autapses()
    multapses: bool = multapses()
    name = "fixed_indegree"

    def pairs(self, source: Population, target: Population, rng: np.random.Generator) -> Iterator[Pairs]:
        skip_self = source is target and not self.autapses
        for posts in blocks_of(target.size, self.n):
            pre = partners(rng, posts, self.n, source.size, skip_self=skip_self, multapses=self.multapses)
            yield Pairs(pre.ravel(), np.repeat(posts, self.n))

    def expected(self, n_source: int, n_target: int, distances: Any = None) -> float:
        return float(self.n) * n_target


CONNECTOR = FixedIndegree
