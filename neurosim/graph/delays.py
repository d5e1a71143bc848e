"""Delays on the time grid, with the bounds that the engine plans by."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurosim.errors import UsageError
from neurosim.graph.checks import extremes

MAX_STEPS = 65535


class DelayGrid:
    """How one projection stores its delays: in steps once the time step is known, in ms before.

    ``declared`` are the user's bounds in ms; where there are none, ``low`` and ``high`` (in stored units) widen
    with what is stored. The smallest delay bounds the engine's epoch, the largest its ring of arrivals.
    """

    def __init__(
        self, dt: float | None, declared: tuple[float, float] | None, projection: str, wide: bool = False
    ) -> None:
        self.dt = dt
        self.declared = declared
        self.projection = projection
        self.wide = wide  # two bytes each, whatever they are: what kernels of learning rules expect
        self.low: float = np.inf
        self.high: float = -np.inf
        if declared is not None:
            self.check(np.array(declared))
            self.widen(self.stored(np.array(declared)))

    @property
    def dtype(self) -> np.dtype[Any]:
        """Item type of a delay column that holds every delay up to ``high``."""
        if self.dt is None:
            return np.dtype(np.float64)
        return np.dtype(np.uint8 if self.high <= 255 and not self.wide else np.uint16)

    def on(self, dt: float) -> DelayGrid:
        """The same delays on a grid of ``dt``."""
        return DelayGrid(dt, self.declared, self.projection, self.wide)

    def stored(self, delays: NDArray[np.float64]) -> NDArray[Any]:
        """Delays in ms as they are kept: ``floor(d/dt + 0.5)`` steps, at least one unless exactly 0."""
        if self.dt is None:
            return delays
        if delays.size == 1:
            delay = float(delays[0])
            return np.array([max(math.floor(delay / self.dt + 0.5), 1) if delay else 0])
        steps = np.floor(delays / self.dt + 0.5).astype(np.int64)
        return np.where(delays == 0.0, 0, np.maximum(steps, 1))

    def shown(self, stored: Any) -> NDArray[np.float64]:
        """Kept delays in ms: ``k·dt``."""
        kept = np.asarray(stored, np.float64)
        return kept if self.dt is None else kept * self.dt

    def check(self, delays: NDArray[np.float64]) -> None:
        """Raise ``UsageError`` for a delay that is negative, too long or outside the declared bounds."""
        if delays.size == 0:
            return
        low, high = extremes(delays)
        where = f"projection '{self.projection}'"
        if low < 0.0:
            raise UsageError(f"{where}: a delay of {low:g} ms; delays are 0 ms or more.")
        if self.dt is not None and high / self.dt > MAX_STEPS:
            raise UsageError(f"{where}: a delay of {high:g} ms is more than {MAX_STEPS} steps of {self.dt:g} ms.")
        if self.declared is not None and (low < self.declared[0] or high > self.declared[1]):
            raise UsageError(
                f"{where}: a delay of {low if low < self.declared[0] else high:g} ms lies outside the declared bounds "
                f"[{self.declared[0]:g}, {self.declared[1]:g}] ms."
            )

    def widen(self, stored: NDArray[Any]) -> bool:
        """Take in new delays; True when the bounds moved."""
        before = self.low, self.high
        if stored.size:
            low, high = extremes(stored)
            self.low, self.high = min(self.low, low), max(self.high, high)
        return before != (self.low, self.high)


class LearnedDelays(DelayGrid):
    """Delays in ms that a rule writes, between declared bounds of at least a time step.

    They are rounded to steps when a spike is emitted.
    """

    def __init__(self, dt: float | None, declared: tuple[float, float], projection: str, precision: str) -> None:
        self.kept_as = np.dtype(precision)
        super().__init__(dt, declared, projection)
        if dt is not None:
            if declared[0] < dt:
                raise UsageError(
                    f"projection '{projection}': delays that learn are at least one time step; the lower bound "
                    f"{declared[0]:g} ms is less than {dt:g} ms."
                )
            kept = [*declared, *(float(self.kept_as.type(bound)) for bound in declared)]  # kept, a bound is rounded
            self.low, self.high = math.floor(min(kept) / dt + 0.5), math.floor(max(kept) / dt + 0.5)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Item type of the delay column."""
        return self.kept_as

    def on(self, dt: float) -> LearnedDelays:
        """The same bounds on a grid of ``dt``."""
        assert self.declared is not None
        return LearnedDelays(dt, self.declared, self.projection, str(self.kept_as))

    def stored(self, delays: NDArray[np.float64]) -> NDArray[Any]:
        """Delays in ms as they are kept."""
        return delays.astype(self.kept_as)

    def shown(self, stored: Any) -> NDArray[np.float64]:
        """Kept delays in ms."""
        return np.asarray(stored, np.float64)

    def widen(self, stored: NDArray[Any]) -> bool:
        """Bounds of delays that learn never move."""
        return False
