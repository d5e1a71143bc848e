"""Which synapses are drawn, and at which slot.

All are known (of very many, a part chosen by id); as many as the budget allows are drawn. Where that is not all, those
are preferred whose source is active: each synapse has a lot by its id, and draws with a chance that goes with the
activity of its source (weighted sampling, doi:10.1016/j.ipl.2005.11.003). So which are drawn depends on the ids and
on what the network did, not on who watches.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neurosim.viz.live.frame import Hidden, Synapses, SynapseValues
from neurosim.viz.live.numbers import mixed, uniform

Ids = NDArray[np.uint64]
Neurons = NDArray[np.uint32]

BUDGET = 20_000  # synapses drawn
MOST_KNOWN = 2**21
_SWAPS = 0.04  # of the budget: how many may change places at a time
_STAYING = 0.6  # of its score: what one that is drawn already is ahead
_ROOM = 1.25  # slots per synapse of the budget: a freed one rests before it is used again


class Known(NamedTuple):
    """Synapses of one projection, ascending by id; ``pre`` and ``post`` are ids of neurons, ``luck`` is below 0."""

    id: Ids
    pre: Neurons
    post: Neurons
    weight: NDArray[np.float32]
    delay: NDArray[np.float32]
    born: NDArray[np.float64]
    luck: NDArray[np.float64]


class _Projection:
    """The known synapses of one projection."""

    def __init__(self, number: int) -> None:
        self.number = number
        self._known = Known._make(np.zeros(0, kind) for kind in ("u8", "u4", "u4", "f4", "f4", "f8", "f8"))
        self._alive = np.zeros(0, bool)
        self._young: list[Known] = []
        self.slot_of: dict[int, int] = {}

    def add(self, known: Known) -> None:
        self._young.append(known)

    def remove(self, ids: Ids) -> None:
        place, found = self._places(ids)
        if not found.all() and self._young:
            self.settle()
            place, found = self._places(ids)
        self._alive[place[found]] = False

    def _places(self, ids: Ids) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        place = np.minimum(np.searchsorted(self._known.id, ids), max(self._known.id.size - 1, 0))
        return place, self._known.id[place] == ids if self._known.id.size else np.zeros(ids.size, bool)

    def settle(self) -> Known:
        """All that are alive."""
        if self._young or not self._alive.all():
            parts = [Known._make(column[self._alive] for column in self._known), *self._young]
            joined = Known._make(map(np.concatenate, zip(*parts, strict=True)))
            order = np.argsort(joined.id, kind="stable") if self._young else slice(None)
            self._known, self._young = Known._make(column[order] for column in joined), []
            self._alive = np.ones(self._known.id.size, bool)
        return self._known


class Drawn:
    """The synapses that are drawn, and all that is needed to choose others."""

    def __init__(self, projections: int, budget: int = BUDGET) -> None:
        self.budget = budget
        self.slots = max(64, round(_ROOM * budget))
        self._of = [_Projection(number) for number in range(projections)]
        self._known_share = 1.0
        self._alive = 0
        # In mixed order, so that whoever draws the first slots only draws a sample.
        self._free = deque(np.argsort(mixed(np.arange(self.slots), 9)).tolist())
        kinds = {"id": "u8", "projection": "u2", "pre": "u4", "post": "u4", "weight": "f4", "delay": "f4", "born": "f8"}
        self._at = {name: np.zeros(self.slots, kind) for name, kind in kinds.items()}
        self._used = np.zeros(self.slots, bool)
        self._shown: list[int] = []
        self._hidden: dict[int, bool] = {}

    # -- what is known -------------------------------------------------------------------------------------

    def begin(self, tables: list[tuple[Ids, Neurons, Neurons, NDArray[np.floating], NDArray[np.floating]]],
              born: list[NDArray[np.float64]]) -> None:  # fmt: skip
        """The synapses (id, pre, post, weight, delay) that each projection has, and when they were born (ms)."""
        total = sum(table[0].size for table in tables)
        self._known_share = min(1.0, MOST_KNOWN / max(total, 1))
        for projection, table, since in zip(self._of, tables, born, strict=True):
            self._learn(projection, *table, since)
            projection.settle()

    def born(self, number: int, time: float, ids: Ids, post: Neurons, weight: NDArray[np.floating],
             delay: NDArray[np.floating]) -> None:  # fmt: skip
        """Synapses of projection ``number`` are born; some are drawn at once."""
        projection = self._of[number]
        pre = (ids >> np.uint64(32)).astype(np.uint32)
        known = self._learn(projection, ids, pre, post, weight, delay, np.full(ids.size, time))
        fits = self.budget / max(self._alive, 1)
        chosen = np.arange(known.id.size) if fits >= 1 else np.flatnonzero(known.luck > np.log1p(-min(fits, 1.0)))
        self._draw(projection, known, chosen[: self.budget - int(self._used.sum())])

    def died(self, number: int, ids: Ids) -> None:
        """Synapses of projection ``number`` die."""
        projection = self._of[number]
        mine = ids[self._is_known(projection, ids)]
        projection.remove(mine)
        self._alive -= int(mine.size)
        for synapse in mine.tolist():
            slot = projection.slot_of.pop(synapse, None)
            if slot is not None:
                self._hide(slot, True)

    def _learn(self, projection: _Projection, ids: Ids, pre: Neurons, post: Neurons, weight: NDArray[np.floating],
               delay: NDArray[np.floating], born: NDArray[np.float64]) -> Known:  # fmt: skip
        keep = self._is_known(projection, ids)
        columns = (np.broadcast_to(column, ids.shape)[keep] for column in (ids, pre, post, weight, delay, born))
        kinds = (np.uint64, np.uint32, np.uint32, np.float32, np.float32, np.float64)
        typed = [column.astype(kind) for column, kind in zip(columns, kinds, strict=True)]
        known = Known._make([*typed, np.log(uniform(typed[0], 7 + projection.number))])
        self._alive += known.id.size
        projection.add(known)
        return known

    def _is_known(self, projection: _Projection, ids: Ids) -> NDArray[np.bool_]:
        if self._known_share >= 1.0:
            return np.ones(ids.size, bool)
        return np.asarray(mixed(ids, 70_001 + projection.number) < np.uint64(self._known_share * 2.0**64))

    # -- what is drawn -------------------------------------------------------------------------------------

    def choose(self, activity: Callable[[Neurons], NDArray[np.floating]]) -> None:
        """Draw those again that deserve it most; ``activity`` (Hz) is asked for by ids of neurons."""
        if self._alive <= int(self._used.sum()):
            return
        known = [projection.settle() for projection in self._of]
        score = np.concatenate([k.luck / (0.3 + activity(k.pre)) for k in known])
        here = np.zeros(score.size, bool)
        starts = np.cumsum([0, *(k.id.size for k in known)])
        for projection, k, lo in zip(self._of, known, starts[:-1], strict=True):
            here[lo + np.searchsorted(k.id, self._ids(projection))] = True
        first = not self._used.any()
        score[here] *= _STAYING
        n = min(self.budget, score.size)
        best = np.zeros(score.size, bool)
        best[np.argpartition(score, score.size - n)[score.size - n :]] = True
        room = n - int(here.sum())
        swaps = n if first else max(1, int(_SWAPS * self.budget))
        coming = np.flatnonzero(best & ~here)
        coming = coming[np.argsort(-score[coming], kind="stable")][: room + swaps]
        going = np.flatnonzero(here & ~best)
        going = going[np.argsort(score[going], kind="stable")][: max(0, coming.size - room)]
        for projection, k, lo, hi in zip(self._of, known, starts[:-1], starts[1:], strict=True):
            for synapse in k.id[going[(going >= lo) & (going < hi)] - lo].tolist():
                self._hide(projection.slot_of.pop(synapse), False)
            self._draw(projection, k, np.sort(coming[(coming >= lo) & (coming < hi)]) - lo)

    def _ids(self, projection: _Projection) -> Ids:
        return np.asarray(self._at["id"][self._used & (self._at["projection"] == projection.number)])

    def _draw(self, projection: _Projection, known: Known, places: NDArray[np.int64]) -> None:
        n = min(places.size, len(self._free))
        slots = np.array([self._free.popleft() for _ in range(n)], np.int64)
        for name in ("id", "pre", "post", "weight", "delay", "born"):
            self._at[name][slots] = getattr(known, name)[places[:n]]
        self._at["projection"][slots] = projection.number
        self._used[slots] = True
        projection.slot_of.update(zip(known.id[places[:n]].tolist(), slots.tolist(), strict=True))
        self._shown += slots.tolist()

    def _hide(self, slot: int, died: bool) -> None:
        self._used[slot] = False
        self._hidden[slot] = died
        self._free.append(slot)

    # -- what is told ----------------------------------------------------------------------------------------

    def changes(self, place: Callable[[Neurons], NDArray[np.int64]]) -> tuple[Hidden, Synapses]:
        """What is hidden and what is shown since this was last asked; ``place`` gives neurons' indices by id."""
        hidden = np.array([*self._hidden], np.uint32), np.array([*self._hidden.values()], np.uint8)
        shown = np.array([*dict.fromkeys(slot for slot in self._shown if self._used[slot])], np.int64)
        self._hidden, self._shown = {}, []
        return Hidden(*hidden), self._synapses(shown, place)

    def all(self, place: Callable[[Neurons], NDArray[np.int64]]) -> Synapses:
        """All that are drawn now."""
        return self._synapses(np.flatnonzero(self._used), place)

    def _synapses(self, slots: NDArray[np.int64], place: Callable[[Neurons], NDArray[np.int64]]) -> Synapses:
        at = {name: column[slots] for name, column in self._at.items()}
        return Synapses(
            slots.astype(np.uint32), at["id"], at["projection"], place(at["pre"]).astype(np.uint32),
            place(at["post"]).astype(np.uint32), at["weight"], at["delay"], at["born"],
        )  # fmt: skip

    def ids(self, number: int) -> Ids:
        """Ids of the drawn synapses of one projection."""
        return self._ids(self._of[number])

    def set_values(
        self, number: int, ids: Ids, weight: NDArray[np.floating], delay: NDArray[np.floating]
    ) -> SynapseValues:
        """Weights and delays of drawn synapses as they are now; those that have changed are returned."""
        slot_of = self._of[number].slot_of
        slots = np.array([slot_of.get(synapse, -1) for synapse in ids.tolist()], np.int64)
        new = np.asarray(weight, np.float32), np.asarray(delay, np.float32)
        moved = slots >= 0
        moved &= (self._at["weight"][slots] != new[0]) | (self._at["delay"][slots] != new[1])
        slots = slots[moved]
        self._at["weight"][slots], self._at["delay"][slots] = new[0][moved], new[1][moved]
        return SynapseValues(slots.astype(np.uint32), new[0][moved], new[1][moved])
