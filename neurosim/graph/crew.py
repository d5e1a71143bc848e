"""Threads that edit rows together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

_SHARED = 2**12  # edits that it pays to share


class Crew(Protocol):
    """Threads that share work."""

    threads: int

    def share(self, work: Callable[[int], Any]) -> None:
        """Let thread ``k`` do ``work(k)``, all at once."""


def cuts(rows: NDArray[np.int64], crew: Crew | None) -> list[int]:
    """Where to cut edits, which stand together by rows, into parts of about one size: between rows.

    The ends are among the cuts; there are no others where sharing does not pay.
    """
    between = []
    if crew is not None and rows.size >= _SHARED:
        for k in range(1, crew.threads):
            cut = max(rows.size * k // crew.threads, 1)
            others = rows[cut:] != rows[cut - 1]
            between.append(cut + int(others.argmax()) if others.any() else rows.size)
    return [0, *between, rows.size]
