"""What a benchmark reports."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Row:
    """One measured value.

    ``ratio`` is the peer's time (of the run, or of one synaptic event) over ours; above 1 we are faster. It stands
    on the peer's row of what is compared. ``limit`` is the most that ``value`` may be on the machine of
    docs/performance.md, None where nothing was promised.
    """

    benchmark: str
    what: str
    simulator: str
    threads: int | None
    value: float
    unit: str
    ratio: float | None = None
    note: str = ""
    limit: float | None = None


def load_note() -> str:
    """How busy the machine is, for a reader who wonders about a figure."""
    return f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
