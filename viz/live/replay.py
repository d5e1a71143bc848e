"""Frames of a result: the same, for the same times, as those of the run that wrote it, as far as it was recorded.

The file may still be written by another process; then `Replay.end` moves.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurosim.record import Result
from neurosim.record.archive import NotRecorded
from neurosim.viz.live.cast import of_result
from neurosim.viz.live.drawn import BUDGET
from neurosim.viz.live.frame import Frame, Scene
from neurosim.viz.live.stage import Beginning, Stage

_AHEAD = 40  # frames that are read at a time
_WARM, _STEPS = 400.0, 20  # ms, and frames, before a time that is gone to: glow and rates are as if one had watched


class Replay:
    """A result at a time that can be chosen. Times are in ms."""

    def __init__(self, result: Result, layout: str = "module", budget: int = BUDGET) -> None:
        self.result = result
        self.stage = Stage(of_result(result), layout, budget)
        self._recorded = [name for name in result.populations if self._has_spikes(name)]
        self._projections = list(result.projections)
        self._full = result.history_mode == "full"
        self._slack = 1e-6 * result.dt
        self.otherwise: list[tuple[float, str]] = []  # what is said where the run said nothing
        self._window: tuple[float, float, dict[str, Any], NDArray[Any]] | None = None
        self.seek(0.0)

    def _has_spikes(self, name: str) -> bool:
        recorded = self.result.recorded
        return recorded is None or name in recorded.get("spikes", ())

    @property
    def time(self) -> float:
        """The time that is shown."""
        return self.stage.time

    @property
    def end(self) -> float:
        """How far the result goes by now."""
        return self.result.time_reached

    def scene(self) -> Scene:
        """Everything that is drawn at this time."""
        return self.stage.scene()

    def frames(self, times: Iterable[float]) -> Iterator[tuple[Scene, Frame]]:
        """A scene and a frame for each of the times, which ascend."""
        for time in times:
            frame = self.frame(time)
            yield self.scene(), frame

    def seek(self, time: float) -> None:
        """Go to a time: a new version of the scene, and the glow of the spikes just before."""
        time = min(max(time, 0.0), self.end)
        start = max(0.0, time - _WARM)
        self.stage.begin(start, self._beginning(start))
        self._window = None
        if time > start:
            for step in range(1, _STEPS + 1):
                self.frame(start + (time - start) * step / _STEPS)

    def frame(self, time: float) -> Frame:
        """What happened since the time shown, until ``time``, which is not before it."""
        before = self.stage.time
        spikes, events = self._between(before, time)
        for number, name in enumerate(self.result.populations):
            if name in spikes:
                self.stage.spikes(number, *spikes[name])
        for at, kind, owner, ids, details in _batches(events):
            self.stage.event(at, kind, owner, ids, self._details(at, kind, owner, ids, details))
        self._weights(before, time)
        return self.stage.frame(time)

    # -- what the file knows ---------------------------------------------------------------------------------

    def _beginning(self, time: float) -> Beginning:
        result = self.result
        neurons: list[tuple[NDArray[np.uint32], NDArray[np.float64] | None]] = []
        self._positions = {}
        for name in result.populations:
            ids = self._neurons(name, time)
            known, places = result.positions(name)
            self._positions[name] = known, places
            placed = known.size > 0 and bool(np.isin(ids, known).all())
            neurons.append((ids, places[np.searchsorted(known, ids)] if placed else None))
        synapses, born = [], []
        for name in result.projections:
            edges = self._edges(name, time)
            living = np.isin(edges[1], neurons[self._number(name, "source")][0])
            living &= np.isin(edges[2], neurons[self._number(name, "target")][0])
            synapses.append(tuple(column[living] for column in edges))
            born.append(self._births(name, synapses[-1][0], time))
        return Beginning(neurons, synapses, born)

    def _number(self, projection: str, end: str) -> int:
        return list(self.result.populations).index(getattr(self.result.projections[projection], end))

    def _neurons(self, name: str, time: float) -> NDArray[np.uint32]:
        try:
            return self.result.neurons(name, time)
        except NotRecorded:
            return self.result.neurons(name, 0.0)

    def _edges(self, name: str, time: float) -> tuple[NDArray[Any], ...]:
        for at in (time, 0.0):
            try:
                table = self.result.edges(name, at)
                return table.id, table.pre, table.post, table.weight, table.delay
            except NotRecorded:
                continue
        kinds = (np.uint64, np.uint32, np.uint32, np.float32, np.float64)
        return tuple(np.zeros(0, kind) for kind in kinds)

    def _births(self, name: str, ids: NDArray[np.uint64], time: float) -> NDArray[np.float64]:
        born = np.zeros(ids.size)
        if self._full and time > 0.0:
            births = self.result.births(name, stop=time)
            order = np.argsort(births["id"])
            known = births["id"][order]
            place = np.minimum(np.searchsorted(known, ids), max(known.size - 1, 0))
            mine = known[place] == ids if known.size else np.zeros(ids.size, bool)
            born[mine] = births["time"][order][place[mine]]
        return born

    def _details(self, time: float, kind: int, owner: int, ids: NDArray[np.uint64], details: Any) -> tuple[Any, ...]:
        if kind >= 2:
            return tuple(details)
        if kind == 1:
            return (None,)
        name = list(self.result.populations)[owner]
        known, places = self._positions[name]
        if known.size and not np.isin(ids, known).all():  # born since the file was read
            known, places = self._positions[name] = self.result.positions(name)
        if not known.size or not np.isin(ids, known).all():
            return (None,)
        return (places[np.searchsorted(known, ids)],)

    def _between(self, before: float, time: float) -> tuple[dict[str, Any], NDArray[Any]]:
        """Spikes and events of ``(before, time]``, out of a window that is read ahead."""
        if self._window is None or before < self._window[0] - self._slack or time > self._window[1] + self._slack:
            ahead = min(before + _AHEAD * (time - before), self.end)
            until = max(time, ahead)
            spikes = {name: self.result.spikes(name, before, until) for name in self._recorded}
            self._window = before, until, spikes, self._events(before, until)
            self.stage.captions = self.result.captions or self.otherwise
        _, _, spikes, events = self._window
        found = {name: _cut(times, (times, ids), before, time, self._slack) for name, (times, ids) in spikes.items()}
        return found, _cut(events["time"], (events,), before, time, self._slack)[0]

    def _events(self, before: float, until: float) -> NDArray[Any]:
        if not self._full:
            return self.result.history(0.0, 0.0)
        return self.result.history(before, until)

    def _weights(self, before: float, time: float) -> None:
        """Samples of synapses that the run took."""
        recorded = (self.result.recorded or {}).get("synapses") or ()
        for name in recorded:
            samples = self.result.synapses(name, before, time)
            if not samples["time"].size or "weight" not in samples or "delay" not in samples:
                continue
            number = self._projections.index(name)
            last = samples["time"] == samples["time"][-1]
            mine = last & np.isin(samples["id"], self.stage.drawn_ids(number))
            self.stage.values(number, samples["id"][mine], samples["weight"][mine], samples["delay"][mine])


def _cut(
    times: NDArray[np.float64], columns: tuple[Any, ...], before: float, time: float, slack: float
) -> tuple[Any, ...]:
    """The rows of ascending ``times`` after ``before`` and until ``time``."""
    lo, hi = np.searchsorted(times, [before + slack, time + slack], side="right")
    return tuple(column[lo:hi] for column in columns)


def _batches(events: NDArray[Any]) -> Iterator[tuple[float, int, int, NDArray[np.uint64], tuple[Any, ...]]]:
    """Runs of events of one time, kind and owner, as the network told them."""
    if not events.size:
        return
    keys = (events["time"], events["kind"], events["owner"])
    cuts = np.flatnonzero(np.any([key[1:] != key[:-1] for key in keys], axis=0)) + 1
    for lo, hi in zip([0, *cuts], [*cuts, events.size], strict=True):
        part = events[lo:hi]
        yield (
            float(part["time"][0]), int(part["kind"][0]), int(part["owner"][0]), part["id"].astype(np.uint64),
            (part["post"], part["weight"], part["delay"]),
        )  # fmt: skip
