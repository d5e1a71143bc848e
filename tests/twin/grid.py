"""The time grid, and numbers as they are stored."""

from __future__ import annotations

import math
import struct


def in_steps(time: float, dt: float) -> int:
    """`time` in whole steps of `dt` (both ms), halves rounded up."""
    return math.floor(time / dt + 0.5)


def delay_in_steps(delay: float, dt: float) -> int:
    """The steps between emission and arrival: at least one, unless the delay is exactly 0 (law 1)."""
    if not 0.0 <= delay < math.inf:
        raise ValueError(f"a delay is a finite time of at least 0 ms, not {delay} ms")
    return 0 if delay == 0.0 else max(1, in_steps(delay, dt))


def f32(x: float) -> float:
    """`x` after a stay in float32, as weights and learned delays are stored unless more is asked for (law 9)."""
    stored: float = struct.unpack("f", struct.pack("f", x))[0]
    return stored


def clip(x: float, bounds: tuple[float, float]) -> float:
    """`x`, or the bound that it has passed."""
    return min(max(x, bounds[0]), bounds[1])
