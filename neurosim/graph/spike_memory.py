"""The latest spikes of a projection's target neurons, with values (traces) as they were right after each.

An entry is a row of 8-byte words: step, index of the neuron's next entry, then values. Entry ``s`` is the oldest that
is kept of the neuron at slot ``s``; those that came after it stand in logs, one per shard of the target, in the order
of time. The very last entry stands for a spike that has not happened: its step never comes, and it follows itself and
every neuron's latest, so that whoever goes on from entry to entry need not ask whether there is one. Every synapse
holds the index of the last entry that it has seen (its *cursor*), and finds the next ones without looking for them.
When a log is full all rows are settled, every neuron's latest entry becomes its oldest one, and the log is empty.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurosim.compiled import address_of

NEVER = -(2**62)
LATER = 2**62  # a step that never comes
STEP, NEXT, VALUES = 0, 1, 2
SPIKES = np.dtype([(name, np.int64) for name in ("entries", "latest", "slots", "capacity", "width", "used", "shards")])

Index = NDArray[np.int64]


class SpikeMemory:
    """Spikes of ``slots`` neurons with ``n_values`` doubles each, and a log of ``capacity`` entries per shard."""

    def __init__(self, slots: int, n_values: int, shards: int, capacity: int) -> None:
        self.slots, self.shards, self.capacity = slots, shards, capacity
        self.entries = self._emptied(VALUES + n_values)
        self.latest = np.arange(slots)
        self.used = np.zeros((shards, 8), np.int64)  # a cache line each: shards belong to threads
        self.record: NDArray[Any] = np.zeros(1, SPIKES)
        self.forget(np.arange(slots))
        self._publish()

    def _emptied(self, width: int) -> Index:
        """Room for all entries, the last of which is that of a spike that has not happened."""
        entries = np.zeros((self.slots + self.shards * self.capacity + 1, width), np.int64)
        entries[-1, STEP], entries[-1, NEXT] = LATER, entries.shape[0] - 1
        return entries

    def _publish(self) -> None:
        for name, value in (
            ("entries", address_of(self.entries)), ("latest", address_of(self.latest)), ("slots", self.slots),
            ("capacity", self.capacity), ("width", self.entries.shape[1]), ("used", address_of(self.used)),
            ("shards", self.shards),
        ):  # fmt: skip
            self.record[name] = value

    def forget(self, slots: Index) -> None:
        """The neurons at these slots are new and have never fired."""
        self.entries[slots] = 0
        self.entries[slots, STEP], self.entries[slots, NEXT] = NEVER, self.entries.shape[0] - 1
        self.latest[slots] = slots

    def state(self) -> dict[str, NDArray[Any]]:
        """The entries in use, as arrays by name."""
        logs = [self.entries[first : first + used] for first, used in self._logs()]
        return {"oldest": self.entries[: self.slots], "log": np.concatenate(logs), "latest": self.latest,
                "used": self.used[:, 0]}  # fmt: skip

    def _logs(self) -> list[tuple[int, int]]:
        """First entry and number of entries of each shard's log."""
        return [(self.slots + s * self.capacity, int(self.used[s, 0])) for s in range(self.shards)]

    def reserve(self, capacity: int) -> Index | None:
        """Give every log room for ``capacity`` entries; where entries moved to (None: none did)."""
        if capacity <= self.capacity:
            return None
        return self._rebuild(np.arange(self.slots), np.arange(self.slots), self.slots, capacity)

    def move(self, old: Index, new: Index, slots: int) -> Index:
        """Neurons moved from slots ``old`` to ``new``; returns where each entry is now, -1 for what is gone."""
        return self._rebuild(old, new, slots, self.capacity)

    def _rebuild(self, old: Index, new: Index, slots: int, capacity: int) -> Index:
        place = np.full(self.entries.shape[0], -1, np.int64)
        place[old], place[-1] = new, slots + self.shards * capacity
        logs = self._logs()
        for shard, (first, used) in enumerate(logs):
            place[first : first + used] = slots + shard * capacity + np.arange(used)
        before, latest = self.entries, self.latest
        self.latest, self.slots, self.capacity = np.arange(slots), slots, capacity
        self.entries = moved = self._emptied(before.shape[1])
        self.forget(np.arange(slots))
        kept = np.concatenate([old, *(first + np.arange(used) for first, used in logs)])
        moved[place[kept]] = before[kept]
        moved[place[kept], NEXT] = place[before[kept, NEXT]]
        self.latest[new] = place[latest[old]]
        self._publish()
        return place
