"""Spikes under way at synapses whose delay is learned: the few that were followed by another before they arrived.

When the latest spike of a synapse arrives stands in its column ``due``. Only when it is followed too soon does it
need more: a queue of *nodes* (step of arrival, next node), of which the column ``waiting`` holds the first, -1 for
none. Every shard of the target has nodes of its own, taken and given back by whoever delivers to it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurosim.compiled import address_of

POOL = np.dtype([(name, np.int64) for name in ("nodes", "capacity", "counts", "shards")])
FREE, USED, TAKEN = 0, 1, 2  # per shard: first free node, nodes ever used, nodes in queues


class WaitingSpikes:
    """The queues' nodes of one projection."""

    def __init__(self, shards: int) -> None:
        self.nodes = np.zeros((shards, 0, 2), np.int64)
        self.counts = np.zeros((shards, 8), np.int64)
        self.counts[:, FREE] = -1
        self.record: NDArray[Any] = np.zeros(1, POOL)
        self.reserve(16)

    @property
    def taken(self) -> int:
        """How many spikes are in queues, in the shard that has most."""
        return int(self.counts[:, TAKEN].max(initial=0))

    def reserve(self, capacity: int) -> None:
        """Give every shard room for so many nodes."""
        shards, before = self.nodes.shape[:2]
        if capacity > before:
            grown = np.empty((shards, capacity, 2), np.int64)
            grown[:, :before] = self.nodes
            self.nodes = grown
        for name, value in (("nodes", address_of(self.nodes)), ("capacity", self.nodes.shape[1]),
                            ("counts", address_of(self.counts)), ("shards", shards)):  # fmt: skip
            self.record[name] = value

    def drop(self, shard: int, first: int) -> None:
        """The queue that begins with node ``first`` is no longer needed: its synapse died."""
        while first >= 0:
            after = int(self.nodes[shard, first, 1])
            self.nodes[shard, first, 1] = self.counts[shard, FREE]
            self.counts[shard, FREE] = first
            self.counts[shard, TAKEN] -= 1
            first = after

    def state(self) -> dict[str, NDArray[Any]]:
        """The nodes ever used and their counts, as arrays by name."""
        used = int(self.counts[:, USED].max(initial=0))
        return {"nodes": self.nodes[:, :used], "counts": self.counts}
