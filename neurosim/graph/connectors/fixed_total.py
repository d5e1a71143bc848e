"""A given number of synapses between two populations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from neurosim.errors import UsageError
from neurosim.graph.connectors.base import Connector, Pairs, autapses, distinct, multapses
from neurosim.graph.kinds import count
from neurosim.graph.population import Population
from neurosim.graph.strides import BLOCK


@dataclass(frozen=True)
class FixedTotal(Connector):
    """Make ``n`` synapses between uniformly drawn pairs."""

    n: int = count("synapses in all")
    autapses: bool = autapses()
    multapses: bool = multapses()
    name = "fixed_total"

    def pairs(self, source: Population, target: Population, rng: np.random.Generator) -> Iterator[Pairs]:
        n_pre, n_post, n = source.size, target.size, self.n
        skip_self = source is target and not self.autapses
        per_row = n_post - 1 if skip_self else n_post
        total = n_pre * per_row
        if n and total < 1:
            raise UsageError(f"fixed_total: no pair can be made between '{source.name}' and '{target.name}'.")
        if self.multapses:
            draws: Iterator[np.ndarray] = (
                rng.integers(0, total, min(BLOCK, n - begin)) for begin in range(0, n, BLOCK)
            )
        else:
            draws = iter([distinct(rng, 1, n, total)[0]])
        for drawn in draws:
            pre, post = np.divmod(drawn, per_row)
            yield Pairs(pre, post + (post >= pre) if skip_self else post)

    def expected(self, n_source: int, n_target: int, distances: Any = None) -> float:
        return float(self.n)


CONNECTOR = FixedTotal
