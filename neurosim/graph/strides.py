"""Choosing from very many, without work for what is not chosen."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from neurosim.compiled import kernel

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


def hits(n: int, chance: float, stream: np.random.Generator) -> NDArray[np.int64]:
    """Which of ``n`` are hit, each with the same ``chance``; ascending.

    The number of those missed before the next hit is geometric: the whole part of an exponential draw.
    """
    if chance >= 1.0:
        return np.arange(n)
    parts = [np.zeros(0, np.int64)]
    reached = -1
    while chance > 0.0 and reached < n:
        expected = (n - reached) * chance
        drawn = stream.standard_exponential(int(expected + 4.0 * np.sqrt(expected)) + 8)
        positions = np.empty(drawn.size, np.int64)
        found = _walk(drawn, -np.log1p(-chance), reached, n, positions)
        parts.append(positions[:found])
        reached = int(positions[found - 1]) if found == drawn.size else n
    return np.concatenate(parts) if len(parts) > 2 else parts[-1]


@kernel
def _walk(drawn: NDArray[np.float64], rate: float, reached: int, n: int, positions: NDArray[np.int64]) -> int:
    """Write the ``positions`` below ``n`` that are hit from ``reached`` on; returns how many."""
    for k in range(drawn.size):
        reached += int(min(drawn[k] / rate, float(n))) + 1
        if reached >= n:
            return k
        positions[k] = reached
    return drawn.size
