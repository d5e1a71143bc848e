"""The log of births and deaths. The graph that was first built is not in it; everything after is."""

from __future__ import annotations

import hashlib
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
        self.digest = b""
        self._parts: list[NDArray[Any]] = []

    def neurons(self, kind: int, owner: int, ids: ArrayLike) -> None:
        """Log births or deaths of neurons, now."""
        self._log("neurons", kind, owner, id=ids)

    def synapses(
        self, kind: int, owner: int, ids: ArrayLike, pre: ArrayLike, post: ArrayLike, weight: ArrayLike, delay: ArrayLike
    ) -> None:
        """Log births or deaths of synapses, now; ``delay`` in ms."""
        self._log("synapses", kind, owner, id=ids, pre=pre, post=post, weight=weight, delay=delay)

    def _log(self, what: str, kind: int, owner: int, **fields: ArrayLike) -> None:
        n = np.size(fields["id"])
        counts = self.births if kind in (NEURON_BIRTH, SYNAPSE_BIRTH) else self.deaths
        counts[what] += n
        if n == 0:
            return
        ids = np.ascontiguousarray(fields["id"])
        head = f"{self.time!r} {kind} {owner} ".encode()
        self.digest = hashlib.blake2b(self.digest + head + ids.tobytes(), digest_size=16).digest()
        if not self.full:
            return
        part = np.zeros(n, HISTORY)
        part["time"], part["kind"], part["owner"] = self.time, kind, owner
        for name, values in fields.items():
            part[name] = values
        self._parts.append(part)

    @property
    def events(self) -> NDArray[Any]:
        """All events that are still held, as a structured array of dtype ``HISTORY``."""
        if len(self._parts) > 1:
            self._parts = [np.concatenate(self._parts)]
        return self._parts[0] if self._parts else np.zeros(0, HISTORY)

    def drain(self) -> NDArray[Any]:
        """Events since the last call; they are no longer held afterwards."""
        events = self.events
        self._parts = []
        return events
