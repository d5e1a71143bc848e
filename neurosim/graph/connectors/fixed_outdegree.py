"""Every source neuron makes the same number of synapses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from neurosim.graph.connectors.base import Connector, Pairs, autapses, blocks_of, multapses, partners
from neurosim.graph.kinds import count
from neurosim.graph.population import Population


@dataclass(frozen=True)
class FixedOutdegree(Connector):
    """Give each source neuron ``n`` postsynaptic partners, drawn uniformly."""

    n: int = count("synapses from each source")
    autapses: bool = autapses()
    multapses: bool = multapses()
    name = "fixed_outdegree"

    def pairs(self, source: Population, target: Population, rng: np.random.Generator) -> Iterator[Pairs]:
        skip_self = source is target and not self.autapses
        for pres in blocks_of(source.size, self.n):
            post = partners(rng, pres, self.n, target.size, skip_self=skip_self, multapses=self.multapses)
            yield Pairs(np.repeat(pres, self.n), post.ravel())

    def expected(self, n_source: int, n_target: int, distances: Any = None) -> float:
        return float(self.n) * n_source


CONNECTOR = FixedOutdegree
