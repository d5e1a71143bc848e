"""The log of births and deaths. The graph that was first built is not in it; everything after is."""

from __future__ import annotations

import hashlib
import struct
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

NEURON_BIRTH, NEURON_DEATH, SYNAPSE_BIRTH, SYNAPSE_DEATH = 0, 1, 2, 3

#: One birth or death. ``owner`` is the index of the population or projection in order of declaration;
#: ``pre``, ``post``, ``weight`` and ``delay`` (ms) are those of a synapse and zero for a neuron.
HISTORY = np.dtype(
    [("time", "f8"), ("kind", "u1"), ("owner", "u2"), ("id", "u8"), ("pre", "u4"), ("post", "u4"),
     ("weight", "f4"), ("delay", "f8")]
)  # fmt: skip


_HEAD = struct.Struct("<dBHQ")  # time, kind, owner, number of ids that follow
_CHAINED = 2**16  # bytes that the digest takes in at a time
_MOST_KEPT = 2**17  # events whose room is used again


class History:
    """Births and deaths in the order in which they happened.

    ``births`` and ``deaths`` count neurons and synapses, and ``digest`` chains over all of them; both are always
    kept. The log itself is kept unless ``full`` is False.
    """

    def __init__(self) -> None:
        self.time = 0.0
        self.full = True
        self.births = {"neurons": 0, "synapses": 0}
        self.deaths = {"neurons": 0, "synapses": 0}
        self._chain, self._pending = b"", bytearray()
        self._hold(np.zeros(64, HISTORY), 0)

    def _hold(self, log: NDArray[Any], n: int) -> None:
        self._n, self._capacity = n, log.size
        self._log = log
        self._columns = {name: log[name] for name in HISTORY.names or ()}

    def neurons(self, kind: int, owner: int, ids: ArrayLike) -> None:
        """Log births or deaths of neurons, now."""
        place = self._take("neurons", kind, owner, np.asarray(ids, np.uint64))
        if place is not None:
            for name in ("pre", "post", "weight", "delay"):
                self._columns[name][place] = 0

    def synapses(
        self, kind: int, owner: int, ids: NDArray[np.uint64], pre: Any, post: Any, weight: Any, delay: Any
    ) -> None:
        """Log births or deaths of synapses, now: arrays as long as ``ids``, or one value for all; ``delay`` in ms."""
        place = self._take("synapses", kind, owner, ids)
        if place is not None:
            columns = self._columns
            columns["pre"][place], columns["post"][place] = pre, post
            columns["weight"][place], columns["delay"][place] = weight, delay

    def _take(self, what: str, kind: int, owner: int, ids: NDArray[np.uint64]) -> slice | None:
        """Count and digest events, and make room for them in the log; None where there is nothing to be logged."""
        n = ids.size
        counts = self.births if kind in (NEURON_BIRTH, SYNAPSE_BIRTH) else self.deaths
        counts[what] += n
        if n == 0:
            return None
        self._pending += _HEAD.pack(self.time, kind, owner, n) + ids.tobytes()
        if len(self._pending) >= _CHAINED:
            self._chain, self._pending = self.digest, bytearray()
        if not self.full:
            return None
        if self._n + n > self._capacity:
            grown = np.zeros((self._n + n) * 3 // 2, HISTORY)
            grown[: self._n] = self._log[: self._n]
            self._hold(grown, self._n)
        place = slice(self._n, self._n + n)
        self._n += n
        columns = self._columns
        columns["time"][place], columns["kind"][place], columns["owner"][place] = self.time, kind, owner
        columns["id"][place] = ids
        return place

    @property
    def digest(self) -> bytes:
        """Of all births and deaths so far, in their order."""
        return hashlib.sha256(self._chain + self._pending).digest()

    @property
    def events(self) -> NDArray[Any]:
        """All events that are still held, as a structured array of dtype ``HISTORY``."""
        events = self._log[: self._n]
        events.flags.writeable = False
        return events

    def drain(self) -> NDArray[Any]:
        """Events since the last call; they are no longer held afterwards."""
        if self._n > _MOST_KEPT:
            events = self.events
            self._hold(np.zeros(64, HISTORY), 0)
        else:  # room that has been used before costs less than fresh memory
            events = self._log[: self._n].copy()
            self._n = 0
        return events

    def state(self) -> dict[str, NDArray[Any]]:
        """Counts, running digest and the events still held, as arrays by name."""
        counts = [*self.births.values(), *self.deaths.values()]
        chain = np.frombuffer(self._chain + bytes(self._pending), np.uint8)
        return {"counts": np.array(counts), "chain": chain, "events": self.events}
