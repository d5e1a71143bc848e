"""Random words by counter: the same (seed, purpose, neuron, step) gives the same word, whoever asks (law 13).

Philox4x32-10 of Salmon, Moraes, Dror & Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011,
doi:10.1145/2063384.2063405, section 3.3.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

Words = tuple[int, int, int, int]

MASK = 0xFFFFFFFF
ROUNDS = 10
MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
WEYL = (0x9E3779B9, 0xBB67AE85)  # the golden ratio and sqrt(3) - 1: what the key grows by in each round


@lru_cache(maxsize=1 << 16)  # only for speed: one block serves four steps
def philox4x32(counter: Words, key: tuple[int, int]) -> Words:
    """Four random 32-bit words from a 128-bit counter and a 64-bit key."""
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(ROUNDS):
        product0 = MULTIPLIERS[0] * c0
        product1 = MULTIPLIERS[1] * c2
        c0, c1 = (product1 >> 32) ^ c1 ^ k0, product1 & MASK
        c2, c3 = (product0 >> 32) ^ c3 ^ k1, product0 & MASK
        k0 = (k0 + WEYL[0]) & MASK
        k1 = (k1 + WEYL[1]) & MASK
    return c0, c1, c2, c3


def random_word(seed: int, purpose: int, neuron_id: int, step: int) -> int:
    """The random 32-bit word that neuron `neuron_id` uses in step `step` for `purpose`."""
    block = step >> 2
    counter = (neuron_id, block & MASK, block >> 32, purpose)
    return philox4x32(counter, (seed & MASK, seed >> 32))[step & 3]


def purpose_of(*names: str) -> int:
    """The 32-bit number of what draws are for."""
    return int.from_bytes(hashlib.sha256("\0".join(names).encode()).digest()[:4], "little")


def stream(seed: int, purpose: Sequence[str], event: int) -> np.random.Generator:
    """A generator for what is drawn in one go, between steps: keyed by what it is for, and by the event's number."""
    return np.random.Generator(np.random.Philox(key=[seed, purpose_of(*purpose)], counter=[0, 0, 0, event]))
