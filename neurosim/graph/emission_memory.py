"""The latest emissions of a projection's rows, with values (traces) as they were right after each.

Every piece of a row (the synapses of one source onto one shard) has a *head*, which holds its two latest emissions:
nearly always all that matters. When the next one comes, the older of them moves to the end of its shard's log and the
head links to it. An entry is a row of 8-byte words: step; in heads alone the step of the emission before, and the step
up to which the piece is settled; index of the next older entry in the log (-1: none); then values, and in heads those
of the emission before. Heads and logs stand in one array, so one index finds either.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurosim.compiled import address_of
from neurosim.memory import WORDS, whole_lines, zeros

NEVER = -(2**62)
STEP, OLDER, SETTLED, BEFORE, VALUES = 0, 1, 2, 3, 4
#: Words of a shard: entries in its log; the step up to which all its pieces are settled, at least; entries after which
#: the log is looked through where all pieces are settled anyway.
USED, KEPT_UP, SOON = 0, 1, 2
_FIELDS = ("entries", "heads", "capacity", "width", "used", "shards", "n_values")
EMISSIONS = np.dtype([(name, np.int64) for name in _FIELDS])

Index = NDArray[np.int64]


class EmissionMemory:
    """Emissions of ``heads`` pieces of rows with ``n_values`` doubles each, and a log of ``capacity`` per shard."""

    def __init__(self, heads: int, n_values: int, shards: int, capacity: int, now: int) -> None:
        self.heads, self.shards, self.capacity = heads, shards, capacity
        self.limit = 0  # entries after which a shard's log is looked through; it grows only where all of them matter
        self.n_values = n_values
        width = whole_lines(VALUES + 2 * n_values)  # as pieces of one row belong to several threads
        self.entries = zeros((heads + shards * capacity, width), np.int64)
        self.used = zeros((shards, WORDS), np.int64)  # a cache line each: shards belong to threads
        self.record: NDArray[Any] = np.zeros(1, EMISSIONS)
        self.forget(np.arange(heads), now)
        self._publish()

    def _publish(self) -> None:
        for name, value in (
            ("entries", address_of(self.entries)), ("heads", self.heads), ("capacity", self.capacity),
            ("width", self.entries.shape[1]), ("used", address_of(self.used)), ("shards", self.shards),
            ("n_values", self.n_values),
        ):  # fmt: skip
            self.record[name] = value

    def forget(self, heads: Index, now: int) -> None:
        """These heads begin a history of their own at step ``now``."""
        self.entries[heads] = 0
        self.entries[heads, STEP], self.entries[heads, OLDER] = NEVER, NEVER
        self.entries[heads, SETTLED], self.entries[heads, BEFORE] = now, -1

    def state(self) -> dict[str, NDArray[Any]]:
        """Heads and the used part of the logs, as arrays by name."""
        logs = [self._log(shard)[: int(self.used[shard, USED])] for shard in range(self.shards)]
        return {"heads": self.entries[: self.heads], "log": np.concatenate(logs), "used": self.used[:, USED],
                "kept_up": self.used[:, KEPT_UP]}  # fmt: skip

    def _log(self, shard: int) -> NDArray[np.int64]:
        first = self.heads + shard * self.capacity
        return self.entries[first : first + self.capacity]

    def reserve(self, capacity: int) -> None:
        """Give every log room for ``capacity`` entries."""
        if capacity > self.capacity:
            self._rebuild(np.arange(self.heads), np.arange(self.heads), self.heads, capacity, 0)

    def move(self, old: Index, new: Index, heads: int, now: int) -> None:
        """Heads ``old`` become ``new`` among ``heads``; the others begin anew at step ``now``."""
        self._rebuild(old, new, heads, self.capacity, now)

    def _rebuild(self, old: Index, new: Index, heads: int, capacity: int, now: int) -> None:
        moved = zeros((heads + self.shards * capacity, self.entries.shape[1]), np.int64)
        place = np.full(self.entries.shape[0] + 1, -1, np.int64)  # the last is for "none"
        place[old] = new
        pieces = []
        for shard in range(self.shards):
            used = int(self.used[shard, USED])
            first, to = self.heads + shard * self.capacity, heads + shard * capacity
            place[first : first + used] = to + np.arange(used)
            pieces.append((slice(first, first + used), slice(to, to + used)))
        before = self.entries
        self.entries, self.heads, self.capacity = moved, heads, capacity
        self.forget(np.arange(heads), now)
        moved[new] = before[old]
        moved[new, BEFORE] = place[before[old, BEFORE]]
        for source, target in pieces:
            moved[target] = before[source]
            moved[target, BEFORE] = place[before[source, BEFORE]]
        self._publish()
