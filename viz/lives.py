"""When every synapse of a projection was born and when it died: what any moment's degrees and weights follow from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from neurosim.record.archive import NotRecorded

if TYPE_CHECKING:
    from neurosim.record.result import Result

Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Lives:
    """All synapses that a projection ever had, in columns of equal length.

    ``born`` and ``died`` are ms: minus infinity for those that were there at first, infinity for those that live on.
    ``weight`` and ``delay`` (ms) are those at birth.
    """

    pre: NDArray[np.uint32]
    post: NDArray[np.uint32]
    born: Values
    died: Values
    weight: Values
    delay: Values

    def at(self, time: float) -> NDArray[np.bool_]:
        """Which of them live at a time (ms), after the edits of that time."""
        return (self.born <= time) & (self.died > time)

    @property
    def changes(self) -> bool:
        """Whether any was born or died."""
        return bool(np.isfinite(self.born).any() or np.isfinite(self.died).any())


def lives(result: Result, projection: str) -> Lives:
    """Read the lives of a projection's synapses.

    Raises NotRecorded where the graph, or births and deaths one by one, were not kept.
    """
    first, born, died = result.edges(projection, 0.0), result.births(projection), result.deaths(projection)
    columns: dict[str, Any] = {}
    for name in ("id", "pre", "post", "weight", "delay"):
        columns[name] = np.concatenate([getattr(first, name), born[name]])
    start = np.concatenate([np.full(first.id.size, -np.inf), born["time"]])
    end = np.full(start.size, np.inf)
    order = np.argsort(columns["id"])
    place = np.searchsorted(columns["id"], died["id"], sorter=order)
    end[order[place]] = died["time"]
    weight, delay = (columns[name].astype(np.float64) for name in ("weight", "delay"))
    return Lives(columns["pre"], columns["post"], start, end, weight, delay)


def known_moments(result: Result, projection: str, number: int) -> NDArray[np.float64]:
    """Times (ms) at which to look at a graph: ``number`` of them where it changes, else the beginning alone.

    Where births and deaths were not kept one by one, only the ends are known.
    """
    end = result.time_reached
    try:
        counts = result.structure(projection)
    except NotRecorded:
        return np.array([0.0, end])
    if counts.time.size < 2:
        return np.zeros(1)
    return np.array([0.0, end]) if result.history_mode != "full" else np.linspace(0.0, end, number)
