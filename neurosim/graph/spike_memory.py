"""The latest spikes of a projection's target neurons, with values (traces) as they were right after each.

An entry is a row of 8-byte words: step, index of the neuron's entry before, index of the next, then values. Entry ``s``
is the latest of the neuron at slot ``s``: whoever knows the neuron has it at hand. When the next one comes, it moves to
the end of its shard's log. Going back from the latest leads to the spikes that a row has not seen, newest first; going
on from there, to the same in the order of time. The very last entry stands for a spike that has not happened: its step
never comes, and it follows itself and every neuron's latest, so that whoever goes on need not ask whether there is one.
When a log is full all rows are settled, nobody goes back beyond a neuron's latest entry any more, and the log is empty.

What rows ask for most stands in one more table, ``recent``: a neuron's three latest steps and the entry before those,
then for every value what it was right after each of the three (and a word that is left free).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurosim.compiled import address_of
from neurosim.memory import WORDS, zeros

NEVER = -(2**62)
LATER = 2**62  # a step that never comes
RECENT = 3  # spikes of a neuron that stand in the table of recent ones
LINK, BLOCK = 3, 4  # … where the entry before them stands; words of the steps, and of each value
STEP, BEFORE, NEXT, VALUES = 0, 1, 2, 3
SPIKES = np.dtype([(name, np.int64) for name in ("entries", "recent", "slots", "capacity", "width", "used", "shards")])

Index = NDArray[np.int64]


class SpikeMemory:
    """Spikes of ``slots`` neurons with ``n_values`` doubles each, and a log of ``capacity`` entries per shard."""

    def __init__(self, slots: int, n_values: int, shards: int, capacity: int) -> None:
        self.slots, self.shards, self.capacity = slots, shards, capacity
        self.entries = self._emptied(VALUES + n_values)
        self.recent = zeros((slots, BLOCK * (1 + n_values)), np.int64)
        self.used = zeros((shards, WORDS), np.int64)  # a cache line each: shards belong to threads
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
            ("entries", address_of(self.entries)), ("recent", address_of(self.recent)), ("slots", self.slots),
            ("capacity", self.capacity), ("width", self.entries.shape[1]), ("used", address_of(self.used)),
            ("shards", self.shards),
        ):  # fmt: skip
            self.record[name] = value

    def forget(self, slots: Index) -> None:
        """The neurons at these slots are new and have never fired."""
        self.entries[slots] = 0
        self.entries[slots, STEP], self.entries[slots, BEFORE] = NEVER, slots
        self.entries[slots, NEXT] = self.entries.shape[0] - 1
        self.recent[slots] = 0
        self.recent[slots, :RECENT], self.recent[slots, LINK] = np.int64(NEVER), slots

    def state(self) -> dict[str, NDArray[Any]]:
        """The entries in use, as arrays by name."""
        logs = [self.entries[first : first + used] for first, used in self._logs()]
        return {"latest": self.entries[: self.slots], "recent": self.recent, "log": np.concatenate(logs),
                "used": self.used[:, 0]}  # fmt: skip

    def _logs(self) -> list[tuple[int, int]]:
        """First entry and number of entries of each shard's log."""
        return [(self.slots + s * self.capacity, int(self.used[s, 0])) for s in range(self.shards)]

    def reserve(self, capacity: int) -> None:
        """Give every log room for ``capacity`` entries."""
        if capacity > self.capacity:
            self._rebuild(np.arange(self.slots), np.arange(self.slots), self.slots, capacity)

    def move(self, old: Index, new: Index, slots: int) -> None:
        """Neurons moved from slots ``old`` to ``new`` among ``slots``."""
        self._rebuild(old, new, slots, self.capacity)

    def _rebuild(self, old: Index, new: Index, slots: int, capacity: int) -> None:
        place = np.full(self.entries.shape[0], -1, np.int64)
        place[old], place[-1] = new, slots + self.shards * capacity
        logs = self._logs()
        for shard, (first, used) in enumerate(logs):
            place[first : first + used] = slots + shard * capacity + np.arange(used)
        before, recent, self.slots, self.capacity = self.entries, self.recent, slots, capacity
        self.entries = moved = self._emptied(before.shape[1])
        self.recent = zeros((slots, recent.shape[1]), np.int64)
        self.forget(np.arange(slots))
        kept = np.concatenate([old, *(first + np.arange(used) for first, used in logs)])
        moved[place[kept]] = before[kept]
        for link in (BEFORE, NEXT):
            moved[place[kept], link] = place[before[kept, link]]
        self.recent[new] = recent[old]
        self.recent[new, LINK] = place[recent[old, LINK]]
        self._publish()
