"""Random numbers keyed by what they are for, never by where or when they happen to be drawn.

During a run, draws come from Philox4x32-10 (Salmon et al. 2011, doi:10.1145/2063384.2063405): the key is the
network's seed, the counter is (neuron id, step // 4, purpose), and the four words serve four steps. Hence a draw
does not depend on slots, shards, threads or the order of work. What is drawn once, while a network is built or
edited, comes from numpy's generators, keyed alike.
"""

from __future__ import annotations

import hashlib
import math

import numpy as np
from numpy.typing import NDArray

from neurosim.compiled import spliced
from neurosim.errors import UsageError

_M0, _M1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_W0, _W1 = np.uint32(0x9E3779B9), np.uint32(0xBB67AE85)
_SHIFT32 = np.uint64(32)

MAX_POISSON_MEAN = 1000.0


def purpose(*names: str) -> int:
    """A stable 32-bit number for what a stream of draws is for, e.g. ``purpose("input", "drive")``."""
    return int.from_bytes(hashlib.sha256("\0".join(names).encode()).digest()[:4], "little")


def generator(seed: int, purpose: int, event: int = 0) -> np.random.Generator:
    """A numpy generator for one purpose; ``event`` counts its uses (an edit, a block of a connector)."""
    return np.random.Generator(np.random.Philox(key=[seed, purpose], counter=[0, 0, 0, event]))


@spliced
def _round(c0, c1, c2, c3, k0, k1):
    p = np.uint64(c0) * _M0
    q = np.uint64(c2) * _M1
    return np.uint32(q >> _SHIFT32) ^ c1 ^ k0, np.uint32(q), np.uint32(p >> _SHIFT32) ^ c3 ^ k1, np.uint32(p)


@spliced
def philox(c0, c1, c2, c3, k0, k1):
    """Philox4x32-10 of counter ``c0 … c3`` under key ``k0, k1``: uint32 in, four uint32 out."""
    for _ in range(9):
        c0, c1, c2, c3 = _round(c0, c1, c2, c3, k0, k1)
        k0, k1 = np.uint32(k0 + _W0), np.uint32(k1 + _W1)
    return _round(c0, c1, c2, c3, k0, k1)


def poisson_thresholds(mean: float) -> NDArray[np.uint32]:
    """Turn a uniform 32-bit word into a Poisson count: the number of thresholds that do not exceed the word.

    ``T_k = round(2³² P(X ≤ k))``, so the distribution is exact to 2⁻³².

    Raises ``UsageError`` for a negative mean or one above ``MAX_POISSON_MEAN`` events per step.
    """
    if not 0.0 <= mean <= MAX_POISSON_MEAN:
        raise UsageError(
            f"a Poisson input would deliver {mean:g} events per time step; allowed are 0 to {MAX_POISSON_MEAN:g}. "
            "Lower the rate or the time step."
        )
    thresholds: list[int] = []
    cumulative, k = 0.0, 0
    while mean > 0.0:
        share = math.exp(-mean + k * math.log(mean) - math.lgamma(k + 1))
        cumulative += share
        threshold = round(cumulative * 2**32)
        if threshold >= 2**32 or (k > mean and share < 2**-48):
            break
        thresholds.append(threshold)
        k += 1
    return np.array(thresholds, np.uint32)
