"""Lowers a plastic projection, and settles or peeks at its rows for whoever asks between epochs."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from neurosim import generated, rng
from neurosim.compiled import address_of
from neurosim.engine.learning.base import FADINGS, LASTS, fill_fadings
from neurosim.engine.learning.events import Events
from neurosim.engine.learning.generate import lanes_of, module_source
from neurosim.engine.learning.incoming import Incoming, list_by_target, small_enough, worth_it
from neurosim.engine.records import filled
from neurosim.errors import unknown
from neurosim.graph.emission_memory import USED
from neurosim.graph.network import Network
from neurosim.graph.plasticity import Plasticity
from neurosim.graph.projection import Projection
from neurosim.memory import zeros

if TYPE_CHECKING:
    from neurosim.engine.simulation import Simulation

Array = NDArray[Any]

_MEMORY = 64  # spikes per neuron that a log holds before rows are settled and it is emptied
_LARGEST = 2**22  # … as long as that is no more than this
_REMEMBERED = 200.0  # ms that emissions are kept, if not longer: a newborn synapse may have a longer delay than others
_SLOWEST = 2**20  # steps; traces of which something is left for longer are not tabled to their end


def events_of(plasticity: Plasticity) -> Events:
    """What the code for a projection depends on."""
    bounded = plasticity.projection.weight_bounds is not None
    return Events(plasticity.named, plasticity.precision, plasticity.learns_delay, bounded)


class Lowered:
    """The kernels of one plastic projection with their record; holds all arrays that the record points to."""

    def __init__(self, projection: Projection, route: Array, target: int, dt: float, epoch: int) -> None:
        plasticity = projection.values.plasticity
        assert plasticity is not None
        self.plasticity, self.events = plasticity, events_of(plasticity)
        names = "_".join(rule.name for rule in plasticity.rules) or "static"
        self.kernels = generated.module(f"learning_{names}", module_source(self.events))
        self._keep, self._tables = route, list[Array]()  # records hold their addresses
        self.follows_spikes = self.events.follows_spikes
        grid = projection.grid
        emissions = plasticity.emissions
        target_stride, sources = projection.target.stride, projection.source.n_slots
        spike_limit = _limit(target_stride)
        used = int(emissions.used[:, USED].max(initial=0))
        emissions.limit = max(_limit(sources), emissions.limit if used <= emissions.limit else 2 * used)
        self.row_limit = emissions.limit
        plasticity.reserve_spikes(spike_limit + 2 * epoch * target_stride)
        emissions.reserve(self.row_limit + 2 * epoch * sources)
        self.longest = longest = int(max(grid.high, 0)) if math.isfinite(grid.high) else 0
        width = 1 + max(len(self.events.pre), 1)
        room = emissions.capacity + 2
        self.scratch = np.empty((projection.target.shards, room, width), np.int64)
        self.lanes = zeros(projection.target.shards * lanes_of(self.events), np.int64)
        values: dict[str, Any] = {
            "lanes": address_of(self.lanes), "route": route.ctypes.data, "spikes": plasticity.posts.record.ctypes.data,
            "emissions": emissions.record.ctypes.data,
            "target": target, "longest": longest, "remembered": max(longest, math.ceil(_REMEMBERED / dt) if dt else 0),
            "young": address_of(plasticity.young),
            "births": address_of(plasticity.births), "n_births": plasticity.births.shape[0],
            "ids": address_of(projection.source.columns["id"]), "scratch": self.scratch.ctypes.data, "room": room,
            "spike_limit": spike_limit, "row_limit": self.row_limit, "settle": self.kernels.settle.address,
        }  # fmt: skip
        values |= self._numbers(projection, dt)
        in_shards = np.diff(projection.store.ends.sum(axis=0, dtype=np.int64), prepend=0)
        self.needed_nodes = 2 * (epoch + 1) * int(in_shards.max(initial=0))
        if plasticity.waiting is not None:
            plasticity.waiting.reserve(self.needed_nodes + 2 * plasticity.waiting.taken)
            values |= {"pool": plasticity.waiting.record.ctypes.data, "needed_nodes": self.needed_nodes // 2}
        self.period = 0
        for number, rule in enumerate(plasticity.rules):
            if rule.events.get("every"):
                assert rule.period is not None
                steps = max(1, math.floor(rule.period / dt + 0.5))
                values[f"_every_{number}"] = steps
                self.period = math.gcd(self.period, steps)
            if rule.events.get("clocked"):
                self.period = 1
        self.record = filled(self.kernels.RECORD, **values)
        self.incoming: Incoming | None = None  # where synapses learn promptly
        self._touched, self._layout = 0.0, projection.store.layout
        self._can_be_prompt = self.events.can_be_prompt and not route["has_zero"][0]
        self._can_be_prompt &= all(table[-1] == 0.0 for table in self._tables)
        if self.may_become_prompt:  # compile now, not in the middle of a run
            own = self.kernels
            for kernel in (list_by_target, own.line_up, own.keep_up, own.deliver_kept_up):
                kernel.address  # noqa: B018
        self.show_signals()

    def _numbers(self, projection: Projection, dt: float) -> dict[str, Any]:
        """Parameters of the rules, rates and bounds."""
        numbers: dict[str, Any] = {"dt": dt}
        for one in self.events.rules:
            numbers |= {one[name]: value for name, value in one.rule.constants.items()}
        for one, item in self.events.pre + self.events.post + self.events.dynamic + self.events.signals:
            numbers[f"{one[item.name]}_rate"] = float(item.rate or 0.0) * dt
        for name in self.events.fadings:
            table = _fadings(numbers[name.removesuffix("_fading") + "_rate"], whole=bool(self.events.gone))
            self._tables.append(table)
            numbers[name] = table.ctypes.data
            if self.events.gone:
                numbers[name.replace("_fading", "_gone")] = table.size - 1
        numbers |= {f"{one[v.name]}_target": v.target for one, v in self.events.dynamic}
        for name, _, (factor, _, per_ms) in self.events.terms:
            numbers |= {f"{name}_factor": factor * dt, f"{name}_rate": per_ms * dt}
        precision, seed = projection.values.precision, projection.network.seed
        limits = precision.limits or projection.weight_bounds
        if limits is not None:
            numbers |= dict(zip(("w_low", "w_high"), limits, strict=True))
        if precision.levels:
            step = precision.levels["weight_step"]
            numbers |= {"w_step": step, "w_per_step": 1.0 / step}
        if precision.is_stochastic:
            key = rng.purpose("rounding", projection.name)
            numbers |= {"draw_key": key, "seed_low": seed & 0xFFFFFFFF, "seed_high": seed >> 32}
        if self.events.own and projection.grid.declared is not None:
            numbers |= dict(zip(("d_low", "d_high"), projection.grid.declared, strict=True))
        for state in self.events.states:
            population = projection.target if state.endswith("_post") else projection.source
            numbers[f"state_{state}"] = address_of(population.columns[state.rsplit("_", 1)[0]])
        return numbers

    def show_signals(self) -> None:
        """Tell the kernels the traces of modulators."""
        for one, trace in self.events.signals:
            level, since = self.plasticity.signals[one[trace.name]]
            self.record[f"{one[trace.name]}_level"], self.record[f"{one[trace.name]}_since"] = level, since

    # -- learning without delay ----------------------------------------------------------------------------

    @property
    def may_become_prompt(self) -> bool:
        """Whether it is not prompt yet, but may be when it has not been edited for long enough."""
        able = self._can_be_prompt and self.incoming is None
        return bool(able) and small_enough(self.plasticity.projection, self.longest)

    def adapt(self, spikes: int, step: int) -> None:
        """Be prompt or not, as it pays, after so many more spikes of the source up to ``step``."""
        projection = self.plasticity.projection
        self._touched += spikes * projection.size / max(projection.source.size, 1)
        if self._layout != projection.store.layout:  # edited; rows are settled as they are
            self._layout, self._touched = projection.store.layout, 0.0
            self.incoming, self.record["starts"] = None, 0
        if self.may_become_prompt and worth_it(projection, self._touched):
            self._become_prompt(step)

    def _become_prompt(self, step: int) -> None:
        """Make the lists and queues; where there is no memory for them, all stays as it is."""
        projection = self.plasticity.projection
        try:
            incoming = Incoming(projection, self.longest)
        except MemoryError:
            self._can_be_prompt = False
            return
        self.kernels.settle(self.address, step, 0, 0, 0, 0, projection.target.shards)
        for name, value in incoming.fields().items():
            self.record[name] = value
        self.kernels.line_up(self.address, step, 0, projection.target.shards, 0, 0, 0)
        self.incoming = incoming

    @property
    def is_full(self) -> bool:
        """Whether spikes under way are so many that the memory of emissions must grow."""
        waiting = self.plasticity.waiting
        if waiting is not None and waiting.nodes.shape[1] - waiting.taken < self.needed_nodes // 2:
            return True
        return bool(self.plasticity.emissions.used[:, USED].max(initial=0) > self.row_limit)

    @property
    def address(self) -> int:
        """Of the record."""
        return int(self.record.ctypes.data)


def _limit(things: int) -> int:
    return max(2**14, min(_MEMORY * things, max(_LARGEST, 8 * things)))


@lru_cache(maxsize=16)
def _fadings(rate: float, whole: bool) -> Array:
    """How a trace fades at a ``rate`` per step: in the first steps, or as a ``whole`` until nothing is left of it, if
    that does not take too long; traces that fade alike share a table."""
    lasts = LASTS / rate + 2.0 if whole and rate > 0.0 else math.inf
    table = zeros(max(int(lasts), FADINGS) if lasts < _SLOWEST else FADINGS)
    fill_fadings(rate, table)
    return table


class LearningRunner:
    """What a running simulation does for projections that learn; see `neurosim.graph.plasticity.Runner`."""

    def __init__(self, simulation: Simulation) -> None:
        self.simulation = simulation

    def _lowered(self, projection: Projection) -> Lowered:
        return self.simulation._lowered(projection)

    def settle(
        self, projection: Projection, rows: NDArray[np.int64] | None, mask: int = 0, amount: float = 0.0
    ) -> None:
        """Bring rows (default: all) up to now, in place; and let the rules of ``mask`` act."""
        lowered = self._lowered(projection)
        listed = None if rows is None else np.ascontiguousarray(rows, np.int64)
        if listed is not None and listed.size == 0:
            return
        lowered.record["amount"] = amount
        lowered.kernels.settle(
            lowered.address, self.simulation.step, mask, address_of(listed),
            0 if listed is None else listed.size, 0, projection.target.shards,
        )  # fmt: skip

    def modulate(self, network: Network, name: str, amount: float) -> None:
        """An event of a modulator at every synapse whose rules listen to it; an unknown name raises ``UnknownName``."""
        listeners: dict[str, list[tuple[Projection, int]]] = {}
        for projection in network.projections.values():
            for number, rule in enumerate(projection.learning):
                if rule.modulator:
                    listeners.setdefault(rule.modulator, []).append((projection, number))
        if name not in listeners:
            raise unknown("modulator", name, listeners)
        masks: dict[str, int] = {}
        for projection, number in listeners[name]:
            masks[projection.name] = masks.get(projection.name, 0) | 1 << number
        for projection_name, mask in masks.items():
            lowered = self._lowered(network.projections[projection_name])
            self.settle(network.projections[projection_name], None, mask, amount)
            lowered.plasticity.raise_signals(name, amount, self.simulation.step, self.simulation.dt)
            lowered.show_signals()

    def peek(self, projection: Projection, rows: NDArray[np.int64], places: NDArray[np.int64]) -> dict[str, Array]:
        """Values of synapses as they are now, by name."""
        lowered = self._lowered(projection)
        shown_as = {one[v.name]: one.shown[v.name] for one, v in lowered.events.variables}
        names = [shown_as.get(name, name) for name in lowered.events.state if name != "at"]
        shown = np.zeros((len(names), rows.size))
        rows, places = np.ascontiguousarray(rows, np.int64), np.ascontiguousarray(places, np.int64)
        lowered.kernels.peek(
            lowered.address, self.simulation.step, rows.ctypes.data, rows.size,
            places.ctypes.data, shown.ctypes.data, 0,
        )  # fmt: skip
        return dict(zip(names, shown, strict=True))

