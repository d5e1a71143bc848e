"""A log of events in plain columns: cheap to append to, and handed over without being copied.

Events come in batches that share time, kind and owner; those stand once per batch. The rest stands in blocks of
columns. Room that has been used before costs less than fresh memory, so a block of common size is kept.
"""

from __future__ import annotations

from array import array
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

SYNAPSES = 2  # kinds from here on are about synapses
_BLOCK = 2**16  # events
_COLUMNS = {"id": np.uint64, "post": np.uint32, "weight": np.float64, "delay": np.float64}
_HEADS = {"time": "d", "kind": "B", "owner": "H", "n": "Q"}

#: One event: what `Events` has columns of.
FIELDS = ("time", "kind", "owner", "id", "pre", "post", "weight", "delay")


class Events:
    """Births and deaths in their order, by column: ``events["time"]`` is an array with an element per event.

    ``time`` (ms), ``kind``, ``owner`` (index of the population or projection in order of declaration), ``id``, and
    of synapses ``pre``, ``post``, ``weight`` and ``delay`` (ms), which are 0 for neurons.
    """

    def __init__(self, heads: dict[str, Array], parts: list[dict[str, Array]]) -> None:
        self._heads, self._parts = heads, parts

    @property
    def size(self) -> int:
        """Number of events."""
        return int(self._heads["n"].sum())

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, name: str) -> Array:
        heads = self._heads
        if name in heads and name != "n":
            return np.repeat(heads[name], heads["n"].astype(np.int64))
        if name == "pre":
            of_synapses = np.repeat(heads["kind"] >= SYNAPSES, heads["n"].astype(np.int64))
            return np.where(of_synapses, self["id"] >> np.uint64(32), 0).astype(np.uint32)
        parts = [part[name] for part in self._parts]
        return parts[0] if len(parts) == 1 else np.concatenate([np.empty(0, _COLUMNS[name]), *parts])


class EventLog:
    """Events since the last `drain`."""

    def __init__(self) -> None:
        self._begin(_block(_BLOCK))

    def _begin(self, block: dict[str, Array]) -> None:
        self._heads: dict[str, array[Any]] = {name: array(code) for name, code in _HEADS.items()}
        self._full: list[dict[str, Array]] = []
        self._block, self._used, self._room = block, 0, block["id"].size

    def append(
        self, time: float, kind: int, owner: int, ids: NDArray[np.uint64], post: Any, weight: Any, delay: Any
    ) -> None:
        """Take a batch of events: arrays as long as ``ids``, or one value for all."""
        n = ids.size
        if self._used + n > self._room:
            self._full.append(_part(self._block, self._used))
            self._block = _block(max(n, _BLOCK))
            self._used, self._room = 0, self._block["id"].size
        place, block = slice(self._used, self._used + n), self._block
        block["id"][place], block["post"][place] = ids, post
        block["weight"][place], block["delay"][place] = weight, delay
        self._used += n
        heads = self._heads
        heads["time"].append(time)
        heads["kind"].append(kind)
        heads["owner"].append(owner)
        heads["n"].append(n)

    def held(self) -> Events:
        """The events held, which go on being held."""
        heads = {name: np.array(values) for name, values in self._heads.items()}
        parts = [*self._full, _part(self._block, self._used)]
        for part in parts:
            for column in part.values():
                column.flags.writeable = False
        return Events(heads, parts)

    def drain(self) -> Events:
        """The events held, which are not held any longer."""
        events = self.held()
        if self._full or self._room > _BLOCK:
            self._begin(_block(_BLOCK))
        else:
            events._parts = [{name: column.copy() for name, column in part.items()} for part in events._parts]
            self._begin(self._block)
        return events

    def state(self) -> dict[str, Array]:
        """The events held, as arrays by name."""
        events = self.held()
        return {f"{name}s": values for name, values in events._heads.items()} | {n: events[n] for n in _COLUMNS}


def _block(n: int) -> dict[str, Array]:
    return {name: np.empty(n, dtype) for name, dtype in _COLUMNS.items()}


def _part(block: dict[str, Array], n: int) -> dict[str, Array]:
    return {name: column[:n] for name, column in block.items()}
