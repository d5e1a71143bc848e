"""From what happens in a network to frames: the same for a network that runs and for one that was recorded.

Whoever knows what happened tells a `Stage`, in order of time: spikes, births and deaths, new weights. `Stage.frame`
closes a span of time. What a frame shows depends on the times of the frames and on what happened, on nothing else;
so a replay with the same times gives the same frames.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neurosim.viz.live.cast import Cast
from neurosim.viz.live.drawn import BUDGET, Drawn
from neurosim.viz.live.frame import Frame, Neurons, Scene, SynapseValues
from neurosim.viz.live.layout import Layout

_SPIKES = 20_000  # in one frame
_GLOW = 3.0, 2.5  # a glow fades in so many ms, or so many frames if that is longer
_RATE = 100.0, 10.0  # likewise the rates of populations
_SLOW = 300.0, 40.0  # and the rates of neurons that decide which synapses are drawn
_CHOOSE = 12  # frames between two choices of the synapses drawn
_HOLES = 512  # dead neurons among the indices before they are given anew, if they are the half


class Beginning(NamedTuple):
    """A network as it is when frames begin: of each population, of each projection."""

    neurons: Sequence[tuple[NDArray[np.uint32], NDArray[np.float64] | None]]  # ids, positions (n, 3) in um
    synapses: Sequence[tuple[Any, ...]]  # ids, pre, post, weight, delay (ms)
    born: Sequence[NDArray[np.float64]]  # ms, of the synapses


class Stage:
    """Everything that is drawn of one network, as it is at ``time`` (ms)."""

    def __init__(self, cast: Cast, layout: str = "module", budget: int = BUDGET) -> None:
        self.cast = cast
        self.time = 0.0
        self.version = 0
        self.layout = layout
        self.budget = budget
        self.captions: list[tuple[float, str]] = []  # (ms, what is said from then on)

    # -- beginning -----------------------------------------------------------------------------------------

    def begin(self, time: float, beginning: Beginning) -> None:
        """Start anew with a network as it is at ``time`` (ms)."""
        self.time = time
        self.version += 1
        self._frames = 0
        ids = np.concatenate([np.zeros(0, np.uint32), *(ids for ids, _ in beginning.neurons)])
        sizes = [pair[0].size for pair in beginning.neurons]
        population = np.repeat(np.arange(len(sizes)), sizes)
        self._place = np.full(int(ids.max(initial=0)) + 1, -1, np.int32)
        self._place[ids] = np.arange(ids.size)
        module = self.cast.module_of(population, ids)
        given = [np.full((n, 3), np.nan) if p is None else p for n, (_, p) in zip(sizes, beginning.neurons)]
        tables = [tuple(table) for table in beginning.synapses]
        pre, post = (np.concatenate([np.zeros(0, np.uint32), *(table[k] for table in tables)]) for k in (1, 2))
        self._layout = Layout(self.layout)
        known = np.concatenate([np.zeros((0, 3)), *given])
        points = self._layout.begin(ids, module, known, self.place(pre), self.place(post))
        n = ids.size
        self._id, self._population = ids.copy(), population.astype(np.uint16)
        self._module, self._position = module.astype(np.uint16), points.astype(np.float32)
        self._born, self._alive = np.zeros(n), np.ones(n, np.uint8)
        self._glow, self._slow = np.zeros(n), np.zeros(n)
        self.sizes = np.array(sizes, np.int64)
        self.synapse_counts = np.array([table[0].size for table in tables], np.int64)
        self._rates = np.zeros(len(sizes))
        self._drawn = Drawn(len(tables), self.budget)
        self._drawn.begin(tables, list(beginning.born))
        self._drawn.choose(self._activity)
        self._drawn.changes(self.place)
        self._forget()

    def _forget(self) -> None:
        """Nothing has happened since the frame before."""
        self._spikes: dict[int, list[tuple[NDArray[np.float64], NDArray[np.uint32]]]] = {}
        self._newborn: list[tuple[float, int, NDArray[np.uint32], Any]] = []
        self._partners: list[tuple[NDArray[np.uint32], NDArray[np.uint32]]] = []
        self._dead: list[NDArray[np.uint32]] = []
        self._values: list[SynapseValues] = []
        self._events: list[tuple[tuple[float, int, int], NDArray[np.uint64], tuple[Any, ...]]] = []
        self._births, self._deaths = [0, 0], [0, 0]

    # -- what happens ----------------------------------------------------------------------------------------

    def spikes(self, population: int, times: NDArray[np.float64], ids: NDArray[np.uint32]) -> None:
        """Spikes of a population (by number), ascending in time (ms)."""
        if times.size:
            self._spikes.setdefault(population, []).append((times, ids))

    def event(self, time: float, kind: int, owner: int, ids: NDArray[np.uint64], details: tuple[Any, ...]) -> None:
        """Births or deaths; see `neurosim.graph.history.Follower`."""
        self._events.append(((time, kind, owner), ids, details))

    def _happen(self) -> None:
        """Carry out births and deaths; batches of one time, kind and owner are one, however they were told."""
        for (time, kind, owner), group in groupby(self._events, key=itemgetter(0)):
            parts = [(ids, details) for _, ids, details in group]
            if len(parts) == 1:
                self._carry_out(time, kind, owner, *parts[0])
                continue
            ids = np.concatenate([ids for ids, _ in parts])
            details = zip(*(details for _, details in parts), strict=True)
            self._carry_out(time, kind, owner, ids, tuple(_joined(column, parts) for column in details))

    def _carry_out(self, time: float, kind: int, owner: int, ids: NDArray[np.uint64], details: tuple[Any, ...]) -> None:
        synapses, dies = divmod(kind, 2)
        (self._deaths if dies else self._births)[synapses] += ids.size
        counts = self.synapse_counts if synapses else self.sizes
        counts[owner] += -ids.size if dies else ids.size
        if synapses:
            self._synapses_change(time, dies, owner, ids, details)
        elif dies:
            self._dead.append(ids.astype(np.uint32))
        else:
            self._newborn.append((time, owner, ids.astype(np.uint32), details[0] if details else None))

    def _synapses_change(self, time: float, dies: int, owner: int, ids: NDArray[np.uint64], details: Any) -> None:
        if dies:
            self._drawn.died(owner, ids)
            return
        post, weight, delay = (np.broadcast_to(np.asarray(value), ids.shape) for value in details)
        self._drawn.born(owner, time, ids, post, weight, delay)
        if self._newborn:
            self._partners.append(((ids >> np.uint64(32)).astype(np.uint32), post.astype(np.uint32)))

    def values(self, projection: int, ids: NDArray[np.uint64], weight: ArrayLike, delay: ArrayLike) -> None:
        """Weights and delays (ms) of drawn synapses as they are now."""
        self._values.append(self._drawn.set_values(projection, ids, np.asarray(weight), np.asarray(delay)))

    def drawn_ids(self, projection: int) -> NDArray[np.uint64]:
        """Ids of the synapses of a projection that are drawn."""
        return self._drawn.ids(projection)

    # -- frames ----------------------------------------------------------------------------------------------

    def place(self, ids: NDArray[Any]) -> NDArray[np.int64]:
        """Indices of neurons by id; -1 for those that are not, or no more, among them."""
        inside = np.asarray(ids, np.int64)
        known = inside < self._place.size
        if known.all():
            return self._place[inside].astype(np.int64)
        return np.where(known, self._place[np.where(known, inside, 0)], -1).astype(np.int64)

    def _activity(self, ids: NDArray[np.uint32]) -> NDArray[np.float64]:
        return np.asarray(self._slow[self.place(ids)])

    def frame(self, time: float, traces: Mapping[str, Any] | None = None) -> Frame:
        """Everything that was told since the frame before, which ends at ``time`` (ms)."""
        before, self.time = self.time, time
        self._frames += 1
        if np.count_nonzero(self._alive) < min(self._alive.size - _HOLES, self._alive.size // 2):
            self._close_ranks()
        self._happen()
        born = self._grow()
        spikes, times, neurons = self._collect(time - before)
        dead = np.concatenate([np.zeros(0, np.uint32), *self._dead])
        died = self.place(dead)
        died = died[died >= 0]
        self._alive[died] = 0
        self._glow[died] = self._slow[died] = 0.0
        if self._frames % _CHOOSE == 0:
            self._drawn.choose(self._activity)
        hidden, shown = self._drawn.changes(self.place)
        values = SynapseValues._make(map(np.concatenate, zip(_NO_VALUES, *self._values, strict=True)))
        births, deaths = (self._births[0], self._births[1]), (self._deaths[0], self._deaths[1])
        self._forget()
        return Frame(
            self.version, time, before, spikes, times, neurons, (np.minimum(self._glow, 1.0) * 255.0).astype(np.uint8),
            self._rates.astype(np.float32), self.sizes.copy(), self.synapse_counts.copy(), births, deaths, born,
            died.astype(np.uint32), hidden, shown, values, self._caption(time), dict(traces or {}),
        )  # fmt: skip

    def _caption(self, time: float) -> str:
        return next((text for since, text in reversed(self.captions) if since <= time + 1e-9), "")

    def _grow(self) -> Neurons:
        """Give indices and positions to those who were born."""
        n = self._id.size
        for time, owner, ids, places in self._newborn:
            population = np.full(ids.size, owner)
            module = self.cast.module_of(population, ids)
            if places is None:
                places = self._layout.newborn(ids, module, self._partners_of(ids))
            first = self._id.size
            if int(ids.max()) >= self._place.size:
                more = np.full(max(int(ids.max()) + 1, self._place.size * 3 // 2) - self._place.size, -1, np.int32)
                self._place = np.concatenate([self._place, more])
            self._place[ids] = np.arange(first, first + ids.size)
            for name, new in (
                ("_id", ids), ("_population", population), ("_module", module), ("_position", places),
                ("_born", np.full(ids.size, time)), ("_alive", np.ones(ids.size)), ("_glow", np.zeros(ids.size)),
                ("_slow", np.zeros(ids.size)),
            ):  # fmt: skip
                column = getattr(self, name)
                setattr(self, name, np.concatenate([column, np.asarray(new).astype(column.dtype)]))
        return self._neurons(slice(n, None))

    def _partners_of(self, ids: NDArray[np.uint32]) -> list[NDArray[np.float64]]:
        """Positions of the partners that each of the newborn got at once."""
        if not self._partners:
            return [np.zeros((0, 3))] * ids.size
        pre, post = (np.concatenate([pair[k] for pair in self._partners]) for k in (0, 1))
        found = []
        for neuron in ids:
            places = self.place(np.concatenate([post[pre == neuron], pre[post == neuron]]))
            found.append(self._position[places[places >= 0]].astype(np.float64))
        return found

    def _collect(self, span: float) -> tuple[int, NDArray[np.float64], NDArray[np.uint32]]:
        """The spikes of a frame, and what they do to glow and rates."""
        glow, rate, slow = (max(least, frames * span) for least, frames in (_GLOW, _RATE, _SLOW))
        self._glow *= math.exp(-span / glow)
        self._slow *= math.exp(-span / slow)
        self._rates *= math.exp(-span / rate)
        all_times, all_places = [np.zeros(0)], [np.zeros(0, np.int64)]
        for population in sorted(self._spikes):
            times, ids = (np.concatenate(parts) for parts in zip(*self._spikes[population], strict=True))
            ago = self.time - times
            faded = float(np.exp(-ago / rate).sum()) * 1e3 / rate
            self._rates[population] += faded / max(int(self.sizes[population]), 1)
            places = self.place(ids)
            all_times.append(times[places >= 0])
            all_places.append(places[places >= 0])
        times, places = np.concatenate(all_times), np.concatenate(all_places)
        order = np.argsort(times, kind="stable")
        times, places = times[order], places[order]
        if times.size:
            ago, n = self.time - times, self._id.size
            self._glow += np.bincount(places, np.exp(-ago / glow), n)
            self._slow += np.bincount(places, np.exp(-ago / slow), n) * (1e3 / slow)
            np.minimum(self._glow, 1.6, out=self._glow)
        total = times.size
        if total > _SPIKES:
            some = np.arange(_SPIKES) * total // _SPIKES
            times, places = times[some], places[some]
        return total, times, places.astype(np.uint32)

    def _close_ranks(self) -> None:
        """Give the living new indices, and the scene a new version."""
        self.version += 1
        living = self._alive.view(bool)
        self._place[self._id[~living]] = -1
        for name in ("_id", "_population", "_module", "_position", "_born", "_alive", "_glow", "_slow"):
            setattr(self, name, getattr(self, name)[living])
        self._place[self._id] = np.arange(self._id.size)

    # -- the scene -------------------------------------------------------------------------------------------

    def scene(self) -> Scene:
        """Everything that is drawn now: after the last frame."""
        return Scene(
            self.version, self.time, self.cast.populations, self.cast.projections, self.cast.modules,
            self._neurons(slice(None)), self._drawn.all(self.place), self._drawn.slots, int(self.synapse_counts.sum()),
        )  # fmt: skip

    def _neurons(self, which: slice) -> Neurons:
        columns = (self._id, self._population, self._module, self._position, self._born, self._alive)
        return Neurons._make(column[which].copy() for column in columns)


_NO_VALUES = SynapseValues(np.zeros(0, np.uint32), np.zeros(0, np.float32), np.zeros(0, np.float32))


def _joined(columns: Sequence[Any], parts: Sequence[tuple[NDArray[np.uint64], Any]]) -> Any:
    """One detail of several batches as one array; None where none has it."""
    if any(column is None for column in columns):
        return None
    shapes = [(ids.size, *np.shape(column)[1:]) for column, (ids, _) in zip(columns, parts, strict=True)]
    return np.concatenate([np.broadcast_to(np.asarray(c), shape) for c, shape in zip(columns, shapes, strict=True)])
