"""No spike overtakes an earlier one at the same synapse, also when its delay has been shortened meanwhile.

Synapses with delays that nobody touches need no memory of their arrivals: equal delays keep the order. Only when a
delay is edited may an earlier spike still be under way. When it is due follows from the neuron's last spike and the
old delay, if the synapse has had that delay since before the spike.
"""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

SynapseIds = NDArray[np.uint64]
Steps = NDArray[np.int64]


class ArrivalOrder:
    """Of one projection: which synapses have their present delay only since lately, and what is under way at them."""

    def __init__(self) -> None:
        self._recent: deque[tuple[int, SynapseIds]] = deque()
        self._due: dict[int, int] = {}

    def begin(self, now: int, ids: SynapseIds, longest: float) -> None:
        """Synapses are born, or change their delay, at step ``now``; what is older than ``longest`` is forgotten."""
        while self._recent and self._recent[0][0] < now - longest:
            self._recent.popleft()
        self._recent.append((now, ids))

    def delays_change(self, now: int, ids: SynapseIds, emitted: Steps, old: NDArray[np.generic]) -> None:
        """The delays of ``ids`` change; ``emitted``: when each neuron last fired (0: never), ``old``: old delays."""
        since = np.zeros(ids.size, np.int64)
        for step, changed in self._recent:
            since[np.isin(ids, changed)] = step
        due = np.where(emitted > since, emitted + old.astype(np.int64), 0)
        for synapse, step in zip(ids[due > now].tolist(), due[due > now].tolist(), strict=True):
            self._due[synapse] = max(step, self._due.get(synapse, 0))
        self.begin(now, ids, float(old.max(initial=0)))

    def held(self, now: int) -> tuple[SynapseIds, Steps]:
        """Synapses with something under way that must not be overtaken, and the step when it is due."""
        self._due = {synapse: step for synapse, step in self._due.items() if step > now}
        return np.array(list(self._due), np.uint64), np.array(list(self._due.values()), np.int64)
