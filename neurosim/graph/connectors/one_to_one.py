"""The k-th neuron of the source to the k-th neuron of the target."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from neurosim.errors import UsageError
from neurosim.graph.connectors.base import Connector, Pairs
from neurosim.graph.population import Population


@dataclass(frozen=True)
class OneToOne(Connector):
    """Connect neurons of equal index; the populations must be of equal size."""

    name = "one_to_one"

    def pairs(self, source: Population, target: Population, rng: np.random.Generator) -> Iterator[Pairs]:
        if source.size != target.size:
            raise UsageError(
                f"one_to_one needs populations of equal size; '{source.name}' has {source.size} neurons, "
                f"'{target.name}' has {target.size}."
            )
        indices = np.arange(source.size)
        yield Pairs(indices, indices)

    def expected(self, n_source: int, n_target: int, distances: Any = None) -> float:
        return float(min(n_source, n_target))


CONNECTOR = OneToOne
