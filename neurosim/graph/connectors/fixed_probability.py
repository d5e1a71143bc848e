"""Each possible pair with the same probability, independently."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from neurosim.graph.checks import probability
from neurosim.graph.connectors.base import BLOCK, Connector, Pairs, autapses
from neurosim.graph.kinds import parameter
from neurosim.graph.population import Population


@dataclass(frozen=True)
class FixedProbability(Connector):
    """Connect each pair with probability ``p`` (0 to 1)."""

    p: float = parameter("probability of each pair", lambda p, _: probability(p, "a connection probability"))
    autapses: bool = autapses()
    name = "fixed_probability"

    def pairs(self, source: Population, target: Population, rng: np.random.Generator) -> Iterator[Pairs]:
        """Walk over all pairs in row order in geometrically distributed strides: no work for what is not made."""
        total = source.size * target.size
        at = -1
        while self.p > 0.0 and at < total - 1:
            n = int(min(BLOCK, (total - at) * self.p * 1.1 + 100))
            visited = at + np.cumsum(np.minimum(rng.geometric(self.p, n), total + 1))
            at = int(visited[-1])
            pre, post = np.divmod(visited[visited < total], target.size)
            keep = pre != post if source is target and not self.autapses else slice(None)
            yield Pairs(pre[keep], post[keep])

    def expected(self, n_source: int, n_target: int) -> float:
        return self.p * n_source * n_target


CONNECTOR = FixedProbability
