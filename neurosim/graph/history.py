"""Births and deaths: counted, digested and, where asked for, logged one by one or over time.

The graph that was first built is not among them; everything after is.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neurosim.errors import unknown
from neurosim.graph.event_log import EventLog, Events
from neurosim.graph.tally import Tally

NEURON_BIRTH, NEURON_DEATH, SYNAPSE_BIRTH, SYNAPSE_DEATH = 0, 1, 2, 3
MODES = ("full", "counts", "off")

Observer = Callable[[float, int, int, NDArray[np.uint32]], None]
"""Called as ``observer(time, kind, owner, ids)`` when neurons are born or die."""

Follower = Callable[[float, int, int, NDArray[np.uint64], tuple[Any, ...]], None]
"""Called as ``follower(time, kind, owner, ids, details)`` at births and deaths, neurons' and synapses'. The details
are the positions ((n, 3) um, or None) of neurons that are born, and ``post``, ``weight`` and ``delay`` of synapses:
arrays or one value for all, which nobody may write to."""

_HEAD = struct.Struct("<dBHQ")  # time, kind, owner, number of ids that follow
_CHAINED = 2**16  # bytes that the digest takes in at a time


class History:
    """What was born and died in a network, in the order in which it happened.

    ``births`` and ``deaths`` count neurons and synapses, ``since`` says when a population or projection first
    changed, and ``digest`` chains over everything: the same in every ``mode``.
    """

    def __init__(self) -> None:
        self.time = 0.0
        self.births = {"neurons": 0, "synapses": 0}
        self.deaths = {"neurons": 0, "synapses": 0}
        #: (kind, owner) -> how many so far.
        self.totals: dict[tuple[int, int], int] = {}
        #: (kind of the birth, owner) -> time (ms) of the first birth or death.
        self.since: dict[tuple[int, int], float] = {}
        self.observers: list[Observer] = []
        self.followers: list[Follower] = []
        self.tally = Tally()
        self._mode = "full"
        self._log = EventLog()
        self._places: list[tuple[int, NDArray[np.uint32], NDArray[np.float64]]] = []
        self._chain, self._pending = b"", bytearray()

    @property
    def mode(self) -> str:
        """What is kept: ``full`` (each birth and death, until it is fetched), ``counts`` (their numbers over time, by
        population and projection) or ``off``. What is held when it changes stays held."""
        return self._mode

    @mode.setter
    def mode(self, mode: str) -> None:
        if mode not in MODES:
            raise unknown("mode", str(mode), MODES, "of the history")
        self._mode = mode

    @property
    def detailed(self) -> bool:
        """Whether anybody wants more of synapses that are born or die than their ids."""
        return self._mode == "full" or bool(self.followers)

    # -- what happens -------------------------------------------------------------------------------------

    def neurons(self, kind: int, owner: int, ids: ArrayLike, places: NDArray[np.float64] | None = None) -> None:
        """Births or deaths of neurons, now; ``places`` are the newborns' positions, (n, 3) in um."""
        neurons = np.asarray(ids, np.uint32)
        if not self._take("neurons", kind, owner, neurons.astype(np.uint64)):
            return
        for observer in self.observers:
            observer(self.time, kind, owner, neurons)
        for follower in self.followers:
            follower(self.time, kind, owner, neurons.astype(np.uint64), (places,))
        if self._mode == "full":
            self._log.append(self.time, kind, owner, neurons.astype(np.uint64), 0, 0.0, 0.0)
            if places is not None:
                self._places.append((owner, neurons, places))

    def synapses(
        self, kind: int, owner: int, ids: NDArray[np.uint64], post: Any = 0, weight: Any = 0.0, delay: Any = 0.0
    ) -> None:
        """Births or deaths of synapses, now: arrays as long as ``ids``, or one value for all; ``delay`` in ms.

        Only where it is ``detailed`` does anybody look at more than the ids.
        """
        if not self._take("synapses", kind, owner, ids):
            return
        for follower in self.followers:
            follower(self.time, kind, owner, ids, (post, weight, delay))
        if self._mode == "full":
            self._log.append(self.time, kind, owner, ids, post, weight, delay)

    def _take(self, what: str, kind: int, owner: int, ids: NDArray[np.uint64]) -> int:
        """Count and digest events; their number."""
        n = ids.size
        if n == 0:
            return 0
        counts = self.deaths if kind & 1 else self.births
        counts[what] += n
        self.totals[kind, owner] = self.totals.get((kind, owner), 0) + n
        self.since.setdefault((kind & 2, owner), self.time)
        self._pending += _HEAD.pack(self.time, kind, owner, n)
        if len(self._pending) + ids.nbytes < _CHAINED:
            self._pending += ids.tobytes()
        else:
            chained = hashlib.sha256(self._chain + self._pending)
            chained.update(np.ascontiguousarray(ids).data)
            self._chain, self._pending = chained.digest(), bytearray()
        if self._mode != "off":
            self.tally.count(self.time, kind, owner, n)
        return n

    # -- what is known ------------------------------------------------------------------------------------

    @property
    def digest(self) -> bytes:
        """Of all births and deaths so far, in their order."""
        return hashlib.sha256(self._chain + self._pending).digest()

    @property
    def events(self) -> Events:
        """All events that are still held."""
        return self._log.held()

    def drain(self) -> Events:
        """Events since the last call; they are no longer held afterwards."""
        return self._log.drain()

    def drain_places(self) -> dict[int, tuple[NDArray[np.uint32], NDArray[np.float64]]]:
        """Ids and positions ((n, 3), um) of neurons born since the last call, by owner, where positions are known."""
        places, self._places = self._places, []
        return {
            owner: tuple(np.concatenate([part[k] for part in places if part[0] == owner]) for k in (1, 2))  # type: ignore[misc]
            for owner in {part[0] for part in places}
        }

    def state(self) -> dict[str, NDArray[Any]]:
        """Counts, running digest and what is still held, as arrays by name."""
        since = [(*key, time) for key, time in self.since.items()]
        places = [(owner, neuron, *place) for owner, ids, points in self._places for neuron, place in zip(ids, points)]
        return {
            "counts": np.array([*self.births.values(), *self.deaths.values()]),
            "totals": np.array([(*key, n) for key, n in self.totals.items()], np.int64).reshape(-1, 3),
            "chain": np.frombuffer(self._chain + bytes(self._pending), np.uint8),
            "since": np.array(since, np.float64).reshape(-1, 3),
            "places": np.array(places, np.float64).reshape(-1, 5),
            **{f"events/{name}": array for name, array in self._log.state().items()},
            **{f"tally/{name}": array for name, array in self.tally.rows.items()},
        }
