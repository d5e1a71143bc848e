"""Mean rates over a sliding window."""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from neurosim.graph.groups import Group
from neurosim.graph.population import Population


class RateMeter:
    """Spikes of a population or group in the last ``window`` steps, counted since the meter was made."""

    def __init__(self, target: Population | Group, window: int, step: int) -> None:
        self._target = target
        self._members = target.members if isinstance(target, Group) else None
        self._window = window
        self._since = step
        self._steps: deque[NDArray[np.int64]] = deque()

    def take(self, steps: NDArray[np.int64], ids: NDArray[np.uint32]) -> None:
        """Receive spikes of the population from the engine."""
        mine = steps if self._members is None else steps[np.isin(ids, self._members)]
        if mine.size:
            self._steps.append(mine)
            self._forget(int(mine[-1]) - self._window)

    def _forget(self, step: int) -> None:
        while self._steps and self._steps[0][-1] <= step:
            self._steps.popleft()

    def rate(self, step: int, dt: float) -> float:
        """Hz per neuron over the window that ends at ``step``; 0 before anything could be counted."""
        begin = max(step - self._window, self._since)
        self._forget(begin)
        spikes = sum(int((part > begin).sum()) for part in self._steps)
        neurons = self._target.size
        span = (step - begin) * dt
        return 1000.0 * spikes / (neurons * span) if neurons and span > 0.0 else 0.0
