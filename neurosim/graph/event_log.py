"""A log of events in plain columns: cheap to append to, and handed over without being copied.

Events come in batches that share time, kind and owner; those stand once per batch. The rest stands in blocks of
columns. Room that has been used before costs less than fresh memory, so a block of common size is kept.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Part = tuple[dict[str, Array], dict[str, Array]]  # heads of batches, and columns

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

    def __init__(self, parts: Sequence[Part]) -> None:
        self._parts = parts

    @property
    def size(self) -> int:
        """Number of events."""
        return sum(int(heads["n"].sum()) for heads, _ in self._parts)

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, name: str) -> Array:
        found = [_column(part, name) for part in self._parts]
        return found[0] if len(found) == 1 else np.concatenate(found)

    def parts(self) -> list[Events]:
        """The same events, some at a time, for what need not have them all side by side."""
        return [Events([part]) for part in self._parts]


def _column(part: Part, name: str) -> Array:
    heads, columns = part
    if name in columns:
        return columns[name]
    each = heads["n"].astype(np.int64)
    if name == "pre":
        of_synapses = np.repeat(heads["kind"] >= SYNAPSES, each)
        return np.where(of_synapses, columns["id"] >> np.uint64(32), 0).astype(np.uint32)
    return np.repeat(heads[name], each)


class EventLog:
    """Events since the last `drain`."""

    def __init__(self) -> None:
        self._full: list[Part] = []
        self._begin(_block(_BLOCK))

    def _begin(self, block: dict[str, Array]) -> None:
        self._heads: dict[str, array[Any]] = {name: array(code) for name, code in _HEADS.items()}
        self._block, self._used, self._room = block, 0, block["id"].size

    def append(
        self, time: float, kind: int, owner: int, ids: NDArray[np.uint64], post: Any, weight: Any, delay: Any
    ) -> None:
        """Take a batch of events: arrays as long as ``ids``, or one value for all."""
        n = ids.size
        if self._used + n > self._room:
            self._full += [self._part()] if self._used else []
            self._begin(_block(max(n, _BLOCK)))
        place, block = slice(self._used, self._used + n), self._block
        block["id"][place], block["post"][place] = ids, post
        block["weight"][place], block["delay"][place] = weight, delay
        self._used += n
        heads = self._heads
        heads["time"].append(time)
        heads["kind"].append(kind)
        heads["owner"].append(owner)
        heads["n"].append(n)

    def _part(self) -> Part:
        """What is in the present block, to be read only."""
        columns = {name: column[: self._used] for name, column in self._block.items()}
        for column in columns.values():
            column.flags.writeable = False
        return {name: np.array(values) for name, values in self._heads.items()}, columns

    def held(self) -> Events:
        """The events held, which go on being held."""
        return Events([*self._full, self._part()])

    def drain(self) -> Events:
        """The events held, which are not held any longer."""
        heads, columns = self._part()
        if self._full or self._room > _BLOCK:
            events = Events([*self._full, (heads, columns)])
            self._block = _block(_BLOCK)
        else:
            events = Events([(heads, {name: column.copy() for name, column in columns.items()})])
        self._full = []
        self._begin(self._block)
        return events

    def state(self) -> dict[str, Array]:
        """The events held, as arrays by name."""
        events = self.held()
        return {name: events[name] for name in FIELDS if name != "pre"}


def _block(n: int) -> dict[str, Array]:
    return {name: np.empty(n, dtype) for name, dtype in _COLUMNS.items()}

