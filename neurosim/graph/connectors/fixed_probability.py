"""Each possible pair with the same probability, independently."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from neurosim.graph.checks import probability
from neurosim.graph.connectors.base import Connector, Pairs, autapses
from neurosim.graph.kinds import parameter
from neurosim.graph.population import Population
from neurosim.graph.strides import strides


@dataclass(frozen=True)
class FixedProbability(Connector):
    """Connect each pair with probability ``p`` (0 to 1)."""

    p: float = parameter("probability of each pair", lambda p, _: probability(p, "a connection probability"))
    autapses: bool = autapses()
    name = "fixed_probability"

    def pairs(self, source: Population, target: Population, rng: np.random.Generator) -> Iterator[Pairs]:
        for visited in strides(rng, self.p, source.size * target.size):
            pre, post = np.divmod(visited, target.size)
            keep = pre != post if source is target and not self.autapses else slice(None)
            yield Pairs(pre[keep], post[keep])

    def expected(self, n_source: int, n_target: int, distances: Any = None) -> float:
        return self.p * n_source * n_target


CONNECTOR = FixedProbability
