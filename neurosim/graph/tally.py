"""Births and deaths counted over time, in little memory however many there are."""

from __future__ import annotations

import math
from array import array
from typing import Any

import numpy as np
from numpy.typing import NDArray

_ROWS = {"time": "d", "kind": "B", "owner": "H", "n": "q"}
_MOST = 2**14  # rows of each kind and owner, after which bins become wider


class Tally:
    """How many were born and died, by kind of event, owner and time.

    A row counts the events of one bin of time and bears the time of the last of them. ``width`` (ms) is that of a bin;
    0 gives every time of edits a row of its own. Where nobody fetches the rows, bins become as wide as they must for
    memory to stay small.
    """

    def __init__(self) -> None:
        self.width = 0.0
        self._clear()

    def _clear(self) -> None:
        self._rows: dict[str, array[Any]] = {name: array(code) for name, code in _ROWS.items()}
        self._open: dict[tuple[int, int], int] = {}
        self._last, self._until = 0.0, -math.inf

    def count(self, time: float, kind: int, owner: int, n: int) -> None:
        """Count ``n`` events of one kind and owner at ``time``, which never runs backwards."""
        if time > self._until:
            self._close()
            self._until = time if self.width == 0.0 else bin_of(time, self.width) * self.width
        self._last = time
        self._open[kind, owner] = self._open.get((kind, owner), 0) + n

    def _close(self) -> None:
        """Write the open bin's rows."""
        rows = self._rows
        for (kind, owner), n in self._open.items():
            for name, value in zip(_ROWS, (self._last, kind, owner, n), strict=True):
                rows[name].append(value)
        most = _MOST * len(self._open)
        self._open, self._until = {}, -math.inf
        if len(rows["time"]) > most > 0:
            self._widen()

    def _widen(self) -> None:
        """Count anew in wider bins."""
        before = self._rows
        span = before["time"][-1] - before["time"][0]
        self._clear()
        self.width = max(2.0 * self.width, 4.0 * span / _MOST)
        for row in zip(*before.values(), strict=True):
            self.count(*row)

    @property
    def rows(self) -> dict[str, NDArray[Any]]:
        """All rows that were not fetched: ``time`` (ms), ``kind``, ``owner`` and ``n``, by time."""
        now = [(self._last, kind, owner, n) for (kind, owner), n in self._open.items()]
        table = {name: np.array(values) for name, values in self._rows.items()}
        for place, name in enumerate(_ROWS):
            more = np.array([row[place] for row in now], table[name].dtype)
            table[name] = np.concatenate([table[name], more])
        return table

    def drain(self) -> dict[str, NDArray[Any]]:
        """The rows since the last call; a bin that goes on has a row in the next ones, too."""
        rows = self.rows
        self._clear()
        return rows


def bin_of(time: Any, width: float) -> Any:
    """Number of the bin that times belong to: (a, b] holds what happened after a and until b."""
    return np.ceil(np.asarray(time) / width - 1e-9)
