"""What the network's own spikes say to it: one neuron soon after another, and a population that sends a modulator."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neurosim.graph.groups import Group
from neurosim.graph.population import Population

Steps = NDArray[np.int64]
_NONE: Steps = np.zeros(0, np.int64)


class SpikeCounter:
    """Spikes of a population or group since somebody last asked."""

    def __init__(self, target: Population | Group) -> None:
        self._members = target.members if isinstance(target, Group) else None
        self._parts: list[Steps] = []

    def take(self, steps: Steps, ids: NDArray[np.uint32]) -> None:
        """Receive spikes from the engine."""
        mine = steps if self._members is None else steps[np.isin(ids, self._members)]
        if mine.size:
            self._parts.append(mine)

    def taken(self) -> Steps:
        """The steps of the spikes since the last call, in order."""
        if not self._parts:
            return _NONE
        parts, self._parts = self._parts, []
        return np.concatenate(parts)


class Following:
    """Whether one population (or group) has fired within a window after another, since somebody last asked."""

    def __init__(self, later: Population | Group, window: int, earlier: Population | Group) -> None:
        self.later, self.earlier = SpikeCounter(later), SpikeCounter(earlier)
        self._window = window
        self._known = _NONE  # spikes of ``earlier`` that may still count

    def asked(self, step: int) -> bool:
        """Whether a spike of ``later`` came at most the window after one of ``earlier``, and not at its time."""
        earlier = np.concatenate([self._known, self.earlier.taken()])
        later = self.later.taken()
        self._known = earlier[earlier > step - self._window]
        before = np.searchsorted(earlier, later)  # how many spikes of `earlier` came before
        heard = before > 0
        return bool(np.any(later[heard] - earlier[before[heard] - 1] <= self._window))
