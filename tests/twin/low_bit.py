"""Weights of few bits: which there are, and how one becomes one of them (law 9)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .grid import clip
from .rng import MASK, philox4x32

KINDS = ("on_arrival", "on_post", "on_emission", "on_modulator", "every", "clocked")
NEAREST = 0.5


def is_low(precision: str) -> bool:
    """Whether it is a precision of few bits."""
    return precision in ("float16", "int8", "ternary")


def neighbours(x: float, precision: str, bounds: tuple[float, float]) -> tuple[float, float]:
    """Two weights that can be kept, one after the other, with `x` between them or on the first."""
    if precision == "float16":
        near: Any = np.float16(x)
        below = near if float(near) <= x else np.nextafter(near, np.float16(-np.inf))
        return float(below), float(np.nextafter(below, np.float16(np.inf)))
    low, high = bounds
    last = {"int8": 254 if low == -high else 255, "ternary": 2}[precision]
    step = (high - low) / last
    k = math.floor((x - low) / step)
    return min(low + k * step, high), min(low + (k + 1) * step, high)


def within(precision: str, bounds: tuple[float, float]) -> tuple[float, float]:
    """The least and the greatest weight that can be kept and do not pass the bounds."""
    if precision != "float16":
        return bounds
    low, high = (clip(x, (-65504.0, 65504.0)) for x in bounds)
    below, above = neighbours(low, precision, bounds)
    return (low if below == low else above), neighbours(high, precision, bounds)[0]


def rounded(x: float, precision: str, bounds: tuple[float, float], share: float) -> float:
    """The neighbour above when `x` has come so far that what is missing is at most `share` of the way."""
    limits = within(precision, bounds)
    x = clip(x, limits)
    below, above = neighbours(x, precision, bounds)
    if above <= below:
        return below
    return clip(above if (x - below) / (above - below) + share >= 1.0 else below, limits)


def share(seed: int, purpose: int, synapse: int, step: int, hook: str) -> float:
    """A number from 0 to 1 that is drawn for a synapse, a step and a kind of event (law 13)."""
    kind = KINDS.index(hook)
    counter = (synapse & MASK, synapse >> 32, step & MASK, purpose + kind // 4 & MASK)
    return (philox4x32(counter, (seed & MASK, seed >> 32))[kind % 4] + 0.5) / 2.0**32
