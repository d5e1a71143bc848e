"""No synapses at all: for projections that grow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from neurosim.graph.connectors.base import Connector, Pairs
from neurosim.graph.population import Population


@dataclass(frozen=True)
class Nothing(Connector):
    """Make no synapses."""

    name = "none"

    def pairs(self, source: Population, target: Population, rng: np.random.Generator) -> Iterator[Pairs]:
        return iter(())


CONNECTOR = Nothing
