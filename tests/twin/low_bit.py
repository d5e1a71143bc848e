"""Weights of few bits: which there are, and how one becomes one of them (law 9)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .grid import clip
from .rng import MASK, philox4x32

KINDS = ("on_arrival", "on_post", "on_emission", "on_modulator", "every", "clocked")
NEAREST = 0.5
GREATEST = 65504.0  # of 16 bits


def is_low(precision: str) -> bool:
    """Whether it is a precision of few bits."""
    return precision in ("float16", "int8", "ternary")


def neighbours(x: float) -> tuple[float, float]:
    """Two numbers of 16 bits, one after the other, with `x` between them or on the first."""
    near: Any = np.float16(x)
    below = near if float(near) <= x else np.nextafter(near, np.float16(-np.inf))
    return float(below), math.inf if below == GREATEST else float(np.nextafter(below, np.float16(np.inf)))


def within(precision: str, bounds: tuple[float, float]) -> tuple[float, float]:
    """The least and the greatest weight that can be kept and do not pass the bounds."""
    if precision != "float16":
        return bounds
    low, high = (clip(x, (-GREATEST, GREATEST)) for x in bounds)
    below, above = neighbours(low)
    return (low if below == low else above), neighbours(high)[0]


def rounded(x: float, precision: str, bounds: tuple[float, float], share: float) -> float:
    """`x` inside its bounds, then down to a weight that can be kept, or up if `share` of the way is all it lacks."""
    low, high = within(precision, bounds)
    x = clip(x, (low, high))
    if precision == "float16":
        below, above = neighbours(x)
        return above if (x - below) / (above - below) + share >= 1.0 else below
    step = (high - low) / {"int8": 254 if low == -high else 255, "ternary": 2}[precision]
    return min(low + math.floor((x - low) * (1.0 / step) + share) * step, high)


def share(seed: int, purpose: int, synapse: int, step: int, hook: str) -> float:
    """A number from 0 to 1 that is drawn for a synapse, a step and a kind of event (law 13)."""
    kind = KINDS.index(hook)
    counter = (synapse & MASK, synapse >> 32, step & MASK, purpose + kind // 4 & MASK)
    return (philox4x32(counter, (seed & MASK, seed >> 32))[kind % 4] + 0.5) / 2.0**32
