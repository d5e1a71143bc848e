"""Each pair with a probability that falls with distance, independently."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from neurosim.graph.checks import probability
from neurosim.graph.connectors.base import Connector, Pairs, autapses, kernel
from neurosim.graph.distance_kernels import DistanceKernel
from neurosim.graph.kinds import parameter
from neurosim.graph.population import Population
from neurosim.graph.proximity import Proximity


@dataclass(frozen=True)
class DistanceProbability(Connector):
    """Connect each pair with probability ``p``·kernel(distance)."""

    kernel: DistanceKernel = kernel()
    p: float = parameter("probability at distance 0", probability, default=1.0)
    autapses: bool = autapses()
    name = "distance_probability"
    needs_positions = True

    def pairs(self, source: Population, target: Population, rng: np.random.Generator) -> Iterator[Pairs]:
        for pre, post in Proximity(source, target, self.kernel).bernoulli(self.p, rng):
            keep = pre != post if source is target and not self.autapses else slice(None)
            yield Pairs(pre[keep], post[keep])

    def expected(self, n_source: int, n_target: int, distances: Any = None) -> float:
        share = 1.0 if distances is None or not distances.size else float(self.kernel(distances).mean())
        return self.p * share * n_source * n_target


CONNECTOR = DistanceProbability
