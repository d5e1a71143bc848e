"""Every target neuron receives the same number of synapses, mostly from nearby."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from neurosim.graph.connectors.base import Connector, Pairs, autapses, kernel, multapses
from neurosim.graph.distance_kernels import DistanceKernel
from neurosim.graph.kinds import count
from neurosim.graph.population import Population
from neurosim.graph.proximity import Proximity


@dataclass(frozen=True)
class DistanceIndegree(Connector):
    """Give each target neuron ``n`` presynaptic partners, drawn in proportion to kernel(distance)."""

    n: int = count("synapses onto each target")
    kernel: DistanceKernel = kernel()
    autapses: bool = autapses()
    multapses: bool = multapses()
    name = "distance_indegree"
    needs_positions = True

    def pairs(self, source: Population, target: Population, rng: np.random.Generator) -> Iterator[Pairs]:
        skip_self = source is target and not self.autapses
        near = Proximity(target, source, self.kernel)
        for post, pre in near.partners(self.n, rng, skip_self=skip_self, multapses=self.multapses):
            yield Pairs(pre, post)

    def expected(self, n_source: int, n_target: int, distances: Any = None) -> float:
        return float(self.n) * n_target


CONNECTOR = DistanceIndegree
