"""Every source neuron makes the same number of synapses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from neurosim.graph.checks import whole
from neurosim.graph.connectors.base import Connector, Pairs, blocks_of, partners
from neurosim.graph.population import Population


@dataclass(frozen=True)
class FixedOutdegree(Connector):
    """Give each source neuron ``n`` postsynaptic partners, drawn uniformly."""

    n: int
    autapses: bool = True
    multapses: bool = True
    name = "fixed_outdegree"

    def __post_init__(self) -> None:
        whole(self.n, "fixed_outdegree.n")

    def pairs(self, source: Population, target: Population, rng: np.random.Generator) -> Iterator[Pairs]:
        skip_self = source is target and not self.autapses
        for pres in blocks_of(source.size, self.n):
            post = partners(rng, pres, int(self.n), target.size, skip_self=skip_self, multapses=self.multapses)
            yield Pairs(np.repeat(pres, int(self.n)), post.ravel())

    def expected(self, n_source: int, n_target: int) -> float:
        return float(self.n) * n_source


CONNECTOR = FixedOutdegree
