"""Synapses listed one by one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from neurosim.errors import UsageError
from neurosim.graph.connectors.base import Connector, Pairs, weight_unit
from neurosim.graph.population import Population
from neurosim.units import quantities


@dataclass(frozen=True, eq=False)
class Listed(Connector):
    """Connect ``pre[i]`` to ``post[i]`` (neuron ids); ``weight`` and ``delay`` (ms): one for each, or one for all."""

    pre: Any
    post: Any
    weight: Any = None
    delay: Any = None
    name = "pairs"

    def pairs(self, source: Population, target: Population, rng: np.random.Generator) -> Iterator[Pairs]:
        pre, post = np.atleast_1d(np.asarray(self.pre)), np.atleast_1d(np.asarray(self.post))
        if pre.shape != post.shape or pre.ndim != 1:
            raise UsageError(f"pairs: pre and post must be lists of equal length; found {pre.shape} and {post.shape}.")
        if pre.size == 0:
            return
        source.slots(pre), target.slots(post)  # ids must exist
        weight = None if self.weight is None else self._values("weight", weight_unit(target), pre.size)
        delay = None if self.delay is None else self._values("delay", "ms", pre.size)
        yield Pairs(np.searchsorted(source.ids, pre), np.searchsorted(target.ids, post), weight, delay)

    def _values(self, name: str, unit: str, n: int) -> np.ndarray:
        given = getattr(self, name)
        values = quantities(given if np.ndim(given) else [given], unit, f"pairs.{name}")
        if values.size not in (1, n):
            raise UsageError(f"pairs: {values.size} values of {name} for {n} synapses.")
        return np.broadcast_to(values, (n,)).copy()

    def weights(self) -> Any:
        return self.weight

    def expected(self, n_source: int, n_target: int, distances: Any = None) -> float:
        return float(np.size(self.pre))


CONNECTOR = Listed
