"""A projection: the synapses from one population onto one receptor of another.

A synapse's id is 64 bits: its presynaptic neuron's id and a birth counter of that neuron's row.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neurosim.errors import UsageError, unknown
from neurosim.expressions import parse
from neurosim.graph import history, lookup
from neurosim.graph.arrival_order import ArrivalOrder
from neurosim.graph.checks import no_such
from neurosim.graph.crew import Crew
from neurosim.graph.delays import DelayGrid, LearnedDelays
from neurosim.graph.population import Population, Slots
from neurosim.graph.precision import Precision
from neurosim.graph.rows import Array, Index, RowStore
from neurosim.graph.synapse_values import SynapseValues
from neurosim.graph.variable import SynapseVariable, Values
from neurosim.models.rules import BoundRule

if TYPE_CHECKING:
    from neurosim.graph.network import Network

SynapseIds = NDArray[np.uint64]

_SHIFT = np.uint64(32)


class Edges(NamedTuple):
    """Synapses as arrays of equal length, ordered by presynaptic id and place in the row; ``delay`` in ms."""

    id: SynapseIds
    pre: NDArray[np.uint32]
    post: NDArray[np.uint32]
    weight: NDArray[np.floating[Any]]
    delay: Values


class Projection:
    """Synapses from ``source`` to ``target``. Made by :meth:`Network.connect`.

    ``weight`` (unit of the receptor) and ``delay`` (ms) are read and written by synapse id:
    ``ee.weight[ids]``, ``ee.delay[ids] = 2.0``, ``ee.weight.values`` (in the order of ``ee.ids``).
    """

    def __init__(
        self,
        network: Network,
        name: str,
        index: int,
        source: Population,
        target: Population,
        receptor: str,
        grid: DelayGrid,
        weight_bounds: tuple[float, float] | None,
        precision: Precision,
    ) -> None:
        self.network = network
        self.name = name
        self.index = index
        self.source = source
        self.target = target
        self.receptor = receptor
        self.weight_unit = target.model.receptors[receptor].unit
        self.grid = grid
        self.weight_bounds = weight_bounds
        self.store = RowStore(source.n_slots, target.shards, target.stride, precision)
        self.values = SynapseValues(self, precision)
        self.order = ArrivalOrder()
        self.default_weight: Any = None
        self.default_delay: Any = None

    # -- reading --------------------------------------------------------------------------------------

    @property
    def size(self) -> int:
        """Number of synapses."""
        return self.store.live

    def __len__(self) -> int:
        return self.size

    def __repr__(self) -> str:
        arrow = f"{self.source.name} → {self.target.name}.{self.receptor}"
        return f"<projection '{self.name}': {self.size} synapses {arrow}>"

    @property
    def ids(self) -> SynapseIds:
        """Ids of all synapses, uint64, ordered by presynaptic id and place in the row."""
        return self._ids_at(*self.store.places(self._rows_by_id()))

    @property
    def weight(self) -> SynapseVariable:
        """Weights by synapse id, in the unit of the receptor (``weight_unit``)."""
        return SynapseVariable(self, "weight", self.weight_unit)

    @weight.setter
    def weight(self, value: Any) -> None:
        SynapseVariable(self, "weight", self.weight_unit).set(value)

    @property
    def delay(self) -> SynapseVariable:
        """Delays by synapse id, in ms, as multiples of the time step once that is known."""
        return SynapseVariable(self, "delay", "ms")

    @delay.setter
    def delay(self, value: Any) -> None:
        SynapseVariable(self, "delay", "ms").set(value)

    @property
    def variables(self) -> dict[str, str]:
        """Names and units of what every synapse has its own value of: weight, delay, and what the rules declare."""
        return self.values.units

    @property
    def learning(self) -> tuple[BoundRule, ...]:
        """The learning rules, in the order in which they act."""
        return self.values.plasticity.rules if self.values.plasticity is not None else ()

    def __getattr__(self, name: str) -> SynapseVariable:
        values = self.__dict__.get("values")
        if name.startswith("_") or values is None:
            raise AttributeError(name)
        if name not in values.units:
            raise AttributeError(str(unknown("variable", name, values.units, f"of projection '{self.name}'")))
        return SynapseVariable(self, name, values.units[name])

    def edges(self) -> Edges:
        """All synapses as arrays."""
        return self._edges_at(*self.store.places(self._rows_by_id()))

    def parts(self, about: int = 2**20) -> Iterator[Edges]:
        """All synapses, some whole rows (``about`` so many synapses) at a time, for what need not hold them all."""
        rows = self._rows_by_id()
        lengths = np.cumsum(self.store.ends[rows, -1], dtype=np.int64)
        cuts = np.unique(np.searchsorted(lengths, np.arange(about, self.size + about, about)))
        for part in np.split(rows, np.minimum(cuts + 1, rows.size)):
            if part.size:
                yield self._edges_at(*self.store.places(part))

    def state(self) -> dict[str, Array]:
        """Everything that makes the projection what it is now, as arrays by name (views where possible)."""
        return {
            **self.store.state(),
            "delay_range": np.array([self.grid.low, self.grid.high]),
            **(self.values.plasticity.state() if self.values.plasticity is not None else {}),
            **{f"order/{name}": array for name, array in self.order.state().items()},
        }

    def where(self, condition: str) -> SynapseIds:
        """Ids of the synapses for which an expression holds, e.g. ``"weight < 0.1 mV and delay > 2 ms"``.

        Known symbols: ``pre`` and ``post`` (neuron ids), and the ``variables``: ``weight``, ``delay``, …
        """
        expression = parse(condition, {"pre": "", "post": "", **self.variables}, unit="bool")
        rows, places = self.store.places(self._rows_by_id())
        edges = self._edges_at(rows, places)
        others = expression.names - set(Edges._fields)
        values: dict[str, Any] = {name: getattr(edges, name) for name in expression.names - others}
        values |= self.values.read_all(sorted(others), rows, places)
        holds = np.broadcast_to(np.asarray(expression.evaluate(values), bool), edges.id.shape)
        ids: SynapseIds = edges.id[holds]
        return ids

    def find(self, pre: ArrayLike | None = None, post: ArrayLike | None = None) -> SynapseIds:
        """Ids of the synapses from any of ``pre`` onto any of ``post`` (neuron ids; None means all)."""
        rows = self._rows_by_id() if pre is None else self.source.slots(np.unique(np.atleast_1d(np.asarray(pre))))
        row_of, places = self.store.places(rows)
        if post is not None:
            wanted = np.zeros(self.target.n_slots, bool)
            wanted[self.target.slots(post)] = True
            hit = wanted[self.store.columns["post"][places]]
            row_of, places = row_of[hit], places[hit]
        return self._ids_at(row_of, places)

    def out_degree(self, ids: ArrayLike | None = None) -> Index:
        """Synapses that leave each of ``ids`` (default: all source neurons, in the order of their ids)."""
        slots = self.source.slots(self.source.ids if ids is None else ids)
        degrees: Index = self.store.ends[slots, -1].astype(np.int64)
        return degrees

    def in_degree(self, ids: ArrayLike | None = None) -> Index:
        """Synapses that arrive at each of ``ids`` (default: all target neurons, in the order of their ids)."""
        slots = self.target.slots(self.target.ids if ids is None else ids)
        degrees: Index = self.store.in_degree(self.target.n_slots)[slots]
        return degrees

    # -- edits ----------------------------------------------------------------------------------------

    def add(self, pre: ArrayLike, post: ArrayLike, weight: Any = None, delay: Any = None) -> SynapseIds:
        """Add synapses pairwise: ``pre[i]`` onto ``post[i]``; a single id pairs with all of the other side.

        ``weight`` and ``delay`` are numbers, quantities, arrays or distributions; left out, they are drawn as
        when the projection was made. Returns the new ids (uint64).
        """
        pre_slots, post_slots = self.source.slots(pre), self.target.slots(post)
        if pre_slots.size != post_slots.size:
            pre_slots, post_slots = _pairwise(pre_slots, post_slots)
        self.network._check_editable()
        return self._add_at(pre_slots, post_slots, weight, delay)

    def _add_at(
        self, pre_slots: Slots, post_slots: Slots, weight: Any = None, delay: Any = None, crew: Crew | None = None
    ) -> SynapseIds:
        """Add synapses pairwise by slots of living neurons; see :meth:`add`. A ``crew`` does it together."""
        n = pre_slots.size
        weights = self.values.drawn("weight", self.default_weight if weight is None else weight, pre_slots, post_slots)
        delays = self.values.drawn("delay", self.default_delay if delay is None else delay, pre_slots, post_slots)
        self.values.check_weights(weights)
        self.grid.check(delays)
        if n == 0:
            return np.empty(0, np.uint64)
        stored = self.grid.stored(delays)
        serials = self.store.append(pre_slots, post_slots, self.values.newborn(weights, stored, post_slots), crew)
        ids = self._ids(pre_slots, serials)
        if self.network.time > 0.0:
            if self.values.plasticity is None:
                self.order.begin(self._now(), ids, self.grid.high)
            else:
                self.values.plasticity.synapses_born(pre_slots, serials)
        log, of = self.network.history, []
        if log.detailed:
            kept = self.values.precision.shown(self.values.precision.stored(weights))
            of = [self.target.columns["id"][post_slots], kept, self.grid.shown(stored)]
        log.synapses(history.SYNAPSE_BIRTH, self.index, ids, *of)
        return ids

    def remove(self, ids: ArrayLike) -> None:
        """Remove synapses by id; an unknown id raises ``UnknownName`` and nothing is removed."""
        rows, serials, places = self._locate(ids)
        self.network._check_editable()
        if rows.size:
            self._delete(rows, serials, places)

    def _remove_at(self, rows: Slots, places: Index, crew: Crew | None = None) -> None:
        """Remove the synapses at ``places``, each given once: those of a row together, the last of it first."""
        if places.size == 0:
            return
        of = self._going(rows, places)
        ids = self._ids(rows, self.store.delete_places(rows, places, crew))
        self.network.history.synapses(history.SYNAPSE_DEATH, self.index, ids, *of)

    def _delete(self, rows: Slots, serials: NDArray[np.uint32], places: Index) -> None:
        ids, of = self._ids(rows, serials), self._going(rows, places)
        if self.store.delete(rows, serials, places) < rows.size:  # some are named twice, and -1 among the places now
            once = places >= 0
            ids, of = ids[once], [column[once] for column in of]
        self.network.history.synapses(history.SYNAPSE_DEATH, self.index, ids, *of)

    def _going(self, rows: Slots, places: Index) -> list[Array]:
        """What the history wants to know, besides their ids, of synapses that are about to die."""
        of: list[Array] = []
        if self.network.history.detailed:
            values = self.values.read_all(("weight", "delay"), rows, places)
            posts = self.target.columns["id"][self.store.columns["post"][places]]
            of = [posts, values["weight"].astype(self.values.precision.real), values["delay"]]
        if self.values.plasticity is not None:
            self.values.plasticity.synapses_die(places)
        return of

    def _drop_neurons(self, population: Population, slots: Slots) -> None:
        """The neurons at ``slots`` of ``population`` are dying: so do their synapses here."""
        doomed = []
        if population is self.source:
            rows, places = self.store.places(slots)
            doomed.append((rows, self.store.serials_at(rows, places)))
        if population is self.target:
            marked = np.zeros(self.target.n_slots, bool)
            marked[slots] = True
            rows, places = self.store.places_onto(marked)
            if population is self.source:  # listed with their source already
                survives = ~np.isin(rows, slots)
                rows, places = rows[survives], places[survives]
            doomed.append((rows, self.store.serials_at(rows, places)))
        for rows, serials in doomed:
            if rows.size:
                self._delete(rows, serials, self.store.find(rows, serials)[0])

    def _relocate(self, population: Population, old: Slots, new: Slots, n_before: int) -> None:
        """Slots of ``population`` have moved; ``n_before`` is how many there were."""
        if population is self.source:
            self.store.relocate_rows(old, new, population.n_slots)
        if population is self.target:
            self.store.relocate_posts(old, new, n_before, population.stride)
        if self.values.plasticity is not None:
            self.values.plasticity.relocate(population, old, new)

    def _neurons_born(self, population: Population, slots: Slots) -> None:
        """Neurons were born at ``slots`` of ``population``."""
        if self.values.plasticity is not None:
            self.values.plasticity.neurons_born(population, slots)

    def _on_grid(self, dt: float) -> tuple[DelayGrid, Array | None]:
        """What the grid and the delays become when the time step is ``dt``."""
        grid = self.grid.on(dt)
        kept = self.store.columns.get("delay")
        if kept is not None:
            live = self.store.places()[1]
            stored = np.zeros(kept.size, np.float64 if isinstance(grid, LearnedDelays) else np.int64)
        elif self.size:
            kept, live = np.array([self.store.uniform["delay"]], np.float64), np.zeros(1, np.int64)
            stored = np.zeros(1, np.int64)
        else:
            return grid, None
        grid.check(kept[live])
        stored[live] = grid.stored(kept[live])
        grid.widen(stored[live])
        return grid, stored

    def _set_grid(self, grid: DelayGrid, stored: Array | None) -> None:
        """The time step is known now: delays become steps."""
        self.grid = grid
        if "delay" in self.store.columns:
            if stored is not None:
                self.store.columns["delay"] = stored.astype(grid.dtype)
        elif stored is not None:
            self.store.uniform["delay"] = int(stored[0])
        self.store._publish()
        self.network._touch()

    def _now(self) -> int:
        return self.network.step

    def held_arrivals(self) -> Index:
        """Synapses at which nothing may arrive before some step yet to come: (row, birth number, step), int64."""
        ids, steps = self.order.held(self._now())
        if ids.size == 0:
            return np.zeros((0, 3), np.int64)
        rows = self.network._slots_of(self.source, (ids >> _SHIFT).astype(np.int64))
        table = np.stack([rows, ids.astype(np.uint32).astype(np.int64), steps], axis=1)
        return np.ascontiguousarray(table[rows >= 0])

    # -- ids and places ---------------------------------------------------------------------------------

    def _rows_by_id(self) -> Slots:
        return self.source.slots(self.source.ids)

    def _ids_at(self, rows: Slots, places: Index) -> SynapseIds:
        return self._ids(rows, self.store.serials_at(rows, places))

    def _ids(self, rows: Slots, serials: NDArray[np.uint32]) -> SynapseIds:
        ids = np.empty(rows.size, np.uint64)
        lookup.ids_of(rows, serials, self.source.columns["id"], ids)
        return ids

    def _edges_at(self, rows: Slots, places: Index) -> Edges:
        values = self.values.read_all(("weight", "delay"), rows, places)
        return Edges(
            self._ids_at(rows, places),
            self.source.columns["id"][rows],
            self.target.columns["id"][self.store.columns["post"][places]],
            values["weight"].astype(self.values.precision.real),
            values["delay"],
        )

    def _rows_and_places(self, ids: ArrayLike | None) -> tuple[Slots, Index]:
        """Row and place of each synapse (default: all, in the order of ``ids``)."""
        if ids is None:
            return self.store.places(self._rows_by_id())
        rows, _, places = self._locate(ids)
        return rows, places

    def _locate(self, ids: ArrayLike) -> tuple[Slots, NDArray[np.uint32], Index]:
        """Row, birth number and place of each synapse; ``UnknownName`` when one does not exist."""
        rows, serials = self.network._rows_of(self.source, ids)
        places, complete = self.store.find(rows, serials)
        if not complete:
            raise no_such("synapse", ids, places < 0, f"projection '{self.name}'")
        return rows, serials, places


def _pairwise(pre: Slots, post: Slots) -> tuple[Slots, Slots]:
    if pre.size == 1:
        return np.repeat(pre, post.size), post
    if post.size == 1:
        return pre, np.repeat(post, pre.size)
    raise UsageError(f"synapses are added pairwise: {pre.size} presynaptic ids do not match {post.size} postsynaptic.")
