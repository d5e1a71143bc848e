"""Weights of few bits in kernels: how they are taken out of their columns, rounded after an event, and put back.

What can be kept is said in `neurosim.graph.precision`. A weight that is kept already is never changed by rounding:
the share that is added lies at least 2**-33 from 0 and from 1, which is more than what arithmetic may have lost.
"""

from __future__ import annotations

import math

import numpy as np

from neurosim.compiled import bits_of, embedded, float_of_bits
from neurosim.rng import philox

_EXPONENT = 0x7FF0_0000_0000_0000
_LEAST, _FRACTION = 2.0**-14, 2.0**-10  # the least normal number of 16 bits, and the spacing of numbers from 1 to 2
_UP, _DOWN = 2.0**1008, 2.0**-1008  # between the exponents of 16 and of 64 bits
_MAGNITUDE, _SIGN = 0x7FFF, 0x8000
_LOST_BITS = 42  # of the fraction


@embedded
def share_of(serial, source, step, key, seed_low, seed_high, kind):
    """A number from 0 to 1 drawn for a synapse (birth number, source's id), a step and a kind of event."""
    a, b, c, d = philox(
        np.uint32(serial), np.uint32(source), np.uint32(step), np.uint32(np.int64(key) + kind // 4),
        np.uint32(np.int64(seed_low)), np.uint32(np.int64(seed_high)),
    )  # fmt: skip
    kind = kind % 4
    word = a if kind == 0 else (b if kind == 1 else (c if kind == 2 else d))
    return (np.float64(word) + 0.5) * 2.0**-32


@embedded
def from_half(bits):
    """The number whose 16 bits are ``bits`` (an integer)."""
    size = float_of_bits((np.int64(bits) & _MAGNITUDE) << _LOST_BITS) * _UP
    return -size if np.int64(bits) & _SIGN else size


@embedded
def to_half(weight):
    """The 16 bits of a number that they can hold exactly."""
    bits = bits_of(abs(weight) * _DOWN) >> _LOST_BITS
    return bits | _SIGN if weight < 0.0 else bits


@embedded
def as_half(weight, share):
    """A weight rounded to 16 bits: down where ``share`` does not lift it to the next number."""
    spacing = max(float_of_bits(bits_of(weight) & _EXPONENT), _LEAST) * _FRACTION
    return math.floor(weight / spacing + share) * spacing


@embedded
def from_level(level, low, high, step):
    """The weight that a level stands for."""
    return min(low + np.float64(level) * step, high)


@embedded
def to_level(weight, low, per_step):
    """The level that stands for a weight."""
    return np.int64((weight - low) * per_step + 0.5)


@embedded
def as_level(weight, low, high, step, per_step, share):
    """A weight rounded to a level: down where ``share`` does not lift it to the next one."""
    return min(low + math.floor((weight - low) * per_step + share) * step, high)
