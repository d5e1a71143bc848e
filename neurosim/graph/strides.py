"""Choosing from very many, without work for what is not chosen."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

BLOCK = 2**21  # synapses handled at a time


def strides(rng: np.random.Generator, p: float, total: int) -> Iterator[NDArray[np.int64]]:
    """Those of ``total`` numbers from 0 that are chosen, each with probability ``p``; some at a time, ascending.

    Walks in geometrically distributed strides.
    """
    at = -1
    while p > 0.0 and at < total - 1:
        n = int(min(BLOCK, (total - at) * p * 1.1 + 100))
        visited = at + np.cumsum(np.minimum(rng.geometric(p, n), total + 1))
        at = int(visited[-1])
        yield visited[visited < total]
