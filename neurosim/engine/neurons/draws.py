"""Random numbers of neurons: a block of draws per neuron serves four steps."""

from __future__ import annotations

import numpy as np

from neurosim.compiled import inlined
from neurosim.engine.noise import words_of_block
from neurosim.functions import cos, log, sin
from neurosim.rng import philox

__all__ = ["normals_of_block", "uniform", "words_of_block"]

_TO_UNIT = 2.0**-32
_TWO_PI = 6.283185307179586


@inlined
def uniform(word):
    """A 32-bit word as a number from 0 to 1, 1 excluded."""
    return np.float64(word) * _TO_UNIT


@inlined
def normals_of_block(normals, ids, block, purpose, seed):
    """Four standard normal numbers per neuron, one for each step of a block of four.

    Two pairs by Box and Muller (1958, doi:10.1214/aoms/1177706645). A word is taken to stand in the middle of its
    2⁻³² wide interval, so that no number is larger than 6.8.
    """
    k0, k1 = np.uint32(seed & 0xFFFFFFFF), np.uint32(seed >> 32)
    c1, c2, c3 = np.uint32(block & 0xFFFFFFFF), np.uint32(block >> 32), np.uint32(purpose)
    n0, n1, n2, n3 = normals[0], normals[1], normals[2], normals[3]
    for i in range(ids.size):
        a, b, c, d = philox(ids[i], c1, c2, c3, k0, k1)
        first = np.sqrt(-2.0 * log((np.float64(a) + 0.5) * _TO_UNIT))
        angle = np.float64(b) * _TO_UNIT * _TWO_PI
        n0[i], n1[i] = first * cos(angle), first * sin(angle)
        second = np.sqrt(-2.0 * log((np.float64(c) + 0.5) * _TO_UNIT))
        angle = np.float64(d) * _TO_UNIT * _TWO_PI
        n2[i], n3[i] = second * cos(angle), second * sin(angle)
