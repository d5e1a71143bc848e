"""No spike overtakes an earlier one at the same synapse, also when its delay has been shortened meanwhile.

Synapses with delays that nobody touches need no memory of their arrivals: equal delays keep the order. Only when a
delay is edited may an earlier spike still be under way. When it is due follows from the neuron's last spike and the
old delay, if the synapse has had that delay since before the spike.
"""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurosim.graph.delays import MAX_STEPS

SynapseIds = NDArray[np.uint64]
Steps = NDArray[np.int64]


class ArrivalOrder:
    """Of one projection: which synapses have their present delay only since lately, and what is under way at them.

    ``made`` is the step when the projection was made, at which all its first synapses were born.
    """

    def __init__(self) -> None:
        self.made = 0
        self._births: deque[tuple[int, float, list[SynapseIds]]] = deque()  # step, until when it matters, who
        self._changes: list[tuple[int, SynapseIds]] = []
        self._due: dict[int, int] = {}

    def begin(self, now: int, ids: SynapseIds, longest: float) -> None:
        """Synapses are born at step ``now``, when no delay of the projection is longer than ``longest``."""
        while self._births and self._births[0][1] < now:
            self._births.popleft()
        if not self._births or self._births[-1][0] != now:
            self._births.append((now, now + longest, []))
        self._births[-1][2].append(ids)

    def delays_change(self, now: int, ids: SynapseIds, emitted: Steps, old: NDArray[np.generic]) -> None:
        """The delays of ``ids`` change; ``emitted``: when each neuron last fired (0: never), ``old``: old delays."""
        since = np.full(ids.size, self.made)
        for step, _, born in self._births:
            since[np.isin(ids, np.concatenate(born))] = step
        for step, changed in self._changes:
            since[np.isin(ids, changed)] = step
        due = np.where(emitted > since, emitted + old.astype(np.int64), 0)
        for synapse, step in zip(ids[due > now].tolist(), due[due > now].tolist(), strict=True):
            self._due[synapse] = max(step, self._due.get(synapse, 0))
        self._changes = [
            (step, changed)
            for step, changed in self._changes
            if step + MAX_STEPS >= now and not np.isin(changed, ids).all()  # else all of them change again now
        ]
        self._changes.append((now, ids))

    def held(self, now: int) -> tuple[SynapseIds, Steps]:
        """Synapses with something under way that must not be overtaken, and the step when it is due."""
        self._due = {synapse: step for synapse, step in self._due.items() if step > now}
        return np.array(list(self._due), np.uint64), np.array(list(self._due.values()), np.int64)

    def state(self) -> dict[str, NDArray[Any]]:
        """What is remembered, as arrays by name."""
        births = [(step, until, ids) for step, until, parts in self._births for ids in parts]
        return {
            "made": np.array([self.made]),
            "due": np.array(list(self._due.items()), np.uint64).reshape(-1, 2),
            "births": _together([(step, ids) for step, _, ids in births]),
            "births_until": np.array([until for _, until, ids in births for _ in range(ids.size)]),
            "changes": _together(self._changes),
        }


def _together(parts: list[tuple[int, SynapseIds]]) -> NDArray[np.uint64]:
    """(step, synapse) of every synapse of every part."""
    rows = [np.stack([np.full(ids.size, step, np.uint64), ids], axis=1) for step, ids in parts]
    return np.concatenate([np.zeros((0, 2), np.uint64), *rows])
