"""Recorders: they sample at the asked times, read without writing, and hand on what they hold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurosim import rng
from neurosim.errors import UsageError, unknown
from neurosim.graph.groups import Group
from neurosim.graph.population import Ids, Population, Slots
from neurosim.graph.projection import Projection

Table = dict[str, NDArray[Any]]


class SpikeRecorder:
    """Spikes of a population or group.

    ``times`` (float64, ms), ``steps`` (int64) and ``ids`` (uint32) are arrays of equal length, ordered by (time, id),
    of what is held: everything since the recorder was made or last drained.
    """

    def __init__(self, target: Population | Group, dt: float) -> None:
        self.target = target
        self.population = target.population if isinstance(target, Group) else target
        self._members = target.members if isinstance(target, Group) else None
        self._dt = dt
        self._fresh: list[tuple[NDArray[np.int64], Ids]] = []
        self._held: tuple[NDArray[np.int64], Ids] = np.zeros(0, np.int64), np.zeros(0, np.uint32)

    def take(self, steps: NDArray[np.int64], ids: Ids) -> None:
        """Receive spikes of the population from the engine; a group's are picked out when they are asked for."""
        self._fresh.append((steps, ids))

    def _settle(self) -> None:
        if self._fresh:
            steps, ids = (np.concatenate(parts) for parts in zip(*self._fresh, strict=True))
            self._fresh = []
            if self._members is not None:
                mine = np.isin(ids, self._members)
                steps, ids = steps[mine], ids[mine]
            self._held = np.concatenate([self._held[0], steps]), np.concatenate([self._held[1], ids])

    @property
    def steps(self) -> NDArray[np.int64]:
        """Time steps of the spikes."""
        self._settle()
        return self._held[0]

    @property
    def times(self) -> NDArray[np.float64]:
        """Times of the spikes in ms."""
        return np.asarray(self.steps * self._dt, np.float64)

    @property
    def ids(self) -> Ids:
        """Ids of the neurons that fired."""
        self._settle()
        return self._held[1]

    def drain(self) -> tuple[NDArray[np.int64], Ids]:
        """(steps, ids) held; they are no longer held afterwards."""
        held = self.steps, self.ids
        self._held = np.zeros(0, np.int64), np.zeros(0, np.uint32)
        return held

    def __len__(self) -> int:
        return int(self.steps.size)


class _Sampler:
    """Samples in long format: one row per time and neuron (or synapse)."""

    def __init__(self, variables: Sequence[str], id_type: type) -> None:
        self.variables = tuple(variables)
        self._id_type = id_type
        self._parts: list[Table] = []

    def _take(self, time: float, ids: NDArray[Any], values: dict[str, NDArray[Any]]) -> None:
        self._parts.append({"time": np.full(ids.size, time), "id": ids.copy(), **values})

    @property
    def table(self) -> Table:
        """Columns ``time`` (ms), ``id`` and one per variable, of all samples held."""
        if not self._parts:
            empty: Table = {"time": np.zeros(0), "id": np.zeros(0, self._id_type)}
            return empty | {name: np.zeros(0) for name in self.variables}
        if len(self._parts) > 1:
            self._parts = [{key: np.concatenate([part[key] for part in self._parts]) for key in self._parts[0]}]
        return self._parts[0]

    def __getitem__(self, name: str) -> NDArray[Any]:
        table = self.table
        if name not in table:
            raise unknown("column", name, table, "of this recorder")
        return table[name]

    def drain(self) -> Table:
        """The samples held; they are no longer held afterwards."""
        held = self.table
        self._parts = []
        return held


class StateRecorder(_Sampler):
    """Samples of state variables. ``select`` is fixed ids, ``"all"``, or an expression that newborns join."""

    def __init__(self, population: Population, variables: Sequence[str], select: Any) -> None:
        super().__init__([variables] if isinstance(variables, str) else variables, np.uint32)
        self.population = population
        for name in self.variables:
            if name not in population.variables:
                raise unknown("variable", name, population.variables, f"of population '{population.name}'")
        self._select = select.ids if isinstance(select, Group) else select
        if isinstance(select, str) and select != "all":
            population.where(select)  # complain now rather than at the first sample
        elif not isinstance(select, str):
            self._fixed = np.unique(np.atleast_1d(np.asarray(self._select)))
            population.slots(self._fixed)

    def _selected(self) -> tuple[Ids, Slots]:
        """Ids and slots of what is sampled now."""
        population = self.population
        if isinstance(self._select, str):
            ids = population.ids if self._select == "all" else population.where(self._select)
            return ids, population.slots(ids)
        slots = population.network._slots_of(population, self._fixed)
        return np.asarray(self._fixed[slots >= 0], np.uint32), slots[slots >= 0]

    def sample(self, time: float) -> None:
        """Take one sample of everything selected."""
        ids, slots = self._selected()
        self._take(time, ids, {name: self.population.columns[name][slots] for name in self.variables})


class SynapseRecorder(_Sampler):
    """Samples of synapses: all, those that ``sample`` chose at the beginning (a number), or those given by id."""

    def __init__(self, projection: Projection, variables: Sequence[str], sample: Any) -> None:
        super().__init__([variables] if isinstance(variables, str) else variables, np.uint64)
        self.projection = projection
        for name in self.variables:
            if name not in projection.variables:
                raise unknown("variable", name, projection.variables, f"of projection '{projection.name}'")
        self._chosen: NDArray[np.uint64] | None = None
        if isinstance(sample, (int, np.integer)) and not isinstance(sample, bool):
            ids = projection.ids
            if sample < 0:
                raise UsageError(f"a sample is a number of synapses, 0 or more; found {sample}.")
            stream = rng.generator(projection.network.seed, rng.purpose("sample", projection.name))
            if sample < ids.size:
                ids = ids[np.sort(stream.choice(ids.size, int(sample), replace=False))]
            self._chosen = ids
        elif sample is not None:
            projection._rows_and_places(sample)  # they must exist now
            self._chosen = np.asarray(sample, np.uint64).reshape(-1)

    def sample(self, time: float) -> None:
        """Take one sample of the chosen synapses that are alive."""
        projection, chosen = self.projection, self._chosen
        if chosen is None:
            rows, places = projection._rows_and_places(None)
            ids = projection._ids_at(rows, places)
        else:
            rows = projection.network._slots_of(projection.source, (chosen >> np.uint64(32)).astype(np.int64))
            places, _ = projection.store.find(rows, chosen.astype(np.uint32))
            alive = places >= 0
            ids, rows, places = chosen[alive], rows[alive], places[alive]
        self._take(time, ids, dict(projection.values.read_all(self.variables, rows, places)))
